"""The executor that runs jobs as processes of this machine, each in a clean checkout of its own."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookci.errors import HookciError
from hookci.execute.environment import expand, passed_environment, secret_values, withheld_names
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.execute.script import make_script, shell_argv
from hookci.model.globs import matcher
from hookci.model.pipeline import CachePolicy, When
from hookci.model.result import JobResult, Outcome
from hookci.proc.supervise import Supervised, exit_text, supervise
from hookci.workspace.cache import CachePlace
from hookci.workspace.copy import copy_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hookci.execute.cancel import JobCancel
    from hookci.execute.context import RunContext
    from hookci.execute.script import Script
    from hookci.model.event import JobOutput
    from hookci.model.pipeline import Cache, Job
    from hookci.model.plan import PlannedJob
    from hookci.proc.supervise import Ended
    from hookci.workspace.slots import Slot

__all__ = ["LocalExecutor"]

_AFTER_SCRIPT_TIMEOUT = 300.0
"""Seconds; GitLab gives an after_script five minutes too."""
_STATUS = {"exit": "failed", "timeout": "failed", "cancel": "canceled"}


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """Runs one attempt of one job at a time for each thread that calls it."""

    context: RunContext

    def run(
        self, planned: PlannedJob, cancel: JobCancel, tell: Callable[[JobOutput], None], started: Callable[[], None]
    ) -> JobResult:
        """Run one attempt to its end; nothing of it runs any more afterwards.

        Args:
            planned: what to run.
            cancel: ends it early; the outcome is then ``cancelled``.
            tell: gets the output.
            started: called when the job's first process runs.

        Raises:
            HookciError: the attempt could not be made, so there is no verdict.
        """
        slot = self.context.slots.acquire(planned.job.name)
        try:
            return _Attempt(self.context, planned, slot, cancel, tell, started).run()
        finally:
            slot.release()


@dataclass(slots=True)
class _Attempt:
    context: RunContext
    planned: PlannedJob
    slot: Slot
    cancel: JobCancel
    tell: Callable[[JobOutput], None]
    started: Callable[[], None]

    @property
    def job(self) -> Job:
        return self.planned.job

    def run(self) -> JobResult:
        self._end_what_was_interrupted()
        environment = self._environment()
        path, log = self.context.open_log(self.job.name)
        with log:
            masker = Masker(secret_values(self.context.user, self.job))
            output = Output(self.job.name, log, masker, self.tell)
            places = [(cache, place) for cache in self.job.cache for place in self._places(cache, environment)]
            try:
                self._prepare([place for _cache, place in places], output)
                script = self._script((*self.job.before_script, *self.job.script), "script")
                ended = self._supervise(script, environment, output, self.job.timeout)
                if self.job.after_script and self.cancel.hard.reason is None:
                    self._after_script(ended, environment, output)
                passed = ended.why == "exit" and ended.returncode == 0
                self._keep(places, output, passed=passed)
            finally:
                output.finish()
            return self._result(ended, script, output, environment, path)

    def _end_what_was_interrupted(self) -> None:
        if self.slot.interrupted_token:
            from hookci.proc.tree import end_tree  # noqa: PLC0415 (only after a kill -9)

            end_tree(self.slot.interrupted_token, os.fsdecode(self.slot.workspace), root=None, since=0.0, grace=1.0)

    # -- surroundings

    def _environment(self) -> dict[str, str]:
        plan, job = self.context.plan, self.job
        workspace = os.fsdecode(self.slot.workspace)
        environment = passed_environment(self.context.user, job)
        environment.update(plan.snapshot.facts)
        environment.update(
            CI="true",
            HOOKCI="true",
            HOOKCI_HOOK=plan.hook,
            HOOKCI_RUN=str(self.context.number),
            HOOKCI_JOB=job.name,
            HOOKCI_STAGE=job.stage,
            HOOKCI_WORKSPACE=workspace,
            HOOKCI_JOB_TOKEN=self.slot.token,
            CI_JOB_NAME=job.name,
            CI_JOB_STAGE=job.stage,
            CI_PIPELINE_ID=str(self.context.number),
            CI_PROJECT_DIR=workspace,
            CI_PROJECT_NAME=self.context.slots.name,
            # a program whose output is a pipe would hold it back until it ends
            PYTHONUNBUFFERED="1",
        )
        for name, value in job.variables.items():
            environment[name] = expand(value, environment)
        return environment

    def _shell(self, environment: dict[str, str]) -> tuple[str, str]:
        path = environment.get("PATH", os.defpath)
        for name in (self.job.shell,) if self.job.shell else ("bash", "sh"):
            program = self.context.which(name, path)
            if program:
                return name, program
        raise HookciError(f"job `{self.job.name}`: no `{self.job.shell or 'sh'}` on the PATH")

    def _places(self, cache: Cache, environment: dict[str, str]) -> list[CachePlace]:
        key = expand(cache.key, environment)
        if cache.key_files:
            tests = [matcher(pattern) for pattern in cache.key_files]
            rows = sorted(
                f"{path}\0{oid}" for path, oid in self.context.blobs().items() if any(test(path) for test in tests)
            )
            key += "-" + hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()[:24]
        return [CachePlace(key, expand(path, environment)) for path in cache.paths]

    def _prepare(self, places: Sequence[CachePlace], output: Output) -> None:
        context, checkout = self.context, self.slot.checkout
        wanted = [place for place in places if self._policy(place) is not CachePolicy.PUSH]
        kept = context.caches.in_place(self.slot.directory, self.slot.workspace, wanted)

        def fill() -> None:
            context.caches.restore(self.slot.directory, self.slot.workspace, wanted, kept)

        snapshot = context.plan.snapshot
        checkout.reset(context.source, snapshot.tree, keep=kept, fill=fill, say=output.say)
        checkout.expose(context.source, snapshot.commit)
        for giver in self.planned.artifacts_from:
            context.artifacts.restore(context.number, giver, self.slot.workspace)
        self._carry()

    def _policy(self, place: CachePlace) -> CachePolicy:
        return next(cache.policy for cache in self.job.cache for path in cache.paths if path == place.pattern)

    def _carry(self) -> None:
        top = self.context.carried_from
        for name in self.job.carry:
            if top is None:
                raise HookciError(f"job `{self.job.name}` carries `{name}`, but a bare repository has no work tree")
            place = top / name
            inside = place.resolve().is_relative_to(top.resolve())
            if not inside or not place.exists():
                why = "is not in your work tree" if inside else "leads out of your work tree"
                raise HookciError(f"job `{self.job.name}` carries `{name}`, which {why}")
            copy_paths(os.fsencode(top), [os.fsencode(name.rstrip("/"))], self.slot.workspace, env=self.context.user)

    # -- the processes

    def _script(self, commands: Sequence[str], name: str) -> Script:
        step = self.slot.directory / f"{name}.step"
        step.unlink(missing_ok=True)
        shell, _program = self._shell(self._environment())
        return make_script(commands, shell=shell, step=step)

    def _supervise(
        self,
        script: Script,
        environment: dict[str, str],
        output: Output,
        timeout: float,
        *,
        only_interrupt: bool = False,
    ) -> Ended:
        shell, program = self._shell(environment)
        file = script.step.with_suffix(".sh")
        file.write_text(script.text, encoding="utf-8", errors="surrogateescape")
        workspace = os.fsdecode(self.slot.workspace)
        what = Supervised(
            argv=shell_argv(shell, program, file),
            cwd=workspace,
            env={**environment, "PWD": workspace},
            timeout=timeout,
            token=self.slot.token,
            directory=workspace,
        )
        return supervise(what, output.feed, self.cancel.hard if only_interrupt else self.cancel.soft, self.started)

    def _after_script(self, ended: Ended, environment: dict[str, str], output: Output) -> None:
        status = "success" if ended.why == "exit" and ended.returncode == 0 else _STATUS[ended.why]
        told = {**environment, "CI_JOB_STATUS": status, "HOOKCI_JOB_STATUS": status}
        output.finish()
        script = self._script(self.job.after_script, "after")
        after = self._supervise(script, told, output, _AFTER_SCRIPT_TIMEOUT, only_interrupt=True)
        if after.why != "exit" or after.returncode != 0:
            output.say(
                f"hookci: after_script ended with {exit_text(after.returncode)}; that does not change the result"
            )

    # -- what is left

    def _keep(self, places: Sequence[tuple[Cache, CachePlace]], output: Output, *, passed: bool) -> None:
        def applies(when: When) -> bool:
            return when is When.ALWAYS or (when is When.ON_SUCCESS) == passed

        context, workspace = self.context, self.slot.workspace
        if self.job.artifacts.paths and applies(self.job.artifacts.when):
            for pattern in context.artifacts.save(context.number, self.job.name, workspace, self.job.artifacts):
                output.say(f"hookci: no artifact matches `{pattern}`")
        pushed = [place for cache, place in places if cache.policy is not CachePolicy.PULL and applies(cache.when)]
        context.caches.save(self.slot.directory, workspace, pushed)

    def _result(self, ended: Ended, script: Script, output: Output, environment: dict[str, str], log: str) -> JobResult:
        job = self.job
        if ended.why == "exit" and ended.returncode == 0:
            return JobResult(
                name=job.name, stage=job.stage, outcome=Outcome.PASSED, exit_code=0, seconds=ended.seconds, log=log
            )
        outcome, reason = {
            "exit": (Outcome.FAILED, exit_text(ended.returncode)),
            "timeout": (Outcome.TIMED_OUT, f"did not end within {job.timeout:g} s"),
            "cancel": (Outcome.CANCELLED, self.cancel.soft.reason or "cancelled"),
        }[ended.why]
        return JobResult(
            name=job.name,
            stage=job.stage,
            outcome=outcome,
            reason=reason,
            exit_code=ended.returncode if ended.why == "exit" else None,
            command=script.command_reached(),
            seconds=ended.seconds,
            log=log,
            hints=self._hints(outcome, output, environment),
        )

    def _hints(self, outcome: Outcome, output: Output, environment: dict[str, str]) -> tuple[str, ...]:
        if outcome is not Outcome.FAILED:
            return ()
        texts = (*self.job.before_script, *self.job.script, *output.tail)
        names = withheld_names(self.context.user, environment, texts)
        if not names:
            return ()
        listed = ", ".join(names)
        quoted = ", ".join(f'"{name}"' for name in names)
        return (f"your shell has {listed}, which the job did not get; if it needs that, write pass_env = [{quoted}]",)
