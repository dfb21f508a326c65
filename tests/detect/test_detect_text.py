"""The whole text, and that it is green where it can be run without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli
from detect_samples import FLIT, jobs, look, scripted
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.detect import Found
from hookci.config.detect.render import quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

HEAD = """\
# What has to be green before a push leaves this machine. hookci runs these jobs in a clean checkout
# of exactly what is sent: no untracked file and none of your environment but HOME, PATH and the like.

# [defaults]
# timeout = "15m"                # a job is stopped after this time (1h if nothing is said)
# pass_env = ["DATABASE_URL"]    # what jobs may see of your environment beside that

"""
SECRETS = """\
[jobs.secrets]
stage = "security"
scan = "secrets"
"""
CODE = """\
[jobs.code]
stage = "security"
scan = "bandit"
"""
DEPENDENCIES = """\
# Known vulnerabilities of the dependencies, in a database that `hookci advisories update` fetches.
# Until it is there nothing is scanned, which allow_unscanned lets pass; every run says so.
[jobs.dependencies]
stage = "security"
scan = { tool = "dependencies", allow_unscanned = true }
"""
NEW = "# What these scans find stops a push, unless the remote's default branch has it too.\n"
FOOT = """
# [hooks]
# pre-commit = ["secrets"]       # on every commit as well; before a push all jobs run anyway

# [environments.staging]         # what to do when main has moved and is green
# branch = "main"
# deploy = "on-merge"
# script = ["./deploy.sh staging"]
# health = [{ command = "./smoke.sh", within = "60s" }]
"""


def test_a_python_package_gets_one_job_that_installs_it_editable_and_runs_its_tests_and_all_scans(
    tmp_path: Path,
) -> None:
    files = {
        "pyproject.toml": FLIT
        + '[dependency-groups]\ntests = ["pytest"]\n[tool.pytest.ini_options]\nxfail_strict=true',
        "src/thing/__init__.py": "",
        "tests/test_thing.py": "def test_it(): pass",
    }

    found = look(tmp_path, files)

    assert found.text == (
        HEAD
        + """\
# Python project (pyproject.toml): pytest is configured in [tool.pytest.ini_options]; the dependency
# group `tests` is installed.
[jobs.test]
stage = "test"
script = [
  "[ -x .venv/bin/python ] || python3 -m venv .venv",
  "source .venv/bin/activate",
  "pip install -q 'pip>=25.1'",  # the first pip that knows --group
  "pip install -q -e . --group tests",
  "python -m pytest",
]
cache = [{ key.files = ["pyproject.toml"], paths = [".venv"] }]  # kept until this changes
"""
        + "\n".join(["", NEW + CODE, DEPENDENCIES, SECRETS])
        + FOOT
    )
    assert found.found == (
        Found(
            "Python project (pyproject.toml)",
            "pytest is configured in [tool.pytest.ini_options]; the dependency group `tests` is installed",
        ),
    )


def test_a_node_project_with_hooks_a_dockerfile_and_another_pipeline(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {"test": "jest", "lint": "eslint .", "build": "tsc"}}',
        "package-lock.json": "{}",
        ".pre-commit-config.yaml": "repos: []",
        "Dockerfile": "FROM scratch",
        ".gitlab-ci.yml": "test: {script: [make]}",
    }

    found = look(tmp_path / "Shop", files)

    assert found.text == (
        HEAD
        + """\
# Node project (package.json): `npm run build`, `npm test`; installed as package-lock.json says.
[jobs.lint]
stage = "test"
script = [
  "npm ci",
  "npm run lint",
]
allow_failure = true  # drop this once it is green

[jobs.test]
stage = "test"
script = [
  "npm ci",
  "npm run build",
  "npm test",
]

# The hooks of .pre-commit-config.yaml, on all files.
[jobs.pre-commit]
stage = "test"
script = [
  "[ -x .pre-commit/bin/python ] || python3 -m venv .pre-commit",
  ".pre-commit/bin/pip install -q pre-commit",
  ".pre-commit/bin/python -m pre_commit run --all-files",
]
cache = [{ key.files = [".pre-commit-config.yaml"], paths = [".pre-commit"] }]  # kept until this changes
allow_failure = true  # drop this once it is green: from then on it stops a push

"""
        + "\n".join([NEW + DEPENDENCIES, SECRETS])
        + """
# There is a Dockerfile. A job that builds the image, where docker is installed:
# [jobs.image]
# stage = "build"
# script = ["docker build -t shop ."]

# .gitlab-ci.yml is here too. hookci goes by this file; the words are the same, so jobs are easily
# copied.
"""
        + FOOT
    )
    assert set(jobs(found)) == {"lint", "test", "pre-commit", "dependencies", "secrets"}


def test_where_nothing_is_recognised_the_job_says_that_it_tests_nothing_and_secrets_are_looked_for(
    tmp_path: Path,
) -> None:
    found = look(tmp_path, {"README.md": "hello", "deploy.sh": "true"})

    assert found.found == ()
    assert found.text == (
        HEAD
        + """\
# No kind of project was recognised, so this only lists what is there. Put here what tests it.
[jobs.example]
stage = "test"
script = ["git ls-tree --name-only HEAD"]
# script = ["git ls-files -z '*.sh' | xargs -0 -n 1 bash -n"]  # are the shell scripts valid?

"""
        + NEW
        + SECRETS
        + FOOT
    )


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"README.md": "hello"}, id="nothing"),
        pytest.param({}, id="empty"),
        pytest.param({"Makefile": "all:\n\ttouch made\ntest: all\n\ttest -e made\n"}, id="make"),
        pytest.param(
            {
                "calc.py": "def add(a, b): return a + b",
                "tests/test_calc.py": "import calc, unittest\n"
                "class T(unittest.TestCase):\n    def test_add(self): self.assertEqual(calc.add(1, 2), 3)\n",
            },
            id="unittest",
        ),
        pytest.param({"setup.cfg": "[flake8]\n", "tool.py": "print('hello')"}, id="no-tests"),
    ],
)
def test_what_is_written_is_green_at_once(
    make_repo: Callable[..., Repo], tmp_path: Path, files: dict[str, str]
) -> None:
    repo = make_repo()
    repo.commit({**files, "hookci.toml": look(tmp_path / "tree", files).text})
    (script,) = [job.script for job in scripted(look(tmp_path / "tree", files)).values()]

    ran = repo.run("bash", "-eo", "pipefail", "-c", "\n".join(script), check=False)

    assert ran.returncode == 0, ran.output


@given(st.text())
def test_any_text_survives_being_quoted(text: str) -> None:
    # TOML has no surrogates, and reads a lone carriage return as no line end at all
    assert tomli.loads(f"x = {quote(text.encode('utf-8', 'ignore').decode())}")["x"] == text
