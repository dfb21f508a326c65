"""Pipelines and snapshots for the tests of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from hookci.config.load import parse
from hookci.model.snapshot import Snapshot
from hookci.plan import Wishes, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan

NOTHING = Wishes()


def pipeline(text: str) -> Pipeline:
    """The pipeline that a ``hookci.toml`` defines."""
    found = parse({"hookci.toml": text.encode()})
    assert found is not None
    return found


class Compared(Snapshot, frozen=True, kw_only=True):
    """A snapshot that knows what it has changed, which git would tell."""

    changed: tuple[str, ...] | None = None


def told(of: Snapshot, wishes: Wishes = NOTHING) -> Wishes:
    """``wishes``, with what ``of`` has changed if it knows that."""
    if not isinstance(of, Compared):
        return wishes
    return replace(wishes, changed_since=lambda _revision: of.changed)


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
    known = Snapshot(
        tree="tree", commit="commit", source="commit", label=branch or tag or "commit", branch=branch, tag=tag,
        base=base, facts=facts,
    )  # fmt: skip
    return known if changed is None else Compared(**asdict(known), changed=changed)


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
    judged = of or snapshot(branch="main")
    return make_plan(
        pipeline(text), judged, hook=hook, asked=asked, skip=skip, paths=lambda: paths, wishes=told(judged)
    )
