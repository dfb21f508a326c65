"""When a run is expected to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from schedule_bench import gitlab_plan, plan_of, planned

from hookci.execute.forecast import forecast
from hookci.execute.ranks import ranks
from hookci.execute.waiting import Waiting
from hookci.model.pipeline import When
from hookci.model.plan import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.plan import Plan, PlannedJob


def expected(plan: Plan, durations: Mapping[str, float], *, parallel: int = 2, cores: int = 0) -> float | None:
    waiting = Waiting(plan.jobs, ranks(plan.jobs, durations), parallel=parallel, cores=cores)
    return max(forecast(plan, waiting, durations, keep_going=False).values(), default=None)


A, B, C = planned("a"), planned("b"), planned("c", ("a",))


@pytest.mark.parametrize(
    ("jobs", "seconds"),
    [
        ([A, B], 5.0),
        ([A, B, C], 6.0),
        ([A, B, planned("c")], 6.0),
        ([A, B, planned("c", ("a", "b"))], 9.0),
        ([planned("a", weight=2), planned("b", weight=2)], 7.0),
        ([planned("a", resource_group="g"), planned("b", resource_group="g")], 7.0),
        ([planned("a", action=Action.REMEMBERED), B], 5.0),
        ([planned("a", action=Action.SKIPPED), C, B], 5.0),
        ([A, planned("c", ("a",), when=When.ON_FAILURE)], 2.0),
        ([A, planned("c", ("a",), when=When.DELAYED, start_in=30.0)], 36.0),
    ],
    ids=[
        "side by side",
        "a chain beside a long job",
        "three in two places",
        "one after the others",
        "heavy ones",
        "a resource group",
        "what is remembered takes no time",
        "nor does what is skipped, or waits for it",
        "nor what runs after a failure",
        "a delay",
    ],
)
def test_the_expected_time_is_that_of_a_run_in_which_everything_passes(jobs: list[PlannedJob], seconds: float) -> None:
    durations = {"a": 2.0, "b": 5.0, "c": 4.0}

    assert expected(plan_of(*jobs), durations) == seconds


def test_nothing_is_expected_as_long_as_one_job_that_runs_is_not_known() -> None:
    plan = plan_of(A, B, planned("never", ("b",), when=When.ON_FAILURE))

    assert expected(plan, {"a": 2.0}) is None
    assert expected(plan, {"a": 2.0, "b": 5.0}) == 5.0


def test_a_run_of_nothing_has_no_expected_end() -> None:
    assert expected(plan_of(planned("a", action=Action.REMEMBERED)), {"a": 2.0}) is None


def test_what_waits_for_a_person_is_not_waited_for() -> None:
    plan = gitlab_plan(
        """
        stages: [build, test]
        one: {stage: build, script: ["true"]}
        person: {stage: build, script: ["true"], when: manual, allow_failure: false}
        two: {stage: test, script: ["true"]}
        """
    )

    assert expected(plan, {"one": 3.0, "person": 90.0, "two": 20.0}) == 3.0


def test_pipelines_that_jobs_start_count() -> None:
    plan = gitlab_plan(
        """
        stages: [build, test]
        below: {stage: build, trigger: {include: kid.yml, strategy: depend}}
        last: {stage: test, script: ["true"]}
        """,
        files={"kid": "one: {script: ['true']}\ntwo: {script: ['true']}"},
    )

    assert expected(plan, {"below/one": 3.0, "below/two": 4.0, "last": 2.0}) == 6.0


def test_each_job_has_its_own_expected_end() -> None:
    plan, durations = plan_of(A, B, C), {"a": 2.0, "b": 5.0, "c": 4.0}
    waiting = Waiting(plan.jobs, ranks(plan.jobs, durations), parallel=2)

    assert forecast(plan, waiting, durations, keep_going=False) == {"a": 2.0, "b": 5.0, "c": 6.0}
