"""When a run in the background begins, what it takes, and when it ends."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from conftest import Repo
from verified import benched, is_gone, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verified import Bench


@pytest.fixture
def bench(repo: Repo, tmp_path: Path) -> Iterator[Bench]:
    with benched(repo, tmp_path) as made:
        yield made


def test_a_commit_does_not_wait_for_the_run_that_it_begins(bench: Bench) -> None:
    commit = bench.commit({"a": "x"})

    until(lambda: bench.ran)
    going = bench.verified
    bench.go()
    bench.rest()

    assert going.startswith(f"main at {commit[:8]} is being verified, for ")
    assert bench.verified == f"main at {commit[:8]} is green [run 1]"
    assert "hookci: main is green: 1 job passed (unit)" in bench.log


def test_it_leaves_the_terminals_session_and_takes_half_of_the_processors_when_others_leave_them(bench: Bench) -> None:
    bench.commit({"hookci.toml": bench.config(f"nice >'{bench.place}/nice'; nproc >'{bench.place}/cores'")})

    until(lambda: bench.ran)
    (process,) = bench.processes
    session, inherited = os.getsid(process.pid), os.getsid(0)
    bench.go()
    bench.rest()

    assert session == process.pid != inherited
    assert int((bench.place / "nice").read_text()) >= 10
    assert int((bench.place / "cores").read_text()) == max(1, len(os.sched_getaffinity(0)) // 2)


def test_the_newest_commit_wins_and_nothing_of_the_older_run_is_left(bench: Bench) -> None:
    first = bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)
    (older,) = bench.processes
    jobs = bench.jobs

    second = bench.commit({"a": "y"})
    until(lambda: bench.ran == 2)

    assert is_gone(older)
    assert jobs
    assert all(map(is_gone, jobs))
    assert bench.begun == [first, second]
    bench.go()
    bench.rest()
    assert "interrupted" in bench.repo.hookci("runs").stdout
    assert bench.verified == f"main at {second[:8]} is green [run 2]"


def test_of_many_commits_at_once_only_the_last_is_run_to_its_end(bench: Bench) -> None:
    commits = [bench.commit({"a": str(number)}) for number in range(4)]
    until(lambda: bench.verified.startswith(f"main at {commits[-1][:8]} is being verified"))
    until(lambda: len(bench.processes) == 1)

    bench.go()
    bench.rest()

    assert bench.verified.startswith(f"main at {commits[-1][:8]} is green")


def test_a_commit_with_the_same_files_ends_nothing(bench: Bench) -> None:
    bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)

    bench.repo.git("commit", "-q", "--amend", "-m", "other words")
    until(lambda: len(bench.processes) == 2)
    bench.go()
    bench.rest()

    assert bench.ran == 1
    assert bench.verified.startswith(f"main at {bench.repo.out('rev-parse', 'HEAD')[:8]} is green")


def test_worktrees_share_one_run(bench: Bench, tmp_path: Path) -> None:
    bench.repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    beside = Repo(tmp_path / "side", bench.repo.env)
    bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)

    beside.write(b="x")
    beside.git("add", "-A")
    beside.git("commit", "-qm", "beside")
    until(lambda: bench.ran == 2)

    assert len(bench.processes) == 1
    bench.go()
    bench.rest()
    assert bench.verified.startswith("side at ")


def test_a_rebase_begins_one_run_when_it_is_over(bench: Bench) -> None:
    bench.go()
    bench.repo.git("checkout", "-q", "-b", "feature")
    for number in range(10):
        bench.quietly(f"{number}")
    bench.repo.git("checkout", "-q", "main")
    bench.quietly("below")

    bench.repo.git("checkout", "-q", "feature")
    bench.repo.git("rebase", "-q", "main")
    until(lambda: bench.begun)
    bench.rest()

    assert bench.begun == [bench.repo.out("rev-parse", "HEAD")]


def test_a_row_of_cherry_picks_begins_one_run_when_it_is_over(bench: Bench) -> None:
    bench.go()
    bench.repo.git("checkout", "-q", "-b", "feature")
    for number in range(5):
        bench.quietly(f"{number}")
    bench.repo.git("checkout", "-q", "main")

    bench.repo.git("cherry-pick", "main..feature")
    until(lambda: bench.begun)
    bench.rest()

    assert bench.begun == [bench.repo.out("rev-parse", "HEAD")]
    assert bench.verified.startswith(f"main at {bench.begun[0][:8]} is green")


def test_what_the_remote_has_is_not_verified(bench: Bench, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other", bench.repo.env, bench.repo.remote)
    bench.repo.git("clone", "-q", str(bench.repo.remote), str(other.path))
    other.commit({"theirs": "x"})
    other.git("push", "-q", "origin", "main")

    bench.repo.git("pull", "-q", "--ff-only", "origin", "main")
    bench.rest()

    assert (bench.begun, bench.ran) == ([], 0)


def test_a_merge_is_verified_and_a_squash_is_not_before_it_is_committed(bench: Bench) -> None:
    bench.go()
    bench.repo.git("checkout", "-q", "-b", "feature")
    bench.quietly("theirs")
    bench.repo.git("checkout", "-q", "main")
    bench.repo.git("merge", "-q", "--squash", "feature")
    bench.rest()
    squashed = bench.begun

    bench.repo.git("reset", "-q", "--hard")
    bench.repo.git("merge", "-q", "--no-ff", "--no-edit", "feature")
    until(lambda: bench.begun)
    bench.rest()

    assert squashed == []
    assert bench.begun == [bench.repo.out("rev-parse", "HEAD")]


@pytest.mark.parametrize("off", ["--no-background", "uninstall", "detached"])
def test_nothing_begins_where_it_is_not_to(bench: Bench, off: str) -> None:
    if off == "detached":
        bench.repo.git("checkout", "-q", "--detach")
    else:
        said = bench.repo.hookci(*(["uninstall"] if off == "uninstall" else ["install", off])).stdout
        assert "no commit is verified in the background" in said

    bench.commit({"a": "x"})
    bench.rest()

    assert (bench.begun, bench.ran) == ([], 0)


def test_a_config_that_is_wrong_fails_no_commit_and_is_told(bench: Bench) -> None:
    bench.repo.write_files({"hookci.toml": "[jobs.unit]\nscrip = ['true']\n"})
    bench.repo.git("commit", "-q", "--no-verify", "-am", "wrong")
    commit = bench.repo.out("rev-parse", "HEAD")
    until(lambda: commit in bench.begun)
    bench.rest()

    log = bench.repo.path / ".git/hookci/background/log"
    assert bench.verified == f"main at {commit[:8]} hookci.toml: 1 problem, see {log}"
    assert "did you mean `script`?" in bench.log


def test_a_setting_that_makes_no_sense_fails_no_commit_and_is_told_in_the_log(bench: Bench) -> None:
    bench.repo.git("config", "hookci.jobz", "3")
    bench.repo.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "more")
    until(lambda: "unknown setting" in bench.log)

    assert "did you mean `jobs`?" in bench.log


def test_a_red_one_is_told_by_status(bench: Bench) -> None:
    bench.go()
    commit = bench.commit({"BAD": "x"})
    until(lambda: bench.begun)
    bench.rest()

    assert bench.verified == f"main at {commit[:8]} is red [run 1]"
    assert "not ok" not in bench.log
    assert "hookci: main is red: 1 job failed (unit)" in bench.log


def test_one_that_was_killed_stands_in_nobodys_way(bench: Bench) -> None:
    bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)
    jobs = bench.jobs

    bench.kill()
    killed = bench.verified
    bench.commit({"a": "y"})
    until(lambda: bench.ran == 2)

    assert killed.endswith("was killed [run 1]")
    assert all(map(is_gone, jobs))
    bench.go()
    bench.rest()
    assert bench.verified.endswith("is green [run 2]")


def test_one_that_is_ended_by_a_signal_ends_its_job_and_says_so(bench: Bench) -> None:
    bench.commit({"a": "x"})
    until(lambda: bench.ran == 1)
    jobs = bench.jobs

    bench.processes[0].send_signal(signal.SIGTERM)
    bench.rest()

    assert all(map(is_gone, jobs))
    assert bench.verified.endswith("interrupted by SIGTERM [run 1]")


def test_nobody_is_told_of_a_commit_that_was_not_pushed(bench: Bench) -> None:
    bench.go()
    config = bench.config() + '[notify]\nurls = ["$ADDRESS"]\non = ["green", "red"]\n'
    bench.commit({"hookci.toml": config, "BAD": "x"})
    until(lambda: bench.begun)
    bench.rest()

    assert "ADDRESS" not in bench.log


def test_the_hooks_of_a_commit_do_not_pass_skips_on(bench: Bench) -> None:
    bench.go()
    bench.repo.git("commit", "-q", "--allow-empty", "-m", "skipped", env={"HOOKCI_SKIP": "unit"})
    until(lambda: bench.begun)
    bench.rest()

    assert bench.ran == 1


def test_the_users_own_file_may_say_it_and_a_clone_that_it_does_not(bench: Bench) -> None:
    bench.go()
    settings = bench.repo.path.parent / "home/.config/hookci/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("background = true\n")
    bench.repo.git("config", "--unset-all", "hookci.background")
    bench.commit({"a": "x"})
    until(lambda: bench.begun)
    bench.rest()

    bench.repo.git("config", "hookci.background", "false")
    bench.commit({"a": "y"})
    bench.rest()

    assert len(bench.begun) == 1
