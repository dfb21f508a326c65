"""What the test reports of jobs come to in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programs import REPORT, case, checked
from wanted import needed

if TYPE_CHECKING:
    from conftest import Repo


def test_a_report_never_decides(repo: Repo) -> None:
    config = """
        [jobs.fine]
        script = ["cp made.xml report.xml"]
        reports.junit = "report.xml"
        [jobs.broken]
        script = ["echo '<' > report.xml"]
        reports.junit = "report.xml"
        [jobs.none]
        script = ["true"]
        reports.junit = "nosuch.xml"
        [jobs.stale]
        script = ["test -e made.xml"]
        reports.junit = "made.xml"
    """
    repo.commit({"hookci.toml": config, "made.xml": REPORT})

    ran = repo.hookci("run", "--json")

    jobs = {job["name"]: job for job in checked(ran, "run")["run"]["jobs"]}
    assert {job["outcome"] for job in jobs.values()} == {"passed"}
    assert jobs["fine"]["tests"]["failed"] == 1
    assert [jobs[name]["tests"] for name in ("broken", "none", "stale")] == [None, None, None]
    assert "is not read: " in repo.hookci("log", "1", "broken").stdout
    assert "no test report matches `nosuch.xml`" in repo.hookci("log", "1", "none").stdout
    assert "`made.xml` was there before the job" in repo.hookci("log", "1", "stale").stdout


def test_secrets_in_a_report_are_not_stored(repo: Repo) -> None:
    config = """
        [jobs.unit]
        script = ["sed s/XX/$TOKEN/ made.xml > report.xml; exit 1"]
        reports.junit = "report.xml"
        secrets = ["TOKEN"]
    """
    repo.commit({"hookci.toml": config, "made.xml": case('<failure message="got XX"/>')})

    ran = repo.hookci("run", check=False, env={"TOKEN": "hunter22"})

    state = repo.path / ".git" / "hookci"
    assert "a::b: got [MASKED]" in ran.stdout
    assert "hunter22" not in ran.output
    assert not [path for path in state.rglob("*") if path.is_file() and b"hunter22" in path.read_bytes()]


def test_the_report_that_node_writes_is_read(repo: Repo) -> None:
    needed("node")
    test = """
        const test = require("node:test"), assert = require("node:assert");
        test("adds up", () => assert.strictEqual(1 + 1, 2));
        test("is right", () => assert.strictEqual(1, 2));
    """
    command = "node --test --test-reporter=junit --test-reporter-destination=report.xml"
    config = f'[jobs.unit]\nscript = ["{command}"]\nreports.junit = "report.xml"\n'
    repo.commit({"hookci.toml": config, "sum.test.js": test})

    (job,) = checked(repo.hookci("run", "--json", check=False), "run")["run"]["jobs"]

    assert (job["outcome"], job["tests"]["total"], job["tests"]["failed"]) == ("failed", 2, 1)
    (failing,) = job["tests"]["failing"]
    assert failing["name"].endswith("is right")
    assert failing["message"].startswith("Expected values to be strictly equal:")
    assert "1 !== 2" in failing["message"]


def test_the_report_that_pytest_writes_is_read(repo: Repo) -> None:
    test = """
import pytest
@pytest.fixture
def broken(): raise OSError("no disk")
class TestIt:
    def test_good(self): pass
    @pytest.mark.parametrize("n", [1, 2])
    def test_bad(self, n): assert n == 1
def test_error(broken): pass
@pytest.mark.skip
def test_skipped(): pass
"""
    command = "python -m pytest -q -p no:cacheprovider --junit-xml=out/report.xml"
    config = f'[jobs.unit]\nscript = ["{command}"]\nreports.junit = "out/*.xml"\n'
    repo.commit({"hookci.toml": config, "deep/test_it.py": test})

    (job,) = checked(repo.hookci("run", "--json", check=False), "run")["run"]["jobs"]

    assert job["tests"] == {
        "total": 5,
        "failed": 2,
        "skipped": 1,
        "failing": [
            {"name": "deep/test_it.py::TestIt::test_bad[2]", "message": "assert 2 == 1"},
            {"name": "deep/test_it.py::test_error", "message": 'failed on setup with "OSError: no disk"'},
        ],
    }
