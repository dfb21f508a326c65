"""Rounds of everything that is compared, side by side, in an order that changes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks import machine
from benchmarks.figures import Bound, Figure, Found, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["Act", "Bench", "BenchmarkError", "Effort", "Samples", "Scene", "act", "measured", "say", "timed"]

_Value = TypeVar("_Value")
_LONGEST = 900.0
"""Seconds that one command may take; what takes longer hangs."""
_QUICK = 2.5
"""Seconds after which no further round is begun when there is little time."""
_SHOWN = 2_000
"""Characters of what a program has written that are shown when it fails: the last."""

Act = Callable[[], Mapping[str, float]]
"""Something a round does once; what it gives has names that no other act of the round uses."""


class BenchmarkError(Exception):
    """Something cannot be measured: what, and why."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: everything, or when it is ``quick`` less often, and in smaller repositories."""

    quick: bool

    def pick(self, whole: _Value, quick: _Value) -> _Value:
        """The one or the other."""
        return quick if self.quick else whole


@dataclass(frozen=True, slots=True)
class Samples:
    """What each round gave, by name."""

    rounds: Sequence[Mapping[str, float]]

    def of(self, name: str) -> list[float]:
        """One value of each round."""
        return [one[name] for one in self.rounds]

    def beyond(self, name: str, base: str) -> list[float]:
        """How much more ``name`` gave than ``base`` in the same round."""
        return [one[name] - one[base] for one in self.rounds]

    def constant(self, value: float) -> list[float]:
        """A value that is not measured, as often as there are rounds."""
        return [value] * len(self.rounds)


@dataclass(slots=True)
class Bench:
    """What the scenes of a group work with.

    ``environment`` is sealed off from the person who measures, and has hookci on its PATH; ``tables`` takes what is
    worth showing beside the figures.
    """

    place: Path
    environment: dict[str, str]
    effort: Effort
    tables: list[Table] = field(default_factory=list)

    def directory(self) -> Path:
        """A new one."""
        return Path(tempfile.mkdtemp(dir=self.place))

    def add_programs(self, places: Sequence[Path]) -> None:
        """Have further programs on the PATH, before all that are there."""
        self.environment["PATH"] = os.pathsep.join([*map(str, places), self.environment["PATH"]])

    def rounds(self, acts: Iterable[Act], whole: int, quick: int = 3) -> Samples:
        """Do everything so many times, in random order, after a round that does not count."""
        acts = list(acts)
        _one_round(acts)
        begun, found = time.monotonic(), [_one_round(acts)]
        while len(found) < self.effort.pick(whole, quick):
            if self.effort.quick and time.monotonic() - begun > _QUICK:
                break
            found.append(_one_round(acts))
        return Samples(found)

    def run(self, argv: Sequence[str], place: Path, *, expected: Collection[int] = (0,)) -> float:
        """How long a program takes, in milliseconds."""
        return timed(argv, place, self.environment, expected=expected)


def _one_round(acts: Sequence[Act]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in random.sample(acts, len(acts)):
        found |= one()
    return found


def act(name: str, action: Callable[[], float]) -> Act:
    """An act that gives one value."""
    return lambda: {name: action()}


@dataclass(frozen=True, slots=True)
class Scene:
    """Figures that come from the same rounds; ``measure`` gives what was found for each key of ``bounds``."""

    title: str
    bounds: Mapping[str, Bound]
    measure: Callable[[Bench], Mapping[str, Found]]


def measured(scenes: Iterable[Scene], bench: Bench) -> Iterator[list[Figure]]:
    """The figures of each scene, one scene after the other; one that fails does not end the others."""
    for scene in scenes:
        say(scene.title)
        begun, failure = time.monotonic(), ""
        found: Mapping[str, Found] = {}
        try:
            found = scene.measure(bench)
        except (BenchmarkError, OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
            failure = str(error) if isinstance(error, BenchmarkError) else f"{type(error).__name__}: {error}"
            say(f"{scene.title} failed: {failure}")
        say(f"{scene.title}: {time.monotonic() - begun:.0f} s")
        yield [Figure(bound=bound, found=found.get(key), failure=_ends(failure)) for key, bound in scene.bounds.items()]


def _ends(text: str) -> str:
    """The first and the last line: what was done, and what came of it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:1] + lines[1:][-1:])


def timed(
    argv: Sequence[str], place: Path, environment: Mapping[str, str], *, expected: Collection[int] = (0,)
) -> float:
    """How long a program takes in ``place``, in milliseconds.

    Raises:
        BenchmarkError: it ended with a status that was not expected.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(
            argv, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        # no timeout of subprocess's: it looks at growing intervals, so that every time would be 31.5, 81.5 or 131.5 ms
        guard = threading.Timer(_LONGEST, child.kill)
        guard.start()
        status = child.wait()
        taken = time.perf_counter() - start
        guard.cancel()
        if status not in expected:
            output.seek(0)
            text = output.read().decode(errors="replace")[-_SHOWN:]
            raise BenchmarkError(f"{' '.join(argv)[:200]} in {place.name} ended in {status}:\n{text}")
    return taken * 1000


def say(what: str) -> None:
    """Tell how far it is."""
    print(f"{what} (load {machine.load()})", file=sys.stderr)
