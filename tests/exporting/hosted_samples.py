"""Pipelines to export, the schemas of the hosted engines, and what comes back from one."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml
from hypothesis import strategies as st

from hookci.config.load import parse

if TYPE_CHECKING:
    from hookci.model.pipeline import Pipeline

VENDOR = resources.files("check_jsonschema.builtin_schemas.vendor")
STAGES = ("build", "test", "security", "integration", "deploy")


def toml(text: str) -> Pipeline:
    """The pipeline that a ``hookci.toml`` defines."""
    found = parse({"hookci.toml": text.encode()})
    assert found is not None
    return found


@functools.cache
def _schema(name: str) -> Any:  # noqa: ANN401 (JSON)
    return json.loads((VENDOR / name).read_text(encoding="utf-8"))


def problems(text: str, schema: str) -> list[str]:
    """What a hosted engine's own schema says against a file."""
    # the keys of YAML 1.2, as those engines read it: `on` is no boolean
    document = yaml.safe_load(text)
    return [error.message for error in jsonschema.Draft7Validator(_schema(schema)).iter_errors(document)]


def gitlab_problems(text: str) -> list[str]:
    return problems(text, "gitlab-ci.json")


def github_problems(text: str) -> list[str]:
    return problems(text, "github-workflows.json")


names = st.sampled_from(["unit", "lint", "a b", "ümlaut", "3", "x:y", "-dash", "it's", 'quo"te', "null", "on", "1e3"])
rules = st.sampled_from(
    [
        '{ branch = "main" }',
        '{ branch = ["release/*", "/^hot-?fix/i"], when = "manual" }',
        '{ tag = "v*", when = "never" }',
        '{ if = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $LEVEL" }',
        "{ if = '($CI_COMMIT_TAG =~ /^v\\d/ || $HOOKCI_BRANCH) && $HOOKCI_HOOK', allow_failure = true }",
        "{ if = '$HOOKCI_HOOK == \"pre-push\" && $CI_COMMIT_BRANCH' }",
        '{ changes = ["src/**"], variables = { A = "$B" } }',
        '{ exists = ["Makefile"], when = "always" }',
        '{ hook = "pre-commit" }',
        '{ hook = "pre-push", branch = "main", when = "manual" }',
    ]
)


SETTINGS = [
    "allow_failure = true",
    'artifacts = { paths = ["dist/**", "a b"], exclude = ["dist/x"], when = "always" }',
    'cache = { key = "k-$CI_COMMIT_REF_SLUG", paths = ["c"], policy = "pull" }',
    'cache = { key = "k", paths = ["c"], policy = "push" }',
    'matrix = [{ A = ["1", "2"], B = ["x y"] }]',
    'image = "busybox:1"',
    'resource_group = "one"',
    'timeout = "90s"',
]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """The text of a ``hookci.toml``; needs name jobs further up in the same stage or an earlier one."""
    places = sorted(draw(st.lists(st.sampled_from(range(len(STAGES))), min_size=1, max_size=6)))
    chosen = draw(st.lists(names, min_size=len(places), max_size=len(places), unique=True))
    lines = ['variables = { LEVEL = "high" }'] if draw(st.booleans()) else []
    for number, (name, place) in enumerate(zip(chosen, places, strict=True)):
        lines += [f"[jobs.{json.dumps(name)}]", f'stage = "{STAGES[place]}"', 'script = ["true"]']
        lines += [*draw(needs(chosen[:number])), *draw(conditions)]
        said = draw(st.lists(st.sampled_from(SETTINGS), unique_by=lambda line: line.split()[0], max_size=4))
        lines += said
    return "\n".join(lines) + "\n"


def needs(above: list[str]) -> st.SearchStrategy[list[str]]:
    """What a job says of its needs, which are some of the jobs ``above``, or nothing."""
    if not above:
        return st.just([])
    one = st.builds(
        lambda job, artifacts: f"{{ job = {json.dumps(job)}, artifacts = {artifacts}, optional = true }}",
        st.sampled_from(above),
        st.sampled_from(["true", "false"]),
    )
    tables = st.lists(one, max_size=3, unique_by=lambda table: table.split(",")[0])
    return st.one_of(st.just([]), tables.map(lambda found: [f"needs = [{', '.join(found)}]"]))


conditions: st.SearchStrategy[list[str]] = st.one_of(
    st.just([]),
    st.lists(rules, max_size=3).map(lambda found: [f"rules = [{', '.join(found)}]"]),
    st.sampled_from(["manual", "always", "on_failure"]).map(lambda word: [f'when = "{word}"']),
)
"""What a job says of when it runs."""
