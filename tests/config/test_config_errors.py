"""Every problem of a config is told at its place, in plain words, once, and in the order of the file."""

from __future__ import annotations

import pytest
from config_samples import in_job, problems

JOB = 'jobs.a.script = "x"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (JOB + "stagse = []", "stagse: unknown key (did you mean `stages`?)"),
        (JOB + "zzz = 1", "zzz: unknown key"),
        ("[jobs.a]\nscrpt = 'x'", "jobs.a.scrpt: unknown key (did you mean `script`?)"),
        (in_job("beforescript = 'x'"), "jobs.a.beforescript: unknown key (did you mean `before_script`?)"),
        (in_job("cache = { path = ['x'] }"), "jobs.a.cache.path: unknown key (did you mean `paths`?)"),
        (in_job("cache = [{ paths = [], polcy = 1 }]"), "jobs.a.cache[0].polcy: unknown key (did you mean `policy`?)"),
        (in_job("rules = [{ iff = '$A' }]"), "jobs.a.rules[0].iff: unknown key (did you mean `if`?)"),
        (in_job("rules = [{ if_ = '$A' }]"), "jobs.a.rules[0].if_: unknown key (did you mean `if`?)"),
        (in_job("reports.junitt = 'x'"), "jobs.a.reports.junitt: unknown key (did you mean `junit`?)"),
        (in_job("reports.html = 'x'"), "jobs.a.reports.html: unknown key"),
        (in_job("needs = [{ jobs = 'a' }]"), "jobs.a.needs[0].jobs: unknown key (did you mean `job`?)"),
        (in_job("services = [{ imaeg = 'a' }]"), "jobs.a.services[0].imaeg: unknown key (did you mean `image`?)"),
        (
            in_job("allow_failure = { exit_code = 1 }"),
            "jobs.a.allow_failure.exit_code: unknown key (did you mean `exit_codes`?)",
        ),
        (JOB + "hooks.pre-psuh = 'x'", "hooks.pre-psuh: unknown key (did you mean `pre-push`?)"),
        (JOB + "hooks.commit-msg = 'test'", "hooks.commit-msg: unknown key"),
        (JOB + "defaults.script = 'x'", "defaults.script: unknown key"),
        (JOB + "defaults.stage = 'x'", "defaults.stage: unknown key"),
        (JOB + "notify.url = '$A'", "notify.url: unknown key (did you mean `urls`?)"),
        (
            JOB + "environments.x = { script = 'x', aproval = true }",
            "environments.x.aproval: unknown key (did you mean `approval`?)",
        ),
        (
            JOB + "environments.x = { script = 'x', approval = { expire = '1 day' } }",
            "environments.x.approval.expire: unknown key (did you mean `expires`?)",
        ),
        (
            JOB + "environments.x = { script = 'x', health = [{ urls = '$A' }] }",
            "environments.x.health[0].urls: unknown key (did you mean `url`?)",
        ),
        (
            JOB + "environments.x = { script = 'x', secrets.TOKEN.comand = 'x' }",
            "environments.x.secrets.TOKEN.comand: unknown key (did you mean `command`?)",
        ),
        ('[jobs."my job"]\nscript = "x"\n"a b" = 1', 'jobs."my job"."a b": unknown key'),
        ('[jobs."a\\u001b[31m"]\nscript = "x"\nz = 1', 'jobs."a\\u001b[31m".z: unknown key'),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (JOB + "requires = 1", "requires: expected text, saw 1"),
        (JOB + "stages = 'test'", 'stages: expected a list, saw "test"'),
        (JOB + "stages = ['test', 1.5]", "stages[1]: expected text, saw 1.5"),
        (JOB + "variables = ['a']", "variables: expected a table, saw a list"),
        (JOB + "variables.A = []", "variables.A: expected text or a number, saw an empty list"),
        (JOB + "variables.A = 2024-01-01", "variables.A: expected text or a number, saw 2024-01-01"),
        (JOB + f"variables.A = {2**63}", "variables.A: expected a number of 64 bits, saw a number beyond 64 bits"),
        (JOB + "hooks = 'test'", 'hooks: expected a table, saw "test"'),
        (JOB + "environments = []", "environments: expected a table, saw an empty list"),
        ("jobs = []", "jobs: expected a table, saw an empty list"),
        ("jobs.a = 'x'", 'jobs.a: expected a table, saw "x"'),
        ("jobs.a.script = 3", "jobs.a.script: expected text or a list of texts, saw 3"),
        ("jobs.a.script = ['x', 3]", "jobs.a.script[1]: expected text, saw 3"),
        ("jobs.a.script = [3]", "jobs.a.script[0]: expected text, saw 3"),
        ("jobs.a.script = { run = 'x' }", "jobs.a.script: expected text or a list of texts, saw a table"),
        (in_job("stage = true"), "jobs.a.stage: expected text, saw true"),
        (in_job("needs = 'b'"), 'jobs.a.needs: expected a list, saw "b"'),
        (in_job("needs = [1]"), "jobs.a.needs[0]: expected the name of a job or a table, saw 1"),
        (in_job("needs = [{}]"), "jobs.a.needs[0].job: missing"),
        (
            in_job("needs = [{ job = 'a', optional = 1 }]"),
            "jobs.a.needs[0].optional: expected true or false, saw 1",
        ),
        (in_job("rules = {}"), "jobs.a.rules: expected a list, saw a table"),
        (in_job("rules = ['x']"), 'jobs.a.rules[0]: expected a table, saw "x"'),
        (in_job("timeout = 90"), 'jobs.a.timeout: expected a duration such as "15m" or "1h 30m", saw 90'),
        (in_job("weight = 0"), "jobs.a.weight: expected at least 1, saw 0"),
        (in_job("weight = 1.5"), "jobs.a.weight: expected a whole number, saw 1.5"),
        (in_job("retry = 'x'"), 'jobs.a.retry: expected a whole number or a table, saw "x"'),
        (in_job("retry = true"), "jobs.a.retry: expected a whole number or a table, saw true"),
        (in_job("retry = 11"), "jobs.a.retry: expected at most 10, saw 11"),
        (in_job("retry = { max = -1 }"), "jobs.a.retry.max: expected at least 0, saw -1"),
        (in_job("retry = { when = 'always' }"), "jobs.a.retry.max: missing"),
        (in_job("retry = { max = 1.0 }"), "jobs.a.retry.max: expected a whole number, saw 1.0"),
        (in_job("allow_failure = 'yes'"), 'jobs.a.allow_failure: expected true, false or a table, saw "yes"'),
        (
            in_job("allow_failure = { exit_codes = 'x' }"),
            'jobs.a.allow_failure.exit_codes: expected an exit status or a list of them, saw "x"',
        ),
        (
            in_job("allow_failure = { exit_codes = [1, 256] }"),
            "jobs.a.allow_failure.exit_codes[1]: expected at most 255, saw 256",
        ),
        (
            in_job("allow_failure = { exit_codes = [] }"),
            "jobs.a.allow_failure.exit_codes: expected at least one, saw an empty list",
        ),
        (in_job("allow_failure = { exit_codes = 0 }"), "jobs.a.allow_failure.exit_codes: expected at least 1, saw 0"),
        (in_job("cache = 'x'"), 'jobs.a.cache: expected a table or a list of tables, saw "x"'),
        (in_job("cache = {}"), "jobs.a.cache.paths: missing"),
        (in_job("cache = [{ paths = ['x'] }, 'x']"), 'jobs.a.cache[1]: expected a table, saw "x"'),
        (in_job("cache = { key = 1, paths = 'x' }"), "jobs.a.cache.key: expected text or a table, saw 1"),
        (in_job("artifacts = 'x'"), 'jobs.a.artifacts: expected a table or a list of texts, saw "x"'),
        (in_job("artifacts = ['x', 1]"), "jobs.a.artifacts[1]: expected text, saw 1"),
        (in_job("artifacts = { paths = ['x', 1] }"), "jobs.a.artifacts.paths[1]: expected text, saw 1"),
        (in_job("matrix = []"), "jobs.a.matrix: expected at least one, saw an empty list"),
        (in_job("matrix = [{}]"), "jobs.a.matrix[0]: expected at least one, saw a table"),
        (in_job("matrix = [{ A = [] }]"), "jobs.a.matrix[0].A: expected at least one, saw an empty list"),
        (in_job("matrix = [{ A = {} }]"), "jobs.a.matrix[0].A: expected text or a list of texts, saw a table"),
        (in_job("matrix = { A = 'x' }"), "jobs.a.matrix: expected a list, saw a table"),
        (in_job("image = ['x']"), "jobs.a.image: expected text or a table, saw a list"),
        (in_job("scan = 1"), "jobs.a.scan: expected the name of a scanner or a table, saw 1"),
        (
            JOB + "environments.x = { script = 'x', keep = 0 }",
            "environments.x.keep: expected at least 1, saw 0",
        ),
        (JOB + "environments.x = {}", "environments.x: has no script"),
        (
            JOB + "environments.x = { script = 'x', branch = ['main'] }",
            "environments.x.branch: expected text, saw a list",
        ),
        (
            JOB + "environments.x = { script = 'x', approval = 'yes' }",
            'environments.x.approval: expected true, false or a table, saw "yes"',
        ),
        (
            JOB + "environments.x = { script = 'x', trust = true }",
            "environments.x.trust: expected text or a list of texts, saw true",
        ),
        (
            JOB + "environments.x = { script = 'x', secrets = true }",
            "environments.x.secrets: expected text, a list of texts or a table, saw true",
        ),
        (
            JOB + "environments.x = { script = 'x', secrets = ['A', 1] }",
            "environments.x.secrets[1]: expected text, saw 1",
        ),
        (
            JOB + "environments.x = { script = 'x', secrets = { A = 'env', B = 'enviroment' } }",
            'environments.x.secrets.B: expected "env" or a table, saw "enviroment"',
        ),
        (
            JOB + "environments.x = { script = 'x', health = { url = '$A', status = 20 } }",
            "environments.x.health.status: expected at least 100, saw 20",
        ),
        (JOB + "[notify]", "notify.urls: missing"),
    ],
)
def test_a_value_of_a_wrong_type_is_told_once_with_what_was_seen(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            in_job("when = 'on_sucess'"),
            (
                'jobs.a.when: expected "on_success", "on_failure", "always" or "manual", saw "on_sucess"'
                " (did you mean `on_success`?)"
            ),
        ),
        (
            in_job("when = 'never'"),
            'jobs.a.when: expected "on_success", "on_failure", "always" or "manual", saw "never"',
        ),
        (in_job("shell = 'zsh'"), 'jobs.a.shell: expected "bash" or "sh", saw "zsh" (did you mean `sh`?)'),
        (in_job("shell = 1"), 'jobs.a.shell: expected "bash" or "sh", saw 1'),
        (
            in_job("rules = [{ when = 'nevr' }]"),
            (
                'jobs.a.rules[0].when: expected "on_success", "on_failure", "always", "manual" or "never", saw "nevr"'
                " (did you mean `never`?)"
            ),
        ),
        (
            in_job("rules = [{ hook = 'prepush' }]"),
            (
                'jobs.a.rules[0].hook: expected "pre-commit", "pre-merge-commit", "pre-push", "post-merge",'
                ' "post-commit" or "post-rewrite", saw "prepush" (did you mean `pre-push`?)'
            ),
        ),
        (
            in_job("cache = { paths = 'x', policy = 'pul' }"),
            'jobs.a.cache.policy: expected "pull-push", "pull" or "push", saw "pul" (did you mean `pull`?)',
        ),
        (
            in_job("cache = { paths = 'x', when = 'manual' }"),
            'jobs.a.cache.when: expected "on_success", "on_failure" or "always", saw "manual"',
        ),
        (
            in_job("retry = { max = 1, when = ['timeout', 'faliure'] }"),
            (
                'jobs.a.retry.when[1]: expected "always", "failure", "timeout" or "error", saw "faliure"'
                " (did you mean `failure`?)"
            ),
        ),
        (
            JOB + "environments.x = { script = 'x', deploy = 'on_merge' }",
            'environments.x.deploy: expected "on-merge" or "manual", saw "on_merge" (did you mean `on-merge`?)',
        ),
        (
            JOB + "notify = { urls = '$A', on = ['rolled_back'] }",
            (
                'notify.on[0]: expected "green", "red", "deployed", "rolled-back", "stuck", "approval"'
                ' or "interrupted", saw "rolled_back" (did you mean `rolled-back`?)'
            ),
        ),
    ],
)
def test_a_word_outside_an_enumeration_is_told_with_those_inside(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    found = problems("""
        stagse = ["x"]
        [jobs.unit]
        needs = [3, "lin"]
        script = ["a", 4]
        timeout = "x"
        [hooks]
        pre-push = ["unti"]
        [jobs.lint]
        when = "never"
        scritp = "x"
        [defaults]
        retry = 99
    """)

    assert found == [
        "stagse: unknown key (did you mean `stages`?)",
        "jobs.unit.needs[0]: expected the name of a job or a table, saw 3",
        'jobs.unit.needs[1]: there is no job "lin" (did you mean `lint`?)',
        "jobs.unit.script[1]: expected text, saw 4",
        'jobs.unit.timeout: expected a duration such as "15m" or "1h 30m", saw "x"',
        'jobs.lint.when: expected "on_success", "on_failure", "always" or "manual", saw "never"',
        "jobs.lint.scritp: unknown key (did you mean `script`?)",
        'hooks.pre-push[0]: there is no stage or job "unti" (did you mean `unit`?)',
        "defaults.retry: expected at most 10, saw 99",
    ]


def test_a_broken_part_makes_no_problems_elsewhere() -> None:
    found = problems("""
        stages = 3
        [jobs.unit]
        script = 3
        stage = "lint"
        matrix = 3
        [jobs.broken]
        needs = 3
        [jobs.user]
        stage = "lint"
        script = "x"
        needs = ["unit: [1]", "broken", "unit"]
        [hooks]
        pre-push = ["lint"]
        [environments.staging]
        script = 3
        [environments.production]
        script = "x"
        after = "staging"
    """)

    assert found == [
        "stages: expected a list, saw 3",
        "jobs.unit.script: expected text or a list of texts, saw 3",
        "jobs.unit.matrix: expected a list, saw 3",
        "jobs.broken.needs: expected a list, saw 3",
        "environments.staging.script: expected text or a list of texts, saw 3",
    ]


def test_a_long_value_is_shortened_and_made_harmless() -> None:
    found = problems(in_job(f'timeout = "\\u001b[31m{"y" * 70}"'))

    assert found == [
        f'jobs.a.timeout: expected a duration such as "15m" or "1h 30m", saw "\\u001b[31m{"y" * 55}..."',
    ]
