"""Following a run by its events, from Python and from another language."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from programs import REPORT, checked_lines
from wanted import needed

from hookci.model.event import JobFinished, JobOutput, JobRetried, JobStarted
from hookci.model.result import JobResult, Outcome
from hookci.report.events import EventWriter

if TYPE_CHECKING:
    from conftest import Repo

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "follow-a-run-from-a-script.md"
TWO_JOBS = """
[jobs.lint]
script = ["echo tidy"]
[jobs.unit]
needs = ["lint"]
script = ["cp made.xml report.xml; exit 1"]
reports.junit = "report.xml"
"""


def commit_two(repo: Repo) -> None:
    repo.commit({"hookci.toml": TWO_JOBS, "made.xml": REPORT, "tests/test_a.py": "", "tests/test_b.py": ""})


def test_events_tell_a_run_from_its_plan_to_its_end(repo: Repo) -> None:
    commit_two(repo)

    ran = repo.hookci("run", "--events", check=False)

    events = checked_lines(ran)
    assert ran.returncode == 1
    assert [event["event"] for event in events if event["event"] != "job-output"] == [
        "run-started", "job-started", "job-finished", "job-started", "job-finished", "run-finished",
    ]  # fmt: skip
    assert {(event["schema"], event["version"]) for event in events} == {("hookci/events", 3)}
    assert [job["name"] for job in events[0]["plan"]["jobs"]] == ["lint", "unit"]
    finished = [event["result"] for event in events if event["event"] == "job-finished"]
    assert [(job["name"], job["outcome"]) for job in finished] == [("lint", "passed"), ("unit", "failed")]
    assert finished[1]["tests"]["failing"][0]["name"] == "tests/test_a.py::TestThem::test_bad[1-2]"
    assert events[-1]["run"]["jobs"] == finished
    assert events[-1]["exit_status"] == 1
    assert "hookci: main is red" in ran.stderr


def test_the_expected_time_is_told_once_every_job_has_passed_before(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["true"]\n[jobs.b]\nscript = ["true"]\n'})

    first = checked_lines(repo.hookci("run", "a", "--events"))
    partly = checked_lines(repo.hookci("run", "--no-memory", "--events"))
    known = checked_lines(repo.hookci("run", "--no-memory", "--events"))

    assert first[0]["expected_seconds"] is None
    assert partly[0]["expected_seconds"] is None
    assert 0 < known[0]["expected_seconds"] < 60


def test_times_are_rfc_3339_and_do_not_go_back(repo: Repo) -> None:
    commit_two(repo)

    events = checked_lines(repo.hookci("run", "--events", check=False))

    times = [event["time"] for event in events]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)
    assert times == sorted(times)


def test_every_line_of_output_comes_once_without_colours(repo: Repo) -> None:
    script = "printf 'half'; sleep 0.5; printf ' whole\\\\n\\\\033[31mred\\\\033[0m\\\\n'; printf 'no end'"
    repo.commit({"hookci.toml": f'[jobs.unit]\nscript = ["{script}"]\n'})

    events = checked_lines(repo.hookci("run", "--events"))

    lines = [line for event in events if event["event"] == "job-output" for line in event["lines"]]
    assert lines[1:] == ["half whole", "red", "no end"]


def test_an_attempt_that_is_tried_again_is_told(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscript = ["exit 4"]\nretry = 1\n'})

    events = checked_lines(repo.hookci("run", "--events", check=False))

    told = [event for event in events if event["event"] in {"job-started", "job-retried", "job-finished"}]
    assert [event["event"] for event in told] == ["job-started", "job-retried", "job-started", "job-finished"]
    assert [event["attempt"] for event in told if "attempt" in event] == [1, 2]
    assert told[1]["result"]["exit_code"] == 4


def test_a_job_that_does_not_run_finishes_too(repo: Repo) -> None:
    config = '[jobs.unit]\nscript = ["false"]\n[jobs.late]\nstage = "integration"\nscript = ["true"]\n'
    repo.commit({"hookci.toml": config})

    events = checked_lines(repo.hookci("run", "--events", check=False))

    finished = {event["result"]["name"]: event["result"] for event in events if event["event"] == "job-finished"}
    assert (finished["late"]["outcome"], finished["late"]["attempts"]) == ("skipped", 0)
    assert finished["late"]["reason"] == "`unit` did not pass"


def test_an_error_is_the_last_event(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscrpt = ["true"]\n'})

    ran = repo.hookci("run", "--events", check=False)

    (event,) = checked_lines(ran)
    assert (ran.returncode, event["event"], event["exit_status"]) == (2, "error", 2)
    assert [problem["path"] for problem in event["error"]["problems"]][-1] == "jobs.unit.scrpt"


def test_an_event_can_be_read_while_the_job_that_caused_it_goes_on(repo: Repo) -> None:
    """The job ends when the reader has seen its output, and not before."""
    seen = repo.path.parent / "seen"
    script = f"echo ready; while [ ! -e {seen} ]; do sleep 0.1; done"
    repo.commit({"hookci.toml": f'[jobs.unit]\nscript = ["{script}"]\n'})

    with subprocess.Popen(
        [sys.executable, "-I", "-m", "hookci", "run", "--events"],
        cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        giving_up = threading.Timer(60, process.kill)
        giving_up.start()
        for line in process.stdout or ():
            if "ready" in json.loads(line).get("lines", ()):
                seen.touch()
        giving_up.cancel()

    assert process.returncode == 0


def test_a_line_without_an_end_is_told_when_its_job_is_over() -> None:
    written: list[str] = []
    writer = EventWriter(written.append, clock=lambda: 1_700_000_000.0)
    result = JobResult(name="unit", stage="test", outcome=Outcome.FAILED)

    writer(JobStarted("unit", 1))
    writer(JobOutput("unit", ("one", "tw"), partial=True))
    writer(JobOutput("unit", ("two",), partial=True))
    writer(JobRetried(result))
    writer(JobOutput("unit", ("again",), partial=True))
    writer(JobFinished(result))

    events = [json.loads(line) for line in written]
    assert [event.get("lines") or event["event"] for event in events] == [
        "job-started", ["one"], ["two"], "job-retried", ["again"], "job-finished",
    ]  # fmt: skip
    assert events[0]["time"] == "2023-11-14T22:13:20.000Z"


def test_the_script_in_the_documentation_follows_a_run(repo: Repo) -> None:
    node = needed("node")
    (script,) = re.findall(r"```js\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commit_two(repo)
    file = repo.path.parent / "follow.mjs"
    file.write_text(script)

    ran = repo.run(node, str(file), check=False)

    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout == (
        "main: 2 jobs\n"
        "lint: passed\n"
        "unit: failed\n"
        "  tests/test_a.py::TestThem::test_bad[1-2]: AssertionError: one is not two assert 1 == 2\n"
        "main is red\n"
    )


CHECK = r"""
// Knows hookci by its schema alone: node check.mjs SCHEMA < EVENTS
import { readFileSync } from "node:fs";
import assert from "node:assert";

const schema = JSON.parse(readFileSync(process.argv[2], "utf8"));
const types = { string: (v) => typeof v === "string", integer: Number.isInteger, number: Number.isFinite,
  null: (v) => v === null, array: Array.isArray,
  object: (v) => v !== null && typeof v === "object" && !Array.isArray(v) };

function fits(value, rule) {
  if (rule.$ref) return fits(value, schema.$defs[rule.$ref.replace("#/$defs/", "")]);
  if (rule.anyOf) return rule.anyOf.some((one) => fits(value, one));
  if ("const" in rule && value !== rule.const) return false;
  if (rule.enum && !rule.enum.includes(value)) return false;
  if (!types[rule.type](value)) return false;
  if (rule.type === "array") return value.every((item) => fits(item, rule.items));
  if (rule.type !== "object") return true;
  assert.strictEqual(rule.additionalProperties, false);
  return rule.required.every((key) => key in value)
    && Object.entries(value).every(([key, item]) => rule.properties[key] && fits(item, rule.properties[key]));
}

// where the schema says that a failing test has its name
const parts = Object.values(schema.$defs);
const event = parts.find((part) => part.properties?.event?.const === "job-finished");
assert(event && schema.$defs.FailingTest.properties.name && schema.$defs.JobTests.properties.failing);

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const it = JSON.parse(line);
  assert(fits(it, schema), line);
  assert(!fits({ ...it, more: 1 }, schema));
  if (it.event === "job-finished") for (const test of it.result.tests?.failing ?? []) console.log(test.name);
}
"""


def test_another_language_knows_from_the_schema_alone_which_test_failed(repo: Repo) -> None:
    node = needed("node")
    commit_two(repo)
    script, schema = repo.path.parent / "check.mjs", repo.path.parent / "schema.json"
    script.write_text(CHECK)
    schema.write_text(repo.hookci("schema", "events").stdout)
    events = repo.hookci("run", "--events", check=False).stdout

    ran = repo.run(node, str(script), str(schema), stdin=events)

    assert ran.stdout == "tests/test_a.py::TestThem::test_bad[1-2]\n"
