"""Who is asked before something is deployed, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pexpect
import pytest
from deploy_projects import PRODUCTION, Project

if TYPE_CHECKING:
    from conftest import Repo


@pytest.fixture
def changed(repo: Repo) -> Project:
    """A project that is deployed, and has another script since."""
    project = Project.make(repo)
    repo.hookci("deploy")
    config = repo.path / "hookci.toml"
    config.write_text(config.read_text().replace('["sh ', '["echo new words", "sh '))
    project.commit("two")
    return project


def terminal(repo: Repo, line: str) -> pexpect.spawn[str]:
    return pexpect.spawn("hookci", line.split(), cwd=str(repo.path), env=dict(repo.env), encoding="utf-8", timeout=60)


def ended(child: pexpect.spawn[str]) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_without_a_terminal_nobody_is_asked_and_nothing_waits(changed: Project) -> None:
    ran = changed.repo.hookci("deploy", check=False)

    assert ran.returncode == 6
    assert '+    "echo new words",\n' in ran.stderr
    assert "hint: `hookci trust staging`" in ran.stderr
    assert changed.live.read_text() == "one\n"


def test_trust_without_a_terminal_takes_a_word_given_beforehand(changed: Project) -> None:
    asked = changed.repo.hookci("trust", "staging", check=False)
    given = changed.repo.hookci("trust", "staging", "--yes")
    deployed = changed.repo.hookci("deploy")

    assert asked.returncode == 6
    assert asked.stderr.endswith(
        "error: there is no terminal to ask on, so it is not trusted\n"
        "hint: `hookci trust staging --yes` once you have read it\n"
    )
    assert '+    "echo new words",\n' in given.stderr
    assert given.stdout == "trusted on this machine, until it changes\n"
    assert "| new words\n" in deployed.stdout


@pytest.mark.parametrize(("answer", "status", "live"), [("y", 0, "two\n"), ("n", 6, "one\n"), ("", 6, "one\n")])
def test_at_a_terminal_a_person_is_asked(changed: Project, answer: str, status: int, live: str) -> None:
    child = terminal(changed.repo, "deploy")
    child.expect("echo new words")
    child.expect(re.escape("run this for staging from now on? [y/N]: "))

    child.sendline(answer)

    assert (ended(child), changed.live.read_text()) == (status, live)


@pytest.mark.parametrize("command", ["deploy", "trust staging"])
def test_a_question_can_be_left(changed: Project, command: str) -> None:
    child = terminal(changed.repo, command)
    child.expect(re.escape("[y/N]: "))

    child.sendintr()

    assert ended(child) == 130
    assert changed.live.read_text() == "one\n"
    assert changed.repo.hookci("trust", check=False).returncode == 6


def test_a_person_may_say_no_to_trust(changed: Project) -> None:
    child = terminal(changed.repo, "trust")
    child.expect(re.escape("[y/N]: "))

    child.sendline("n")

    child.expect("error: it is not trusted, so it will not be deployed")
    assert ended(child) == 6


def test_what_waits_for_approval_goes_on_once_it_has_it(repo: Repo) -> None:
    Project.make(repo, more=PRODUCTION)
    repo.hookci("deploy")
    short = repo.out("rev-parse", "--short=8", "HEAD")

    waits = repo.hookci("deploy", "production", check=False)
    approved = repo.hookci("approve", "production", "--reason", "looked at it")
    status = repo.hookci("status").stdout
    deployed = repo.hookci("deploy", "production")

    assert waits.returncode == 6
    assert f"{short} waits for approval on production" in waits.stderr
    assert approved.stdout.startswith(f"{short} is approved for production by ")
    assert f"{short} is approved by " in status
    assert "production: release 1 is live: " in deployed.stdout
    assert ", approved by " in repo.hookci("releases", "production").stdout


def test_there_is_nothing_to_approve(repo: Repo) -> None:
    Project.make(repo, more=PRODUCTION)
    repo.hookci("deploy")

    ran = repo.hookci("approve", "production", check=False)

    assert ran.returncode == 2
