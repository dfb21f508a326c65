"""What GitLab's rules make of a pipeline."""

from __future__ import annotations

import pytest
from gitlab_plans import child_of, environment, job, pipeline_of, plan_on, rule
from msgspec.structs import replace
from plan_samples import pipeline, snapshot

from hookci.errors import ConfigError
from hookci.model.pipeline import Artifacts, Need, When
from hookci.model.plan import Action
from hookci.plan import Wishes, asked_by_hook

FEATURE = snapshot(branch="feature", base="b", changed=("src/a.py", "docs/deep/x.md"))


def test_a_push_asks_for_every_job_of_the_file() -> None:
    found = pipeline_of(job("ship", "deploy"), job("unit"))

    plan = plan_on(found, asked=asked_by_hook(found, "pre-push"))

    assert list(plan.jobs) == ["unit", "ship"]
    assert plan.whole
    assert plan.keep_going
    assert asked_by_hook(found, "pre-commit") == ()


def test_a_pipeline_of_hookci_toml_stops_at_the_first_failure() -> None:
    plan = plan_on(replace(pipeline('[jobs.a]\nscript = ["true"]\n'), stages=("test",)), asked=("test",))

    assert not plan.keep_going


# -- workflow


def test_a_workflow_of_which_no_rule_holds_runs_nothing_and_says_so() -> None:
    found = pipeline_of(job("a"), job("b"), workflow=(rule('$CI_COMMIT_BRANCH == "other"'),))

    plan = plan_on(found)

    assert not plan.jobs
    assert plan.left_out == dict.fromkeys(["a", "b"], "no rule of `workflow` holds")
    assert plan.notices == (".gitlab-ci.yml: no rule of `workflow` holds, so nothing runs",)
    assert plan.facts_read["CI_COMMIT_BRANCH"] == "main"


@pytest.mark.parametrize(("when", "runs"), [(When.NEVER, False), (When.ALWAYS, True), (None, True)])
def test_the_first_rule_of_a_workflow_that_holds_decides(when: When | None, *, runs: bool) -> None:
    rules = (rule("$CI_COMMIT_TAG"), rule('$CI_COMMIT_BRANCH == "main"', when=when), rule(when=When.ALWAYS))

    plan = plan_on(pipeline_of(job("a"), workflow=rules))

    assert bool(plan.jobs) is runs


def test_the_variables_of_a_workflow_win_over_those_of_the_file_and_not_over_a_jobs_own() -> None:
    found = pipeline_of(
        job("inherits", variables={"LEVEL": "file"}),
        job("says", variables={"LEVEL": "job"}, own=frozenset({"LEVEL"})),
        job("by_rule", variables={"LEVEL": "file"}, rules=(rule(variables={"LEVEL": "rule"}),)),
        variables={"LEVEL": "file"},
        workflow=(rule('$LEVEL == "file"', variables={"LEVEL": "workflow"}),),
        name="at $LEVEL of $CI_COMMIT_BRANCH",
    )

    plan = plan_on(found)

    levels = {name: planned.job.variables["LEVEL"] for name, planned in plan.jobs.items()}
    assert levels == {"inherits": "workflow", "says": "job", "by_rule": "rule"}
    assert plan.name == "at workflow of main"


def test_a_pipeline_of_nothing_but_pre_and_post_does_not_run() -> None:
    around = [job("first", ".pre"), job("last", ".post")]

    alone = plan_on(pipeline_of(*around))
    asked = plan_on(pipeline_of(*around), asked=("first",))
    with_another = plan_on(pipeline_of(*around, job("a")))

    assert not alone.jobs
    assert alone.notices == (".gitlab-ci.yml: no job is in a stage but `.pre` and `.post`, so nothing runs",)
    assert list(asked.jobs) == ["first"]
    assert list(with_another.jobs) == ["first", "a", "last"]


# -- rules


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        (("src/*",), True),
        (("src/**/*",), True),
        (("docs/*",), False),
        (("docs/**",), False),  # only **/ crosses directories
        (("docs/**/*",), True),
        (("docs",), False),
        (("*.md",), False),
        (("**/*.{rst,md}",), True),
        (("$DIR/*.py",), True),
        (("${DIR}x/*.py",), False),
    ],
)
def test_changes_are_patterns_as_ruby_has_them(changes: tuple[str, ...], *, holds: bool) -> None:
    found = pipeline_of(job("a", rules=(rule(changes=changes),), variables={"DIR": "src"}))

    assert ("a" in plan_on(found, FEATURE).jobs) is holds


@pytest.mark.parametrize(
    "of",
    [
        snapshot(branch="feature"),
        replace(snapshot(branch="feature", base="b", changed=("other",)), is_new=True),
        replace(snapshot(tag="v1", base="b", changed=("other",))),
        replace(snapshot(branch="feature", base="b", changed=()), is_new=True),
    ],
)
def test_where_nothing_can_be_compared_everything_has_changed(of: object) -> None:
    found = pipeline_of(job("a", rules=(rule(changes=("src/*",)),)))

    assert list(plan_on(found, of).jobs) == ["a"]  # type: ignore[arg-type]  # a snapshot
    assert plan_on(found, of).facts_read["hookci.new"] == "True"  # type: ignore[arg-type]  # the same


def test_changes_may_be_compared_with_another_revision() -> None:
    asked_for: list[str] = []

    def since(revision: str | None) -> tuple[str, ...] | None:
        asked_for.append(str(revision))
        return {"main": ("src/a.py",), "release": ()}.get(str(revision))

    found = pipeline_of(
        job("a", rules=(rule(changes=("src/*",), compare_to="$CI_DEFAULT_BRANCH"),)),
        job("b", rules=(rule(changes=("src/*",), compare_to="release"),)),
        job("c", rules=(rule(changes=("src/*",), compare_to="gone"),)),
    )
    known = snapshot(branch="feature")
    known = replace(known, facts={**known.facts, "CI_DEFAULT_BRANCH": "main"})
    wishes = Wishes(changed_since=since)

    plan = plan_on(found, known, asked=("a", "b"), wishes=wishes)
    with pytest.raises(ConfigError) as caught:
        plan_on(found, known, wishes=wishes)

    assert list(plan.jobs) == ["a"]
    assert set(asked_for) == {"main", "release", "gone"}
    (problem,) = caught.value.problems
    assert (problem.path, problem.message) == ("c.rules[0].changes.compare_to", "`gone` is not a valid ref")


@pytest.mark.parametrize(
    ("exists", "holds"),
    [(("Dockerfile",), True), (("sub",), False), (("sub/*",), True), (("**/*.rb",), True), (("*.rb",), False)],
)
def test_exists_means_files_of_the_tree(exists: tuple[str, ...], *, holds: bool) -> None:
    found = pipeline_of(job("a", rules=(rule(exists=exists),)))

    assert ("a" in plan_on(found, paths=("Dockerfile", "sub/x.rb")).jobs) is holds


def test_a_rule_may_change_what_a_job_needs_and_how_long_it_waits() -> None:
    found = pipeline_of(
        job("build", "build"),
        job("other", "build"),
        job(
            "a",
            needs=["build"],
            when=When.DELAYED,
            start_in=60.0,
            rules=(
                rule("$CI_COMMIT_TAG", needs=()),
                rule(needs=(Need("other"),), start_in=5.0),
            ),
        ),
    )

    plan = plan_on(found, asked=("test",))

    assert list(plan.jobs) == ["other", "a"]
    assert plan.jobs["a"].after == ("other",)
    assert (plan.jobs["a"].when, plan.jobs["a"].job.start_in) == (When.DELAYED, 5.0)


@pytest.mark.parametrize(
    "condition", ['$CI == "true"', "$GITLAB_CI", '$CI_CONFIG_PATH == ".gitlab-ci.yml"', '$CI_JOB_NAME == "a"']
)
def test_rules_know_what_is_the_same_in_every_pipeline(condition: str) -> None:
    plan = plan_on(pipeline_of(job("a", rules=(rule(condition),))))

    assert list(plan.jobs) == ["a"]
    assert not plan.facts_read


def test_a_variable_that_a_person_gives_wins_over_all_others() -> None:
    found = pipeline_of(job("a", variables={"LEVEL": "low"}, rules=(rule('$LEVEL == "high"'),)))

    plan = plan_on(found, wishes=Wishes(variables={"LEVEL": "high"}))

    assert plan.jobs["a"].given == {"LEVEL": "high"}
    assert not plan.jobs["a"].job.memory
    assert not plan.whole
    assert not plan_on(found).jobs


# -- needs, dependencies


def test_a_need_that_is_not_in_the_pipeline_is_refused_in_gitlabs_words() -> None:
    gone = job("gone", "build", rules=(rule("$CI_COMMIT_TAG"),))

    with pytest.raises(ConfigError) as caught:
        plan_on(pipeline_of(gone, job("a", needs=["gone"])))
    optional = plan_on(pipeline_of(gone, replace(job("a"), needs=(Need("gone", optional=True),))))

    (problem,) = caught.value.problems
    assert problem.path == "a.needs[0]"
    assert problem.message == "'a' job needs 'gone' job, but 'gone' does not exist in the pipeline"
    assert optional.jobs["a"].after == ()


def test_needs_free_a_job_from_the_order_of_stages() -> None:
    found = pipeline_of(
        job("build", "build"), job("early", "deploy", needs=[]), job("unit"), job("late", "build", needs=["unit"])
    )

    plan = plan_on(found)

    assert {name: planned.after for name, planned in plan.jobs.items()} == {
        "build": (), "late": ("unit",), "unit": ("build", "late"), "early": ()
    }  # fmt: skip


def test_dependencies_choose_whose_artifacts_come_along() -> None:
    files = Artifacts(paths=("x",))
    found = pipeline_of(
        job("one", "build", artifacts=files),
        job("two", "build", artifacts=Artifacts(dotenv=("build.env",))),
        job("none", artifacts=files, dependencies=()),
        job("some", dependencies=("two",)),
        job("all"),
        job("needs", needs=["one", "two"], dependencies=("one",)),
    )

    plan = plan_on(found)

    assert {name: planned.artifacts_from for name, planned in plan.jobs.items()} == {
        "one": (), "two": (), "none": (), "some": ("two",), "all": ("one", "two"), "needs": ("one",)
    }  # fmt: skip
    assert plan.jobs["some"].after == ("one", "two")
    assert list(plan_on(found, asked=("some",)).jobs) == ["two", "some"]
    assert list(plan_on(found, asked=("none",)).jobs) == ["none"]


def test_variables_that_refer_to_each_other_in_a_circle_are_refused() -> None:
    circle = {"A": "$B", "B": "${C}x", "C": "$A", "D": "$A", "SELF": "$SELF:more"}

    with pytest.raises(ConfigError) as caught:
        plan_on(pipeline_of(job("a", variables=circle)))
    raw = plan_on(pipeline_of(job("a", variables=circle, raw=frozenset({"B"}))))

    (problem,) = caught.value.problems
    assert (problem.path, problem.message) == ("a.variables", "circular variable reference detected: A, B, C")
    assert list(raw.jobs) == ["a"]


# -- deployments


SHIP = job("ship", "deploy", environment=environment("review/$CI_COMMIT_REF_NAME"))


def test_a_hook_holds_back_a_deployment_to_where_this_clone_does_not_deploy() -> None:
    held = plan_on(pipeline_of(SHIP), wishes=Wishes(deploys=("staging",)))
    deploys = plan_on(pipeline_of(SHIP), wishes=Wishes(deploys=("review/main",)))
    by_hand = plan_on(pipeline_of(SHIP))

    assert held.jobs["ship"].action is Action.MANUAL
    assert held.jobs["ship"].reason == (
        "it deploys to review/main, which this clone does not (`git config --add hookci.deploys review/main`); "
        "`hookci play ship` starts it"
    )
    assert held.facts_read["hookci.deploys"] == "staging"
    assert deploys.jobs["ship"].action is by_hand.jobs["ship"].action is Action.RUN
    assert not by_hand.jobs["ship"].job.memory


@pytest.mark.parametrize("action", ["stop", "prepare", "verify", "access"])
def test_only_what_starts_an_environment_is_held_back(action: str) -> None:
    one = job("one", environment=environment("staging", action=action))

    plan = plan_on(pipeline_of(one), wishes=Wishes(deploys=()))

    assert plan.jobs["one"].action is Action.RUN
    assert plan.jobs["one"].job.memory is (action != "stop")


# -- what cannot be run here


def test_what_cannot_be_run_is_refused_unless_a_person_allows_it() -> None:
    found = pipeline_of(job("a", unsupported="`trigger: project`: start it there"), job("b"))

    with pytest.raises(ConfigError) as caught:
        plan_on(found)
    plan = plan_on(found, wishes=Wishes(allow_unsupported=True))

    (problem,) = caught.value.problems
    assert problem.path == "a"
    assert problem.message == "cannot be run here: `trigger: project`: start it there"
    assert problem.hint == "`--allow-unsupported` leaves it out"
    assert {name: planned.action for name, planned in plan.jobs.items()} == {
        "a": Action.UNSUPPORTED, "b": Action.RUN
    }  # fmt: skip


def test_what_cannot_be_run_and_waits_for_a_person_hinders_nobody() -> None:
    plan = plan_on(pipeline_of(job("a", unsupported="x", when=When.MANUAL)))

    assert plan.jobs["a"].action is Action.MANUAL


# -- pipelines that a job starts


def test_the_jobs_of_a_child_pipeline_are_in_the_plan_under_its_starters_name() -> None:
    child = child_of(job("build", "build", artifacts=Artifacts(paths=("x",))), job("unit"), job("fast", needs=[]))
    plan = plan_on(pipeline_of(job("first", "build"), job("kid", trigger=child), job("ship", "deploy")))

    assert {name: (planned.parent, planned.after) for name, planned in plan.jobs.items()} == {
        "first": (None, ()),
        "kid": (None, ("first",)),
        "kid/build": ("kid", ()),
        "kid/unit": ("kid", ("kid/build",)),
        "kid/fast": ("kid", ()),
        "ship": (None, ("first", "kid")),
    }
    assert plan.jobs["kid/unit"].artifacts_from == ("kid/build",)
    assert plan.jobs["kid/unit"].job.group == "kid/unit"
    assert not plan.jobs["kid"].job.memory


def test_a_child_knows_what_started_it_and_gets_the_variables_of_its_starter() -> None:
    started = '$CI_PIPELINE_SOURCE == "parent_pipeline" && $REF == "main"'
    written = {"REF": "$CI_COMMIT_BRANCH"}
    child = child_of(job("a", rules=(rule(started),), variables={"REF": "mine"}))
    kid = job("kid", trigger=replace(child, variables=written), variables=written)

    plan = plan_on(pipeline_of(kid))

    assert plan.jobs["kid/a"].given == {"CI_PIPELINE_SOURCE": "parent_pipeline", "REF": "main"}


@pytest.mark.parametrize(
    ("handed", "everyones", "given"),
    [
        ({"A": "file"}, False, {"A": "rule", "B": "rule"}),
        ({"A": "file"}, True, {"A": "hand", "B": "rule"}),
        (None, False, {}),
        (None, True, {"A": "hand"}),
    ],
)
def test_a_child_gets_what_its_starter_forwards(
    handed: dict[str, str] | None, everyones: bool, given: dict[str, str]
) -> None:
    trigger = replace(child_of(job("a")), variables=handed, pipeline_variables=everyones)
    added = replace(rule("$CI_COMMIT_BRANCH"), variables={"A": "rule", "B": "rule"})
    kid = job("kid", trigger=trigger, rules=(added,), variables={"A": "file"})

    plan = plan_on(pipeline_of(kid), wishes=Wishes(variables={"A": "hand"}))

    assert plan.jobs["kid/a"].given == {"CI_PIPELINE_SOURCE": "parent_pipeline", **given}


def test_a_child_whose_workflow_does_not_hold_has_no_jobs() -> None:
    child = child_of(job("a"), workflow=(rule("$CI_COMMIT_TAG"),))

    plan = plan_on(pipeline_of(job("kid", trigger=child)))

    assert list(plan.jobs) == ["kid"]
    assert plan.left_out == {"kid/a": "no rule of `workflow` holds"}


def test_children_of_children_have_all_names_in_front() -> None:
    inner = child_of(job("deep", when=When.MANUAL))
    plan = plan_on(pipeline_of(job("kid", trigger=child_of(job("grand", trigger=inner)))))

    assert list(plan.jobs) == ["kid", "kid/grand", "kid/grand/deep"]
    assert plan.jobs["kid/grand/deep"].parent == "kid/grand"
    assert plan.jobs["kid/grand/deep"].reason == "`hookci play kid/grand/deep` starts it"


def test_a_job_of_a_child_can_be_asked_for_by_its_name() -> None:
    child = child_of(job("a"), job("b"), job("c", needs=["b"], when=When.MANUAL))
    plan = plan_on(pipeline_of(job("kid", trigger=child), job("other")), asked=("kid/c",))

    assert list(plan.jobs) == ["kid", "kid/b", "kid/c"]
    assert plan.jobs["kid/c"].action is Action.RUN


def test_what_is_wrong_in_a_child_names_its_starter() -> None:
    child = child_of(job("gone", "build", rules=(rule("$CI_COMMIT_TAG"),)), job("a", needs=["gone"]))

    with pytest.raises(ConfigError) as caught:
        plan_on(pipeline_of(job("kid", trigger=child)))

    assert [problem.path for problem in caught.value.problems] == ["kid: a.needs[0]"]


def test_what_rules_ask_for_and_only_a_server_knows_is_told_once() -> None:
    asks = rule("$CI_COMMIT_REF_PROTECTED == 'true' || $GITLAB_USER_LOGIN == 'ana' || $CI_COMMIT_TAG || $CI_NO_SUCH")
    child = job("child", trigger=child_of(job("x", rules=(rule("$CI_PROJECT_ID"),))))

    plan = plan_on(pipeline_of(job("a", rules=(asks,)), job("b", rules=(asks,)), child))

    names = "CI_COMMIT_REF_PROTECTED, CI_PROJECT_ID, GITLAB_USER_LOGIN"
    told = f".gitlab-ci.yml: rules ask for {names}, which only a GitLab server knows"
    assert plan.notices == (f"{told}: give it with `--variable NAME=value`",)


def test_what_a_person_gave_is_not_told_to_be_unknown() -> None:
    wishes = Wishes(variables={"GITLAB_USER_LOGIN": "ana"})

    plan = plan_on(pipeline_of(job("a", rules=(rule("$GITLAB_USER_LOGIN == 'ana'"),))), wishes=wishes)

    assert (list(plan.jobs), plan.notices) == (["a"], ())


def test_nothing_is_told_of_merge_requests_in_other_pipelines() -> None:
    plan = plan_on(pipeline_of(job("a", rules=(rule("$CI_MERGE_REQUEST_IID"), rule("$CI_MERGE_REQUEST_LABELS")))))

    assert (plan.jobs, plan.notices) == ({}, ())
