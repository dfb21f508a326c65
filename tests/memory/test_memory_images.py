"""What has passed in a container depends on its images, and not on the programs of this machine."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from built_images import RECIPE, built, retagged, swept
from execute_tools import outcomes
from images import BUSYBOX, PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker(PYTHON)

BUILDING = """
[jobs.image]
stage = "build"
build = { context = ".", args = { BASE = "@NAME@" } }
[jobs.unit]
image = "job:image"
script = "cat /word"
"""


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    """A name for busybox that may come to mean another image."""
    with retagged(engine, f"hookci-test-memory:{token_hex(4)}", BUSYBOX) as given:
        yield given


@pytest.fixture
def shop(repo: Repo, engine: Engine) -> Iterator[Repo]:
    """A repository with a recipe whose base is an argument."""
    repo.write_files({"Dockerfile": RECIPE.replace(f"FROM {BUSYBOX}", "ARG BASE\nFROM $BASE"), "word": token_hex(8)})
    with swept(repo, engine):
        yield repo


def ended(repo: Repo, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """How the jobs of a new run ended."""
    repo.hookci("run", env=env)
    return outcomes(repo)


def move(engine: Engine, name: str, image: str) -> None:
    repository, _, tag = name.partition(":")
    engine.api.tag(image, repository, tag)


@pytest.mark.parametrize("key", ["image = '@NAME@'", "image = '@BUSYBOX@'\nservices = ['@NAME@']"])
def test_a_moved_tag_is_a_miss(repo: Repo, engine: Engine, name: str, key: str) -> None:
    line = key.replace("@NAME@", name).replace("@BUSYBOX@", BUSYBOX)
    repo.commit({"hookci.toml": f"[jobs.unit]\nscript = 'true'\n{line}\n"})

    first, second = ended(repo), ended(repo)
    move(engine, name, PYTHON)
    moved = ended(repo)
    move(engine, name, BUSYBOX)
    back = ended(repo)

    assert [each["unit"] for each in (first, second, moved, back)] == ["passed", "remembered", "passed", "remembered"]


def test_a_green_verdict_does_not_hold_for_a_moved_tag(repo: Repo, engine: Engine, name: str) -> None:
    repo.commit({"hookci.toml": f"jobs.unit = {{ script = 'true', image = '{name}' }}\n"})
    repo.hookci("install")

    first = repo.git("push", "origin", "HEAD:refs/heads/one")
    known = repo.git("push", "origin", "HEAD:refs/heads/two")
    move(engine, name, PYTHON)
    again = repo.git("push", "origin", "HEAD:refs/heads/three")

    assert "1 job passed" in first.stderr
    assert "unit" not in known.stderr
    assert "1 job passed" in again.stderr


def test_a_fact_in_the_name_of_an_image_is_part_of_its_key(repo: Repo, engine: Engine, name: str) -> None:
    image = f"image = '{name}-$CI_COMMIT_REF_SLUG'"
    repo.commit({"hookci.toml": f"jobs.unit = {{ script = 'true', inputs = 'word', {image} }}\n", "word": "x"})

    with retagged(engine, f"{name}-one", BUSYBOX), retagged(engine, f"{name}-two", PYTHON):
        repo.git("checkout", "-q", "-b", "one")
        one = ended(repo)
        repo.git("checkout", "-q", "-b", "two")
        two, again = ended(repo), ended(repo)

    assert [each["unit"] for each in (one, two, again)] == ["passed", "passed", "remembered"]


def test_a_container_depends_on_what_it_gets_of_the_environment_alone(repo: Repo) -> None:
    image = f"image = '{BUSYBOX}', pass_env = 'WANTED'"
    repo.commit({"hookci.toml": f"jobs.unit = {{ script = 'cat word', inputs = 'word', {image} }}\n", "word": "x"})
    tools = repo.path.parent / "tools"
    tools.mkdir()
    (tools / "cat").write_text("#!/bin/sh\nexit 1\n")
    (tools / "cat").chmod(0o755)

    first = ended(repo)
    other_path = ended(repo, {"PATH": f"{tools}:{repo.env['PATH']}", "LANG": "C.UTF-8", "CFLAGS": "-O0"})
    wanted = ended(repo, {"WANTED": "1"})
    proxy = ended(repo, {"http_proxy": "http://127.0.0.1:9"})

    assert [each["unit"] for each in (first, other_path, wanted, proxy)] == ["passed", "remembered", "passed", "passed"]


def test_a_build_is_remembered_with_its_image(shop: Repo, engine: Engine) -> None:
    shop.commit({"hookci.toml": BUILDING.replace("@NAME@", BUSYBOX) + "memory = false\n"})

    first, second = ended(shop), ended(shop)

    assert (first, second) == ({"image": "passed", "unit": "passed"}, {"image": "remembered", "unit": "passed"})
    assert len(built(shop, engine)) == 1


def test_a_build_is_made_again_when_its_image_is_gone(shop: Repo, engine: Engine) -> None:
    shop.commit({"hookci.toml": BUILDING.replace("@NAME@", BUSYBOX)})
    first, second = ended(shop), ended(shop)
    (image,) = built(shop, engine)

    engine.api.remove_image(image["Id"], force=True)
    third = ended(shop)

    assert [each["image"] for each in (first, second, third)] == ["passed", "remembered", "passed"]
    assert [each["unit"] for each in (first, second, third)] == ["passed", "remembered", "passed"]


def test_a_build_is_made_again_when_what_it_starts_from_is_another_image(shop: Repo, engine: Engine, name: str) -> None:
    shop.commit({"hookci.toml": BUILDING.replace("@NAME@", name)})
    first, second = ended(shop), ended(shop)

    move(engine, name, PYTHON)
    third = ended(shop)

    assert [each["image"] for each in (first, second, third)] == ["passed", "remembered", "passed"]
    assert [each["unit"] for each in (first, second, third)] == ["passed", "remembered", "passed"]


def test_without_an_engine_nothing_is_remembered_and_nothing_passes(repo: Repo, name: str) -> None:
    repo.commit({"hookci.toml": f"jobs.unit = {{ script = 'true', image = '{name}' }}\n"})
    first = ended(repo)

    ran = repo.hookci("run", env={"DOCKER_HOST": "unix:///nowhere/docker.sock"}, check=False)

    assert first == {"unit": "passed"}
    assert (outcomes(repo), ran.returncode) == ({"unit": "errored"}, 3)
    assert ended(repo) == {"unit": "remembered"}
