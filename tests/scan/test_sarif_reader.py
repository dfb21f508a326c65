"""What is read from a SARIF report."""

from __future__ import annotations

import pytest
from sarif_samples import TOKEN, finding, log, read, real, result

from hookci.model.finding import NOT_SCANNED, Confidence, Severity

# -- reports of real scanners


def test_bandits_report_gives_its_findings_with_severity_confidence_and_weakness() -> None:
    scanned = real("bandit")

    found = [(one.rule, one.severity, one.path, one.line) for one in scanned.findings if one.rule != NOT_SCANNED]
    assert found == [
        ("B404", Severity.LOW, "app/run.py", 2),
        ("B602", Severity.HIGH, "app/run.py", 7),
        ("B605", Severity.HIGH, "app/run.py", 13),
        ("B101", Severity.LOW, "app/run.py", 17),
        ("B403", Severity.LOW, "app/with space/\u00fcn\u00ef.py", 1),
        ("B301", Severity.MEDIUM, "app/with space/\u00fcn\u00ef.py", 5),
    ]
    shell = scanned.findings[1]
    assert shell.tool == "bandit"
    assert shell.name == "subprocess_popen_with_shell_equals_true"
    assert shell.aliases == ("CWE-78",)
    assert shell.text == '    label = "\N{ROCKET}"; subprocess.call(command, shell=True)'
    assert shell.help_uri.startswith("https://bandit.readthedocs.io/")


def test_the_files_that_bandit_could_not_read_are_findings_although_it_calls_itself_successful() -> None:
    scanned = real("bandit")

    unread = [(one.path, one.severity, one.message) for one in scanned.findings if one.rule == NOT_SCANNED]
    why = "syntax error while parsing AST from file"
    assert unread == [("app/broken.py", Severity.HIGH, why), ("app/latin.py", Severity.HIGH, why)]
    assert scanned.unscanned == ()
    assert scanned.files == 2


def test_ruffs_absolute_addresses_become_paths_of_the_tree() -> None:
    scanned = real("ruff")

    assert [(one.rule, one.path, one.line, one.code) for one in scanned.findings if one.rule.startswith("S")] == [
        ("S602", "app/run.py", 7, '    label = "\N{ROCKET}"; subprocess.call(command, shell=True)'),
        ("S605", "app/run.py", 12, "    os.system(command)  # nosec B605"),
        ("S605", "app/run.py", 13, "    os.system(command)  # nosemgrep"),
    ]
    assert scanned.what == "the report of ruff 0.17.6"


def test_semgreps_levels_come_from_its_rules_and_its_comments_silence() -> None:
    first, second, third = real("semgrep").findings

    assert (first.tool, first.rule, first.severity, first.in_source) == (
        "semgrep oss",
        "os-system",
        Severity.MEDIUM,
        False,
    )
    assert (second.line, second.in_source) == (13, True)
    assert (third.severity, third.aliases, third.path) == (Severity.HIGH, ("CWE-95",), "web/index.js")


def test_eslints_columns_are_counted_in_code_points() -> None:
    scanned = real("eslint")

    evil = next(one for one in scanned.findings if one.rule == "no-eval")
    assert evil.text[evil.column - 1 : evil.end_column - 1] == "eval"


def test_a_file_that_eslint_could_not_parse_is_one_that_was_not_scanned_and_so_is_the_whole() -> None:
    scanned = real("eslint")

    assert [one.path for one in scanned.findings if one.rule == NOT_SCANNED] == ["web/broken.js"]
    assert scanned.unscanned == ("eslint says that it did not succeed",)
    assert scanned.files == 1


def test_flawfinders_weakness_is_that_of_the_relationship_of_its_rule() -> None:
    (found,) = real("flawfinder").findings

    assert (found.rule, found.aliases, found.path, found.line) == ("FF1001", ("CWE-120",), "web/copy.c", 2)


def test_a_line_with_a_secret_is_not_shown_where_its_scanner_masks_it() -> None:
    (found,) = real("secretlint").findings

    assert (found.path, found.line, found.text) == ("app/token.py", 2, "")
    assert TOKEN not in repr(found)
    assert found.code


# -- severity and confidence


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        ("9.0", Severity.CRITICAL),
        ("8.9", Severity.HIGH),
        (7, Severity.HIGH),
        ("4.0", Severity.MEDIUM),
        ("3.9", Severity.LOW),
        ("0.0", Severity.LOW),
        ("none", Severity.MEDIUM),
        ("nan", Severity.MEDIUM),
        (10**400, Severity.MEDIUM),
    ],
)
def test_a_security_severity_overrules_the_level_by_the_bands_of_cvss(score: object, severity: Severity) -> None:
    found = finding(log(result(level="warning", properties={"security-severity": score})))

    assert found.severity is severity


def test_the_score_of_a_rule_counts_for_its_results() -> None:
    rules = [{"id": "R1", "properties": {"security-severity": "9.8", "precision": "low"}}]

    found = finding(log(result(level="note"), tool={"driver": {"name": "Probe", "rules": rules}}))

    assert (found.severity, found.confidence) == (Severity.CRITICAL, Confidence.LOW)


@pytest.mark.parametrize(
    ("level", "severity"),
    [("error", Severity.HIGH), ("warning", Severity.MEDIUM), ("note", Severity.LOW), ("none", Severity.LOW)],
)
def test_a_level_is_a_severity(level: str, severity: Severity) -> None:
    assert finding(log(result(level=level))).severity is severity


def test_without_a_level_anywhere_a_result_is_a_warning() -> None:
    assert finding(log(result())).severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("properties", "confidence"),
    [
        ({"precision": "very-high"}, Confidence.HIGH),
        ({"precision": "medium"}, Confidence.MEDIUM),
        ({"issue_confidence": "LOW"}, Confidence.LOW),
        ({"zizmor/confidence": "Low"}, Confidence.LOW),
        ({"precision": "unknown"}, Confidence.HIGH),
        ({}, Confidence.HIGH),
    ],
)
def test_confidence_is_what_the_properties_say(properties: dict[str, str], confidence: Confidence) -> None:
    assert finding(log(result(properties=properties))).confidence is confidence


# -- which results are findings


@pytest.mark.parametrize("kind", ["pass", "notApplicable", "informational"])
def test_what_passed_is_no_finding(kind: str) -> None:
    assert read(log(result(kind=kind))).findings == ()


@pytest.mark.parametrize("kind", ["open", "review"])
def test_what_nobody_has_decided_is_a_finding_of_low_severity(kind: str) -> None:
    assert finding(log(result(kind=kind, level="error"))).severity is Severity.LOW


def test_what_only_the_reports_own_baseline_has_is_no_finding() -> None:
    assert read(log(result(baselineState="absent"))).findings == ()


@pytest.mark.parametrize(
    ("suppressions", "silenced"),
    [
        ([{"kind": "inSource"}], True),
        ([{"kind": "external", "status": "accepted"}], True),
        ([{"kind": "inSource", "status": "rejected"}, {"kind": "inSource", "status": "accepted"}], True),
        ([{"kind": "inSource", "status": "underReview"}], False),
        ([], False),
        (["inSource"], False),
    ],
)
def test_a_suppression_that_is_accepted_silences(suppressions: list[object], *, silenced: bool) -> None:
    assert finding(log(result(suppressions=suppressions))).in_source is silenced


def test_two_equal_results_are_two_findings() -> None:
    assert len(read(log(result(), result())).findings) == 2


def test_several_runs_are_read_as_one() -> None:
    one, other = log(result()), log(result(), tool={"driver": {"name": "Other", "version": "2"}})

    scanned = read({"version": "2.1.0", "runs": one["runs"] + other["runs"]})

    assert [found.tool for found in scanned.findings] == ["probe", "other"]
    assert scanned.what == "the report of probe, other 2"


def test_the_files_are_the_artifacts_where_they_are_listed_and_those_with_findings_else() -> None:
    artifacts = [{"location": {"uri": path}} for path in ("web/index.js", "./web/index.js", "app/run.py")]

    assert read(log(artifacts=artifacts)).files == 2
    assert read(log(result(), result())).files == 1


# -- rules and messages


def test_a_rule_is_found_by_its_index_by_its_id_and_below_its_id() -> None:
    rules = [{"id": "R0"}, {"id": "R1", "name": "First", "helpUri": "https://example.org/r1"}]
    tool = {"driver": {"name": "Probe", "rules": rules}}
    results = [
        {"ruleIndex": 1},
        {"ruleId": "R1"},
        {"ruleId": "R1/sub"},
        {"rule": {"index": 1}},
        {"ruleId": "R1", "ruleIndex": 0},
    ]

    found = read(log(*results, tool=tool)).findings

    assert [one.rule for one in found] == ["R1", "R1", "R1/sub", "R1", "R1"]
    assert {(one.name, one.help_uri) for one in found} == {("First", "https://example.org/r1")}


def test_a_rule_may_be_one_of_an_extension() -> None:
    extension = {"name": "more", "rules": [{"id": "X1", "defaultConfiguration": {"level": "error"}}]}
    tool = {"driver": {"name": "CodeQL", "rules": [{"id": "R0"}]}, "extensions": [extension]}

    found = finding(log({"rule": {"index": 0, "toolComponent": {"index": 0}}}, tool=tool))

    assert (found.rule, found.severity) == ("X1", Severity.HIGH)


def test_a_message_is_made_of_the_rules_string_and_the_arguments() -> None:
    rules = [{"id": "R1", "messageStrings": {"default": {"text": "{0} calls {1}, {{not}} {2}"}}}]
    message = {"id": "default", "arguments": ["a", "b"]}

    found = finding(log(result(message=message), tool={"driver": {"name": "Probe", "rules": rules}}))

    assert found.message == "a calls b, {not} {2}"


def test_braces_of_a_message_without_arguments_and_links_to_other_places_are_read_as_text() -> None:
    found = finding(log(result(message={"text": "uses {0} and [a value](1)"})))

    assert found.message == "uses {0} and a value"


def test_other_names_are_those_of_tags_taxa_and_relationships() -> None:
    tags = ["external/cwe/cwe-078", "CWE-95: Eval", "see cve-2024-12345", "GHSA-abcd-EF01-2345", "R1", "notcwe-1"]
    taxa = [{"id": "22", "toolComponent": {"name": "CWE"}}]

    found = finding(log(result(properties={"tags": tags}, taxa=taxa)))

    assert found.aliases == ("CVE-2024-12345", "CWE-22", "CWE-78", "CWE-95", "GHSA-abcd-ef01-2345")


def test_only_a_web_address_is_a_help_address() -> None:
    rules = [{"id": "R1", "helpUri": "javascript:alert(1)"}]

    assert finding(log(result(), tool={"driver": {"name": "Probe", "rules": rules}})).help_uri == ""


def test_the_commit_of_a_line_of_the_history_is_kept_and_todays_lines_are_not_taken_for_it() -> None:
    where = {"artifactLocation": {"uri": "app/run.py"}, "region": {"startLine": 2, "snippet": {"text": "gone"}}}
    fingerprints = {"commitSha": "c" * 40}

    found = finding(log(result(locations=[{"physicalLocation": where}], partialFingerprints=fingerprints)))

    assert (found.commit, found.text, found.code) == ("c" * 40, "gone", "gone")
