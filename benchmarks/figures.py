"""Pure: what is measured, and the figures that are made of it."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["EMPTY", "NO_HOOK", "OURS", "Results", "Scene", "Spread", "Time", "as_json", "spread"]

NO_HOOK, EMPTY, OURS = "no hook", "empty hook", "hookci"


@dataclass(frozen=True, slots=True, order=True)
class Scene:
    """What a person does: commits or pushes, in a repository of so many files, a tree that was judged before or not."""

    act: str
    files: int
    again: bool

    def __str__(self) -> str:
        return f"{self.act}, {'the same tree again' if self.again else 'a new tree'}"


@dataclass(frozen=True, slots=True)
class Time:
    """How long one command took, in milliseconds: on the clock, and on the processors."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the quartiles of several measurements."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run of the benchmark.

    ``times`` has the times of each scene by hook, one of each round; ``jobs`` says how often the job of a hook ran on
    an act: for a new tree, and for the same tree again.
    """

    facts: Mapping[str, str]
    rounds: int
    jobs: Mapping[str, Mapping[str, tuple[int, int]]]
    times: Mapping[Scene, Mapping[str, Sequence[Time]]]

    @property
    def scenes(self) -> list[Scene]:
        """In the order of tables: what is done, the size of the repository, first a new tree."""
        return sorted(self.times)

    @property
    def hooks(self) -> list[str]:
        """All but no hook, hookci last."""
        names = next(iter(self.times.values()))
        return [*(name for name in names if name not in {NO_HOOK, OURS}), OURS]

    def plain(self, scene: Scene) -> Spread:
        """How long the act takes without a hook."""
        return spread([time.wall for time in self.times[scene][NO_HOOK]])

    def added(self, scene: Scene, hook: str) -> Spread:
        """What a hook adds to that: the median of the differences within each round."""
        pairs = zip(self.times[scene][hook], self.times[scene][NO_HOOK], strict=True)
        return spread([ours.wall - none.wall for ours, none in pairs])

    def added_cpu(self, scene: Scene, hook: str) -> Spread:
        """The same of the time on the processors."""
        pairs = zip(self.times[scene][hook], self.times[scene][NO_HOOK], strict=True)
        return spread([ours.cpu - none.cpu for ours, none in pairs])

    def against(self, scene: Scene, hook: str) -> float | None:
        """What hookci adds, in times of what ``hook`` adds; None when that is no more than noise."""
        theirs = self.added(scene, hook)
        return self.added(scene, OURS).median / theirs.median if theirs.low > 0 else None

    def slower(self, hook: str) -> list[Scene]:
        """Where hookci adds more than ``hook``."""
        ours = {scene: self.added(scene, OURS).median for scene in self.scenes}
        return [scene for scene in self.scenes if ours[scene] > self.added(scene, hook).median]


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles, of one value too."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high)


def as_json(results: Results) -> dict[str, Any]:
    """All that was measured, and the figures of it, for ``json.dump``; times are milliseconds."""
    scenes = [
        {
            "act": scene.act,
            "files": scene.files,
            "tree": "again" if scene.again else "new",
            "hook": hook,
            "added": _rounded(results.added(scene, hook)),
            "added_cpu": _rounded(results.added_cpu(scene, hook)),
            "wall": [round(time.wall, 2) for time in results.times[scene][hook]],
            "cpu": [round(time.cpu, 2) for time in results.times[scene][hook]],
        }
        for scene, hook in itertools.product(results.scenes, [NO_HOOK, *results.hooks])
    ]
    return {"facts": dict(results.facts), "rounds": results.rounds, "jobs_run": results.jobs, "scenes": scenes}


def _rounded(found: Spread) -> dict[str, float]:
    return {"median": round(found.median, 2), "low": round(found.low, 2), "high": round(found.high, 2)}
