"""Commands say which engine they mean, and what is wrong when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repo

NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
LOCAL = """
[jobs.unit]
stage = "test"
script = ["true"]
"""


@pytest.mark.parametrize("command", [["gc"], ["gc", "--engine", "unix:///nowhere/docker.sock"]])
def test_without_an_engine_gc_says_what_was_tried_and_ends_in_3(repo: Repo, command: list[str]) -> None:
    ran = repo.hookci(*command, env=NOWHERE, check=False)

    assert ran.returncode == 3
    assert "no container engine can be used: there is nothing at unix:///nowhere/docker.sock" in ran.stderr
    assert "systemctl start docker" in ran.stderr


def test_an_engine_that_is_no_context_is_said_with_those_there_are(repo: Repo) -> None:
    ran = repo.hookci("gc", "--engine", "desktop", check=False)

    assert ran.returncode == 3
    assert "there is no docker context `desktop`" in ran.stderr
    assert "known: default" in ran.stderr


def test_a_job_on_this_machine_needs_no_engine_whatever_is_asked_for(repo: Repo) -> None:
    repo.commit({"hookci.toml": LOCAL})

    ran = repo.hookci("run", "--engine", "unix:///nowhere/docker.sock", env=NOWHERE)

    assert ran.returncode == 0


@pytest.mark.parametrize("asked", [["--engine", "unix:///nowhere/one.sock"], []])
def test_a_job_in_a_container_without_an_engine_is_an_error_that_says_so(repo: Repo, asked: list[str]) -> None:
    repo.commit({"hookci.toml": LOCAL + 'image = "shop:1"\n'})

    ran = repo.hookci("run", *asked, env=NOWHERE, check=False)

    place = asked[1] if asked else NOWHERE["DOCKER_HOST"]
    assert ran.returncode == 3
    assert f"there is nothing at {place}" in ran.output
    assert "a job without `image` runs on this machine and needs none" in ran.output


def test_the_settings_of_a_clone_name_the_engine(repo: Repo) -> None:
    repo.git("config", "hookci.engine", "unix:///nowhere/of-the-clone.sock")

    ran = repo.hookci("gc", env=NOWHERE, check=False)

    assert "there is nothing at unix:///nowhere/of-the-clone.sock (hookci.engine)" in ran.stderr


# -- doctor


def test_doctor_finds_nothing_wrong_with_no_engine_where_no_job_needs_one(repo: Repo) -> None:
    repo.commit({"hookci.toml": LOCAL})

    ran = repo.hookci("doctor", env=NOWHERE, check=False)

    [line] = [line for line in ran.stdout.splitlines() if " engine: " in line]
    assert line.startswith("ok ")
    assert line.endswith("; no job here needs one")


def test_doctor_calls_no_engine_a_problem_where_a_job_needs_one(repo: Repo) -> None:
    repo.commit({"hookci.toml": LOCAL + 'image = "shop:1"\n'})

    ran = repo.hookci("doctor", env=NOWHERE, check=False)

    [line] = [line for line in ran.stdout.splitlines() if " engine: " in line]
    assert line.startswith("problem ")
    assert "`unit` runs in containers" in line
    assert "systemctl start docker" in ran.stdout


@pytest.mark.docker
def test_doctor_says_which_engine_there_is(repo: Repo) -> None:
    repo.commit({"hookci.toml": LOCAL})

    ran = repo.hookci("doctor", check=False)

    [line] = [line for line in ran.stdout.splitlines() if " engine: " in line]
    assert line.startswith("ok ")
    assert "Docker 2" in line or "Podman" in line
