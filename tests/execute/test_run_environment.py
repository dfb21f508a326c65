"""The environment of a job: an allow-list of the user's, what the config says, and the facts of the snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from execute_tools import run, said

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors

PRINT = "import json, os; print(json.dumps(dict(os.environ)))"


def environment_of(repo: Repo, *arguments: str, job: str = "env", env: dict[str, str] | None = None) -> dict[str, str]:
    """What a job that prints its environment has."""
    lines = said(run(repo, *arguments, env=env), job)
    found: dict[str, str] = json.loads(lines[0])
    return found


def commit_printer(repo: Repo, more: str = "", top: str = "") -> None:
    repo.commit({"hookci.toml": f"{top}\n[jobs.env]\nscript = ['python3 print.py']\n{more}", "print.py": PRINT})


@pytest.mark.executors("local")  # a container has an environment of its own
def test_a_job_gets_what_programs_need_and_nothing_else_of_the_users(repo: Repo) -> None:
    commit_printer(repo)
    passed = {
        "LANG": "de_DE.UTF-8", "LC_TIME": "C", "TZ": "UTC", "TMPDIR": "/tmp", "http_proxy": "http://p", "NO_PROXY": "x",
        "SSL_CERT_FILE": "/c", "REQUESTS_CA_BUNDLE": "/r", "PIP_INDEX_URL": "http://i", "UV_CACHE_DIR": "/u",
        "NPM_CONFIG_REGISTRY": "http://n", "npm_config_cache": "/n", "CARGO_HOME": "/ca", "GOPROXY": "off",
        "SSH_AUTH_SOCK": "/s", "XDG_DATA_HOME": "/x",
    }  # fmt: skip
    withheld = {
        "HOSTLEAK": "1", "PYTHONPATH": "/p", "PYTHONHOME": "", "VIRTUAL_ENV": "/v", "EDITOR": "vi", "EMAIL": "a@b",
        "AWS_SECRET_ACCESS_KEY": "k", "BASH_ENV": "/b", "ENV": "/e", "CDPATH": "/", "DATABASE_URL": "d",
    }  # fmt: skip

    seen = environment_of(repo, env={**passed, **withheld})

    assert {name: seen.get(name) for name in passed} == passed
    assert not withheld.keys() & seen.keys()
    assert seen["PATH"] == repo.env["PATH"]
    assert seen["HOME"] == repo.env["HOME"]


@pytest.mark.executors("local")  # git in a container gets a setting of hookci's by the environment
def test_nothing_of_gits_reaches_a_job_whatever_the_config_asks_for(repo: Repo) -> None:
    commit_printer(repo, 'pass_env = ["GIT_*", "*"]')
    gits = {
        "GIT_AUTHOR_NAME": "x", "GIT_EDITOR": "x", "GIT_REFLOG_ACTION": "x", "GIT_SSH_COMMAND": "x", "EMAIL": "a@b",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "x", "GIT_TRACE2_EVENT": "0",
    }  # fmt: skip

    seen = environment_of(repo, env={**gits, "HOSTLEAK": "wanted"})

    assert [name for name in seen if name.startswith("GIT_")] == []
    assert "EMAIL" not in seen
    assert seen["HOSTLEAK"] == "wanted"


def test_pass_env_and_secrets_name_what_else_comes_along(repo: Repo) -> None:
    commit_printer(repo, 'pass_env = ["DATABASE_*", "EXACT"]\nsecrets = ["TOKEN_?", "TOKEN_*"]')
    user = {"DATABASE_URL": "u", "DATABASE_NAME": "n", "EXACT": "e", "EXACTLY": "no", "MY_DATABASE_X": "no"}

    seen = environment_of(repo, env={**user, "TOKEN_A": "long-enough-secret", "TOKEN": "no"})

    assert {name: value for name, value in seen.items() if name in {*user, "TOKEN_A", "TOKEN"}} == {
        "DATABASE_URL": "u", "DATABASE_NAME": "n", "EXACT": "e", "TOKEN_A": "[MASKED]"
    }  # fmt: skip


def test_variables_are_the_jobs_before_the_pipelines_and_refer_to_one_another(repo: Repo) -> None:
    commit_printer(repo)
    path = environment_of(repo)["PATH"]
    commit_printer(
        repo,
        'variables = { TAG = "dev", PATH = "/opt/x:$PATH", LOOP_A = "$LOOP_B", LOOP_B = "$LOOP_A", HOSTLEAK = "mine" }',
        """[variables]
        IMAGE = "app:${TAG}"
        TAG = "latest"
        SHORT = "$CI_COMMIT_SHORT_SHA-$$5-$UNKNOWN"
        AS_IS = "a $b 'c'"
        """,
    )

    seen = environment_of(repo, env={"HOSTLEAK": "theirs"})

    assert seen["IMAGE"] == "app:dev"
    assert seen["TAG"] == "dev"
    assert seen["SHORT"] == f"{repo.out('rev-parse', 'HEAD')[:8]}-$5-$UNKNOWN"
    assert seen["PATH"] == f"/opt/x:{path}"
    assert seen["HOSTLEAK"] == "mine"
    assert seen["AS_IS"] == "a $b 'c'"
    assert "LOOP_A" in seen


def test_the_predefined_variables_say_what_git_says(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"base": ""})
    repo.git("push", "-q", "origin", "main")
    repo.git("fetch", "-q", "origin")
    commit_printer(repo)
    repo.git("commit", "-q", "--amend", "-m", "The title\n\nThe first line\nand the second")
    repo.git("switch", "-qc", "Feature/Ünder_1")

    seen = environment_of(repo)

    head = repo.out("rev-parse", "HEAD")
    assert {name: value for name, value in seen.items() if name.startswith(("CI", "HOOKCI"))} == {
        "CI": "true",
        "CI_COMMIT_AUTHOR": "Ana <ana@example.com>",
        "CI_COMMIT_BEFORE_SHA": "0" * 40,
        "CI_COMMIT_BRANCH": "Feature/Ünder_1",
        "CI_COMMIT_DESCRIPTION": "The first line\nand the second",
        "CI_COMMIT_MESSAGE": repo.out("show", "-s", "--format=%B"),
        "CI_COMMIT_MESSAGE_IS_TRUNCATED": "false",
        "CI_COMMIT_REF_NAME": "Feature/Ünder_1",
        "CI_COMMIT_REF_SLUG": "feature--nder-1",
        "CI_COMMIT_SHA": head,
        "CI_COMMIT_SHORT_SHA": head[:8],
        "CI_COMMIT_TIMESTAMP": repo.out("show", "-s", "--format=%cI"),
        "CI_COMMIT_TITLE": "The title",
        "CI_DEFAULT_BRANCH": "main",
        "CI_DEFAULT_BRANCH_SLUG": "main",
        "CI_JOB_NAME": "env",
        "CI_JOB_STAGE": "test",
        "CI_PIPELINE_ID": "1",
        "CI_PIPELINE_SOURCE": "push",
        "CI_PROJECT_DIR": seen["PWD"],
        "CI_PROJECT_NAME": "project",
        "HOOKCI": "true",
        "HOOKCI_BASE": repo.out("rev-parse", "origin/main"),
        "HOOKCI_BRANCH": "Feature/Ünder_1",
        "HOOKCI_COMMIT": head,
        "HOOKCI_HOOK": "pre-push",
        "HOOKCI_JOB": "env",
        "HOOKCI_JOB_TOKEN": seen["HOOKCI_JOB_TOKEN"],
        "HOOKCI_REF_NAME": "Feature/Ünder_1",
        "HOOKCI_RUN": "1",
        "HOOKCI_STAGE": "test",
        "HOOKCI_TREE": repo.out("rev-parse", "HEAD^{tree}"),
        "HOOKCI_WORKSPACE": seen["PWD"],
    }
    place = str(tmp_path / "home" / ".cache" / "hookci")
    assert (seen["PWD"] == "/builds/project") if repo.image else (place in seen["PWD"])


def test_a_failed_job_says_which_of_the_users_variables_it_did_not_get(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.python]
        script = ["python3 -c 'import os; os.environ[\\"DATABASE_\\" + \\"URL\\"]'"]
        [jobs.shell]
        script = ["set -u", "echo $SERVICE_PORT"]
        [jobs.neither]
        script = ["exit 4"]
        [jobs.passes]
        script = ["echo $SERVICE_PORT"]
    """})  # fmt: skip
    env = {"DATABASE_URL": "postgres://secret", "SERVICE_PORT": "1", "UNRELATED_NAME": "1"}

    ran = run(repo, "--keep-going", env=env, check=False)

    hint = '  hint: your shell has {0}, which the job did not get; if it needs that, write pass_env = ["{0}"]'
    assert [line for line in ran.stdout.splitlines() if line.startswith("  hint: ")] == [
        hint.format("SERVICE_PORT"), hint.format("DATABASE_URL")
    ]  # fmt: skip
    assert "postgres://secret" not in ran.output


@pytest.mark.executors("local")  # a container has one of its own
@pytest.mark.parametrize("umask", ["022", "077", "002"])
def test_a_job_has_the_umask_of_the_person(repo: Repo, umask: str) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["umask", "touch new", "stat -c %a new hookci.toml"]\n'})

    ran = repo.run("sh", "-c", f"umask {umask}; exec hookci run")

    mode = f"{0o666 & ~int(umask, 8):o}"
    assert said(ran, "a") == [f"0{umask}", mode, mode]


def test_a_job_is_shown_no_start_up_file_of_a_shell(repo: Repo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (".bashrc", ".bash_profile", ".profile"):
        (home / name).write_text("echo started-up; STARTED=yes\n")
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["echo ${STARTED:-no}"]\n'})

    ran = run(repo, env={"BASH_ENV": str(home / ".bashrc"), "ENV": str(home / ".profile")})

    assert said(ran, "a") == ["no"]
