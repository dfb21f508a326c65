"""From findings to what blocks: thresholds, suppressions, the baseline."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from hookci.errors import ConfigError
from hookci.model.finding import NOT_SCANNED, Confidence, Finding, Severity, State
from hookci.model.scan import Scan, Suppression
from hookci.scan.assess import Measure, assess, unused_suppressions
from hookci.scan.baseline import baseline_text, read_baseline
from hookci.scan.identity import fingerprint, normalized

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()
SHELL = Finding(
    tool="bandit",
    rule="B602",
    name="subprocess_popen_with_shell_equals_true",
    message="a shell is started",
    severity=Severity.HIGH,
    path="app/run.py",
    line=3,
    code="call(x, shell=True)",
    aliases=("CWE-78",),
)
SECRET = replace(SHELL, tool="secrets", rule="password", secret="ab:cd", code="0123")


def suppression(**changes: object) -> Suppression:
    fields: dict[str, object] = {"where": "suppressions[0]", "reason": "reviewed", "expires": date(2026, 5, 1)}
    return Suppression(**{**fields, **changes})  # type: ignore[arg-type]  # the fields of one


def measure(**changes: object) -> Measure:
    fields: dict[str, object] = {
        "scan": Scan(tool="bandit"),
        "severity": Severity.MEDIUM,
        "confidence": Confidence.MEDIUM,
        "now": NOW,
    }
    return Measure(**{**fields, **changes})  # type: ignore[arg-type]  # the fields of one


def blocked(finding: Finding, *suppressions: Suppression) -> bool:
    scan = Scan(tool="bandit", suppressions=suppressions)
    return assess([finding], measure(scan=scan)).findings[0].blocks


def test_what_is_less_severe_or_less_certain_than_asked_blocks_nothing() -> None:
    low = replace(SHELL, severity=Severity.LOW)
    unsure = replace(SHELL, confidence=Confidence.LOW)

    outcome = [blocked(finding) for finding in (SHELL, low, unsure)]

    assert outcome == [True, False, False]


def test_a_file_that_was_not_scanned_blocks_whatever_the_thresholds_are() -> None:
    finding = replace(SHELL, rule=NOT_SCANNED, severity=Severity.LOW, confidence=Confidence.LOW)

    strict = assess([finding], measure(severity=Severity.CRITICAL))
    allowed = assess([finding], measure(scan=Scan(tool="bandit", allow_unscanned=True)))

    assert strict.findings[0].blocks
    assert not allowed.findings[0].blocks


@pytest.mark.parametrize(
    "by",
    [
        {"rule": "B602", "path": "app/*.py"},
        {"rule": "subprocess_popen_with_shell_equals_true", "path": "app/run.py"},
        {"rule": "CWE-78", "path": "**/run.py"},
        {"fingerprint": f"{fingerprint(SHELL)}:1"},
    ],
)
def test_a_finding_is_suppressed_by_rule_or_fingerprint_with_its_reason(by: dict[str, str]) -> None:
    scan = Scan(tool="bandit", suppressions=(suppression(**by),))

    assessed = assess([SHELL], measure(scan=scan))

    judged = assessed.findings[0]
    assert (judged.blocks, judged.suppressed, assessed.used) == (False, "reviewed", (0,))
    assert assessed.holds_until == datetime(2026, 5, 2, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "by",
    [
        {"rule": "B603", "path": "app/*.py"},
        {"rule": "B602", "path": "lib/*.py"},
        {"fingerprint": f"{fingerprint(SHELL)}:2"},
        {"secret": "ab:cd"},
    ],
)
def test_a_suppression_of_something_else_covers_nothing(by: dict[str, str]) -> None:
    assert blocked(SHELL, suppression(**by))


def test_a_suppression_that_has_expired_covers_nothing_and_is_named() -> None:
    scan = Scan(tool="bandit", suppressions=(suppression(rule="B602", expires=date(2026, 4, 30)),))

    judged = assess([SHELL], measure(scan=scan)).findings[0]

    assert judged.blocks
    assert judged.note == "suppressions[0] covered it until 2026-04-30"


def test_a_fingerprint_covers_one_of_two_equal_findings() -> None:
    scan = Scan(tool="bandit", suppressions=(suppression(fingerprint=f"{fingerprint(SHELL)}:1"),))

    judged = assess([SHELL, replace(SHELL, line=9)], measure(scan=scan)).findings

    assert [one.blocks for one in judged] == [False, True]


def test_a_secret_is_suppressed_by_its_hash_only() -> None:
    by_rule = suppression(rule="password", path="**")
    by_place = suppression(fingerprint=f"{fingerprint(SECRET)}:1")
    by_hash = suppression(secret="ab:cd")

    outcome = [blocked(SECRET, one) for one in (by_rule, by_place, by_hash)]

    assert outcome == [True, True, False]


def test_what_a_comment_in_the_source_silences_blocks_nothing() -> None:
    assert not blocked(replace(SHELL, in_source=True))


def test_a_suppression_that_matched_nothing_is_told_unless_it_is_a_secret_and_only_a_diff_was_scanned() -> None:
    both = (suppression(rule="B602", path="x.py"), suppression(where="suppressions[1]", secret="ab:cd"))

    of_a_push = unused_suppressions(both, [], everything=False)
    of_all = unused_suppressions(both, [], everything=True)

    assert of_a_push == ["suppressions[0] (B602 in x.py) matches nothing any more: take it out"]
    assert of_all[1:] == ["suppressions[1] (a secret) matches nothing any more: take it out"]


def test_three_where_the_base_has_two_is_one_new_finding() -> None:
    three = [replace(SHELL, line=number) for number in (1, 2, 3)]

    judged = assess(three, measure(base=three[:2])).findings

    assert [one.state for one in judged] == [State.UNCHANGED, State.UNCHANGED, State.NEW]
    assert [one.fingerprint[-2:] for one in judged] == [":1", ":2", ":3"]


def test_the_baseline_counts_like_the_base() -> None:
    data = baseline_text([(SHELL, fingerprint(SHELL)), (SECRET, fingerprint(SECRET))]).encode()

    judged = assess([SHELL, replace(SHELL, line=9)], measure(baseline=read_baseline(data))).findings

    assert [one.blocks for one in judged] == [False, True]
    assert fingerprint(SECRET).encode() not in data


def test_everything_lets_what_the_base_has_block_too() -> None:
    judged = assess([SHELL], measure(base=[SHELL], everything=True)).findings[0]

    assert (judged.state, judged.blocks) == (State.UNCHANGED, True)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"version": 2, "findings": []}', b'{"version": 1, "findings": 3}']
)
def test_a_broken_baseline_is_an_error_that_says_how_to_mend_it(data: bytes) -> None:
    with pytest.raises(ConfigError) as raised:
        read_baseline(data)

    assert raised.value.problems[0].hint == "write it anew with `hookci scan --baseline write`"


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("a.py", "call(x,  shell=True)  # why", "call(\n    x,\n    shell=True,\n)"),
        ("a.js", "eval(x) // why", "eval( x )"),
        ("a.unknown", "a  b", "ab"),
    ],
)
def test_white_space_and_comments_make_no_difference(path: str, one: str, other: str) -> None:
    assert normalized(one, path) == normalized(other, path)


def test_a_hash_sign_within_text_is_no_comment() -> None:
    assert normalized('run("#a")', "a.py") != normalized('run("#b")', "a.py")
