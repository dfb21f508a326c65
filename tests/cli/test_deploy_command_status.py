"""What ``hookci status`` says of environments, and what every other command says until somebody has seen it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from deploy_projects import PRODUCTION, Project, answering

from hookci.model.release import DeploymentState
from hookci.report.schemas import published_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

WARNING = "hookci: warning: "


def environments(repo: Repo, *options: str) -> dict[str, Any]:
    """What the status says to programs of each environment."""
    document = json.loads(repo.hookci("status", "--json", *options).stdout)
    jsonschema.validate(document, published_schema("status"), format_checker=jsonschema.FormatChecker())
    return {one["name"]: one for one in document["environments"]}


def told(repo: Repo, *options: str) -> list[str]:
    """The lines about environments, without their names."""
    lines = repo.hookci("status", *options).stdout.split("\n\n")[1].splitlines()
    return [line[12:] for line in lines]


def test_a_repository_without_environments_says_nothing_of_them(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscript = ["true"]\n'})

    assert repo.hookci("status").stdout.splitlines()[-1].startswith("last run ")
    assert environments(repo) == {}


def test_what_is_live_what_comes_next_and_what_waits(repo: Repo) -> None:
    project = Project.make(repo, more=PRODUCTION)
    young = told(repo)
    short = repo.out("rev-parse", "--short=8", "HEAD")
    repo.hookci("deploy")
    project.commit("two")
    project.commit("three")
    repo.hookci("deploy", "production", check=False)

    lines, document = told(repo), environments(repo)

    assert young[0] == "nothing is live, as far as is known here"
    assert lines[0].startswith(f"release 1: {short} Make one, just now by ")
    assert lines[1] == "main is 2 commits ahead: `hookci deploy staging`"
    assert lines[2] == "nothing is live, as far as is known here"
    assert lines[3] == f"next is {short} of staging"
    assert lines[4].startswith(f"{short} waits for approval: `hookci approve production ")
    assert document["staging"]["source"]["ahead"] == 2
    assert document["staging"]["live"]["tag"] == "deploy/staging/1"
    assert [one["approver"] for one in document["production"]["waiting"]] == [None]


def test_what_runs_is_asked_from_outside(repo: Repo) -> None:
    said = [""]
    with answering(lambda: said[0]) as address:
        Project.make(repo, check=f'url = "{address}", version = "$HOOKCI_COMMIT"')
        commit = said[0] = repo.out("rev-parse", "HEAD")
        repo.hookci("deploy")

        right = told(repo)
        said[0] = "something else"
        wrong, document = told(repo), environments(repo)
        unasked = told(repo, "--no-probe")

    assert right[1] == f"{address} says so too"
    assert wrong[1] == f"{address}: `something else` (200), expected `{commit}`"
    assert [one["as_wanted"] for one in document["staging"]["running"]] == [False]
    assert len(unasked) == 1


def test_where_nobody_has_deployed_the_persons_variables_are_not_part_of_what_is_asked(repo: Repo) -> None:
    trailers = "Kind: deploy\nBy: Ana <ana@example.com>\nDuration: 1.000"
    with answering(lambda: "reached") as address:
        check = f'url = "{address}?$PRIVATE", version = "$HOOKCI_COMMIT"'
        Project.make(repo, check=check, more='pass_env = ["PRIVATE"]\n')
        repo.git("tag", "-a", "deploy/staging/1", "-m", f"staging 1\n\n{trailers}")

        status = repo.hookci("status", env={"PRIVATE": "mine"}).stdout

    assert "\nstaging     release 1: " in status
    assert "reached" not in status


def test_a_tag_that_is_only_here_is_told(repo: Repo) -> None:
    project = Project.make(repo)
    repo.hookci("deploy", "--local")

    lines = told(repo)

    assert lines[1] == "release 1 tagged here only, not on the remote: `hookci deploy staging` pushes"
    assert environments(repo)["staging"]["unpushed"] == [1]
    assert "refs/tags/deploy/staging/1" not in repo.remote_refs()
    assert project.tags() == ["deploy/staging/1"]


def test_the_remote_is_asked_for_what_others_did_when_that_is_wanted(
    repo: Repo, make_repo: Callable[..., Repo]
) -> None:
    Project.make(repo)
    colleague = make_repo("colleague", remote=False)
    colleague.git("remote", "add", "origin", str(repo.remote))
    colleague.git("fetch", "-q", "origin", "main")
    colleague.git("reset", "-q", "--hard", "origin/main")
    repo.hookci("deploy")

    before, after = told(colleague), told(colleague, "--fetch")

    assert before[0] == "nothing is live, as far as is known here"
    assert after[0].startswith("release 1: ")


def test_a_remote_that_does_not_answer_is_told_beside_what_is_known(repo: Repo) -> None:
    Project.make(repo)
    repo.hookci("deploy")
    repo.git("remote", "set-url", "origin", str(repo.path.parent / "nosuch.git"))

    lines = told(repo, "--fetch")

    assert lines[0].startswith("release 1: ")
    assert "nosuch.git" in lines[1]


# -- alarms


@pytest.mark.parametrize(
    "state",
    [DeploymentState.FAILED, DeploymentState.ROLLED_BACK, DeploymentState.STUCK, DeploymentState.INTERRUPTED],
)
def test_a_failure_that_nobody_watched_is_said_by_every_command_until_it_was_seen(
    repo: Repo, state: DeploymentState
) -> None:
    project = Project.make(repo)
    project.remember(state)
    inside = repo.path / "sub" / "directory"
    inside.mkdir(parents=True)

    loud = [repo.hookci("runs").stderr, repo.hookci("check").stderr]
    below = repo.run("hookci", "runs", cwd=inside).stderr
    status = repo.hookci("status")
    quiet = repo.hookci("runs").stderr

    assert [text.startswith(WARNING) for text in [*loud, below]] == [True] * 3
    assert "the script failed" in loud[0]
    assert status.stderr == ""
    assert "the script failed" in status.stdout
    assert quiet == ""


def test_what_programs_read_is_not_disturbed(repo: Repo) -> None:
    project = Project.make(repo)
    project.remember(DeploymentState.STUCK)

    assert repo.hookci("schema").stderr == ""
    assert repo.hookci("completion", "bash").stderr == ""
    assert repo.hookci("--version").stderr == ""
    assert repo.run("hookci", env={"_HOOKCI_COMPLETE": "bash_source"}).stderr == ""


@pytest.mark.parametrize("state", [DeploymentState.HEALTHY, DeploymentState.STARTED])
def test_what_is_well_is_no_alarm(repo: Repo, state: DeploymentState) -> None:
    Project.make(repo).remember(state)

    assert repo.hookci("runs").stderr == ""


def test_a_later_deployment_that_went_well_ends_the_alarm(repo: Repo) -> None:
    project = Project.make(repo)
    project.remember(DeploymentState.ROLLED_BACK)

    deployed = repo.hookci("deploy")

    assert deployed.stderr.startswith(WARNING)
    assert repo.hookci("runs").stderr == ""
    assert project.tags() == ["deploy/staging/1"]


def test_an_alarm_is_raised_in_another_work_tree_too(repo: Repo) -> None:
    Project.make(repo).remember(DeploymentState.STUCK)
    other = repo.path.parent / "other"
    repo.git("worktree", "add", "-q", "--detach", str(other))

    assert repo.run("hookci", "runs", cwd=other).stderr.startswith(WARNING)


def test_an_interrupted_deployment_is_said_by_every_command_and_can_be_taken_back(repo: Repo) -> None:
    project = Project.make(repo)
    repo.hookci("deploy")
    with project.deploying() as process:
        process.kill()
    short = repo.out("rev-parse", "--short=8", "HEAD")
    words = (
        f"the deployment of {short} to staging was interrupted in its script: "
        "`hookci deploy staging --resume` does it again, `hookci deploy staging --abort` puts release 1 back"
    )

    runs, status, still = repo.hookci("runs").stderr, told(repo), repo.hookci("runs").stderr

    assert runs == still == f"{WARNING}{words}\n"
    assert words in status
    assert environments(repo)["staging"]["interrupted"] == words


def test_who_is_deploying_is_told_and_gets_no_alarm(repo: Repo) -> None:
    project = Project.make(repo)

    with project.deploying() as process:
        lines, runs = told(repo), repo.hookci("runs").stderr
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert f"(process {process.pid} on " in lines[-1]
    assert runs == ""
    assert process.returncode != 0
    assert project.tags() == []
