from __future__ import annotations

import pytest
import yaml
from hosted_samples import documents, gitlab_problems, toml
from hypothesis import given, settings

from hookci.errors import UsageError
from hookci.exporting.gitlab import gitlab_file


@given(documents())
@settings(max_examples=50, deadline=None)
def test_what_is_exported_fits_the_schema_of_gitlab_and_is_the_same_each_time(text: str) -> None:
    exported = gitlab_file(toml(text))

    assert gitlab_problems(exported) == []
    assert gitlab_file(toml(text)) == exported


def test_the_first_line_says_what_made_the_file_and_from_what() -> None:
    exported = gitlab_file(toml('[jobs.unit]\nscript = ["true"]\n'))

    first = exported.splitlines()[0]
    assert "hookci export gitlab" in first
    assert "hookci.toml" in first


def exported_job(text: str, name: str = "unit") -> dict[str, object]:
    job: dict[str, object] = yaml.safe_load(gitlab_file(toml(text)))[name]
    return job


def test_a_job_calls_the_job_of_its_name_and_nothing_else() -> None:
    job = exported_job('[jobs."it\'s"]\nscript = ["true"]\n', "it's")

    assert job["script"] == ["hookci run --hosted 'job:it'\"'\"'s'"]


def test_a_job_that_no_push_asks_for_waits_for_a_person() -> None:
    job = exported_job('[jobs.unit]\nstage = "deploy"\nscript = ["true"]\n')

    assert (job["when"], job["allow_failure"]) == ("manual", True)


def test_a_job_that_another_one_brings_along_does_not_wait() -> None:
    text = '[jobs.unit]\nstage = "build"\nscript = ["true"]\n[jobs.b]\nneeds = ["unit"]\nscript = ["true"]\n'

    job = exported_job(text + '[hooks]\npre-push = ["b"]\n')

    assert "when" not in job


def test_the_cells_of_a_matrix_are_one_job_with_the_same_names() -> None:
    job = exported_job('[jobs.unit]\nscript = ["true"]\nmatrix = [{ A = ["1", "2"], B = ["x"] }]\n')

    assert job["parallel"] == {"matrix": [{"HOOKCI_CELL": ["1, x", "2, x"]}]}
    assert job["script"] == ["hookci run --hosted 'job:unit: ['\"$HOOKCI_CELL\"']'"]


def test_cells_that_differ_in_what_gitlab_decides_are_jobs_of_their_own() -> None:
    rule = 'rules = [{ if = \'$A == "1"\', when = "manual" }]'
    text = f'[jobs.unit]\nscript = ["true"]\nmatrix = [{{ A = ["1", "2"] }}]\n{rule}\n'
    text += '[jobs.after]\nneeds = ["unit", "unit: [2]"]\nscript = ["true"]\n'

    document = yaml.safe_load(gitlab_file(toml(text)))

    assert document["unit: [1]"]["rules"][0]["if"] == '"1" == "1"'
    assert document["unit: [2]"]["rules"][0]["if"] == '"2" == "1"'
    assert document["after"]["needs"] == ["unit: [1]", "unit: [2]", "unit: [2]"]


def test_branches_and_tags_become_conditions() -> None:
    rule = 'rules = [{ branch = ["main", "f/*"] }, { tag = "/^v[0-9]/i", when = "never" }]'
    job = exported_job(f'[jobs.unit]\nscript = ["true"]\n{rule}\n')

    assert job["rules"] == [
        {"if": '$CI_COMMIT_BRANCH == "main" || $CI_COMMIT_BRANCH =~ /^f\\/.*$/', "when": "on_success"},
        {"if": "$CI_COMMIT_TAG =~ /^v[0-9]/i", "when": "never"},
    ]


def test_rules_that_only_hookci_understands_are_left_to_it() -> None:
    job = exported_job("[jobs.unit]\nscript = [\"true\"]\nrules = [{ if = '$HOOKCI_BASE' }]\n")

    assert "rules" not in job


def test_a_rule_that_would_have_to_wait_is_never_left_out() -> None:
    text = '[jobs.unit]\nscript = ["true"]\nrules = [{ if = \'$HOOKCI_BASE\', when = "manual" }]\n'

    with pytest.raises(UsageError, match=r"no words for \$HOOKCI_BASE"):
        gitlab_file(toml(text))


def test_a_negation_is_said_without_a_sign_that_older_engines_do_not_know() -> None:
    job = exported_job("[jobs.unit]\nscript = [\"true\"]\nrules = [{ if = '!$A && !($B || $C)' }, { if = '!$A' }]\n")
    plain = exported_job("[jobs.unit]\nscript = [\"true\"]\nrules = [{ if = '!$A && $B' }]\n")

    assert "rules" not in job
    assert plain["rules"] == [{"if": '($A == null || $A == "") && $B', "when": "on_success"}]


def test_a_lookahead_is_no_regular_expression_of_gitlab() -> None:
    job = exported_job("[jobs.unit]\nscript = [\"true\"]\nrules = [{ branch = '/^(?!main)/' }]\n")

    assert "rules" not in job


@pytest.mark.parametrize("name", ["default", ".hidden", "x" * 256])
def test_a_name_that_means_something_else_to_gitlab_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot have a job named"):
        gitlab_file(toml(f'[jobs."{name}"]\nscript = ["true"]\n'))


def test_exit_statuses_that_may_be_overlooked_stay_with_hookci() -> None:
    job = exported_job('[jobs.unit]\nscript = ["true"]\nallow_failure = { exit_codes = 1 }\n')

    assert "allow_failure" not in job


def test_the_deadline_leaves_room_for_every_attempt() -> None:
    job = exported_job('[jobs.unit]\nscript = ["true"]\ntimeout = "90s"\nretry = 2\n')

    assert job["timeout"] == "270 seconds"


def test_image_and_services_are_started_by_gitlab() -> None:
    job = exported_job(
        '[jobs.unit]\nscript = ["true"]\nimage = "python:3.12"\nservices = [{ image = "postgres:16", alias = "db" }]\n'
    )

    assert job["image"] == "python:3.12"
    assert job["services"] == [{"name": "postgres:16", "alias": "db"}]


def test_a_job_whose_image_another_one_builds_has_it_built_by_hookci() -> None:
    text = '[jobs.image]\nstage = "build"\nbuild = "."\n[jobs.unit]\nimage = "job:image"\nscript = ["true"]\n'
    job = exported_job(text.replace("jobs.image", "jobs.base").replace("job:image", "job:base"))

    assert "image" not in job
    assert job["script"] == ["hookci run job:unit"]
