"""``hookci plan --why`` as text, and as the document that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from hookci.model.plan import Action
from hookci.model.text import plain
from hookci.model.why import Kind
from hookci.report.documents import WhyDocument
from hookci.report.entries_why import DifferenceEntry, PassEntry, WhyEntry
from hookci.report.machine import at
from hookci.report.terminal import aligned, paint
from hookci.report.words import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.memory import KeptPass
    from hookci.model.why import Difference, Why
    from hookci.report.entries import NoticeEntry

__all__ = ["render_why", "why_document"]

_SHOWN = 10
_ALONE = {
    Kind.FILE: "some of its files (which ones is not known any more)",
    Kind.VARIABLE: "the environment (which variable is not known any more)",
    Kind.CHECKOUT: "how git writes files: core.autocrlf and the like, attributes, the umask",
    Kind.PLATFORM: "operating system or kernel",
    Kind.ENGINE: "the container engine",
}
_VERBS: dict[Kind, dict[str, str]] = {
    Kind.VARIABLE: {"added": "is set", "removed": "is not set any more"},
    Kind.PROGRAM: {"added": "is a program now", "removed": "is no program any more"},
    Kind.IMAGE: {"added": "is here now", "removed": "is not here"},
    Kind.JOB: {"changed": "would run on something else: `hookci plan --why` says why"},
}


def why_document(answers: Sequence[Why], notices: tuple[NoticeEntry, ...]) -> WhyDocument:
    """What ``hookci plan --why --json`` writes."""
    return WhyDocument(jobs=tuple(map(_entry, answers)), notices=notices)


def render_why(answers: Sequence[Why], *, color: bool) -> str:
    """Each job with the pass it is held against, and what has changed since; ends with a line end."""
    return "\n".join("".join(f"{line}\n" for line in _lines(answer, color=color)) for answer in answers)


def _lines(why: Why, *, color: bool) -> list[str]:
    word = paint(why.action or "left out", "green" if why.action is Action.RUN else "dim", color=color)
    lines = [f"{paint(plain(why.job), 'bold', color=color)}: {word}, {plain(why.reason)}"]
    if why.passed is None:
        return lines
    lines.append(f"  passed in {_pass(why.passed)}")
    if not why.differences:
        return [*lines, "  nothing that its result depends on has changed since"]
    files = [one for one in why.differences if one.kind is Kind.FILE]
    shown = [*files[:_SHOWN], *(one for one in why.differences if one.kind is not Kind.FILE)]
    lines += ["  since then:", *aligned([_row(one) for one in shown], indent="    ")]
    more = why.more + max(0, len(files) - _SHOWN)
    return [*lines, f"    and {more} more files"] if more else lines


def _pass(kept: KeptPass) -> str:
    passed, known = kept.passed, kept.circumstances
    said = f"run {passed.run} ({duration(passed.seconds)}), {at(passed.finished).astimezone():%Y-%m-%d %H:%M:%S}"
    if known is None:
        return said
    who = f" by {plain(known.user)}" if known.user else ""
    return f"{said}, on {plain(known.label)} ({known.commit[:8]}){who} at {plain(known.host)}"


def _row(one: Difference) -> tuple[str, str]:
    name = plain(one.name) or _ALONE.get(one.kind, "")
    verb = _VERBS.get(one.kind, {}).get(one.how, one.how)
    told = [plain(value) for value in (one.was, one.now) if value]
    values = f": {' => '.join(told)}" if told else ""
    return one.kind.value, f"{name} {verb}{values}"


def _entry(why: Why) -> WhyEntry:
    return WhyEntry(
        job=why.job,
        action=why.action,
        reason=why.reason,
        passed=_pass_entry(why.passed) if why.passed else None,
        differences=tuple(map(_difference_entry, why.differences)),
        more_files=why.more,
    )


def _difference_entry(one: Difference) -> DifferenceEntry:
    how = cast("Literal['added', 'removed', 'changed']", one.how)
    return DifferenceEntry(kind=one.kind, name=one.name, how=how, was=one.was, now=one.now)


def _pass_entry(kept: KeptPass) -> PassEntry:
    passed, known = kept.passed, kept.circumstances
    return PassEntry(
        run=passed.run,
        finished=at(passed.finished),
        seconds=passed.seconds,
        expires=None if passed.expires is None else at(passed.expires),
        commit=known.commit if known else None,
        tree=known.tree if known else None,
        label=known.label if known else None,
        host=known.host if known else None,
        user=known.user if known else None,
    )
