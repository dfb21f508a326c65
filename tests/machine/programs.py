"""Repositories with test reports, and what programs read of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema

from hookci.report.schemas import PUBLISHED, published_schema

if TYPE_CHECKING:
    from conftest import Ran

__all__ = ["REPORT", "case", "checked", "checked_lines", "shapes"]

REPORT = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="0" failures="1" skipped="1" tests="4" time="0.1">
<testcase classname="tests.test_a" name="test_good" time="0.001"/>
<testcase classname="tests.test_a.TestThem" name="test_bad[1-2]" time="0.001">
<failure message="AssertionError: one is not two&#10;assert 1 == 2">def test_bad(): ...</failure>
</testcase>
<testcase classname="tests.test_a" name="test_not_here" time="0.000"><skipped message="no"/></testcase>
<testcase classname="tests.test_b" name="test_also_good" time="0.001"/>
</testsuite></testsuites>
"""
"""As pytest writes it: of four tests one failed and one was skipped."""


def case(inside: str = "", attributes: str = 'classname="a" name="b"') -> str:
    """A report of one test case."""
    return f"<testsuite><testcase {attributes}>{inside}</testcase></testsuite>"


def checked(ran: Ran, name: str) -> Any:  # noqa: ANN401 (JSON)
    """The one document that a command has written, valid by its published schema."""
    document = json.loads(ran.stdout)
    jsonschema.validate(document, published_schema(name), format_checker=jsonschema.FormatChecker())
    return document


def checked_lines(ran: Ran) -> list[Any]:
    """The events that a command has written, each valid by the published schema."""
    validator = jsonschema.Draft202012Validator(published_schema("events"))
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    for event in events:
        validator.validate(event)
    return events


def shapes() -> Any:  # noqa: ANN401 (JSON)
    """Every published schema without its words for people."""
    return json.loads(json.dumps({name: _bare(published_schema(name)) for name in PUBLISHED}))


def _bare(schema: Any) -> Any:  # noqa: ANN401 (JSON)
    match schema:
        case dict():
            return {
                key: _bare(value) for key, value in schema.items() if key not in {"description", "title", "default"}
            }
        case list():
            return [_bare(value) for value in schema]
        case _:
            return schema


if __name__ == "__main__":
    print(json.dumps(shapes(), indent=1, sort_keys=True))
