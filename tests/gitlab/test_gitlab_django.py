"""The pipeline that hookci started from, as it is, on an application of its time: Django 1.8 under Python 3.6."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from docker.errors import ImageNotFound
from images import OLD_PYTHON
from old_django import application, python36, wheels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Ran, Repo

    from hookci.engine.calls import Engine

LOCAL = 'pipeline = ".gitlab-ci.yml"\n\n[defaults]\nimage = "local"\n'
NAMED = "python:3.6"


@pytest.fixture
def here(repo: Repo, tmp_path: Path) -> Repo:
    """The application; jobs run on this machine, whose person works in an environment of Python 3.6."""
    python = python36()
    told = wheels(python, tmp_path / "packages")
    repo.run(str(python), "-m", "venv", str(tmp_path / "tools"))
    repo.env["PATH"] = f"{tmp_path / 'tools' / 'bin'}{os.pathsep}{repo.env['PATH']}"
    variables = "".join(f'{name} = "{value}"\n' for name, value in told.items())
    repo.commit({**application(), "hookci.toml": f"{LOCAL}\n[variables]\n{variables}"})
    repo.hookci("install")
    return repo


@pytest.fixture
def contained(repo: Repo, engine: Engine) -> Iterator[Repo]:
    """The application; jobs run in the containers that the file names."""
    repo.commit(application())
    repo.hookci("install")
    try:
        engine.api.inspect_image(NAMED)  # type: ignore[no-untyped-call]  # the stubs have no types for it
    except ImageNotFound:
        name, _, tag = NAMED.partition(":")
        engine.api.tag(OLD_PYTHON, name, tag)
        yield repo
        engine.api.remove_image(NAMED)
    else:
        yield repo


def outcomes(repo: Repo) -> dict[str, str]:
    """How the jobs of the last run ended."""
    rows = (line.split() for line in repo.hookci("log").stdout.splitlines())
    return {row[1]: row[2] for row in rows if len(row) > 2 and row[0] in {"build", "test", "integration", "deploy"}}


def push(repo: Repo) -> Ran:
    return repo.git("push", "origin", "main", check=False)


def judged_as_on_gitlab(repo: Repo) -> None:
    """A green push goes through, a red one does not, and a person starts the deployment."""
    green = push(repo)

    assert green.returncode == 0, green.output
    assert outcomes(repo) == {"build": "passed", "test": "passed", "integration": "allowed", "prod": "waits"}
    assert "Ran 1 test" in repo.hookci("log", "1", "test").stdout
    assert "exit status 1" in green.stderr
    sent = repo.remote_refs()["refs/heads/main"]
    assert sent == repo.out("rev-parse", "HEAD")

    played = repo.hookci("play", "prod")

    assert "This is a deploy step" in played.output
    assert outcomes(repo)["prod"] == "passed"

    repo.commit(application(broken=True), "show what is done")
    red = push(repo)

    assert red.returncode != 0
    assert "test failed" in red.stderr
    assert "AssertionError" in red.stderr
    assert outcomes(repo) == {"build": "passed", "test": "failed", "integration": "skipped", "prod": "skipped"}
    assert repo.remote_refs()["refs/heads/main"] == sent


@pytest.mark.timeout(600)
def test_the_pipeline_as_it_is_on_this_machine(here: Repo) -> None:
    judged_as_on_gitlab(here)


@pytest.mark.timeout(600)
@pytest.mark.docker(OLD_PYTHON, "docker:dind", "docker:latest")
def test_the_pipeline_as_it_is_in_containers(contained: Repo) -> None:
    judged_as_on_gitlab(contained)
