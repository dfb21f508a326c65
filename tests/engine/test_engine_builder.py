"""Images are built by the engine's own builder or by BuildKit, with the same ends."""

from __future__ import annotations

import os
import time
from secrets import token_hex
from typing import TYPE_CHECKING

import docker
import pytest
from build_samples import Workshop, inspect, remove_images
from engine_servers import Relay, relay
from images import BUSYBOX

from hookci.engine.builder import Following, tag_image
from hookci.engine.buildkit import BuildKit
from hookci.engine.calls import Engine, EngineError, EngineGoneError
from hookci.engine.context import packed
from hookci.engine.owner import KEPT, LABEL, Owner
from hookci.model.container import Build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.fixture(params=["api", "buildkit"])
def workshop(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> Iterator[Workshop]:
    owner = Owner(repository=f"test-{token_hex(4)}", run=1, process="1:2", host="here", job="image")
    for name in ("workspace", "place"):
        (tmp_path / name).mkdir()
    made = Workshop(engine, tmp_path / "workspace", tmp_path / "place", owner, request.param)
    yield made
    made.cancel.close()
    remove_images(engine, owner.repository)


def running(engine: Engine, text: str) -> list[str]:
    """The commands of running containers that hold ``text``."""
    return [each["Command"] for each in engine.api.containers() if text in each["Command"]]


def wait_until_gone(engine: Engine, text: str) -> None:
    deadline = time.monotonic() + 20
    while running(engine, text):
        assert time.monotonic() < deadline, running(engine, text)
        time.sleep(0.1)


def test_an_image_is_built_from_the_context_with_its_arguments(workshop: Workshop) -> None:
    (workshop.workspace / "sub").mkdir()
    (workshop.workspace / "sub" / "who").write_text("you")
    recipe = f"FROM {BUSYBOX} AS one\nARG GREETING=bye\nCOPY who /who\nRUN echo $GREETING >>/who\nFROM one\nRUN false\n"
    build = Build(context="sub", dockerfile="recipes/first", target="one", args={"GREETING": "hello"})

    built = workshop.build(recipe, build=build)

    assert (built.ended.why, built.ended.returncode, built.step) == ("exit", 0, None)
    assert workshop.file(built.image, "/who") == "youhello\n"


def test_an_argument_called_like_a_variable_of_the_command_arrives_too(workshop: Workshop) -> None:
    built = workshop.build(f"FROM {BUSYBOX}\nARG HOME\nRUN echo $HOME >/who\n", build=Build(args={"HOME": "a b"}))

    assert workshop.file(built.image, "/who") == "a b\n"


def test_an_image_is_labelled_and_has_the_same_id_when_built_again(workshop: Workshop) -> None:
    first = workshop.build(f"FROM {BUSYBOX}\nRUN echo {token_hex(4)} >/once\n")

    second = workshop.build()

    assert first.image is not None
    assert second.image == first.image
    labels = inspect(workshop.engine, first.image)["Config"]["Labels"]
    assert {f"{LABEL}repository", f"{LABEL}host", KEPT} <= labels.keys()
    assert not {f"{LABEL}run", f"{LABEL}process"} & labels.keys()


def test_a_failing_step_is_told_with_its_status(workshop: Workshop) -> None:
    built = workshop.build(f"FROM {BUSYBOX}\nRUN echo hello\nRUN echo bye && exit 37\nRUN echo never\n")

    assert (built.ended.why, built.ended.returncode, built.image) == ("exit", 37, None)
    assert built.step == "RUN echo bye && exit 37"
    assert "hello" in workshop.output
    assert "RUN echo never" not in workshop.output.partition("exit 37")[2].partition("returned")[0]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (f"FROM {BUSYBOX}\nCOPY nothing /x\n", "nothing"),
        ("FRUM scratch\n", "unknown instruction: FRUM"),
        ("", "cannot be empty"),
    ],
)
def test_what_the_recipe_is_to_blame_for_is_a_failure_of_the_build(workshop: Workshop, recipe: str, said: str) -> None:
    built = workshop.build(recipe)

    assert (built.ended.why, built.ended.returncode, built.image) == ("exit", 1, None)
    assert said in workshop.output


def test_a_target_that_is_not_there_is_a_failure_of_the_build(workshop: Workshop) -> None:
    built = workshop.build(f"FROM {BUSYBOX}\n", build=Build(target="nope"))

    assert built.ended.returncode == 1
    assert "nope" in workshop.output


@pytest.mark.parametrize("say", ["echo", "printf"])
def test_output_comes_while_it_builds(workshop: Workshop, say: str) -> None:
    mark = token_hex(4)
    workshop.once_seen(f"{mark}-seen", lambda: workshop.cancel.request("enough"))

    built = workshop.build(f"FROM {BUSYBOX}\nRUN {say} {mark}-se''en; sleep 600\n")

    assert (built.ended.why, built.image) == ("cancel", None)
    wait_until_gone(workshop.engine, mark)


def test_nothing_of_a_build_runs_on_after_its_deadline(workshop: Workshop) -> None:
    mark = token_hex(4)

    built = workshop.build(f"FROM {BUSYBOX}\nRUN echo {mark}; sleep 600\n", timeout=2.0)

    assert (built.ended.why, built.image) == ("timeout", None)
    wait_until_gone(workshop.engine, mark)


def test_a_name_of_an_image_is_one_the_engine_takes(workshop: Workshop) -> None:
    built = workshop.build(f"FROM {BUSYBOX}\nRUN echo {token_hex(4)}\n")
    assert built.image is not None
    names = [f"{workshop.owner.repository}/a", "localhost:5000/b", f"{workshop.owner.repository}/c:1.2"]

    for name in names:
        tag_image(workshop.engine, built.image, name)
    with pytest.raises(EngineError, match="could not name the image Bad Name"):
        tag_image(workshop.engine, built.image, "Bad Name:x y")

    tags = inspect(workshop.engine, built.image)["RepoTags"]
    assert {f"{names[0]}:latest", f"{names[1]}:latest", names[2]} <= set(tags)


@pytest.fixture
def afar(workshop: Workshop) -> Iterator[Relay]:
    """The same engine over TCP."""
    assert workshop.engine.socket
    with relay(workshop.engine.socket) as way:
        api = docker.APIClient(way.url, version=workshop.engine.version)
        workshop.engine = Engine("the engine over there", lambda: "x", workshop.engine.version, api)
        yield way
        api.close()


@pytest.mark.parametrize("workshop", ["api"], indirect=True)
def test_an_engine_that_goes_away_is_no_failed_build(workshop: Workshop, afar: Relay, engine: Engine) -> None:
    mark = token_hex(4)
    workshop.once_seen(f"{mark}-seen", afar.cut)

    with pytest.raises(EngineGoneError, match="the engine over there went away when it was to build the image"):
        workshop.build(f"FROM {BUSYBOX}\nRUN echo {mark}-se''en; sleep 600\n")

    wait_until_gone(engine, mark)


@pytest.mark.parametrize("workshop", ["api"], indirect=True)
def test_an_engine_over_tcp_builds_as_well(workshop: Workshop, afar: Relay, engine: Engine) -> None:
    built = workshop.build(f"FROM {BUSYBOX}\nRUN echo {token_hex(4)}\n")

    assert afar.port
    assert built.image == inspect(engine, built.image)["Id"]


@pytest.mark.parametrize("workshop", ["buildkit"], indirect=True)
@pytest.mark.parametrize("command", ["echo 'ERROR: no such thing' >&2; exit 1", "echo unknown flag; exit 125"])
def test_a_command_without_buildkit_is_told_from_a_build_that_fails(workshop: Workshop, command: str) -> None:
    program = workshop.place / "docker"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    (workshop.workspace / "Dockerfile").write_text(f"FROM {BUSYBOX}\n")
    kit = BuildKit(program=str(program), user=os.environ, directory=workshop.place, token="workshop")
    following = Following(sink=workshop.take, timeout=30.0, cancel=workshop.cancel)

    with packed(workshop.workspace, Build(), workshop.place) as context:
        built = kit.build(workshop.engine, context, Build(), {}, following)

    assert (built, workshop.output) == (None, "")
