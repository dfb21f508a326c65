"""After kill -9 nothing of hookci's stays on an engine, and nothing of anybody else's is touched."""

from __future__ import annotations

import os
import random
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from container_tools import Bystanders, left, of_hookci
from execute_tools import hookci_started, run, wait_until
from images import BUSYBOX, REDIS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = [pytest.mark.docker(REDIS), pytest.mark.timeout(900)]

CONFIG = f"""
    [defaults]
    image = "{BUSYBOX}"
    [jobs.one]
    services = [{{ image = "{REDIS}", alias = "store" }}]
    script = ["mkdir -p kept; echo x > kept/file; sleep SECONDS"]
    after_script = ["sleep SECONDS"]
    cache = {{ paths = ["kept"] }}
    [jobs.two]
    image = {{ name = "{BUSYBOX}", user = "nobody" }}
    script = ["echo y > file", "sleep SECONDS"]
"""


@pytest.fixture
def bystanders(engine: Engine) -> Iterator[Bystanders]:
    made = Bystanders(engine.api, f"hookci-test-bystander-{os.getpid()}-{time.monotonic_ns()}")
    yield made
    made.remove()


def committed(repo: Repo, seconds: str) -> Repo:
    repo.commit({"hookci.toml": CONFIG.replace("SECONDS", seconds)})
    return repo


def test_kill_9_at_any_moment_leaves_nothing_after_the_next_run(
    repo: Repo, engine: Engine, bystanders: Bystanders
) -> None:
    committed(repo, "0.2")
    before, begun = bystanders.picture(), time.monotonic()
    run(repo)
    took = time.monotonic() - begun

    for _ in range(stress(3)):
        with hookci_started(repo, "run", "--no-memory", "-j", "2") as process:
            time.sleep(random.uniform(0, took))
            process.kill()
            process.communicate()
        ran = run(repo)
        assert "2 jobs passed" in ran.stdout
        assert left(engine.api, repo) == []

    assert bystanders.picture() == before


def test_gc_removes_what_a_killed_run_left_and_nothing_else(repo: Repo, engine: Engine, bystanders: Bystanders) -> None:
    committed(repo, "60")
    before = bystanders.picture()
    with hookci_started(repo, "run", "-j", "2") as process:
        assert wait_until(lambda: len(of_hookci(engine.api, repo)) >= 4)
        process.kill()
        process.communicate()
    killed = left(engine.api, repo)

    repo.hookci("gc")

    assert killed != []
    assert left(engine.api, repo) == []
    assert bystanders.picture() == before


def test_the_run_of_another_repository_or_process_is_left_alone(
    repo: Repo, make_repo: Callable[..., Repo], engine: Engine
) -> None:
    committed(repo, "3")
    other = committed(make_repo("other"), "60")
    argv = ["hookci", "run", "--no-memory", "-j", "2"]

    with subprocess.Popen(argv, cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, text=True) as lives:
        assert wait_until(lambda: of_hookci(engine.api, repo))
        for place in (repo, other):
            with hookci_started(place, "run", "--no-memory", "-j", "2") as process:
                time.sleep(1)
                process.kill()
                process.communicate()
            place.hookci("gc")
        shown = lives.communicate(timeout=120)[0]

    assert lives.returncode == 0, shown
    assert wait_until(lambda: left(engine.api, repo) == [])
    assert [thing for thing in of_hookci(engine.api, other) if thing.kind == "container"] == []
