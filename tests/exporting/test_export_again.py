"""What is exported for GitLab is planned by hookci, which reads such files too, as what it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hosted_samples import documents, toml
from hypothesis import given, settings
from hypothesis import strategies as st

from hookci.config.load import parse
from hookci.exporting.gitlab import gitlab_file
from hookci.exporting.hosted import on_a_push
from hookci.model.snapshot import Snapshot
from hookci.plan import Wishes, asked_by_hook, make_plan

if TYPE_CHECKING:
    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan

PATHS = ("Makefile", "src/a.py")
CHANGED = [None, ("src/a.py",), ("docs/x",)]


def again(text: str) -> Pipeline:
    """The pipeline of the GitLab file that a ``hookci.toml`` is exported to."""
    found = parse({".gitlab-ci.yml": gitlab_file(toml(text)).encode()})
    assert found is not None
    return found


class Compared(Snapshot, frozen=True, kw_only=True):
    """A snapshot that knows what it has changed."""

    changed: tuple[str, ...] | None


@st.composite
def snapshots(draw: st.DrawFn) -> Compared:
    branch, tag = draw(st.sampled_from([("main", None), ("release/1", None), ("Hot-Fix", None), (None, "v1")]))
    facts = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_REF_NAME": branch or tag or "", "CI_DEFAULT_BRANCH": "main"}
    for value, names in ((branch, ("HOOKCI_BRANCH", "CI_COMMIT_BRANCH")), (tag, ("HOOKCI_TAG", "CI_COMMIT_TAG"))):
        facts.update(dict.fromkeys(names, value) if value else {})
    # for a tag GitLab compares nothing: it starts the job, and hookci decides there
    changed = draw(st.sampled_from(CHANGED)) if branch else None
    base = None if changed is None else "base"
    return Compared(
        tree="t", commit="c", source="commit", label="x",
        branch=branch, tag=tag, base=base, changed=changed, facts=facts,
    )  # fmt: skip


def plan_of(pipeline: Pipeline, snapshot: Compared) -> Plan:
    asked = asked_by_hook(pipeline, "pre-push")
    wishes = Wishes(changed_since=lambda _revision: snapshot.changed)
    return make_plan(pipeline, snapshot, hook="pre-push", asked=asked, paths=lambda: PATHS, wishes=wishes)


def graph(plan: Plan, without: set[str]) -> dict[str, Any]:
    """Each job with all that a plan says of it."""
    return {
        name: (
            one.action,
            one.when,
            one.job.stage,
            {*one.after} - without,
            {*one.artifacts_from} - without,
            one.job.allow_failure,
            one.job.image,
            one.job.artifacts,
            one.job.cache,
            one.job.timeout,
            one.job.resource_group,
        )
        for name, one in plan.jobs.items()
        if name not in without
    }


@given(documents(), snapshots())
@settings(max_examples=100, deadline=None)
def test_what_is_exported_and_read_again_gives_the_same_plan(text: str, snapshot: Compared) -> None:
    before = toml(text)
    waiting = {*before.jobs} - {*on_a_push(before).jobs}  # a push asks for them nowhere; on GitLab a person may

    exported = again(text)

    first, second = plan_of(before, snapshot), plan_of(exported, snapshot)
    assert graph(second, waiting) == graph(first, waiting)


@pytest.mark.parametrize("name", ["unit: [1, x]", "unit: [2, x]"])
def test_every_cell_keeps_its_name(name: str) -> None:
    exported = again('[jobs.unit]\nscript = ["true"]\nmatrix = [{ A = ["1", "2"], B = ["x"] }]\n')

    assert name in exported.jobs


def test_nothing_but_the_depth_of_the_history_is_without_effect_in_what_is_exported() -> None:
    exported = again('[jobs.unit]\nscript = ["true"]\nartifacts = ["x"]\nreports.junit = "r.xml"\n')

    assert [text for text in exported.warnings if "GIT_DEPTH" not in text] == []
    assert exported.jobs["unit"].junit == ("r.xml",)
