"""Images in plans and keys: who builds comes along and before, and which image it is decides what is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_samples import planned, snapshot

from hookci.errors import ConfigError
from hookci.execute.keys import is_known, job_keys, looked_again
from hookci.execute.observations import Observatory
from hookci.model.files import Files

RECIPE = b"ARG BASE=debian\nFROM $BASE\nCOPY --from=tools:1 /x /y\n"
TEXT = """
[jobs.image]
stage = "build"
build = { context = "docker", args = { BASE = "base:$CI_COMMIT_REF_NAME" } }
[jobs.other]
stage = "build"
script = "x"
[jobs.unit]
image = "job:image"
services = ["db:$CI_COMMIT_REF_NAME"]
script = "x"
[jobs.lint]
image = "lint:1"
needs = []
script = "x"
[jobs.local]
needs = ["lint"]
script = "x"
"""


def observatory(images: dict[str, str], kind: str = "linux") -> Observatory:
    """An engine that has ``images``, by name."""
    return Observatory(
        user={"PATH": "/usr/bin", "HOME": "/home/ana"},
        which=lambda name, _path: f"/usr/bin/{name}",
        salt=b"salt",
        settings={},
        attributes=(),
        carried_from=None,
        umask=0o22,
        data=Path("/nowhere"),
        image_id=lambda name, _platform: images.get(name, ""),
        engine=lambda: kind,
        blob={"recipe": RECIPE}.__getitem__,
    )


def blobs() -> Files:
    return Files({"docker/Dockerfile": "100644 recipe"})


ALL = {name: f"sha256:{name}" for name in ("base:main", "tools:1", "db:main", "lint:1")}


def looks(images: dict[str, str], kind: str = "linux") -> dict[str, str]:
    """The digest of each job's key."""
    keys = job_keys(planned(TEXT), observatory(images, kind), blobs)
    return {name: key.digest for name, key in keys.items()}


def changed(images: dict[str, str], kind: str = "linux") -> set[str]:
    """The jobs whose key is not what it is with `ALL`."""
    before, after = looks(ALL), looks(images, kind)
    return {name for name in before if before[name] != after[name]}


# -- plans


def test_who_builds_an_image_comes_along_and_before() -> None:
    plan = planned(TEXT, asked=("unit",))

    assert list(plan.jobs) == ["image", "unit"]
    assert plan.jobs["unit"].depends_on == ("image",)
    assert plan.jobs["unit"].artifacts_from == ()


def test_who_builds_is_needed_by_a_job_that_says_what_it_needs() -> None:
    plan = planned(TEXT.replace('image = "lint:1"', 'image = "job:image"'), asked=("lint",))

    assert list(plan.jobs) == ["image", "lint"]
    assert plan.jobs["lint"].after == ("image",)


def test_a_user_of_an_image_that_nobody_builds_in_this_run_is_refused() -> None:
    text = TEXT.replace('stage = "build"\nbuild', 'stage = "build"\nrules = [{ tag = "v*" }]\nbuild')

    with pytest.raises(ConfigError) as caught:
        planned(text)

    assert [problem.path for problem in caught.value.problems] == ["jobs.unit"]


def test_facts_in_names_of_images_and_arguments_count_as_looked_at() -> None:
    plan = planned(TEXT, snapshot(branch="main"))

    assert plan.jobs["image"].facts == ("CI_COMMIT_REF_NAME",)
    assert plan.jobs["unit"].facts == ("CI_COMMIT_REF_NAME",)
    assert plan.facts_read["CI_COMMIT_REF_NAME"] == "main"


# -- keys


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("base:main", {"image", "unit"}),
        ("tools:1", {"image", "unit"}),
        ("db:main", {"unit"}),
        ("lint:1", {"lint", "local"}),
        ("debian", set()),
    ],
)
def test_another_image_is_another_key_for_all_that_depends_on_it(name: str, jobs: set[str]) -> None:
    assert changed({**ALL, name: "sha256:another"}) == jobs


def test_another_kind_of_engine_is_another_key_for_what_runs_on_it() -> None:
    assert changed(ALL, "linux arm64") == {"image", "unit", "lint", "local"}


def test_the_programs_of_this_machine_are_no_part_of_what_runs_in_a_container() -> None:
    keys = job_keys(planned(TEXT), observatory(ALL), blobs)

    kinds = {name: {kind for kind, _, _ in key.observations} for name, key in keys.items()}
    assert kinds["lint"] == {"engine", "checkout", "given", "image"}
    assert {"tool", "platform", "environment"} <= kinds["local"]


def test_nothing_is_known_of_an_image_that_is_not_there() -> None:
    keys = job_keys(planned(TEXT), observatory({**ALL, "tools:1": ""}), blobs)

    assert {name for name, key in keys.items() if not is_known(key)} == {"image"}


def test_nothing_is_known_of_what_runs_on_an_engine_that_cannot_be_asked() -> None:
    keys = job_keys(planned(TEXT), observatory(ALL, ""), blobs)

    assert {name for name, key in keys.items() if is_known(key)} == {"other", "local"}


@given(
    before=st.dictionaries(st.sampled_from(sorted(ALL)), st.sampled_from(["", "a", "b"])),
    after=st.dictionaries(st.sampled_from(sorted(ALL)), st.sampled_from(["", "a", "b"])),
)
def test_to_look_again_once_each_job_has_run_is_to_have_looked_later(
    before: dict[str, str], after: dict[str, str]
) -> None:
    plan = planned(TEXT)
    keys = job_keys(plan, observatory(before), blobs)

    for name in plan.jobs:
        keys = dict(looked_again(keys, plan, name, observatory(after).look))

    assert keys == job_keys(plan, observatory(after), blobs)
    assert all(json.loads(key.text)["needs"].keys() == set(plan.jobs[name].depends_on) for name, key in keys.items())


def test_what_one_job_ran_in_says_nothing_of_what_another_ran_in() -> None:
    plan = planned(TEXT.replace("db:$CI_COMMIT_REF_NAME", "lint:1"))
    keys = job_keys(plan, observatory(ALL), blobs)

    again = looked_again(keys, plan, "lint", observatory({**ALL, "lint:1": "sha256:moved"}).look)

    assert {name for name in keys if again[name] != keys[name]} == {"lint", "local"}
