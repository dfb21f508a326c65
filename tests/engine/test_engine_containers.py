"""One container, followed to its end, on a real engine."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from hookci.engine.calls import EngineError, NotThereError
from hookci.engine.containers import ContainerSpec, create, run_helper
from hookci.proc.supervise import Cancel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.engine.calls import Engine
    from hookci.engine.containers import Container
    from hookci.proc.supervise import Ended

pytestmark = pytest.mark.docker

_IMAGE = "hookci-test/busybox:1"
_LABELS = {"io.hookci.test": "containers"}


class Followed:
    """A container that runs one command line; what it wrote, and how it ended."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.output: list[bytes] = []
        self.cancel = Cancel()
        self.starts = 0

    def run(self, timeout: float = 30.0) -> Ended:
        return self.container.follow(self.output.append, timeout, self.cancel, self._started)

    def _started(self) -> None:
        self.starts += 1

    @property
    def text(self) -> str:
        return b"".join(self.output).decode()


@pytest.fixture
def made() -> Iterator[list[Container]]:
    containers: list[Container] = []
    yield containers
    for container in containers:
        container.remove()


def _follow(engine: Engine, made: list[Container], script: str, memory: int | None = None) -> Followed:
    spec = ContainerSpec(image=_IMAGE, labels=_LABELS, command=["sh", "-c", script], memory=memory)
    container = create(engine, spec)
    made.append(container)
    return Followed(container)


def test_output_and_exit_status_come_through(engine: Engine, made: list[Container]) -> None:
    followed = _follow(engine, made, "echo out; echo err >&2; exit 3")

    ended = followed.run()

    assert (ended.why, ended.returncode, followed.starts) == ("exit", 3, 1)
    assert sorted(followed.text.split()) == ["err", "out"]


def test_a_container_can_be_started_again_and_has_its_files_still(engine: Engine, made: list[Container]) -> None:
    followed = _follow(engine, made, "echo x >> /tmp/runs; wc -l < /tmp/runs")

    followed.run()
    followed.run()

    assert followed.text.split() == ["1", "2"]


def test_a_deadline_ends_all_that_runs_in_it(engine: Engine, made: list[Container]) -> None:
    followed = _follow(engine, made, "setsid sleep 1000 & sleep 1000")

    ended = followed.run(timeout=0.5)

    assert ended.why == "timeout"
    assert not followed.container._state()["Running"]


def test_what_ends_is_asked_first(engine: Engine, made: list[Container]) -> None:
    followed = _follow(engine, made, "trap 'echo asked; exit 9' TERM; echo ready; while :; do sleep 0.1; done")

    threading.Thread(target=_cancel_when_ready, args=(followed,), daemon=True).start()
    ended = followed.run()

    assert (ended.why, ended.returncode) == ("cancel", 9)
    assert "asked" in followed.text.split()


def _cancel_when_ready(followed: Followed) -> None:
    while b"ready" not in b"".join(followed.output):
        time.sleep(0.01)
    followed.cancel.request("enough")


def test_a_container_that_closes_its_output_is_waited_for(engine: Engine, made: list[Container]) -> None:
    followed = _follow(engine, made, "exec >&- 2>&-; sleep 0.5; exit 4")

    ended = followed.run()

    assert (ended.why, ended.returncode) == ("exit", 4)


def test_half_a_line_is_followed_by_the_time_to_show_it(engine: Engine, made: list[Container]) -> None:
    followed = _follow(engine, made, "printf half; sleep 1; echo whole")

    followed.run()

    assert followed.output[:2] == [b"half", b""]


def test_want_of_memory_is_told_from_a_kill(engine: Engine, made: list[Container]) -> None:
    greedy = _follow(engine, made, "a=x; while :; do a=$a$a; done", memory=16 * 2**20)
    killed = _follow(engine, made, "sh -c 'kill -KILL $$'; exit 137")

    greedy_status, killed_status = greedy.run().returncode, killed.run().returncode

    assert (greedy_status, killed_status) == (137, 137)
    assert greedy.container.ended_for_memory(greedy_status)
    assert not killed.container.ended_for_memory(killed_status)


def test_a_helper_leaves_nothing_behind(engine: Engine) -> None:
    labels = {"io.hookci.test": "helper-that-goes"}
    spec = ContainerSpec(image=_IMAGE, labels=labels, command=["sh", "-c", "echo said; exit 5"])

    status, said = run_helper(engine, spec, Cancel())

    assert (status, said) == (5, "said")
    assert engine.api.containers(all=True, filters={"label": "io.hookci.test=helper-that-goes"}) == []


def test_an_image_that_is_not_there_is_named(engine: Engine) -> None:
    with pytest.raises(NotThereError, match="hookci-test/no-such:1"):
        create(engine, ContainerSpec(image="hookci-test/no-such:1", labels=_LABELS))


def test_an_image_without_the_program_says_so(engine: Engine, made: list[Container]) -> None:
    container = create(engine, ContainerSpec(image=_IMAGE, labels=_LABELS, command=["no-such-program"]))
    made.append(container)

    with pytest.raises(EngineError, match="no-such-program"):
        Followed(container).run()
