"""What people are told: what it is about, how it ended, what to type next."""

from __future__ import annotations

import pytest

from hookci.model.notification import Occasion
from hookci.model.release import Deployment, DeploymentState, Kind, Release, Request
from hookci.model.result import JobResult, Outcome, RunResult, Verdict
from hookci.notify.texts import approval_message, deployment_message, interrupted_message, run_message

COMMIT = "3f9c2e1a" + "0" * 32
ANA = "Ana <ana@example.com>"


def job(name: str, outcome: Outcome, reason: str = "") -> JobResult:
    return JobResult(name=name, stage="test", outcome=outcome, reason=reason)


def run(verdict: Verdict, *jobs: JobResult) -> RunResult:
    return RunResult(number=12, label="main", verdict=verdict, jobs=jobs, seconds=83.4, commit=COMMIT)


def deployment(
    state: DeploymentState, *, kind: Kind = Kind.DEPLOY, number: int | None = None, pushed: bool = True
) -> Deployment:
    return Deployment(
        id=5,
        environment="production",
        commit=COMMIT,
        kind=kind,
        state=state,
        started=1_790_000_000.0,
        seconds=42.0,
        number=number,
        reason="the health check http://127.0.0.1/ did not hold",
        live="release 6 (8d2f1c00)",
        by=ANA,
        pushed=pushed,
    )


def release(kind: Kind, source: int | None, approver: str = "") -> Release:
    return Release(
        environment="production", number=7, commit=COMMIT, kind=kind, by=ANA, at=1_790_000_042.0, seconds=42.0,
        source=source, approver=approver,
    )  # fmt: skip


def test_a_red_run_names_what_broke_and_how_to_read_on() -> None:
    result = run(
        Verdict.RED,
        job("lint", Outcome.PASSED),
        job("unit", Outcome.FAILED, "exit status 1\nand more"),
        job("flaky", Outcome.ALLOWED_FAILURE),
        job("load", Outcome.TIMED_OUT),
    )

    message = run_message(result, "shop", subject="Fix the cart", by=ANA)

    assert (message.occasion, message.title) == (Occasion.RED, "shop: main is red")
    assert message.body.splitlines() == [
        "3f9c2e1a Fix the cart",
        "by Ana <ana@example.com>",
        "run 12, 4 jobs, 0:01:23",
        "unit: failed, exit status 1",
        "load: timed-out",
        "next: hookci log 12 unit",
    ]


def test_of_many_broken_jobs_the_first_are_named() -> None:
    result = run(Verdict.RED, *(job(f"unit:{number}", Outcome.FAILED) for number in range(1, 9)))

    lines = run_message(result, "shop").body.splitlines()

    assert lines[2:] == [*(f"unit:{n}: failed" for n in range(1, 6)), "and 3 more", "next: hookci log 12 unit:1"]


def test_a_command_that_is_to_be_typed_is_quoted_for_the_shell() -> None:
    message = run_message(run(Verdict.RED, job("unit: [$(id)]", Outcome.FAILED)), "shop")

    assert message.body.splitlines()[-1] == "next: hookci log 12 'unit: [$(id)]'"


@pytest.mark.parametrize(
    ("verdict", "occasion", "words"),
    [
        (Verdict.GREEN, Occasion.GREEN, "is green"),
        (Verdict.NONE, Occasion.RED, "has no verdict"),
        (Verdict.INTERRUPTED, Occasion.INTERRUPTED, "was interrupted, there is no verdict"),
    ],
)
def test_a_run_that_broke_nothing_asks_for_nothing(verdict: Verdict, occasion: Occasion, words: str) -> None:
    message = run_message(run(verdict, job("unit", Outcome.PASSED)), "shop")

    assert (message.occasion, message.title) == (occasion, f"shop: main {words}")
    assert message.body.splitlines() == ["3f9c2e1a", "run 12, 1 job, 0:01:23"]


def test_a_release_that_is_live_says_which_and_how_to_go_back() -> None:
    done = deployment(DeploymentState.HEALTHY, kind=Kind.PROMOTION, number=7, pushed=False)

    message = deployment_message(
        done,
        "shop",
        subject="Fix the cart",
        release=release(Kind.PROMOTION, 9, "Ben <ben@example.com>"),
        url="https://shop.example.com",
    )

    assert (message.occasion, message.title) == (Occasion.DEPLOYED, "shop production: release 7 is live")
    assert message.body.splitlines() == [
        "3f9c2e1a Fix the cart",
        "by Ana <ana@example.com>",
        "took 0:00:42",
        "promoted from release 9",
        "approved by Ben <ben@example.com>",
        "its tag is not on the remote yet",
        "https://shop.example.com",
        "to go back: hookci rollback production",
    ]


def test_a_rollback_by_hand_says_what_it_went_back_to() -> None:
    done = deployment(DeploymentState.HEALTHY, kind=Kind.ROLLBACK)

    message = deployment_message(done, "shop", release=release(Kind.ROLLBACK, 3))

    assert message.title == "shop production: release 7 is live, rolled back by hand"
    assert "the same as release 3" in message.body.splitlines()


@pytest.mark.parametrize(
    ("state", "occasion", "title", "todo"),
    [
        (
            DeploymentState.FAILED,
            Occasion.RED,
            "shop production: not deployed, nothing was touched",
            ["next: hookci status"],
        ),
        (
            DeploymentState.ROLLED_BACK,
            Occasion.ROLLED_BACK,
            "shop production: the deployment failed, rolled back",
            ["next: hookci status"],
        ),
        (
            DeploymentState.STUCK,
            Occasion.STUCK,
            "shop production: the deployment failed, and so did going back",
            ["next: hookci status", "or: hookci rollback production --to RELEASE"],
        ),
        (
            DeploymentState.INTERRUPTED,
            Occasion.INTERRUPTED,
            "shop production: the deployment was interrupted",
            ["next: hookci deploy production --resume", "or: hookci deploy production --abort"],
        ),
    ],
)
def test_a_deployment_that_failed_says_why_what_is_live_and_what_to_do(
    state: DeploymentState, occasion: Occasion, title: str, todo: list[str]
) -> None:
    message = deployment_message(deployment(state), "shop", subject="Fix the cart")

    assert (message.occasion, message.title) == (occasion, title)
    assert message.body.splitlines() == [
        "3f9c2e1a Fix the cart",
        "by Ana <ana@example.com>",
        "took 0:00:42",
        "why: the health check http://127.0.0.1/ did not hold",
        "live: release 6 (8d2f1c00)",
        *todo,
    ]


def test_a_deployment_whose_process_died_is_told_as_interrupted_whatever_is_recorded() -> None:
    died = deployment(DeploymentState.STARTED)

    assert deployment_message(died, "shop") == interrupted_message(died, "shop")


def test_a_request_names_who_asked_until_when_it_stands_and_how_to_approve() -> None:
    request = Request(
        id="k7q2", environment="production", commit=COMMIT, config="c0ffee", by=ANA, at=1_790_000_000.0,
        expires=1_790_604_800.0,
    )  # fmt: skip

    message = approval_message(request, "shop", subject="Fix the cart")

    assert (message.occasion, message.title) == (Occasion.APPROVAL, "shop production: 3f9c2e1a waits for approval")
    assert message.body.splitlines() == [
        "3f9c2e1a Fix the cart",
        "by Ana <ana@example.com>",
        "until 2026-09-28 14:13 UTC",
        "next: hookci approve production k7q2",
    ]
