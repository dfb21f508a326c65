"""Reads a ``.gitlab-ci.yml`` from text, or the problems with it, and says which jobs a kind of pipeline has."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from hookci.config.gitlab.pipeline import read_gitlab
from hookci.config.surroundings import Surroundings
from hookci.errors import ConfigError
from hookci.model.expression import evaluate
from hookci.model.globs import ruby_matcher
from hookci.model.pipeline import When

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.pipeline import Job, Pipeline, Rule

FILE = ".gitlab-ci.yml"

BRANCH = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_BRANCH": "main"}
TAG = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_NAME": "v1", "CI_COMMIT_TAG": "v1"}
REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_REF_NAME": "main",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
}


def read(text: str, asked: Mapping[str, str] | None = None, /, **files: str) -> Pipeline:
    """The pipeline of ``text`` with the variables ``asked`` for; further files by name, ``__`` for a dot."""
    contents = {FILE: text, **{name.replace("__", "."): content for name, content in files.items()}}
    tree = {name: textwrap.dedent(content).encode() for name, content in contents.items()}
    surroundings = Surroundings(
        read=tree.get,
        paths=lambda: tree,
        facts=lambda: BRANCH,
        changed=lambda: None,
        fetched=lambda _address: None,
        asked=asked or {},
    )
    return read_gitlab(FILE, surroundings)


def job(text: str) -> Job:
    """The job ``j`` whose keys are ``text``, which ends in a script of its own if it has none."""
    body = textwrap.indent(textwrap.dedent(text).strip("\n"), "  ")
    script = "" if "script:" in text.replace("_script:", "") or "trigger:" in text else "  script: ok\n"
    return read(f"j:\n{script}{body}\n").jobs["j"]


def problems(text: str, **files: str) -> list[str]:
    """Every problem as ``line: message (hint)``; with the file in front if it is another one."""
    with pytest.raises(ConfigError) as caught:
        read(text, **files)
    return [
        f"{problem.path.removeprefix(f'{FILE}:')}: {problem.message}" + (f" ({problem.hint})" if problem.hint else "")
        for problem in caught.value.problems
    ]


def wrong(keys: str) -> list[str]:
    """What is wrong with the keys of a job that has a script, without the line."""
    body = textwrap.indent(textwrap.dedent(keys).strip("\n"), "  ")
    return [line.split(": jobs.j", 1)[1] for line in problems(f"j:\n  script: ok\n{body}\n")]


def in_pipeline(facts: Mapping[str, str], text: str, *changed: str) -> list[str]:
    """The jobs that a pipeline with these facts has, in the order of the file; ``changed`` paths, none for all."""
    pipeline = read(text)
    return [name for name, one in pipeline.jobs.items() if decided(one, facts, *changed) not in {None, When.NEVER}]


def decided(one: Job, facts: Mapping[str, str], *changed: str) -> When | None:
    """When a job runs, None when no rule holds."""
    if one.rules is None:
        return one.when
    rule = next((rule for rule in one.rules if _holds(rule, {**facts, **one.variables}, changed)), None)
    return None if rule is None else rule.when or one.when


def _holds(rule: Rule, facts: Mapping[str, str], changed: tuple[str, ...]) -> bool:
    matches = any(ruby_matcher(glob)(path) for glob in rule.changes for path in changed)
    return (rule.condition is None or evaluate(rule.condition, facts.get)) and (
        not rule.changes or not changed or matches
    )
