"""The commands ``deploy``, ``rollback``, ``releases`` and ``unlock``, as a person and a program meet them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from deploy_projects import PRODUCTION, Project

if TYPE_CHECKING:
    from conftest import Ran, Repo


def checked(ran: Ran, name: str) -> Any:  # noqa: ANN401 (JSON)
    """The document that a command has written, valid by its published schema."""
    import json  # noqa: PLC0415 (few tests read documents)

    import jsonschema  # noqa: PLC0415 (as above)

    from hookci.report.schemas import published_schema  # noqa: PLC0415 (as above)

    document = json.loads(ran.stdout)
    jsonschema.validate(document, published_schema(name), format_checker=jsonschema.FormatChecker())
    return document


def last_line(text: str) -> str:
    """Without the time it took."""
    return re.sub(r" in [0-9.]+s\)$", ")", text.rstrip("\n").rpartition("\n")[2])


@pytest.mark.parametrize("command", ["deploy", "rollback", "releases", "unlock", "trust", "approve"])
def test_every_command_says_what_it_is_for(repo: Repo, command: str) -> None:
    ran = repo.hookci(command, "--help")

    assert f"Usage: hookci {command} " in ran.stdout


def test_a_deployment_ends_with_one_sentence_and_does_nothing_twice(repo: Repo) -> None:
    project = Project.make(repo)
    short = repo.out("rev-parse", "--short=8", "HEAD")

    first = repo.hookci("deploy")
    again = repo.hookci("deploy", "staging")

    assert last_line(first.stdout) == f"staging: release 1 is live: {short} Make one (deployed)"
    assert re.search(r"\nunit +\| \$ test ! -e RED\n", first.stdout)
    assert re.search(r"\nstaging +\| copied\n", first.stdout)
    assert "hookci: main is green: 1 job passed" in first.stdout
    assert again.stdout == f"staging: nothing to do: release 1 is live already, {short} Make one\n"
    assert (project.live.read_text(), project.tags()) == ("one\n", ["deploy/staging/1"])


def test_what_is_red_is_not_deployed_and_said_as_of_any_run(repo: Repo) -> None:
    project = Project.make(repo)
    commit = repo.commit({"RED": ""})

    ran = repo.hookci("deploy", check=False)

    assert ran.returncode == 1
    assert "unit failed in " in ran.stdout
    assert "hookci: main is red" in ran.stdout
    assert ran.stderr == f"error: {commit[:8]} is not green, so it is not deployed to staging\n"
    assert not project.live.exists()


def test_what_is_not_healthy_comes_back_and_is_not_told_twice(repo: Repo) -> None:
    project = Project.make(repo)
    repo.hookci("deploy")
    short = project.commit("bad")

    ran = repo.hookci("deploy", check=False)
    later = repo.hookci("runs")

    assert ran.returncode == 4
    assert ran.stderr.startswith(f"error: {short} is not live on staging: ")
    assert "; live is release 1 (" in ran.stderr
    assert (project.live.read_text(), project.tags()) == ("one\n", ["deploy/staging/1"])
    assert later.stderr == ""


def test_a_first_deployment_that_fails_is_stuck(repo: Repo) -> None:
    project = Project.make(repo)
    project.commit("bad")

    ran = repo.hookci("deploy", check=False)

    assert ran.returncode == 5
    assert "nothing was verified here before" in ran.stderr
    assert project.tags() == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["deploy", "--resume", "--abort"], "--resume and --abort exclude each other"),
        (["deploy", "staging", "HEAD", "--abort"], "no REV, no --dry-run"),
        (["deploy", "--resume", "--dry-run"], "no REV, no --dry-run"),
        (["rollback", "--to", "0"], "Invalid value for '--to'"),
        (["unlock"], "Missing argument 'ENV'"),
    ],
)
def test_a_line_that_makes_no_sense_is_a_usage_error(repo: Repo, line: list[str], why: str) -> None:
    ran = repo.hookci(*line, check=False)

    assert ran.returncode == 2
    assert why in ran.stderr


def test_an_environment_that_is_not_there_is_a_usage_error_with_a_hint(repo: Repo) -> None:
    Project.make(repo)

    ran = repo.hookci("deploy", "stagign", check=False)

    assert ran.returncode == 2
    assert "did you mean `staging`?" in ran.stderr


def test_a_dry_run_shows_every_command_and_does_nothing(repo: Repo) -> None:
    project = Project.make(repo)

    ran = repo.hookci("deploy", "--dry-run")

    assert "command: sh deploy.sh\n" in ran.stdout
    assert ran.stdout.startswith("environment: staging\n")
    assert (project.live.exists(), project.tags(), repo.hookci("runs").stdout) == (False, [], "no runs yet\n")


def test_a_rollback_is_a_new_release_of_an_older_commit(repo: Repo) -> None:
    project = Project.make(repo)
    short = repo.out("rev-parse", "--short=8", "HEAD")
    repo.hookci("deploy")
    project.commit("two")
    repo.hookci("deploy")

    back = repo.hookci("rollback")
    on = repo.hookci("rollback", "staging", "--to", "2")
    listed = repo.hookci("releases", "staging").stdout.splitlines()

    assert last_line(back.stdout) == f"staging: release 3 is live: {short} Make one (rolled back)"
    assert last_line(on.stdout).startswith("staging: release 4 is live: ")
    assert project.live.read_text() == "two\n"
    assert listed[0] == "staging"
    assert [re.split(r"  +", line.strip())[:1] for line in listed[2:]] == [["4"], ["3"], ["2"], ["1"]]
    assert [line for line in listed if " live " in line] == [listed[2]]
    assert "rollback to 1" in listed[3]


def test_attempts_that_became_no_release_are_listed_when_asked_for(repo: Repo) -> None:
    project = Project.make(repo)
    nothing = repo.hookci("releases", "staging").stdout
    repo.hookci("deploy")
    project.commit("bad")
    repo.hookci("deploy", check=False)

    short, long = repo.hookci("releases").stdout, repo.hookci("releases", "--all").stdout
    document = checked(repo.hookci("releases", "--all", "--json"), "releases")

    assert nothing == "no releases of staging yet\n"
    assert "rolled back" not in short
    assert "rolled back" in long
    assert [(one["number"], one["title"]) for one in document["releases"]] == [(1, "Make one")]
    assert [(one["state"], one["title"]) for one in document["attempts"]] == [("rolled-back", "Make bad")]


def test_programs_get_a_document_and_people_the_progress(repo: Repo) -> None:
    commit = repo.commit({"a": ""})
    Project.make(repo)
    commit = repo.out("rev-parse", "HEAD")

    ran = repo.hookci("deploy", "--json")
    again = checked(repo.hookci("deploy", "--json"), "deploy")
    dry = checked(repo.hookci("rollback", "--json", "--dry-run", "--to", "1", check=False), "deploy")

    document = checked(ran, "deploy")
    assert ran.stdout.count("\n") == 1
    assert (document["environment"], document["live"]["number"], document["live"]["commit"]) == ("staging", 1, commit)
    assert (document["live"]["title"], document["attempt"]["state"]) == ("Make one", "healthy")
    assert "staging: release 1 is live: " in ran.stderr
    assert (again["live"]["number"], again["attempt"]) == (1, None)
    assert (dry["schema"], dry["exit_status"]) == ("hookci/error", 2)


def test_a_failure_is_an_error_document_with_its_status(repo: Repo) -> None:
    project = Project.make(repo)
    project.commit("bad")

    ran = repo.hookci("deploy", "--json", check=False)

    assert (ran.returncode, checked(ran, "deploy")["exit_status"]) == (5, 5)


def test_a_lock_that_nobody_holds_is_said_to_be_free(repo: Repo) -> None:
    Project.make(repo)

    assert repo.hookci("unlock", "staging").stdout == "nobody holds the lock of staging\n"


def test_without_a_remote_there_is_no_lock_to_take_away(repo: Repo) -> None:
    Project.make(repo)
    repo.git("remote", "remove", "origin")

    ran = repo.hookci("unlock", "staging", check=False)

    assert ran.returncode == 2
    assert "there is no remote" in ran.stderr


def offered(repo: Repo, line: str) -> list[str]:
    """What bash gets to offer at the end of ``line``."""
    env = {"_HOOKCI_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    ran = repo.run("hookci", env=env, check=False)
    assert ran.stderr == ""
    return [offer.partition(",")[2] for offer in ran.stdout.splitlines()]


def test_environments_releases_and_requests_are_completed(repo: Repo) -> None:
    project = Project.make(repo, more=PRODUCTION)
    repo.hookci("deploy")
    project.commit("two")
    repo.hookci("deploy")
    repo.hookci("deploy", "production", check=False)
    waiting = re.findall(r"`hookci approve production (\w+)`", repo.hookci("status").stdout)

    assert offered(repo, "hookci deploy ") == ["staging", "production"]
    assert offered(repo, "hookci trust pro") == ["production"]
    assert offered(repo, "hookci deploy staging ma") == ["main"]
    assert offered(repo, "hookci rollback staging --to ") == ["2", "1"]
    assert offered(repo, "hookci approve production ") == waiting
    assert len(waiting) == 1
