"""Globs as GitLab and git users write them: ``**`` crosses directories, ``*`` does not, hidden names count."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["any_matches", "exact_matcher", "is_literal", "matcher", "name_matches", "ruby_matcher"]

_BRACES = pattern(r"\{([^{}]*)\}")
# "**/" means directories where a name could begin, and is no more than "*" and a slash elsewhere
_RUBY = pattern(r"(?:(?<=/)|^)\*\*/|\*+|\[[!^]?\]?[^\]/]*\]|\\.|.", re.DOTALL)
_RUBY_SIGNS = {"**/": "(?:[^/]+/)*", "?": "[^/]"}


def is_literal(pattern: str) -> bool:
    """Whether a pattern is simply a path."""
    from wcmatch import glob  # noqa: PLC0415 (dear, and a remembered verdict needs no glob)

    return not glob.is_magic(pattern, flags=_flags())


def _flags() -> int:
    from wcmatch import glob  # noqa: PLC0415 (as above)

    return glob.GLOBSTAR | glob.DOTGLOB | glob.BRACE | glob.EXTGLOB | glob.FORCEUNIX


@functools.cache
def matcher(pattern: str) -> Callable[[str], bool]:
    """A test for POSIX paths; a pattern that ends in a slash, or names a directory, means all below it."""
    from wcmatch import glob  # noqa: PLC0415 (as above)

    stem = pattern.removeprefix("./").rstrip("/")
    compiled = glob.compile([stem, f"{stem}/**"], flags=_flags())
    return compiled.match


@functools.cache
def exact_matcher(pattern: str) -> Callable[[str], bool]:
    """A test for POSIX paths; a pattern that names a directory means the directory alone, and nothing below it."""
    from wcmatch import glob  # noqa: PLC0415 (as above)

    return glob.compile([pattern.removeprefix("./").rstrip("/")], flags=_flags()).match


@functools.cache
def ruby_matcher(pattern: str) -> Callable[[str], bool]:
    """A test for POSIX paths as GitLab's ``rules:changes`` and ``rules:exists`` mean a pattern.

    Only ``**/`` crosses directories: ``docs/**`` is the same as ``docs/*``, and ``docs`` names no file in it.  Source:
    Ruby's ``File.fnmatch?`` with FNM_PATHNAME, FNM_DOTMATCH and FNM_EXTGLOB, which the reference names.
    """
    try:
        compiled = re.compile("|".join(f"(?:{_ruby_regex(one)})" for one in _braces(pattern)), re.DOTALL)
    except re.error:  # a range such as [z-a]
        return lambda _path: False
    return lambda path: compiled.fullmatch(path) is not None


def _braces(pattern: str) -> list[str]:
    """``a{b,c}`` as ``ab`` and ``ac``; a brace without its partner is a character like any other."""
    found = _BRACES.search(pattern)  # the innermost ones
    if not found:
        return [pattern]
    wholes = (f"{pattern[: found.start()]}{part}{pattern[found.end() :]}" for part in found[1].split(","))
    return [one for whole in wholes for one in _braces(whole)]


def _ruby_regex(pattern: str) -> str:
    """One pattern without braces."""
    return "".join(_RUBY_SIGNS.get(sign) or _ruby_sign(sign) for sign in _RUBY.findall(pattern))


def _ruby_sign(sign: str) -> str:
    if len(sign) > 1 and sign[0] == "[":
        return "(?!/)" + re.sub(r"^\[[!^]", "[^", sign)
    if sign[0] == "*":
        return "[^/]*"
    return re.escape(sign[1:] if len(sign) > 1 and sign[0] == "\\" else sign)


def any_matches(patterns: Iterable[str], paths: Iterable[str]) -> str | None:
    """The first path that any pattern matches, or None."""
    tests = [matcher(pattern) for pattern in patterns]
    return next((path for path in paths if any(test(path) for test in tests)), None)


def name_matches(pattern: str, name: str) -> bool:
    """Whether a branch, tag or variable name matches a glob (``release/*``) or a ``/regex/``.

    In a glob for names ``*`` crosses slashes, as in git's and GitLab's branch patterns.
    """
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith(("/", "/i")):
        body, _, flags = pattern[1:].rpartition("/")
        return re.search(body, name, re.IGNORECASE if flags == "i" else 0) is not None
    if "*" not in pattern:
        return name == pattern
    first, *middle, last = pattern.split("*")
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in middle:
        at = name.find(part, at, end) + len(part)
        if at < len(part):
            return False
    return True
