from __future__ import annotations

import pytest
from msgspec.structs import replace

from hookci.model.release import Deployment, DeploymentState, Kind, Lock, Release, Request
from hookci.model.status import EnvironmentStatus, PipelineSummary, Running, Standing, Status
from hookci.report.deployments import failure_words, live_words, render_environments, render_releases
from hookci.report.status import render_status

ANA = "Ana <ana@example.com>"
FIRST, SECOND = "a" * 40, "b" * 40
TITLES = {FIRST: "Add a basket", SECOND: "Fix the basket"}
RELEASE = Release(
    environment="staging", number=12, commit=SECOND, kind=Kind.DEPLOY, by=ANA, at=10_000.0, seconds=14.2, run=7
)
FAILED = Deployment(
    id=3,
    environment="staging",
    commit=FIRST,
    kind=Kind.DEPLOY,
    state=DeploymentState.ROLLED_BACK,
    started=12_000.0,
    seconds=3.0,
    reason="the script failed in `./deploy.sh`: exit status 1",
    live="release 12 (bbbbbbbb), restored",
    by=ANA,
)
STATUS = EnvironmentStatus(
    name="staging", live=RELEASE, title="Fix the basket", source="main", candidate=SECOND, ahead=0
)


def told(*found: EnvironmentStatus) -> list[str]:
    return render_environments(found, now=13_600.0, color=False)


@pytest.mark.parametrize(
    ("kind", "done"), [(Kind.DEPLOY, "deployed"), (Kind.ROLLBACK, "rolled back"), (Kind.PROMOTION, "promoted")]
)
def test_one_sentence_says_what_is_live(kind: Kind, done: str) -> None:
    words = live_words(replace(RELEASE, kind=kind), "Fix the basket")

    assert words == f"staging: release 12 is live: bbbbbbbb Fix the basket ({done} in 14.2s)"


def test_a_commit_that_is_not_in_this_clone_has_no_title() -> None:
    assert live_words(RELEASE, "") == "staging: release 12 is live: bbbbbbbb (deployed in 14.2s)"


def test_a_failure_says_what_is_live_instead() -> None:
    assert failure_words(FAILED) == (
        "aaaaaaaa is not live on staging: the script failed in `./deploy.sh`: exit status 1; "
        "live is release 12 (bbbbbbbb), restored"
    )


def test_being_stuck_says_what_to_do() -> None:
    stuck = replace(FAILED, state=DeploymentState.STUCK, reason="both\nfailed", live="unknown: look at it")

    assert failure_words(stuck) == (
        "aaaaaaaa is not live on staging: both failed; live is unknown: look at it, "
        "then `hookci deploy staging` or `hookci rollback staging`"
    )


def test_an_interruption_is_told_as_it_was_written_down() -> None:
    interrupted = replace(FAILED, state=DeploymentState.INTERRUPTED, reason="it was interrupted")
    unexplained = replace(interrupted, reason="")

    assert failure_words(interrupted) == "it was interrupted"
    assert failure_words(unexplained) == "the deployment of aaaaaaaa to staging was interrupted"


def test_releases_are_a_table_for_each_environment_with_what_is_live_marked() -> None:
    older = replace(RELEASE, number=11, commit=FIRST, at=9_000.0, irreversible=True)
    back = replace(RELEASE, number=13, commit=FIRST, at=13_000.0, kind=Kind.ROLLBACK, source=11)
    promoted = replace(
        RELEASE, environment="production", number=1, kind=Kind.PROMOTION, source=12, approver="Bob <b@example.com>"
    )

    text = render_releases([promoted, back, RELEASE, older], [], TITLES, now=13_600.0, color=False)

    assert text == (
        "production\n"
        "  release        commit    what            kind             by                    when    time\n"
        "        1  live  bbbbbbbb  Fix the basket  promotion of 12  Ana, approved by Bob  1h ago  14.2s\n"
        "\n"
        "staging\n"
        "  release        commit    what            kind            by   when     time\n"
        "       13  live  aaaaaaaa  Add a basket    rollback to 11  Ana  10m ago  14.2s\n"
        "       12        bbbbbbbb  Fix the basket  deploy          Ana  1h ago   14.2s\n"
        "       11        aaaaaaaa  Add a basket    deploy          Ana  1h ago   14.2s  irreversible\n"
    )


def test_attempts_stand_among_the_releases_by_their_time() -> None:
    going = replace(FAILED, state=DeploymentState.STARTED, started=13_590.0, seconds=None, reason="")

    text = render_releases([RELEASE], [going, FAILED], {}, now=13_600.0, color=False)

    assert text == (
        "staging\n"
        "  release               commit    what  kind    by   when     time\n"
        "           started      aaaaaaaa        deploy  Ana  10s ago\n"
        "           rolled back  aaaaaaaa        deploy  Ana  26m ago  3.0s"
        "   the script failed in `./deploy.sh`: exit status 1\n"
        "       12  live         bbbbbbbb        deploy  Ana  1h ago   14.2s\n"
    )


def test_no_releases_are_told_in_words() -> None:
    assert render_releases([], [], {}, now=0.0, color=False) == "no releases yet\n"


def test_an_environment_that_is_as_it_should_be_is_one_line() -> None:
    assert told(STATUS) == ["staging     release 12: bbbbbbbb Fix the basket, 1h ago by Ana"]


def test_an_environment_says_what_comes_next() -> None:
    ahead = replace(STATUS, candidate=FIRST, ahead=3)
    apart = replace(ahead, behind=1)
    empty = EnvironmentStatus(name="production", source="staging", candidate=SECOND)
    waiting = EnvironmentStatus(name="production", source="staging")

    assert told(ahead)[1:] == ["            main is 3 commits ahead: `hookci deploy staging`"]
    assert told(apart)[1:] == ["            main is without 1 commit of it, and 3 ahead"]
    assert told(empty) == [
        "production  nothing is live, as far as is known here",
        "            next is bbbbbbbb of staging: `hookci deploy production`",
    ]
    assert told(waiting)[1:] == ["            staging has nothing to deploy"]


def test_an_environment_says_what_is_not_as_it_should_be() -> None:
    lock = Lock(
        environment="staging", by=ANA, host="tower", pid=4711, start="", since=13_500.0, commit=FIRST, token="t" * 4
    )
    request = Request(id="1908f5ed", environment="staging", commit=FIRST, config="", by=ANA, at=1.0, expires=9e9)
    agreed = replace(request, approver="Bob <bob@example.com>")
    seen = Running(check="http://web/version", wanted="`b`", seen="`a` (200)", as_wanted=False)
    status = replace(
        STATUS,
        candidate=FIRST,
        ahead=1,
        running=(seen, replace(seen, as_wanted=True)),
        lock=lock,
        failure=FAILED,
        waiting=(request, agreed),
        unpushed=(11, 12),
        problems=("the remote origin did not answer",),
    )

    assert [line.strip() for line in told(status)[1:]] == [
        "main is 1 commit ahead",
        "http://web/version: `a` (200), expected `b`",
        "http://web/version says so too",
        "Ana (process 4711 on tower) is deploying aaaaaaaa, begun 1m ago",
        "aaaaaaaa waits for approval: `hookci approve staging 1908f5ed`",
        "aaaaaaaa is approved by Bob: `hookci deploy staging`",
        "releases 11, 12 tagged here only, not on the remote: `hookci deploy staging` pushes",
        "the remote origin did not answer",
        f"26m ago: {failure_words(FAILED)}",
    ]


def test_what_was_interrupted_is_told_before_what_failed_earlier() -> None:
    status = replace(STATUS, failure=FAILED, interrupted="it died: `hookci deploy staging --resume`")

    assert told(status)[1:] == ["            it died: `hookci deploy staging --resume`"]


def test_a_lock_that_hookci_did_not_make_has_no_owner() -> None:
    lock = Lock(environment="staging", by="", host="", pid=0, start="", since=0.0, commit="", token="", oid="c" * 40)

    assert told(replace(STATUS, lock=lock))[1:] == ["            somebody holds the lock of staging on the remote"]


def test_controls_in_what_others_wrote_do_not_reach_the_terminal() -> None:
    status = replace(STATUS, title="a\x1b[2Jb", failure=replace(FAILED, reason="c\x1b[2Jd"))

    lines = told(status) + render_releases([RELEASE], [], {SECOND: "e\x1b]0;f\x07g"}, now=0.0, color=True).splitlines()

    assert [line for line in lines if "\x1b[2J" in line or "\x1b]" in line] == []


def test_the_environments_stand_in_the_status_before_the_last_run() -> None:
    status = Status(
        standing=Standing("main", SECOND, "Fix the basket"),
        hooks=("pre-push",),
        hooks_problem=None,
        pipeline=PipelineSummary("hookci.toml", ("test",), 1),
        workspaces="/cache",
        last=None,
        environments=(STATUS,),
    )

    assert render_status(status, now=13_600.0, color=False) == (
        "on          main at bbbbbbbb Fix the basket\n"
        "pipeline    hookci.toml: 1 job in test\n"
        "hooks       pre-push\n"
        "workspaces  /cache\n"
        "last run    none yet: `hookci run`\n"
        "\n"
        "staging     release 12: bbbbbbbb Fix the basket, 1h ago by Ana\n"
    )
