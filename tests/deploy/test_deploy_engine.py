"""Deployments from outside: what is live, what is tagged, what is said, and what a crash leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from conftest import stress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran, Repo

CONFIG = """\
[jobs.unit]
script = ["test ! -e RED"]

[environments.staging]
branch = "main"
script = ["./deploy.sh"]
health = [{{ command = "test ! -e '{live}/sick'", within = "2s", interval = "0.1s" }}]
variables = {{ LIVE = "{live}" }}
"""
SCRIPT = """\
#!/bin/sh
set -e
[ ! -e FAILS ] || exit 7
[ ! -e SLOW ] || sleep 5
mkdir -p "$LIVE/$HOOKCI_COMMIT"
cp app.txt "$LIVE/$HOOKCI_COMMIT/"
ln -sfn "$HOOKCI_COMMIT" "$LIVE/next" && mv -T "$LIVE/next" "$LIVE/current"
if [ -e SICK ]; then touch "$LIVE/sick"; else rm -f "$LIVE/sick"; fi
echo "$HOOKCI_RELEASE $HOOKCI_DEPLOY_KIND $HOOKCI_PREVIOUS_RELEASE $HOOKCI_COMMIT" >> "$LIVE/log"
"""


class Place:
    """A repository with one environment, and the directory that it is deployed to."""

    def __init__(self, repo: Repo, live: Path) -> None:
        self.repo = repo
        self.live = live
        live.mkdir()
        self.commit("one")
        repo.git("push", "-q", "origin", "main")

    def commit(self, app: str, **more: str) -> str:
        self.repo.write_files({"hookci.toml": CONFIG.format(live=self.live), "deploy.sh": SCRIPT, "app.txt": app})
        (self.repo.path / "deploy.sh").chmod(0o755)
        for name in ("FAILS", "SICK", "SLOW", "RED"):
            (self.repo.path / name).unlink(missing_ok=True)
        return self.repo.commit(more, app)

    def deploy(self, *arguments: str) -> Ran:
        return self.repo.hookci("deploy", *arguments, check=False)

    @property
    def serves(self) -> str:
        return (self.live / "current" / "app.txt").read_text()

    @property
    def log(self) -> list[str]:
        return (self.live / "log").read_text().splitlines()

    @property
    def tags(self) -> list[str]:
        return self.repo.out("tag", "-l", "deploy/*", "--sort=v:refname").split()


@pytest.fixture
def place(repo: Repo, tmp_path: Path) -> Place:
    return Place(repo, tmp_path / "live")


def test_a_green_commit_becomes_a_tagged_release_here_and_on_the_remote(place: Place) -> None:
    ran = place.deploy()

    assert ran.returncode == 0, ran.output
    assert place.serves == "one"
    assert place.tags == ["deploy/staging/1"]
    assert "refs/tags/deploy/staging/1" in place.repo.remote_refs()
    assert "refs/hookci/lock/staging" not in place.repo.remote_refs()


def test_what_is_live_already_is_not_deployed_again(place: Place) -> None:
    place.deploy()

    ran = place.deploy("staging")

    assert ran.returncode == 0
    assert place.log == [f"1 deploy  {place.repo.out('rev-parse', 'HEAD')}"]


def test_a_red_commit_is_not_deployed(place: Place) -> None:
    place.deploy()
    place.commit("two", RED="x")

    ran = place.deploy()

    assert ran.returncode == 1
    assert place.serves == "one"
    assert len(place.tags) == 1


@pytest.mark.parametrize("broken", ["FAILS", "SICK"])
def test_what_does_not_become_healthy_is_taken_back(place: Place, broken: str) -> None:
    place.deploy()
    place.commit("two", **{broken: "x"})

    ran = place.deploy()

    assert ran.returncode == 4, ran.output
    assert place.serves == "one"
    assert not (place.live / "sick").exists()
    assert place.tags == ["deploy/staging/1"]
    assert "is not live on staging" in ran.stderr


def test_a_first_deployment_that_fails_is_stuck(place: Place) -> None:
    place.commit("two", SICK="x")

    ran = place.deploy()

    assert ran.returncode == 5, ran.output
    assert place.tags == []


def test_going_back_makes_a_new_release_and_can_be_gone_back_from(place: Place) -> None:
    place.deploy()
    place.commit("two")
    place.deploy()

    back = place.repo.hookci("rollback", "staging", check=False)
    first = place.serves
    again = place.repo.hookci("rollback", "staging", check=False)

    assert (back.returncode, again.returncode) == (0, 0), back.output + again.output
    assert (first, place.serves) == ("one", "two")
    assert place.tags == [f"deploy/staging/{number}" for number in (1, 2, 3, 4)]
    assert [line.split()[1] for line in place.log] == ["deploy", "deploy", "rollback", "rollback"]


def test_a_failed_attempt_is_never_what_one_goes_back_to(place: Place) -> None:
    place.deploy()
    place.commit("bad", FAILS="x")
    place.deploy()
    place.commit("two")
    place.deploy()

    place.repo.hookci("rollback", "staging")

    assert place.serves == "one"


def test_a_dry_run_touches_nothing_and_says_what_would_happen(place: Place) -> None:
    before = place.repo.out("for-each-ref")

    ran = place.deploy("--dry-run")

    assert ran.returncode == 0, ran.output
    assert "./deploy.sh" in ran.stdout
    assert place.repo.out("for-each-ref") == before
    assert not (place.live / "current").exists()


def test_what_is_executed_needs_a_new_look_when_it_changed(place: Place) -> None:
    place.deploy()
    place.repo.write_files({"app.txt": "two", "deploy.sh": SCRIPT + "echo more\n"})
    place.repo.commit()

    refused = place.deploy()
    served = place.serves
    place.repo.hookci("trust", "staging", "--yes")
    agreed = place.deploy()

    assert (refused.returncode, served) == (6, "one"), refused.output
    assert "hookci trust staging" in refused.stderr
    assert (agreed.returncode, place.serves) == (0, "two"), agreed.output


def killed(place: Place, step: str, sig: signal.Signals, *, group: bool) -> None:
    """Start a deployment and kill it when the journal says that it is at ``step``."""
    journal = place.repo.path / ".git" / "hookci" / "deploy" / "staging.journal"
    argv = [sys.executable, "-I", "-m", "hookci", "deploy", "staging"]
    child = subprocess.Popen(
        argv,
        cwd=place.repo.path,
        env=place.repo.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < deadline:
        try:
            at = json.loads(journal.read_text())["step"]
        except (OSError, ValueError):
            at = ""
        if at == step:
            break
        time.sleep(0.001)
    if child.poll() is None:
        (os.killpg if group else os.kill)(child.pid, sig)
    child.wait(timeout=60)


@pytest.mark.parametrize("step", ["prepare", "script", "health", "tag", "publish"])
def test_a_kill_at_any_step_leaves_one_release_live_and_the_next_deployment_ends_it(place: Place, step: str) -> None:
    place.deploy()
    place.commit("two")

    killed(place, step, signal.SIGKILL, group=True)
    between = place.serves
    said = place.repo.hookci("status", check=False)
    ran = place.deploy("staging")

    assert between in {"one", "two"}
    assert said.returncode == 0
    assert ran.returncode == 0, ran.output
    assert place.serves == "two"
    assert place.tags == ["deploy/staging/1", "deploy/staging/2"]
    assert "refs/tags/deploy/staging/2" in place.repo.remote_refs()
    assert "refs/hookci/lock/staging" not in place.repo.remote_refs()


def test_an_interrupted_deployment_can_be_undone(place: Place) -> None:
    place.deploy()
    place.commit("two", SLOW="x")
    killed(place, "script", signal.SIGKILL, group=True)

    ran = place.deploy("staging", "--abort")

    assert ran.returncode == 0, ran.output
    assert place.serves == "one"
    assert place.tags == ["deploy/staging/1"]


def test_an_interrupted_deployment_can_be_finished(place: Place) -> None:
    place.deploy()
    place.commit("two", SLOW="x")
    killed(place, "script", signal.SIGKILL, group=True)

    ran = place.deploy("staging", "--resume")

    assert ran.returncode == 0, ran.output
    assert place.serves == "two"
    assert place.tags == ["deploy/staging/1", "deploy/staging/2"]


def test_out_of_a_stuck_deployment_lead_the_newest_release_and_its_commit(place: Place) -> None:
    place.deploy()
    good = place.repo.out("rev-parse", "HEAD")
    place.commit("two", SICK="x")
    (place.live / "sick").mkdir()  # which the script of the release before cannot take away
    stuck = place.deploy()
    still = place.repo.hookci("rollback", "staging", check=False)
    (place.live / "sick").rmdir()

    ran = place.deploy("staging", good)

    assert (stuck.returncode, still.returncode) == (5, 5), stuck.output + still.output
    assert ran.returncode == 0, ran.output
    assert place.serves == "one"


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_goes_back_and_says_so(place: Place, sig: signal.Signals) -> None:
    place.deploy()
    place.commit("two", SLOW="x")

    killed(place, "script", sig, group=False)

    assert place.serves == "one"
    assert not (place.repo.path / ".git" / "hookci" / "deploy" / "staging.journal").exists()
    assert place.tags == ["deploy/staging/1"]


def test_deployments_at_once_come_one_after_the_other(place: Place) -> None:
    place.deploy()
    place.commit("two")
    argv = [sys.executable, "-I", "-m", "hookci", "deploy", "staging"]
    count = stress(4)

    children = [
        subprocess.Popen(
            argv, cwd=place.repo.path, env=place.repo.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(count)
    ]
    ends = [(child.wait(timeout=120), child.communicate()[0]) for child in children]

    assert {status for status, _ in ends} <= {0, 75}, ends
    assert any(status == 0 for status, _ in ends)
    assert place.tags == ["deploy/staging/1", "deploy/staging/2"]
    assert len(place.log) == 2


def test_two_clones_of_one_remote_never_deploy_at_once(place: Place, make_repo: Callable[..., Repo]) -> None:
    del make_repo
    place.deploy()
    held = place.repo.run("git", "hash-object", "-w", "--stdin", stdin='{"x": 1}').stdout.strip()
    place.repo.git("push", "-q", "origin", f"{held}:refs/hookci/lock/staging")
    place.commit("two")

    refused = place.deploy("staging")
    place.repo.hookci("unlock", "staging", "--steal")
    ran = place.deploy("staging")

    assert refused.returncode == 75, refused.output
    assert ran.returncode == 0, ran.output


def test_a_release_whose_tag_could_not_be_pushed_is_pushed_by_the_next_command(place: Place) -> None:
    place.deploy()
    place.commit("two")
    place.deploy("--local")
    before = set(place.repo.remote_refs())

    place.commit("three")
    place.deploy()

    assert "refs/tags/deploy/staging/2" not in before
    assert {"refs/tags/deploy/staging/2", "refs/tags/deploy/staging/3"} <= set(place.repo.remote_refs())


def test_without_a_remote_everything_works_here(make_repo: Callable[..., Repo], tmp_path: Path) -> None:
    repo = make_repo("alone", remote=False)
    live = tmp_path / "alone-live"
    live.mkdir()
    repo.write_files({"hookci.toml": CONFIG.format(live=live), "deploy.sh": SCRIPT, "app.txt": "one"})
    (repo.path / "deploy.sh").chmod(0o755)
    repo.commit()

    ran = repo.hookci("deploy", check=False)

    assert ran.returncode == 0, ran.output
    assert repo.out("tag", "-l") == "deploy/staging/1"
