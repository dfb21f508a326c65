"""How the tables of ``hookci.toml`` work together: defaults, variables, matrices, needs and hooks."""

from __future__ import annotations

from config_samples import read

from hookci.model.pipeline import Need


def test_a_job_overrides_the_defaults_key_by_key() -> None:
    pipeline = read("""
        [defaults]
        timeout = "15m"
        before_script = "setup"
        retry = 1
        allow_failure = true
        pass_env = ["A"]
        [jobs.plain]
        script = "x"
        [jobs.own]
        script = "x"
        timeout = "5s"
        before_script = []
        retry = 0
        allow_failure = false
        pass_env = ["B"]
    """)

    plain, own = pipeline.jobs["plain"], pipeline.jobs["own"]
    assert (plain.timeout, plain.before_script, plain.retry.max) == (900.0, ("setup",), 1)
    assert (own.timeout, own.before_script, own.retry.max) == (5.0, (), 0)
    assert (plain.allow_failure.allowed, own.allow_failure.allowed) == (True, False)
    assert (plain.pass_env, own.pass_env) == (("A",), ("B",))


def test_variables_add_up_from_the_pipeline_to_the_cell() -> None:
    pipeline = read("""
        variables = { A = "pipeline", B = "pipeline", C = "pipeline", D = "pipeline" }
        defaults.variables = { B = "defaults", C = "defaults", D = "defaults" }
        [jobs.a]
        script = "x"
        variables = { C = "job", D = "job" }
        matrix = [{ D = "cell" }]
    """)

    assert pipeline.jobs["a: [cell]"].variables == {"A": "pipeline", "B": "defaults", "C": "job", "D": "cell"}


def test_numbers_and_booleans_become_the_text_toml_writes() -> None:
    pipeline = read("""
        variables = { A = 1_000, B = 1.0, C = true, D = false, E = 1e100, F = inf, G = 0xff }
        jobs.a.script = "x"
    """)

    assert pipeline.jobs["a"].variables == {
        "A": "1000",
        "B": "1.0",
        "C": "true",
        "D": "false",
        "E": "1e+100",
        "F": "inf",
        "G": "255",
    }


def test_a_matrix_becomes_a_job_for_every_combination() -> None:
    pipeline = read("""
        [jobs.before]
        script = "x"
        [jobs.unit]
        script = "x"
        matrix = [{ N = [1, 2], LANG = ["py", "rs"] }, { N = 3 }]
        [jobs.after]
        script = "x"
        needs = ["unit", "unit: [1, py]"]
    """)

    assert list(pipeline.jobs) == [
        "before",
        "unit: [1, py]",
        "unit: [1, rs]",
        "unit: [2, py]",
        "unit: [2, rs]",
        "unit: [3]",
        "after",
    ]
    cell = pipeline.jobs["unit: [2, py]"]
    assert (cell.name, cell.group, cell.variables) == ("unit: [2, py]", "unit", {"N": "2", "LANG": "py"})
    assert pipeline.jobs["after"].needs == (Need("unit"), Need("unit: [1, py]"))


def test_needs_may_point_to_a_later_stage_when_nothing_waits_in_a_circle() -> None:
    pipeline = read("""
        [jobs.report]
        stage = "build"
        script = "x"
        needs = ["unit"]
        [jobs.unit]
        stage = "test"
        script = "x"
        needs = []
    """)

    assert pipeline.jobs["report"].needs == (Need("unit"),)


def test_hooks_take_stages_jobs_cells_and_jobs_called_like_a_stage() -> None:
    pipeline = read("""
        [hooks]
        pre-commit = "test"
        pre-push = ["build", "unit", "unit: [2]", "job:test", "job:unit"]
        [jobs.test]
        script = "x"
        [jobs.unit]
        script = "x"
        matrix = [{ N = [1, 2] }]
    """)

    assert pipeline.hooks == {
        "pre-commit": ("test",),
        "pre-push": ("build", "unit", "unit: [2]", "job:test", "job:unit"),
    }
