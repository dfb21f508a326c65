"""``hookci explain``: what becomes of each keyword, and where it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from hookci.config.gitlab.explain import explain_gitlab
from hookci.config.gitlab.keywords import EXECUTED, REFUSED, WITHOUT_EFFECT
from hookci.config.load import alone
from hookci.model.explained import Fate
from hookci.report.schemas import published_schema

if TYPE_CHECKING:
    from conftest import Repo

    from hookci.model.explained import ExplainedKeyword

FILE = """\
stages: [build, test]
variables:
  A: {value: one, description: what it is}
default:
  tags: [docker]
  retry: 1
build:
  stage: build
  image: busybox
  script: [make]
  artifacts:
    paths: [dist]
    expire_in: 1 week
release:
  stage: test
  script: echo
  secrets:
    TOKEN: {vault: a/b@c}
  cache: [{key: {files: [a]}, paths: [x]}]
"""


def explained(text: str, **files: str) -> dict[tuple[str | None, str], ExplainedKeyword]:
    content = {name: given.encode() for name, given in {".gitlab-ci.yml": text, **files}.items()}
    found = explain_gitlab(".gitlab-ci.yml", alone(content))
    return {(one.job, one.keyword): one for one in found.keywords}


def test_every_keyword_is_executed_without_effect_or_refused() -> None:
    found = explained(FILE)

    assert {key: one.fate for key, one in found.items()} == {
        (None, "stages"): Fate.EXECUTED,
        (None, "variables"): Fate.EXECUTED,
        (None, "variables.*.value"): Fate.EXECUTED,
        (None, "variables.*.description"): Fate.WITHOUT_EFFECT,
        (None, "tags"): Fate.WITHOUT_EFFECT,
        (None, "retry"): Fate.EXECUTED,
        ("build", "stage"): Fate.EXECUTED,
        ("build", "image"): Fate.EXECUTED,
        ("build", "script"): Fate.EXECUTED,
        ("build", "artifacts"): Fate.EXECUTED,
        ("build", "artifacts.paths"): Fate.EXECUTED,
        ("build", "artifacts.expire_in"): Fate.WITHOUT_EFFECT,
        ("release", "stage"): Fate.EXECUTED,
        ("release", "script"): Fate.EXECUTED,
        ("release", "secrets"): Fate.REFUSED,
        ("release", "cache"): Fate.EXECUTED,
        ("release", "cache.key"): Fate.EXECUTED,
        ("release", "cache.key.files"): Fate.EXECUTED,
        ("release", "cache.paths"): Fate.EXECUTED,
    }


def test_what_is_not_simply_executed_says_why_and_where() -> None:
    found = explained(FILE)

    expire, secrets = found["build", "artifacts.expire_in"], found["release", "secrets"]
    assert (expire.file, expire.line) == (".gitlab-ci.yml", 13)
    assert expire.why == WITHOUT_EFFECT["artifacts.expire_in"]
    assert secrets.line == 17
    assert secrets.why == REFUSED["secrets"]
    assert all((one.why == "") == (one.fate is Fate.EXECUTED) for one in found.values())


def test_variables_that_speak_to_a_runner_are_told_by_name() -> None:
    found = explained(
        "variables: {GIT_DEPTH: {value: 1}, A: b}\na: {script: x, variables: {GIT_STRATEGY: none, B: c}}\n"
    )

    assert {key: one.fate for key, one in found.items() if "variables" in key[1]} == {
        (None, "variables"): Fate.EXECUTED,
        (None, "variables.GIT_DEPTH"): Fate.WITHOUT_EFFECT,
        (None, "variables.*.value"): Fate.EXECUTED,
        ("a", "variables"): Fate.EXECUTED,
        ("a", "variables.GIT_STRATEGY"): Fate.EXECUTED,
    }


def test_a_keyword_of_an_included_file_stands_there() -> None:
    found = explained("include: b.yml\na: {extends: .b}\n", **{"b.yml": ".b:\n  script: echo\n  tags: [x]\n"})

    tags = found["a", "tags"]
    assert (tags.file, tags.line) == ("b.yml", 3)


@pytest.mark.parametrize("keyword", sorted({*WITHOUT_EFFECT, *REFUSED}))
def test_nothing_is_in_two_lists(keyword: str) -> None:
    assert keyword not in EXECUTED
    assert not (keyword in WITHOUT_EFFECT and keyword in REFUSED)


def test_the_command_tells_a_person(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": FILE})

    said = repo.hookci("explain").stdout

    assert "job build\n  executed        stage, image, script, artifacts, artifacts.paths" in said
    assert "without effect  artifacts.expire_in (.gitlab-ci.yml:13)" in said
    assert "refused   secrets (.gitlab-ci.yml:17)" in said
    assert ".gitlab-ci.yml: 2 jobs; refused" in said


def test_the_command_tells_a_program(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": FILE})

    document: dict[str, Any] = json.loads(repo.hookci("explain", "--json").stdout)

    jsonschema.validate(document, published_schema("explain"))
    tags = next(one for one in document["keywords"] if one["keyword"] == "tags")
    assert tags == {
        "job": None,
        "keyword": "tags",
        "fate": "without effect",
        "why": WITHOUT_EFFECT["tags"],
        "file": ".gitlab-ci.yml",
        "line": 5,
    }


def test_a_broken_file_is_the_error_that_check_gives(repo: Repo) -> None:
    repo.write_files({".gitlab-ci.yml": "a: {scirpt: echo}\n"})

    explained_, checked = repo.hookci("explain", check=False), repo.hookci("check", check=False)

    assert explained_.returncode == 2
    assert explained_.stderr == checked.stderr


def test_a_pipeline_of_our_own_has_nothing_to_explain(repo: Repo) -> None:
    repo.write_files({"hookci.toml": '[jobs.a]\nscript = ["true"]\n'})

    ran = repo.hookci("explain", check=False)

    assert ran.returncode == 2
    assert "every key is executed" in ran.stderr


def test_a_gitlab_file_that_hookci_toml_names_is_explained(repo: Repo) -> None:
    repo.write_files({"hookci.toml": 'pipeline = "ci/main.yml"\n', "ci/main.yml": FILE})

    said = repo.hookci("explain").stdout

    assert "(ci/main.yml:13)" in said
    assert Path("ci/main.yml").name in said
