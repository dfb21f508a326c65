"""``rules`` of jobs and of ``workflow``, as GitLab's reference has them."""

from __future__ import annotations

import pytest
from gitlab_samples import BRANCH, REQUEST, TAG, decided, in_pipeline, job, problems, read, wrong

from hookci.model.expression import And, Comparison, Literal, Match, Regex, Truth, Variable, evaluate
from hookci.model.pipeline import AllowFailure, Need, Rule, When


def rules(text: str) -> tuple[Rule, ...]:
    found = job(text).rules
    assert found is not None
    return found


def test_the_conditions_of_a_rule() -> None:
    found = rules("""
        rules:
          - if: $A == "b"
            changes: [a, "**/*.md"]
            exists: [Dockerfile]
        """)

    assert found == (
        Rule(condition=Comparison(Variable("A"), Literal("b")), changes=("a", "**/*.md"), exists=("Dockerfile",)),
    )


def test_the_long_forms_of_changes_and_exists() -> None:
    found = rules("rules: [{changes: {paths: [a], compare_to: refs/heads/main}}, {exists: {paths: [b]}}]")

    assert (found[0].changes, found[0].compare_to, found[1].exists) == (("a",), "refs/heads/main", ("b",))


def test_what_a_rule_changes_in_its_job() -> None:
    found = rules("rules: [{when: manual, allow_failure: true, variables: {A: 1, B: x}}]")

    assert found == (Rule(when=When.MANUAL, allow_failure=AllowFailure(allowed=True), variables={"A": "1", "B": "x"}),)


def test_a_rule_may_have_needs_of_its_own() -> None:
    pipeline = read("""
        a: {script: x}
        j: {script: x, rules: [{needs: [{job: a, artifacts: false}]}, {needs: []}, {when: always}]}
        """)
    found = pipeline.jobs["j"].rules

    assert found is not None
    assert [rule.needs for rule in found] == [(Need("a", artifacts=False),), (), None]


def test_a_delayed_rule_says_how_long_it_waits() -> None:
    found = rules("rules: [{if: $A, when: delayed, start_in: 2 hours}]")

    assert (found[0].when, found[0].start_in) == (When.DELAYED, 7200.0)
    assert wrong("rules: [{when: delayed}]") == [
        ".rules[0].start_in: start in should be a duration (a delayed job says how long it waits)"
    ]
    assert wrong("rules: [{start_in: 1h}]") == [
        ".rules[0].start_in: start in must be blank (only `when: delayed` waits)"
    ]


def test_exit_codes_of_a_rule() -> None:
    assert rules("rules: [{allow_failure: {exit_codes: [2]}}]")[0].allow_failure == AllowFailure(exit_codes=(2,))


def test_lists_in_the_list_are_in_place_of_their_rules() -> None:
    pipeline = read("""
        .a: {rules: [{if: $A}, {if: $B}]}
        .b: {rules: [!reference [.a, rules], {if: $C}]}
        j: {script: x, rules: [{if: $Z}, !reference [.b, rules], {when: never}]}
        """)
    found = pipeline.jobs["j"].rules

    assert found is not None
    assert [rule.condition for rule in found] == [*(Truth(Variable(name)) for name in "ZABC"), None]


def test_a_place_in_a_nested_list_is_told() -> None:
    assert problems("j: {script: x, rules: [[{if: $A}, {if: '$'}]]}")[0].startswith(
        "1: jobs.j.rules[0][1].if: invalid expression syntax: column 1"
    )


def test_no_rules_are_told_as_gitlab_does() -> None:
    assert wrong("rules: []") == [
        ".rules: config can't be blank (leave `rules` out for a job that is in every pipeline)"
    ]
    assert wrong("rules: {if: $A}") == [".rules: config should be an array of hashes, saw a table"]
    assert wrong("rules: [{}]") == [".rules[0]: config can't be blank"]
    assert wrong("rules: [text]") == ['.rules[0]: config should be a hash, saw "text"']


def test_rules_and_what_they_took_the_place_of_do_not_go_together() -> None:
    assert wrong("rules: [{if: $A}]\nonly: [main]\nexcept: [tags]") == [
        ".only: key may not be used with `rules`: only",
        ".except: key may not be used with `rules`: except",
    ]


def test_a_slip_in_a_rule_is_told_with_what_may_be_meant() -> None:
    assert wrong("rules: [{wehn: never}, {when: manuel}]") == [
        ".rules[0].wehn: config contains unknown keys: wehn (did you mean `when`?)",
        (
            ".rules[1].when: should be one of: on_success, on_failure, always, manual, delayed, never, "
            'saw "manuel" (did you mean `manual`?)'
        ),
    ]


def test_more_than_fifty_paths_are_too_many() -> None:
    paths = ", ".join(f"p{number}" for number in range(51))

    assert wrong(f"rules: [{{changes: [{paths}]}}]") == [".rules[0].changes: has too many entries (maximum 50)"]


@pytest.mark.parametrize("condition", ["changes: []", "exists: []", "changes: {paths: []}", "exists: {paths: []}"])
def test_no_paths_are_never_changed_and_never_there(condition: str) -> None:
    found = rules(f"rules: [{{if: $CI_COMMIT_BRANCH, {condition}}}]")[0]

    assert found.condition is not None
    assert not evaluate(found.condition, BRANCH.get)


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("$A", Truth(Variable("A"))),
        ("'$A && $B'", And(Truth(Variable("A")), Truth(Variable("B")))),
        ("'$CI_PIPELINE_SOURCE == \"push\"'", Comparison(Variable("CI_PIPELINE_SOURCE"), Literal("push"))),
        ("$A == null", Comparison(Variable("A"), Literal(None))),
        ("$A =~ /^v/i", Match(Variable("A"), Regex("^v", "i"))),
        ("$A !~ $B", Match(Variable("A"), Variable("B"), negated=True)),
        ("'$A =~ \"push\"'", Match(Variable("A"), Literal("push"))),
    ],
)
def test_conditions_are_those_of_gitlab(written: str, meaning: object) -> None:
    assert rules(f"rules: [{{if: {written}}}]")[0].condition == meaning


PIPELINES = [(BRANCH, "branch"), (TAG, "tag"), (REQUEST, "request")]

COMMON = """
    j:
      script: x
      rules:
        - if: $CI_PIPELINE_SOURCE == "merge_request_event"
        - if: $CI_COMMIT_TAG
          when: never
        - if: $CI_COMMIT_BRANCH == "main"
          when: manual
    """


def test_the_first_rule_that_holds_decides() -> None:
    found = read(COMMON).jobs["j"]

    assert [decided(found, facts) for facts, _ in PIPELINES] == [When.MANUAL, When.NEVER, When.ON_SUCCESS]


def test_a_rule_that_says_nothing_of_when_leaves_that_to_the_job() -> None:
    found = job("when: manual\nrules: [{if: $CI_COMMIT_BRANCH}]")

    assert decided(found, BRANCH) is When.MANUAL
    assert found.allow_failure.allowed
    assert decided(found, TAG) is None


def test_rules_see_the_variables_of_the_job_and_the_pipeline() -> None:
    text = """
        variables: {GLOBAL: 1}
        a: {script: x, rules: [{if: $GLOBAL == "1"}]}
        b: {script: x, variables: {GLOBAL: 2}, rules: [{if: $GLOBAL == "1"}]}
        """

    assert in_pipeline(BRANCH, text) == ["a"]


def test_a_job_with_rules_is_not_only_one_of_branches_and_tags() -> None:
    text = "a: {script: x, rules: [{when: on_success}]}\nb: {script: x}\nc: {script: x, rules: null}"

    assert in_pipeline(BRANCH, text) == ["a", "b", "c"]
    assert in_pipeline(REQUEST, text) == ["a", "c"]


def test_where_the_workflow_has_rules_jobs_without_any_are_in_every_pipeline() -> None:
    text = """
        workflow: {rules: [{when: always}]}
        a: {script: x}
        b: {script: x, except: [tags]}
        c: {script: x, only: [main]}
        """

    assert in_pipeline(REQUEST, text) == ["a", "b"]
    assert in_pipeline(TAG, text) == ["a"]
    assert in_pipeline(BRANCH, text) == ["a", "b", "c"]
