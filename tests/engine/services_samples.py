"""Jobs with services beside them, on a real engine."""

from __future__ import annotations

import io
import secrets
from typing import TYPE_CHECKING

from images import BUSYBOX

from hookci.engine.containers import ContainerSpec, run_helper
from hookci.engine.images import Images
from hookci.engine.owner import LABEL, Owner
from hookci.engine.services import ServiceOrder, start_services
from hookci.model.container import Image, Service
from hookci.proc.supervise import Cancel

if TYPE_CHECKING:
    from hookci.engine.calls import Engine
    from hookci.engine.services import Services
    from hookci.model.container import Readiness

SERVE = "mkdir /www; echo hello > /www/greeting; exec httpd -f -p 80 -h /www"
"""A web server; say that it is one with `PORT`."""
PORT = {"HEALTHCHECK_TCP_PORT": "80"}


def service(  # the keys of a service
    command: str | None = None,
    *,
    image: str = BUSYBOX,
    alias: str | None = None,
    variables: dict[str, str] | None = None,
    health: Readiness | None = None,
    privileged: bool | None = None,
) -> Service:
    """A service that runs a command line."""
    return Service(
        image=Image(name=image),
        aliases=(alias,) if alias else (),
        command=None if command is None else ("sh", "-c", command),
        variables=variables or {},
        health=health,
        privileged=privileged,
    )


class JobBeside:
    """A job, as its services see it: ``lines`` is what they put into its log."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.owner = Owner("repository", 1, secrets.token_hex(8), "host", "job")
        self.environment: dict[str, str] = {}
        self.privileged = False
        self.onlooker = BUSYBOX
        self.lines: list[str] = []
        self.cancel = Cancel()
        self.services: Services | None = None
        self._images: list[str] = []

    def start(self, *services: Service) -> Services:
        order = ServiceOrder(
            owner=self.owner,
            environment=self.environment,
            privileged=lambda _: self.privileged,
            say=self.lines.append,
            show=lambda _line, _share: None,
            cancel=self.cancel,
            onlooker=self.onlooker,
        )
        self.services = start_services(self.engine, Images(self.engine), services, order)
        return self.services

    def run(self, script: str, image: str = BUSYBOX) -> str:
        """Run the job's script; what it wrote.  It has to end in 0."""
        assert self.services is not None
        spec = ContainerSpec(
            image=image,
            labels=self.owner.labels("job"),
            command=["sh", "-ec", script],
            environment={**self.services.environment, **self.environment},
            mounts=self.services.mounts,
            network=self.services.network,
        )
        status, output = run_helper(self.engine, spec, Cancel())
        assert status == 0, output
        return output

    def image(self, *lines: str) -> str:
        """An image of its own, made from the lines of a Dockerfile."""
        name = f"hookci-test/services-{secrets.token_hex(4)}:1"
        recipe = io.BytesIO("\n".join(lines).encode())
        with self.engine.calling("make an image") as api:
            said = list(api.build(fileobj=recipe, tag=name, rm=True, decode=True))
        assert "error" not in said[-1], said
        self._images.append(name)
        return name

    def end(self) -> None:
        """Leave nothing; to be called once."""
        if self.services is not None:
            self.services.close()
        for name in self._images:
            with self.engine.calling("remove an image") as api:
                api.remove_image(name)
        self.cancel.close()

    def container(self, number: int = 0) -> str:
        """The id of the container of a service."""
        assert self.services is not None
        container = self.services._all[number].container
        assert container is not None
        return container.id

    def containers(self) -> list[str]:
        """The ids of all containers that this job has."""
        with self.engine.calling("list containers") as api:
            found = api.containers(all=True, filters={"label": f"{LABEL}process={self.owner.process}"})
        return [one["Id"] for one in found]

    def left(self) -> list[str]:
        """The containers, networks and volumes that this job has."""
        mine = {"label": f"{LABEL}process={self.owner.process}"}
        with self.engine.calling("list what there is") as api:
            networks = [one["Id"] for one in api.networks(filters=mine)]
            volumes = [one["Name"] for one in api.volumes(filters=mine)["Volumes"] or ()]
        return [*self.containers(), *networks, *volumes]
