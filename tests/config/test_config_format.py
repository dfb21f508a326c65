"""What the keys of ``hookci.toml`` mean: from text to the values of the model."""

from __future__ import annotations

import pytest
from config_samples import read

from hookci.model.expression import Comparison, Literal, Truth, Variable
from hookci.model.pipeline import (
    AllowFailure,
    Artifacts,
    Cache,
    CachePolicy,
    Job,
    Need,
    Retry,
    RetryOn,
    Rule,
    When,
)

WHOLE_FORMAT = """
stages = ["build", "test", "security", "integration", "deploy"]      # this is the default

[defaults]                              # every job starts from this
timeout = "15m"
# image = "python:3.12"                 # a container instead of this machine
# carry = [".env.test"]                 # untracked files of the user's tree that jobs may see (part of the key)

[variables]
PYTHONDONTWRITEBYTECODE = "1"

[jobs.build]
stage = "build"
script = ["python -m venv .venv", ".venv/bin/pip install -q -e '.[dev]'"]
cache = [{ key.files = ["pyproject.toml"], paths = [".venv"] }]

[jobs.unit]
stage = "test"
pass_env = ["DATABASE_*"]               # from the user's environment; part of the key (otherwise an allow-list as in tox)
script = [".venv/bin/pytest -q --junit-xml=report.xml"]
cache = [{ key.files = ["pyproject.toml"], paths = [".venv"], policy = "pull" }]
inputs = ["src/**", "tests/**", "pyproject.toml"]     # what the result depends on; default: the whole tree
reports.junit = "report.xml"
retry = { max = 1, when = ["timeout"] }
matrix = [{ SEED = ["1", "2"] }]

[jobs.code]
stage = "security"
scan = "bandit"

[jobs.dependencies]
stage = "security"
scan = "dependencies"                   # offline advisories; "safety" and "pip-audit" are scanners of their own

[jobs.secrets]
stage = "security"
scan = "secrets"

[jobs.integration]
stage = "integration"
image = "python:3.12"
services = [{ image = "postgres:16", alias = "db" }]
script = ["pip install -q -e '.[dev]'", "pytest -q tests/integration"]
rules = [{ if = '$CI_COMMIT_BRANCH == "main"' }, { changes = ["src/**"] }]
allow_failure = true

[hooks]                                 # which stages or jobs each hook asks for (a stage wins over a job; "job:NAME")
pre-commit = ["code", "secrets"]        # default: nothing; pre-merge-commit: what pre-commit does
pre-push = ["build", "test", "security", "integration"]   # default: all stages but deploy

[environments.staging]
branch = "main"
deploy = "on-merge"                     # or "manual"
script = ["./deploy.sh staging"]
health = [{ url = "http://127.0.0.1:8000/version", expect = "$HOOKCI_COMMIT", within = "30s", stable = "5s" }]

[environments.production]
branch = "main"
after = "staging"                       # only what staging verified, the very same
deploy = "manual"
approval = true
script = ["./deploy.sh production"]
health = [{ command = "./smoke.sh", within = "60s", stable = "10s" }]

[notify]
urls = ["$SLACK_URL"]
on = ["red", "deployed", "rolled-back", "stuck", "approval"]
"""  # noqa: E501 (as the design writes it)


def test_the_whole_format_is_read() -> None:
    pipeline = read(WHOLE_FORMAT)

    assert pipeline.source == "hookci.toml"
    assert pipeline.stages == ("build", "test", "security", "integration", "deploy")
    assert list(pipeline.jobs) == [
        "build",
        "unit: [1]",
        "unit: [2]",
        "code",
        "dependencies",
        "secrets",
        "integration",
    ]
    assert pipeline.hooks == {
        "pre-commit": ("code", "secrets"),
        "pre-push": ("build", "test", "security", "integration"),
    }
    assert pipeline.jobs["unit: [1]"] == Job(
        name="unit: [1]",
        group="unit",
        stage="test",
        script=(".venv/bin/pytest -q --junit-xml=report.xml",),
        variables={"PYTHONDONTWRITEBYTECODE": "1", "SEED": "1"},
        pass_env=("DATABASE_*",),
        timeout=900.0,
        retry=Retry(max=1, when=(RetryOn.TIMEOUT,)),
        cache=(Cache(paths=(".venv",), key_files=("pyproject.toml",), policy=CachePolicy.PULL),),
        inputs=("src/**", "tests/**", "pyproject.toml"),
        junit=("report.xml",),
    )
    assert pipeline.jobs["integration"].rules == (
        Rule(condition=Comparison(Variable("CI_COMMIT_BRANCH"), Literal("main"))),
        Rule(changes=("src/**",)),
    )


def test_a_job_of_one_line_has_the_defaults() -> None:
    pipeline = read('jobs.unit.script = "make"')

    assert pipeline.jobs == {"unit": Job(name="unit", group="unit", stage="test", script=("make",), timeout=3600.0)}
    assert pipeline.stages == ("build", "test", "security", "integration", "deploy")
    assert pipeline.hooks == {}


def test_every_key_of_a_job_arrives() -> None:
    pipeline = read("""
        stages = ["check"]
        [jobs.all]
        stage = "check"
        script = ["a", "b"]
        before_script = "c"
        after_script = ["d"]
        shell = "sh"
        variables = { TEXT = "x" }
        pass_env = "HOME"
        secrets = ["TOKEN", "KEY_*"]
        needs = ["one", { job = "two", artifacts = false, optional = true }]
        when = "manual"
        allow_failure = { exit_codes = [3, 4] }
        retry = 2
        timeout = "90s"
        artifacts = { paths = ["dist/"], exclude = "*.tmp", when = "always" }
        inputs = "src/**"
        carry = ".env"
        resource_group = "device"
        reports = { junit = "report.xml" }
        [jobs.one]
        stage = "check"
        script = "x"
        [jobs.two]
        stage = "check"
        script = "x"
    """)

    assert pipeline.jobs["all"] == Job(
        name="all",
        group="all",
        stage="check",
        script=("a", "b"),
        before_script=("c",),
        after_script=("d",),
        shell="sh",
        variables={"TEXT": "x"},
        pass_env=("HOME",),
        secrets=("TOKEN", "KEY_*"),
        needs=(Need("one"), Need("two", artifacts=False, optional=True)),
        when=When.MANUAL,
        allow_failure=AllowFailure(allowed=True, exit_codes=(3, 4)),
        retry=Retry(max=2),
        timeout=90.0,
        artifacts=Artifacts(paths=("dist/",), exclude=("*.tmp",), when=When.ALWAYS),
        inputs=("src/**",),
        carry=(".env",),
        resource_group="device",
        junit=("report.xml",),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", AllowFailure(allowed=True)),
        ("false", AllowFailure()),
        ("{ exit_codes = 7 }", AllowFailure(allowed=True, exit_codes=(7,))),
    ],
)
def test_allow_failure_has_three_forms(written: str, meant: AllowFailure) -> None:
    pipeline = read(f'jobs.a = {{ script = "x", allow_failure = {written} }}')

    assert pipeline.jobs["a"].allow_failure == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0", Retry()),
        ("{ max = 3 }", Retry(max=3)),
        ('{ max = 1, when = "timeout" }', Retry(max=1, when=(RetryOn.TIMEOUT,))),
        (
            '{ max = 1, when = ["failure", "error"], exit_codes = [1, 2] }',
            Retry(max=1, when=(RetryOn.FAILURE, RetryOn.ERROR), exit_codes=(1, 2)),
        ),
    ],
)
def test_retry_is_a_number_or_a_table(written: str, meant: Retry) -> None:
    pipeline = read(f'jobs.a = {{ script = "x", retry = {written} }}')

    assert pipeline.jobs["a"].retry == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{ paths = ".cache" }', (Cache(paths=(".cache",)),)),
        (
            '{ key = "pip-$OS", paths = [".cache"], when = "always" }',
            (Cache((".cache",), "pip-$OS", when=When.ALWAYS),),
        ),
        (
            '[{ key = { files = "a.lock", prefix = "p" }, paths = ["x"], policy = "push" }, { paths = ["y"] }]',
            (Cache(("x",), "p", ("a.lock",), CachePolicy.PUSH), Cache(("y",))),
        ),
    ],
)
def test_a_cache_is_a_table_or_a_list_of_them(written: str, meant: tuple[Cache, ...]) -> None:
    pipeline = read(f'jobs.a = {{ script = "x", cache = {written} }}')

    assert pipeline.jobs["a"].cache == meant


def test_artifacts_may_be_a_list_of_paths() -> None:
    pipeline = read('jobs.a = { script = "x", artifacts = ["dist/", "*.whl"] }')

    assert pipeline.jobs["a"].artifacts == Artifacts(paths=("dist/", "*.whl"))


def test_every_key_of_a_rule_arrives() -> None:
    pipeline = read("""
        [jobs.a]
        script = "x"
        rules = [
          { hook = "pre-push", branch = "r/*", tag = ["/^v/", "x"], if = "$A", changes = "src/**", exists = ["a"] },
          { when = "never", allow_failure = true, variables = { N = 1 } },
        ]
    """)

    assert pipeline.jobs["a"].rules == (
        Rule(
            hook=("pre-push",),
            branch=("r/*",),
            tag=("/^v/", "x"),
            condition=Truth(Variable("A")),
            changes=("src/**",),
            exists=("a",),
        ),
        Rule(when=When.NEVER, allow_failure=AllowFailure(allowed=True), variables={"N": "1"}),
    )


def test_no_rules_and_no_needs_are_not_the_same_as_empty_ones() -> None:
    pipeline = read("""
        jobs.a.script = "x"
        jobs.b = { script = "x", rules = [], needs = [] }
    """)

    assert (pipeline.jobs["a"].rules, pipeline.jobs["a"].needs) == (None, None)
    assert (pipeline.jobs["b"].rules, pipeline.jobs["b"].needs) == ((), ())
