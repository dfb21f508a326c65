"""The place on this machine: a job's commands as processes, in a session of their own."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.errors import HookciError
from hookci.execute.place import Ran
from hookci.execute.script import make_script, shell_argv
from hookci.proc.supervise import Supervised, supervise
from hookci.workspace.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.execute.context import RunContext
    from hookci.execute.output import Output
    from hookci.execute.place import Commands
    from hookci.model.pipeline import Job
    from hookci.model.plan import PlannedJob
    from hookci.proc.supervise import Cancel
    from hookci.workspace.slot import Slot

__all__ = ["LocalPlace", "local_place"]

_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def local_place(context: RunContext, planned: PlannedJob, slot: Slot) -> LocalPlace:
    """The place of a job that has no image."""
    return LocalPlace(context, planned.job, slot)


class LocalPlace(Struct, frozen=True):
    """Processes of this machine; they see the workspace where it is."""

    context: RunContext
    job: Job
    slot: Slot

    @property
    def workspace(self) -> str:
        """The workspace's path."""
        return os.fsdecode(self.slot.workspace)

    def run_first(self, commands: Commands, output: Output) -> Ran:  # noqa: ARG002 (the protocol's)
        """Run commands in a shell, in an empty directory."""
        empty = self.slot.directory / "empty"
        remove(os.fsencode(empty))
        empty.mkdir(mode=0o700)
        try:
            return self._run(commands, (), str(empty))
        finally:
            remove(os.fsencode(empty))

    def begin(self, environment: Mapping[str, str]) -> None:
        """Nothing is needed beside the workspace."""

    def prepare(self, environment: Mapping[str, str], output: Output, cancel: Cancel) -> None:
        """Nothing is needed beside the workspace."""

    def run(self, commands: Commands) -> Ran:
        """Run commands in a shell; the job's own, or bash where there is one."""
        return self._run(commands, self.slot.enter, self.workspace)

    def _run(self, commands: Commands, enter: Sequence[str], directory: str) -> Ran:
        shell, program = self._shell(commands.environment)
        step = self.slot.directory / f"{commands.name}.step" if len(commands.texts) > 1 else None
        script = make_script(commands.texts, shell=shell, step=step)
        file = f"{self.slot.directory}/{commands.name}.sh"
        if step is not None:
            _remove(str(step))
        _write(file, script.text.encode(errors="surrogateescape"))
        what = Supervised(
            argv=[*enter, *shell_argv(shell, program, file)],
            cwd="/" if enter else directory,
            env={**commands.environment, "PWD": directory},
            timeout=commands.timeout,
            token=self.slot.token,
            directory=directory,
        )
        ended = supervise(what, commands.sink, commands.cancel, commands.started)
        passed = ended.why == "exit" and ended.returncode == 0
        return Ran(ended, None if passed else script.command_reached())

    def bring_back(self, patterns: Sequence[str]) -> None:
        """All is there."""

    def close(self) -> None:
        """Nothing was made."""

    def _shell(self, environment: Mapping[str, str]) -> tuple[str, str]:
        path = environment.get("PATH", os.defpath)
        for name in (self.job.shell,) if self.job.shell else ("bash", "sh"):
            program = self.context.which(name, path)
            if program:
                return name, program
        raise HookciError(f"job `{self.job.name}`: no `{self.job.shell or 'sh'}` on the PATH")


def _remove(file: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(file)  # noqa: PTH108 (for each job: a Path takes longer than what it does)


def _write(file: str, content: bytes) -> None:
    """Have ``content`` in a file: in the one of the job before, or in a new one, which takes four times as long."""
    descriptor, size = _reopened(file)
    try:
        # not cut to nothing before: when such a file is closed, ext4 writes it to the disk, which takes milliseconds
        done = 0
        while done < len(content):
            done += os.write(descriptor, content[done:])
        if size > done:
            os.ftruncate(descriptor, done)
    finally:
        os.close(descriptor)


def _reopened(file: str) -> tuple[int, int]:
    """A file that is known by one name only, whatever a job has made of it, and its size."""
    with contextlib.suppress(OSError):
        descriptor = os.open(file, os.O_WRONLY | _OPEN)
        info = os.fstat(descriptor)
        if stat.S_ISREG(info.st_mode) and info.st_nlink == 1:
            return descriptor, info.st_size
        os.close(descriptor)
    _remove(file)
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o666), 0
