"""Pure: from what was found now and in the base to what blocks."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.finding import NOT_SCANNED, JudgedFinding, State
from hookci.model.globs import matcher
from hookci.scan.identity import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.finding import Confidence, Finding, ScanReport, Severity
    from hookci.model.scan import Scan, Suppression

__all__ = ["Assessment", "Measure", "assess", "unused_suppressions"]


class Measure(Struct, frozen=True, kw_only=True):
    """What findings are held against.

    ``base`` are the findings of the base; ``renamed`` has the name a file has now by the one it had there.
    ``baseline`` says how many there may be by identity.  ``everything`` lets findings block that the base has too.
    """

    scan: Scan
    severity: Severity
    confidence: Confidence
    now: float
    base: Sequence[Finding] = ()
    renamed: Mapping[str, str] | None = None
    baseline: Mapping[str, int] | None = None
    everything: bool = False


class Assessment(Struct, frozen=True):
    """The findings with what became of them, which suppressions they used, and when the first of those ends."""

    findings: tuple[JudgedFinding, ...]
    used: tuple[int, ...]
    holds_until: float | None


def assess(found: Sequence[Finding], measure: Measure) -> Assessment:
    """Say of each finding whether it is new, whether it is suppressed, and whether it blocks."""
    renamed = measure.renamed or {}
    known = Counter(fingerprint(finding, renamed.get(finding.path)) for finding in measure.base)
    for identity, count in (measure.baseline or {}).items():
        known[identity] = max(known[identity], count)
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in found:
        groups[fingerprint(finding)].append(finding)
    judge = _Judge(measure)
    judged = [
        judge.of(finding, f"{identity}:{number}", State.UNCHANGED if number <= known[identity] else State.NEW)
        for identity, group in groups.items()
        for number, finding in enumerate(sorted(group, key=_place), 1)
    ]
    judged.sort(key=lambda one: (one.finding.path, *_place(one.finding), one.finding.rule))
    return Assessment(tuple(judged), tuple(sorted(judge.used)), judge.holds_until)


def _place(finding: Finding) -> tuple[int, int]:
    return finding.line, finding.column


def unused_suppressions(
    suppressions: Sequence[Suppression], reports: Sequence[ScanReport], *, everything: bool
) -> list[str]:
    """What to say of suppressions that matched nothing in any of ``reports``, which are all there can be.

    Secrets are looked for in what is added, so one that is suppressed is usually not come by: unless ``everything``
    was scanned, nothing is said of those.
    """
    used = {number for report in reports for number in report.used}
    return [
        f"{one.where} ({_named(one)}) matches nothing any more: take it out"
        for number, one in enumerate(suppressions)
        if number not in used and (everything or not one.secret)
    ]


def _named(suppression: Suppression) -> str:
    what = suppression.rule or suppression.fingerprint[:12] or "a secret"
    return f"{what} in {suppression.path}" if suppression.path else what


class _Judge:
    """Applies suppressions and thresholds; remembers which suppressions it used."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._today = datetime.fromtimestamp(measure.now, UTC).date()
        self._suppressions = [(one, matcher(one.path) if one.path else None) for one in measure.scan.suppressions]
        self.used: set[int] = set()
        self.holds_until: float | None = None

    def of(self, finding: Finding, identity: str, state: State) -> JudgedFinding:
        reason, note = self._suppressed(finding, identity)
        return JudgedFinding(
            finding=finding,
            fingerprint=identity,
            state=state,
            suppressed=reason,
            note=note,
            blocks=not reason and (state is State.NEW or self._measure.everything) and self._counts(finding),
        )

    def _counts(self, finding: Finding) -> bool:
        if not self._measure.scan.decides:
            return False
        if finding.rule == NOT_SCANNED:
            return not self._measure.scan.allow_unscanned
        severe = finding.severity.rank >= self._measure.severity.rank
        return severe and finding.confidence.rank >= self._measure.confidence.rank and not finding.in_source

    def _suppressed(self, finding: Finding, identity: str) -> tuple[str, str]:
        """The reason of the suppression that covers a finding, else what there is to say of one that did."""
        note = ""
        for number, (suppression, in_path) in enumerate(self._suppressions):
            if not _covers(suppression, finding, identity) or not (in_path is None or in_path(finding.path)):
                continue
            self.used.add(number)
            if suppression.expires >= self._today:
                self._note_end(suppression)
                return suppression.reason, ""
            note = f"{suppression.where} covered it until {suppression.expires.isoformat()}"
        return "", note

    def _note_end(self, suppression: Suppression) -> None:
        after = datetime.combine(suppression.expires, datetime.min.time(), UTC) + timedelta(days=1)
        self.holds_until = min(after.timestamp(), self.holds_until or after.timestamp())


def _covers(suppression: Suppression, finding: Finding, identity: str) -> bool:
    if finding.secret:  # a rule or a place would cover the next secret there too
        return suppression.secret == finding.secret
    if suppression.rule:
        return suppression.rule in {finding.rule, finding.name, *finding.aliases}
    return bool(suppression.fingerprint) and suppression.fingerprint == identity
