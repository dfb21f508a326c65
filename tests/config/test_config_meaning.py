"""What has the right form but names nothing, or waits for itself, is a problem at its place."""

from __future__ import annotations

import pytest
from config_samples import in_job, problems

JOB = 'jobs.a.script = "x"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ": a pipeline needs at least one job"),
        ("[jobs]", "jobs: a pipeline needs at least one job"),
        (JOB + "stages = ['test', 'test']", 'stages[1]: there is more than one stage "test"'),
        (JOB + "stages = ['test', '']", "stages[1]: the name of a stage is empty"),
        (JOB + "variables.a-b = 1", 'variables.a-b: expected a variable\'s name of letters, digits and _, saw "a-b"'),
        (JOB + 'variables.A = "a\\u0000"', "variables.A: holds a NUL character"),
        ("[jobs.a]", "jobs.a: has no script"),
        ("jobs.a.script = []", "jobs.a.script: is empty"),
        ("jobs.a.script = ' '", "jobs.a.script: is empty"),
        ("jobs.a.script = ['', ' ']", "jobs.a.script: is empty"),
        ('jobs."".script = "x"', 'jobs."": the name of a job is empty'),
        ('jobs."a\\nb".script = "x"', 'jobs."a\\u000ab": the name of a job holds a control character'),
        ('jobs."a\\u009bb".script = "x"', 'jobs."a\\u009bb": the name of a job holds a control character'),
        (in_job("stage = 'tset'"), 'jobs.a.stage: there is no stage "tset" (did you mean `test`?)'),
        (in_job("stage = 'lint'"), 'jobs.a.stage: there is no stage "lint"'),
        (in_job("timeout = 'soon'"), 'jobs.a.timeout: expected a duration such as "15m" or "1h 30m", saw "soon"'),
        (in_job("timeout = '0s'"), 'jobs.a.timeout: expected a duration longer than zero, saw "0s"'),
        (in_job("timeout = '2000d'"), 'jobs.a.timeout: expected a duration of at most a year, saw "2000d"'),
        (JOB + "defaults.timeout = '1'", 'defaults.timeout: expected a duration such as "15m" or "1h 30m", saw "1"'),
        (
            in_job("matrix = [{ a-b = 1 }]"),
            'jobs.a.matrix[0].a-b: expected a variable\'s name of letters, digits and _, saw "a-b"',
        ),
        (in_job("matrix = [{ A = [1, 1] }]"), 'jobs.a.matrix: there is more than one job "a: [1]"'),
        (in_job("matrix = [{ A = 1 }, { B = 1 }]"), 'jobs.a.matrix: there is more than one job "a: [1]"'),
        (
            in_job("matrix = [{ A = 1 }]") + '[jobs."a: [1]"]\nscript = "x"',
            'jobs."a: [1]": there is more than one job "a: [1]"',
        ),
        (in_job('matrix = [{ A = "x\\ny" }]'), "jobs.a.matrix: the name of a cell holds a control character"),
        (
            in_job(f"matrix = [{{ A = {list(range(15))}, B = {list(range(15))} }}]"),
            "jobs.a.matrix: makes 225 jobs, at most 200 are allowed",
        ),
        (in_job("inputs = ['/etc/*']"), 'jobs.a.inputs[0]: expected a path below the repository\'s root, saw "/etc/*"'),
        (in_job("carry = '../x'"), 'jobs.a.carry: expected a path below the repository\'s root, saw "../x"'),
        (
            in_job("cache = { key.files = [''], paths = 'x' }"),
            'jobs.a.cache.key.files[0]: expected a path below the repository\'s root, saw ""',
        ),
        (
            in_job("artifacts = ['a', '/b']"),
            'jobs.a.artifacts[1]: expected a path below the repository\'s root, saw "/b"',
        ),
        (
            in_job("reports.junit = '/b'"),
            'jobs.a.reports.junit: expected a path below the repository\'s root, saw "/b"',
        ),
        (
            in_job("inputs = '{1..99999}'"),
            'jobs.a.inputs: expected a glob that stands for fewer patterns, saw "{1..99999}"',
        ),
        (
            in_job("rules = [{ if = '$A = 1' }]"),
            'jobs.a.rules[0].if: column 4: expected &&, || or the end, saw "="',
        ),
        (
            in_job("rules = [{}, { if = '$A =~ /(/' }]"),
            "jobs.a.rules[1].if: column 7: no regular expression: missing ): ( at position 0",
        ),
        (
            in_job("rules = [{ branch = ['main', '/[/'] }]"),
            'jobs.a.rules[0].branch[1]: no regular expression: unterminated character set at position 0, saw "/[/"',
        ),
        (
            in_job("rules = [{ tag = '/v1' }]"),
            'jobs.a.rules[0].tag: expected a regular expression such as /^v[0-9]+/, saw "/v1"',
        ),
        (
            in_job("rules = [{ tag = '/v1/s' }]"),
            'jobs.a.rules[0].tag: expected a regular expression with no flag but i, saw "/v1/s"',
        ),
        (in_job("rules = [{ branch = '' }]"), 'jobs.a.rules[0].branch: expected a glob or a /regex/, saw ""'),
        (
            in_job("rules = [{ changes = ['/src'] }]"),
            'jobs.a.rules[0].changes[0]: expected a path below the repository\'s root, saw "/src"',
        ),
        (
            in_job("rules = [{ variables = { 1A = 'x' } }]"),
            'jobs.a.rules[0].variables.1A: expected a variable\'s name of letters, digits and _, saw "1A"',
        ),
        (in_job("needs = ['b', 'aa']") + "[jobs.b]\nscript = 'x'", 'jobs.a.needs[1]: there is no job "aa"'),
        (
            in_job("needs = [{ job = 'biuld' }]") + "[jobs.build]\nscript = 'x'",
            'jobs.a.needs[0].job: there is no job "biuld" (did you mean `build`?)',
        ),
        (in_job("needs = ['a']"), "jobs.a.needs: cycle: a -> a"),
        (
            JOB + "hooks.pre-push = ['tests']",
            'hooks.pre-push[0]: there is no stage or job "tests" (did you mean `test`?)',
        ),
        (JOB + "hooks.pre-push = 'job:test'", 'hooks.pre-push: there is no job "test"'),
        (JOB + "hooks.pre-commit = 'xyz'", 'hooks.pre-commit: there is no stage or job "xyz"'),
    ],
)
def test_what_fits_but_means_nothing_is_told_at_its_place(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_a_cycle_is_named_from_the_first_of_its_jobs_and_one_apart_from_it_as_well() -> None:
    found = problems("""
        jobs.a = { script = "x", needs = ["b"] }
        jobs.b = { script = "x", needs = ["c", "a"] }
        jobs.c = { script = "x", needs = ["a"] }
        jobs.d = { script = "x", needs = ["e", "a"] }
        jobs.e = { script = "x", needs = ["d"] }
    """)

    assert found == [
        "jobs.a.needs: cycle: a -> b -> a",
        "jobs.d.needs: cycle: d -> e -> d",
    ]


def test_a_cycle_through_the_cell_of_a_matrix_is_found() -> None:
    found = problems("""
        jobs.a = { script = "x", needs = ["b"], matrix = [{ N = [1, 2] }] }
        jobs.b = { script = "x", needs = ["a: [1]"] }
    """)

    assert found == ["jobs.a.needs: cycle: a -> b -> a"]


def test_a_job_that_waits_for_its_stage_and_is_waited_for_before_is_a_cycle() -> None:
    found = problems("""
        jobs.compile = { stage = "build", script = "x", needs = ["unit"] }
        jobs.unit = { stage = "test", script = "x" }
    """)

    assert found == [
        (
            "jobs.compile.needs: cycle: compile -> unit -> compile"
            " (`unit` has no `needs`, so it waits for all stages before `test`)"
        ),
    ]
