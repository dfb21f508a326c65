"""The dependencies of a snapshot as a scanner: offline, against the advisories that were imported."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from hookci import __version__
from hookci.model.finding import Confidence, Severity
from hookci.scan.adapter import Scanned
from hookci.scan.dependencies.manifests import kind_of, with_included

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from hookci.model.finding import Finding
    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Tree
    from hookci.scan.advisories.advisory import Advisory
    from hookci.scan.advisories.database import Database
    from hookci.scan.dependencies.dependency import Dependency
    from hookci.scan.dependencies.reading import Declared

__all__ = ["DependencyScanner"]

_DAY = 86_400.0
_NO_DATABASE = (
    "no advisory database is there: `hookci advisories update` fetches one, `hookci advisories import FILE` takes one"
)


class DependencyScanner:
    """Matches what the files of a tree declare and lock with the database of advisories in the user's data."""

    name = "dependencies"
    per_file = False
    severity = Severity.LOW
    confidence = Confidence.LOW

    def version(self) -> str:
        """That of the whole, of which it is a part, and the number of its own form of findings."""
        return f"{__version__} 1"

    def asks(self, tree: Tree) -> list[str]:
        """The files that declare or lock dependencies, and those that these take in."""
        return with_included(tree, (path for path in tree.oids if kind_of(path) is not None))

    def rules(self, tree: Tree, scan: Scan) -> str:  # noqa: ARG002 (the shape of all scanners)
        """When advisories are too old; which advisories there are is for whoever remembers an answer to look at."""
        return f"stale after {scan.stale_after}"

    def scan(self, tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk) -> Scanned:
        """Judge what ``paths``, and the files they take in, declare and lock."""
        if not paths:
            return Scanned(what="nothing declares dependencies")
        from hookci.scan.advisories.database import Database  # noqa: PLC0415 (dear, and most remembered scans need none)
        from hookci.scan.dependencies.reading import read_declared  # noqa: PLC0415 (as above)

        declared = read_declared(tree, with_included(tree, paths), desk.check)
        database = Database.open(desk.data) if declared.dependencies else None
        if database is None:
            return _unjudged(declared)
        with database:
            return _judged(declared, database, scan, desk)


def _unjudged(declared: Declared) -> Scanned:
    return Scanned(
        findings=_sorted(declared.findings),
        files=declared.files,
        what=_what(declared),
        unscanned=(_NO_DATABASE,) if declared.dependencies else (),
        notes=tuple(_of_addresses(declared)),
        holds_until=0.0 if declared.dependencies else None,
    )


def _judged(declared: Declared, database: Database, scan: Scan, desk: Desk) -> Scanned:
    by_ecosystem: defaultdict[str, list[Dependency]] = defaultdict(list)
    for dependency in declared.dependencies:
        by_ecosystem[dependency.ecosystem].append(dependency)
    missing = sorted(by_ecosystem.keys() - database.dates.keys())
    dates = {database.dates[ecosystem] for ecosystem in by_ecosystem if ecosystem in database.dates}
    findings = list(declared.findings)
    for ecosystem, dependencies in by_ecosystem.items():
        if ecosystem not in missing:
            findings += _found(dependencies, database.about(ecosystem, {one.name for one in dependencies}), desk)
    ends = min((_midnight(day) + scan.stale_after for day in dates), default=0.0)
    is_stale = ends <= desk.now
    return Scanned(
        findings=_sorted(findings),
        files=declared.files,
        what=", ".join(filter(None, [_what(declared), _of(dates)])),
        unscanned=tuple(_lacking(ecosystem, by_ecosystem[ecosystem]) for ecosystem in missing),
        notes=(*_of_addresses(declared), *(_of_age(min(dates), desk.now) if dates and is_stale else ())),
        holds_until=0.0 if is_stale or missing else ends,
    )


def _found(
    dependencies: Iterable[Dependency], advisories: Mapping[str, Sequence[Advisory]], desk: Desk
) -> Iterator[Finding]:
    from hookci.scan.dependencies.judging import judge_dependency  # noqa: PLC0415 (as above)

    for dependency in dependencies:
        desk.check()
        yield from judge_dependency(dependency, advisories.get(dependency.name, ()))


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.path, finding.line, finding.rule)))


def _what(declared: Declared) -> str:
    dependencies = _count(len(declared.dependencies), "dependency", "dependencies")
    return f"{dependencies} in {_count(declared.files, 'file', 'files')}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _of(dates: Iterable[date]) -> str:
    told = " and ".join(day.isoformat() for day in sorted(dates))
    return f"advisories of {told}" if told else ""


def _of_age(day: date, now: float) -> tuple[str]:
    age = _count(int((now - _midnight(day)) // _DAY), "day", "days")
    return (f"the advisories are of {day.isoformat()}, {age} old: `hookci advisories update` fetches new ones",)


def _of_addresses(declared: Declared) -> Iterator[str]:
    if declared.addresses:
        comes = _count(len(declared.addresses), "dependency comes", "dependencies come")
        yield f"{comes} from an address, so no advisory tells of them: {', '.join(declared.addresses)}"


def _lacking(ecosystem: str, dependencies: Iterable[Dependency]) -> str:
    paths = ", ".join(dict.fromkeys(one.path for one in dependencies))
    return f"the advisory database has nothing about {ecosystem}, which {paths} needs"


def _midnight(day: date) -> float:
    return datetime.combine(day, time.min, UTC).timestamp()
