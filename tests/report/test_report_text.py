from __future__ import annotations

from msgspec.structs import replace
from report_samples import make_plan

from hookci.errors import ConfigError, ConfigProblem, GitError
from hookci.model.plan import Action
from hookci.report.text import render_error, render_plan


def test_every_problem_of_a_config_is_told_with_its_place_and_hint() -> None:
    error = ConfigError(
        "hookci.toml",
        (
            ConfigProblem("jobs.unit.scrpt", "unknown key", "did you mean `script`?"),
            ConfigProblem("", "line 3 is no TOML\nexpected a value"),
        ),
    )

    assert render_error(error, color=False) == (
        "error: hookci.toml: 2 problems\n"
        "  jobs.unit.scrpt: unknown key\n"
        "    hint: did you mean `script`?\n"
        "  line 3 is no TOML\n"
        "    expected a value\n"
    )


def test_a_plain_error_has_its_hint_below() -> None:
    error = GitError("git failed:\n\x1b]0;title\x07fatal: not a repository", "run `git init` first")

    assert render_error(error, color=False) == (
        "error: git failed:\n  fatal: not a repository\nhint: run `git init` first\n"
    )


def test_an_error_is_red_and_its_hint_yellow() -> None:
    error = GitError("no", "yes")

    assert render_error(error, color=True) == "\x1b[31merror:\x1b[0m no\n\x1b[33mhint:\x1b[0m yes\n"


def test_a_plan_tells_each_job_below_its_stage() -> None:
    plan = make_plan(
        ("build", "build", Action.REMEMBERED, "passed in run 3"),
        ("test", "unit", Action.RUN, "src/a.py changed"),
        ("test", "integration", Action.SKIPPED, "no rule matches"),
        ("deploy", "release", Action.MANUAL, "when: manual"),
        skip=("docs",),
    )

    assert render_plan(plan, color=False) == (
        "main, pre-push: 1 run, 1 remembered, 1 skipped, 1 manual\n"
        "hookci: NOT CHECKED, skipped by HOOKCI_SKIP: docs\n"
        "\n"
        "build\n"
        "  build        remembered  passed in run 3\n"
        "\n"
        "test\n"
        "  unit         run         src/a.py changed\n"
        "  integration  skipped     no rule matches\n"
        "\n"
        "deploy\n"
        "  release      manual      when: manual\n"
    )


def test_jobs_that_are_no_part_of_a_plan_come_last() -> None:
    plan = replace(make_plan(("test", "unit")), left_out={"lint": "not asked for by pre-push", "a": "b"})

    assert render_plan(plan, color=True) == (
        "main, pre-push: 1 run\n"
        "\n"
        "\x1b[1mtest\x1b[0m\n"
        "  unit  \x1b[32mrun\x1b[0m  not remembered\n"
        "\n"
        "\x1b[2mleft out\x1b[0m\n"
        "  lint  not asked for by pre-push\n"
        "  a     b\n"
    )


def test_a_plan_without_jobs_says_so() -> None:
    assert render_plan(make_plan(label="the index"), color=False) == "the index, pre-push: no jobs\n"
