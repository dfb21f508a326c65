"""A push while its commit is verified in the background, and afterwards."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from verified import benched, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Repo
    from verified import Bench


@pytest.fixture
def bench(repo: Repo, tmp_path: Path) -> Iterator[Bench]:
    with benched(repo, tmp_path) as made:
        yield made


def test_a_push_joins_the_run_shows_its_output_and_takes_its_pass(bench: Bench) -> None:
    commit = bench.commit({"a": "x"})
    until(lambda: bench.ran)

    push = bench.pushing()
    until(lambda: "unit        | hello from unit\n" in push.said)
    assert push.process.poll() is None
    bench.go()

    assert push.end() == 0
    assert bench.ran == 1
    assert "unit        > started\n" in push.said
    assert push.said.count("hello from unit\n") == 2  # the command, and what it writes
    assert "unit        = remembered" in push.said
    assert "passed in run 1" in push.said
    assert bench.repo.remote_refs()["refs/heads/main"] == commit


def test_a_push_takes_the_failure_that_it_has_watched(bench: Bench) -> None:
    bench.commit({"BAD": "x"})
    until(lambda: bench.ran)

    push = bench.pushing()
    until(lambda: "hello from unit" in push.said)
    bench.go()

    assert push.end() == 1
    assert bench.ran == 1
    assert "unit        = failed" in push.said
    assert "in run 1" in push.said
    assert "hookci: main is red: 1 job failed (unit)" in push.said
    assert "hookci log 1 unit" in push.said or "hookci run unit" in push.said


def test_a_failure_that_nobody_watched_is_not_remembered(bench: Bench) -> None:
    bench.go()
    bench.commit({"BAD": "x"})
    until(lambda: bench.begun)
    bench.rest()

    refused = bench.push()

    assert refused.returncode == 1
    assert bench.ran == 2
    assert "main is red" in refused.stderr


def test_a_push_after_a_green_run_answers_at_once(bench: Bench) -> None:
    bench.go()
    commit = bench.commit({"a": "x"})
    until(lambda: bench.begun)
    bench.rest()

    through = bench.push()

    assert through.returncode == 0
    assert (bench.ran, through.stderr) == (1, "hookci: main is green: remembered [run 1]\n")
    assert bench.repo.remote_refs()["refs/heads/main"] == commit


def test_what_rules_ask_of_a_push_is_asked_in_the_background_too(bench: Bench) -> None:
    bench.go()
    config = bench.config() + '[[jobs.unit.rules]]\nif = \'$HOOKCI_REF == "refs/heads/main"\'\nchanges = ["a"]\n'
    bench.commit({"hookci.toml": config, "a": "x"})
    until(lambda: bench.begun)
    bench.rest()

    through = bench.push()

    assert (through.returncode, bench.ran) == (0, 1)
    assert "hookci: main is green: remembered [run 1]" in through.stderr


def test_a_push_goes_on_by_itself_when_the_run_is_killed(bench: Bench) -> None:
    bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)
    push = bench.pushing()
    until(lambda: "hello from unit" in push.said)

    bench.kill()
    until(lambda: bench.ran == 2)
    bench.go()

    assert push.end() == 0
    assert "unit        = passed" in push.said


def test_a_push_goes_on_by_itself_when_the_run_gives_way_to_a_newer_commit(bench: Bench) -> None:
    commit = bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)
    push = bench.pushing("git", "push", "-q", "origin", f"{commit}:refs/heads/main")
    until(lambda: "hello from unit" in push.said)

    bench.commit({"a": "y"})
    until(lambda: bench.ran == 3)
    bench.go()

    assert push.end() == 0
    assert bench.repo.remote_refs()["refs/heads/main"] == commit


def test_a_push_that_is_interrupted_does_not_end_the_run(bench: Bench) -> None:
    bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)
    push = bench.pushing("hookci", "push", "-q", "origin", "main")
    until(lambda: "hello from unit" in push.said)

    push.process.terminate()
    status = push.end()
    bench.go()
    bench.rest()

    assert status == 130
    assert bench.ran == 1
    assert bench.verified.endswith("is green [run 1]")


def test_each_job_of_a_graph_is_run_once_by_the_one_or_the_other(bench: Bench) -> None:
    chain = "\n".join(
        f"[jobs.{name}]\nneeds = {needs}\nscript = [\"echo {name} >>'{bench.place}/graph'\", 'sleep 0.3']"
        for name, needs in {"a": [], "b": [], "c": [], "d": ["a", "b"], "e": ["b", "c"], "f": ["d", "e"]}.items()
    )
    bench.go()

    bench.commit({"hookci.toml": chain})
    until((bench.place / "graph").exists)
    through = bench.push()
    bench.rest()

    assert through.returncode == 0
    assert sorted((bench.place / "graph").read_text().split()) == list("abcdef")


@pytest.mark.parametrize("more", ["exit 3", "true"])
def test_two_runs_by_hand_join_as_well(bench: Bench, more: str) -> None:
    bench.repo.hookci("install", "--no-background")
    bench.commit({"hookci.toml": bench.config(more)})
    argv = [sys.executable, "-I", "-m", "hookci", "run"]
    first = subprocess.Popen(argv, cwd=bench.repo.path, env=bench.repo.env, stdout=subprocess.PIPE)
    until(lambda: bench.ran)
    second = bench.pushing("hookci", "run")
    until(lambda: "hello from unit" in second.said)

    bench.go()
    first.communicate()

    assert (first.returncode, second.end(), bench.ran) == ((1, 1, 1) if more != "true" else (0, 0, 1))
