"""Where a GitLab pipeline is found, and what a hookci.toml beside it adds."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from config_samples import problems_in, told
from msgspec.structs import replace

from hookci.config.load import alone, parse
from hookci.model.pipeline import AllowFailure, Pipeline

GITLAB = """
default:
  image: alpine
variables:
  A: file
  B: file
build:
  stage: build
  script: [make]
unit:
  services: [redis]
  timeout: 2 minutes
  script: [make test]
  artifacts: {paths: [report]}
deploy:
  stage: deploy
  script: [./deploy]
  when: manual
  environment: production
"""
OWN = 'pipeline = ".gitlab-ci.yml"\n'


def both(more: str, gitlab: str = GITLAB) -> dict[str, bytes]:
    return {"hookci.toml": (OWN + textwrap.dedent(more)).encode(), ".gitlab-ci.yml": gitlab.encode()}


def read(more: str = "", gitlab: str = GITLAB) -> Pipeline:
    pipeline = parse(both(more, gitlab))
    assert pipeline is not None
    return pipeline


def test_a_gitlab_file_alone_is_a_pipeline() -> None:
    pipeline = parse({".gitlab-ci.yml": GITLAB.encode(), "pyproject.toml": b"[tool.ruff]\n"})

    assert pipeline is not None
    assert pipeline.source == ".gitlab-ci.yml"
    assert list(pipeline.jobs) == ["build", "unit", "deploy"]
    assert pipeline.gitlab


def test_a_config_of_hookci_s_own_comes_before_a_gitlab_file() -> None:
    pipeline = parse({"hookci.toml": b'jobs.mine.script = "x"', ".gitlab-ci.yml": b"broken: ["})

    assert pipeline is not None
    assert list(pipeline.jobs) == ["mine"]


def test_a_section_of_pyproject_can_stand_beside_a_gitlab_file_too() -> None:
    section = b'[tool.hookci]\npipeline = ".gitlab-ci.yml"\nhooks.pre-commit = "unit"\n'

    pipeline = parse({"pyproject.toml": section, ".gitlab-ci.yml": GITLAB.encode()})

    assert pipeline is not None
    assert pipeline.hooks == {"pre-commit": ("unit",)}


def test_beside_it_stand_hooks_environments_notify_and_suppressions() -> None:
    pipeline = read("""
        [hooks]
        pre-commit = ["unit"]
        pre-push = ["build", "job:unit"]
        [environments.staging]
        script = "./deploy staging"
        needs = ["unit"]
        [notify]
        urls = ["$URL"]
        on = ["red"]
        [[suppressions]]
        rule = "B101"
        path = "tests/**"
        expires = 2999-01-01
        reason = "asserts are what tests are made of"
    """)

    assert list(pipeline.jobs) == ["build", "unit", "deploy"]
    assert pipeline.hooks["pre-push"] == ("build", "job:unit")
    assert pipeline.environments["staging"].needs == ("unit",)
    assert pipeline.notify is not None
    assert [one.rule for one in pipeline.suppressions] == ["B101"]


def test_variables_beside_it_win_as_those_of_a_project_do() -> None:
    pipeline = read('variables = { B = "own", C = "own" }')

    assert pipeline.jobs["unit"].variables == {"A": "file", "B": "own", "C": "own"}
    assert pipeline.jobs["unit"].own >= {"B", "C"}
    assert pipeline.variables == {"A": "file", "B": "own", "C": "own"}


def test_variables_for_all_jobs_are_below_those_of_the_file_and_a_person_s_above_all() -> None:
    files = both('variables = { B = "own" }\ndefaults.variables = { A = "default", D = "default" }')
    asked = replace(alone(files), asked={"B": "person"})

    pipeline = parse(files, asked)

    assert pipeline is not None
    assert pipeline.jobs["unit"].variables == {"A": "file", "B": "person", "D": "default"}


def test_variables_beside_it_decide_what_is_included() -> None:
    gitlab = "include: {local: '.gitlab-ci.yml', rules: [{if: $WITH}]}\nunit: {script: x}\n"

    without = read("", gitlab)
    error = problems_in(both('variables.WITH = "1"', gitlab))

    assert list(without.jobs) == ["unit"]
    assert told(error) == [".gitlab-ci.yml:1: `.gitlab-ci.yml` includes itself"]


def test_defaults_beside_it_are_for_what_a_job_does_not_say() -> None:
    pipeline = read("""
        [defaults]
        timeout = "15m"
        pass_env = ["HOME"]
        artifacts = ["dist"]
        allow_failure = true
        memory = false
        weight = 2
    """)

    build, unit = pipeline.jobs["build"], pipeline.jobs["unit"]
    assert (build.timeout, unit.timeout) == (900.0, 120.0)
    assert (build.artifacts.paths, unit.artifacts.paths) == (("dist",), ("report",))
    assert build.pass_env == unit.pass_env == ("HOME",)
    assert build.weight == unit.weight == 2
    assert build.allow_failure == AllowFailure(allowed=True)
    assert build.stage == "build"
    assert not unit.memory
    assert unit.image is not None
    assert unit.image.name == "alpine"


def test_with_a_local_image_jobs_run_on_this_machine_and_this_is_said_once() -> None:
    pipeline = read('defaults.image = "local"')

    assert all(job.image is None and not job.services for job in pipeline.jobs.values())
    assert [warning for warning in pipeline.warnings if "local" in warning] == [
        'defaults.image = "local": jobs run on this machine, no image or service of .gitlab-ci.yml is used'
    ]


def test_of_images_that_are_not_there_nothing_is_said() -> None:
    assert read('defaults.image = "local"', "unit: {script: x}").warnings == ()


def test_an_image_for_all_jobs_is_for_those_without_one() -> None:
    pipeline = read('defaults.image = "debian"', "a: {script: x}\nb: {script: x, image: alpine}")

    assert [job.image.name for job in pipeline.jobs.values() if job.image] == ["debian", "alpine"]


def test_a_gitlab_file_may_have_another_name() -> None:
    files = {"hookci.toml": b'pipeline = "ci/main.yml"', "ci/main.yml": b"unit: {script: x}"}

    pipeline = parse(files)

    assert pipeline is not None
    assert pipeline.source == "ci/main.yml"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("jobs.a.script = 'x'", "jobs: stands in .gitlab-ci.yml already (leave it out, or leave out `pipeline`)"),
        ("stages = ['a']", "stages: stands in .gitlab-ci.yml already (leave it out, or leave out `pipeline`)"),
        ("hooks.pre-push = ['tests']", 'hooks.pre-push[0]: there is no stage or job "tests" (did you mean `test`?)'),
        (
            "[environments.x]\nscript = 'x'\nneeds = ['build']",
            'environments.x.needs[0]: the job "build" has no artifacts',
        ),
        ("defaults.timeout = 'soon'", 'defaults.timeout: expected a duration such as "15m" or "1h 30m", saw "soon"'),
        ("hoks = 1", "hoks: unknown key (did you mean `hooks`?)"),
        ("requires = 'new'", 'requires: expected versions such as ">=0.3", saw "new"'),
        ("variables.a-b = '1'", 'variables.a-b: expected a variable\'s name of letters, digits and _, saw "a-b"'),
    ],
)
def test_what_does_not_fit_beside_it_is_told_as_ever(more: str, problem: str) -> None:
    error = problems_in(both(more))

    assert error.source == "hookci.toml"
    assert any(line.startswith(problem) for line in told(error))


def test_a_file_that_is_not_there_is_a_problem_at_its_name() -> None:
    error = problems_in({"hookci.toml": b'pipeline = "ci.yml"\nhoks = 1'})

    assert told(error) == ["pipeline: there is no file ci.yml", "hoks: unknown key (did you mean `hooks`?)"]


def test_a_pipeline_that_is_no_text_is_told_as_any_value() -> None:
    error = problems_in({"hookci.toml": b"pipeline = 3\njobs.a.script = 'x'", ".gitlab-ci.yml": b"a: {script: x}"})

    assert told(error) == ["pipeline: expected text, saw 3"]


def test_what_is_wrong_in_the_gitlab_file_names_its_file_and_line() -> None:
    error = problems_in(both("", "unit:\n  script: x\n  stage: nowhere\n"))

    assert [problem.path for problem in error.problems] == [".gitlab-ci.yml:3: jobs.unit.stage"]


def test_what_is_wrong_in_both_files_is_told_at_once() -> None:
    error = problems_in(both("hoks = 1", "unit:\n  script: x\n  stage: nowhere\n"))

    assert error.source == "hookci.toml"
    assert [problem.path for problem in error.problems] == ["hoks", ".gitlab-ci.yml:3: jobs.unit.stage"]


def test_a_gitlab_file_alone_does_not_pay_for_pydantic() -> None:
    code = (
        "import sys, hookci.config.load as load; load.parse({'.gitlab-ci.yml': b'a: {script: x}'});"
        "print(sorted({'pydantic', 'wcmatch', 'difflib', 'tomli'} & sys.modules.keys()))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
