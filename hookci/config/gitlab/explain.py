"""Goes through a composed document and says of every keyword in it what becomes of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hookci.config.gitlab.composed import GLOBAL, compose
from hookci.config.gitlab.keywords import EXECUTED, REFUSED, WITHOUT_EFFECT, fate
from hookci.model.explained import ExplainedKeyword, Explanation, Fate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.config.gitlab.composed import Composed
    from hookci.config.surroundings import Surroundings
    from hookci.config.words import Path

__all__ = ["explain_gitlab"]

_UNKNOWN = "unknown"
_OF_JOBS = "default"
"""What holds keywords of jobs, for all of them."""


def explain_gitlab(source: str, surroundings: Surroundings) -> Explanation:
    """What becomes of every keyword of the pipeline that starts in ``source``.

    Raises:
        ConfigError: there is no document to go on with.
    """
    composed = compose(source, surroundings)
    pipeline: list[ExplainedKeyword] = []
    jobs: list[ExplainedKeyword] = []
    for name, value in composed.values.items():
        if name in GLOBAL and name != _OF_JOBS:
            pipeline.extend(_explained(composed, None, name, value, (name,)))
        elif isinstance(value, dict):
            into, job = (pipeline, None) if name == _OF_JOBS else (jobs, name)
            for key, inner in value.items():
                into.extend(_explained(composed, job, key, inner, (name, key)))
    return Explanation(source=source, keywords=(*pipeline, *jobs))


def _explained(composed: Composed, job: str | None, keyword: str, value: Any, path: Path) -> Iterator[ExplainedKeyword]:  # noqa: ANN401 (any YAML value)
    found: dict[str, ExplainedKeyword] = {}
    for word, place in _keywords(keyword, value, path):
        if word in found:
            continue
        at = composed.place(place)
        said = Fate(fate(word))
        found[word] = ExplainedKeyword(job=job, keyword=word, fate=said, why=_why(word), file=at.file, line=at.line)
    return iter(found.values())


def _why(keyword: str) -> str:
    """The reason that stands at the keyword, or at the one it belongs to."""
    parts = keyword.split(".")
    above = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    reasons = (WITHOUT_EFFECT.get(word) or REFUSED.get(word) for word in above)
    return "" if keyword in EXECUTED else next(filter(None, reasons), "")


def _keywords(keyword: str, value: Any, path: Path) -> Iterator[tuple[str, Path]]:  # noqa: ANN401 (any YAML value)
    """The keyword itself and those below it, each as often as it stands there."""
    if fate(keyword) == _UNKNOWN:
        return
    yield keyword, path
    if fate(keyword) != Fate.EXECUTED:
        return
    yield from _below(keyword, value, path)


def _below(keyword: str, value: Any, path: Path) -> Iterator[tuple[str, Path]]:  # noqa: ANN401 (any YAML value)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _below(keyword, item, (*path, index))
    elif isinstance(value, dict):
        chosen = f"{keyword}.*" in _parents()
        for name, item in value.items():
            if chosen:
                # some of the names that a file may choose say something to a runner
                if fate(f"{keyword}.{name}") != _UNKNOWN:
                    yield f"{keyword}.{name}", (*path, name)
                yield from _below(f"{keyword}.*", item, (*path, name))
            else:
                yield from _keywords(f"{keyword}.{name}", item, (*path, name))


@functools.cache
def _parents() -> frozenset[str]:
    """Every keyword that has others below it."""
    words = (*EXECUTED, *WITHOUT_EFFECT, *REFUSED)
    return frozenset(word.rsplit(".", depth)[0] for word in words for depth in range(1, word.count(".") + 1))
