"""Attempts of jobs whose own script looks for findings: what it writes is read when it is over."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.execute.attempt import Visit
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.execute.scans import judged
from hookci.model.finding import Confidence, Severity
from hookci.model.pipeline import Artifacts, CachePolicy
from hookci.model.scan import SARIF
from hookci.scan.adapter import Scanned
from hookci.scan.scanners import judge, report_lines
from hookci.scan.trees import Examined, read_found, write_found
from hookci.scan.veil import veiled
from hookci.workspace.copy import expand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hookci.execute.attempt import AttemptExecutor, Visited
    from hookci.execute.cancel import JobCancel
    from hookci.execute.context import RunContext
    from hookci.execute.scans import Comparison, ScanContext
    from hookci.model.event import JobOutput
    from hookci.model.finding import Finding, ScanReport
    from hookci.model.plan import PlannedJob
    from hookci.model.result import JobResult
    from hookci.model.scan import Scan
    from hookci.scan.adapter import Tree

__all__ = ["ReportedAttempt"]

_LARGEST_REPORT = 64 * 1024 * 1024
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ReportedAttempt(Struct, frozen=True):
    """One attempt of a job that writes reports; the arguments are those of the executor, and what it is for."""

    inner: AttemptExecutor
    context: RunContext
    scans: ScanContext
    planned: PlannedJob
    scan: Scan
    cancel: JobCancel
    tell: Callable[[JobOutput], None]
    started: Callable[[], None]

    def run(self) -> JobResult:
        """Run it to its end.

        Raises:
            HookciError: the attempt could not be made, so there is no verdict.
        """
        return self._by_sarif() if self.scan.tool == SARIF else self._by_gitlab()

    # -- findings that decide

    def _by_sarif(self) -> JobResult:
        result, scanned = self._run_script(self.inner, self.planned, self.scans.head())
        if scanned is None:
            return result
        self._remember(self.context.plan.snapshot.tree, scanned)
        wanted = self._wanted(scanned)
        comparison = self.scans.comparison
        examined = Examined(wanted)
        if wanted.findings and comparison is not None:
            examined = self._beside(wanted, comparison, lambda: self._findings_of_base(comparison))
        order = self.scans.order(self.scan)
        judgement = judge(examined, order, self.scans.clock(), (Severity.MEDIUM, Confidence.LOW), "")
        self._log(judgement.report, self.tell)
        return judged(result, judgement)

    def _run_script(self, inner: AttemptExecutor, planned: PlannedJob, tree: Tree) -> tuple[JobResult, Scanned | None]:
        """Run the job's own script; what its report says, None when the job was cut short."""
        seen: list[Scanned] = []

        def before(workspace: Path) -> None:
            # a report that is tracked would speak for a scanner that never ran
            with contextlib.suppress(OSError):
                (workspace / self.scan.report).unlink()

        def after(visited: Visited) -> None:
            if visited.ended.why == "exit":
                seen.append(self._read_sarif(tree, visited))

        result = inner.run(planned, self.cancel, self.tell, self.started, Visit(before, after))
        return result, seen[0] if seen else None

    def _read_sarif(self, tree: Tree, visited: Visited) -> Scanned:
        read = _read("sarif", visited.workspace / self.scan.report, tree, visited.top)
        if isinstance(read, str):
            return Scanned(unscanned=(f"{self.scan.report} {read}",))
        scanned = _masked(read, visited.mask)
        status = visited.ended.returncode
        if status and not scanned.findings and not scanned.unscanned:
            why = f"the script ended with exit status {status}, and {self.scan.report} names no finding"
            return replace(scanned, unscanned=(why,))
        return scanned

    def _findings_of_base(self, comparison: Comparison) -> tuple[Finding, ...]:
        """What the same job finds in the base: remembered, or found out now."""
        found = self._remembered(comparison)
        if found is not None:
            return found
        caches = tuple(replace(cache, policy=CachePolicy.PULL) for cache in self.planned.job.cache)
        job = replace(self.planned.job, artifacts=Artifacts(), cache=caches)
        inner = replace(self.inner, context=comparison.context())
        _result, scanned = self._run_script(inner, replace(self.planned, job=job), comparison.tree())
        if scanned is None or scanned.unscanned:
            return ()
        self._remember(comparison.oid, scanned)
        return scanned.findings

    # -- findings that are shown beside what the script decides

    def _by_gitlab(self) -> JobResult:
        """As on GitLab: the script alone says whether the job is red, and its reports are told beside that.

        They are compared with those of the same job on the base, if it has run there; nothing is run for that.
        """
        seen: list[Scanned] = []

        def after(visited: Visited) -> None:
            if visited.ended.why != "cancel":
                seen.extend(self._read_gitlab(visited))

        visit = Visit(lambda _workspace: None, after)
        result = self.inner.run(self.planned, self.cancel, self.tell, self.started, visit)
        if not seen:
            return result
        scanned = _together(seen)
        self._remember(self.context.plan.snapshot.tree, scanned)
        wanted, order, comparison = self._wanted(scanned), self.scans.order(self.scan), self.scans.comparison
        base = self._remembered(comparison) if comparison is not None else None
        if comparison is None or base is None:
            examined, order = Examined(wanted), replace(order, base="")
        else:
            examined = self._beside(wanted, comparison, lambda: base)
        judgement = judge(examined, order, self.scans.clock(), (Severity.LOW, Confidence.LOW), "")
        self._log(judgement.report, lambda _output: None)  # the summary has them, after the script's own output
        return replace(result, scan=judgement.report)

    def _read_gitlab(self, visited: Visited) -> list[Scanned]:
        """What each report says; one that says nothing is told in the log, and leaves the job as it is."""
        tree = self.scans.head()
        root = os.fsencode(visited.workspace)
        found = []
        for kind, glob in visited.written:
            paths = sorted(map(os.fsdecode, expand(root, [glob])))
            if not paths:
                visited.say(f"hookci: no {kind} report matches `{glob}`")
            for path in paths:
                scanned = _read(kind, visited.workspace / path, tree, visited.top)
                if isinstance(scanned, str):
                    scanned = Scanned(unscanned=(scanned,))
                told = tuple(f"{kind} report {path}: {why}" for why in scanned.unscanned)
                found.append(_masked(replace(scanned, unscanned=told), visited.mask))
        return found

    # -- both

    def _wanted(self, scanned: Scanned) -> Scanned:
        return replace(scanned, findings=tuple(one for one in scanned.findings if self.scans.wanted(one.path)))

    def _beside(self, wanted: Scanned, comparison: Comparison, base: Callable[[], tuple[Finding, ...]]) -> Examined:
        """What was found, with what the base had; of the very same tree that is the same."""
        if comparison.oid == self.context.plan.snapshot.tree:
            return Examined(wanted, wanted.findings)
        return Examined(wanted, base(), comparison.renamed())

    def _remembered(self, comparison: Comparison) -> tuple[Finding, ...] | None:
        key = self.scans.key(self.planned.job, comparison.oid)
        known = self.scans.memory.found([key]).get(key) if key else None
        found = read_found(known) if known else None
        return None if found is None else tuple(found)

    def _remember(self, tree: str, scanned: Scanned) -> None:
        key = self.scans.key(self.planned.job, tree)
        if key and (not scanned.unscanned or (scanned.findings and not self.scan.decides)):
            self.scans.memory.remember_found({key: write_found(scanned.findings)})

    def _log(self, report: ScanReport, tell: Callable[[JobOutput], None]) -> None:
        name = self.planned.job.name
        _path, log = self.context.open_log(name)
        with log:
            output = Output(name, log, Masker(()), tell)
            for line in report_lines(report):
                output.say(line)
            output.finish()


def _read(kind: str, path: Path, tree: Tree, top: str) -> Scanned | str:
    """What a report says, or why it says nothing."""
    from hookci.scan.gitlab.reader import read_written  # noqa: PLC0415 (most scan jobs write no report)

    data = _content(path)
    if isinstance(data, str):
        return data

    names: dict[str, None] = {}
    # once to see which files it speaks of: git is asked for all of them together
    read_written(kind, data, known=names.setdefault, top=top)
    texts = {name: content.decode(errors="replace") for name, content in tree.contents(names).items()}
    scanned = read_written(kind, data, known=texts.get, top=top)
    return replace(scanned, findings=veiled(scanned.findings, lambda: None))


def _content(path: Path) -> bytes | str:
    """A report's content, or why there is none."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        return "was not written" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "is no file"
        data = file.read(_LARGEST_REPORT + 1)
    return "is larger than 64 MiB" if len(data) > _LARGEST_REPORT else data


def _together(several: list[Scanned]) -> Scanned:
    """The answers of all reports of one job as one."""
    told = dict.fromkeys(one.what.removeprefix("the report of ") for one in several if one.what)
    return Scanned(
        findings=tuple(finding for one in several for finding in one.findings),
        files=sum(one.files for one in several),
        what=f"the report{'s' if len(told) > 1 else ''} of {', '.join(told)}" if told else "",
        unscanned=tuple(reason for one in several for reason in one.unscanned),
        notes=tuple(dict.fromkeys(note for one in several for note in one.notes)),
    )


def _masked(scanned: Scanned, mask: Callable[[str], str]) -> Scanned:
    findings = tuple(replace(one, message=mask(one.message), text=mask(one.text)) for one in scanned.findings)
    return replace(scanned, findings=findings, unscanned=tuple(map(mask, scanned.unscanned)))
