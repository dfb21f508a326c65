"""``trigger``: child pipelines of files of the tree, and what cannot be started here."""

from __future__ import annotations

import pytest
from gitlab_samples import BRANCH, FILE, decided, problems, read

from hookci.model.pipeline import Pipeline, When

CHILD = "stages: [one, two]\na: {stage: one, script: x}\nb: {stage: two, script: y, tags: [t]}\n"


def child(text: str, **files: str) -> Pipeline:
    trigger = read(text, **files).jobs["j"].trigger
    assert trigger is not None
    return trigger.pipeline


def test_a_job_starts_the_pipeline_of_a_file() -> None:
    pipeline = read("j: {trigger: {include: child.yml}}", child__yml=CHILD)
    trigger = pipeline.jobs["j"].trigger

    assert trigger is not None
    assert not trigger.depend
    assert trigger.pipeline.stages == (".pre", "one", "two", ".post")
    assert list(trigger.pipeline.jobs) == ["a", "b"]
    assert trigger.pipeline.gitlab
    assert not pipeline.jobs["j"].memory


@pytest.mark.parametrize(
    "include", ["/child.yml", "[child.yml]", "{local: child.yml}", "[{local: /child.yml}]", "[{local: 'chi*.yml'}]"]
)
def test_a_file_may_be_named_in_several_ways(include: str) -> None:
    assert list(child(f"j: {{trigger: {{include: {include}}}}}", child__yml=CHILD).jobs) == ["a", "b"]


def test_several_files_are_one_child() -> None:
    found = child(
        "j: {trigger: {include: [one.yml, two.yml]}}", one__yml="a: {script: x}", two__yml="b: {script: x, needs: [a]}"
    )

    assert list(found.jobs) == ["a", "b"]


@pytest.mark.parametrize(("strategy", "depend"), [("depend", True), ("mirror", True)])
def test_a_job_may_end_as_its_child_does(strategy: str, depend: bool) -> None:
    trigger = read(f"j: {{trigger: {{include: c.yml, strategy: {strategy}}}}}", c__yml=CHILD).jobs["j"].trigger

    assert trigger is not None
    assert trigger.depend is depend


def test_a_child_gets_the_variables_of_the_job_and_of_its_pipeline_and_they_win() -> None:
    found = child(
        "variables: {A: 1, B: 1}\nj: {trigger: {include: c.yml}, variables: {B: 2}}",
        c__yml="variables: {A: 0}\na: {script: x, variables: {B: 0, C: 3}}",
    )

    assert found.jobs["a"].variables == {"A": "1", "B": "2", "C": "3", "CI_PIPELINE_SOURCE": "parent_pipeline"}
    assert found.variables["B"] == "2"


@pytest.mark.parametrize(
    ("keys", "variables"),
    [
        ("trigger: {include: c.yml, forward: {yaml_variables: false}}", {"A": "0"}),
        ("trigger: {include: c.yml}, inherit: {variables: false}", {"A": "0", "B": "2"}),
    ],
)
def test_a_child_gets_no_more_than_is_forwarded(keys: str, variables: dict[str, str]) -> None:
    found = child(
        f"variables: {{A: 1}}\nj: {{{keys}, variables: {{B: 2}}}}", c__yml="variables: {A: 0}\na: {script: x}"
    )

    assert {name: value for name, value in found.jobs["a"].variables.items() if name in "AB"} == variables


def test_what_a_person_gave_goes_to_a_child_only_if_it_is_forwarded() -> None:
    files = {"c__yml": "variables: {A: child}\na: {script: x}"}

    kept = read("j: {trigger: {include: c.yml}}", {"A": "hand"}, **files).jobs["j"].trigger
    forward = "forward: {pipeline_variables: true}"
    given = read(f"j: {{trigger: {{include: c.yml, {forward}}}}}", {"A": "hand"}, **files).jobs["j"].trigger

    assert kept is not None
    assert given is not None
    assert kept.pipeline.jobs["a"].variables["A"] == "child"
    assert given.pipeline.jobs["a"].variables["A"] == "hand"
    assert (kept.pipeline_variables, given.pipeline_variables) == (False, True)


def test_a_child_of_a_child_gets_no_variables_that_its_parent_was_given() -> None:
    first = child(
        "j: {trigger: {include: a.yml}, variables: {A: 1}}",
        a__yml="k: {trigger: {include: b.yml}, variables: {B: 2}}",
        b__yml="variables: {A: 0}\nl: {script: x}",
    )
    second = first.jobs["k"].trigger

    assert second is not None
    assert second.variables == {"B": "2"}
    assert second.pipeline.jobs["l"].variables["A"] == "0"


def test_a_child_knows_that_it_is_one() -> None:
    content = """
        a: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == 'parent_pipeline'}]}
        b: {script: x, only: [pushes]}
        """

    found = child("j: {trigger: {include: c.yml}}", c__yml=content)

    assert decided(found.jobs["a"], BRANCH) is When.ON_SUCCESS
    assert decided(found.jobs["b"], BRANCH) is None


def test_the_jobs_of_a_matrix_start_children_with_their_variables() -> None:
    jobs = read(
        "j: {trigger: {include: c.yml}, parallel: {matrix: [{A: [x, y]}]}}", c__yml="variables: {A: 0}\na: {script: x}"
    ).jobs

    assert list(jobs) == ["j: [x]", "j: [y]"]
    triggers = [job.trigger for job in jobs.values()]
    assert [one.pipeline.jobs["a"].variables["A"] for one in triggers if one] == ["x", "y"]


def test_inputs_are_given_to_the_child() -> None:
    header = "spec: {inputs: {name: {}}}\n---\n"

    assert list(
        child(
            "j: {trigger: {include: [{local: c.yml, inputs: {name: a}}]}}",
            c__yml=f"{header}$[[ inputs.name ]]: {{script: x}}",
        ).jobs
    ) == ["a"]
    assert list(
        child(
            "j: {trigger: {include: c.yml, inputs: {name: a}}}", c__yml=f"{header}$[[ inputs.name ]]: {{script: x}}"
        ).jobs
    ) == ["a"]


def test_a_trigger_has_rules_needs_and_the_rest_of_what_decides_when_it_starts() -> None:
    keys = "needs: [a], rules: [{if: $A, when: manual}], allow_failure: true"

    found = read(f"a: {{script: x}}\nj: {{trigger: {{include: c.yml}}, {keys}}}", c__yml=CHILD).jobs["j"]

    assert found.needs is not None
    assert found.rules is not None
    assert found.allow_failure.allowed


def test_a_trigger_inherits_nothing_that_is_for_scripts() -> None:
    found = read(
        "default: {image: a, before_script: [b], retry: 2}\nj: {trigger: {include: c.yml}}", c__yml=CHILD
    ).jobs["j"]

    assert (found.image, found.before_script, found.retry.max) == (None, (), 0)


def test_what_has_no_effect_in_a_child_is_said_with_its_file() -> None:
    assert read("j: {trigger: {include: c.yml}}", c__yml=CHILD).warnings == (
        "c.yml:3: `tags` has no effect here: there are no runners to choose from: every job runs here",
    )


def test_a_child_may_have_a_child_but_no_more() -> None:
    pipeline = read(
        "j: {trigger: {include: a.yml}}",
        a__yml="j: {trigger: {include: b.yml}}",
        b__yml="j: {trigger: {include: c.yml}}\nk: {script: x}",
        c__yml="j: {script: x}",
    )
    first = pipeline.jobs["j"].trigger
    assert first is not None
    second = first.pipeline.jobs["j"].trigger
    assert second is not None
    last = second.pipeline.jobs["j"]

    assert last.trigger is not None
    assert not last.trigger.pipeline.jobs
    assert [str(flaw) for flaw in pipeline.flaws] == [
        "b.yml:1: jobs.j.trigger: GitLab allows 2 levels of child pipelines, this would be one more"
    ]


def test_a_pipeline_that_starts_itself_comes_to_an_end() -> None:
    pipeline = read(f"j: {{trigger: {{include: {FILE}}}}}\nk: {{script: x}}")

    assert pipeline.jobs["j"].trigger is not None


@pytest.mark.parametrize(
    ("trigger", "keyword"),
    [
        ("group/project", "trigger.project"),
        ("{project: group/project}", "trigger.project"),
        ("{project: group/project, branch: main, strategy: depend}", "trigger.project"),
        ("{include: [{artifact: child.yml, job: a}]}", "trigger.include.artifact"),
    ],
)
def test_what_cannot_be_started_here_makes_the_job_unsupported(trigger: str, keyword: str) -> None:
    found = read(f"a: {{script: x}}\nj: {{trigger: {trigger}}}").jobs["j"]

    assert found.trigger is None
    assert found.unsupported is not None
    assert found.unsupported.startswith(f"{keyword}: ")


def test_problems_of_a_child_name_its_file_and_line() -> None:
    text = "j: {trigger: {include: c.yml}}\nk: {script: x, retry: 9}\n"

    assert problems(text, c__yml="a:\n  script: x\n  retry: 7\n") == [
        "2: jobs.k.retry: must be less than or equal to 2, saw 9",
        "c.yml:3: jobs.a.retry: must be less than or equal to 2, saw 7",
    ]


def test_a_file_that_is_not_there_is_told() -> None:
    pipeline = read("j: {trigger: {include: c.yml}}")

    assert [flaw.message for flaw in pipeline.flaws] == ["local file `c.yml` does not exist!"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("trigger: {strategy: depend}", "jobs.j.trigger: config must specify either project or include"),
        (
            "trigger: {include: c.yml, strategy: wait}",
            'jobs.j.trigger.strategy: should be depend or mirror, saw "wait"',
        ),
        ("trigger: {include: []}", "jobs.j.trigger.include: can't be blank"),
        ("trigger: {include: [a, b, c, d]}", "jobs.j.trigger.include: config is too long (maximum is 3)"),
        (
            "trigger: {include: [{lokal: a}]}",
            "jobs.j.trigger.include[0].lokal: config contains unknown keys: lokal (did you mean `local`?)",
        ),
        ("trigger: [a]", "jobs.j.trigger: config should be a hash, saw a list"),
        ("trigger: {include: c.yml}, script: x", "jobs.j: these keys cannot be used together: script, trigger"),
        ("trigger: {include: c.yml}, image: x", "jobs.j.image: config contains unknown keys: image"),
    ],
)
def test_triggers_that_are_none_are_told(keys: str, message: str) -> None:
    found = problems(f"j: {{{keys}}}", c__yml=CHILD, a=CHILD, b=CHILD, c=CHILD, d=CHILD)

    assert f"1: {message}" in found
