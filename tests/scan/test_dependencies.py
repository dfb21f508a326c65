from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from desk_samples import NOW, desk, tree
from manifest_samples import NPM_LOCK_3, put, record

from hookci.model.finding import NOT_SCANNED, Severity
from hookci.model.scan import Scan
from hookci.scan.adapter import ScanStoppedError
from hookci.scan.dependencies.adapter import DependencyScanner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.scan.adapter import Scanned

_FRESH = datetime.fromtimestamp(NOW - 3 * 86_400, UTC).date().isoformat()
_DJANGO = record("PYSEC-1", "Django", "2.2.24", modified=f"{_FRESH}T00:00:00Z")
_LODASH = record("GHSA-l", "lodash", "4.17.11", ecosystem="npm", modified=f"{_FRESH}T00:00:00Z")


def _scan(tmp_path: Path, files: Mapping[str, str], *records: Mapping[str, object]) -> Scanned:
    at = desk(tmp_path)
    if records:
        put(at.data, *records, now=NOW)
    scanner, made = DependencyScanner(), tree(files)
    return scanner.scan(made, scanner.asks(made), Scan(tool="dependencies"), at)


def test_a_vulnerable_version_is_a_finding_with_what_there_is_to_say(tmp_path: Path) -> None:
    answer = _scan(tmp_path, {"requirements.txt": "six==1.0\nDjango==2.2  # old\n"}, _DJANGO)

    (finding,) = answer.findings
    assert (finding.tool, finding.rule, finding.path, finding.line) == (
        "dependencies",
        "PYSEC-1",
        "requirements.txt",
        2,
    )
    assert finding.message == "django 2.2 has a known vulnerability: it can be broken into (fixed in 2.2.24)"
    assert (finding.text, finding.code, finding.severity) == ("Django==2.2  # old", "django", Severity.HIGH)
    assert finding.help_uri == "https://advisories.example/PYSEC-1"
    assert answer.what == f"2 dependencies in 1 file, advisories of {_FRESH}"
    assert (answer.files, answer.unscanned, answer.notes) == (1, (), ())


def test_a_version_is_compared_as_its_ecosystem_does(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "django==2.2.24\n",
        "b/requirements.txt": "django==2.2.9\n",
        "package-lock.json": NPM_LOCK_3,
    }

    answer = _scan(tmp_path, files, _DJANGO, _LODASH)

    assert [(finding.path, finding.message.split(" has")[0]) for finding in answer.findings] == [
        ("b/requirements.txt", "django 2.2.9"),
        ("package-lock.json", "lodash 4.17.4"),
        ("package-lock.json", "lodash 3.0.0"),
    ]
    assert "(fixed in 4.17.11)" in answer.findings[1].message


@pytest.mark.parametrize(
    ("specifier", "is_found"),
    [
        ("<2.2.24", True),
        (">=2,<2.2", True),
        ("~=2.2.0", False),
        (">=2", False),
        ("", False),
        ("!=2.2.24,<2.2.25", True),
    ],
)
def test_a_choice_is_a_finding_only_when_nothing_in_it_is_free(tmp_path: Path, specifier: str, is_found: bool) -> None:
    answer = _scan(tmp_path, {"requirements.txt": f"django{specifier}\n"}, _DJANGO)

    assert [finding.code for finding in answer.findings] == ["django"] * is_found
    assert all(" installs a version with a known vulnerability" in finding.message for finding in answer.findings)


def test_alternatives_are_a_finding_only_when_all_of_them_are(tmp_path: Path) -> None:
    files = {
        "a/pyproject.toml": '[tool.poetry.dependencies]\ndjango = "<1 || >=2,<2.2"\n',
        "b/pyproject.toml": '[tool.poetry.dependencies]\ndjango = "<1 || >=3"\n',
    }

    answer = _scan(tmp_path, files, _DJANGO)

    assert [finding.path for finding in answer.findings] == ["a/pyproject.toml"]


def test_the_records_of_one_vulnerability_are_one_finding(tmp_path: Path) -> None:
    records = [
        record("PYSEC-1", "django", "2.2.24", aliases=["CVE-1"], summary="", severity="LOW"),
        record("GHSA-1", "django", "2.2.25", aliases=["CVE-1"], summary="said well", severity="CRITICAL"),
        record("OTHER-1", "django", "2.2.24", aliases=["PYSEC-1"], summary="said elsewhere"),
        record("PYSEC-2", "django", "2.2.24", aliases=["CVE-2"], severity="MODERATE"),
    ]

    answer = _scan(tmp_path, {"requirements.txt": "django==2.2\n"}, *records)

    one, other = answer.findings
    assert (one.rule, one.aliases, one.severity) == ("PYSEC-1", ("CVE-1", "GHSA-1", "OTHER-1"), Severity.CRITICAL)
    assert one.message == "django 2.2 has a known vulnerability: said well (fixed in 2.2.25)"
    assert (other.rule, other.severity) == ("PYSEC-2", Severity.MEDIUM)


def test_the_next_fixed_version_is_told_and_never_an_older_one(tmp_path: Path) -> None:
    older = record("PYSEC-1", "django", "1.11.29")
    both = older | {"affected": [*_affected(older), *_affected(record("PYSEC-1", "django", "2.2.9", introduced="2.0"))]}

    answer = _scan(tmp_path, {"requirements.txt": "django==2.1\n"}, both)

    assert answer.findings[0].message.endswith("(fixed in 2.2.9)")


def _affected(made: Mapping[str, object]) -> list[object]:
    affected = made["affected"]
    assert isinstance(affected, list)
    return affected


def test_findings_are_in_the_order_of_path_line_and_rule(tmp_path: Path) -> None:
    files = {"requirements.txt": "six==1.0\ndjango==2.2\n", "a/requirements.txt": "django==2.1\n"}
    records = [record("PYSEC-2", "django", "3"), record("PYSEC-1", "django", "3"), record("PYSEC-3", "six", "2")]

    answer = _scan(tmp_path, files, *records)

    assert [(finding.path, finding.line, finding.rule) for finding in answer.findings] == [
        ("a/requirements.txt", 1, "PYSEC-1"),
        ("a/requirements.txt", 1, "PYSEC-2"),
        ("requirements.txt", 1, "PYSEC-3"),
        ("requirements.txt", 2, "PYSEC-1"),
        ("requirements.txt", 2, "PYSEC-2"),
    ]


def test_a_version_that_cannot_be_compared_is_not_scanned(tmp_path: Path) -> None:
    answer = _scan(tmp_path, {"requirements.txt": "django===our-build\n"}, _DJANGO)

    (finding,) = answer.findings
    assert (finding.rule, finding.line, finding.text) == (NOT_SCANNED, 1, "django===our-build")
    assert finding.message == "django our-build has no version that can be compared"


def test_without_a_database_nothing_is_called_clean(tmp_path: Path) -> None:
    answer = _scan(tmp_path, {"requirements.txt": "django==2.2\nbroken line\n"})

    (reason,) = answer.unscanned
    assert "`hookci advisories update`" in reason
    assert (answer.holds_until, answer.what) == (0.0, "1 dependency in 1 file")
    assert [finding.rule for finding in answer.findings] == [NOT_SCANNED]


def test_a_database_without_an_ecosystem_says_which_files_it_says_nothing_about(tmp_path: Path) -> None:
    files = {"requirements.txt": "django==2.2\n", "web/package-lock.json": NPM_LOCK_3}

    answer = _scan(tmp_path, files, _DJANGO)

    assert answer.unscanned == ("the advisory database has nothing about npm, which web/package-lock.json needs",)
    assert [finding.rule for finding in answer.findings] == ["PYSEC-1"]
    assert answer.holds_until == 0.0


@pytest.mark.parametrize(("days", "is_stale"), [(13, False), (15, True)])
def test_an_old_database_is_a_note_and_a_young_one_holds_until_it_is_old(
    tmp_path: Path, days: int, is_stale: bool
) -> None:
    day = datetime.fromtimestamp(NOW - days * 86_400, UTC).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()

    answer = _scan(
        tmp_path, {"requirements.txt": "six==1.0\n"}, record("P-1", "django", "2", modified=f"{day}T01:00:00Z")
    )

    told = f"the advisories are of {day}, {days} days old: `hookci advisories update` fetches new ones"
    assert answer.notes == ((told,) if is_stale else ())
    assert answer.holds_until == (0.0 if is_stale else midnight + 14 * 86_400)
    assert not answer.unscanned


def test_what_comes_from_an_address_is_one_note(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "a @ https://x.example/a.zip\n",
        "pyproject.toml": '[project]\ndependencies = ["b @ git+https://x.example/b"]\n',
    }

    answer = _scan(tmp_path, files)

    assert answer.notes == ("2 dependencies come from an address, so no advisory tells of them: b, a",)


def test_a_tree_that_declares_nothing_is_scanned_without_a_database(tmp_path: Path) -> None:
    answer = _scan(tmp_path, {"main.py": "print()\n"})

    assert (answer.files, answer.what, answer.unscanned) == (0, "nothing declares dependencies", ())


def test_files_in_which_no_dependency_is_need_no_database(tmp_path: Path) -> None:
    answer = _scan(tmp_path, {"pyproject.toml": "[tool.ruff]\n"})

    assert (answer.files, answer.what, answer.unscanned) == (1, "0 dependencies in 1 file", ())
    assert answer.holds_until is None


def test_a_scan_that_is_stopped_stops(tmp_path: Path) -> None:
    def stop() -> None:
        raise ScanStoppedError

    made = tree({"requirements.txt": "six==1.0\n"})

    with pytest.raises(ScanStoppedError):
        DependencyScanner().scan(made, ["requirements.txt"], Scan(tool="dependencies"), desk(tmp_path, check=stop))


def test_the_first_word_of_the_version_is_hookcis_and_the_age_that_is_too_old_counts() -> None:
    scanner = DependencyScanner()

    first, _rest = scanner.version().split(" ")
    rules = {scanner.rules(tree({}), Scan(tool="dependencies", stale_after=after)) for after in (1.0, 2.0)}

    assert first.count(".") == 2
    assert len(rules) == 2
