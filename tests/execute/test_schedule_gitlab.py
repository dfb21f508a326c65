"""The order and the fate of the jobs of a GitLab file, with jobs that take no time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from schedule_bench import Bench, endings_of, gitlab_plan

from hookci.execute.schedule import Interrupts, RunSettings, run_plan
from hookci.model.event import Notice
from hookci.model.plan import Action
from hookci.model.result import Outcome, Verdict

if TYPE_CHECKING:
    from pathlib import Path

FAILED = Outcome.FAILED


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("locks")
    directory.chmod(0o700)
    return directory


def endings(text: str, place: Path, *failing: str, **files: str) -> dict[str, str]:
    return endings_of(Bench(dict.fromkeys(failing, FAILED)).go(gitlab_plan(text, files=files), place))


def test_a_failure_ends_no_other_job_of_its_stage(place: Path) -> None:
    text = """
        bad: {script: x}
        good: {script: x}
        ship: {stage: deploy, script: x}
        clean: {stage: deploy, script: x, when: always}
        mend: {stage: deploy, script: x, when: on_failure}
        free: {stage: deploy, needs: [good], script: x}
    """

    found = endings(text, place, "bad")

    assert found == {
        "bad": "failed", "good": "passed", "ship": "skipped", "clean": "passed", "mend": "passed", "free": "passed"
    }  # fmt: skip


def test_what_runs_on_failure_runs_only_if_something_before_it_failed(place: Path) -> None:
    text = """
        build: {stage: build, script: x}
        mend: {stage: test, script: x, when: on_failure}
        by_need: {stage: deploy, needs: [build], script: x, when: on_failure}
        other: {stage: deploy, needs: [], script: x}
        late: {stage: .post, script: x}
    """

    good = endings(text, place)
    later = endings(text, place, "other")
    bad = endings(text, place, "build")

    assert good == {"build": "passed", "mend": "skipped", "by_need": "skipped", "other": "passed", "late": "passed"}
    assert later == good | {"other": "failed", "late": "skipped"}
    assert bad == {"build": "failed", "mend": "passed", "by_need": "passed", "other": "passed", "late": "skipped"}


def test_a_failure_that_is_allowed_holds_up_nobody(place: Path) -> None:
    text = """
        shaky: {stage: build, script: x, allow_failure: true}
        codes: {stage: build, script: x, allow_failure: {exit_codes: [1]}}
        unit: {script: x}
        by_need: {stage: deploy, needs: [shaky, codes], script: x}
        mend: {stage: deploy, script: x, when: on_failure}
    """

    result = Bench({"shaky": FAILED, "codes": FAILED}).go(gitlab_plan(text), place)

    assert endings_of(result) == {
        "shaky": "allowed-failure", "codes": "allowed-failure", "unit": "passed", "by_need": "passed", "mend": "skipped"
    }  # fmt: skip
    assert result.verdict is Verdict.GREEN


def test_only_the_exit_codes_that_are_named_are_allowed(place: Path) -> None:
    text = "a: {script: x, allow_failure: {exit_codes: [7]}}"

    result = Bench({"a": FAILED}).go(gitlab_plan(text), place)

    assert result.verdict is Verdict.RED


def test_a_manual_job_of_rules_holds_up_the_stages_after_it_and_one_without_does_not(place: Path) -> None:
    text = """
        {how}
        next: {stage: deploy, script: x}
        always: {stage: deploy, script: x, when: always}
        free: {stage: deploy, needs: [], script: x}
        last: {stage: .post, script: x}
    """
    blocking = "ask: {script: x, rules: [{when: manual}]}"
    optional = "ask: {script: x, when: manual}"

    held = gitlab_plan(text.replace("{how}", blocking))
    result = Bench().go(held, place)

    assert endings_of(result) == {
        "ask": "manual", "next": "skipped", "always": "skipped", "free": "passed", "last": "skipped"
    }  # fmt: skip
    assert {job.reason for job in result.jobs if job.outcome is Outcome.SKIPPED} == {"`ask` waits for a person"}
    assert result.verdict is Verdict.GREEN
    assert endings(text.replace("{how}", optional), place) == {
        "ask": "manual", "next": "passed", "always": "passed", "free": "passed", "last": "passed"
    }  # fmt: skip


def test_a_blocking_manual_job_waits_also_beside_a_failure(place: Path) -> None:
    text = """
        bad: {script: x}
        ask: {script: x, rules: [{when: manual}]}
        mend: {stage: deploy, script: x, when: on_failure}
    """

    assert endings(text, place, "bad") == {"bad": "failed", "ask": "manual", "mend": "skipped"}


@pytest.mark.parametrize("how", ["when: manual", "rules: [{when: manual}]"])
def test_what_needs_a_manual_job_waits_for_it_and_the_others_go_on(place: Path, how: str) -> None:
    text = f"""
        ask: {{script: x, {how}}}
        wants: {{script: x, needs: [ask]}}
        further: {{script: x, needs: [wants]}}
        ok: {{script: x}}
    """

    result = Bench().go(gitlab_plan(text), place)

    assert endings_of(result) == {"ask": "manual", "wants": "skipped", "further": "skipped", "ok": "passed"}
    assert result.verdict is Verdict.GREEN


def test_a_manual_job_that_is_asked_for_lets_the_rest_run(place: Path) -> None:
    text = """
        ask: {script: x, rules: [{when: manual}]}
        next: {stage: deploy, script: x}
    """

    result = Bench().go(gitlab_plan(text, asked=("test", "deploy", "job:ask")), place)

    assert endings_of(result) == {"ask": "passed", "next": "passed"}


def test_what_needs_a_job_that_did_not_run_does_not_run_unless_it_always_does(place: Path) -> None:
    text = """
        mend: {stage: build, script: x, when: on_failure}
        by_stage: {script: x}
        by_need: {script: x, needs: [mend]}
        always: {script: x, needs: [mend], when: always}
        sad: {script: x, needs: [mend], when: on_failure}
    """

    assert endings(text, place) == {
        "mend": "skipped", "by_stage": "passed", "by_need": "skipped", "always": "passed", "sad": "skipped"
    }  # fmt: skip


def test_a_job_starts_when_its_needs_are_over_and_not_later(place: Path) -> None:
    text = """
        slow: {stage: build, script: x}
        fast: {stage: build, script: x}
        after_fast: {stage: deploy, needs: [fast], script: x}
    """
    gate = threading.Event()

    class Slow(Bench):
        def run(self, planned, cancel, tell, started):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 (as in Bench)
            if planned.job.name == "slow":
                assert gate.wait(20)
            result = super().run(planned, cancel, tell, started)
            if planned.job.name == "after_fast":
                gate.set()
            return result

    result = Slow().go(gitlab_plan(text), place)

    assert set(endings_of(result).values()) == {"passed"}


# -- delayed


DELAYED = """
    later: {script: x, when: delayed, start_in: 1 second}
    other: {script: x}
    after: {stage: deploy, script: x}
"""


def test_a_delayed_job_waits_without_taking_a_place(place: Path) -> None:
    bench = Bench()
    begun = time.monotonic()

    result = bench.go(gitlab_plan(DELAYED), place, parallel=1)

    assert time.monotonic() - begun >= 1
    assert bench.begun == ["other", "later", "after"]
    assert result.verdict is Verdict.GREEN
    assert [event.text for event in bench.events if isinstance(event, Notice)] == ["`later` starts in 1 s"]


def test_an_interrupt_ends_the_waiting_of_a_delayed_job(place: Path) -> None:
    plan = gitlab_plan(DELAYED.replace("1 second", "1 hour"))
    interrupts = Interrupts()
    threading.Timer(0.2, interrupts.interrupt, ["Ctrl-C"]).start()

    result = run_plan(plan, 1, Bench(), RunSettings(2, False, place), lambda _event: None, interrupts)

    assert endings_of(result) == {"later": "cancelled", "other": "passed", "after": "cancelled"}
    assert result.verdict is Verdict.INTERRUPTED


def test_a_delayed_job_that_is_asked_for_starts_at_once(place: Path) -> None:
    result = Bench().go(gitlab_plan(DELAYED.replace("1 second", "1 hour"), asked=("later",)), place)

    assert endings_of(result) == {"later": "passed"}


# -- pipelines that a job starts


PARENT = """
    first: {{stage: build, script: x}}
    kid:
      trigger: {{include: child.yml{depend}}}
      {more}
    next: {{stage: deploy, script: x}}
"""
CHILD = """
    one: {stage: build, script: x}
    two: {stage: test, script: x}
    three: {stage: test, needs: [], script: x}
"""
DEPEND = ", strategy: depend"


def parent(*, depend: bool = True, more: str = "") -> str:
    return PARENT.format(depend=DEPEND if depend else "", more=more)


def test_a_job_with_a_child_pipeline_ends_as_that_does(place: Path) -> None:
    good = endings(parent(), place, child=CHILD)
    bad = Bench({"kid/one": FAILED}).go(gitlab_plan(parent(), files={"child": CHILD}), place)

    assert set(good.values()) == {"passed"}
    assert endings_of(bad) == {
        "first": "passed", "kid": "failed", "kid/one": "failed", "kid/two": "skipped", "kid/three": "passed",
        "next": "skipped",
    }  # fmt: skip
    assert {job.name: job.reason for job in bad.jobs}["kid"] == "`kid/one` did not pass"
    assert bad.verdict is Verdict.RED


def test_without_depend_nobody_waits_for_a_child_and_its_failure_still_counts(place: Path) -> None:
    result = Bench({"kid/one": FAILED}).go(gitlab_plan(parent(depend=False), files={"child": CHILD}), place)

    assert endings_of(result) == {
        "first": "passed", "kid": "passed", "kid/one": "failed", "kid/two": "skipped", "kid/three": "passed",
        "next": "passed",
    }  # fmt: skip
    assert result.verdict is Verdict.RED


def test_a_child_that_may_fail_makes_nothing_red(place: Path) -> None:
    plan = gitlab_plan(parent(more="allow_failure: true"), files={"child": CHILD})

    result = Bench({"kid/one": FAILED}).go(plan, place)

    assert endings_of(result)["kid"] == "allowed-failure"
    assert endings_of(result)["next"] == "passed"
    assert result.verdict is Verdict.GREEN


def test_a_child_begins_when_its_starter_would(place: Path) -> None:
    bench = Bench()

    bench.go(gitlab_plan(parent(), files={"child": CHILD}), place)
    unbegun = endings(parent(), place, "first", child=CHILD)

    assert bench.begun[0] == "first"
    assert bench.begun[-1] == "next"
    assert unbegun == {
        "first": "failed", "kid": "skipped", "kid/one": "skipped", "kid/two": "skipped", "kid/three": "skipped",
        "next": "skipped",
    }  # fmt: skip


def test_a_child_whose_starter_waits_for_a_person_waits_too(place: Path) -> None:
    plan = gitlab_plan(parent(more="when: manual"), files={"child": CHILD})

    result = Bench().go(plan, place)

    assert endings_of(result) == {
        "first": "passed", "kid": "manual", "kid/one": "skipped", "kid/two": "skipped", "kid/three": "skipped",
        "next": "passed",
    }  # fmt: skip
    assert result.verdict is Verdict.GREEN


def test_a_child_without_jobs_fails_its_starter(place: Path) -> None:
    nothing = "a: {script: x, rules: [{if: $CI_COMMIT_TAG}]}"

    result = Bench().go(gitlab_plan(parent(), files={"child": nothing}), place)

    assert endings_of(result) == {"first": "passed", "kid": "failed", "next": "skipped"}
    assert result.jobs[1].reason == "no job of its pipeline is to run"


HELD = """
    ask: {stage: build, script: x, rules: [{when: manual}]}
    one: {stage: build, script: x}
    two: {stage: test, script: x}
"""
HOLDS = """
    kid: {{stage: build, trigger: {{include: child.yml, strategy: {strategy}}}, {more}}}
    next: {{stage: deploy, script: x}}
    needy: {{needs: [kid], script: x}}
    free: {{needs: [], script: x}}
"""


@pytest.mark.parametrize(("strategy", "more"), [("depend", ""), ("mirror", ""), ("depend", "allow_failure: true")])
@pytest.mark.parametrize("fails", [[], ["kid/one"]])
def test_a_child_that_waits_for_a_person_holds_up_what_comes_after_its_starter(
    place: Path, strategy: str, more: str, fails: list[str]
) -> None:
    plan = gitlab_plan(HOLDS.format(strategy=strategy, more=more), files={"child": HELD})

    result = Bench(dict.fromkeys(fails, FAILED)).go(plan, place)

    assert endings_of(result) == {
        "kid": "manual", "kid/ask": "manual", "kid/one": "failed" if fails else "passed", "kid/two": "skipped",
        "next": "skipped", "needy": "skipped", "free": "passed",
    }  # fmt: skip
    reasons = {job.name: job.reason for job in result.jobs}
    assert reasons["kid"] == "its pipeline waits for a person: `kid/ask`"
    assert reasons["next"] == "`kid` waits for a person"
    assert result.verdict is (Verdict.RED if fails and not more else Verdict.GREEN)


def test_one_that_mirrors_a_child_that_waits_may_be_allowed_to(place: Path) -> None:
    text = HOLDS.format(strategy="mirror", more="allow_failure: true")

    found = endings(text, place, child=HELD)

    assert (found["kid"], found["next"], found["needy"]) == ("manual", "passed", "skipped")


def test_a_child_of_a_child_that_waits_holds_up_both(place: Path) -> None:
    top = HOLDS.format(strategy="depend", more="")
    middle = "grand: {trigger: {include: inner.yml, strategy: depend}}\nlater: {stage: deploy, script: x}"

    result = Bench().go(gitlab_plan(top, files={"child": middle, "inner": HELD}), place)

    found = endings_of(result)
    assert (found["kid"], found["kid/grand"], found["kid/later"], found["next"]) == (
        "manual", "manual", "skipped", "skipped"
    )  # fmt: skip
    assert result.jobs[0].reason == "its pipeline waits for a person: `kid/grand/ask`"


@pytest.mark.parametrize("strategy", ["depend", "mirror"])
def test_what_may_wait_in_a_child_holds_up_nobody(place: Path, strategy: str) -> None:
    child = "ask: {stage: build, script: x, when: manual}\none: {script: x}"

    found = endings(HOLDS.format(strategy=strategy, more=""), place, child=child)

    assert (found["kid"], found["kid/ask"], found["next"], found["needy"]) == ("passed", "manual", "passed", "passed")


@pytest.mark.parametrize("child", ["mend: {script: x, when: on_failure}", "ask: {script: x, when: manual}"])
@pytest.mark.parametrize(
    ("strategy", "kid", "after"), [("depend", "failed", "skipped"), ("mirror", "skipped", "passed")]
)
def test_a_child_in_which_nothing_runs_is_skipped(place: Path, child: str, strategy: str, kid: str, after: str) -> None:
    result = Bench().go(gitlab_plan(HOLDS.format(strategy=strategy, more=""), files={"child": child}), place)

    found = endings_of(result)
    assert (found["kid"], found["next"], found["needy"]) == (kid, after, "skipped")
    assert result.jobs[0].reason == "no job of its pipeline ran"
    assert result.verdict is (Verdict.RED if strategy == "depend" else Verdict.GREEN)


def test_a_child_whose_jobs_a_person_leaves_out_makes_nothing_red(place: Path) -> None:
    plan = gitlab_plan(HOLDS.format(strategy="depend", more=""), files={"child": "one: {script: x}"})
    one = replace(plan.jobs["kid/one"], action=Action.SKIPPED)

    result = Bench().go(replace(plan, jobs={**plan.jobs, "kid/one": one}, skip=("kid/one",)), place)

    assert endings_of(result)["kid"] == "passed"


def test_an_interrupt_cancels_a_child(place: Path) -> None:
    interrupts = Interrupts()
    threading.Timer(0.2, interrupts.interrupt, ["Ctrl-C"]).start()
    plan = gitlab_plan(parent(), files={"child": CHILD})

    result = run_plan(plan, 1, Bench(seconds=30), RunSettings(2, False, place), lambda _event: None, interrupts)

    assert result.verdict is Verdict.INTERRUPTED
    assert not {job.outcome for job in result.jobs} & {Outcome.PASSED, FAILED}


def test_children_of_children_end_one_after_the_other(place: Path) -> None:
    top = "kid: {trigger: {include: middle.yml, strategy: depend}}"
    middle = "grand: {trigger: {include: inner.yml, strategy: depend}}"

    result = Bench({"kid/grand/a": FAILED}).go(
        gitlab_plan(top, files={"middle": middle, "inner": "a: {script: x}"}), place
    )

    assert endings_of(result) == {"kid": "failed", "kid/grand": "failed", "kid/grand/a": "failed"}
    assert result.verdict is Verdict.RED


def test_what_cannot_be_run_here_is_left_out_and_what_needs_it_too(place: Path) -> None:
    text = """
        far: {stage: build, script: x}
        needs_it: {needs: [far], script: x}
        next: {script: x}
    """
    plan = gitlab_plan(text)
    far = replace(plan.jobs["far"], action=Action.UNSUPPORTED, reason="`trigger: project`")
    result = Bench().go(replace(plan, jobs={**plan.jobs, "far": far}), place)

    assert endings_of(result) == {"far": "unsupported", "needs_it": "skipped", "next": "passed"}
    assert result.verdict is Verdict.GREEN
