"""``only`` and ``except``: which jobs a pipeline has, by what it is for."""

from __future__ import annotations

import pytest
from gitlab_samples import BRANCH, REQUEST, TAG, in_pipeline, problems, wrong

FEATURE = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_NAME": "Feature/x", "CI_COMMIT_BRANCH": "Feature/x"}
SCHEDULE = {**BRANCH, "CI_PIPELINE_SOURCE": "schedule"}
WEB = {**BRANCH, "CI_PIPELINE_SOURCE": "web"}
API = {**BRANCH, "CI_PIPELINE_SOURCE": "api"}
TRIGGER = {**BRANCH, "CI_PIPELINE_SOURCE": "trigger"}
CHILD = {**BRANCH, "CI_PIPELINE_SOURCE": "parent_pipeline"}
FOREIGN = {**BRANCH, "CI_PIPELINE_SOURCE": "external_pull_request_event"}

KINDS = {
    "branch": BRANCH,
    "feature": FEATURE,
    "tag": TAG,
    "request": REQUEST,
    "schedule": SCHEDULE,
    "web": WEB,
    "api": API,
    "trigger": TRIGGER,
    "child": CHILD,
    "foreign": FOREIGN,
}
ALL_BUT_REQUESTS = "branch feature tag schedule web api trigger child foreign"


def kinds(keys: str, *changed: str) -> str:
    """The kinds of pipelines that a job with these keys is in."""
    text = f"j: {{script: x, {keys}}}"
    return " ".join(kind for kind, facts in KINDS.items() if in_pipeline(facts, text, *changed))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("stage: test", ALL_BUT_REQUESTS),
        ("only: [branches, tags]", ALL_BUT_REQUESTS),
        ("only: [branches]", "branch feature schedule web api trigger child foreign"),
        ("only: [tags]", "tag"),
        ("only: [merge_requests]", "request"),
        ("only: [external_pull_requests]", "foreign"),
        ("only: [pushes]", "branch feature tag"),
        ("only: [schedules]", "schedule"),
        ("only: [web]", "web"),
        ("only: [api]", "api"),
        ("only: [triggers]", "trigger"),
        ("only: [parent_pipelines]", "child"),
        ("only: [pipelines]", ""),
        ("only: [chat, external]", ""),
        ("only: [main]", "branch schedule web api trigger child foreign"),
        ("only: [v1]", "tag"),
        ("only: [main, tags]", "branch tag schedule web api trigger child foreign"),
        ("only: [main, merge_requests]", "branch request schedule web api trigger child foreign"),
        ("only: [/^feature/]", ""),
        ("only: [/^feature/i]", "feature"),
        ("only: ['/^v\\d+$/']", "tag"),
        ("only: [/a/]", "branch feature schedule web api trigger child foreign"),
        ("only: [mai]", ""),
        ("only: ['*']", ""),
        ("only: []", ""),
        ("only: {refs: [tags]}", "tag"),
        ("only: [main@group/project]", "branch schedule web api trigger child foreign"),
        ("only: [main@group/other]", ""),
        ("only: [branches@group/project]", "branch feature schedule web api trigger child foreign"),
        ("only: [/^v/@group/project]", "tag"),
        ("except: [tags]", "branch feature schedule web api trigger child foreign"),
        ("except: [branches]", "tag"),
        ("except: [main]", "feature tag"),
        ("except: [schedules, web]", "branch feature tag api trigger child foreign"),
        ("except: [/^feature/i, tags]", "branch schedule web api trigger child foreign"),
        ("except: []", ALL_BUT_REQUESTS),
        ("except: {refs: [tags]}", "branch feature schedule web api trigger child foreign"),
        ("only: [branches], except: [main]", "feature"),
        (
            "only: [merge_requests, branches], except: [schedules]",
            "branch feature request web api trigger child foreign",
        ),
        ("only: [main], except: [main]", ""),
        ("only: {kubernetes: active}", ""),
        ("except: {kubernetes: active}", ALL_BUT_REQUESTS),
    ],
)
def test_a_job_is_in_the_pipelines_that_its_refs_say(keys: str, expected: str) -> None:
    for facts in KINDS.values():
        facts["CI_PROJECT_PATH"] = "group/project"

    assert kinds(keys) == expected


@pytest.mark.parametrize(
    ("keys", "is_in"),
    [
        ("only: {variables: [$A]}", True),
        ("only: {variables: [$UNSET]}", False),
        ('only: {variables: [$UNSET, $A == "1"]}', True),
        ("only: {refs: [main], variables: [$A]}", True),
        ("only: {refs: [tags], variables: [$A]}", False),
        ("only: {refs: [main], variables: [$UNSET]}", False),
        ("only: {variables: []}", False),
        ("except: {variables: [$A]}", False),
        ("except: {variables: [$UNSET]}", True),
        ("except: {refs: [tags], variables: [$UNSET]}", True),
        ("except: {refs: [tags], variables: [$A]}", False),
        ("except: {refs: [main], variables: [$UNSET]}", False),
    ],
)
def test_variables_of_only_must_hold_too_and_those_of_except_are_enough(keys: str, is_in: bool) -> None:
    assert bool(in_pipeline({**BRANCH, "A": "1"}, f"j: {{script: x, {keys}}}")) is is_in


@pytest.mark.parametrize(
    ("keys", "is_in"),
    [
        ("only: {changes: [docs/*]}", True),
        ("only: {changes: [src/*]}", False),
        ("only: {changes: [docs]}", False),
        ('only: {changes: ["**/*.md"]}', True),
        ('only: {changes: ["*.md"]}', False),
        ("only: {refs: [main], changes: [docs/*]}", True),
        ("only: {refs: [tags], changes: [docs/*]}", False),
        ("only: {changes: []}", False),
        ("except: {changes: [docs/*]}", False),
        ("except: {changes: [src/*]}", True),
        ("except: {refs: [main], changes: [src/*]}", False),
        ("except: {changes: []}", True),
    ],
)
def test_changes_of_only_must_be_there_and_those_of_except_must_not(keys: str, is_in: bool) -> None:
    assert bool(in_pipeline(BRANCH, f"j: {{script: x, {keys}}}", "docs/a.md")) is is_in


def test_where_nothing_can_be_compared_all_is_changed() -> None:
    assert in_pipeline(BRANCH, "j: {script: x, only: {changes: [src/*]}}") == ["j"]
    assert in_pipeline(BRANCH, "j: {script: x, except: {changes: [src/*]}}") == []


def test_a_hash_of_only_without_refs_is_one_of_branches_and_tags() -> None:
    assert in_pipeline(REQUEST, "j: {script: x, only: {changes: [a]}}") == []
    assert in_pipeline(TAG, "j: {script: x, only: {changes: [a]}}") == ["j"]


def test_a_manual_job_of_only_waits_and_may_fail() -> None:
    assert in_pipeline(TAG, "j: {script: x, when: manual, only: [main]}") == []
    assert in_pipeline(BRANCH, "j: {script: x, when: manual, only: [main]}") == ["j"]


def test_conditions_that_are_none_are_told() -> None:
    assert wrong("only: main") == ['.only: has to be either an array of conditions or a hash, saw "main"']
    assert wrong("only: [main, /(/]")[0].startswith(
        '.only[1]: config should be an array of strings or regular expressions using re2 syntax, saw "/(/": missing )'
    )
    assert wrong("only: [3]") == [".only: should be an array of strings, saw 3"]
    assert wrong("except: {ref: [main]}") == [".except.ref: config contains unknown keys: ref (did you mean `refs`?)"]
    assert wrong("only: {kubernetes: yes}") == [".only.kubernetes: unknown value: true (write `active`)"]
    assert problems("j:\n  script: x\n  only:\n    variables:\n      - $A\n      - A\n") == [
        (
            "6: jobs.j.only.variables[1]: invalid expression syntax: column 1: "
            'expected a $VARIABLE, a quoted text or null, saw "A"'
        )
    ]
