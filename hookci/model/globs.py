"""Globs as GitLab and git users write them: ``**`` crosses directories, ``*`` does not, hidden names count."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["any_matches", "is_literal", "matcher", "name_matches"]


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
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name) is not None
