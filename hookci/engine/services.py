"""The containers beside a job: started side by side in a network of their own, waited for, looked after, removed."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.engine.calls import EngineError
from hookci.engine.containers import ContainerSpec, create
from hookci.engine.nested import Certificates, is_engine, is_privileged
from hookci.engine.networks import create_network, host_names, remove_network
from hookci.engine.readiness import UNASKED, Unready, how_it_died, wait_until_ready
from hookci.errors import HookciError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.engine.calls import Engine
    from hookci.engine.containers import Container, Volume
    from hookci.engine.images import Images
    from hookci.engine.owner import Owner
    from hookci.model.container import Service
    from hookci.proc.supervise import Cancel

__all__ = ["ServiceOrder", "Services", "start_services"]

_POLL = 0.05
_SLACK = 2.0
"""Seconds after its deadline in which a check that was begun before may still end."""
_ENDING = 10.0
"""Seconds for the threads of services whose containers are gone."""
_LOG = 50
"""Lines of the end of a service's log that a job's log gets."""
_ONLOOKER = ("sleep", "3600")


class ServiceOrder(Struct, frozen=True, kw_only=True):
    """What a job's services are started with.

    ``environment`` is the job's whole one, which services get too, as on a GitLab runner.  ``privileged`` says whether
    this clone's settings allow an image to do all that the engine's machine can.  ``say`` puts a line into the job's
    log, ``show`` tells how far a pull is, ``cancel`` ends the waiting.  ``onlooker`` is the id of an image with `cat`
    and `sleep`, the job's own: a service whose image has no `cat` is looked at from a container of it.
    """

    owner: Owner
    environment: Mapping[str, str]
    privileged: Callable[[str], bool]
    say: Callable[[str], None]
    show: Callable[[str, float], None]
    cancel: Cancel
    onlooker: str


def start_services(engine: Engine, images: Images, services: Sequence[Service], order: ServiceOrder) -> Services:
    """Start a job's services and wait until they are ready, or until a cancel.

    A service that is not ready in time, or ends, is told about in the job's log with its own, and the job goes on, as
    on a GitLab runner; unless its ``health`` was asked for.

    Raises:
        HookciError: an image is not to be had, a service could not be started, or its ``health`` did not come true.
            Nothing of what was started is left then.
    """
    started = Services(engine, order, Certificates(engine, order.owner))
    if not services:
        return started
    names = host_names(services)
    try:
        started.network = create_network(engine, order.owner)
        for service, called in zip(services, names, strict=True):
            if order.cancel.reason is None:
                started.add(service, called, images)
        started.wait()
    except BaseException:
        started.close()
        raise
    return started


class _Beside(Struct, eq=False):
    """One service: what it is called in the log, and how far it has come."""

    service: Service
    name: str
    spec: ContainerSpec
    container: Container | None = None
    deadline: float | None = None
    is_over: bool = False

    @property
    def is_hobbled(self) -> bool:
        """Whether it is a Docker engine that cannot run, for want of privileges, and that nobody insists on."""
        return is_engine(self.service.image.name) and not self.spec.privileged and self.service.health is None

    @property
    def full_name(self) -> str:
        image = self.service.image.name
        return f"service {self.name}" if self.name == image else f"service {self.name} ({image})"


class Services(Struct, eq=False):
    """The services of one job.

    ``network`` is the id of the network to connect the job's container to, None without services.
    """

    engine: Engine
    order: ServiceOrder
    _certificates: Certificates
    network: str | None = None
    _all: list[_Beside] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _answers: queue.SimpleQueue[tuple[_Beside, Unready | Exception | None]] = field(default_factory=queue.SimpleQueue)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def mounts(self) -> tuple[Volume, ...]:
        """What the job's container has in common with its services."""
        return self._certificates.volumes

    @property
    def environment(self) -> Mapping[str, str]:
        """What the job's container is to know of them, where its own environment does not say otherwise."""
        return self._certificates.environment

    # -- starting

    def add(self, service: Service, called: Sequence[str], images: Images) -> None:
        """Begin to start a service which is ``called`` so.

        Raises:
            HookciError: its image is not to be had.
        """
        image = service.image
        found = images.ensure(image, self.order.say, self.order.cancel, self.order.show)
        if self.order.cancel.reason is not None:
            return
        environment = {**self.order.environment, **service.variables}
        spec = ContainerSpec(
            image=found.id,
            labels=self.order.owner.labels("service"),
            entrypoint=image.entrypoint,
            command=service.command or (),
            environment=environment,
            workdir=image.workdir,
            mounts=self._certificates.shared_with(image.name, {**found.env, **environment}),
            user=image.user,
            platform=image.platform,
            memory=image.memory,
            cpus=image.cpus,
            network=self.network,
            aliases=called,
            privileged=is_privileged(service, self.order.privileged, self.order.say),
        )
        beside = _Beside(service, called[0] if called else image.name, spec)
        thread = threading.Thread(target=self._bring_up, args=(beside,), name=f"service {beside.name}", daemon=True)
        self._all.append(beside)
        self._threads.append(thread)
        thread.start()

    # -- one service, in a thread of its own

    def _bring_up(self, beside: _Beside) -> None:
        answer: Unready | Exception | None
        try:
            answer = self._until_ready(beside)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is raised again where the job waits)
            answer = error
        self._answers.put((beside, answer))

    def _until_ready(self, beside: _Beside) -> Unready | None:
        container = create(self.engine, beside.spec)
        if not self._keep(beside, container):
            container.remove()
            return None
        with self.engine.calling("start it") as api:
            api.start(container.id)
        wanted = beside.service.health or UNASKED
        beside.deadline = time.monotonic() + wanted.within + _SLACK
        onlooker = ContainerSpec(
            image=self.order.onlooker,
            labels=self.order.owner.labels("helper"),
            entrypoint=_ONLOOKER[:1],
            command=_ONLOOKER[1:],
            network=f"container:{container.id}",
        )
        return wait_until_ready(container, wanted, onlooker, self._stop)

    def _keep(self, beside: _Beside, container: Container) -> bool:
        """Note a container to be removed later; not when that has been done by now."""
        with self._lock:
            if not self._stop.is_set():
                beside.container = container
            return beside.container is not None

    # -- waiting for all

    def wait(self) -> None:
        """Wait until all are ready or told about, or until a cancel.

        Raises:
            HookciError: one could not be started, or its ``health`` did not come true.
        """
        pending = list(self._all)
        while pending and self.order.cancel.reason is None:
            for beside, answer in self._next(pending):
                if beside in pending:
                    pending.remove(beside)
                    self._take(beside, answer)

    def _next(self, pending: Sequence[_Beside]) -> list[tuple[_Beside, Unready | Exception | None]]:
        with contextlib.suppress(queue.Empty):
            return [self._answers.get(timeout=_POLL)]
        now = time.monotonic()
        endless = Unready("the check of its health does not end")
        return [(one, endless) for one in pending if one.deadline and now > one.deadline]

    def _take(self, beside: _Beside, answer: Unready | Exception | None) -> None:
        if isinstance(answer, EngineError):
            raise type(answer)(f"{beside.full_name}: {answer.message}", answer.hint) from answer
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            return
        goes_on = "" if beside.service.health else "; the job goes on"
        said = f": {answer.said}" if answer.said else ""
        self._tell(beside, f"is not ready: {answer.why}{said}{goes_on}")
        if beside.service.health:
            raise HookciError(
                f"{beside.full_name} is not ready: {answer.why}",
                "what it wrote is in the job's log; `health.within` gives it more time",
            )

    # -- looking after them

    def look(self) -> None:
        """Say in the job's log which services have died, with what they wrote."""
        for beside in self._all:
            with contextlib.suppress(EngineError):
                died = how_it_died(beside.container) if beside.container and not beside.is_over else None
                if died:
                    self._tell(beside, f"is gone: {died}")

    def _tell(self, beside: _Beside, what: str) -> None:
        lines = self._log(beside)
        if beside.is_hobbled:  # why was said when it was started, and its log is long
            self.order.say(f"hookci: {beside.full_name} {what}")
            return
        self.order.say(f"hookci: {beside.full_name} {what}{'; the end of its log:' if lines else '; its log is empty'}")
        for line in lines:
            self.order.say(f"[{beside.name}] {line}")

    def _log(self, beside: _Beside) -> list[str]:
        if beside.container is None:
            return []
        with contextlib.suppress(EngineError), self.engine.calling("read the log of a service") as api:
            beside.is_over = how_it_died(beside.container) is not None
            return api.logs(beside.container.id, tail=_LOG).decode(errors="surrogateescape").splitlines()
        return []

    def close(self) -> None:
        """Remove the containers, the network and the volumes; what is gone already is no error."""
        with self._lock:
            self._stop.set()
            containers = [beside.container for beside in self._all if beside.container]
        if containers:
            with ThreadPoolExecutor(len(containers)) as side_by_side:
                list(side_by_side.map(_remove, containers))
        for thread in self._threads:
            thread.join(_ENDING)
        self._certificates.remove()
        if self.network is not None:
            remove_network(self.engine, self.network)


def _remove(container: Container) -> None:
    with contextlib.suppress(EngineError):  # it has a label to be found by later
        container.remove()
