"""examples/docker: the backend in a container, its deploy script and its pipeline, on a real engine."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from built_images import swept
from conftest import stress
from engines import docker, python_image
from engines import engine as an_engine
from images import PYTHON
from reader import Reader, free_port, get, processes_below
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Repo, Sealed

    from hookci.engine.calls import Engine

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SICK = ('return HTTPStatus.OK, "well"', 'return HTTPStatus(500 if "HOOKCI_ENVIRONMENT" in os.environ else 200), "well"')
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Base:
    """An engine, and an image on it with Python."""

    env: dict[str, str]
    image: str


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    for program in ("curl", "setsid", "flock"):
        needed(program)
    with an_engine() as env:
        image = python_image(env, tmp_path_factory.mktemp("image"))
        yield Base(env, image)
        docker(env, "image", "rm", "--force", image, check=False)


@dataclass(frozen=True)
class Place:
    """A machine to deploy to."""

    top: Path
    base: Base
    env: dict[str, str]
    port: int

    def lay_out(self, directory: Path) -> None:
        """The example as a person would lay it out, on a base image from here."""
        for name in ("backend", "docker"):
            shutil.copytree(
                EXAMPLES / name, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        recipe = directory / "Dockerfile"
        recipe.write_text(recipe.read_text().replace("FROM python:3.12-slim", f"FROM {self.base.image}"))
        assert self.base.image in recipe.read_text()

    def build(self, version: str, *changes: tuple[str, str]) -> Path:
        """A workspace with the image of a version."""
        workspace = self.top / version
        self.lay_out(workspace)
        app = workspace / "app.py"
        for old, new in changes:
            assert old in app.read_text()
            app.write_text(app.read_text().replace(old, new))
        image = docker(self.env, "build", "--quiet", "--label", f"hookci.test={self.port}", str(workspace))
        (workspace / "image.id").write_text(image)
        return workspace

    def begin(self, workspace: Path, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [workspace / "deploy.sh", "staging"],
            env={**self.env, "HOOKCI_COMMIT": workspace.name, "HOOKCI_IMAGE": image_in(workspace), **more},
            cwd=workspace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def deploy(self, workspace: Path, **more: str) -> tuple[int, str]:
        with self.begin(workspace, **more) as script:
            output, _ = script.communicate(timeout=120)
        return script.returncode, output

    def containers(self) -> list[str]:
        """The containers that are there, running or not."""
        slots = [f"backend-staging-{self.port + more}" for more in (1, 2)]
        listed = docker(self.env, "ps", "--all", "--format", "{{.Names}}").split()
        return [name for name in listed if name in slots]

    def clear(self) -> None:
        """Leave nothing running."""
        for process in processes_below(self.top):
            process.kill()
        for name in self.containers():
            docker(self.env, "rm", "--force", name)


def image_in(workspace: Path) -> str:
    """The image that was built of a workspace."""
    return (workspace / "image.id").read_text()


@pytest.fixture
def place(base: Base, sealed: Sealed, tmp_path: Path) -> Iterator[Place]:
    port = free_port()
    env = {**sealed.env, "DEPLOY_ROOT": str(tmp_path / "deployed"), "PORT": str(port), "START_WITHIN": "10"}
    if "DOCKER_HOST" in base.env:
        env["DOCKER_HOST"] = base.env["DOCKER_HOST"]
    made = Place(tmp_path, base, env, port)
    yield made
    made.clear()
    for image in set(docker(env, "image", "ls", "--quiet", "--filter", f"label=hookci.test={port}").split()):
        docker(env, "image", "rm", "--force", image, check=False)


def test_no_request_is_lost_while_images_follow_each_other(place: Place) -> None:
    one, two = place.build("one"), place.build("two", ("hello", "good day"))
    sick = place.build("sick", ('OK, "well"', 'INTERNAL_SERVER_ERROR, "sick"'))
    dead = place.build("dead", ("def main() -> None:", 'def main() -> None:\n    raise SystemExit("no way")'))
    assert place.deploy(one) == (0, "")

    with Reader(place.port) as reader:
        followed = place.deploy(two)
        not_well = place.deploy(sick, START_WITHIN="3")
        not_there = place.deploy(dead, START_WITHIN="3")
        given = place.deploy(one, HOOKCI_IMAGE=image_in(two))

    assert followed == (0, "")
    assert not_well[0] == 1
    assert "error: 500" in not_well[1]
    assert not_there[0] == 1
    assert "no way" in not_there[1]
    assert given == (0, "")
    assert get(place.port, "/") == "good day world"
    assert set(reader.seen) == {"one", "two"}
    assert len(place.containers()) == 1


def test_who_waits_for_the_old_container_longer_than_it_may_take_to_stop_is_answered(place: Place) -> None:
    slow = place.build(
        "slow",
        ("import argparse\n", "import argparse\nimport time\n"),
        ('if path == "/health"', 'time.sleep(6 * (path == "/slow"))\n    if path == "/health"'),
        ("daemon_threads = False", "daemon_threads = True"),  # it ends without waiting for anybody
    )
    next_one = place.build("next", ("hello", "good day"))
    place.deploy(slow)
    answers: list[str] = []
    asking = [threading.Thread(target=lambda: answers.append(get(place.port, "/slow"))) for _ in range(2)]

    for thread in asking:
        thread.start()
    followed = place.deploy(next_one)
    for thread in asking:
        thread.join()

    assert followed == (0, "")
    assert answers == ["hello slow"] * 2
    assert len(place.containers()) == 1


def test_kill_9_at_any_moment_leaves_one_image_live_and_the_next_run_repairs(place: Place) -> None:
    versions = [place.build("a"), place.build("b")]
    begun = time.monotonic()
    place.deploy(versions[0])
    place.deploy(versions[1])
    took = (time.monotonic() - begun) / 2

    with Reader(place.port) as reader:
        for _ in range(stress(2)):
            versions.reverse()
            with place.begin(versions[1]) as script:
                time.sleep(random.uniform(0, took))
                os.killpg(script.pid, signal.SIGKILL)
                script.communicate(timeout=60)
            assert place.deploy(versions[1]) == (0, "")
            assert get(place.port) == versions[1].name
            assert len(place.containers()) == 1

    assert set(reader.seen) == {"a", "b"}


@pytest.fixture
def shop(place: Place, make_repo: Callable[..., Repo], engine: Engine) -> Iterator[Repo]:
    """The example in a repository, on a base image with a shell, for jobs run in it too."""
    repo = make_repo("shop")
    place.lay_out(repo.path)
    recipe = repo.path / "Dockerfile"
    recipe.write_text(recipe.read_text().replace(place.base.image, PYTHON))
    with swept(repo, engine):
        yield repo
        place.clear()


@pytest.mark.docker(PYTHON)
def test_its_pipeline_builds_tests_and_deploys_one_image(place: Place, shop: Repo) -> None:
    config = (EXAMPLES / "docker" / "hookci.toml").read_text()
    quicker = {
        "8010": str(place.port),
        '"backend:': f'"backend-{place.port}:',
        '"$HOME/deployed"': f'"{place.top}/deployed", START_WITHIN = "5"',
        '"3s"': '"1s"',
    }
    for old, new in quicker.items():
        assert old in config
        config = config.replace(old, new)
    first = shop.commit({"hookci.toml": config}, "the shop")

    deployed = shop.hookci("deploy", "staging", check=False)
    with Reader(place.port) as reader:
        shop.commit({"app.py": (EXAMPLES / "backend" / "app.py").read_text().replace(*SICK)}, "sick")
        broken = shop.hookci("deploy", "staging", check=False)

    assert deployed.returncode == 0, deployed.output
    assert broken.returncode == 4, broken.output
    assert set(reader.seen) == {first}
    assert get(place.port) == first
    assert len(place.containers()) == 1
