"""What there is to say about a ``.gitlab-ci.yml`` while it is read: problems, and what has no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.config.gitlab.keywords import REFUSED, WITHOUT_EFFECT, has_special_below
from hookci.config.problems import Problem
from hookci.config.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hookci.config.words import Path
    from hookci.errors import ConfigProblem

__all__ = ["Ledger"]

_REMOVED = {"type": "stage"}
"""Keywords that GitLab had once, and what took their place."""


class Ledger(Struct):
    """Gathers what is told at the end, all at once.

    ``notes`` are the keywords without effect and where each stands first; ``refused`` is what to do instead of what
    the job at hand asks for, with the first keyword it is said of.  ``foreign`` are the problems of the pipelines that
    this one starts.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    foreign: list[ConfigProblem] = field(default_factory=list)

    def problem(self, path: Path, message: str, hint: str | None = None) -> None:
        """Something is wrong at ``path``."""
        self.problems.append(Problem(path, message, hint))

    def unknown_keys(self, value: Mapping[str, object], known: Iterable[str], path: Path) -> None:
        """Every key must be a known one; the wording is GitLab's."""
        allowed = frozenset(known)
        for key in value:
            if key not in allowed:
                instead = _REMOVED.get(key)
                hint = f"write `{instead}`" if instead in allowed else did_you_mean(key, sorted(allowed))
                self.problem((*path, key), f"config contains unknown keys: {key}", hint)

    def note(self, keyword: str, path: Path) -> None:
        """``keyword`` stands at ``path``; if it has no effect, that is told."""
        if keyword in WITHOUT_EFFECT:
            self.notes.setdefault(keyword, path)

    def refuse(self, keyword: str) -> None:
        """The job at hand asks for what cannot be done here."""
        self.refused.setdefault(REFUSED[keyword], keyword)

    def take_refused(self) -> str | None:
        """What was refused since this was asked last, in one text."""
        text = "; ".join(f"{keyword}: {what}" for what, keyword in self.refused.items()) or None
        self.refused.clear()
        return text

    def look_for_special(self, value: object, keyword: str, path: Path) -> None:
        """Note and refuse what stands in a value that is not simply executed."""
        self.note(keyword, path)
        if keyword in REFUSED:
            self.refuse(keyword)
        elif keyword not in WITHOUT_EFFECT and has_special_below(keyword):
            for child, word, place in _children(value, keyword, path):
                self.look_for_special(child, word, place)


def _children(value: object, keyword: str, path: Path) -> Iterator[tuple[object, str, Path]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield item, keyword, (*path, index)
    elif isinstance(value, dict):
        chosen = has_special_below(f"{keyword}.*")
        for name, item in value.items():
            yield item, f"{keyword}.*" if chosen else f"{keyword}.{name}", (*path, name)
