"""A GitLab file that was read before is not read again, unless something that it was read from is different."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repo

MAIN = """
include:
  - ci/lint.yml
  - {local: ci/of-$CI_COMMIT_BRANCH.yml}
unit: {script: 'echo unit'}
"""
FILES = {
    ".gitlab-ci.yml": MAIN,
    "ci/lint.yml": "lint: {script: 'echo lint'}\n",
    "ci/of-main.yml": "smoke: {script: 'echo main'}\n",
    "ci/of-other.yml": "smoke: {script: 'echo other'}\n",
}


def planned(repo: Repo, *arguments: str) -> tuple[bool, str]:
    """Whether YAML was read for the plan, and what the plan says."""
    ran = repo.run(sys.executable, "-I", "-X", "importtime", "-m", "hookci", "plan", *arguments)
    return re.search(r"\| +yaml$", ran.stderr, re.MULTILINE) is not None, ran.stdout


def test_the_second_time_no_yaml_is_read(repo: Repo) -> None:
    repo.commit(FILES)

    first, again = planned(repo), planned(repo)

    assert first[0]
    assert again == (False, first[1])


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({".gitlab-ci.yml": MAIN.replace("unit:", "units:")}, "units"),
        ({"ci/lint.yml": "linted: {script: 'echo lint'}\n"}, "linted"),
    ],
)
def test_a_changed_file_is_read_anew(repo: Repo, files: dict[str, str], word: str) -> None:
    repo.commit(FILES)
    planned(repo)
    repo.commit(files)

    anew, plan = planned(repo)

    assert anew
    assert word in plan


def test_on_another_branch_the_includes_are_looked_up_anew(repo: Repo) -> None:
    repo.commit(FILES)
    planned(repo)
    repo.git("switch", "-qc", "other")

    anew, _plan = planned(repo)

    assert anew


def test_with_a_variable_that_a_person_gives_it_is_read_each_time(repo: Repo) -> None:
    repo.commit(FILES)
    planned(repo, "--variable", "COLOR=red")

    anew, _plan = planned(repo, "--variable", "COLOR=red")

    assert anew
    kept = [path.read_bytes() for path in (repo.path / ".git/hookci").rglob("*") if path.is_file()]
    assert not any(b"red" in content for content in kept)


@pytest.mark.parametrize(
    "include",
    ["{local: 'ci/l*.yml'}", "{local: ci/lint.yml, rules: [{exists: [README.md]}]}"],
)
def test_what_depends_on_the_list_of_files_is_read_each_time(repo: Repo, include: str) -> None:
    repo.commit({**FILES, ".gitlab-ci.yml": f"include: [{include}]\nunit: {{script: 'echo unit'}}\n"})
    planned(repo)

    anew, plan = planned(repo)

    assert anew
    assert "unit" in plan


def test_a_file_that_appears_is_seen(repo: Repo) -> None:
    repo.commit({".gitlab-ci.yml": "unit: {script: 'echo unit'}\n"})
    planned(repo)
    repo.commit({"hookci.toml": "[jobs.own]\nscript = ['true']\n"})

    _anew, plan = planned(repo)

    assert "own" in plan
