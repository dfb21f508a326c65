"""What programs read of commands: one JSON document, as published."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from programs import REPORT, checked, shapes

from hookci.report.schemas import PUBLISHED, published_schema

if TYPE_CHECKING:
    from conftest import Repo

GREEN = '[jobs.unit]\nscript = ["echo fine"]\n'
RED = '[jobs.unit]\nscript = ["cp made.xml report.xml; exit 3"]\nreports.junit = "report.xml"\n'


def commit_red(repo: Repo) -> str:
    return repo.commit({"hookci.toml": RED, "made.xml": REPORT, "tests/test_a.py": "", "tests/test_b.py": ""})


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_published_is_a_json_schema_that_the_command_prints(repo: Repo, name: str) -> None:
    printed = json.loads(repo.hookci("schema", name).stdout)

    jsonschema.Draft202012Validator.check_schema(printed)
    assert printed == published_schema(name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_part_of_what_is_published_takes_other_keys(name: str) -> None:
    parts = published_schema(name)["$defs"]

    assert isinstance(parts, dict)
    assert all(part["additionalProperties"] is False for part in parts.values() if part["type"] == "object")
    assert all(set(part["required"]) == set(part["properties"]) for part in parts.values() if part["type"] == "object")


def test_a_published_format_changes_only_with_its_version() -> None:
    kept = json.loads(Path(__file__).with_name("published.json").read_text())

    assert shapes() == kept, (
        "programs rely on these formats: raise VERSION in hookci/report/documents.py, "
        "then `python tests/machine/programs.py > tests/machine/published.json`"
    )


def test_a_green_run_is_one_document_and_the_screen_is_elsewhere(repo: Repo) -> None:
    commit = repo.commit({"hookci.toml": GREEN})

    ran = repo.hookci("run", "--json")

    document = checked(ran, "run")
    assert ran.stdout.count("\n") == 1
    assert document["schema"] == "hookci/run"
    assert document["version"] == 3
    assert document["exit_status"] == 0
    run = document["run"]
    assert run["number"] == 1
    assert (run["label"], run["branch"], run["hook"], run["verdict"]) == ("main", "main", "pre-push", "green")
    assert (run["commit"], run["tree"]) == (commit, repo.out("rev-parse", "HEAD^{tree}"))
    assert [(job["name"], job["outcome"], job["exit_code"]) for job in run["jobs"]] == [("unit", "passed", 0)]
    assert re.search(r"unit +\| fine\n", ran.stderr)
    assert "hookci: main is green" in ran.stderr


def test_a_red_run_names_the_tests_that_failed(repo: Repo) -> None:
    commit_red(repo)

    ran = repo.hookci("run", "--json", check=False)

    document = checked(ran, "run")
    assert (ran.returncode, document["exit_status"], document["run"]["verdict"]) == (1, 1, "red")
    (job,) = document["run"]["jobs"]
    assert (job["outcome"], job["exit_code"], job["command"]) == ("failed", 3, "cp made.xml report.xml; exit 3")
    assert job["tests"] == {
        "total": 4,
        "failed": 1,
        "skipped": 1,
        "failing": [
            {
                "name": "tests/test_a.py::TestThem::test_bad[1-2]",
                "message": "AssertionError: one is not two assert 1 == 2",
            }
        ],
    }
    assert Path(job["log"]).read_text().startswith("\x1b[1m$ cp made.xml")


def test_a_person_reads_the_tests_that_failed_too(repo: Repo) -> None:
    commit_red(repo)

    ran = repo.hookci("run", check=False)

    assert re.search(r"\nunit failed in [0-9.]+s: exit status 3, 1 of 4 tests failed\n", ran.stdout)
    assert (
        "\n  failing tests:\n"
        "    tests/test_a.py::TestThem::test_bad[1-2]: AssertionError: one is not two assert 1 == 2\n"
    ) in ran.stdout


def test_a_push_that_is_refused_names_them_and_log_counts_them_later(repo: Repo) -> None:
    commit_red(repo)
    repo.hookci("install")

    refused = repo.git("push", "origin", "main", check=False)

    assert refused.returncode != 0
    assert "tests/test_a.py::TestThem::test_bad[1-2]: AssertionError" in refused.stderr
    assert "exit status 3, 1 of 4 tests failed" in repo.hookci("log").stdout


def test_the_index_is_judged_as_no_commit(repo: Repo) -> None:
    repo.write_files({"hookci.toml": GREEN})
    repo.git("add", "-A")

    run = checked(repo.hookci("run", "--json", "--staged"), "run")["run"]
    plan = checked(repo.hookci("plan", "--json", "--staged"), "plan")["plan"]

    assert (run["label"], run["commit"]) == ("the index", None)
    assert (plan["label"], plan["commit"]) == ("the index", None)
    assert run["tree"] == plan["tree"] == repo.out("write-tree")


def test_the_plan_has_reasons_order_and_what_is_left_out(repo: Repo) -> None:
    config = """
        [jobs.unit]
        script = ["true"]
        [jobs.late]
        script = ["true"]
        stage = "integration"
        when = "manual"
        [jobs.tag]
        script = ["true"]
        rules = [{ tag = "v*" }]
    """
    repo.commit({"hookci.toml": config})

    plan = checked(repo.hookci("plan", "--json"), "plan")["plan"]

    assert [(job["name"], job["action"], job["after"]) for job in plan["jobs"]] == [
        ("unit", "run", []),
        ("late", "manual", ["unit"]),
    ]
    assert plan["jobs"][0]["reason"] == "asked for"
    assert plan["left_out"] == [{"name": "tag", "reason": "no rule matches"}]


def test_notices_are_part_of_the_document(repo: Repo) -> None:
    repo.commit({"hookci.toml": GREEN})

    ran = repo.hookci("plan", "--json", env={"HOOKCI_SKIP": "nosuch"})

    assert checked(ran, "plan")["notices"] == [
        {"level": "warning", "text": "HOOKCI_SKIP names `nosuch`, which is no job of this run"}
    ]


def test_runs_are_listed_newest_first(repo: Repo) -> None:
    empty = checked(repo.hookci("runs", "--json"), "runs")
    repo.commit({"hookci.toml": GREEN})
    repo.hookci("run")
    commit_red(repo)
    repo.hookci("run", check=False)

    rows = checked(repo.hookci("runs", "--json"), "runs")["runs"]

    assert empty["runs"] == []
    assert [(row["number"], row["verdict"]) for row in rows] == [(2, "red"), (1, "green")]
    assert checked(repo.hookci("runs", "--json", "-n", "1"), "runs")["runs"] == rows[:1]


def test_status_says_where_things_stand(repo: Repo) -> None:
    young = checked(repo.hookci("status", "--json"), "status")
    first = repo.commit({"hookci.toml": GREEN})
    repo.git("push", "-q", "-u", "origin", "main")
    repo.hookci("install")
    repo.hookci("run")
    second = repo.commit({"a.txt": "a"})

    known = checked(repo.hookci("status", "--json"), "status")

    assert (young["branch"], young["commit"], young["config"], young["last_run"]) == ("main", None, None, None)
    assert young["config_problem"]
    assert (known["commit"], known["upstream"]) == (second, {"name": "origin/main", "ahead": 1, "behind": 0})
    assert known["config"] == {"source": "hookci.toml", "stages": ["test"], "jobs": 1}
    assert "pre-push" in known["hooks"]
    assert (known["last_run"]["number"], known["last_run"]["commit"]) == (1, first)


def test_an_error_is_a_document_with_every_problem_and_the_same_status(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscrpt = ["true"]\n[jobs.lint]\nscript = ["true"]\nstage = "tset"\n'})

    ran = repo.hookci("run", "--json", check=False)

    document = checked(ran, "run")
    assert (ran.returncode, document["schema"], document["exit_status"]) == (2, "hookci/error", 2)
    problems = {problem["path"]: problem for problem in document["error"]["problems"]}
    assert problems["jobs.lint.stage"]["hint"] == "did you mean `test`?"
    assert "jobs.unit.scrpt" in problems
    assert "error: hookci.toml: " in ran.stderr


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("run", ["run", "--json", "--nosuch"]),
        ("run", ["run", "--json", "--events"]),
        ("run", ["run", "--json", "--staged", "--rev", "HEAD"]),
        ("plan", ["plan", "--json", "--hook", "post-merge"]),
        ("runs", ["runs", "--json", "-n", "none"]),
        ("status", ["status", "--json", "and", "more"]),
    ],
)
def test_a_line_that_makes_no_sense_is_an_error_document_too(repo: Repo, name: str, line: list[str]) -> None:
    ran = repo.hookci(*line, check=False)

    assert ran.returncode == 2
    assert checked(ran, name)["exit_status"] == 2
    assert "Error: " in ran.stderr


def test_names_that_are_no_utf_8_do_not_break_it(repo: Repo) -> None:
    repo.commit({"hookci.toml": GREEN})
    repo.git("checkout", "-q", "-b", os.fsdecode(b"caf\xe9"))

    run = checked(repo.hookci("run", "--json"), "run")["run"]

    assert run["label"] == run["branch"] == "caf\udce9"
    assert checked(repo.hookci("status", "--json"), "status")["branch"] == "caf\udce9"
    assert checked(repo.hookci("runs", "--json"), "runs")["runs"][0]["branch"] == "caf\udce9"


def test_an_interrupted_run_is_a_document_as_well(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscript = ["echo here; sleep 60"]\n'})
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "hookci", "run", "--json"],
        cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    while "| here" not in process.stderr.readline():
        pass

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)

    document = json.loads(out)
    jsonschema.validate(document, published_schema("run"))
    assert (process.returncode, document["exit_status"], document["run"]["verdict"]) == (130, 130, "interrupted")


@pytest.mark.parametrize("options", [[], ["--json"], ["--events"]])
@pytest.mark.parametrize(("config", "status"), [(GREEN, 0), (RED, 1)])
def test_that_nobody_reads_any_more_does_not_change_the_status(
    repo: Repo, options: list[str], config: str, status: int
) -> None:
    repo.commit({"hookci.toml": config, "made.xml": REPORT})
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-I", "-m", "hookci", "run", *options],
        cwd=repo.path, env=repo.env, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
    )  # fmt: skip
    os.close(writing)

    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
