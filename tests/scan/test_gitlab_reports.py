"""The reports that a GitLab job writes, as findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_samples import TOKEN, TOP, TREE, log, result

from hookci.model.finding import Confidence, Severity
from hookci.scan.gitlab.reader import read_written

if TYPE_CHECKING:
    from hookci.model.finding import Finding
    from hookci.scan.adapter import Scanned

KINDS = ("codequality", "sast", "sarif", "secret_detection", "dependency_scanning", "container_scanning")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
WORDS = ("vulnerabilities", "location", "identifiers", "scan", "path", "lines", "positions", "begin", "description")


def read(kind: str, report: object) -> Scanned:
    return read_written(kind, json.dumps(report).encode(), known=TREE.get, top=TOP)


def entry(**properties: object) -> dict[str, Any]:
    """A code quality entry in line 12 of `app/run.py`; ``properties`` add to it."""
    location = {"path": "app/run.py", "lines": {"begin": 12}}
    made = {"description": "bad", "check_name": "C1", "fingerprint": "f", "severity": "major", "location": location}
    return {**made, **properties}


def quality(**properties: object) -> Finding:
    (found,) = read("codequality", [entry(**properties)]).findings
    return found


def security(*vulnerabilities: object, **scan: object) -> dict[str, Any]:
    about = {"scanner": {"id": "probe", "name": "Probe", "version": "1.2"}, "status": "success", **scan}
    return {"version": "15.0.7", "scan": about, "vulnerabilities": list(vulnerabilities)}


def vulnerability(**properties: object) -> dict[str, Any]:
    identifiers = [
        {"type": "cwe", "name": "CWE-78", "value": "78"},
        {"type": "probe_id", "name": "Probe shell", "value": "P602", "url": "https://example.com/P602"},
    ]
    made = {
        "id": "1",
        "name": "Shell",
        "description": "A shell is started.\n\nWith many more words.",
        "severity": "High",
        "identifiers": identifiers,
        "location": {"file": "app/run.py", "start_line": 12, "end_line": 12},
    }
    return {**made, **properties}


def found(kind: str, *vulnerabilities: object) -> Finding:
    (only,) = read(kind, security(*vulnerabilities)).findings
    return only


# -- code quality


def test_an_entry_of_code_quality_is_a_finding_with_its_place() -> None:
    finding = quality()

    assert (finding.tool, finding.rule, finding.message) == ("codequality", "C1", "bad")
    assert (finding.path, finding.line, finding.severity) == ("app/run.py", 12, Severity.MEDIUM)
    assert finding.text == TREE["app/run.py"].split("\n")[11]


@pytest.mark.parametrize(
    ("severity", "meaning"),
    [
        ("info", Severity.LOW),
        ("minor", Severity.LOW),
        ("major", Severity.MEDIUM),
        ("critical", Severity.HIGH),
        ("blocker", Severity.CRITICAL),
        ("unheard of", Severity.MEDIUM),
    ],
)
def test_the_severities_of_code_climate(severity: str, meaning: Severity) -> None:
    assert quality(severity=severity).severity is meaning


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ({"lines": {"begin": 7, "end": 8}}, (7, 0, 8, 0)),
        ({"lines": {"begin": {"line": 7}}}, (7, 0, 7, 0)),
        ({"positions": {"begin": {"line": 7, "column": 5}, "end": {"line": 7, "column": 9}}}, (7, 5, 7, 10)),
        ({"positions": {"begin": {"line": 7}}}, (7, 0, 7, 0)),
        ({}, (0, 0, 0, 0)),
    ],
)
def test_the_forms_in_which_a_place_is_told(location: dict[str, Any], place: tuple[int, ...]) -> None:
    finding = quality(location={"path": "app/run.py", **location})

    assert (finding.line, finding.column, finding.end_line, finding.end_column) == place


@pytest.mark.parametrize("path", ["app/run.py", "./app/run.py", f"{TOP}/app/run.py", "app//run.py"])
def test_paths_are_told_from_the_top_of_the_tree(path: str) -> None:
    assert quality(location={"path": path}).path == "app/run.py"


def test_two_entries_about_whole_files_are_told_apart() -> None:
    location = {"path": "app/run.py"}

    one, other = quality(description="a", location=location), quality(description="b", location=location)

    assert one.code != other.code


def test_what_is_no_entry_is_told_and_the_others_are_read() -> None:
    scanned = read("codequality", [entry(), {"description": "no place"}, "x", entry(check_name="C2")])

    assert [finding.rule for finding in scanned.findings] == ["C1", "C2"]
    assert scanned.unscanned == ("entry 2 has no location.path", "and 1 more like it")


# -- security


def test_a_vulnerability_is_a_finding_named_by_the_scanners_own_rule() -> None:
    finding = found("sast", vulnerability())

    assert (finding.tool, finding.rule, finding.name) == ("probe", "P602", "Shell")
    assert finding.message == "A shell is started."
    assert (finding.aliases, finding.help_uri) == (("CWE-78",), "https://example.com/P602")
    assert (finding.path, finding.line, finding.severity) == ("app/run.py", 12, Severity.HIGH)


@pytest.mark.parametrize(
    ("severity", "meaning"),
    [("Critical", Severity.CRITICAL), ("Low", Severity.LOW), ("Info", Severity.LOW), ("Unknown", Severity.MEDIUM)],
)
def test_the_severities_of_gitlab(severity: str, meaning: Severity) -> None:
    assert found("sast", vulnerability(severity=severity)).severity is meaning


def test_an_older_report_may_say_how_certain_it_is() -> None:
    assert found("sast", vulnerability(confidence="Low")).confidence is Confidence.LOW


def test_a_secret_is_never_shown() -> None:
    place = {"file": "app/token.py", "start_line": 2}

    finding = found("secret_detection", vulnerability(location=place, raw_source_code_extract=TOKEN))

    assert TOKEN not in repr(finding)
    assert (finding.path, finding.line, finding.text) == ("app/token.py", 2, "")


def test_a_secret_of_another_commit_has_no_line_of_the_tree() -> None:
    commit = "a1" * 20

    finding = found("secret_detection", vulnerability(location={"file": "gone.py", "commit": {"sha": commit}}))

    assert (finding.commit, finding.path) == (commit, "gone.py")


def test_a_vulnerable_package_is_named_with_its_version_and_told_apart_by_its_name_alone() -> None:
    advisory = {"type": "cve", "name": "CVE-2021-23337", "value": "CVE-2021-23337"}
    both = [{"type": "probe", "name": "Probe-1", "value": "0b3d"}, advisory]

    def in_version(version: str) -> Finding:
        place = {"file": "package-lock.json", "dependency": {"package": {"name": "lodash"}, "version": version}}
        return found("dependency_scanning", vulnerability(location=place, identifiers=both))

    finding = in_version("4.17.20")

    assert (finding.rule, finding.path, finding.line) == ("CVE-2021-23337", "package-lock.json", 0)
    assert finding.message == "lodash 4.17.20: A shell is started."
    assert finding.code == in_version("4.17.19").code


@pytest.mark.parametrize("image", ["host:5000/app:1f2e3d", "host:5000/app@sha256:00ff", "host:5000/app"])
def test_what_is_in_an_image_is_told_without_the_tag_that_every_build_changes(image: str) -> None:
    place = {"image": image, "operating_system": "debian", "dependency": {"package": {"name": "zlib"}, "version": "1"}}

    finding = found("container_scanning", vulnerability(location=place))

    assert (finding.path, finding.code) == ("docker://host:5000/app", "zlib")
    assert f"zlib 1 in {image}" in finding.message


def test_the_files_of_a_dependency_scan_are_counted() -> None:
    report = {**security(), "dependency_files": [{"path": "a.lock"}, {"path": "b.lock"}]}

    scanned = read("dependency_scanning", report)

    assert (scanned.files, scanned.what, scanned.findings) == (2, "the report of probe 1.2", ())


@pytest.mark.parametrize(
    ("scan", "why"),
    [
        ({"status": "failure"}, "probe says that it did not succeed"),
        ({"status": "failure", "messages": [{"level": "fatal", "value": "no rules"}]}, "probe: no rules"),
    ],
)
def test_a_scan_that_says_that_it_failed_is_told(scan: dict[str, Any], why: str) -> None:
    assert read("sast", security(**scan)).unscanned == (why,)


def test_a_sarif_report_is_read_as_one() -> None:
    (finding,) = read("sarif", log(result())).findings

    assert (finding.tool, finding.rule, finding.line) == ("probe", "R1", 12)


# -- trust


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("codequality", b"", "the report is not json: line 1: expecting value"),
        ("codequality", b'{"a": 1}', "the report is no list of code quality entries"),
        ("sast", b"[]", "the report has no list of vulnerabilities"),
        ("sast", b'{"vulnerabilities": {}}', "the report has no list of vulnerabilities"),
        ("sast", b"\xff\xfe\x00", "the report is not json that can be read"),
        ("codequality", b"[" * 100_000, "the report is not json that can be read"),
    ],
)
def test_what_is_no_report_is_told_in_one_line(kind: str, data: bytes, why: str) -> None:
    scanned = read_written(kind, data, known=TREE.get, top=TOP)

    assert (scanned.findings, scanned.unscanned) == ((), (why,))


@pytest.mark.parametrize("kind", KINDS)
@given(report=JSON | st.lists(st.dictionaries(st.sampled_from(WORDS), JSON)))
def test_no_json_whatsoever_is_too_much(kind: str, report: object) -> None:
    scanned = read(kind, report)
    inside = read(kind, {"version": "15", "vulnerabilities": report if isinstance(report, list) else [report]})

    for one in (*scanned.findings, *inside.findings):
        assert one.rule
        assert one.message
