"""What is made of one OSV record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from advisory_samples import record

from hookci.model.finding import Severity
from hookci.scan.advisories.advisory import NPM, PYPI, Advisory
from hookci.scan.advisories.osv import read_record
from hookci.scan.advisories.versions import affects

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = ["1"] * 20_001
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def only(document: Mapping[str, object]) -> Advisory:
    (found,) = read_record(document).advisories
    return found


def affected(*packages: tuple[str, str], **changes: object) -> list[dict[str, object]]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    return [
        {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **changes} for ecosystem, name in packages
    ]


def test_a_record_becomes_an_advisory() -> None:
    document = record(
        "PYSEC-2026-1", "Django", aliases=["CVE-2026-1", "GHSA-x"], published="2025-12-01T00:00:00Z",
        references=[{"type": "WEB", "url": "https://example.com/web"}, {"type": "FIX", "url": "https://example.com/fix"}],
        severity=[{"type": "CVSS_V3", "score": CRITICAL}],
    )  # fmt: skip

    found = read_record(document)

    assert found.advisories == (
        Advisory(
            id="PYSEC-2026-1",
            ecosystem=PYPI,
            package="django",
            summary="a hole",
            ranges=((("introduced", "0"), ("fixed", "2.2.24")),),
            aliases=("CVE-2026-1", "GHSA-x"),
            severity=Severity.CRITICAL,
            url="https://example.com/web",
        ),
    )
    assert (found.modified, found.withdrawn, found.left_out) == ("2026-01-02T03:04:05.000000Z", False, "")


def test_names_are_in_the_canonical_form_of_their_ecosystem() -> None:
    document = record("A-1", affected=affected((PYPI, "Zope.Interface_X"), (NPM, "@scope/JSONStream")))

    packages = [found.package for found in read_record(document).advisories]

    assert packages == ["zope-interface-x", "@scope/JSONStream"]


def test_entries_about_one_package_are_taken_together() -> None:
    one, two = (record("A-1", fixed=fixed)["affected"] for fixed in ("1.0", "2.0"))
    assert isinstance(one, list)
    assert isinstance(two, list)

    found = only(record("A-1", affected=[*one, *two]))

    assert [events[1] for events in found.ranges] == [("fixed", "1.0"), ("fixed", "2.0")]


def test_a_suffix_of_the_ecosystem_means_the_same_packages() -> None:
    assert only(record("A-1", affected=affected(("PyPI:stable", "django")))).ecosystem == PYPI


def test_versions_that_a_range_has_already_are_not_kept_twice() -> None:
    entry = {**affected((PYPI, "p"))[0], "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2"}]}]}

    found = only(record("A-1", affected=[{**entry, "versions": ["1.0", "2.0", "2.1"]}]))

    assert found.versions == {"1.0"}


def test_ranges_of_commits_are_no_versions() -> None:
    commits = [{"type": "GIT", "repo": "https://example.com/p", "events": [{"introduced": "0"}]}]

    found = read_record(record("A-1", affected=affected((PYPI, "p"), ranges=commits)))
    listed = only(record("A-1", affected=affected((PYPI, "p"), ranges=commits, versions=["1.0"])))

    assert (found.advisories, found.left_out) == ((), "no versions")
    assert [affects(listed, version) for version in ("1.0", "1.1")] == [True, False]


@pytest.mark.parametrize(
    ("packages", "left_out"),
    [
        (affected(("Go", "x"), ("Maven", "y:z")), "Maven"),
        ([], "no package"),
        (None, "no package"),
        ([{}], "no package"),
    ],
)
def test_what_is_not_kept_says_why(packages: object, left_out: str) -> None:
    found = read_record(record("A-1", affected=packages))

    assert (found.advisories, found.left_out) == ((), left_out)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"severity": [{"type": "CVSS_V3", "score": CRITICAL}]}, Severity.CRITICAL),
        ({"severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}]}, None),
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        (
            {"database_specific": {"severity": "LOW"}, "severity": [{"type": "CVSS_V3", "score": CRITICAL}]},
            Severity.CRITICAL,
        ),
        (
            {"affected": affected((PYPI, "p"), severity=[{"type": "CVSS_V3", "score": CRITICAL}])},
            Severity.CRITICAL,
        ),
        ({"severity": "high", "database_specific": ["severity"]}, None),
    ],
)
def test_the_severity_is_the_worst_that_is_stated(changes: Mapping[str, object], expected: Severity | None) -> None:
    assert only({**record("A-1"), **changes}).severity is expected


def test_malware_is_critical() -> None:
    assert only(record("MAL-2026-1")).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (None, "https://osv.dev/vulnerability/A-1"),
        ([{"type": "WEB", "url": "https://w"}, {"type": "ADVISORY", "url": "https://a"}], "https://a"),
        ([{"type": "WEB", "url": "javascript:alert(1)"}], "https://osv.dev/vulnerability/A-1"),
        ([{"type": "WEB", "url": "https://a/\x1b]0;t\x07"}], "https://osv.dev/vulnerability/A-1"),
        (["https://a", {"type": "WEB"}], "https://osv.dev/vulnerability/A-1"),
        ([{"type": "ADVISORY", "url": "https://a"}, {"type": "WEB", "url": "https://w/CVE-9"}], "https://w/CVE-9"),
        ([{"type": "ADVISORY", "url": "https://a"}, {"type": "ADVISORY", "url": "https://b/A-1"}], "https://b/A-1"),
    ],
)
def test_the_link_leads_to_an_advisory(references: object, expected: str) -> None:
    assert only(record("A-1", references=references, aliases=["CVE-9"])).url == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"summary": "  a\n hole "}, "a"),
        ({"summary": "", "details": "# Impact\n\nIt \x1b[31mburns\x1b]0;t\x07.\nMore."}, "It burns."),
        ({"summary": None, "details": "word " * 60}, "word " * 31 + "..."),
        ({"summary": "lone \ud800"}, "lone ?"),
        ({"summary": None}, ""),
        ({"summary": 7}, "7"),
    ],
)
def test_the_summary_is_one_line_that_a_terminal_can_show(texts: Mapping[str, object], expected: str) -> None:
    assert only({**record("A-1"), **texts}).summary == expected


@pytest.mark.parametrize(
    ("modified", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05.000000Z"),
        ("0900-01-02T03:04:05Z", "0900-01-02T03:04:05.000000Z"),
    ],
)
def test_times_are_told_in_one_form_that_sorts(modified: str, expected: str) -> None:
    assert read_record(record("A-1", modified=modified)).modified == expected


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "a record is not an object"),
        ({}, "it has no id"),
        (record("a b"), "its id is not one"),
        (record("A-1", modified=None), "it does not say when it was modified"),
        (record("A-1", modified="yesterday"), "it does not say when it was modified"),
        (record("A-1", modified="0001-01-01T00:00:00+14:00"), "it does not say when it was modified"),
        (record("A-1", affected="django"), "affected is not a list"),
        (record("A-1", affected=["django"]), "affected is not an object"),
        (record("A-1", affected=[{"package": "django"}]), "package is not an object"),
        (record("A-1", "../django"), "it names a package that PyPI cannot have"),
        (record("A-1", "a b", ecosystem=NPM), "it names a package that npm cannot have"),
        (record("A-1", affected=affected((PYPI, "p"), versions=[1.1])), "it has a version that is none"),
        (record("A-1", affected=affected((PYPI, "p"), versions=["1" * 300])), "it has a version that is none"),
        (record("A-1", affected=affected((PYPI, "p"), versions=MANY)), "versions has more than 20000 entries"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_right_says_what_is_wrong(document: object, why: str) -> None:
    with pytest.raises(ValueError, match="^" + why.replace(".", r"\.") + "$"):
        read_record(document)
