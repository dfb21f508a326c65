"""A dependency held against the advisories about its package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookci.model.finding import Finding, Severity
from hookci.scan.advisories.advisory import PYPI
from hookci.scan.advisories.versions import affects, newest_unaffected
from hookci.scan.dependencies.dependency import OR, TOOL, not_scanned
from hookci.scan.dependencies.text import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hookci.scan.advisories.advisory import Advisory
    from hookci.scan.dependencies.dependency import Dependency

__all__ = ["judge_dependency"]

_REVIEWED = ("GHSA-", "PYSEC-")


def judge_dependency(dependency: Dependency, advisories: Iterable[Advisory]) -> list[Finding]:
    """The findings for one dependency, one for each vulnerability however many records tell of it.

    An exact version is a finding when it is affected, a choice when the newest version that it admits is.
    """
    try:
        hits = [advisory for advisory in advisories if _is_hit(dependency, advisory)]
    except ValueError:
        reason = f"{dependency.label} has no version that can be compared"
        place = Place(dependency.line, dependency.text)
        return [not_scanned(dependency.path, reason, place, dependency.label)]
    return [_finding(dependency, records) for records in _by_vulnerability(hits)]


def _is_hit(dependency: Dependency, advisory: Advisory) -> bool:
    if dependency.version is not None:
        return affects(advisory, dependency.version)
    return not any(newest_unaffected(advisory, choice) for choice in dependency.specifier.split(OR))


def _by_vulnerability(advisories: Iterable[Advisory]) -> list[list[Advisory]]:
    """The records grouped: those with a name in common are about one vulnerability."""
    groups: list[list[Advisory]] = []
    for advisory in advisories:
        names = _names([advisory])
        same = [group for group in groups if not names.isdisjoint(_names(group))]
        groups = [group for group in groups if group not in same]
        groups.append([*(record for group in same for record in group), advisory])
    return groups


def _names(records: Iterable[Advisory]) -> set[str]:
    return {name for record in records for name in (record.id, *record.aliases)}


def _finding(dependency: Dependency, records: Sequence[Advisory]) -> Finding:
    named, told = min(records, key=_rank), min(records, key=_worth)
    stated = [record.severity for record in records if record.severity is not None]
    return Finding(
        tool=TOOL,
        rule=named.id,
        aliases=tuple(sorted(_names(records) - {named.id})),
        message=_message(dependency, told.summary, _fixed(dependency, records)),
        severity=max(stated, key=lambda severity: severity.rank, default=Severity.HIGH),
        path=dependency.path,
        line=dependency.line,
        text=dependency.text,
        code=dependency.name,
        help_uri=told.url,
    )


def _rank(record: Advisory) -> tuple[bool, bool, str]:
    """The record that names the finding comes first; a record that the database gains later changes no name."""
    return (not record.id.startswith("PYSEC-"), not record.id.startswith(_REVIEWED), record.id)


def _worth(record: Advisory) -> tuple[bool, bool, bool, str]:
    """The record to show comes first: one that says what it is about, and says it whole."""
    return (not record.summary, not record.id.startswith(_REVIEWED), record.summary.endswith("..."), record.id)


def _message(dependency: Dependency, summary: str, fixed: Sequence[str]) -> str:
    has = "has" if dependency.version is not None else "installs a version with"
    about = f": {summary}" if summary else ""
    mended = f" (fixed in {', '.join(fixed)})" if fixed else ""
    return f"{dependency.label} {has} a known vulnerability{about}{mended}"


def _fixed(dependency: Dependency, records: Sequence[Advisory]) -> list[str]:
    """The next version without the vulnerability; for a choice of versions all that begin to be without it."""
    read = _reader(dependency.ecosystem)
    fixed = {}
    for text in {text for record in records for events in record.ranges for kind, text in events if kind == "fixed"}:
        try:
            version = read(text)
        except ValueError:
            continue
        if not any(affects(record, text) for record in records):
            fixed[version] = text
    if dependency.version is None:
        return [fixed[version] for version in sorted(fixed)]
    above = [version for version in fixed if version > read(dependency.version)]
    return [fixed[min(above)]] if above else []


def _reader(ecosystem: str) -> Callable[[str], Any]:
    if ecosystem == PYPI:
        from packaging.version import Version  # noqa: PLC0415 (only for packages of PyPI)

        return Version
    from semver import Version as SemVersion  # noqa: PLC0415 (only for packages of npm)

    return SemVersion.parse
