"""What a person wants of ``git push``: which of its words say what is sent, and which how.

Source: git-push(1) of git 2.51.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["PushArguments", "read_push_arguments"]

_SAYS_WHAT = {
    "--all", "--branches", "--mirror", "--tags", "--follow-tags", "--no-follow-tags", "--prune", "--delete",
    "--force", "--no-force", "--force-with-lease", "--no-force-with-lease", "--force-if-includes",
    "--no-force-if-includes", "--repo", "--verify",
}  # fmt: skip
"""Only git is asked with these: what comes of them is sent by its name."""
_SAYS_HOW = {
    "--quiet", "--verbose", "--progress", "--no-progress", "--porcelain", "--dry-run", "--push-option",
    "--receive-pack", "--exec", "--thin", "--no-thin", "--signed", "--no-signed", "--ipv4", "--ipv6",
    "--recurse-submodules", "--no-recurse-submodules",
}  # fmt: skip
_OURS = {"--set-upstream", "--atomic", "--no-atomic"}
_SHORT = {
    "d": "--delete", "f": "--force", "u": "--set-upstream", "q": "--quiet", "v": "--verbose", "n": "--dry-run",
    "o": "--push-option", "4": "--ipv4", "6": "--ipv6",
}  # fmt: skip
_NOT_ASKED = {"--verify", "--quiet", "--push-option"}
"""Without them git says the same, or more; a dry run with push options sometimes dies of SIGPIPE (git 2.39)."""
_WITH_VALUE = {"--repo", "--push-option", "--receive-pack", "--exec"}
"""Their value may be the next word."""
_SUBMODULES = {"--recurse-submodules=check", "--recurse-submodules=no", "--no-recurse-submodules"}


class PushArguments(Struct, frozen=True, kw_only=True):
    """The arguments of a ``git push``.

    ``words`` are all of them, ``asked`` those with which git is asked what it would send, ``how`` those that are for
    the push itself.
    ``upstream`` says that the branches are to follow what they are pushed to, ``atomic`` that all or nothing is to
    arrive, ``names_refs`` whether a person says what to send at all.
    """

    words: tuple[str, ...]
    asked: tuple[str, ...]
    how: tuple[str, ...]
    upstream: bool = False
    atomic: bool = True
    names_refs: bool = False


def read_push_arguments(words: Sequence[str]) -> PushArguments:
    """Sort the words after ``hookci push``.

    Raises:
        UsageError: one of them is no option of ``git push``, or cannot be kept.
    """
    options, places = _split(words)
    how = []
    for option, value in options:
        _check(option, value)
        if option in _SAYS_HOW:
            how.append(_joined(option, value))
    names = [option for option, _ in options]
    choice = next((name for name in reversed(names) if name in {"--atomic", "--no-atomic"}), "--atomic")
    says_what = {"--all", "--branches", "--mirror", "--tags"} & {*names}
    asked = [_joined(option, value) for option, value in options if option not in _NOT_ASKED]
    return PushArguments(
        words=tuple(words),
        asked=(*asked, "--", *places),
        how=tuple(how),
        upstream="--set-upstream" in names,
        atomic=choice == "--atomic",
        names_refs=len(places) > 1 or bool(says_what),
    )


def _joined(option: str, value: str | None) -> str:
    return option if value is None else f"{option}={value}"


def _split(words: Sequence[str]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """The options with their values, short ones by their long names, and the rest: a remote and what to send there."""
    options: list[tuple[str, str | None]] = []
    places: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--":
            places += left
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            follows = name in _WITH_VALUE and not equals
            options.append((name, _next(name, left) if follows else value if equals else None))
        elif word.startswith("-") and word != "-":
            options += _short(word, left)
        else:
            places.append(word)
    return options, places


def _short(word: str, left: Iterator[str]) -> Iterator[tuple[str, str | None]]:
    letters = word[1:]
    for place, letter in enumerate(letters):
        name = _SHORT.get(letter)
        if name is None:
            raise UsageError(f"`git push` has no option `-{letter}`", "`git push -h` lists them")
        if name in _WITH_VALUE:
            yield name, letters[place + 1 :] or _next(name, left)
            return
        yield name, None


def _next(name: str, left: Iterator[str]) -> str:
    value = next(left, None)
    if value is None:
        raise UsageError(f"{name} needs a value")
    return value


def _check(option: str, value: str | None) -> None:
    if option == "--no-verify":
        raise UsageError("--no-verify leaves out what `hookci push` is for", "git push --no-verify")
    if option.endswith("recurse-submodules") and (f"{option}={value}" if value else option) not in _SUBMODULES:
        raise UsageError(
            "submodules are repositories of their own, whose commits are not judged here",
            "push them first; `--recurse-submodules=check` makes sure of it",
        )
    if option not in _SAYS_WHAT | _SAYS_HOW | _OURS:
        near = difflib.get_close_matches(option, _SAYS_WHAT | _SAYS_HOW | _OURS, n=1)
        raise UsageError(
            f"`hookci push` does not know the option `{option}`",
            f"did you mean `{near[0]}`?" if near else f"`hookci run`, and then `git push {option}`",
        )
