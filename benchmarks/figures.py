"""Pure: what is asked for, what was measured, and what comes of the two."""

from __future__ import annotations

import random
import statistics
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "OURS",
    "Bound",
    "Figure",
    "Found",
    "Group",
    "Part",
    "Ratio",
    "Results",
    "Standing",
    "Table",
    "as_json",
    "from_json",
    "ratio",
]

OURS = "hookci"
_DRAWS = 1_000
_TAIL = 0.025
"""95 % of what is drawn lies between the ends of an interval."""


class Standing(Enum):
    """What becomes of a bound."""

    REACHED = "reached"
    MISSED = "not reached"
    NOISE = "noise"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A figure to reach: what hookci takes, in times of what something else takes, at most."""

    what: str
    against: str
    at_most: float
    unit: str = "ms"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a figure of hookci's is made of, in the figure's unit."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was measured, one value of each round: hookci's, and that of what it is compared with.

    ``parts`` were measured apart, and say what hookci's is made of.
    """

    ours: Sequence[float]
    theirs: Sequence[float]
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two medians, and between what it lies in 95 % of all draws from the rounds."""

    value: float
    low: float
    high: float


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio | None:
    """The median of ``ours`` in times of that of ``theirs``; None when one of them is no more than noise.

    Rounds are drawn as pairs, so that what disturbed both is in both; the same figures give the same interval.
    """
    chance = random.Random(len(ours))  # noqa: S311 (statistics)
    pairs = list(zip(ours, theirs, strict=True))
    value = _of_medians(pairs)
    draws = [_of_medians(chance.choices(pairs, k=len(pairs))) for _ in range(_DRAWS)]
    drawn = sorted(draw for draw in draws if draw is not None)
    if value is None or value < 0 or len(drawn) < (1 - _TAIL) * _DRAWS:
        return None
    last = len(drawn) - 1
    return Ratio(value, drawn[round(_TAIL * last)], drawn[round((1 - _TAIL) * last)])


def _of_medians(pairs: Sequence[tuple[float, float]]) -> float | None:
    below = statistics.median(theirs for _ours, theirs in pairs)
    return statistics.median(ours for ours, _theirs in pairs) / below if below > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A bound with what was measured, or with why it could not be."""

    bound: Bound
    found: Found | None = None
    failure: str = ""

    @property
    def ratio(self) -> Ratio | None:
        """None when nothing was measured, or only noise."""
        return ratio(self.found.ours, self.found.theirs) if self.found else None

    @property
    def standing(self) -> Standing:
        """Whether the bound is reached."""
        if self.found is None:
            return Standing.FAILED
        found = self.ratio
        if found is None:
            return Standing.NOISE
        return Standing.REACHED if found.value <= self.bound.at_most else Standing.MISSED

    @property
    def medians(self) -> tuple[float, float]:
        """What hookci takes, and what it is compared with."""
        if self.found is None:
            raise ValueError(self.failure)
        return statistics.median(self.found.ours), statistics.median(self.found.theirs)


@dataclass(frozen=True, slots=True)
class Table:
    """More of what a group found, in words and numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All figures of one module; ``facts`` say when they were measured, of what, and beside what."""

    name: str
    facts: Mapping[str, str]
    figures: Sequence[Figure]
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run; ``facts`` are those of the machine and the programs, ``quick`` says it was made with less of all."""

    facts: Mapping[str, str]
    quick: bool
    groups: Sequence[Group] = field(default=())

    @property
    def figures(self) -> list[Figure]:
        """Those of all groups."""
        return [figure for group in self.groups for figure in group.figures]

    def count(self, standing: Standing) -> int:
        """How many figures stand so."""
        return sum(figure.standing is standing for figure in self.figures)


def as_json(results: Results) -> dict[str, Any]:
    """All that was measured, for ``json.dump``."""
    return {
        "facts": dict(results.facts),
        "quick": results.quick,
        "groups": [
            {
                "name": group.name,
                "facts": dict(group.facts),
                "figures": [_figure_as_json(figure) for figure in group.figures],
                "tables": [asdict(table) for table in group.tables],
            }
            for group in results.groups
        ],
    }


def _figure_as_json(figure: Figure) -> dict[str, Any]:
    found, shown = figure.found, figure.ratio
    document = {**asdict(figure.bound), "standing": figure.standing.value, "failure": figure.failure}
    if shown:
        document["ratio"] = {name: round(value, 4) for name, value in asdict(shown).items()}
    if found:
        document["ours"], document["theirs"] = _rounded(found.ours), _rounded(found.theirs)
        document["parts"] = [{"name": part.name, "value": round(part.value, 3)} for part in found.parts]
    return document


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 3) for value in values]


def from_json(document: Mapping[str, Any]) -> Results:
    """What `as_json` made; figures are worked out again from what was measured."""
    return Results(
        facts=document["facts"],
        quick=document["quick"],
        groups=[
            Group(
                name=group["name"],
                facts=group["facts"],
                figures=[_figure_from_json(figure) for figure in group["figures"]],
                tables=[Table(**table) for table in group["tables"]],
            )
            for group in document["groups"]
        ],
    )


def _figure_from_json(document: Mapping[str, Any]) -> Figure:
    bound = Bound(**{name: document[name] for name in ("what", "against", "at_most", "unit")})
    if "ours" not in document:
        return Figure(bound=bound, failure=document["failure"])
    parts = [Part(**part) for part in document["parts"]]
    return Figure(bound=bound, found=Found(ours=document["ours"], theirs=document["theirs"], parts=parts))
