"""The command line as a person meets it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest
import tomli

import hookci

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

GREEN = '[jobs.unit]\nscript = ["echo fine"]\n'
RED = '[jobs.unit]\nscript = ["echo a; exit 3"]\n'


def test_the_version_is_told_and_is_the_packages(repo: Repo) -> None:
    project = tomli.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    ran = repo.hookci("--version")

    assert ran.stdout == f"hookci, version {hookci.__version__}\n"
    assert hookci.__version__ == project["version"]


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_output_that_cannot_be_written_is_an_error(repo: Repo, argument: str) -> None:
    ran = repo.run("sh", "-c", f'exec "{sys.executable}" -m hookci {argument} >/dev/full', check=False)

    assert ran.returncode == 3
    assert ran.stderr == "error: the output cannot be written: no space left on device\n"


def test_an_unknown_command_is_a_usage_error_with_the_one_that_was_meant(repo: Repo) -> None:
    ran = repo.hookci("instal", check=False)

    assert ran.returncode == 2
    assert "there is no command `instal`; did you mean `install`?" in ran.stderr


def test_outside_of_a_repository_every_command_says_so(sealed_directory: Repo) -> None:
    for command in ("run", "plan", "status", "runs", "log", "install", "uninstall", "init", "check"):
        ran = sealed_directory.hookci(command, check=False)

        assert ran.returncode == 2, command
        assert ran.stderr == (
            f"error: {sealed_directory.path} is not in a git repository\n"
            "hint: run `git init` first, or change into one\n"
        )


@pytest.fixture
def sealed_directory(make_repo: Callable[..., Repo], tmp_path: Path) -> Repo:
    repo = make_repo(remote=False)
    place = tmp_path / "nowhere"
    place.mkdir()
    repo.path = place
    return repo


def test_init_writes_a_config_that_is_valid_and_says_why(repo: Repo) -> None:
    repo.commit({"Makefile": "test:\n\ttrue\n"})

    ran = repo.hookci("init")

    assert "found " in ran.stdout
    assert f"wrote {repo.path / 'hookci.toml'}\n" in ran.stdout
    assert "next: hookci install" in ran.stdout
    assert not (repo.path / ".git/hooks/pre-push").exists()
    assert "is valid" in repo.hookci("check").stdout


def test_init_never_overwrites(repo: Repo) -> None:
    repo.write_files({"hookci.toml": "mine"})

    ran = repo.hookci("init", "--yes", check=False)

    assert ran.returncode == 2
    assert "is there already and is never overwritten" in ran.stderr
    assert (repo.path / "hookci.toml").read_text() == "mine"


def test_init_leaves_a_section_in_pyproject_alone(repo: Repo) -> None:
    repo.write_files({"pyproject.toml": '[tool.hookci.jobs.unit]\nscript = ["true"]\n'})

    ran = repo.hookci("init", check=False)

    assert ran.returncode == 2
    assert "has a [tool.hookci] section already" in ran.stderr
    assert not (repo.path / "hookci.toml").exists()


def test_init_print_writes_nothing_and_prints_only_the_config(repo: Repo) -> None:
    repo.commit({"Makefile": "test:\n\ttrue\n"})

    ran = repo.hookci("init", "--print")

    assert "jobs" in tomli.loads(ran.stdout)
    assert not (repo.path / "hookci.toml").exists()


def test_init_on_a_terminal_offers_to_install(repo: Repo) -> None:
    repo.commit({"Makefile": "test:\n\ttrue\n"})
    child = pexpect.spawn(
        sys.executable, ["-I", "-m", "hookci", "init"], cwd=str(repo.path), env=dict(repo.env), encoding="utf-8"
    )

    child.expect_exact("install the git hooks now? [Y/n]")
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 0
    assert os.access(repo.path / ".git/hooks/pre-push", os.X_OK)


def test_check_names_every_mistake_at_once(repo: Repo) -> None:
    repo.write_files({"hookci.toml": '[jobs.unit]\nscrpt = ["true"]\n[jobs.lint]\nscript = ["true"]\nstage = "tset"\n'})

    ran = repo.hookci("check", check=False)

    assert ran.returncode == 2
    assert "hookci.toml: " in ran.stderr
    assert "jobs.unit.scrpt: unknown key" in ran.stderr
    assert "did you mean `script`?" in ran.stderr
    assert "jobs.lint.stage" in ran.stderr
    assert "did you mean `test`?" in ran.stderr


def test_check_can_look_at_the_index_and_at_commits(repo: Repo) -> None:
    first = repo.commit({"hookci.toml": GREEN})
    repo.write_files({"hookci.toml": "broken"})
    repo.git("add", "-A")
    repo.write_files({"hookci.toml": GREEN})

    assert repo.hookci("check").returncode == 0
    assert repo.hookci("check", "--staged", check=False).returncode == 2
    assert repo.hookci("check", "--rev", first).returncode == 0


def test_check_warns_of_what_this_version_cannot_run(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": "unit: { script: 'true', secrets: { TOKEN: { vault: a/b@c } } }\n"})

    ran = repo.hookci("check")

    assert "warning: job `unit`: this version cannot run secrets: " in ran.stderr


def test_the_schema_is_json_and_describes_jobs(repo: Repo) -> None:
    schema = json.loads(repo.hookci("schema").stdout)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "jobs" in schema["properties"]


def test_run_ends_in_the_verdicts_status(repo: Repo) -> None:
    repo.commit({"hookci.toml": GREEN})
    green = repo.hookci("run")
    repo.commit({"hookci.toml": RED})

    red = repo.hookci("run", check=False)

    assert re.search(r"hookci: main is green: 1 job passed \(unit\) in [0-9.]+s \[run 1\]\n$", green.stdout)
    assert red.returncode == 1
    assert re.search(r"hookci: main is red: 1 job failed \(unit\) in [0-9.]+s \[run 2\]\n$", red.stdout)


def test_the_command_that_runs_a_failed_job_again_does_so(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.test]\nscript = ["exit 3"]\n[jobs.other]\nscript = ["true"]\n'})
    red = repo.hookci("run", check=False)
    again = re.search(r"again: (hookci run .*)", red.stdout)
    assert again

    ran = repo.run("sh", "-c", again[1], check=False)

    assert ran.returncode == 1
    assert "1 job failed (test)" in ran.stdout
    assert "other" not in ran.stdout, "a job that shares its stage's name is meant alone"


def test_a_repository_without_config_is_told_how_to_get_one(repo: Repo) -> None:
    repo.commit({"a.txt": "a"})
    without = repo.hookci("run", check=False)
    repo.write_files({"hookci.toml": GREEN})

    uncommitted = repo.hookci("run", check=False)

    assert without.returncode == 2
    assert without.stderr == "error: main has no hookci.toml\nhint: write one with `hookci init`\n"
    assert uncommitted.returncode == 2
    assert "it is in your work tree: `git add hookci.toml` and commit" in uncommitted.stderr


def test_rev_and_staged_exclude_each_other(repo: Repo) -> None:
    ran = repo.hookci("run", "--rev", "HEAD", "--staged", check=False)

    assert ran.returncode == 2
    assert "--rev and --staged exclude each other" in ran.stderr


def test_plan_runs_nothing_and_gives_reasons(repo: Repo) -> None:
    config = """
        [jobs.unit]
        script = ["touch /tmp/hookci-plan-ran-this"]
        [jobs.tag]
        script = ["true"]
        rules = [{ tag = "v*" }]
        [jobs.ship]
        stage = "deploy"
        script = ["true"]
    """
    repo.commit({"hookci.toml": config})

    ran = repo.hookci("plan")

    assert re.search(r"unit +run +asked for", ran.stdout)
    assert "no rule matches" in ran.stdout
    assert "not asked for" in ran.stdout
    assert not Path("/tmp/hookci-plan-ran-this").exists()
    assert repo.hookci("runs").stdout == "no runs yet\n"


def test_status_tells_branch_pipeline_hooks_and_last_run(repo: Repo) -> None:
    repo.commit({"hookci.toml": GREEN}, "a pipeline")
    before = repo.hookci("status").stdout
    repo.hookci("install")
    repo.hookci("run")

    after = repo.hookci("status").stdout

    assert re.search(r"on +main at [0-9a-f]{8} a pipeline\n", before)
    assert re.search(r"hooks +not installed: `hookci install`\n", before)
    assert re.search(r"last run +none yet", before)
    assert re.search(r"hooks +pre-commit, pre-merge-commit, pre-push", after)
    assert re.search(r"pipeline +hookci.toml: 1 job in test", after)
    assert "green" in after


def test_status_counts_commits_against_the_upstream(repo: Repo) -> None:
    repo.commit({"hookci.toml": GREEN})
    repo.git("push", "-q", "-u", "origin", "main")
    repo.commit({"a.txt": "a"})

    assert "1 ahead of and 0 behind origin/main" in repo.hookci("status").stdout


def test_status_works_in_a_sha256_repository_and_before_the_first_commit(make_repo: Callable[..., Repo]) -> None:
    young = make_repo("young", remote=False)
    modern = make_repo("modern", remote=False, object_format="sha256")
    modern.commit({"hookci.toml": GREEN})

    assert "main, no commit yet" in young.hookci("status").stdout
    assert "hookci.toml: 1 job in test" in modern.hookci("status").stdout


def test_log_shows_a_run_its_jobs_and_their_output(repo: Repo) -> None:
    repo.commit({"hookci.toml": RED})
    repo.hookci("run", check=False)

    assert "unit" in repo.hookci("log").stdout
    assert repo.hookci("log", "1", "unit").stdout == "$ echo a; exit 3\na\n"
    missing = repo.hookci("log", "1", "nosuch", check=False)
    assert (missing.returncode, missing.stderr) == (2, "error: run 1 has no job `nosuch`\nhint: its jobs: unit\n")
    assert "there is no run 9" in repo.hookci("log", "9", check=False).stderr


def test_settings_are_checked(repo: Repo) -> None:
    repo.commit({"hookci.toml": GREEN})
    repo.git("config", "hookci.unconfigred", "allow")

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 2
    assert "hookci.unconfigred: unknown setting" in ran.stderr
    assert "did you mean `unconfigured`?" in ran.stderr


def test_a_file_in_the_repository_does_not_replace_a_module(repo: Repo) -> None:
    """With plain `python -m`, a `tomllib.py` or `click.py` at the top of the repository would be imported."""
    repo.commit({"hookci.toml": RED, "tomli.py": "raise SystemExit(0)", "click.py": "raise SystemExit(0)"})
    repo.hookci("install")

    ran = repo.git("push", "origin", "main", check=False)

    assert ran.returncode != 0
    assert "hookci: main is red" in ran.stderr
    assert repo.remote_branches() == set()
