"""Several runs of one repository at the same time, and jobs that must not run at the same time."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from execute_tools import hookci_started, outcomes, run, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

pytestmark = pytest.mark.executors

ONE_AT_A_TIME = """
mkdir "$PLACE/held" || exit 1
echo "$HOOKCI_RUN-$HOOKCI_JOB" >> "$PLACE/turns"
sleep 0.3
rmdir "$PLACE/held"
"""
"""Fails when another one is at it."""


def test_two_runs_at_once_share_no_files_and_both_are_right(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        pass_env = ["ME"]
        script = [
            "echo $ME > mine.txt; echo $ME > hookci.toml; echo $ME > kept.txt; touch {tmp_path}/$ME",
            "for _ in $(seq 200); do [ -e {tmp_path}/one ] && [ -e {tmp_path}/two ] && break; sleep 0.05; done",
            "sleep 0.2; grep -x $ME mine.txt hookci.toml kept.txt",
            "[ $ME = one ]",
        ]
        cache = [{{ paths = ["kept.txt"] }}]
        artifacts = ["mine.txt"]
        [jobs.b]
        stage = "security"
        when = "always"
        pass_env = ["ME"]
        script = ["if [ $ME = one ]; then grep -x one mine.txt; else test ! -e mine.txt; fi"]
    """})  # fmt: skip

    with (
        hookci_started(repo, "run", "--no-memory", env={"ME": "one"}) as one,
        hookci_started(repo, "run", "--no-memory", env={"ME": "two"}) as two,
    ):
        shown = [process.communicate(timeout=60)[0].decode() for process in (one, two)]

    assert (one.returncode, two.returncode) == (0, 1), "".join(shown)
    assert sorted(record.split()[1] for record in repo.hookci("runs").stdout.splitlines()[1:]) == ["green", "red"]
    assert {outcomes(repo, 1)["b"], outcomes(repo, 2)["b"]} == {"passed"}


def test_two_pushes_at_once_are_judged_each_on_its_own(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        script = [
            "touch {tmp_path}/$CI_COMMIT_BRANCH",
            "for _ in $(seq 200); do [ -e {tmp_path}/good ] && [ -e {tmp_path}/bad ] && break; sleep 0.05; done",
            "test -e {tmp_path}/good -a -e {tmp_path}/bad",
            "grep -x good state.txt",
        ]
    """})  # fmt: skip
    repo.hookci("install")
    for name in ("good", "bad"):
        repo.git("switch", "-qc", name, "main")
        repo.commit({"state.txt": f"{name}\n"})
    push = ["git", "push", "origin"]

    pushes = [
        subprocess.Popen([*push, name], cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for name in ("good", "bad")
    ]
    shown = [process.communicate(timeout=60)[0].decode() for process in pushes]

    assert [process.returncode == 0 for process in pushes] == [True, False], "".join(shown)
    assert repo.remote_branches() == {"good"}


def test_a_run_that_goes_on_is_not_taken_for_one_that_was_interrupted(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.slow]
        script = ["touch {tmp_path}/begun; until [ -e {tmp_path}/end ]; do sleep 0.05; done"]
        [jobs.quick]
        stage = "security"
        script = ["true"]
    """})  # fmt: skip

    with hookci_started(repo, "run", "--no-memory", "slow") as slow:
        assert wait_until((tmp_path / "begun").exists)
        run(repo, "quick")
        while_it_runs = repo.hookci("runs").stdout.splitlines()
        (tmp_path / "end").touch()
        slow.communicate(timeout=60)

    assert slow.returncode == 0
    assert "interrupted" not in "".join(while_it_runs)
    assert [line.split()[1] for line in repo.hookci("runs").stdout.splitlines()[1:]] == ["green", "green"]


def test_jobs_of_a_resource_group_take_turns_within_a_run_and_across_runs(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"turn": ONE_AT_A_TIME, "hookci.toml": f"""
        [variables]
        PLACE = "{tmp_path}"
        [defaults]
        retry = 0
        [jobs.one]
        resource_group = "the database/1"
        script = ["sh turn one"]
        [jobs.two]
        resource_group = "the database/1"
        script = ["sh turn two"]
        [jobs.other]
        resource_group = "another"
        script = ["true"]
    """})  # fmt: skip

    with (
        hookci_started(repo, "run", "--no-memory", "-j", "3") as first,
        hookci_started(repo, "run", "--no-memory", "-j", "3") as second,
    ):
        shown = [process.communicate(timeout=60)[0].decode() for process in (first, second)]

    assert (first.returncode, second.returncode) == (0, 0), "".join(shown)
    assert sorted((tmp_path / "turns").read_text().split()) == ["1-one", "1-two", "2-one", "2-two"]


def test_who_waits_for_a_resource_can_be_interrupted_and_a_killed_holder_frees_it(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        resource_group = "database"
        script = ["touch {tmp_path}/begun; [ -e {tmp_path}/quick ] || sleep 60"]
    """})  # fmt: skip

    with hookci_started(repo, "run", "--no-memory") as holder:
        assert wait_until((tmp_path / "begun").exists)
        with hookci_started(repo, "run", "--no-memory") as waiting:
            assert wait_until(lambda: len(repo.hookci("runs").stdout.splitlines()) == 3)
            waiting.send_signal(signal.SIGINT)
            waiting.communicate(timeout=20)
        holder.kill()
        holder.wait()
    (tmp_path / "quick").touch()
    after = run(repo)

    assert waiting.returncode == 130
    assert outcomes(repo, 2) == {"a": "cancelled"}
    assert "1 job passed" in after.stdout


def test_many_runs_at_once_all_get_a_number_and_a_verdict(repo: Repo) -> None:
    count = stress(4)
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["sleep 0.2"]\n[jobs.b]\nscript = ["test -e hookci.toml"]\n'})

    processes = [
        subprocess.Popen(
            ["hookci", "run", "--no-memory"],
            cwd=repo.path,
            env=repo.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(count)
    ]
    shown = [process.communicate(timeout=100)[0].decode() for process in processes]

    assert [process.returncode for process in processes] == [0] * count, "".join(shown)
    rows = [line.split()[:2] for line in repo.hookci("runs").stdout.splitlines()[1:]]
    assert rows == [[str(number), "green"] for number in range(count, 0, -1)]
