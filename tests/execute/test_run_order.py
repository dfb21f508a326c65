"""Which jobs run, in which order, side by side, and what a failure does to the others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from execute_tools import marker, outcomes, run, running, said, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors

WAIT_FOR = "for _ in $(seq 200); do [ -e {0} ] && exit 0; sleep 0.05; done; exit 1"
"""A command that passes once a file is there, and fails after ten seconds."""


def test_a_stage_starts_when_all_jobs_of_the_stage_before_are_over(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.quick]
        stage = "build"
        script = ["touch {tmp_path}/quick"]
        [jobs.slow]
        stage = "build"
        script = ["sleep 0.4; touch {tmp_path}/slow"]
        [jobs.after]
        script = ["test -e {tmp_path}/quick", "test -e {tmp_path}/slow"]
    """})  # fmt: skip

    ran = run(repo, "-j", "4")

    assert "3 jobs passed (quick, slow, after)" in ran.stdout


def test_needs_lets_a_job_start_before_the_stage_before_is_over(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.quick]
        stage = "build"
        script = ["true"]
        [jobs.slow]
        stage = "build"
        script = ["{WAIT_FOR.format(tmp_path / 'next')}"]
        [jobs.next]
        needs = ["quick"]
        script = ["touch {tmp_path}/next"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2")

    assert "3 jobs passed (quick, slow, next)" in ran.stdout


def test_empty_needs_let_a_job_of_the_last_stage_start_at_once(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.first]
        stage = "build"
        script = ["{WAIT_FOR.format(tmp_path / 'last')}"]
        [jobs.last]
        stage = "integration"
        needs = []
        script = ["touch {tmp_path}/last"]
    """})  # fmt: skip

    ran = run(repo, "-j", "2")

    assert "2 jobs passed (first, last)" in ran.stdout


def diamond(place: Path, c_ends: str) -> str:
    b, c = WAIT_FOR.format(place / "c"), WAIT_FOR.format(place / "b")
    return f"""
        [jobs.a]
        stage = "build"
        script = ["true"]
        [jobs.b]
        needs = ["a"]
        script = ["touch {place}/b", "({b})"]
        [jobs.c]
        stage = "security"
        needs = ["a"]
        script = ["touch {place}/c", "({c})", "{c_ends}"]
        [jobs.d]
        needs = ["b", "c"]
        script = ["test -e {place}/b", "test -e {place}/c"]
    """


def test_the_sides_of_a_diamond_run_side_by_side_and_its_end_after_both(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": diamond(tmp_path, "true")})

    ran = run(repo, "-j", "2")

    # b waits for what c makes and c for what b makes; d needs a job of a later stage than its own
    assert "4 jobs passed" in ran.stdout


@pytest.mark.parametrize("more", [[], ["--keep-going"]])
def test_the_end_of_a_diamond_does_not_run_when_a_side_fails(repo: Repo, tmp_path: Path, more: list[str]) -> None:
    repo.commit({"hookci.toml": diamond(tmp_path, "exit 7")})

    ran = run(repo, "-j", "2", *more, check=False)

    assert ran.returncode == 1
    assert outcomes(repo)["c"] == "failed"
    assert outcomes(repo)["d"] == "skipped"
    assert "d           = skipped: `c` did not pass" in ran.stdout


@pytest.mark.parametrize(("option", "setting", "most"), [("2", "1", 2), (None, "3", 3)])
def test_so_many_jobs_run_at_once_as_asked_for(
    repo: Repo, tmp_path: Path, option: str | None, setting: str, most: int
) -> None:
    log = tmp_path / "log"
    together = f"for _ in $(seq 100); do [ $(grep -c + {log}) -ge {most} ] && break; sleep 0.05; done"
    jobs = "".join(
        f"[jobs.j{number}]\nscript = [': {number}; echo + >> {log}; {together}; sleep 0.1; echo - >> {log}']\n"
        for number in range(6)
    )
    repo.commit({"hookci.toml": jobs})
    repo.git("config", "hookci.jobs", setting)

    run(repo, *(["--jobs", option] if option else []))

    now = highest = 0
    for sign in log.read_text().split():
        now += 1 if sign == "+" else -1
        highest = max(highest, now)
    assert now == 0
    assert highest == most


@pytest.mark.executors("local")  # the graph is what is tested, and a container takes its time
def test_a_graph_of_two_hundred_jobs_runs_to_its_end(repo: Repo, tmp_path: Path) -> None:
    count = 200
    jobs = "".join(
        f"[jobs.j{number}]\nneeds = {[f'j{number - step}' for step in (3, 7) if number >= step]}\n"
        f'script = ["echo {number} >> {tmp_path}/log"]\n'
        for number in range(count)
    )
    repo.commit({"hookci.toml": jobs})

    ran = run(repo, "-j", "4")

    order = [int(line) for line in (tmp_path / "log").read_text().split()]
    place = {number: at for at, number in enumerate(order)}
    assert sorted(order) == list(range(count))
    assert all(place[number - step] < place[number] for number in place for step in (3, 7) if number >= step)
    assert f"{count} jobs passed" in ran.stdout


def test_a_failure_ends_its_siblings_at_once_and_leaves_nothing_running(repo: Repo) -> None:
    mark = marker()
    repo.commit({"hookci.toml": f"""
        [jobs.one]
        script = ["sleep {mark}"]
        [jobs.two]
        script = ["sleep {mark} & sleep {mark}"]
        [jobs.bad]
        script = ["sleep 0.2", "exit 5"]
        [jobs.later]
        stage = "integration"
        script = ["true"]
    """})  # fmt: skip

    ran = run(repo, "-j", "3", check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {"one": "cancelled", "two": "cancelled", "bad": "failed", "later": "skipped"}
    assert seconds(ran) < 4  # the sleepers would take minutes
    assert running(mark) == []


def test_a_job_that_waits_for_its_turn_does_not_start_after_a_failure(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.bad]
        script = ["false"]
        [jobs.next]
        script = ["touch {tmp_path}/ran"]
    """})  # fmt: skip

    ran = run(repo, "-j", "1", check=False)

    assert ran.returncode == 1
    assert not (tmp_path / "ran").exists()
    assert "next        = cancelled: `bad` did not pass" in ran.stdout


def test_keep_going_runs_all_that_does_not_depend_on_the_failure(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.bad]
        stage = "build"
        script = ["false"]
        [jobs.sibling]
        stage = "build"
        script = ["sleep 0.3"]
        [jobs.after_stage]
        script = ["true"]
        [jobs.after_sibling]
        needs = ["sibling"]
        script = ["true"]
        [jobs.after_bad]
        needs = ["bad"]
        script = ["true"]
    """})  # fmt: skip

    ran = run(repo, "--keep-going", check=False)

    assert ran.returncode == 1
    assert outcomes(repo) == {
        "bad": "failed",
        "sibling": "passed",
        "after_stage": "skipped",
        "after_sibling": "passed",
        "after_bad": "skipped",
    }


def test_a_stage_wins_over_a_job_of_its_name_and_job_means_the_job(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.test]
        stage = "build"
        script = ["true"]
        [jobs.unit]
        script = ["true"]
    """})  # fmt: skip

    stage = run(repo, "test")
    job = run(repo, "job:test")

    assert "1 job passed (unit)" in stage.stdout
    assert "1 job passed (test)" in job.stdout


def test_a_job_brings_what_it_needs_and_nothing_else(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.root]
        stage = "build"
        script = ["true"]
        [jobs.middle]
        needs = ["root"]
        script = ["true"]
        [jobs.top]
        needs = ["middle"]
        script = ["true"]
        [jobs.other]
        script = ["false"]
    """})  # fmt: skip

    ran = run(repo, "top")

    assert "3 jobs passed (root, middle, top)" in ran.stdout


def test_a_job_without_needs_brings_the_jobs_that_hand_it_files(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.make]
        stage = "build"
        script = ["echo made > made.txt"]
        artifacts = ["made.txt"]
        [jobs.lint]
        stage = "build"
        script = ["false"]
        [jobs.use]
        script = ["cat made.txt"]
    """})  # fmt: skip

    ran = run(repo, "use")

    assert said(ran, "use") == ["made"]
    assert "2 jobs passed (make, use)" in ran.stdout


def test_an_unknown_name_is_refused_with_the_one_that_was_meant(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.units]\nscript = ["true"]\n'})

    near = run(repo, "unit", check=False)
    far = run(repo, "zzz", check=False)

    assert (near.returncode, far.returncode) == (2, 2)
    assert near.stderr == "error: hookci.toml has no stage and no job named `unit`\nhint: did you mean `units`?\n"
    assert "jobs: units; stages: build, test" in far.stderr


def test_skipped_jobs_are_shown_and_recorded_and_those_after_them_run(repo: Repo) -> None:
    repo.commit({"hookci.toml": """
        [jobs.slow]
        stage = "build"
        script = ["false"]
        [jobs.unit]
        matrix = [{ PY = ["1", "2"] }]
        script = ["false"]
        [jobs.after]
        needs = ["slow"]
        script = ["true"]
    """})  # fmt: skip

    ran = run(repo, env={"HOOKCI_SKIP": "slow, unit,nothing"})

    assert outcomes(repo) == {"slow": "skipped", "unit: [1]": "skipped", "unit: [2]": "skipped", "after": "passed"}
    assert "hookci: warning: HOOKCI_SKIP names `nothing`, which is no job of this run\n" in ran.stdout
    assert "hookci: NOT CHECKED, skipped by HOOKCI_SKIP: slow, unit: [1], unit: [2]\n" in ran.stdout
    assert "HOOKCI_SKIP" in repo.hookci("log").stdout


def test_a_needed_job_that_no_rule_lets_in_is_an_error_unless_it_is_optional(repo: Repo) -> None:
    config = """
        [jobs.once]
        rules = [{ branch = "release" }]
        script = ["true"]
        [jobs.after]
        needs = [NEED]
        script = ["true"]
    """
    repo.commit({"hookci.toml": config.replace("NEED", '"once"')})
    refused = run(repo, check=False)
    repo.commit({"hookci.toml": config.replace("NEED", '{ job = "once", optional = true }')})

    accepted = run(repo)

    assert refused.returncode == 2
    assert "jobs.after.needs[0]: `once` is not in this run: no rule of it matches" in refused.stderr
    assert 'hint: write { job = "once", optional = true } if that is fine' in refused.stderr
    assert "1 job passed (after)" in accepted.stdout


def test_a_run_of_nothing_is_green_and_says_so(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.once]\nrules = [{ tag = "v*" }]\nscript = ["true"]\n'})

    ran = run(repo)

    assert "hookci: warning: no job of this run is to run; `hookci plan` says why\n" in ran.stdout
    assert "main is green: nothing to run" in ran.stdout


def test_runs_follow_one_another_right_whatever_the_one_before_left(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["test ! -e left", "touch left", "rm hookci.toml"]\n'})
    begun = time.monotonic()

    runs = [run(repo) for _ in range(stress(3))]

    assert all("1 job passed" in ran.stdout for ran in runs)
    assert time.monotonic() - begun < 20 * len(runs)
