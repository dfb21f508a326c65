"""Reading the test reports that jobs write."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import REPORT, case

from hookci.execute import testreports
from hookci.execute.masking import Masker
from hookci.execute.testreports import Reports
from hookci.model.testreport import FailedTest, ReportedTests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class Job:
    """A workspace in which a job writes reports that are then read."""

    path: Path
    said: list[str] = field(default_factory=list)

    def read(
        self,
        report: str | bytes | None = None,
        *,
        patterns: tuple[str, ...] = ("report.xml",),
        mask: Callable[[str], str] = str,
        write: Callable[[], object] | None = None,
    ) -> ReportedTests | None:
        reports = Reports(os.fsencode(self.path), patterns)
        if report is not None:
            data = report if isinstance(report, bytes) else report.encode()
            (self.path / "report.xml").write_bytes(data)
        if write:
            write()
        return reports.read(mask, self.said.append)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Job(workspace)


def names(tests: ReportedTests | None) -> list[str]:
    assert tests is not None
    return [test.name for test in tests.failing]


def messages(tests: ReportedTests | None) -> list[str]:
    assert tests is not None
    return [test.message for test in tests.failing]


def test_tests_are_counted_and_those_that_failed_are_named(job: Job) -> None:
    found = job.read(REPORT)

    assert found == ReportedTests(
        total=4,
        failed=1,
        skipped=1,
        failing=(FailedTest("tests.test_a.TestThem::test_bad[1-2]", "AssertionError: one is not two assert 1 == 2"),),
    )
    assert job.said == []


def test_a_python_test_is_called_as_pytest_calls_it_when_its_file_is_there(job: Job) -> None:
    (job.path / "tests").mkdir()
    (job.path / "tests" / "test_a.py").touch()

    assert names(job.read(REPORT)) == ["tests/test_a.py::TestThem::test_bad[1-2]"]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ('classname="pkg.T" name="x" file="pkg.py"', "pkg.py::T::x"),
        ('classname="test" name="adds up" file="WORKSPACE/test/a.test.js"', "test/a.test.js::adds up"),
        ('classname="com.example.CartTest" name="total()"', "com.example.CartTest::total()"),
        ('classname="cart adds up" name="cart adds up"', "cart adds up"),
        ('name="x"', "x"),
        ('classname="" name=""', ""),
        ('classname="/etc/passwd" name="x"', "/etc/passwd::x"),
        (f'classname="{"y" * 300}" name="x"', f"{'y' * 300} ..."),
        (f'classname="{"y." * 20_000}" name="x"', f"{'y.' * 150} ..."),
    ],
)
def test_other_tools_name_tests_in_other_ways(job: Job, attributes: str, name: str) -> None:
    found = job.read(case("<failure/>", attributes.replace("WORKSPACE", str(job.path))))

    assert names(found) == [name]


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ('<failure message="no" type="T">long story</failure>', "no"),
        ('<failure type="T">\n  first\n  second</failure>', "first"),
        ('<failure type="T"></failure>', "T"),
        ('<error message="boom"/>', "boom"),
        ('<failure message="first"/><error message="second"/>', "first"),
        ('<failure message="&#27;[31mred&#27;[0m &#9; &#10; and"/>', None),
        ('<failure message="&#155;31mred &#9; &#10; and"/>', "red and"),
        (f'<failure message="{"x" * 5000}"/>', f"{'x' * 300} ..."),
    ],
)
def test_the_message_is_one_short_line(job: Job, inside: str, message: str | None) -> None:
    found = job.read(case(inside))

    if message is None:
        assert found is None, "XML 1.0 has no ESC, written in whatever way"
    else:
        assert messages(found) == [message]


def test_a_namespace_and_another_encoding_make_no_difference(job: Job) -> None:
    suite = case("<failure/>", 'name="café"').replace("<testsuite>", '<testsuite xmlns="urn:x">')
    text = f'<?xml version="1.0" encoding="iso-8859-1"?>{suite}'

    assert names(job.read(text.encode("latin-1"))) == ["café"]


def test_reports_of_several_files_are_added_up(job: Job) -> None:
    def write() -> None:
        (job.path / "out" / "deep").mkdir(parents=True)
        (job.path / "out" / "TEST-a.xml").write_text(REPORT)
        (job.path / "out" / "deep" / "TEST-b.xml").write_text(case("<error/>"))
        (job.path / "out" / "notes.txt").write_text("no report")

    found = job.read(patterns=("out/**/TEST-*.xml",), write=write)

    assert found is not None
    assert (found.total, found.failed, found.skipped, len(found.failing)) == (5, 2, 1, 2)


def test_only_the_first_fifty_are_named_and_all_are_counted(job: Job) -> None:
    found = job.read("<testsuite>" + '<testcase name="x"><failure/></testcase>' * 70 + "</testsuite>")

    assert found is not None
    assert (found.total, found.failed, len(found.failing)) == (70, 70, 50)


ENTITIES = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuite><testcase name="&b;"><failure message="&b;"/></testcase></testsuite>"""
FILES = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuite><testcase name="x">&f;</testcase></testsuite>'


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ("", "no element found: line 1, column 0"),
        ("<testsuite>", "no element found: line 1, column 11"),
        ("no xml", "syntax error: line 1, column 0"),
        ("<html><testcase/></html>", "it is no JUnit report: it begins with <html>"),
        (ENTITIES, "it has a document type"),
        (ENTITIES.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"), "it has a document type"),
        (FILES, "it has a document type"),
        ('<!DOCTYPE testsuite SYSTEM "http://127.0.0.1/x.dtd"><testsuite/>', "it has a document type"),
        (case("&nosuch;"), "undefined entity: line 1, column 44"),
        ('<?xml version="1.0" encoding="nosuch"?><testsuite/>', "unknown encoding: nosuch"),
        (b"<testsuite>\xff</testsuite>", "not well-formed (invalid token): line 1, column 11"),
        ("<testsuite>" * 200_000, None),
    ],
)
def test_a_broken_or_hostile_report_is_a_line_in_the_log(job: Job, report: str | bytes, why: str | None) -> None:
    found = job.read(report)

    assert found is None
    (line,) = job.said
    assert line.startswith("hookci: test report `report.xml` is not read: ")
    if why is not None:
        assert line.endswith(f": {why}")


def test_a_broken_report_does_not_spoil_the_others(job: Job) -> None:
    (job.path / "out").mkdir()

    def write() -> None:
        (job.path / "out" / "a.xml").write_text("<testsuite>")
        (job.path / "out" / "b.xml").write_text(REPORT)

    found = job.read(patterns=("out/*.xml",), write=write)

    assert found is not None
    assert found.total == 4
    assert len(job.said) == 1


def test_reports_are_read_up_to_a_size(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testreports, "_LARGEST", 2 << 20)
    large = "<testsuite>" + '<testcase name="x"/>' * 60_000 + "</testsuite>"

    def write() -> None:
        (job.path / "a.xml").write_text(large)
        (job.path / "b.xml").write_text(large)

    found = job.read(patterns=("a.xml", "b.xml"), write=write)

    assert found is not None
    assert found.total == 60_000
    assert job.said == ["hookci: test report `b.xml` is not read: the reports of this job have more than 2 MiB"]


@pytest.mark.parametrize("kind", ["fifo", "directory", "link", "dangling"])
def test_what_is_no_file_is_not_waited_for_or_followed(job: Job, kind: str, tmp_path: Path) -> None:
    secret = tmp_path / "outside.xml"
    secret.write_text(REPORT)
    place = job.path / "report.xml"
    make = {
        "fifo": lambda: os.mkfifo(place),
        "directory": place.mkdir,
        "link": lambda: place.symlink_to(secret),
        "dangling": lambda: place.symlink_to("nosuch"),
    }[kind]

    found = job.read(write=make)

    assert found is None
    assert job.said[0].startswith("hookci: test report `report.xml` is not read: ")


def test_a_report_from_before_the_job_is_not_its_own(job: Job) -> None:
    (job.path / "report.xml").write_text(REPORT)

    kept = job.read()
    written_anew = job.read(REPORT)

    assert kept is None
    assert job.said == ["hookci: test report `report.xml` was there before the job and is not read"]
    assert written_anew is not None


def test_no_report_at_all_is_said_and_no_pattern_is_silent(job: Job) -> None:
    assert job.read(patterns=("a.xml", "b/*.xml")) is None
    assert job.read(patterns=()) is None
    assert job.said == ["hookci: no test report matches `a.xml`, `b/*.xml`"]


def test_secrets_are_masked_in_names_and_messages(job: Job) -> None:
    masker = Masker(["s3cret  value", "line one\nline two"])

    found = job.read(
        case(
            '<failure message="got s3cret  value&#10;line one&#10;line two"/>',
            attributes='classname="T" name="test[s3cret  value]"',
        ),
        mask=masker.mask,
    )

    assert names(found) == ["T::test[[MASKED]]"]
    assert messages(found) == ["got [MASKED] [MASKED] [MASKED]"]


Kind = st.sampled_from(["passed", "failure", "error", "skipped"])


@given(st.lists(st.lists(st.tuples(st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1), Kind))))
def test_whatever_suites_there_are_every_case_counts_once(
    tmp_path_factory: pytest.TempPathFactory, suites: list[list[tuple[str, str]]]
) -> None:
    root = ET.Element("testsuites")
    for suite in suites:
        element = ET.SubElement(root, "testsuite")
        for name, kind in suite:
            made = ET.SubElement(element, "testcase", name=name)
            if kind != "passed":
                ET.SubElement(made, kind, message=name)
    cases = [one for suite in suites for one in suite]
    failed = [name for name, kind in cases if kind in {"failure", "error"}]

    found = Job(tmp_path_factory.mktemp("workspace")).read(ET.tostring(root, encoding="utf-8"))

    assert found is not None
    assert (found.total, found.failed) == (len(cases), len(failed))
    assert found.skipped == sum(kind == "skipped" for _, kind in cases)
    assert names(found) == failed[:50]
