"""The place in a container: a job's commands run by the shell of its image, with its services beside it."""

from __future__ import annotations

import contextlib
import os
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.engine.calls import EngineError
from hookci.engine.containers import Bind, ContainerSpec, create
from hookci.engine.desk import beside, meanwhile
from hookci.errors import HookciError
from hookci.execute.environment import expand
from hookci.execute.lending import ROOT, Lending
from hookci.execute.place import Ran
from hookci.execute.script import make_script
from hookci.model.patterns import pattern
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hookci.engine.containers import Container, Volume
    from hookci.engine.images import ImageInfo
    from hookci.engine.owner import Owner
    from hookci.engine.services import Services
    from hookci.execute.context import RunContext
    from hookci.execute.output import Output
    from hookci.execute.place import Commands
    from hookci.execute.rooms import Rooms
    from hookci.execute.travel import FarWorkspace
    from hookci.model.container import Image, Service
    from hookci.model.pipeline import Job
    from hookci.model.plan import PlannedJob
    from hookci.proc.supervise import Cancel
    from hookci.workspace.slot import Slot

__all__ = ["ContainerPlace"]

_SCRIPTS = "/hookci"
"""Where a container sees the scripts of its attempt."""
_BUILDS = "/builds"
"""The directory of workspaces, as on a GitLab runner."""
_SOCKET = "/var/run/docker.sock"
_RUN = {
    # no login shell and no start-up files
    "bash": f"exec bash --noprofile --norc {_SCRIPTS}/script",
    "sh": f"exec sh {_SCRIPTS}/script",
    None: (
        f"if command -v bash >/dev/null; then exec bash --noprofile --norc {_SCRIPTS}/script; "
        f"else exec sh {_SCRIPTS}/script; fi"
    ),
}
_NOT_FOUND = 127
_VARIABLE = pattern(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_NO_SHELL = ("executable file not found", "no such file or directory")
_NO_SOURCE = ("bind source path does not exist", "no such file or directory", "bind mount source", "mounts denied")


class ContainerPlace(Struct, eq=False):
    """One container of one engine, which sees the workspace at a path that is the same in every run."""

    rooms: Rooms
    context: RunContext
    planned: PlannedJob
    slot: Slot
    _info: ImageInfo | None = None
    _container: Container | None = None
    _services: Services | None = None
    _far: FarWorkspace | None = None
    _told: Mapping[str, str] = field(default_factory=dict)
    _environment: dict[str, str] = field(default_factory=dict)
    _lending: Lending | None = None
    _begun: Callable[[], None] | None = None
    _is_over: bool = False
    _token: str = field(default_factory=lambda: os.urandom(8).hex())

    @property
    def job(self) -> Job:
        """The job."""
        return self.planned.job

    @property
    def owner(self) -> Owner:
        """Whose the containers are."""
        return self.rooms.owner.of(self.job.name)

    @property
    def workspace(self) -> str:
        """The workspace's path in the container."""
        return f"{_BUILDS}/{self.context.slots.name}"

    @property
    def _scripts(self) -> Path:
        # a name that no other machine has: that an engine can mount it shows that it sees this machine's files
        return self.slot.directory / f"scripts-{self._token}"

    # -- making ready

    def run_first(self, commands: Commands, output: Output) -> Ran:
        """Run commands in a container of their own, which sees nothing of the workspace, and has no services yet."""
        image = self.job.image
        if image is None:
            raise HookciError(f"job `{self.job.name}` has commands and no image to run them in")
        from hookci.engine.files import get_file  # noqa: PLC0415 (for archives, which few jobs need)

        self._environment = dict(commands.environment)
        named = self._named(image)
        info = self.rooms.desk.images.ensure(named, output.say, commands.cancel, output.show)
        self._environment = {**self._environment, **self._completed(info)}
        container = self._create(named, info, [])
        step = self.slot.directory / "first.step"
        script = make_script(commands.texts, shell="sh", step=step, step_seen=f"{_SCRIPTS}/step")  # noqa: S604 (a name)
        try:
            self._copy_in(container, script.text.encode(errors="surrogateescape"))
            ended = container.follow(commands.sink, commands.timeout, commands.cancel, commands.started)
            step.write_bytes(get_file(container, f"{_SCRIPTS}/step") or b"")
            return Ran(ended, script.command_reached())
        except EngineError as error:
            raise self._explained(error) from error
        finally:
            container.remove()

    def begin(self, environment: Mapping[str, str]) -> None:
        """Make the container beside what is done to the workspace, of which it needs no more than the path.

        Not where more is to be had first: an image that is pulled, services, the directories themselves.
        """
        image = self.job.image
        if image is not None and not self.job.services and self.rooms.desk.sees_files and self._is_kept():
            self._begun = meanwhile(lambda: self._begin(image, environment))

    def _is_kept(self) -> bool:
        """Whether all directories are there that a container sees: what it binds is settled when it is made."""
        paths = (self.slot.checkout.tree_path, self.context.source.scratch.objects)
        return all(path.is_dir() and not path.is_symlink() for path in paths)

    def _begin(self, image: Image, environment: Mapping[str, str]) -> None:
        named = self._told_of(environment, image)
        info = self.rooms.desk.images.there(named)
        if info is not None:
            self._take(info)
            self._container = self._near(named, info)

    def prepare(self, environment: Mapping[str, str], output: Output, cancel: Cancel) -> None:
        """Have the image, start the services, make the container.

        Raises:
            HookciError: the engine, the image or a service is not to be had.
        """
        image = self.job.image
        if image is None:
            return
        if self._begun is not None:
            self._begun()
        if self._container is None:
            self._container = self._made(self._told_of(environment, image), output, cancel)
        if self._far is None and self._info is not None:
            self._lending = Lending(self.rooms.desk.engine, self.owner, self._info.id, self.slot)
            self._lending.give(self._user(self._info), cancel)
        for warning in self._container.warnings:
            output.say(f"hookci: {self.rooms.desk.engine.name}: {warning}")

    def _made(self, image: Image, output: Output, cancel: Cancel) -> Container:
        info = self.rooms.desk.images.ensure(image, output.say, cancel, output.show)
        self._take(info)
        self._start_services(info, output, cancel)
        near = self._near(image, info) if self.rooms.desk.sees_files else None
        return near or self._from_afar(image, info, output, cancel)

    def _told_of(self, environment: Mapping[str, str], image: Image) -> Image:
        """The image by its name, which may have variables in it, now that these are known."""
        self._told = self._environment = dict(environment)
        return self._named(image)

    def _take(self, info: ImageInfo) -> None:
        """Have what depends on what the image is."""
        self._info = info
        self._environment = {**self._environment, **self._completed(info)}
        self._make_scripts()

    def _completed(self, info: ImageInfo) -> dict[str, str]:
        """The job's own variables with what they take from the image in place: ``PATH = "/opt/bin:$PATH"``."""
        own = self.job.variables.keys() & self._environment.keys()
        known = {name: value for name, value in info.env.items() if name not in self._environment or name in own}

        def value(found: re.Match[str]) -> str:
            return known.get(found[1] or found[2], found[0])

        return {name: _VARIABLE.sub(value, self._environment[name]) for name in own}

    def _near(self, image: Image, info: ImageInfo) -> Container | None:
        """The container with the workspace bound; None when the engine does not see this machine's files."""
        container = self._binding(image, info)
        if container is None:
            self.rooms.desk.sees_files = False
        return container

    def _binding(self, image: Image, info: ImageInfo) -> Container | None:
        bound = self._bound()
        try:
            container = self._create(image, info, bound)
        except EngineError as error:
            unseen = any(words in error.message.lower() for words in _NO_SOURCE)
            if unseen and any(bind.source in error.message for bind in bound):
                return None
            raise
        if self.rooms.desk.engine.is_podman:
            from hookci.engine.files import get_file  # noqa: PLC0415 (for archives, which few jobs need)

            if get_file(container, f"{_SCRIPTS}/step") is None:
                # it makes the directories that are not there, and says nothing
                container.remove()
                return None
        return container

    def _from_afar(self, image: Image, info: ImageInfo, output: Output, cancel: Cancel) -> Container:
        """The container with a copy of the workspace, which has travelled."""
        from hookci.execute.travel import FarWorkspace, git_depth  # noqa: PLC0415 (few engines are far)

        user = self._user(info)
        self._far = FarWorkspace(
            engine=self.rooms.desk.engine,
            owner=self.owner,
            image=info.id,
            slot=self.slot.directory,
            local=self.slot.checkout.tree_path,
            target=self.workspace,
            user="" if user in ROOT else user,
            env=self.context.source.repository.env,
            depth=git_depth(self._environment),
            cancel=cancel,
            say=output.say,
        )
        try:
            self._far.send()
        except EngineError as error:
            raise self._explained(error) from error
        return self._create(image, info, [self._far.mount])

    def _named(self, image: Image) -> Image:
        image = replace(image, name=self._expand(image.name))
        if image.builder is None:
            return image
        from hookci.execute.building import with_built  # noqa: PLC0415 (only for images of ours)

        return with_built(self.context, image)

    def _expand(self, text: str) -> str:
        return expand(text, self._environment, gitlab=self.job.gitlab)

    def _make_scripts(self) -> None:
        for left in self.slot.directory.glob("scripts-*"):  # of a job whose hookci was killed
            remove(os.fsencode(left))
        self._scripts.mkdir(mode=0o700)
        step = self._scripts / "step"
        step.touch()
        # the container's user need not be this one; nobody else gets past the directories above
        step.chmod(0o666)
        self._scripts.chmod(0o755)

    def _start_services(self, info: ImageInfo, output: Output, cancel: Cancel) -> None:
        if not self.job.services:
            return
        from hookci.engine.services import ServiceOrder, start_services  # noqa: PLC0415 (few jobs have any)

        order = ServiceOrder(
            owner=self.owner,
            environment=self._environment,
            privileged=self.rooms.allowed.is_privileged,
            say=output.say,
            show=output.show,
            cancel=cancel,
            onlooker=info.id,
        )
        services = [self._expanded(service) for service in self.job.services]
        self._services = start_services(self.rooms.desk.engine, self.rooms.desk.images, services, order)

    def _expanded(self, service: Service) -> Service:
        variables = {name: self._expand(value) for name, value in service.variables.items()}
        return replace(service, image=self._named(service.image), variables=variables)

    def _user(self, info: ImageInfo) -> str:
        return (self.job.image.user if self.job.image else None) or info.user

    def _create(self, image: Image, info: ImageInfo, workspace: Sequence[Bind | Volume]) -> Container:
        services, allowed = self._services, self.rooms.allowed
        environment = {**({} if "GIT_CONFIG_COUNT" in self._environment else _SAFE_DIRECTORY), **self._environment}
        if services is not None:
            environment = {**services.environment, **environment}
        spec = ContainerSpec(
            image=info.id,
            labels=self.owner.labels("job"),
            entrypoint=image.entrypoint,
            command=["sh", "-c", self._start()],
            environment=environment,
            workdir=image.workdir or self.workspace,
            mounts=[*workspace, *self._extra(image.name), *(services.mounts if services else ())],
            user=image.user,
            platform=image.platform,
            memory=image.memory,
            cpus=image.cpus,
            network=services.network if services and services.network else image.network,
            privileged=allowed.is_privileged(image.name),
        )
        return create(self.rooms.desk.engine, spec)

    def _start(self) -> str:
        """The container's first process, which the script is not: the kernel lets no signal end that one.

        What this shell has to say of a script that a signal ended is nothing that the job wrote.
        """
        # one stream, so that what is written comes in order; redirected in the script's own process, since dash
        # says "Terminated" to where the standard error of the command went
        return f"exec 2>/dev/null; (exec 2>&1; {_RUN[self.job.shell]}); exit $?"

    def _bound(self) -> list[Bind]:
        """What the container sees of this machine's files: the workspace, its scripts, the objects its git borrows."""
        objects = [Bind(path, path, read_only=True) for path in self._objects()]
        return [Bind(str(self._scripts), _SCRIPTS), Bind(os.fsdecode(self.slot.workspace), self.workspace), *objects]

    def _extra(self, image: str) -> Iterator[Bind]:
        """What this clone's settings give it beside that."""
        if self.rooms.allowed.has_socket(image):
            yield Bind(self.rooms.desk.engine.socket or _SOCKET, _SOCKET)
        yield from self.rooms.allowed.mounts

    def _objects(self) -> list[str]:
        """The object directories that the workspace's ``.git`` borrows from; git in the container reads them there."""
        pending = [self.context.source.scratch.objects, self.context.source.repository.objects]
        found: dict[str, None] = {}
        while pending:
            directory = pending.pop().resolve()
            if str(directory) in found or not directory.is_dir():
                continue
            found[str(directory)] = None
            with contextlib.suppress(OSError):
                lines = (directory / "info" / "alternates").read_text(encoding="utf-8").splitlines()
                pending += [directory / line for line in lines if line and not line.startswith(("#", '"'))]
        return list(found)

    # -- running

    def run(self, commands: Commands) -> Ran:
        """Run commands in the container: its first start for the script, a second one for what comes after it."""
        container = self._container
        if container is None:
            raise HookciError(f"job `{self.job.name}` has commands and no image to run them in")
        step = self._scripts / "step"
        script = make_script(commands.texts, shell="sh", step=step, step_seen=f"{_SCRIPTS}/step")  # noqa: S604 (a name)
        self._hand_over(container, self._exports(commands.environment) + script.text)
        self._is_over = False
        try:
            ended = container.follow(commands.sink, commands.timeout, commands.cancel, commands.started)
        except EngineError as error:
            raise self._explained(error) from error
        self._is_over = True
        if self._far is not None:
            from hookci.engine.files import get_file  # noqa: PLC0415 (as above)

            step.write_bytes(get_file(container, f"{_SCRIPTS}/step") or b"")
        command, reason = script.command_reached(), ""
        if ended.why == "exit" and ended.returncode == _NOT_FOUND and command is None:
            raise self._without_shell()
        if ended.why == "exit" and ended.returncode != 0 and container.ended_for_memory(ended.returncode):
            limit = self.job.image.memory if self.job.image else None
            reason = "out of memory" + (f": its limit is {_mebibytes(limit)}" if limit else "")
        return Ran(ended, command, reason)

    def _hand_over(self, container: Container, text: str) -> None:
        """Put a script where the container's command finds it, and note that none of its commands has begun."""
        content = text.encode(errors="surrogateescape")
        if self._far is None:
            (self._scripts / "script").write_bytes(content)
            (self._scripts / "step").write_bytes(b"")
            return
        self._copy_in(container, content)

    def _copy_in(self, container: Container, content: bytes) -> None:
        from hookci.engine.files import put_files  # noqa: PLC0415 (as above)

        folder = _SCRIPTS.lstrip("/")
        put_files(container, "/", {f"{folder}/script": content})
        put_files(container, "/", {f"{folder}/step": b""}, mode=0o666)

    def _exports(self, environment: Mapping[str, str]) -> str:
        """What the environment has now that it had not when the container was made."""
        changed = {name: value for name, value in environment.items() if self._told.get(name) != value}
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(changed.items()))

    def _explained(self, error: EngineError) -> EngineError:
        return self._without_shell() if any(words in error.message for words in _NO_SHELL) else error

    def _without_shell(self) -> EngineError:
        name = self.job.image.name if self.job.image else ""
        return EngineError(
            f"job `{self.job.name}`: the image {name} has no `{self.job.shell or 'sh'}`, which runs its commands",
            "take an image with a shell, or set `entrypoint` to a program that runs them",
        )

    # -- what is left

    def bring_back(self, patterns: Sequence[str]) -> None:
        """Have the files as the user's own, and in the log what services said that died."""
        if self._services is not None:
            self._services.look()
        if self._far is not None and self._container is not None:
            self._far.fetch(self._container, patterns)
        elif self._lending is not None:
            self._lending.take_back()

    def close(self) -> None:
        """Remove the container, its services, and the scripts."""
        if self._begun is not None:
            with contextlib.suppress(Exception):  # said when the place was made ready, if it came to that
                self._begun()
        if self._container is not None:
            self._remove(self._container)
        if self._lending is not None:
            self._lending.close()
        if self._services is not None:
            self._services.close()
        if self._far is not None:
            self._far.close()
        remove(os.fsencode(self._scripts))

    def _remove(self, container: Container) -> None:
        """Remove it; beside the rest, if nothing runs in it any more and nothing else waits for that."""
        if self._is_over and self._services is None and self._far is None:
            beside(container.remove)
        else:
            container.remove()


_SAFE_DIRECTORY = {
    # the workspace belongs to the user, the container's user is another one (git-config(1), safe.directory)
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:g} MiB"
