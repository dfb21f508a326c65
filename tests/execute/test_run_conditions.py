"""What decides whether a job runs, whether its failure counts, and whether it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from execute_tools import outcomes, output, run, said

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors

RULES = """
    [jobs.on_push]
    rules = [{ hook = "pre-push" }]
    script = ["true"]
    [jobs.on_commit]
    rules = [{ hook = "pre-commit" }]
    script = ["true"]
    [jobs.on_feature]
    rules = [{ branch = "feature/*" }]
    script = ["true"]
    [jobs.on_tag]
    rules = [{ tag = '/^v[0-9]+$/' }]
    script = ["true"]
    [jobs.on_docs]
    rules = [{ changes = ["docs/**"] }]
    script = ["true"]
    [jobs.with_make]
    rules = [{ exists = ["Makefile"] }]
    script = ["true"]
    [jobs.by_condition]
    rules = [{ if = '$CI_COMMIT_BRANCH =~ /^feature/ && $FLAVOUR == "sweet"' }]
    variables = { FLAVOUR = "sweet" }
    script = ["true"]
    [jobs.not_on_feature]
    rules = [{ branch = "feature/*", when = "never" }, {}]
    script = ["true"]
    [hooks]
    pre-commit = ["test"]
"""


def test_rules_see_hook_branch_tag_changes_and_files_of_what_is_judged(repo: Repo) -> None:
    repo.commit({"hookci.toml": RULES, "docs/a.md": "1"})
    repo.git("push", "-q", "origin", "main")
    repo.git("fetch", "-q", "origin")
    repo.git("switch", "-qc", "feature/x")
    repo.commit({"docs/a.md": "2"})
    repo.git("tag", "v1")
    repo.git("switch", "-q", "main")
    repo.commit({"Makefile": ""})

    branch = run(repo, "--rev", "feature/x").stdout
    tag = run(repo, "--rev", "v1").stdout
    staged = run(repo, "--staged", "--hook", "pre-commit").stdout

    assert "(on_push, on_feature, on_docs, by_condition)" in branch
    assert "(on_push, on_tag, on_docs, not_on_feature)" in tag
    assert "(on_commit, with_make, not_on_feature)" in staged


def test_a_rule_adds_variables_and_lets_a_job_fail(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [variables]
        LEVEL = "low"
        MODE = "plain"
        [jobs.a]
        script = ["echo $LEVEL $MODE", "exit 1"]
        rules = [
            { branch = "other", variables = { LEVEL = "other" } },
            { branch = "main", variables = { LEVEL = "high-$MODE" }, allow_failure = true },
        ]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == ["high-plain plain"]
    assert outcomes(repo) == {"a": "allowed to fail"}


def test_jobs_for_failures_and_for_always_run_when_they_should(repo: Repo) -> None:
    config = """
        [jobs.first]
        stage = "build"
        script = ["RESULT"]
        [jobs.normal]
        script = ["true"]
        [jobs.cleanup]
        when = "always"
        script = ["true"]
        [jobs.rescue]
        when = "on_failure"
        script = ["true"]
        [jobs.after]
        stage = "integration"
        script = ["true"]
    """
    repo.commit({"hookci.toml": config.replace("RESULT", "true")})

    good = run(repo).returncode
    on_a_good_day = outcomes(repo)
    repo.commit({"hookci.toml": config.replace("RESULT", "false")})
    bad = run(repo, check=False).returncode
    on_a_bad_day = outcomes(repo)

    passed, skipped = "passed", "skipped"
    assert (good, bad) == (0, 1)
    assert on_a_good_day == {
        "first": passed, "normal": passed, "cleanup": passed, "rescue": skipped, "after": passed
    }  # fmt: skip
    assert on_a_bad_day == {
        "first": "failed", "normal": skipped, "cleanup": passed, "rescue": passed, "after": skipped
    }  # fmt: skip


def test_a_job_that_waits_for_a_person_holds_up_what_comes_after_it(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.gate]
        stage = "build"
        rules = [{ when = "manual" }]
        script = ["true"]
        [jobs.unit]
        script = ["true"]
    """})  # fmt: skip

    waiting = run(repo)
    asked = run(repo, "gate", "test")

    assert "main is green: 1 job skipped (unit), 1 waits for a person (gate)" in waiting.stdout
    assert "gate        = waits for a person: `hookci run job:gate` starts it\n" in waiting.stdout
    assert "unit        = skipped: `gate` waits for a person\n" in waiting.stdout
    assert "2 jobs passed (gate, unit)" in asked.stdout


def test_a_job_that_may_wait_for_a_person_holds_up_only_those_that_need_it(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.preview]
        stage = "build"
        when = "manual"
        allow_failure = true
        script = ["true"]
        [jobs.unit]
        script = ["true"]
        [jobs.tell]
        needs = ["preview"]
        script = ["true"]
    """})  # fmt: skip

    run(repo)

    assert outcomes(repo) == {"preview": "waits for a person", "unit": "passed", "tell": "skipped"}


@pytest.mark.parametrize(
    ("allowed", "script", "outcome", "status"),
    [
        ("true", "exit 1", "allowed to fail", 0),
        ("true", "kill -KILL $$", "allowed to fail", 0),
        ("{ exit_codes = [3, 4] }", "exit 4", "allowed to fail", 0),
        ("{ exit_codes = [3, 4] }", "exit 5", "failed", 1),
        ("{ exit_codes = 3 }", "sleep 60", "timed out", 1),
        ("true", "sleep 60", "allowed to fail", 0),
    ],
)
def test_a_failure_that_is_allowed_does_not_make_the_run_red(
    repo: Repo, allowed: str, script: str, outcome: str, status: int
) -> None:
    timeout = "500ms" if "sleep" in script else "1m"
    repo.commit({"hookci.toml": f"""
        [jobs.shaky]
        stage = "build"
        allow_failure = {allowed}
        timeout = "{timeout}"
        script = ["{script}"]
        [jobs.after]
        script = ["true"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert ran.returncode == status
    assert outcomes(repo) == {"shaky": outcome, "after": "skipped" if status else "passed"}


@pytest.mark.parametrize(
    ("retry", "script", "tries", "outcome"),
    [
        ("2", "[ $(wc -l < TRIES) -ge 3 ]", 3, "passed"),
        ("2", "exit 1", 3, "failed"),
        ("0", "exit 1", 1, "failed"),
        ('{ max = 2, when = "timeout" }', "exit 1", 1, "failed"),
        ('{ max = 1, when = ["timeout"] }', "sleep 60", 2, "timed out"),
        ('{ max = 1, when = "failure" }', "sleep 60", 1, "timed out"),
        ("{ max = 2, exit_codes = [75] }", "exit 75", 3, "failed"),
        ("{ max = 2, exit_codes = 75 }", "exit 76", 1, "failed"),
    ],
)
def test_a_job_is_tried_again_as_often_and_after_what_it_says(
    repo: Repo, tmp_path: Path, retry: str, script: str, tries: int, outcome: str
) -> None:
    note = tmp_path / "tries"
    timeout = "700ms" if outcome == "timed out" else "1m"
    repo.commit({"hookci.toml": f"""
        [jobs.flaky]
        retry = {retry}
        timeout = "{timeout}"
        script = ["echo $$ >> {note}; {script.replace("TRIES", str(note))}"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert len(note.read_text().split()) == tries
    assert outcomes(repo) == {"flaky": outcome}
    assert ran.stdout.count("; trying again\n") == tries - 1
    assert (f"flaky       > started, attempt {tries}\n" in ran.stdout) == (tries > 1)


def test_each_attempt_starts_from_a_clean_workspace_and_all_are_in_the_log(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.flaky]
        retry = 1
        script = ["test ! -e left", "touch left; rm hookci.toml; exit 6"]
    """})  # fmt: skip

    run(repo, check=False)

    assert output(repo, "flaky").count("exit 6") == 2
    assert "exit status 6" in repo.hookci("log").stdout


def test_a_matrix_is_a_job_for_every_combination_and_all_of_it_by_its_name(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.unit]
        matrix = [{ PY = ["3.11", "3.12"], DB = ["a"] }, { PY = "3.13", DB = "b" }]
        script = ["echo $PY-$DB"]
        [jobs.after]
        stage = "integration"
        needs = ["unit"]
        script = ["true"]
    """})  # fmt: skip

    whole = run(repo, "unit", "after")
    cell = run(repo, "unit: [3.12, a]")

    assert said(whole, "unit: [3.11, a]") + said(whole, "unit: [3.12, a]") + said(whole, "unit: [3.13, b]") == [
        "3.11-a", "3.12-a", "3.13-b"
    ]  # fmt: skip
    assert "4 jobs passed" in whole.stdout
    assert "1 job passed (unit: [3.12, a])" in cell.stdout


def test_plan_tells_what_would_run_and_why_and_runs_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.make]
        stage = "build"
        script = ["touch {tmp_path}/ran"]
        [jobs.unit]
        needs = ["make"]
        script = ["true"]
        [jobs.slow]
        script = ["true"]
        rules = [{{ branch = "release" }}]
        [jobs.ask]
        script = ["true"]
        when = "manual"
    """})  # fmt: skip

    named = repo.hookci("plan", "unit").stdout
    whole = repo.hookci("plan", "test", env={"HOOKCI_SKIP": "unit"}).stdout

    assert not (tmp_path / "ran").exists()
    assert [line.split(None, 2) for line in named.splitlines() if line.startswith("  ")][:2] == [
        ["make", "run", "`unit` needs it"],
        ["unit", "run", "asked for"],
    ]
    assert "HOOKCI_SKIP names it" in whole
    assert "no rule matches" in whole
    assert "`hookci run job:ask` starts it" in whole
    assert repo.hookci("runs").stdout.strip() == "no runs yet"
