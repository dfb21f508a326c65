"""What holds for the plan of any pipeline."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from drawn import made
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from plan_samples import snapshot, told

from hookci.config.expressions import parse_expression
from hookci.errors import ConfigError
from hookci.model.pipeline import AllowFailure, Artifacts, Cache, CachePolicy, Job, Need, Pipeline, Rule, When
from hookci.model.plan import Action, Plan
from hookci.plan import make_plan

if TYPE_CHECKING:
    from hookci.model.snapshot import Snapshot

STAGES = ("build", "test", "deploy")
CHANGED = {None: None, "b1": ("src/a.py",), "b2": (), "b3": ("docs/x.md", "src/b.py")}
"""What differs from each base; the tree is always the same."""
NAMES = [("main", None), ("f/x", None), (None, "v1"), (None, None)]
PATHS = ("Makefile", "src/a.py")
CONDITIONS = [
    '$CI_COMMIT_BRANCH == "main"',
    "$CI_COMMIT_TAG",
    "$CI_COMMIT_TAG == null || $CI_COMMIT_REF_NAME =~ /^f/",
    '$HOOKCI_BASE && $LEVEL == "high"',
    '$HOOKCI_HOOK == "pre-push" && $CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH',
]
SCRIPTS = ["true", "echo $CI_COMMIT_BRANCH", "printenv CI_COMMIT_TAG", "echo ${HOOKCI_BASE:-none}", "echo $$HOME"]

rules = made(
    Rule,
    hook=st.sampled_from([(), (), ("pre-push",), ("pre-commit",)]),
    branch=st.sampled_from([(), (), ("main",), ("f/*",)]),
    tag=st.sampled_from([(), (), (), ("v*",)]),
    condition=st.one_of(st.none(), st.sampled_from(CONDITIONS).map(parse_expression)),
    changes=st.sampled_from([(), (), ("src/**",), ("docs/**",)]),
    exists=st.sampled_from([(), (), ("Makefile",), ("nothing",)]),
    when=st.one_of(st.none(), st.sampled_from(list(When))),
    allow_failure=st.sampled_from([None, AllowFailure(allowed=True)]),
    variables=st.sampled_from([{}, {"LEVEL": "high"}, {"REF": "$CI_COMMIT_REF_NAME"}]),
)


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """Pipelines whose needs name jobs further up, in the same stage or an earlier one."""
    places = sorted(draw(st.lists(st.sampled_from(range(len(STAGES))), min_size=1, max_size=7)))
    names = [f"j{number}" for number in range(len(places))]
    jobs = {}
    for number, (name, place) in enumerate(zip(names, places, strict=True)):
        needs = st.lists(
            made(Need, st.sampled_from(names[:number]), st.booleans(), st.sampled_from([True, True, False])),
            max_size=3,
        ) if number else st.just([])  # fmt: skip
        policy = draw(st.sampled_from(list(CachePolicy)))
        jobs[name] = Job(
            name=name,
            group=name,
            stage=STAGES[place],
            script=(draw(st.sampled_from(SCRIPTS)),),
            needs=draw(st.one_of(st.none(), needs.map(tuple))),
            rules=draw(st.one_of(st.none(), st.lists(rules, max_size=3).map(tuple))),
            when=draw(st.sampled_from([When.ON_SUCCESS, When.MANUAL, When.ALWAYS])),
            artifacts=Artifacts(paths=draw(st.sampled_from([(), ("out",)]))),
            cache=draw(st.sampled_from([(), (Cache(paths=("c",), policy=policy),)])),
            variables=draw(st.sampled_from([{}, {"LEVEL": "low"}, {"CI_COMMIT_TAG": "mine"}])),
        )
    order = draw(st.permutations(names))
    return Pipeline(source="hookci.toml", stages=STAGES, jobs={name: jobs[name] for name in order})


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    base = draw(st.sampled_from(list(CHANGED)))
    branch, tag = draw(st.sampled_from(NAMES))
    return snapshot(branch=branch, tag=tag, base=base, changed=CHANGED[base])


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """Two snapshots of one tree that differ in one thing: what it is called, or what it is compared with."""
    base, other = draw(st.permutations(list(CHANGED)))[:2]
    name, another = draw(st.permutations(NAMES))[:2]
    first = snapshot(branch=name[0], tag=name[1], base=base, changed=CHANGED[base])
    if draw(st.booleans()):
        return first, snapshot(branch=name[0], tag=name[1], base=other, changed=CHANGED[other])
    return first, snapshot(branch=another[0], tag=another[1], base=base, changed=CHANGED[base])


asked_names = st.sampled_from([STAGES, STAGES, ("build", "test"), ("test", "j0"), ("job:j0",), ()])
hooks = st.sampled_from(["pre-push", "pre-commit"])


def plan_of(
    pipeline: Pipeline, of: Snapshot, hook: str, asked: tuple[str, ...], skip: tuple[str, ...] = ()
) -> Plan | None:
    """The plan, or None when the pipeline makes none on this snapshot."""
    try:
        return make_plan(pipeline, of, hook=hook, asked=asked, skip=skip, paths=lambda: PATHS, wishes=told(of))
    except ConfigError:
        return None


@settings(max_examples=300, deadline=None)
@given(pipeline=pipelines(), of=snapshots(), hook=hooks, asked=asked_names, skip=st.sampled_from([(), ("j0",)]))
def test_every_job_is_in_the_plan_or_left_out_with_a_reason_and_the_graph_can_be_run(
    pipeline: Pipeline, of: Snapshot, hook: str, asked: tuple[str, ...], skip: tuple[str, ...]
) -> None:
    plan = plan_of(pipeline, of, hook, asked, skip)
    assume(plan is not None)
    assert plan is not None

    assert plan.jobs.keys() | plan.left_out.keys() == pipeline.jobs.keys()
    assert not plan.jobs.keys() & plan.left_out.keys()
    assert all(plan.left_out.values())
    assert all(job.reason for job in plan.jobs.values())
    order = list(TopologicalSorter({name: job.after for name, job in plan.jobs.items()}).static_order())
    assert sorted(order) == sorted(plan.jobs)  # no circle, and nothing that is not in the plan
    for job in plan.jobs.values():
        assert set(job.artifacts_from) <= set(job.after)
        assert len(set(job.after)) == len(job.after)
        assert (job.action is Action.SKIPPED) == (job.job.name in plan.skip)
        assert job.when is not When.NEVER
    stages = [STAGES.index(job.job.stage) for job in plan.jobs.values()]
    assert stages == sorted(stages)


@settings(max_examples=300, deadline=None)
@given(pipeline=pipelines(), pair=neighbours(), hook=hooks, asked=asked_names)
def test_snapshots_of_one_tree_with_equal_facts_have_equal_plans(
    pipeline: Pipeline, pair: tuple[Snapshot, Snapshot], hook: str, asked: tuple[str, ...]
) -> None:
    one, other = pair
    first, second = plan_of(pipeline, one, hook, asked), plan_of(pipeline, other, hook, asked)
    assume(first is not None and second is not None and first.facts_read == second.facts_read)
    assert first is not None
    assert second is not None

    assert replace(second, snapshot=one) == first
    assert second.verdict_key == first.verdict_key


@settings(max_examples=200, deadline=None)
@given(pipeline=pipelines(), of=snapshots(), hook=hooks, asked=asked_names, data=st.data())
def test_a_fact_that_was_not_read_does_not_matter(
    pipeline: Pipeline, of: Snapshot, hook: str, asked: tuple[str, ...], data: st.DataObject
) -> None:
    plan = plan_of(pipeline, of, hook, asked)
    assume(plan is not None)
    assert plan is not None
    unread = sorted(of.facts.keys() - plan.facts_read.keys() - {"HOOKCI_BRANCH", "HOOKCI_TAG", "HOOKCI_BASE"})
    assume(unread)
    name = data.draw(st.sampled_from(unread))

    other = plan_of(pipeline, replace(of, facts={**of.facts, name: "another"}), hook, asked)

    assert other is not None
    assert other.jobs == plan.jobs
    assert other.left_out == plan.left_out
