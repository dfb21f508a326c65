"""Containers on Podman's compatible API: what is asked of Docker's holds there too."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engine_servers import podman
from images import BUSYBOX

from hookci.engine.calls import EngineError
from hookci.engine.connect import connect
from hookci.engine.containers import Bind, Container, ContainerSpec, create, run_helper
from hookci.engine.endpoints import find_endpoints
from hookci.engine.files import get_file
from hookci.proc.supervise import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.engine.calls import Engine
    from hookci.proc.supervise import Ended

    Make = Callable[..., Container]

pytestmark = pytest.mark.docker

_LABELS = {"io.hookci.test": "podman"}


@pytest.fixture(scope="module")
def podman_engine() -> Iterator[Engine]:
    """Podman with storage of its own and the plain image, where it can start containers."""
    with podman() as url:
        docker, reached = (connect(find_endpoints(name, os.environ, Path("/"))) for name in (None, url))
        with closing(docker.api), closing(reached.api):
            reached.api.load_image(b"".join(docker.api.get_image(BUSYBOX)))  # type: ignore[no-untyped-call]  # the stubs have no types for it
            try:
                run_helper(reached, ContainerSpec(image=BUSYBOX, labels=_LABELS, command=["true"]), Cancel())
            except EngineError as error:
                pytest.skip(f"podman cannot start containers here: {error.message}")
            yield reached


@pytest.fixture
def make(podman_engine: Engine) -> Iterator[Make]:
    made = []

    def make(script: str, **options: object) -> Container:
        spec = ContainerSpec(image=BUSYBOX, labels=_LABELS, command=["sh", "-c", script], **options)  # type: ignore[arg-type]  # as they come
        made.append(create(podman_engine, spec))
        return made[-1]

    yield make
    for container in made:
        container.remove()


def follow(container: Container, timeout: float = 30.0, cancel: Cancel | None = None) -> tuple[Ended, list[bytes]]:
    output: list[bytes] = []
    return container.follow(output.append, timeout, cancel or Cancel(), lambda: None), output


def test_podman_is_known_as_such_and_docker_as_not(engine: Engine, podman_engine: Engine) -> None:
    assert (engine.is_podman, podman_engine.is_podman) == (False, True)


def test_all_output_of_each_of_many_starts_comes_through(make: Make) -> None:
    container = make("echo out; echo err >&2; exit 3")

    runs = [follow(container) for _ in range(6)]

    assert [(ended.why, ended.returncode) for ended, _ in runs] == [("exit", 3)] * 6
    assert [sorted(b"".join(output).split()) for _, output in runs] == [[b"err", b"out"]] * 6


def test_much_output_comes_through_whole(make: Make) -> None:
    container = make("seq 1 200000")

    _, output = follow(container)

    assert b"".join(output) == b"".join(b"%d\n" % number for number in range(1, 200_001))


def test_bytes_that_are_no_text_and_ends_that_are_no_line_come_through(make: Make) -> None:
    container = make("printf 'a\\r\\n\\n\\r50%%\\r\\000\\377end'")

    _, output = follow(container)

    assert b"".join(output) == b"a\r\n\n\r50%\r\0\xffend"


def test_half_a_line_is_followed_by_the_time_to_show_it(make: Make) -> None:
    container = make("printf half; sleep 1; echo whole")

    _, output = follow(container)

    assert output[:2] == [b"half", b""]


def test_a_deadline_ends_all_and_it_can_be_started_again(make: Make) -> None:
    container = make("echo run; setsid sleep 1000 & test -e /tmp/again || { touch /tmp/again; sleep 1000; }")

    (first, _), (second, output) = follow(container, timeout=0.5), follow(container)

    assert (first.why, second.why, output[0]) == ("timeout", "exit", b"run\n")


def test_what_is_cancelled_is_asked_first(make: Make) -> None:
    container = make("trap 'echo asked; exit 9' TERM; echo ready; while :; do sleep 0.1; done")
    cancel, output = Cancel(), list[bytes]()

    def cancel_when_ready() -> None:
        while b"ready" not in b"".join(output):
            time.sleep(0.01)
        cancel.request("enough")

    threading.Thread(target=cancel_when_ready, daemon=True).start()
    ended = container.follow(output.append, 30.0, cancel, lambda: None)

    assert (ended.why, ended.returncode) == ("cancel", 9)
    assert b"asked" in b"".join(output).split()


def test_a_directory_that_podman_does_not_see_shows_by_what_is_in_it(make: Make, tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "step").touch()
    seen, unseen = (make("true", mounts=[Bind(str(tmp_path / name), "/hookci")]) for name in ("seen", "unseen"))

    found = [get_file(container, "/hookci/step") for container in (seen, unseen)]

    assert found == [b"", None]
