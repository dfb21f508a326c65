"""Which jobs a plan has, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from plan_samples import pipeline, planned, snapshot

from hookci.errors import ConfigError, UsageError
from hookci.model.pipeline import When
from hookci.model.plan import Action
from hookci.plan import asked_by_hook, names_asked

if TYPE_CHECKING:
    from hookci.model.snapshot import Snapshot

MAIN = snapshot(branch="main")
FEATURE = snapshot(branch="feature/deep/x", base="b", changed=("src/a.py", "docs/x.md"))
TAG = snapshot(tag="v1.2")
DETACHED = snapshot()
UNCHANGED = snapshot(branch="main", base="b", changed=())


@pytest.mark.parametrize(
    ("rule", "of", "holds"),
    [
        ('hook = "pre-push"', MAIN, True),
        ('hook = ["pre-commit", "pre-merge-commit"]', MAIN, False),
        ('branch = "main"', MAIN, True),
        ('branch = "mai"', MAIN, False),
        ('branch = "feature/*"', FEATURE, True),
        ('branch = ["other", "/^FEATURE/i"]', FEATURE, True),
        ('branch = "*"', DETACHED, False),
        ('branch = "*"', TAG, False),
        ('tag = "v*"', TAG, True),
        ('tag = "/^v[0-9]$/"', TAG, False),
        ('tag = "*"', MAIN, False),
        ('changes = "src/**"', FEATURE, True),
        ('changes = "src"', FEATURE, True),
        ('changes = "*.md"', FEATURE, False),
        ('changes = "**/*.md"', FEATURE, True),
        ('changes = "src/**"', UNCHANGED, False),
        ('changes = "src/**"', MAIN, True),  # nothing to compare with: everything changed
        ('exists = "Makefile"', MAIN, True),
        ('exists = ["no", "sub/*.txt"]', MAIN, True),
        ('exists = "*.txt"', MAIN, False),
        ("if = '$CI_COMMIT_BRANCH == \"main\"'", MAIN, True),
        ("if = '$CI_COMMIT_BRANCH == $CI_COMMIT_REF_NAME'", MAIN, True),
        ("if = '$CI_COMMIT_TAG'", MAIN, False),
        ("if = '$CI_COMMIT_TAG =~ /^v/'", TAG, True),
        ("if = '$HOOKCI_HOOK == \"pre-push\"'", MAIN, True),
        ("if = '$OWN == \"1\" && $NOBODY == null'", MAIN, True),
        ('branch = "main", changes = "docs/**"', UNCHANGED, False),
        ('branch = "main", tag = "v*"', MAIN, False),
        ("", DETACHED, True),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(rule: str, of: Snapshot, *, holds: bool) -> None:
    text = f'[jobs.a]\nscript = ["true"]\nrules = [{{ {rule} }}]\nvariables = {{ OWN = "1" }}\n'

    plan = planned(text, of, paths=("Makefile", "sub/a.txt"))

    assert ("a" in plan.jobs) is holds
    assert plan.left_out == ({} if holds else {"a": "no rule matches"})


def test_the_first_rule_that_holds_decides() -> None:
    plan = planned("""
        [jobs.a]
        script = ["true"]
        when = "on_failure"
        allow_failure = { exit_codes = [3] }
        variables = { X = "job", Y = "job" }
        rules = [
            { branch = "other", when = "always" },
            { branch = "main", variables = { X = "rule" } },
            { when = "never" },
        ]
        [jobs.b]
        script = ["true"]
        rules = [{ branch = "main", when = "never" }, { when = "always" }]
        [jobs.c]
        script = ["true"]
        rules = [{ branch = "main", when = "always", allow_failure = false }]
        allow_failure = true
        [jobs.d]
        script = ["true"]
        rules = []
    """)

    assert list(plan.jobs) == ["a", "c"]
    assert plan.left_out == {"b": "no rule matches", "d": "no rule matches"}
    a, c = plan.jobs["a"], plan.jobs["c"]
    assert (a.when, a.job.variables, a.job.allow_failure.exit_codes) == (
        When.ON_FAILURE, {"X": "rule", "Y": "job"}, (3,)
    )  # fmt: skip
    assert a.reason == "asked for; rules[1] matches"
    assert (c.when, c.job.allow_failure.allowed) == (When.ALWAYS, False)


@pytest.mark.parametrize(
    ("asked", "action", "when"),
    [
        (("deploy",), Action.MANUAL, When.MANUAL),
        (("ship",), Action.RUN, When.ON_SUCCESS),
        (("job:ship",), Action.RUN, When.ON_SUCCESS),
        (("deploy", "ship"), Action.RUN, When.ON_SUCCESS),
    ],
)
def test_a_manual_job_runs_only_when_it_is_asked_for_by_its_own_name(
    asked: tuple[str, ...], action: Action, when: When
) -> None:
    text = '[jobs.ship]\nstage = "deploy"\nscript = ["true"]\nwhen = "manual"\n'

    job = planned(text, asked=asked).jobs["ship"]

    assert (job.action, job.when) == (action, when)


HOOKS = """
    stages = ["lint", "test", "deploy"]
    [jobs.lint]
    stage = "test"
    script = ["true"]
    [jobs.style]
    stage = "lint"
    script = ["true"]
    [jobs.ship]
    stage = "deploy"
    script = ["true"]
    [jobs.unit]
    matrix = [{ PY = ["1", "2"] }]
    script = ["true"]
"""


def test_hooks_ask_for_what_the_config_says_or_for_their_defaults() -> None:
    plain = pipeline(HOOKS)
    said = pipeline(HOOKS + '[hooks]\npre-commit = ["style"]\npre-push = []\n')

    assert asked_by_hook(plain, "pre-push") == ("lint", "test")
    assert asked_by_hook(plain, "pre-commit") == ()
    assert asked_by_hook(said, "pre-commit") == asked_by_hook(said, "pre-merge-commit") == ("style",)
    assert asked_by_hook(said, "pre-push") == ()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("lint",), {"style": False}),
        (("job:lint",), {"lint": True}),
        (("lint", "job:lint"), {"lint": True, "style": False}),
        (("unit",), {"unit: [1]": True, "unit: [2]": True}),
        (("unit: [2]",), {"unit: [2]": True}),
        (("test", "unit: [2]"), {"lint": False, "unit: [1]": False, "unit: [2]": True}),
        ((), {}),
    ],
)
def test_a_name_is_a_stage_before_it_is_a_job_and_a_matrix_all_its_cells(
    asked: tuple[str, ...], found: dict[str, bool]
) -> None:
    names = names_asked(pipeline(HOOKS), asked)

    assert names == found


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("stlye", "did you mean `style`?"),
        ("job:uni", "did you mean `unit`?"),
        ("deplyo", "did you mean `deploy`?"),
        ("zzz", "jobs: lint, style, ship, unit: [1], unit: [2]; stages: lint, test, deploy"),
    ],
)
def test_a_name_nobody_has_is_refused_with_what_there_is(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="has no stage and no job named") as caught:
        names_asked(pipeline(HOOKS), (name,))

    assert caught.value.hint == hint


GRAPH = """
    [jobs.make]
    stage = "build"
    script = ["true"]
    artifacts = ["out"]
    [jobs.fill]
    stage = "build"
    script = ["true"]
    cache = [{ key = "k", paths = ["venv", "x"] }]
    [jobs.lint]
    stage = "build"
    script = ["true"]
    [jobs.use]
    script = ["true"]
    cache = [{ key = "k", paths = ["venv"], policy = "pull" }]
    [jobs.other_key]
    script = ["true"]
    needs = ["lint"]
    cache = [{ key = "other", paths = ["venv"], policy = "pull" }]
    [jobs.late]
    stage = "integration"
    needs = [{ job = "use", artifacts = false }, "make"]
    script = ["true"]
"""


def test_a_job_asked_for_brings_what_it_needs_and_what_hands_it_files() -> None:
    use = planned(GRAPH, asked=("use",))
    late = planned(GRAPH, asked=("late",))
    other = planned(GRAPH, asked=("other_key",))

    assert {name: job.reason for name, job in use.jobs.items()} == {
        "make": "hands files to `use`", "fill": "hands files to `use`", "use": "asked for"
    }  # fmt: skip
    assert use.left_out == dict.fromkeys(["lint", "other_key", "late"], "not asked for (use)")
    assert list(late.jobs) == ["make", "fill", "use", "late"]
    assert list(other.jobs) == ["lint", "other_key"]


def test_a_job_comes_after_the_stages_before_it_or_after_what_it_needs() -> None:
    plan = planned(GRAPH)

    assert {name: job.after for name, job in plan.jobs.items()} == {
        "make": (),
        "fill": (),
        "lint": (),
        "use": ("make", "fill", "lint"),
        "other_key": ("lint",),
        "late": ("use", "make"),
    }
    assert {name: job.artifacts_from for name, job in plan.jobs.items() if job.artifacts_from} == {
        "use": ("make",), "late": ("make",)
    }  # fmt: skip


def test_all_missing_needs_are_told_at_once() -> None:
    text = """
        [jobs.once]
        rules = [{ branch = "other" }]
        script = ["true"]
        [jobs.a]
        needs = ["once"]
        script = ["true"]
        [jobs.b]
        needs = [{ job = "once", optional = true }, "a", "once"]
        script = ["true"]
    """

    with pytest.raises(ConfigError) as caught:
        planned(text)

    assert [problem.path for problem in caught.value.problems] == ["jobs.a.needs[0]", "jobs.b.needs[2]"]


def test_skipped_jobs_stay_in_the_plan_by_their_names() -> None:
    plan = planned(HOOKS, asked=("test",), skip=("unit", "job:lint", "unknown"))

    assert plan.skip == ("lint", "unit: [1]", "unit: [2]")
    assert {job.action for job in plan.jobs.values()} == {Action.SKIPPED}
    assert {job.reason for job in plan.jobs.values()} == {"HOOKCI_SKIP names it"}


def test_a_plan_reads_the_facts_its_jobs_name_and_no_others() -> None:
    text = """
        [jobs.script]
        script = ["echo ${CI_COMMIT_BRANCH}"]
        [jobs.program]
        script = ["python -c 'import os; os.environ[\\"CI_COMMIT_REF_NAME\\"]'"]
        [jobs.not_run]
        script = ["echo $CI_PIPELINE_SOURCE"]
        stage = "deploy"
    """

    read = planned(text, snapshot(branch="main", base="b"), asked=("test",)).facts_read

    assert read == {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main"}


def test_a_thousand_jobs_are_planned_in_no_time() -> None:
    chain = "".join(
        f'[jobs.j{number}]\nscript = ["true"]\nneeds = {[f"j{number - 1}"] if number else []}\n'
        for number in range(1000)
    )
    stages = "".join(
        f'[jobs.s{number}]\nscript = ["true"]\nstage = "{stage}"\nartifacts = ["x"]\n'
        for number, stage in enumerate(["build", "test", "security", "integration"] * 100)
    )

    plan = planned(chain, asked=("j999",))
    wide = planned(stages, asked=("integration",))

    assert len(plan.jobs) == 1000
    assert plan.jobs["j999"].after == ("j998",)
    assert len(wide.jobs) == 400
