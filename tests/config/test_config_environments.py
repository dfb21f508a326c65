"""What a config says about places to deploy to, what that means, and what of it means nothing."""

from __future__ import annotations

import pytest
from config_samples import in_environment, problems, read

from hookci.model.environment import Approval, Check, Environment, SecretSource, Trigger

JOB = 'jobs.a.script = "x"\n'
DAY = 86_400.0


def environment(text: str) -> Environment:
    """An environment that has ``text`` beside its script."""
    return read(in_environment(text)).environments["x"]


def test_an_environment_is_read_whole() -> None:
    pipeline = read("""
        jobs.build = { script = "make", artifacts = ["app"] }
        [environments.production]
        branch = "release/2"
        deploy = "on-merge"
        after = "staging"
        approval = { expires = "12h", not_author = true }
        script = ["./deploy.sh", "./warm-up.sh"]
        rollback = "./back.sh"
        shell = "sh"
        timeout = "10m"
        health = { tcp = "127.0.0.1:80" }
        variables = { PORT = 80 }
        pass_env = "SSH_*"
        secrets = ["TOKEN"]
        needs = "build"
        keep = 3
        url = "https://example.com"
        trust = "deploy/**"
        irreversible = ["migrations/**"]
        background = true
        pushed = true
        signers = "~/signers"
        [environments.staging]
        branch = "release/2"
        script = "./deploy.sh"
    """)

    assert list(pipeline.environments) == ["production", "staging"]
    assert pipeline.environments["production"] == Environment(
        name="production",
        branch="release/2",
        trigger=Trigger.ON_MERGE,
        after="staging",
        approval=Approval(expires=DAY / 2, not_author=True),
        script=("./deploy.sh", "./warm-up.sh"),
        rollback=("./back.sh",),
        shell="sh",
        timeout=600.0,
        health=(Check(tcp="127.0.0.1:80"),),
        variables={"PORT": "80"},
        pass_env=("SSH_*",),
        secrets=(SecretSource(name="TOKEN"),),
        needs=("build",),
        keep=3,
        url="https://example.com",
        trust=("deploy/**",),
        irreversible=("migrations/**",),
        background=True,
        pushed=True,
        signers="~/signers",
    )


def test_an_environment_needs_nothing_but_a_script() -> None:
    assert environment("") == Environment(name="x", script=("x",))


def test_a_pipeline_need_not_deploy() -> None:
    assert read(JOB).environments == {}


@pytest.mark.parametrize(
    ("text", "approval"),
    [
        ("approval = true", Approval(expires=7 * DAY, not_author=False)),
        ("approval = false", None),
        ("approval = {}", Approval(expires=7 * DAY, not_author=False)),
        ('approval = { expires = "7 days", not_author = true }', Approval(expires=7 * DAY, not_author=True)),
        ('approval.expires = "1 day"', Approval(expires=DAY)),
    ],
)
def test_approval_is_asked_for_in_short_or_in_full(text: str, approval: Approval | None) -> None:
    assert environment(text).approval == approval


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ('secrets = "A"', (SecretSource(name="A"),)),
        ('secrets = ["A", "b_2", "A"]', (SecretSource(name="A"), SecretSource(name="b_2"))),
        ("secrets = []", ()),
        (
            'secrets = { A = "env", B = { file = "~/b" }, C = { command = "pass show c" }, D.file = "/run/d" }',
            (
                SecretSource(name="A"),
                SecretSource(name="B", file="~/b"),
                SecretSource(name="C", command="pass show c"),
                SecretSource(name="D", file="/run/d"),
            ),
        ),
    ],
)
def test_secrets_are_names_or_say_where_they_come_from(text: str, secrets: tuple[SecretSource, ...]) -> None:
    assert environment(text).secrets == secrets


def test_an_environment_may_be_deployed_on_a_merge_after_another_and_with_approval() -> None:
    pipeline = read("""
        jobs.a.script = "x"
        environments.staging = { script = "x", deploy = "on-merge" }
        environments.canary = { script = "x", deploy = "on-merge", after = "staging" }
        environments.production = { script = "x", deploy = "on-merge", after = "canary", approval = true }
    """)

    assert {one.trigger for one in pipeline.environments.values()} == {Trigger.ON_MERGE}
    assert [one.after for one in pipeline.environments.values()] == ["", "staging", "canary"]


def test_a_job_hands_on_the_artifacts_that_the_defaults_or_the_cells_of_its_matrix_have() -> None:
    pipeline = read("""
        defaults.artifacts = ["app"]
        jobs.a.script = "x"
        jobs.b = { script = "x", matrix = [{ N = [1, 2] }] }
        environments.x = { script = "x", needs = ["a", "b", "b: [2]"] }
    """)

    assert pipeline.environments["x"].needs == ("a", "b", "b: [2]")


NO_VARIABLE = "expected a variable's name of letters, digits and _"
NO_ROOT = "expected a path below the repository's root"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rollback = []", "rollback: is empty"),
        ("url = ''", "url: is empty"),
        ("branch = 'release/*'", 'branch: expected the name of one branch, saw "release/*"'),
        ("branch = '/^main$/'", 'branch: expected the name of one branch, saw "/^main$/"'),
        ("branch = ''", 'branch: expected the name of one branch, saw ""'),
        ("branch = '-f'", 'branch: expected the name of one branch, saw "-f"'),
        ("branch = 'HEAD'", 'branch: expected the name of one branch, saw "HEAD"'),
        ("timeout = '0s'", 'timeout: expected a duration longer than zero, saw "0s"'),
        ("approval.expires = '0s'", 'approval.expires: expected a duration longer than zero, saw "0s"'),
        ("variables.a-b = 1", f'variables.a-b: {NO_VARIABLE}, saw "a-b"'),
        ("secrets = ['A', 'AWS_*']", f'secrets[1]: {NO_VARIABLE}, saw "AWS_*"'),
        ("secrets = '1A'", f'secrets: {NO_VARIABLE}, saw "1A"'),
        ("secrets.a-b = 'env'", f'secrets.a-b: {NO_VARIABLE}, saw "a-b"'),
        ("secrets.A = {}", "secrets.A: expected either file or command"),
        ("secrets.A = { file = '/a', command = 'x' }", "secrets.A: expected either file or command"),
        ("secrets.A.command = ' '", "secrets.A.command: is empty"),
        ("secrets.A.file = 'token'", 'secrets.A.file: expected an absolute path, or one below ~, saw "token"'),
        ("signers = 'signers'", 'signers: expected an absolute path, or one below ~, saw "signers"'),
        ("signers = '~other/signers'", 'signers: expected an absolute path, or one below ~, saw "~other/signers"'),
        ("trust = ['a', '../b']", f'trust[1]: {NO_ROOT}, saw "../b"'),
        ("irreversible = '/migrations'", f'irreversible: {NO_ROOT}, saw "/migrations"'),
        ("needs = ['b']", 'needs[0]: there is no job "b"'),
        ("needs = ['a']", 'needs[0]: the job "a" has no artifacts and builds no image'),
    ],
)
def test_what_of_an_environment_means_nothing_is_told_at_its_place(text: str, problem: str) -> None:
    assert problems(in_environment(text)) == [f"environments.x.{problem}"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".a",
        "a.",
        "a..b",
        "a.lock",
        "a/b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "*",
        "a*",
        "a[",
        "a\\\\b",
        "a@{b",
        "a\\tb",
        "a\\u009bb",
        "a\\u202eb",
    ],
)
def test_the_name_of_an_environment_must_do_in_a_git_tag(name: str) -> None:
    found = problems(f'{JOB}environments."{name}".script = "x"')

    assert len(found) == 1
    assert found[0].endswith(": the name of an environment becomes part of a git tag, which this cannot be")


def test_the_name_of_an_environment_is_not_taken_for_an_option() -> None:
    assert problems(f"{JOB}environments.-x.script = 'x'") == [
        "environments.-x: the name of an environment cannot start with -, as options do"
    ]


def test_an_environment_comes_after_one_that_is_there() -> None:
    found = problems("""
        jobs.a.script = "x"
        environments.prod = { script = "x", after = "stagin" }
        environments.test = { script = "x", after = "" }
        environments.staging.script = "x"
    """)

    assert found == [
        'environments.prod.after: there is no environment "stagin" (did you mean `staging`?)',
        'environments.test.after: there is no environment ""',
    ]


def test_an_environment_that_waits_for_itself_is_told() -> None:
    assert problems(in_environment('after = "x"')) == ["environments.x.after: cycle: x -> x"]


def test_environments_that_wait_for_each_other_are_told_once() -> None:
    found = problems("""
        jobs.a.script = "x"
        environments.x = { script = "x", after = "y" }
        environments.y = { script = "x", after = "z" }
        environments.z = { script = "x", after = "y" }
    """)

    assert found == ["environments.y.after: cycle: y -> z -> y"]


def test_what_another_environment_verified_is_of_the_same_branch() -> None:
    found = problems("""
        jobs.a.script = "x"
        environments.staging = { script = "x", branch = "develop" }
        environments.production = { script = "x", after = "staging" }
    """)

    assert found == ['environments.production.after: "staging" is deployed from "develop", this one from "main"']


def test_a_broken_part_makes_no_problems_in_an_environment() -> None:
    found = problems("""
        jobs.a = { script = "x", artifacts = 3 }
        jobs.b = { script = "x", matrix = 3, artifacts = "x" }
        environments.staging = { script = "x", branch = 3, needs = ["a", "b: [1]"], health = { url = 3 } }
        environments.production = { script = "x", branch = "next", after = "staging" }
    """)

    assert found == [
        "jobs.a.artifacts: expected a table or a list of texts, saw 3",
        "jobs.b.matrix: expected a list, saw 3",
        'jobs.b.artifacts: expected a table or a list of texts, saw "x"',
        "environments.staging.branch: expected text, saw 3",
        "environments.staging.health.url: expected text, saw 3",
    ]
