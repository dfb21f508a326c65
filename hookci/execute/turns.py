"""Whose turn it is: what of a plan may begin once what it comes after is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.model.plan import PlannedJob

__all__ = ["Turns", "in_order"]


class _Gate:
    """Jobs that come after the same ones; of these ``left`` are not over."""

    __slots__ = ("behind", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.behind: list[str] = []


class Turns:
    """Counts what each job still waits for.

    Jobs of one stage come after the same ones, which are counted once for all of them: the work is linear in the jobs
    of a stage, not in their pairs.

    Attributes:
        members: the jobs of the pipeline that a job starts, by the name of that job.
    """

    def __init__(self, jobs: Mapping[str, PlannedJob]) -> None:
        self.members: dict[str, list[str]] = {name: [] for name, planned in jobs.items() if planned.job.trigger}
        self._left = {name: bool(planned.after) + (planned.parent is not None) for name, planned in jobs.items()}
        self._before: dict[str, list[_Gate]] = {name: [] for name in jobs}
        gates: dict[tuple[str, ...], _Gate] = {}
        for name, planned in jobs.items():
            if planned.parent is not None:
                self.members[planned.parent].append(name)
            if planned.after:
                gates.setdefault(planned.after, _Gate(len(planned.after))).behind.append(name)
        for after, gate in gates.items():
            for earlier in after:
                self._before[earlier].append(gate)
        self._open = {starter: len(members) for starter, members in self.members.items()}
        self._parents = {name: planned.parent for name, planned in jobs.items() if planned.parent is not None}

    def first(self) -> list[str]:
        """The jobs that wait for nothing."""
        return [name for name, left in self._left.items() if left == 0]

    def opened(self, starter: str) -> Iterator[str]:
        """The pipeline that ``starter`` starts begins; the jobs of it whose turn has come."""
        return self._counted_down(self.members[starter])

    def over(self, name: str) -> Iterator[str]:
        """``name`` is over; the jobs whose turn has come with that."""
        for gate in self._before[name]:
            gate.left -= 1
            if gate.left == 0:
                yield from self._counted_down(gate.behind)

    def closed(self, name: str) -> str | None:
        """``name`` is over; the job that started its pipeline, if that was the last one of it."""
        starter = self._parents.get(name)
        if starter is None:
            return None
        self._open[starter] -= 1
        return starter if self._open[starter] == 0 else None

    def behind(self, name: str) -> Iterator[list[str]]:
        """What comes after ``name``, in parts that other jobs may have in common with it."""
        return (gate.behind for gate in self._before[name])

    def _counted_down(self, names: list[str]) -> Iterator[str]:
        for name in names:
            self._left[name] -= 1
            if self._left[name] == 0:
                yield name


def in_order(jobs: Mapping[str, PlannedJob]) -> list[str]:
    """The names of ``jobs``, each after all that it comes after and after what starts its pipeline."""
    turns = Turns(jobs)
    found = turns.first()
    for name in found:  # grows
        trigger = jobs[name].job.trigger
        if trigger is not None:
            found += turns.opened(name)
        if trigger is None or not trigger.depend or not turns.members[name]:
            found += _ended(jobs, turns, name)
    return found


def _ended(jobs: Mapping[str, PlannedJob], turns: Turns, name: str) -> Iterator[str]:
    """What comes now that ``name`` is over, and with it perhaps the pipeline it belongs to."""
    yield from turns.over(name)
    starter = turns.closed(name)
    trigger = jobs[starter].job.trigger if starter else None
    if starter and trigger is not None and trigger.depend:
        yield from _ended(jobs, turns, starter)
