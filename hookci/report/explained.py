"""``hookci explain`` as text, and as the document that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

from hookci.model.explained import Fate
from hookci.model.text import plain
from hookci.report.documents import ExplainDocument
from hookci.report.entries_explain import KeywordEntry
from hookci.report.terminal import aligned, paint
from hookci.report.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.model.explained import ExplainedKeyword, Explanation
    from hookci.report.terminal import Style

__all__ = ["explain_document", "render_explanation"]

_STYLES: dict[Fate, Style] = {Fate.EXECUTED: "green", Fate.WITHOUT_EFFECT: "dim", Fate.REFUSED: "red"}


def explain_document(explanation: Explanation) -> ExplainDocument:
    """What ``hookci explain --json`` writes."""
    return ExplainDocument(
        source=explanation.source, keywords=tuple(KeywordEntry(**asdict(one)) for one in explanation.keywords)
    )


def render_explanation(explanation: Explanation, *, color: bool) -> str:
    """For the pipeline and each job: what is executed on one line, and a line for everything else."""
    names = dict.fromkeys(one.job for one in explanation.keywords)
    blocks = [_block(name, [one for one in explanation.keywords if one.job == name], color=color) for name in names]
    return "\n".join([*blocks, _summary(explanation)]) + "\n"


def _block(name: str | None, keywords: Sequence[ExplainedKeyword], *, color: bool) -> str:
    executed = [one.keyword for one in keywords if one.fate is Fate.EXECUTED]
    rest = [one for one in keywords if one.fate is not Fate.EXECUTED]
    rows = [[_word(Fate.EXECUTED, color=color), ", ".join(executed)]] if executed else []
    rows += [[_word(one.fate, color=color), f"{one.keyword} ({plain(one.file)}:{one.line}): {one.why}"] for one in rest]
    head = "the pipeline" if name is None else f"job {plain(name)}"
    return "\n".join([head, *(f"  {line}" for line in aligned(rows))]) + "\n"


def _word(fate: Fate, *, color: bool) -> str:
    return paint(fate, _STYLES[fate], color=color)


def _summary(explanation: Explanation) -> str:
    jobs = {one.job for one in explanation.keywords} - {None}
    refused = {one.job for one in explanation.keywords if one.fate is Fate.REFUSED}
    said = f"{plain(explanation.source)}: {counted(len(jobs), 'job')}"
    if refused:
        waiting = ", ".join(plain(name) if name is not None else "the pipeline" for name in refused)
        return f"{said}; refused unless --allow-unsupported leaves it out: {waiting}"
    return f"{said}, nothing is refused"
