"""Running the commands of a deployment: in its workspace, with its secrets masked, and what it started left running."""

from __future__ import annotations

import os
import re
from secrets import token_hex
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.deploy.secrets import Answer
from hookci.errors import HookciError
from hookci.execute.environment import expand_all, passed_environment
from hookci.execute.script import make_script, shell_argv
from hookci.proc.supervise import Supervised, exit_text, supervise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.deploy.desk import Candidate, DeployDesk
    from hookci.deploy.kept import Attempt
    from hookci.execute.output import Output
    from hookci.proc.supervise import Cancel

__all__ = ["Scripts", "Shell", "deploy_environment"]


def deploy_environment(desk: DeployDesk, candidate: Candidate, attempt: Attempt, release: int) -> dict[str, str]:
    """The whole environment of a deployment's commands; the reference of variables describes it."""
    environment, live = candidate.environment, candidate.live
    workspace = str(attempt.workspace)
    known = {
        **passed_environment(desk.user, environment.pass_env),
        **candidate.snapshot.facts,
        "CI": "true",
        "HOOKCI": "true",
        "HOOKCI_ENVIRONMENT": environment.name,
        "CI_ENVIRONMENT_NAME": environment.name,
        "HOOKCI_RELEASE": str(release),
        "HOOKCI_DEPLOY_KIND": candidate.kind.value,
        "HOOKCI_PREVIOUS_RELEASE": str(live.number) if live else "",
        "HOOKCI_PREVIOUS_COMMIT": live.commit if live else "",
        "HOOKCI_WORKSPACE": workspace,
        "CI_PROJECT_DIR": workspace,
        "PYTHONUNBUFFERED": "1",
        **({"CI_ENVIRONMENT_URL": environment.url} if environment.url else {}),
        **_images(attempt.images),
    }
    known.update(candidate.secrets)
    known.update(expand_all(environment.variables, known))
    known.update(candidate.secrets)
    known["PWD"] = workspace
    return known


def _images(built: Mapping[str, str]) -> dict[str, str]:
    """``HOOKCI_IMAGE`` is the image that is deployed; of several, each has the name of its job at the end."""
    if len(built) == 1:
        return {"HOOKCI_IMAGE": next(iter(built.values()))}
    return {f"HOOKCI_IMAGE_{re.sub('[^A-Z0-9]+', '_', job.upper()).strip('_')}": id_ for job, id_ in built.items()}


class Shell(Struct, frozen=True, kw_only=True):
    """Asks one command a question, such as for a secret: ``directory`` is private, ``environment`` the person's."""

    which: Callable[[str, str], str | None]
    environment: Mapping[str, str]
    directory: Path
    cancel: Cancel

    def ask(self, command: str, timeout: float) -> Answer:
        """Run ``command``, for so many seconds at most; nothing of it runs any more afterwards."""
        program = self.which("sh", self.environment.get("PATH", os.defpath))
        if program is None:
            raise HookciError("no `sh` on the PATH")
        errors = self.directory / f"answer-{token_hex(8)}"
        output: list[bytes] = []
        what = Supervised(
            argv=[program, "-c", command],
            cwd=str(self.directory),
            env=passed_environment(self.environment, ("*",)),
            timeout=timeout,
            token=token_hex(8),
            directory=str(errors),
            errors=errors,
        )
        try:
            ended = supervise(what, output.append, self.cancel, _nothing)
            errors_said = errors.read_bytes()
            return Answer(why=ended.why, returncode=ended.returncode, output=b"".join(output), errors=errors_said)
        finally:
            errors.unlink(missing_ok=True)


class Scripts(Struct, frozen=True):
    """Runs shell text for one candidate; ``cancel`` ends what runs, ``environment`` is the whole of it."""

    desk: DeployDesk
    candidate: Candidate
    attempt: Attempt
    environment: Mapping[str, str]
    output: Output
    cancel: Cancel

    def run(self, commands: Sequence[str]) -> str:
        """Run ``commands`` to their end; why that was no success, empty when it was.

        What they have put into the background goes on running.
        """
        shell, program = self._shell()
        step = self.attempt.directory / "script.step"
        script = make_script(commands, shell=shell, step=step)
        step.unlink(missing_ok=True)
        file = self.attempt.script
        file.write_text(script.text, encoding="utf-8", errors="surrogateescape")
        timeout = self.candidate.environment.timeout
        what = self._supervised(shell_argv(shell, program, str(file)), timeout)
        ended = supervise(what, self.output.feed, self.cancel, _nothing)
        self.output.finish()
        if ended.why == "cancel":
            return self.cancel.reason or "cancelled"
        at = script.command_reached()
        where = f" in `{at.strip().splitlines()[0]}`" if at and at.strip() else ""
        if ended.why == "timeout":
            return f"the script did not end within {timeout:g} s{where}"
        return f"the script failed{where}: {exit_text(ended.returncode)}" if ended.returncode else ""

    def check(self, command: str, timeout: float) -> int | None:
        """Run one command of a health check; its exit status, None when it was ended at its deadline."""
        shell, program = self._shell()
        argv = [program, *(("--noprofile", "--norc") if shell == "bash" else ()), "-c", command]
        ended = supervise(self._supervised(argv, timeout), self.output.feed, self.cancel, _nothing)
        return ended.returncode if ended.why == "exit" else None

    def _supervised(self, argv: Sequence[str], timeout: float) -> Supervised:
        return Supervised(
            argv=argv,
            cwd=str(self.attempt.workspace),
            env=self.environment,
            timeout=timeout,
            token="",
            directory=str(self.attempt.directory),
            lasting=True,
        )

    def _shell(self) -> tuple[str, str]:
        path = self.environment.get("PATH", os.defpath)
        wanted = self.candidate.environment.shell
        for name in (wanted,) if wanted else ("bash", "sh"):
            program = self.desk.which(name, path)
            if program:
                return name, program
        raise HookciError(f"environment `{self.candidate.environment.name}`: no `{wanted or 'sh'}` on the PATH")


def _nothing() -> None:
    """Nobody waits for the process to run."""
