"""A SARIF report is not trusted: any shape gives findings or a reason, and nothing unscanned is called clean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_samples import TOP, TREE, finding, log, read, real, result

from hookci.model.finding import NOT_SCANNED
from hookci.scan.sarif.reader import read_sarif

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookci.scan.adapter import Scanned


def read_bytes(data: bytes) -> Scanned:
    return read_sarif(data, known=TREE.get, top=TOP)


def notification(level: str | None, text: str, *paths: str) -> dict[str, Any]:
    where = [{"physicalLocation": {"artifactLocation": {"uri": path}}} for path in paths]
    return {"message": {"text": text}, "locations": where, **({"level": level} if level else {})}


# -- the report says that it says nothing


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ([], "the report is not a sarif log"),
        ({}, "the report is not sarif 2.1.0: its version is missing"),
        ({"version": "1.0.0", "runs": [{}]}, "the report is not sarif 2.1.0: its version is 1.0.0"),
        ({"version": 2.1, "runs": [{}]}, "the report is not sarif 2.1.0: its version is missing"),
        ({"version": "2.1.0"}, "the report has no runs"),
        ({"version": "2.1.0", "runs": []}, "the report has no runs"),
        ({"version": "2.1.0", "runs": {"results": []}}, "the report has no runs"),
        ({"version": "2.1.0", "runs": ["x"]}, "the report of sarif has no list of results"),
        (log(results=None), "the report of probe has no list of results"),
        (log(results={"R1": {}}), "the report of probe has no list of results"),
        (log("x"), "the report of probe has a result that is none: number 0"),
    ],
)
def test_a_report_of_another_shape_is_no_scan(report: object, reason: str) -> None:
    assert read(report).unscanned == (reason,)


@pytest.mark.parametrize(
    "data", [b"", b"no findings", b"\xff\xfe\xfd", b"[" * 200_000, b'{"version": 1' + b"1" * 9_999]
)
def test_what_is_no_json_is_no_scan(data: bytes) -> None:
    scanned = read_bytes(data)

    assert len(scanned.unscanned) == 1
    assert "json" in scanned.unscanned[0]


@pytest.mark.parametrize("part", range(1, 20))
def test_a_report_that_was_cut_off_is_no_scan(part: int) -> None:
    whole = json.dumps(log(result(), result())).encode()

    scanned = read_bytes(whole[: len(whole) * part // 20])

    assert scanned.unscanned
    assert scanned.findings == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_report_as_other_systems_write_it_is_read(encoding: str) -> None:
    assert len(read_bytes(json.dumps(log(result())).encode(encoding)).findings) == 1


@pytest.mark.parametrize(
    ("invocation", "reason"),
    [
        ({"executionSuccessful": False}, "probe says that it did not succeed"),
        ({"executionSuccessful": False, "exitCode": 7}, "probe says that it did not succeed (exit status 7)"),
        (
            {"executionSuccessful": False, "exitCodeDescription": "no rules"},
            "probe says that it did not succeed: no rules",
        ),
        ({"executionSuccessful": "no"}, "probe says that it did not succeed"),
    ],
)
def test_a_scanner_that_did_not_succeed_has_not_scanned(invocation: dict[str, object], reason: str) -> None:
    scanned = read(log(invocations=[{"executionSuccessful": True}, invocation]))

    assert scanned.unscanned == (reason,)


@pytest.mark.parametrize("kind", ["toolExecutionNotifications", "toolConfigurationNotifications"])
def test_an_error_that_names_no_file_means_that_nothing_is_known(kind: str) -> None:
    invocation = {"executionSuccessful": True, kind: [notification("error", "rule\nfile broken " + "x" * 999)]}

    scanned = read(log(result(), invocations=[invocation]))

    assert scanned.unscanned[0].startswith("probe: rule file broken xxx")
    assert len(scanned.unscanned[0]) < 400
    assert len(scanned.findings) == 1


def test_an_error_that_names_files_is_a_finding_for_each() -> None:
    told = [notification("error", "too deep", "app/run.py", "./app/run.py", "web/copy.c")]

    scanned = read(log(invocations=[{"executionSuccessful": True, "toolExecutionNotifications": told}]))

    assert [(one.rule, one.path) for one in scanned.findings] == [
        (NOT_SCANNED, "app/run.py"),
        (NOT_SCANNED, "web/copy.c"),
    ]
    assert scanned.unscanned == ()
    assert scanned.files == 0


def test_a_file_that_was_not_scanned_is_another_finding_once_it_changed() -> None:
    report = log(invocations=[{"toolExecutionNotifications": [notification("error", "bad", "a.py")]}])

    codes = {finding(report, {"a.py": text}).code for text in ("x", "y", "x")}

    assert len(codes) == 2


def test_warnings_are_notes_and_notes_are_nothing() -> None:
    told = [notification(None, "slow", "a.py"), notification("warning", "old rules"), notification("note", "hello")]

    scanned = read(log(invocations=[{"executionSuccessful": True, "toolExecutionNotifications": told}]))

    assert scanned.notes == ("probe: a.py: slow", "probe: old rules")
    assert scanned.unscanned == ()


def test_what_is_told_of_a_broken_scan_has_an_end() -> None:
    told = [notification("error", f"error {number}") for number in range(1_000)]

    scanned = read(log(invocations=[{"toolExecutionNotifications": told}]))

    assert len(scanned.unscanned) == 21
    assert scanned.unscanned[-1] == "and 980 more"


def test_more_results_than_can_be_read_are_told() -> None:
    scanned = read_bytes(json.dumps(log(*[{}] * 100_001)).encode())

    assert len(scanned.findings) == 100_000
    assert scanned.unscanned == ("the report of probe has more than 100000 results",)


# -- text


def test_lone_surrogates_and_nul_do_not_get_into_a_finding() -> None:
    found = finding(log(result(ruleId="R\n\ud800", message={"text": "a\0b\udcff"})))

    assert (found.rule, found.message) == ("R \ufffd", "a\ufffdb\ufffd")


def test_text_without_measure_is_cut() -> None:
    found = finding(log(result(ruleId="r" * 99_999, message={"text": "{0}" * 999, "arguments": ["x" * 9_999]})))

    assert len(found.rule) <= 2_000
    assert len(found.message) <= 2_000


# -- any shape


def keys_of(value: object) -> set[str]:
    """All keys of the objects in ``value``."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(keys_of, inner))


def replaced(value: object, part: Callable[[], object | None]) -> object:
    """``value`` with those parts of it replaced for which ``part`` gives something."""
    other = part()
    if other is not None:
        return other
    if isinstance(value, dict):
        return {key: replaced(inner, part) for key, inner in value.items()}
    return [replaced(inner, part) for inner in value] if isinstance(value, list) else value


def is_storable(scanned: Scanned) -> bool:
    """Whether all of it can be written down as UTF-8, and paths as the bytes they stand for."""
    told = [scanned.what, *scanned.unscanned, *scanned.notes]
    for found in scanned.findings:
        texts = (
            found.tool,
            found.rule,
            found.name,
            found.message,
            found.text,
            found.code,
            found.commit,
            *found.aliases,
        )
        told += [*texts, found.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")]
    return bool("".join(told).encode())


FULL = log(
    result(level="error", suppressions=[{"kind": "inSource"}], properties={"tags": ["CWE-1"], "precision": "low"}),
    result(
        rule={"index": 0, "toolComponent": {"index": 0}},
        taxa=[{"id": "1"}],
        partialFingerprints={"commitSha": "c" * 40},
    ),
    tool={
        "driver": {"name": "Probe", "rules": [{"id": "R1", "relationships": [{"target": {"id": "2"}}]}]},
        "extensions": [],
    },
    invocations=[
        {"executionSuccessful": True, "toolExecutionNotifications": [notification("error", "x", "app/run.py")]}
    ],
    originalUriBaseIds={"APP": {"uri": "app/", "uriBaseId": "APP"}},
    artifacts=[{"location": {"uri": "app/run.py", "index": 0}}],
    columnKind="utf16CodeUnits",
)
WORDS = st.sampled_from(["2.1.0", "error", "fail", "R1", "app/run.py", "APP", "9.8", "\ud800", "", "{0}"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
SHAPES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(keys_of(FULL))), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(SHAPES)
def test_no_run_whatever_its_shape_raises(run: object) -> None:
    scanned = read({"version": "2.1.0", "runs": [run, {"results": [run]}]})

    assert is_storable(scanned)


@given(st.data())
def test_no_report_of_which_parts_are_something_else_raises(data: st.DataObject) -> None:
    def part() -> object | None:
        return data.draw(SHAPES) if data.draw(st.integers(0, 19)) == 0 else None

    scanned = read(replaced(FULL, part))

    assert is_storable(scanned)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    scanned = read_bytes(data)

    assert scanned.unscanned


@pytest.mark.parametrize("name", ["bandit", "eslint", "flawfinder", "ruff", "secretlint", "semgrep"])
def test_reading_twice_gives_the_same(name: str) -> None:
    assert real(name) == real(name)
