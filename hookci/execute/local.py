"""The executor that runs jobs as processes of this machine, each in a clean checkout of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hookci.errors import HookciError
from hookci.execute.caching import cache_places
from hookci.execute.environment import expand_all, planned_environment, secret_values, withheld_names
from hookci.execute.keys import narrowed
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.execute.script import make_script, shell_argv
from hookci.execute.testreports import Reports
from hookci.git.narrow import narrow_tree
from hookci.model.pipeline import CachePolicy, When
from hookci.model.result import JobResult, Outcome
from hookci.proc.supervise import Supervised, exit_text, supervise
from hookci.workspace.copy import copy_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.execute.cancel import JobCancel
    from hookci.execute.context import RunContext
    from hookci.execute.script import Script
    from hookci.model.event import JobOutput
    from hookci.model.pipeline import Cache, Job
    from hookci.model.plan import PlannedJob
    from hookci.proc.supervise import Ended
    from hookci.workspace.cache import CachePlace
    from hookci.workspace.slots import Slot

__all__ = ["LocalExecutor", "Visit"]

_AFTER_SCRIPT_TIMEOUT = 300.0
"""Seconds; GitLab gives an after_script five minutes too."""
_STATUS = {"exit": "failed", "timeout": "failed", "cancel": "canceled"}


@dataclass(frozen=True, slots=True)
class Visit:
    """Looks at an attempt's workspace: before its script starts, and when script and after_script are over."""

    before: Callable[[Path], None]
    after: Callable[[Path, Ended], None]


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """Runs one attempt of one job at a time for each thread that calls it."""

    context: RunContext

    def run(
        self,
        planned: PlannedJob,
        cancel: JobCancel,
        tell: Callable[[JobOutput], None],
        started: Callable[[], None],
        visit: Visit | None = None,
    ) -> JobResult:
        """Run one attempt to its end; nothing of it runs any more afterwards.

        Args:
            planned: what to run.
            cancel: ends it early; the outcome is then ``cancelled``.
            tell: gets the output.
            started: called when the job's first process runs.
            visit: looks at the workspace.

        Raises:
            HookciError: the attempt could not be made, so there is no verdict.
        """
        slot = self.context.slots.acquire(planned.job.name)
        try:
            return _Attempt(self.context, planned, slot, cancel, tell, started, visit).run()
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
    visit: Visit | None

    @property
    def job(self) -> Job:
        return self.planned.job

    def run(self) -> JobResult:
        environment = self._environment()
        path, log = self.context.open_log(self.job.name)
        with log:
            masker = Masker(self._secrets(environment))
            output = Output(self.job.name, log, masker, self.tell)
            try:
                places = cache_places(self.job, environment, self.context.blobs)
                self._prepare(places, output)
                if self.cancel.soft.reason is not None:
                    return self._cancelled_before_start(self.cancel.soft.reason)
                if self.visit:
                    self.visit.before(Path(os.fsdecode(self.slot.workspace)))
                script = self._script((*self.job.before_script, *self.job.script), "script")
                reports = Reports(self.slot.workspace, self.job.junit)
                ended = self._supervise(script, environment, output, self.job.timeout)
                if self.job.after_script and self.cancel.hard.reason is None:
                    self._after_script(ended, environment, output)
                if self.visit:
                    self.visit.after(Path(os.fsdecode(self.slot.workspace)), ended)
                passed = ended.why == "exit" and ended.returncode == 0
                tests = None if ended.why == "cancel" else reports.read(masker.mask, output.say)
                self._keep(places, output, passed=passed)
            finally:
                output.finish()
            return replace(self._result(ended, script, output, environment, path), tests=tests)

    # -- surroundings

    def _environment(self) -> dict[str, str]:
        plan, job = self.context.plan, self.job
        workspace = os.fsdecode(self.slot.workspace)
        environment = planned_environment(self.context.user, job, plan)
        environment.update(
            HOOKCI_RUN=str(self.context.number),
            HOOKCI_WORKSPACE=workspace,
            HOOKCI_JOB_TOKEN=self.slot.token,
            CI_PIPELINE_ID=str(self.context.number),
            CI_PROJECT_DIR=workspace,
            CI_PROJECT_NAME=self.context.slots.name,
        )
        environment.update(expand_all(job.variables, environment))
        return environment

    def _secrets(self, environment: Mapping[str, str]) -> set[str]:
        """What must not be shown: a job's own secrets, and those another job may have handed over in a file."""
        everyones = {name for planned in self.context.plan.jobs.values() for name in planned.job.secrets}
        return secret_values(environment, self.job.secrets) | secret_values(self.context.user, sorted(everyones))

    def _shell(self, environment: dict[str, str]) -> tuple[str, str]:
        path = environment.get("PATH", os.defpath)
        for name in (self.job.shell,) if self.job.shell else ("bash", "sh"):
            program = self.context.which(name, path)
            if program:
                return name, program
        raise HookciError(f"job `{self.job.name}`: no `{self.job.shell or 'sh'}` on the PATH")

    def _prepare(self, places: Sequence[tuple[Cache, CachePlace]], output: Output) -> None:
        context, checkout = self.context, self.slot.checkout
        wanted = [place for cache, place in places if cache.policy is not CachePolicy.PUSH]
        kept = context.caches.in_place(self.slot.directory, self.slot.workspace, wanted)

        def fill() -> None:
            context.caches.restore(self.slot.directory, self.slot.workspace, wanted)

        snapshot = context.plan.snapshot
        narrow = self._narrow()
        tree = snapshot.tree
        if narrow is not None:
            tree = narrow_tree(context.source.repository, context.source.scratch, narrow, self.slot.token)
        checkout.reset(context.source, tree, keep=kept, fill=fill, say=output.say)
        hidden = [] if narrow is None else [path for path in context.blobs() if path not in narrow]
        checkout.expose(context.source, snapshot.commit, snapshot.tree, hidden)
        for giver in self.planned.artifacts_from:
            run = context.passed_in.get(giver)
            if not context.artifacts.restore(run or context.number, giver, self.slot.workspace) and run is not None:
                raise HookciError(f"the artifacts of `{giver}`, which passed in run {run}, are gone", "run it again")
        self._carry()

    def _narrow(self) -> dict[str, str] | None:
        """The files of the snapshot that the job declares as its inputs; None for all of them."""
        return None if self.job.inputs is None else narrowed(self.context.blobs(), self.job.inputs)

    def _carry(self) -> None:
        top = self.context.carried_from
        for name in self.job.carry:
            if top is None:
                raise HookciError(f"job `{self.job.name}` carries `{name}`, but a bare repository has no work tree")
            if any(
                path == name.rstrip("/") or path.startswith(f"{name.rstrip('/')}/") for path in self.context.blobs()
            ):
                raise HookciError(
                    f"job `{self.job.name}` carries `{name}`, which is tracked: what is judged is the snapshot's own"
                )
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
        pushed = [place for cache, place in places if cache.policy is not CachePolicy.PULL and applies(cache.when)]
        try:
            if self.job.artifacts.paths and applies(self.job.artifacts.when):
                for pattern in context.artifacts.save(context.number, self.job.name, workspace, self.job.artifacts):
                    output.say(f"hookci: no artifact matches `{pattern}`")
            context.caches.save(self.slot.directory, workspace, pushed)
        except OSError as error:
            what = f"{error.strerror}: {os.fsdecode(error.filename or '')}"
            raise HookciError(f"job `{self.job.name}`: what it made could not be kept: {what}") from error

    def _result(self, ended: Ended, script: Script, output: Output, environment: dict[str, str], log: str) -> JobResult:
        job = self.job
        if ended.why == "exit" and ended.returncode == 0:
            return JobResult(
                name=job.name, stage=job.stage, outcome=Outcome.PASSED, exit_code=0, seconds=ended.seconds, log=log
            )
        outcome, reason = {
            "exit": (Outcome.FAILED, ""),  # the exit status says it all
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

    def _cancelled_before_start(self, reason: str) -> JobResult:
        return JobResult(name=self.job.name, stage=self.job.stage, outcome=Outcome.CANCELLED, reason=reason)

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
