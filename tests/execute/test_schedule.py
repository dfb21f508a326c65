"""The scheduler itself, on graphs no config would be written for, with jobs that take no time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schedule_bench import Bench, plan_of, planned

from hookci.execute.schedule import Interrupts, RunSettings, run_plan
from hookci.model.event import JobFinished, JobOutput, JobRetried, RunStarted
from hookci.model.pipeline import AllowFailure, Retry, RetryOn, When
from hookci.model.plan import Action, PlannedJob
from hookci.model.result import JobResult, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hookci.execute.cancel import JobCancel
    from hookci.model.event import Event


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("locks")
    directory.chmod(0o700)
    return directory


@pytest.mark.parametrize("first", [Outcome.PASSED, Outcome.FAILED])
@pytest.mark.parametrize("action", [Action.RUN, Action.SKIPPED])
def test_a_chain_of_a_thousand_jobs_is_no_matter(place: Path, first: Outcome, action: Action) -> None:
    chain = [
        planned(f"j{number}", (f"j{number - 1}",) if number else (), action=action if number else Action.RUN)
        for number in range(1000)
    ]

    result = Bench({"j0": first}).go(plan_of(*chain), place)

    outcomes = [job.outcome for job in result.jobs]
    assert outcomes[0] is first
    if first is Outcome.PASSED and action is Action.RUN:
        assert outcomes[1:] == [Outcome.PASSED] * 999
    else:
        assert outcomes[1:] == [Outcome.SKIPPED] * 999


graphs = st.integers(1, 9).flatmap(
    lambda count: st.tuples(*(st.sets(st.integers(0, max(0, number - 1)), max_size=3) for number in range(count)))
)
whens = st.sampled_from([When.ON_SUCCESS, When.ON_SUCCESS, When.ON_FAILURE, When.ALWAYS])
endings = st.sampled_from([Outcome.PASSED, Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), graph=graphs, parallel=st.integers(1, 4), keep_going=st.booleans())
def test_every_job_ends_once_after_all_it_comes_after(
    place: Path, data: st.DataObject, graph: tuple[set[int], ...], parallel: int, keep_going: bool
) -> None:
    names = [f"j{number}" for number in range(len(graph))]
    jobs = [
        planned(
            name,
            tuple(names[other] for other in sorted(graph[number]) if other < number),
            when=data.draw(whens),
            action=data.draw(st.sampled_from([Action.RUN, Action.RUN, Action.RUN, Action.SKIPPED, Action.MANUAL])),
        )
        for number, name in enumerate(names)
    ]
    bench = Bench({name: data.draw(endings) for name in names})

    result = bench.go(plan_of(*jobs), place, parallel=parallel, keep_going=keep_going)

    finished = [event.result.name for event in bench.events if isinstance(event, JobFinished)]
    ended = {job.name: job.outcome for job in result.jobs}
    by_name = {job.job.name: job for job in jobs}
    bad = {Outcome.FAILED, Outcome.ERRORED}
    assert sorted(finished) == sorted(names) == sorted(ended)
    assert bench.most <= parallel
    for name in bench.begun:
        assert set(by_name[name].after) <= bench.over_before(name)
        assert by_name[name].action is Action.RUN
        if by_name[name].when is When.ON_SUCCESS:
            assert not bad & {ended[other] for other in by_name[name].after}
    assert (result.verdict is Verdict.NONE) >= (Outcome.ERRORED in ended.values())
    assert (result.verdict is Verdict.GREEN) <= (not bad & set(ended.values()))


def test_jobs_of_one_group_never_run_at_the_same_time(place: Path) -> None:
    bench = Bench(seconds=0.02)
    jobs = [planned(f"j{number}", resource_group="g") for number in range(6)]

    result = bench.go(plan_of(*jobs), place, parallel=6)

    assert result.verdict is Verdict.GREEN
    assert bench.most == 1


def test_a_job_that_waits_for_its_group_takes_no_place(place: Path) -> None:
    bench = Bench(seconds=0.2)
    jobs = [planned("one", resource_group="g"), planned("two", resource_group="g"), planned("other")]

    bench.go(plan_of(*jobs), place, parallel=2)

    assert sorted(bench.begun[:2]) == ["one", "other"]


def test_the_first_failure_cancels_what_runs_and_what_waits(place: Path) -> None:
    bench = Bench({"bad": Outcome.FAILED}, seconds=0.0)
    slow = [planned(f"slow{number}") for number in range(3)]
    jobs = [planned("bad"), *slow, planned("always", when=When.ALWAYS), planned("after", ("bad", "slow0"))]

    result = bench.go(plan_of(*jobs), place, parallel=1)

    assert {job.name: job.outcome for job in result.jobs} == {
        "bad": Outcome.FAILED,
        "slow0": Outcome.CANCELLED,
        "slow1": Outcome.CANCELLED,
        "slow2": Outcome.CANCELLED,
        "always": Outcome.PASSED,
        "after": Outcome.SKIPPED,
    }
    assert result.verdict is Verdict.RED


def test_the_first_failure_is_told_before_anything_is_waited_for(place: Path) -> None:
    class Deaf(Bench):
        """The slow job ends only when it was cancelled and the failure was told, or after a long while."""

        def run(
            self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
        ) -> JobResult:
            if planned.job.name == "slow":
                deadline = time.monotonic() + 10
                while (cancel.soft.reason is None or "bad" not in self.over()) and time.monotonic() < deadline:
                    time.sleep(0.001)
                told_by_then.append(self.over())
            return super().run(planned, cancel, tell, started)

    told_by_then: list[set[str]] = []
    bench = Deaf({"bad": Outcome.FAILED})

    result = bench.go(plan_of(planned("slow"), planned("bad"), planned("later")), place)

    finished = [event.result.name for event in bench.events if isinstance(event, JobFinished)]
    assert finished[0] == "bad"
    assert "bad" in told_by_then[0]
    assert [job.outcome for job in result.jobs] == [Outcome.CANCELLED, Outcome.FAILED, Outcome.CANCELLED]


def test_what_takes_longest_to_the_end_starts_first(place: Path) -> None:
    jobs = [planned("short"), planned("long"), planned("build"), planned("test", ("build",))]
    durations = {"short": 1.0, "long": 5.0, "build": 3.0, "test": 4.0}
    known, unknown = Bench(), Bench()

    known.go(plan_of(*jobs), place, parallel=1, durations=durations)
    unknown.go(plan_of(*jobs), place, parallel=1)

    assert known.begun == ["build", "long", "test", "short"]
    assert unknown.begun == ["build", "short", "long", "test"]


def test_jobs_share_the_cores_by_their_weights(place: Path) -> None:
    bench = Bench(seconds=0.02)
    jobs = [planned(f"j{number}", weight=2) for number in range(6)]

    result = bench.go(plan_of(*jobs), place, parallel=4, cores=5)

    assert result.verdict is Verdict.GREEN
    assert bench.most == 2


def test_the_expected_end_is_told_when_every_job_is_known(place: Path) -> None:
    plan = plan_of(planned("a"), planned("b", ("a",)))
    known, unknown = Bench(), Bench()

    known.go(plan, place, durations={"a": 2.0, "b": 3.0})
    unknown.go(plan, place, durations={"a": 2.0})

    begun = [event for bench in (known, unknown) for event in bench.events if isinstance(event, RunStarted)]
    assert [event.expected for event in begun] == [5.0, None]


def test_a_thousand_jobs_need_as_many_threads_as_there_are_places(place: Path) -> None:
    threads = set()

    class Noting(Bench):
        def run(
            self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
        ) -> JobResult:
            threads.add(threading.current_thread())
            return super().run(planned, cancel, tell, started)

    Noting().go(plan_of(*(planned(f"j{number}") for number in range(1000))), place, parallel=3)

    assert len(threads) <= 3


def test_how_long_a_job_held_its_place_is_told_with_its_end(place: Path) -> None:
    bench = Bench({"bad": Outcome.FAILED}, seconds=0.02)

    bench.go(plan_of(planned("bad", retry=Retry(max=1)), planned("after", ("bad",))), place)

    held = {event.result.name: event.held for event in bench.events if isinstance(event, JobFinished)}
    assert held["bad"] > 0.04
    assert held["after"] == 0


def test_an_interrupt_before_or_in_the_middle_cancels_everything(place: Path) -> None:
    for asked_for in ("before", "in the middle"):
        bench, interrupts = Bench(seconds=30), Interrupts()
        if asked_for == "before":
            interrupts.interrupt("Ctrl-C")
        else:
            threading.Timer(0.1, interrupts.interrupt, ["Ctrl-C"]).start()

        result = run_plan(
            plan_of(planned("a"), planned("b", ("a",)), planned("c", when=When.ALWAYS)),
            1,
            bench,
            RunSettings(parallel=1, keep_going=False, locks=place),
            bench.events.append,
            interrupts,
        )

        assert {job.outcome for job in result.jobs} == {Outcome.CANCELLED}
        assert {job.reason for job in result.jobs} == {"Ctrl-C"}
        assert result.verdict is Verdict.INTERRUPTED


@pytest.mark.parametrize(
    ("ending", "retry", "attempts"),
    [
        (Outcome.FAILED, Retry(max=2), 3),
        (Outcome.ERRORED, Retry(max=1), 2),
        (Outcome.ERRORED, Retry(max=2, when=(RetryOn.ERROR,)), 3),
        (Outcome.FAILED, Retry(max=2, when=(RetryOn.ERROR, RetryOn.TIMEOUT)), 1),
        (Outcome.TIMED_OUT, Retry(max=2, when=(RetryOn.TIMEOUT,)), 3),
        (Outcome.FAILED, Retry(max=2, exit_codes=(1,)), 3),
        (Outcome.FAILED, Retry(max=2, exit_codes=(2,)), 1),
        (Outcome.TIMED_OUT, Retry(max=2, when=(RetryOn.TIMEOUT,), exit_codes=(2,)), 3),
        (Outcome.PASSED, Retry(max=2), 1),
    ],
)
def test_what_is_tried_again_is_what_the_config_says(place: Path, ending: Outcome, retry: Retry, attempts: int) -> None:
    bench = Bench({"a": ending})

    result = bench.go(plan_of(planned("a", retry=retry)), place)

    assert result.jobs[0].attempts == attempts
    assert len(bench.begun) == attempts
    assert sum(isinstance(event, JobRetried) for event in bench.events) == attempts - 1


def test_no_verdict_beats_red_and_an_allowed_failure_is_green(place: Path) -> None:
    allowed = AllowFailure(allowed=True)
    both = plan_of(planned("bad", when=When.ALWAYS), planned("broken", when=When.ALWAYS))
    overlooked = plan_of(planned("shaky", allow_failure=allowed), planned("after", ("shaky",)))
    broken = plan_of(planned("shaky", allow_failure=allowed))

    verdicts = [
        Bench({"bad": Outcome.FAILED, "broken": Outcome.ERRORED}).go(both, place).verdict,
        Bench({"shaky": Outcome.FAILED}).go(overlooked, place).verdict,
        Bench({"shaky": Outcome.ERRORED}).go(broken, place).verdict,
    ]

    assert verdicts == [Verdict.NONE, Verdict.GREEN, Verdict.NONE]


def test_a_bug_in_an_executor_is_no_verdict_and_no_hang(place: Path) -> None:
    class Broken(Bench):
        def run(self, *_: object) -> JobResult:
            raise ZeroDivisionError

    result = Broken().go(plan_of(planned("a"), planned("b", ("a",))), place)

    assert [job.outcome for job in result.jobs] == [Outcome.ERRORED, Outcome.SKIPPED]
    assert "ZeroDivisionError" in result.jobs[0].reason
    assert result.verdict is Verdict.NONE


def test_what_stops_whoever_shows_it_stops_the_run(place: Path) -> None:
    class Slow(Bench):
        def run(
            self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
        ) -> JobResult:
            cancels.append(cancel)
            return super().run(planned, cancel, tell, started)

    def observe(event: Event) -> None:
        if isinstance(event, JobFinished):
            raise BrokenPipeError

    cancels: list[JobCancel] = []
    jobs = [planned("a"), *(planned(f"j{number}", ("a",)) for number in range(100))]
    bench = Slow(seconds=0.05)

    with pytest.raises(BrokenPipeError):
        run_plan(plan_of(*jobs), 1, bench, RunSettings(2, True, place), observe, Interrupts())
    time.sleep(0.3)

    assert len(bench.begun) < 20
    assert cancels[-1].hard.reason == "the run broke off"


def test_an_observer_that_takes_its_time_does_not_let_the_jobs_run_far_ahead(place: Path) -> None:
    ahead: list[int] = []
    bench = Bench()

    def observe(event: Event) -> None:
        if isinstance(event, JobFinished):
            bench.events.append(event)
            time.sleep(0.001)
            ahead.append(len(bench.begun) - len(bench.over()))

    jobs = [planned(f"j{number}") for number in range(300)]
    run_plan(plan_of(*jobs), 1, bench, RunSettings(2, False, place), observe, Interrupts())

    assert len(ahead) == 300
    assert max(ahead) < 100


def test_how_jobs_ended_is_recorded_before_it_is_told_and_of_several_at_once(place: Path) -> None:
    recorded: list[list[str]] = []
    late: list[str] = []

    def record(ended: Sequence[JobFinished]) -> None:
        recorded.append([event.result.name for event in ended])

    def observe(event: Event) -> None:
        if isinstance(event, JobFinished) and event.result.name not in {name for names in recorded for name in names}:
            late.append(event.result.name)

    jobs = [planned(f"j{number}") for number in range(200)]
    settings = RunSettings(2, False, place, record=record)
    result = run_plan(plan_of(*jobs), 1, Bench(), settings, observe, Interrupts())

    assert sorted(name for names in recorded for name in names) == sorted(job.name for job in result.jobs)
    assert late == []
    assert len(recorded) < 150


def test_a_flood_of_output_waits_for_whoever_shows_it(place: Path) -> None:
    waiting: list[int] = []
    told = [0]

    class Flood(Bench):
        def run(
            self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
        ) -> JobResult:
            for _ in range(500):
                tell(JobOutput("a", ("x",)))
                told[0] += 1
            return super().run(planned, cancel, tell, started)

    shown = [0]

    def observe(event: Event) -> None:
        if isinstance(event, JobOutput):
            time.sleep(0.0005)
            shown[0] += 1
            waiting.append(told[0] - shown[0])

    run_plan(plan_of(planned("a")), 1, Flood(), RunSettings(2, False, place), observe, Interrupts())

    assert shown[0] == 501
    assert max(waiting) < 100
