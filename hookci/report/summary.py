"""The last thing on the screen: what came of a run, and for what is red, all that is needed to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.model.result import Outcome, Verdict
from hookci.model.text import plain
from hookci.report.terminal import paint, shown
from hookci.report.words import BROKEN, STYLES, counted, coverage, detail, duration, named, not_checked, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hookci.model.result import JobResult, RunResult
    from hookci.model.testreport import ReportedTests
    from hookci.report.findings import View
    from hookci.report.terminal import Style

__all__ = ["failure_text", "scan_text", "success_text"]

_TAIL = 20
_IN_FULL = 5
_NAMED = 10
_LONGEST_LINE = 500

_VERDICTS: dict[Verdict, tuple[str, Style]] = {
    Verdict.GREEN: ("is green", "green"),
    Verdict.RED: ("is red", "red"),
    Verdict.NONE: ("has no verdict", "red"),
    Verdict.INTERRUPTED: ("was interrupted, there is no verdict", "yellow"),
}


def success_text(result: RunResult, *, color: bool) -> str:
    """One line that says what ran and how long it took; more for what was not checked, or has a note."""
    return "".join(f"{line}\n" for line in (*_remarks(result, color=color), *_ending(result, color=color)))


def failure_text(
    result: RunResult, tails: Mapping[str, Sequence[str]], view: View, *, rerun: Callable[[str], str]
) -> str:
    """Every job that broke a run, then what became of the run; the most relevant comes last.

    Args:
        result: how the run ended, not green.
        tails: the end of the output by job, see `hookci.report.tails.Tails`.
        view: the screen, and how much of what scans have found.
        rerun: the command that runs just the job with this name again.
    """
    broken = _broken(result)
    others, in_full = broken[:-_IN_FULL], broken[-_IN_FULL:]
    blocks = [_also(others, view.width)] if others else []
    blocks += ["\n".join(_block(job, tails.get(job.name, ()), view, again=rerun(job.name))) for job in in_full]
    blocks.append("\n".join([*_remarks(result, color=view.color), *_ending(result, color=view.color)]))
    return "\n\n".join(blocks) + "\n"


def scan_text(result: RunResult, tails: Mapping[str, Sequence[str]], view: View) -> str:
    """All that was scanned and found, then what became of it; arguments as for `failure_text`."""
    good = [job for job in result.jobs if job.scan and job.outcome not in BROKEN]
    blocks = ["\n".join([_heading(job, color=view.color), *_found(job, view)]) for job in good]
    blocks += ["\n".join(_block(job, tails.get(job.name, ()), view)) for job in _broken(result)]
    # with nothing in between they would be there twice
    again = () if result.verdict is Verdict.GREEN else _remarks(result, color=view.color)
    blocks.append("\n".join([*again, *_ending(result, color=view.color)]))
    return "\n\n".join(blocks) + "\n"


def _broken(result: RunResult) -> list[JobResult]:
    broken = [job for job in reversed(result.jobs) if job.outcome in BROKEN]
    return sorted(broken, key=_relevance)


def _relevance(result: JobResult) -> bool:
    """What kept hookci from judging comes after what it judged: it decides the exit status."""
    return result.outcome in {Outcome.ERRORED, Outcome.UNSUPPORTED}


def _also(others: Sequence[JobResult], width: int) -> str:
    import textwrap  # noqa: PLC0415 (few runs have that much to tell)

    names = ", ".join(plain(job.name) for job in reversed(others))
    text = f"also broken: {names}"
    return "\n".join(textwrap.wrap(text, max(width, 20), subsequent_indent="  ", break_on_hyphens=False))


def _block(job: JobResult, tail: Sequence[str], view: View, *, again: str = "") -> Iterator[str]:
    def key(name: str) -> str:
        return "  " + paint(f"{name}:", "dim", color=view.color)

    yield _heading(job, color=view.color)
    if job.scan is None or not job.scan.decides or (job.exit_code is not None and job.scan.unscanned):
        yield from _script(job, tail, key, color=view.color)
    yield from _found(job, view)
    rest = [("hint", plain(hint)) for hint in job.hints] + [("log", job.log), ("again", again)]
    told = [f"{key(name)} {text}" for name, text in rest if text]
    if told and job.scan and job.scan.blocking:
        yield ""
    yield from told


def _script(job: JobResult, tail: Sequence[str], key: Callable[[str], str], *, color: bool) -> Iterator[str]:
    """Where the script of a job broke; of one whose scanner found something, the findings say more."""
    if job.command:
        first, *more = plain(job.command).strip().splitlines() or [""]
        yield f"{key('command')} {first}{' ...' if more else ''}"
    if job.tests and job.tests.failing:
        yield from _failing(job.tests, key)
    yield from _tail(tail, key, color=color)


def _found(job: JobResult, view: View) -> Iterator[str]:
    if job.scan is not None:
        from hookci.report.findings import findings_text  # noqa: PLC0415 (a remembered verdict has no scans)

        lines = findings_text(job.scan, replace(view, width=view.width - 2))
        yield from (f"  {line}".rstrip() for line in lines)


def _heading(job: JobResult, *, color: bool) -> str:
    words = paint(f"{plain(job.name)} {_verb(job.outcome)}", STYLES[job.outcome], color=color)
    time = f" in {duration(job.seconds)}" if job.attempts else ""
    attempt = f" (attempt {job.attempts})" if job.attempts > 1 else ""
    why = detail(job)
    return f"{words}{time}{attempt}{f': {why}' if why else ''}"


def _verb(outcome: Outcome) -> str:
    return f"is {told(outcome)}" if outcome is Outcome.UNSUPPORTED else told(outcome)


def _failing(tests: ReportedTests, key: Callable[[str], str]) -> Iterator[str]:
    yield key("failing tests" if tests.failed <= _NAMED else f"failing tests, first {_NAMED}")
    for test in tests.failing[:_NAMED]:
        text = f"{plain(test.name)}: {plain(test.message)}" if test.message else plain(test.name)
        yield f"    {_bounded(text, color=False)}"


def _tail(tail: Sequence[str], key: Callable[[str], str], *, color: bool) -> Iterator[str]:
    lines = list(tail)
    while lines and not plain(lines[-1]).strip():
        lines.pop()
    if lines:
        yield key("output" if len(lines) <= _TAIL else f"output, last {_TAIL} lines")
    for line in lines[-_TAIL:]:
        yield f"    {_bounded(line, color=color)}".rstrip()


def _bounded(line: str, *, color: bool) -> str:
    bare = plain(line)
    return f"{bare[:_LONGEST_LINE]} ..." if len(bare) > _LONGEST_LINE else shown(line, color=color)


def _remarks(result: RunResult, *, color: bool) -> Iterator[str]:
    """The coverage, what was not scanned although nothing broke, and what scanners want to be known."""
    for job in result.jobs:
        if job.coverage is not None and job.outcome not in BROKEN:
            yield paint(f"hookci: {plain(job.name)}: {coverage(job)}", "dim", color=color)
        if job.scan is not None and job.outcome not in BROKEN:
            from hookci.report.findings import brief, remarks  # noqa: PLC0415 (as above)

            for text in brief(job.scan):
                yield paint(f"hookci: {plain(job.name)}: {text}", "yellow", color=color)
            for text, unscanned in remarks(job.scan):
                yield paint(f"hookci: {plain(job.name)}: {text}", "yellow" if unscanned else "dim", color=color)


def _ending(result: RunResult, *, color: bool) -> Iterator[str]:
    words, style = _VERDICTS[result.verdict]
    if result.skipped_by_request:
        yield not_checked(result.skipped_by_request, color=color)
    verdict = paint(f"{plain(result.label)} {words}", style, color=color)
    if result.remembered:
        yield f"hookci: {verdict}: remembered [run {result.number}]"
        return
    run = f"run {result.number}" + (f", goes on with run {result.belongs_to}" if result.belongs_to else "")
    yield f"hookci: {verdict}: {_counts(result.jobs)} in {duration(result.seconds)} [{run}]"


def _counts(jobs: Sequence[JobResult]) -> str:
    """``4 jobs passed (build, unit, lint, docs), 1 allowed to fail (integration)``."""
    groups = [(outcome, [job.name for job in jobs if job.outcome is outcome]) for outcome in STYLES]
    parts = [(outcome, names) for outcome, names in groups if names]
    return (
        ", ".join(
            f"{len(names) if index else counted(len(names), 'job')} {told(outcome, len(names))}{named(names)}"
            for index, (outcome, names) in enumerate(parts)
        )
        or "nothing to run"
    )
