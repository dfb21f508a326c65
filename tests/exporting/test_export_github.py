from __future__ import annotations

from typing import Any

import pytest
import yaml
from hosted_samples import documents, github_problems, toml
from hypothesis import given, settings

from hookci.errors import UsageError
from hookci.exporting.github import github_file


@given(documents())
@settings(max_examples=50, deadline=None)
def test_what_is_exported_fits_the_schema_of_github_and_is_the_same_each_time(text: str) -> None:
    pipeline = toml(text)
    try:
        exported = github_file(pipeline)
    except UsageError as error:
        assert "GitHub has no words for" in error.message  # noqa: PT017 (which ones is another test)
        return

    assert github_problems(exported) == []
    assert github_file(toml(text)) == exported


def jobs(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(github_file(toml(text)))["jobs"]
    return found


def test_stages_become_needs() -> None:
    text = '[jobs.a]\nstage = "build"\nscript = ["true"]\n[jobs.b]\nscript = ["true"]\n'

    found = jobs(text)

    assert found["b"]["needs"] == ["a"]
    assert "needs" not in found["a"]


def test_a_job_runs_also_when_one_that_it_needs_was_left_out() -> None:
    found = jobs('[jobs.a]\nscript = ["true"]\n')

    assert found["a"]["if"] == "!failure() && !cancelled()"


def test_a_job_that_waits_for_a_person_starts_by_hand_and_holds_up_no_stage() -> None:
    text = '[jobs.a]\nstage = "build"\nwhen = "manual"\nscript = ["true"]\n[jobs.b]\nscript = ["true"]\n'

    document = yaml.safe_load(github_file(toml(text)))

    assert document["jobs"]["a"]["if"].endswith("inputs.job == 'a'")
    assert document["on"]["workflow_dispatch"]["inputs"]["job"]["options"] == ["", "a"]
    assert "needs" not in document["jobs"]["b"]


def test_ids_are_githubs_and_names_are_ours() -> None:
    found = jobs('[jobs."a b"]\nscript = ["true"]\n[jobs."a/b"]\nscript = ["true"]\n[jobs."1"]\nscript = ["true"]\n')

    assert {key: job["name"] for key, job in found.items()} == {"a-b": "a b", "a-b-2": "a/b", "_1": "1"}


def test_rules_become_one_condition() -> None:
    rule = 'rules = [{ tag = "v1", when = "never" }, { if = \'$CI_COMMIT_BRANCH == "main"\' }]'
    found = jobs(f'[jobs.a]\nscript = ["true"]\n{rule}\n')

    branch = "(github.ref_type == 'branch' && github.ref_name || '')"
    tag = "(github.ref_type == 'tag' && github.ref_name || '')"
    assert found["a"]["if"] == f"!failure() && !cancelled() && !({tag} == 'v1') && ({branch} == 'main')"


def test_artifacts_travel_as_one_archive_that_keeps_their_modes() -> None:
    text = '[jobs.a]\nstage = "build"\nscript = ["true"]\nartifacts = ["dist/**"]\n[jobs.b]\nscript = ["true"]\n'

    found = jobs(text)

    assert "tar -cf hookci-artifacts.tar" in found["a"]["steps"][-2]["run"]
    assert found["a"]["steps"][-1]["with"]["path"] == "hookci-artifacts.tar"
    assert found["b"]["steps"][1]["with"]["pattern"] == "a-*"


@pytest.mark.parametrize(
    "said",
    [
        'services = [{ image = "redis", command = ["redis-server"] }]',
        'image = { name = "docker", entrypoint = [""] }',
    ],
)
def test_what_github_cannot_start_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="GitHub starts no container"):
        github_file(toml(f'[jobs.a]\nscript = ["true"]\nimage = "x"\n{said}\n'.replace('image = "x"\nimage', "image")))
