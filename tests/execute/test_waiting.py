"""Places for jobs, and cores for their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_bench import planned

from hookci.execute.waiting import Waiting

if TYPE_CHECKING:
    from hookci.model.plan import PlannedJob


def waiting_for(*jobs: PlannedJob, parallel: int, cores: int = 0, urgent: tuple[str, ...] = ()) -> Waiting:
    """All of ``jobs``, ready; ``urgent`` ones first."""
    named = {job.job.name: job for job in jobs}
    waiting = Waiting(named, {name: float(name in urgent) for name in named}, parallel=parallel, cores=cores)
    for name in named:
        waiting.add(name)
    return waiting


def started(waiting: Waiting) -> list[str]:
    """All that start now."""
    names = []
    while (name := waiting.next()) is not None:
        names.append(name)
    return names


drawn_jobs = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([None, None, "g", "h"])), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(drawn=drawn_jobs, parallel=st.integers(1, 4), cores=st.integers(0, 6), data=st.data())
def test_there_is_never_too_much_at_once_and_every_job_has_its_turn(
    drawn: list[tuple[int, str | None]], parallel: int, cores: int, data: st.DataObject
) -> None:
    jobs = [planned(f"j{n}", weight=weight, resource_group=group) for n, (weight, group) in enumerate(drawn)]
    named, most = {job.job.name: job.job for job in jobs}, max(parallel, cores)
    waiting = Waiting(
        {job.job.name: job for job in jobs},
        {name: float(data.draw(st.integers(0, 3))) for name in named},
        parallel=parallel,
        cores=cores,
    )
    to_come, out, over = list(named), list[str](), list[str]()

    while len(over) < len(named):
        for _ in range(data.draw(st.integers(0 if out else len(to_come), len(to_come)))):
            waiting.add(to_come.pop(0))
        out += started(waiting)
        groups = [named[name].resource_group for name in out if named[name].resource_group]

        assert out
        assert len(out) <= parallel
        assert len(groups) == len(set(groups))
        assert sum(named[name].weight for name in out) <= most or len(out) == 1

        over.append(out.pop(data.draw(st.integers(0, len(out) - 1))))
        waiting.leave(over[-1])

    assert sorted(over) == sorted(named)


def test_light_jobs_do_not_overtake_a_heavy_one_for_ever() -> None:
    heavy = planned("heavy", weight=3)
    waiting = waiting_for(planned("a"), heavy, *(planned(f"light{n}") for n in range(20)), parallel=4)
    first = started(waiting)

    waiting.leave("a")
    second = started(waiting)

    assert first == ["a", "heavy"]
    assert second == ["light0"]

    again = waiting_for(planned("a"), planned("b"), heavy, *(planned(f"light{n}") for n in range(20)), parallel=4)
    before = started(again)
    again.leave("a")

    assert before == ["a", "b"]
    assert started(again) == ["heavy"]


def test_a_job_heavier_than_all_cores_runs_alone() -> None:
    waiting = waiting_for(planned("a"), planned("giant", weight=99), planned("b"), parallel=2, cores=4)

    order = [started(waiting)]
    for name in ("a", "giant"):
        waiting.leave(name)
        order.append(started(waiting))

    assert order == [["a"], ["giant"], ["b"]]


def test_more_places_than_cores_are_places_all_the_same() -> None:
    waiting = waiting_for(*(planned(f"j{n}") for n in range(8)), parallel=6, cores=2)

    assert len(started(waiting)) == 6


def test_the_most_urgent_goes_first_and_then_the_order_of_the_plan() -> None:
    waiting = waiting_for(planned("a"), planned("b"), planned("c"), parallel=3, urgent=("c",))

    assert started(waiting) == ["c", "a", "b"]


def test_who_waits_for_its_group_holds_up_nobody_and_comes_before_the_less_urgent_of_it() -> None:
    jobs = [planned("a", resource_group="g"), planned("late", resource_group="g"), planned("other")]
    waiting = waiting_for(*jobs, planned("soon", resource_group="g"), parallel=2, urgent=("a", "soon"))

    order = [started(waiting)]
    for name in ("a", "soon"):
        waiting.leave(name)
        order.append(started(waiting))

    assert order == [["a", "other"], ["soon"], ["late"]]


def test_what_is_dropped_starts_no_more_also_what_waits_for_its_group() -> None:
    jobs = [planned("a", resource_group="g"), planned("b", resource_group="g"), planned("c"), planned("d")]
    waiting = waiting_for(*jobs, parallel=2)
    begun = started(waiting)

    gone = waiting.drop(lambda name: name != "d")
    for name in begun:
        waiting.leave(name)

    assert begun == ["a", "c"]
    assert gone == ["b"]
    assert started(waiting) == ["d"]
