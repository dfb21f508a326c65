"""Where the results of a SARIF report are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_samples import TOP, TREE, finding, log, result

from hookci.scan.sarif.reader import read_sarif

ODD = "app/\udcff.py"  # a name that is no UTF-8


def at(region: object, path: str = "app/run.py") -> dict[str, Any]:
    return result(locations=[{"physicalLocation": {"artifactLocation": {"uri": path}, "region": region}}])


def path_of(location: dict[str, Any], **run: object) -> str:
    found = finding(log(result(locations=[{"physicalLocation": {"artifactLocation": location}}]), **run))
    return found.path


# -- paths


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("app/run.py", "app/run.py"),
        ("./app/run.py", "app/run.py"),
        ("app/../web/copy.c", "web/copy.c"),
        ("app/with%20space/%C3%BCn%C3%AF.py", "app/with space/\u00fcn\u00ef.py"),
        ("app/with space/\u00fcn\u00ef.py", "app/with space/\u00fcn\u00ef.py"),
        ("file:///srv/project/app/run.py", "app/run.py"),
        ("FILE://localhost/srv/project/app/run.py", "app/run.py"),
        ("file:/srv/project/app/run.py", "app/run.py"),
        ("/srv/project//app/run.py", "app/run.py"),
        ("app/%FF.py", ODD),
        ("file:///srv/project", ""),
        ("./", ""),
    ],
)
def test_an_address_below_the_top_is_a_path_of_the_tree(uri: str, path: str) -> None:
    assert path_of({"uri": uri}) == path


@pytest.mark.parametrize(
    "uri",
    [
        "file:///srv/project-2/app/run.py",
        "file:///srv/project/../other/run.py",
        "file://host/srv/project/app/run.py",
        "../other/run.py",
        "..",
        "https://example.org/app/run.py",
        "/etc/passwd",
        "file://[::1/x",
    ],
)
def test_a_place_outside_the_tree_keeps_its_address(uri: str) -> None:
    assert path_of({"uri": uri}) == uri


def test_a_name_that_was_not_encoded_is_taken_as_it_is_when_the_tree_has_it() -> None:
    tree = {"a%20b.py": "x\n"}

    found = finding(log(at({"startLine": 1}, "a%20b.py")), tree)

    assert (found.path, found.text) == ("a%20b.py", "x")


def test_base_ids_are_resolved_through_each_other() -> None:
    bases = {"APP": {"uri": "app/", "uriBaseId": "TOP"}, "TOP": {"uri": "file:///srv/project/"}}

    assert path_of({"uri": "run.py", "uriBaseId": "APP"}, originalUriBaseIds=bases) == "app/run.py"


def test_base_ids_that_refer_to_each_other_in_a_circle_end() -> None:
    bases = {"A": {"uri": "a/", "uriBaseId": "B"}, "B": {"uri": "b/", "uriBaseId": "A"}}

    assert path_of({"uri": "app/run.py", "uriBaseId": "A"}, originalUriBaseIds=bases) == "app/run.py"


def test_the_directory_of_a_container_is_taken_for_the_top_when_the_tree_has_the_file() -> None:
    bases = {"ROOTPATH": {"uri": "file:///github/workspace/"}}

    assert path_of({"uri": "app/run.py", "uriBaseId": "ROOTPATH"}, originalUriBaseIds=bases) == "app/run.py"


def test_a_location_may_name_its_artifact_by_number() -> None:
    artifacts = [{"location": {"uri": "web/copy.c"}}, {"location": {"index": 1}}]

    assert path_of({"index": 0}, artifacts=artifacts) == "web/copy.c"
    assert path_of({"index": 1}, artifacts=artifacts) == ""
    assert path_of({"index": 2}, artifacts=artifacts) == ""


def test_a_result_without_a_place_is_a_finding_of_the_whole() -> None:
    found = finding(log(result(locations=[])))

    assert (found.path, found.line, found.text) == ("", 0, "")


@given(st.text(max_size=30))
def test_every_path_can_be_written_by_a_terminal_that_takes_bytes(uri: str) -> None:
    path = path_of({"uri": uri})

    assert path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == path
    assert "\0" not in path


# -- lines and columns


def test_utf16_columns_become_code_points_and_are_what_is_meant_when_nothing_is_said() -> None:
    results = at({"startLine": 7, "startColumn": 19, "endColumn": 34})

    for run in ({}, {"columnKind": "utf16CodeUnits"}):
        found = finding(log(results, **run))
        assert found.text[found.column - 1 : found.end_column - 1] == "subprocess.call"


def test_code_points_stay_what_they_are() -> None:
    found = finding(log(at({"startLine": 7, "startColumn": 18, "endColumn": 33}), columnKind="unicodeCodePoints"))

    assert found.text[found.column - 1 : found.end_column - 1] == "subprocess.call"


def test_columns_beyond_the_end_of_the_line_end_there() -> None:
    found = finding(log(at({"startLine": 3, "startColumn": 4, "endColumn": 999})))

    assert (found.text, found.column, found.end_column) == ("import os", 4, 10)


def test_the_text_is_whole_lines_and_a_region_that_ends_before_a_line_does_not_take_it() -> None:
    found = finding(log(at({"startLine": 11, "startColumn": 5, "endLine": 13, "endColumn": 1})))

    assert found.text == "def quiet(command):\n    os.system(command)  # nosec B605"
    assert found.code == found.text
    assert (found.end_line, found.end_column) == (13, 1)


def test_lines_that_end_with_carriage_return_and_line_feed_are_shown_without() -> None:
    found = finding(log(at({"startLine": 2}, "a.py")), {"a.py": "a\r\nb\r\n"})

    assert found.text == "b"


def test_a_snippet_that_is_not_in_the_tree_is_what_the_scanner_chose_to_show() -> None:
    found = finding(log(at({"startLine": 12, "snippet": {"text": "REDACTED"}})))

    assert found.text == "REDACTED"
    assert found.code == "    os.system(command)  # nosec B605"


@pytest.mark.parametrize("path", ["gone.py", "app/run.py"])
def test_without_the_lines_in_the_tree_the_snippet_stands_for_them(path: str) -> None:
    found = finding(log(at({"startLine": 400, "snippet": {"text": "x = 1\n"}}, path)))

    assert (found.line, found.text, found.code) == (400, "x = 1", "x = 1\n")


@pytest.mark.parametrize(
    "region",
    [
        {"startLine": 0},
        {"startLine": -3},
        {"startLine": True},
        {"startLine": "12"},
        {"startLine": 2**40},
        {"startLine": 1.5},
        {"charOffset": 7},
        [],
    ],
)
def test_a_line_that_is_none_is_no_line(region: object) -> None:
    assert finding(log(at(region))).line == 0


def test_a_region_that_ends_before_it_begins_is_its_first_line() -> None:
    found = finding(log(at({"startLine": 12, "startColumn": 5, "endLine": 3, "endColumn": 2})))

    assert (found.line, found.column, found.end_line, found.end_column) == (12, 5, 12, 0)


def test_in_a_line_without_measure_the_region_tells_one_finding_from_another() -> None:
    line = "a();" * 9_000 + "eval(x);"
    start = line.index("eval") + 1

    found = finding(log(at({"startLine": 1, "startColumn": start, "endColumn": start + 4}, "m.js")), {"m.js": line})

    assert found.code == "eval"
    assert len(found.text) <= 4_000


def test_a_region_without_measure_is_cut() -> None:
    tree = {"big.py": "x = 1\n" * 500_000}

    found = finding(log(at({"startLine": 1, "endLine": 500_000}, "big.py")), tree)

    assert len(found.text.splitlines()) == 20
    assert len(found.code) <= 10_000


def test_the_files_of_artifacts_are_not_read_to_be_counted() -> None:
    asked: list[str] = []

    def known(path: str) -> str | None:
        asked.append(path)
        return TREE.get(path)

    artifacts = [{"location": {"uri": f"{TOP}/a{number}.py"}} for number in range(100)]

    scanned = read_sarif(json.dumps(log(artifacts=artifacts)).encode(), known=known, top=TOP)

    assert (scanned.files, asked) == (100, [])
