"""Reports of GitLab jobs: what they name is shown, and the script alone decides."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Ran, Repo

PIPELINE = """\
lint:
  script: [cp report.json $OUT, exit $(cat status)]
  variables: {OUT: gl-code-quality.json}
  artifacts: {reports: {codequality: $CI_PROJECT_DIR/$OUT}}
"""
SOURCE = "foo = 1\nbar = 2\n"


def report(*entries: tuple[str, str, int]) -> str:
    return json.dumps(
        [
            {
                "description": f"about {rule}",
                "check_name": rule,
                "fingerprint": f"{rule}{path}{line}",
                "severity": "major",
                "location": {"path": path, "lines": {"begin": line}},
            }
            for path, rule, line in entries
        ]
    )


def linted(repo: Repo, entries: str, files: Mapping[str, str] = MappingProxyType({}), status: int = 0) -> Repo:
    """Commit a tree whose linter writes this report and ends so; ``files`` come on top."""
    repo.commit({".gitlab-ci.yml": PIPELINE, "a.py": SOURCE, "report.json": entries, "status": f"{status}\n", **files})
    return repo


def push(repo: Repo) -> Ran:
    return repo.git("push", "origin", "main", check=False)


def job(repo: Repo, *arguments: str) -> dict[str, Any]:
    document = json.loads(repo.hookci("run", "--json", *arguments, check=False).stdout)
    (found,) = document["run"]["jobs"]
    return found  # type: ignore[no-any-return]  # of a document


def test_findings_are_shown_and_the_script_decides(repo: Repo) -> None:
    repo.hookci("install")
    linted(repo, report(("a.py", "E501", 2)))

    green = push(repo)
    linted(repo, report(("a.py", "E501", 2)), status=1)
    red = push(repo)

    assert green.returncode == 0, green.output
    assert "hookci: lint: a.py:2: medium: E501: about E501" in green.stderr
    assert red.returncode != 0
    assert "lint failed" in red.stderr
    assert "does not block" not in green.stderr


def test_what_the_same_job_found_on_the_base_is_not_new(repo: Repo) -> None:
    repo.hookci("install")
    linted(repo, report(("a.py", "E501", 2)))
    assert push(repo).returncode == 0
    moved = report(("a.py", "E501", 3), ("b.py", "W1", 1))
    linted(repo, moved, {"a.py": f"# a line above\n{SOURCE}", "b.py": "x = 1\n"})

    pushed = push(repo)

    assert "b.py:1: medium: W1" in pushed.stderr
    assert "a.py:3" not in pushed.stderr
    assert "1 new finding" in pushed.stderr


def test_findings_are_in_the_documents_for_programs(repo: Repo) -> None:
    linted(repo, report(("a.py", "E501", 2)))

    found = job(repo)
    sarif = json.loads(repo.hookci("scan", "--rev", "HEAD", "--sarif", "-").stdout)

    assert found["outcome"] == "passed"
    (finding,) = found["scan"]["findings"]
    assert (finding["rule"], finding["path"], finding["line"]) == ("E501", "a.py", 2)
    assert (finding["state"], finding["blocks"]) == ("new", False)
    (run,) = sarif["runs"]
    assert run["tool"]["driver"]["name"] == "codequality"
    assert [result["ruleId"] for result in run["results"]] == ["E501"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "codequality report gl-code-quality.json: the report is not json: line 1"),
        ("{}", "codequality report gl-code-quality.json: the report is no list of code quality entries"),
        ('[{"description": "x"}]', "codequality report gl-code-quality.json: entry 1 has no location.path"),
    ],
)
def test_a_report_that_is_none_is_told_and_changes_nothing(repo: Repo, text: str, said: str) -> None:
    linted(repo, text)

    ran = repo.hookci("run")

    log = repo.hookci("log", "1", "lint").stdout
    assert f"hookci: lint: not scanned: {said}" in ran.output
    assert log.count(said) == 1
    assert "Traceback" not in ran.output


def test_a_report_that_was_not_written_is_told_in_the_log(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": "lint: {script: 'true', artifacts: {reports: {sast: gl-*.json}}}\n"})

    found = job(repo)

    assert (found["outcome"], found["scan"]) == ("passed", None)
    assert "no sast report matches `gl-*.json`" in repo.hookci("log", "1", "lint").stdout


def test_several_reports_of_a_job_are_one_scan(repo: Repo) -> None:
    vulnerability = {
        "name": "Shell",
        "severity": "High",
        "identifiers": [{"type": "x", "name": "P1", "value": "P1"}],
        "location": {"file": "a.py", "start_line": 1},
    }
    security = {"version": "15.0.7", "scan": {"scanner": {"id": "probe"}}, "vulnerabilities": [vulnerability]}
    pipeline = """\
        both:
          script: ["true"]
          artifacts: {reports: {codequality: [q1.json, q2.json], sast: "s*.json"}}
        """
    repo.commit(
        {
            ".gitlab-ci.yml": pipeline,
            "a.py": SOURCE,
            "q1.json": report(("a.py", "C1", 1)),
            "q2.json": report(("a.py", "C2", 2)),
            "s.json": json.dumps(security),
        }
    )

    scan = job(repo)["scan"]

    assert sorted(finding["rule"] for finding in scan["findings"]) == ["C1", "C2", "P1"]
    assert scan["what"] == "the reports of codequality, probe"


def test_a_suppression_of_a_file_beside_it_covers_a_finding(repo: Repo) -> None:
    suppression = '[[suppressions]]\nrule = "E501"\npath = "*.py"\nreason = "old"\nexpires = 2999-01-01\n'
    linted(repo, report(("a.py", "E501", 2)), {"hookci.toml": f'pipeline = ".gitlab-ci.yml"\n{suppression}'})

    ran = repo.hookci("run")

    assert "E501" not in ran.stderr
    assert "no new findings" in ran.output


@pytest.mark.docker
def test_a_report_of_a_container_names_files_by_the_path_it_has_there(repo: Repo) -> None:
    pipeline = """\
        lint:
          image: hookci-test/busybox:1
          script: ["sed s:TOP:$CI_PROJECT_DIR:g report.json > out.json"]
          artifacts: {reports: {codequality: out.json}}
        """
    repo.commit({".gitlab-ci.yml": pipeline, "a.py": SOURCE, "report.json": report(("TOP/a.py", "E501", 2))})

    found = job(repo)

    assert [finding["path"] for finding in found["scan"]["findings"]] == ["a.py"]
