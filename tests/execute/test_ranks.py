"""Which job goes first, on graphs small enough to try everything."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_bench import gitlab_plan, plan_of, planned

from hookci.execute.forecast import forecast
from hookci.execute.ranks import ranks
from hookci.execute.turns import in_order
from hookci.execute.waiting import Waiting
from hookci.model.plan import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.plan import Plan, PlannedJob

graphs = st.integers(1, 9).flatmap(
    lambda count: st.tuples(*(st.sets(st.integers(0, max(0, number - 1)), max_size=3) for number in range(count)))
)
seconds = st.integers(1, 20).map(float)


def jobs_of(graph: tuple[set[int], ...]) -> list[PlannedJob]:
    return [
        planned(f"j{number}", tuple(f"j{other}" for other in sorted(before) if other < number))
        for number, before in enumerate(graph)
    ]


def longest(plan: Plan, durations: Mapping[str, float], name: str) -> float:
    """The longest chain from ``name`` on, by trying all."""
    later = [other for other, job in plan.jobs.items() if name in job.after]
    return durations[name] + max((longest(plan, durations, other) for other in later), default=0.0)


def length(plan: Plan, durations: Mapping[str, float], parallel: int) -> float:
    waiting = Waiting(plan.jobs, ranks(plan.jobs, durations), parallel=parallel)
    return max(forecast(plan, waiting, durations, keep_going=False).values())


@settings(max_examples=200, deadline=None)
@given(data=st.data(), graph=graphs)
def test_a_rank_is_the_longest_chain_that_begins_with_the_job(data: st.DataObject, graph: tuple[set[int], ...]) -> None:
    plan = plan_of(*jobs_of(graph))
    durations = {name: data.draw(seconds) for name in plan.jobs}

    found = ranks(plan.jobs, durations)

    assert found == {name: longest(plan, durations, name) for name in plan.jobs}


@settings(max_examples=200, deadline=None)
@given(graph=graphs)
def test_the_order_has_every_job_once_and_after_what_it_comes_after(graph: tuple[set[int], ...]) -> None:
    plan = plan_of(*jobs_of(graph))

    order = in_order(plan.jobs)

    assert sorted(order) == sorted(plan.jobs)
    assert all(order.index(before) < order.index(name) for name in order for before in plan.jobs[name].after)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), graph=graphs, parallel=st.integers(1, 4))
def test_a_run_is_as_short_as_graham_says(data: st.DataObject, graph: tuple[set[int], ...], parallel: int) -> None:
    plan = plan_of(*jobs_of(graph))
    durations = {name: data.draw(seconds) for name in plan.jobs}
    work, chain = sum(durations.values()), max(ranks(plan.jobs, durations).values())

    found = length(plan, durations, parallel)

    assert max(chain, work / parallel) <= found <= work / parallel + chain * (1 - 1 / parallel) + 1e-6


@settings(max_examples=100, deadline=None)
@given(times=st.lists(seconds, min_size=1, max_size=7), parallel=st.integers(1, 3))
def test_jobs_that_wait_for_nothing_take_at_most_a_third_longer_than_the_best_order(
    times: list[float], parallel: int
) -> None:
    plan = plan_of(*(planned(f"j{number}") for number in range(len(times))))
    places = product(range(parallel), repeat=len(times))
    best = min(
        max(sum(time for time, place in zip(times, chosen, strict=True) if place == one) for one in range(parallel))
        for chosen in places
    )

    found = length(plan, dict(zip(plan.jobs, times, strict=True)), parallel)

    assert best <= found <= best * (4 / 3 - 1 / (3 * parallel)) + 1e-6


def test_the_long_chain_goes_before_what_stands_above_it() -> None:
    short = [planned(f"short{number}") for number in range(4)]
    plan = plan_of(*short, planned("build"), planned("test", ("build",)))
    durations = {**{job.job.name: 1.0 for job in short}, "build": 2.0, "test": 2.0}

    found = length(plan, durations, 2)

    assert found == 4.0


def test_without_history_the_chain_of_more_jobs_is_the_longer_one() -> None:
    plan = plan_of(planned("a"), planned("b"), planned("c", ("b",)), planned("d", ("c",)))

    found = ranks(plan.jobs, {})

    assert found == {"a": 1.0, "b": 3.0, "c": 2.0, "d": 1.0}


def test_an_unknown_job_counts_as_a_middling_one_and_one_that_does_not_run_as_nothing() -> None:
    jobs = [planned("a"), planned("b"), planned("c"), planned("new"), planned("old", action=Action.REMEMBERED)]

    found = ranks(plan_of(*jobs).jobs, {"a": 1.0, "b": 5.0, "c": 60.0})

    assert found == {"a": 1.0, "b": 5.0, "c": 60.0, "new": 5.0, "old": 0.0}


def test_a_job_that_starts_a_pipeline_is_as_urgent_as_that_and_what_waits_for_it() -> None:
    plan = gitlab_plan(
        """
        stages: [build, test, deploy]
        below: {stage: build, trigger: {include: kid.yml, strategy: depend}}
        aside: {stage: build, script: ["true"]}
        last: {stage: deploy, script: ["true"]}
        """,
        files={"kid": "one: {script: ['true']}\ntwo: {stage: deploy, script: ['true']}"},
    )

    found = ranks(plan.jobs, {"below/one": 7.0, "below/two": 5.0, "aside": 2.0, "last": 3.0})

    assert found == {"below/two": 8.0, "below/one": 15.0, "below": 15.0, "aside": 5.0, "last": 3.0}


def test_nobody_waits_for_a_pipeline_that_is_only_started() -> None:
    plan = gitlab_plan(
        """
        stages: [build, deploy]
        below: {stage: build, trigger: {include: kid.yml}}
        last: {stage: deploy, script: ["true"]}
        """,
        files={"kid": "one: {script: ['true']}"},
    )

    found = ranks(plan.jobs, {"below/one": 7.0, "last": 3.0})

    assert found == {"below/one": 7.0, "below": 7.0, "last": 3.0}
