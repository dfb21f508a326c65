"""Scans as a SARIF log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from drawn import made
from hypothesis import given
from hypothesis import strategies as st

from hookci.model.finding import Confidence, Finding, JudgedFinding, ScanReport, Severity, State
from hookci.report.sarif import sarif_log
from hookci.scan.sarif.reader import read_sarif

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_bytes())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)
URI = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?:[A-Za-z0-9._~/?#@!$&'()*+,;=:-]|%[0-9A-F]{2})*")

SHELL = Finding(
    tool="bandit",
    rule="B602",
    name="subprocess_popen_with_shell_equals_true",
    message="subprocess call with shell=True identified, security issue.",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    path="app/run.py",
    line=7,
    column=5,
    end_line=7,
    end_column=37,
    text="    call(command, shell=True, cwd=x) or y",
    help_uri="https://bandit.readthedocs.io/en/1.9.4/plugins/b602.html",
    aliases=("CWE-78", "CVE-2024-1"),
)


def found(path: str = "app/run.py", **fields: Any) -> Finding:  # noqa: ANN401 (the fields of a finding are of many types)
    """A finding of the rule R1."""
    made = {"tool": "probe", "rule": "R1", "message": "bad", "severity": Severity.LOW, "path": path, **fields}
    return Finding(**made)


def judged(finding: Finding = SHELL, *, state: State = State.NEW, **fields: Any) -> JudgedFinding:  # noqa: ANN401 (as above)
    """``finding`` with a fingerprint."""
    return JudgedFinding(finding=finding, fingerprint=f"{'ab' * 32}:1", state=state, **fields)


def run_of(*findings: JudgedFinding, tool: str = "bandit", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 (as above)
    """The run of one scan, which is valid."""
    log = sarif_log(
        [("scan", ScanReport(tool=tool, version="1.9.4", scanned=3, findings=findings, **fields))], version="0.1"
    )
    VALIDATOR.validate(log)
    (run,) = json.loads(json.dumps(log))["runs"]
    assert isinstance(run, dict)
    return run


def result_of(finding: JudgedFinding) -> dict[str, Any]:
    """The only result of a scan that found ``finding``."""
    (result,) = run_of(finding)["results"]
    assert isinstance(result, dict)
    return result


# -- what stands where


def test_the_schema_is_the_official_one_and_is_one() -> None:
    jsonschema.Draft4Validator.check_schema(SCHEMA)

    assert SCHEMA["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/")
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": "2.1.0", "runs": [{"results": []}]})


def test_each_scan_is_a_run_with_a_category_of_its_own() -> None:
    reports = [(job, ScanReport(tool="bandit", version="1", scanned=0)) for job in ("scan: [1, py]", "other")]

    log = sarif_log(reports, version="0.1")

    VALIDATOR.validate(log)
    assert log["$schema"] == SCHEMA["id"]
    runs = json.loads(json.dumps(log))["runs"]
    assert [run["automationDetails"]["id"] for run in runs] == ["hookci/scan: [1, py]/", "hookci/other/"]


def test_a_rule_stands_in_the_driver_once_as_the_worst_of_its_findings_has_it() -> None:
    mild = found(tool="bandit", rule="B602", severity=Severity.LOW, aliases=("CWE-88",))

    driver = run_of(judged(mild), judged(), judged(found(rule="R2")))["tool"]["driver"]

    assert (driver["name"], driver["version"]) == ("bandit", "1.9.4")
    assert [rule["id"] for rule in driver["rules"]] == ["B602", "R2"]
    rule = driver["rules"][0]
    assert rule["helpUri"] == SHELL.help_uri
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {
        "tags": ["security", "external/cwe/cwe-88", "external/cwe/cwe-78", "CVE-2024-1"],
        "precision": "high",
        "security-severity": "8.0",
    }
    assert {"shortDescription", "fullDescription", "help"} < rule.keys()


def test_a_rule_has_no_more_tags_than_code_hosts_take() -> None:
    driver = run_of(judged(found(aliases=tuple(f"CVE-2024-{number}" for number in range(99)))))["tool"]["driver"]

    assert len(driver["rules"][0]["properties"]["tags"]) == 20


def test_a_result_names_its_rule_its_place_and_what_became_of_it() -> None:
    result = result_of(judged(blocks=True, note="covered until 2026-01-01"))

    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("B602", 0, "error")
    assert result["message"] == {"text": SHELL.message}
    assert result["partialFingerprints"] == {"hookci/v1": f"{'ab' * 32}:1"}
    assert result["baselineState"] == "new"
    assert result["suppressions"] == []
    assert "kind" not in result
    properties = result["properties"]
    assert (properties["confidence"], properties["blocks"], properties["note"]) == (
        "medium",
        True,
        "covered until 2026-01-01",
    )
    assert properties["aliases"] == ["CWE-78", "CVE-2024-1"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "app/run.py", "uriBaseId": "SRCROOT"}
    assert place["region"] == {
        "startLine": 7,
        "startColumn": 5,
        "endLine": 7,
        "endColumn": 37,
        "snippet": {"text": "call(command, shell=True, cwd=x)"},
    }
    assert place["contextRegion"] == {"startLine": 7, "endLine": 7, "snippet": {"text": SHELL.text}}


def test_what_is_not_known_of_a_place_is_left_out() -> None:
    line = result_of(judged(found(line=3, text="a\nb")))["locations"][0]["physicalLocation"]
    file = result_of(judged(found(text="a")))["locations"][0]["physicalLocation"]

    assert line["region"] == {"startLine": 3, "snippet": {"text": "a\nb"}}
    assert "contextRegion" not in line
    assert file.keys() == {"artifactLocation"}


def test_a_region_that_ends_before_a_line_has_a_snippet_without_it() -> None:
    place = result_of(judged(found(line=3, column=2, end_line=5, end_column=1, text="abc\nde")))
    physical = place["locations"][0]["physicalLocation"]

    assert physical["region"]["snippet"] == {"text": "bc\nde"}
    assert "contextRegion" not in physical


def test_a_region_does_not_end_before_it_begins() -> None:
    place = result_of(judged(found(line=3, column=9, end_line=3, end_column=4)))["locations"][0]["physicalLocation"]

    assert place["region"] == {"startLine": 3, "startColumn": 9, "endLine": 3}


def test_rules_that_differ_by_what_no_log_holds_are_one() -> None:
    driver = run_of(judged(found(rule="R\0")), judged(found(rule="R")))["tool"]["driver"]

    assert [rule["id"] for rule in driver["rules"]] == ["R"]


def test_the_columns_of_a_secret_do_not_cut_its_redacted_line() -> None:
    finding = found(
        line=3, column=9, end_line=3, end_column=12, text="token = AB\u2026", secret="c0ffee", commit="d" * 40
    )

    result = result_of(judged(finding))

    physical = result["locations"][0]["physicalLocation"]
    assert "snippet" not in physical["region"]
    assert physical["contextRegion"]["snippet"] == {"text": "token = AB\u2026"}
    assert (result["properties"]["secret"], result["properties"]["commit"]) == ("c0ffee", "d" * 40)


def test_suppressions_say_who_silenced_a_finding_and_why() -> None:
    external = result_of(judged(suppressed="looked at by the team"))
    in_source = result_of(judged(found(in_source=True), state=State.UNCHANGED))

    assert external["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "looked at by the team"}
    ]
    assert in_source["suppressions"] == [{"kind": "inSource", "status": "accepted"}]
    assert in_source["baselineState"] == "unchanged"


def test_a_scan_that_says_nothing_was_not_successful_and_tells_why() -> None:
    broken = run_of(unscanned=("there is no advisory database",), notes=("the rules are old",))["invocations"]
    whole = run_of(notes=("the rules are old",))["invocations"]

    note = {"level": "note", "message": {"text": "the rules are old"}}
    error = {"level": "error", "message": {"text": "there is no advisory database"}}
    assert broken == [{"executionSuccessful": False, "toolExecutionNotifications": [error, note]}]
    assert whole == [{"executionSuccessful": True, "toolExecutionNotifications": [note]}]


def test_the_scanner_of_a_report_that_a_job_wrote_is_the_one_its_findings_are_of() -> None:
    one = run_of(judged(found(tool="semgrep")), tool="sarif")
    two = run_of(judged(found(tool="semgrep")), judged(found(tool="ruff")), tool="sarif")

    assert one["tool"]["driver"]["name"] == "semgrep"
    assert two["tool"]["driver"]["name"] == "sarif"
    assert [result["properties"]["tool"] for result in two["results"]] == ["semgrep", "ruff"]
    assert "version" not in one["tool"]["driver"]


# -- addresses and text


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("app/with space/\u00fc.py", {"uri": "app/with%20space/%C3%BC.py", "uriBaseId": "SRCROOT"}),
        ("a%20b#c?d.py", {"uri": "a%2520b%23c%3Fd.py", "uriBaseId": "SRCROOT"}),
        ("a:b.py", {"uri": "a%3Ab.py", "uriBaseId": "SRCROOT"}),
        ("a\udcff.py", {"uri": "a%FF.py", "uriBaseId": "SRCROOT"}),
        ("", {"uri": "./", "uriBaseId": "SRCROOT"}),
        ("https://example.org/a b%zz", {"uri": "https://example.org/a%20b%25zz"}),
        ("/etc/passwd", {"uri": "file:///etc/passwd"}),
    ],
)
def test_a_path_is_an_address_below_the_top_and_what_is_elsewhere_one_of_its_own(
    path: str, location: dict[str, str]
) -> None:
    result = result_of(judged(found(path)))

    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == location


def test_the_log_says_nothing_of_the_directories_of_this_machine() -> None:
    bases = run_of(judged())["originalUriBaseIds"]

    assert bases.keys() == {"SRCROOT"}
    assert "uri" not in bases["SRCROOT"]


def test_an_address_that_is_none_is_no_help() -> None:
    run = run_of(judged(found(help_uri="javascript:alert(1)")))

    assert "helpUri" not in run["tool"]["driver"]["rules"][0]


def test_what_a_terminal_obeys_and_what_no_utf8_holds_is_not_in_the_log() -> None:
    finding = found(message="\x1b[31mred\x1b[0m\0 \ud800", rule="R\udcff", text="a\x9b2Jb\udfff", line=1)

    result = result_of(judged(finding))

    assert result["message"]["text"] == "red \ufffd"
    assert result["ruleId"] == "R\ufffd"
    assert result["locations"][0]["physicalLocation"]["region"]["snippet"]["text"] == "ab\ufffd"


# -- any finding

TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(["\0", "\ud800", "\x1b[1m", "a\nb"])
NUMBERS = st.integers(0, 40)
PATHS = st.text(st.characters(exclude_characters="\0"), max_size=12).filter(
    lambda path: re.fullmatch("[^\ud800-\udc7f\udd00-\udfff]*", path)
)
FINDINGS = made(
    Finding,
    tool=TEXTS,
    rule=TEXTS,
    message=TEXTS,
    severity=st.sampled_from(Severity),
    path=PATHS | TEXTS,
    confidence=st.sampled_from(Confidence),
    name=TEXTS,
    line=NUMBERS,
    column=NUMBERS,
    end_line=NUMBERS,
    end_column=NUMBERS,
    text=TEXTS,
    help_uri=TEXTS | st.just("https://example.org/%zz\ud800"),
    aliases=st.lists(TEXTS | st.just("CWE-1"), max_size=3).map(tuple),
    secret=TEXTS,
    commit=TEXTS,
    in_source=st.booleans(),
)
JUDGED = made(
    JudgedFinding,
    finding=FINDINGS,
    fingerprint=st.just("ab:1"),
    state=st.sampled_from(State),
    suppressed=TEXTS,
    blocks=st.booleans(),
    note=TEXTS,
)


@given(st.lists(JUDGED, max_size=4), TEXTS, st.lists(TEXTS, max_size=2))
def test_every_log_is_valid_utf8_with_valid_addresses(
    findings: list[JudgedFinding], text: str, told: list[str]
) -> None:
    report = ScanReport(
        tool=text,
        version=text,
        scanned=1,
        what=text,
        base=text,
        findings=(*findings,),
        unscanned=(*told,),
        notes=(*told,),
    )

    log = sarif_log([(text, report)], version=text)

    VALIDATOR.validate(log)
    written = json.dumps(log, ensure_ascii=False, allow_nan=False)
    assert json.loads(written.encode()) == log
    addresses = re.findall(r'"(?:uri|helpUri|informationUri)": ("(?:[^"\\]|\\.)*")', written)
    assert all(URI.fullmatch(json.loads(address)) for address in addresses)


# -- and back


NAMES = st.text("abc. -_%#?:\u00e9\U0001f680\udcff", min_size=1, max_size=8).filter(
    lambda name: name not in {".", ".."}
)


@given(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.sampled_from(Severity),
    st.integers(1, 9),
    st.integers(0, 5),
)
def test_what_is_written_is_read_as_the_same_finding(path: str, severity: Severity, line: int, column: int) -> None:
    finding = found(
        path, severity=severity, line=line, column=column, end_line=line, aliases=("CVE-2024-12345", "CWE-7"), text="x"
    )
    other = found("other.py", severity=Severity.MEDIUM, confidence=Confidence.LOW, in_source=True)
    report = ScanReport(tool="probe", version="1", scanned=1, findings=(judged(finding), judged(other)))

    data = json.dumps(sarif_log([("scan", report)], version="0.1")).encode()
    scanned = read_sarif(data, known=lambda _path: None, top="/srv/project")

    assert scanned.unscanned == ()
    first, second = scanned.findings
    for back, there in ((first, finding), (second, other)):
        assert (back.tool, back.rule, back.path, back.severity) == (there.tool, there.rule, there.path, there.severity)
        assert (back.line, back.column, back.end_line) == (there.line, there.column, there.end_line)
        assert (back.message, back.confidence, back.in_source) == (there.message, there.confidence, there.in_source)
    assert first.aliases == finding.aliases


def test_a_scan_that_says_nothing_is_read_as_one() -> None:
    report = ScanReport(tool="dependencies", version="1", scanned=0, unscanned=("there is no database",))

    data = json.dumps(sarif_log([("scan", report)], version="0.1")).encode()
    scanned = read_sarif(data, known=lambda _path: None, top="/srv/project")

    assert "dependencies: there is no database" in scanned.unscanned
