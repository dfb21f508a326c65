"""A run as JUnit's XML, which most servers and editors can show: a suite for each stage, a case for each job.

Source: there is no standard; the elements and attributes are those that pytest and Surefire write.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from hookci.model.result import Outcome
from hookci.model.text import plain
from hookci.report.findings import View, findings_text
from hookci.report.words import detail, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hookci.model.result import JobResult, RunResult

__all__ = ["junit_xml"]

_ELEMENTS = {
    Outcome.FAILED: "failure",
    Outcome.TIMED_OUT: "failure",
    Outcome.ERRORED: "error",
    Outcome.UNSUPPORTED: "error",
    Outcome.ALLOWED_FAILURE: "skipped",
    Outcome.CANCELLED: "skipped",
    Outcome.SKIPPED: "skipped",
    Outcome.MANUAL: "skipped",
}
"""What stands in the case of a job; nothing for one that passed."""

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_WIDTH = 120
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}

# XML 1.0, production 2 (Char)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(result: RunResult, tails: Mapping[str, Sequence[str]], *, started: datetime) -> bytes:
    """A run that is over.

    Args:
        result: how it ended.
        tails: the end of the output by job, see `hookci.report.tails.Tails`.
        started: when it began.
    """
    root = ET.Element("testsuites", name="hookci")
    view = View(width=_WIDTH, color=False, today=started.date(), limit=None)
    for stage in dict.fromkeys(job.stage for job in result.jobs):
        jobs = [job for job in result.jobs if job.stage == stage]
        suite = ET.SubElement(root, "testsuite", name=_text(stage))
        suite.extend(_case(job, tails.get(job.name, ()), view) for job in jobs)
        _count(suite, sum(job.seconds for job in jobs))
        suite.set("timestamp", started.isoformat(timespec="seconds"))
    _count(root, result.seconds)
    ET.indent(root)
    return f"{_HEAD}{ET.tostring(root, encoding='unicode')}\n".encode()


def _case(job: JobResult, tail: Sequence[str], view: View) -> ET.Element:
    case = ET.Element("testcase", classname=_text(f"hookci.{job.stage}"), name=_text(job.name), time=_time(job.seconds))
    kind = _ELEMENTS.get(job.outcome)
    if kind is None:
        return case
    why = detail(job)
    message = f"{told(job.outcome)}: {why}" if why else told(job.outcome)
    element = ET.SubElement(case, kind, message=_text(message))
    if kind != "skipped":
        element.set("type", job.outcome.value)
    lines = findings_text(job.scan, view) if job.scan and job.scan.decides else [*_failing(job), *tail]
    element.text = _text("\n".join(lines)) or None
    return case


def _failing(job: JobResult) -> list[str]:
    return [f"{test.name}: {test.message}" for test in job.tests.failing] if job.tests else []


def _count(element: ET.Element, seconds: float) -> None:
    element.set("tests", str(len(list(element.iter("testcase")))))
    for attribute, tag in _COUNTED.items():
        element.set(attribute, str(len(list(element.iter(tag)))))
    element.set("time", _time(seconds))


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    """``text`` without what XML has no place for."""
    return _FORBIDDEN.sub("\ufffd", plain(text))
