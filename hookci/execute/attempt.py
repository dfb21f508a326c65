"""One attempt of one job: its workspace made ready, its commands run, and what is left of them kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import HookciError
from hookci.execute.environment import secret_values, told_environment, withheld_names
from hookci.execute.handing import applies, handed_variables, keep_artifacts, with_handed, with_variables
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.execute.place import Commands
from hookci.execute.predefined import attempt_facts
from hookci.execute.variables import ASKING, Asked, job_variables
from hookci.model.pipeline import CachePolicy
from hookci.model.result import JobResult, Outcome
from hookci.proc.supervise import exit_text
from hookci.workspace.copy import copy_paths
from hookci.workspace.slot import NO_CACHES, Caches, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hookci.execute.cancel import JobCancel
    from hookci.execute.context import RunContext
    from hookci.execute.place import Place, Ran
    from hookci.execute.testreports import Reports
    from hookci.model.event import JobOutput
    from hookci.model.pipeline import Cache, Job
    from hookci.model.plan import PlannedJob
    from hookci.proc.supervise import Ended
    from hookci.workspace.cache import CachePlace
    from hookci.workspace.slot import Slot

__all__ = ["AttemptExecutor", "Visit", "Visited"]

_AFTER_SCRIPT_TIMEOUT = 300.0
"""Seconds; GitLab gives an after_script five minutes too."""
_STATUS = {"exit": "failed", "timeout": "failed", "cancel": "canceled"}


class Visited(Struct, frozen=True, kw_only=True):
    """An attempt whose script and after_script are over.

    ``top`` is the workspace's path as the script saw it, ``written`` the reports for a GitLab scan, each with its kind,
    as globs below it.  ``say`` puts a line into the job's log, ``mask`` takes secrets out of one.
    """

    workspace: Path
    top: str
    ended: Ended
    written: Sequence[tuple[str, str]]
    say: Callable[[str], None]
    mask: Callable[[str], str]


class Visit(Struct, frozen=True):
    """Looks at an attempt's workspace: before its script starts, and when script and after_script are over."""

    before: Callable[[Path], None]
    after: Callable[[Visited], None]


class AttemptExecutor(Struct, frozen=True):
    """Runs one attempt of one job at a time for each thread that calls it, in the place that ``places`` gives it."""

    context: RunContext
    places: Callable[[RunContext, PlannedJob, Slot], Place]

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
            place = self.places(self.context, planned, slot)
            try:
                return _Attempt(self.context, planned, slot, place, cancel, tell, started, visit).run()
            finally:
                place.close()
        finally:
            slot.release()


class _Attempt(Struct):
    context: RunContext
    planned: PlannedJob
    slot: Slot
    place: Place
    cancel: JobCancel
    tell: Callable[[JobOutput], None]
    started: Callable[[], None]
    visit: Visit | None
    asked: Asked = Asked()

    @property
    def job(self) -> Job:
        return self.planned.job

    def run(self) -> JobResult:
        environment = self._environment()
        path, log = self.context.open_log(self.job.name)
        with log:
            masker = Masker(secret_values(environment, self.job.secrets) | self.context.hidden)
            self.planned = replace(self.planned, job=with_variables(self.job, environment))
            output = Output(self.job.name, log, masker, self.tell)
            try:
                self._ask(environment, output)
                if self.asked.wrong:
                    return self._refused(output, path)
                return self._logged(environment, output, masker.mask, path)
            except HookciError as error:
                output.say(f"hookci: {error.message}")
                return self._errored(error, path)
            finally:
                output.finish()

    def _logged(self, environment: dict[str, str], output: Output, mask: Callable[[str], str], path: str) -> JobResult:
        first = self._before_checkout(environment, output)
        if first is not None:
            output.finish()
            return self._result(first, output, environment, path)
        self.place.begin(environment)
        places = self._places(environment)
        self._prepare(places, output)
        if cancelled := self._cancelled():
            return cancelled
        if self.visit:
            self.visit.before(Path(os.fsdecode(self.slot.found)))
        self._make_place_ready(environment, output)
        if cancelled := self._cancelled():
            return cancelled
        reports = self._reports()
        ran = self._script(environment, output)
        ended = ran.ended
        is_out_of_time = self._is_out_of_time(ran)
        if self.job.after_script and self.cancel.hard.reason is None and not is_out_of_time:
            ran = self._after_script(ran, environment, output)
        self.place.bring_back(self._wanted(places))
        if self.visit:
            self.visit.after(self._visited(ended, output, mask))
        passed = _passed(ran)
        tests = reports.read(mask, output.say) if reports and ended.why != "cancel" else None
        broken = None if is_out_of_time else self._keep(places, output, passed=passed)
        output.finish()
        result = self._result(ran, output, environment, path)
        if broken and passed:
            result = replace(result, outcome=Outcome.FAILED, reason=broken)
        return replace(result, tests=tests, coverage=self._coverage(path))

    def _places(self, environment: Mapping[str, str]) -> Sequence[tuple[Cache, CachePlace]]:
        if not self.job.cache:
            return ()
        from hookci.execute.caching import cache_places  # noqa: PLC0415 (few jobs have any)

        return cache_places(self.job, environment, self.context.blobs)

    def _reports(self) -> Reports | None:
        if not self.job.junit:
            return None
        from hookci.execute.testreports import Reports  # noqa: PLC0415 (few jobs declare any)

        return Reports(self.slot.found, self.job.junit, self.slot.workspace)

    def _coverage(self, path: str) -> float | None:
        if self.job.coverage is None:
            return None
        from hookci.execute.coverage import read_coverage  # noqa: PLC0415 (few jobs declare it)

        return read_coverage(self.job.coverage, path)

    def _errored(self, error: HookciError, path: str) -> JobResult:
        job, hints = self.job, (error.hint,) if error.hint else ()
        return JobResult(
            name=job.name, stage=job.stage, outcome=Outcome.ERRORED, reason=error.message, hints=hints, log=path
        )

    def _make_place_ready(self, environment: Mapping[str, str], output: Output) -> None:
        try:
            self.place.prepare(environment, output, self.cancel.soft)
        except HookciError:
            if self.cancel.soft.reason is None:  # what was cut short is no error
                raise

    # -- surroundings

    def _ask(self, environment: Mapping[str, str], output: Output) -> None:
        if self.job.gitlab and not ASKING.isdisjoint(environment):
            from hookci.execute.runner import asked_in  # noqa: PLC0415 (few jobs ask for anything)

            self.asked = asked_in(environment, output.say)

    def _refused(self, output: Output, path: str) -> JobResult:
        job, why = self.job, self.asked.wrong
        output.say(f"hookci: {why}")
        return JobResult(name=job.name, stage=job.stage, outcome=Outcome.FAILED, reason=why, log=path)

    def _environment(self) -> dict[str, str]:
        context, job = self.context, self.job
        workspace, place = self.place.workspace, context.places.get(job.name, 0)
        environment = {
            **context.given(job),
            **told_environment(job, context.plan),
            "HOOKCI_RUN": str(context.number),
            "HOOKCI_WORKSPACE": workspace,
            "HOOKCI_JOB_TOKEN": self.slot.token,
            "CI_PIPELINE_ID": str(context.number),
            "CI_PROJECT_DIR": workspace,
            **attempt_facts(job, context.number, place, workspace, context.clock()),
        }
        environment.setdefault("CI_PROJECT_NAME", context.slots.name)
        self.planned = with_handed(context, self.planned, environment)
        handed = handed_variables(context, self.planned)
        environment.update(job_variables(self.planned, environment, handed))
        return environment

    def _prepare(self, places: Sequence[tuple[Cache, CachePlace]], output: Output) -> None:
        context, slot = self.context, self.slot
        pulled = [place for cache, place in places if cache.policy is not CachePolicy.PUSH]
        snapshot, narrow = context.plan.snapshot, self._narrow()
        tree = snapshot.tree
        if narrow is not None:
            from hookci.git.narrow import narrow_tree  # noqa: PLC0415 (few jobs declare inputs)

            tree = narrow_tree(context.source.repository, context.source.scratch, narrow)
        wanted = Wanted(
            tree=tree,
            commit=snapshot.commit if self.asked.sources else "",
            whole=snapshot.tree,
            shown=narrow,
            local=not self.job.contained and narrow is None,
            caches=Caches(
                keep=lambda files: context.caches.in_place(slot.directory, files, pulled),
                fill=lambda files: context.caches.restore(slot.directory, files, slot.workspace, pulled),
            )
            if pulled
            else NO_CACHES,
        )
        slot.prepare(context.source, wanted, output.say)
        for giver in self.planned.artifacts_from:
            run = context.passed_in.get(giver)
            there = context.artifacts.restore(run or context.number, giver, slot.found, name=slot.workspace)
            if not there and run is not None:
                raise HookciError(f"the artifacts of `{giver}`, which passed in run {run}, are gone", "run it again")
        self._carry()

    def _narrow(self) -> dict[str, str] | None:
        """The files of the snapshot that the job declares as its inputs, or none; None for all of them."""
        if not self.asked.sources:
            return {}
        return None if self.job.inputs is None else self.context.blobs().named(self.job.inputs)

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
            copy_paths(os.fsencode(top), [os.fsencode(name.rstrip("/"))], self.slot.found, env=self.context.user)

    def _visited(self, ended: Ended, output: Output, mask: Callable[[str], str]) -> Visited:
        written = self.job.scan.written if self.job.scan else ()
        return Visited(
            workspace=Path(os.fsdecode(self.slot.found)),
            top=self.place.workspace,
            ended=ended,
            written=[(one.kind, one.path) for one in written],
            say=output.say,
            mask=mask,
        )

    # -- the commands

    def _before_checkout(self, environment: Mapping[str, str], output: Output) -> Ran | None:
        """Run what is to be run before the sources are there; how it ended, if that ends the job.

        Source: GitLab CI/CD YAML reference, "hooks:pre_get_sources_script"; as there, no after_script follows.  Where
        no sources are to come, a runner leaves it out.
        """
        job = self.job
        if not (job.before_checkout and self.asked.sources):
            return None
        ran = self.place.run_first(self._said("first", job.before_checkout, environment, output, job.timeout), output)
        self.started = _nothing
        return None if _passed(ran) else ran

    def _script(self, environment: Mapping[str, str], output: Output) -> Ran:
        job, asked = self.job, self.asked.script_timeout
        limit = job.timeout if asked is None else min(asked, job.timeout)
        ran = self._commands("script", (*job.before_script, *job.script), environment, output, limit)
        if ran.ended.why == "timeout" and limit < job.timeout:
            return replace(ran, reason=f"did not end within {limit:g} s, its RUNNER_SCRIPT_TIMEOUT")
        return ran

    def _is_out_of_time(self, ran: Ran) -> bool:
        """Whether a job of a GitLab file has no time left for its after_script, nor to keep anything.

        Source: GitLab CI/CD YAML reference, "after_script" and "artifacts:when".
        """
        return self.job.gitlab and ran.ended.why == "timeout" and not ran.reason

    def _commands(
        self, name: str, texts: Sequence[str], environment: Mapping[str, str], output: Output, timeout: float
    ) -> Ran:
        return self.place.run(self._said(name, texts, environment, output, timeout))

    def _said(
        self, name: str, texts: Sequence[str], environment: Mapping[str, str], output: Output, timeout: float
    ) -> Commands:
        return Commands(
            name=name,
            texts=texts,
            environment=environment,
            sink=output.feed,
            timeout=timeout,
            cancel=self.cancel.hard if name == "after" else self.cancel.soft,
            started=self.started,
        )

    def _after_script(self, ran: Ran, environment: dict[str, str], output: Output) -> Ran:
        """Run it; how the job ended by that: as its script did, unless this is to count too, and did not pass."""
        status = "success" if _passed(ran) else _STATUS[ran.ended.why]
        told = {**environment, "CI_JOB_STATUS": status, "HOOKCI_JOB_STATUS": status}
        output.finish()
        # whatever is asked for, a job has no more time than its own
        limit = min(self.asked.after_timeout or _AFTER_SCRIPT_TIMEOUT, max(self.job.timeout, _AFTER_SCRIPT_TIMEOUT))
        after = self._commands("after", self.job.after_script, told, output, limit)
        if _passed(after):
            return ran
        is_late = after.ended.why == "timeout"
        if self.asked.after_counts and _passed(ran):
            why = f"after_script did not end within {limit:g} s" if is_late else after.reason or "after_script failed"
            seconds = ran.ended.seconds + after.ended.seconds
            return replace(after, reason=why, ended=replace(after.ended, seconds=seconds))
        how = f"did not end within {limit:g} s" if is_late else f"ended with {exit_text(after.ended.returncode)}"
        output.say(f"hookci: after_script {how}; that does not change the result")
        return ran

    # -- what is left

    def _wanted(self, places: Sequence[tuple[Cache, CachePlace]]) -> tuple[str, ...]:
        """What of the workspace is looked at after the commands."""
        job = self.job
        stored = tuple(place.pattern for cache, place in places if cache.policy is not CachePolicy.PULL)
        report = job.scan.paths if job.scan else ()
        untracked = ("**",) if job.artifacts.untracked or any(cache.untracked for cache in job.cache) else ()
        return (*job.artifacts.paths, *job.artifacts.dotenv, *job.junit, *stored, *report, *untracked)

    def _keep(self, places: Sequence[tuple[Cache, CachePlace]], output: Output, *, passed: bool) -> str | None:
        """Keep what is handed on; what is wrong with it, if that fails the job."""
        context, slot = self.context, self.slot
        pushed = [
            place
            for cache, place in places
            if cache.policy is not CachePolicy.PULL and applies(cache.when, passed=passed)
        ]
        try:
            broken = keep_artifacts(context, self.job, slot, output.say, passed=passed)
            context.caches.save(slot.directory, slot.found, slot.workspace, pushed, context.blobs)
        except OSError as error:
            what = f"{error.strerror}: {os.fsdecode(error.filename or '')}"
            raise HookciError(f"job `{self.job.name}`: what it made could not be kept: {what}") from error
        return broken

    def _result(self, ran: Ran, output: Output, environment: dict[str, str], log: str) -> JobResult:
        job, ended = self.job, ran.ended
        if _passed(ran):
            return JobResult(
                name=job.name, stage=job.stage, outcome=Outcome.PASSED, exit_code=0, seconds=ended.seconds, log=log
            )
        outcome, reason = {
            "exit": (Outcome.FAILED, ran.reason),
            "timeout": (Outcome.TIMED_OUT, ran.reason or f"did not end within {job.timeout:g} s"),
            "cancel": (Outcome.CANCELLED, self.cancel.soft.reason or "cancelled"),
        }[ended.why]
        return JobResult(
            name=job.name,
            stage=job.stage,
            outcome=outcome,
            reason=reason,
            exit_code=ended.returncode if ended.why == "exit" else None,
            command=ran.command,
            seconds=ended.seconds,
            log=log,
            hints=self._hints(outcome, output, environment),
        )

    def _cancelled(self) -> JobResult | None:
        """The result of a job whose end was asked for before its script began; None when nobody did."""
        reason = self.cancel.soft.reason
        if reason is None:
            return None
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
        where = "pass_env" if not self.job.gitlab else "a hookci.toml beside the file with defaults.pass_env"
        return (f"your shell has {listed}, which the job did not get; if it needs that, write {where} = [{quoted}]",)


def _passed(ran: Ran) -> bool:
    return ran.ended.why == "exit" and ran.ended.returncode == 0


def _nothing() -> None:
    """That the job's first process runs is told once."""
