"""Pipelines and snapshots for the tests of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.load import parse
from hookci.model.snapshot import Snapshot
from hookci.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan


def pipeline(text: str) -> Pipeline:
    """The pipeline that a ``hookci.toml`` defines."""
    found = parse({"hookci.toml": text.encode()})
    assert found is not None
    return found


def snapshot(
    *,
    branch: str | None = None,
    tag: str | None = None,
    base: str | None = None,
    changed: tuple[str, ...] | None = None,
) -> Snapshot:
    """A commit on a branch, or a tag, with the facts that git would tell."""
    facts = {"CI_COMMIT_REF_NAME": branch or tag or "", "CI_PIPELINE_SOURCE": "push"}
    for value, names in (
        (branch, ("HOOKCI_BRANCH", "CI_COMMIT_BRANCH")),
        (tag, ("HOOKCI_TAG", "CI_COMMIT_TAG")),
        (base, ("HOOKCI_BASE",)),
    ):
        facts.update(dict.fromkeys(names, value) if value else {})
    return Snapshot(
        tree="tree", commit="commit", source="commit", label=branch or tag or "commit", branch=branch, tag=tag,
        base=base, changed=changed, facts=facts,
    )  # fmt: skip


def planned(
    text: str,
    of: Snapshot | None = None,
    *,
    hook: str = "pre-push",
    asked: tuple[str, ...] = ("build", "test", "security", "integration", "deploy"),
    skip: tuple[str, ...] = (),
    paths: Iterable[str] = (),
) -> Plan:
    """The plan of a ``hookci.toml`` on a snapshot (of main by default), all stages asked for."""
    return make_plan(
        pipeline(text), of or snapshot(branch="main"), hook=hook, asked=asked, skip=skip, paths=lambda: paths
    )
