"""Workspaces as jobs meet them: side by side, one after the other, with what the user's tree lends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from guarded import contents, fresh, guard, picture, push, refused, workers

from hookci.workspace.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Repo

TAMPER = """\
echo x >> a.txt; rm b.txt; chmod 600 c.txt; chmod +x c.txt; rm -r sub; ln -s /tmp sub; mkdir -p build/x; echo x > x.log
git init -q vendored; git update-index --skip-worktree d.txt; echo hidden > d.txt; touch "new file"; rm -rf .git/refs
mkdir empty; mkfifo pipe; mkdir -p closed/in; chmod 000 closed
"""


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path) -> Iterator[None]:
    yield
    for process in workers(tmp_path):
        process.kill()


def furnished(repo: Repo, config: str) -> Repo:
    guard(repo, config)
    repo.commit({f"{name}.txt": f"{name}\n" for name in "abcd"})
    repo.commit({"sub/e.txt": "e\n", ".gitignore": "*.log\nbuild/\n.env\n"})
    return repo


def test_what_a_job_leaves_behind_is_not_there_for_the_next(repo: Repo, tmp_path: Path) -> None:
    config = f"""\
stages = ["first", "second"]
[jobs.tamper]
stage = "first"
script = ['''{TAMPER}''']
[jobs.look]
stage = "second"
script = ["git status --porcelain --ignored", "git log --oneline", "cp -a . '{tmp_path}/seen'", "pwd"]
"""
    furnished(repo, config)

    ran = repo.hookci("run")

    assert contents(tmp_path / "seen") == fresh(repo, "HEAD", tmp_path / "fresh")
    slots = sorted((tmp_path / "home" / ".cache" / "hookci").glob("*/[0-9][0-9]"))
    assert [slot.name for slot in slots] == ["00"], "both jobs had the same workspace"
    assert "  a change" not in ran.stdout


def test_what_a_run_leaves_behind_is_not_there_for_the_next(repo: Repo, tmp_path: Path) -> None:
    look = f"[jobs.x]\nscript = [\"cp -a . '{tmp_path}/seen'\"]\n"
    furnished(repo, look)
    repo.git("tag", "look")
    repo.commit({"hookci.toml": f"[jobs.x]\nscript = ['''{TAMPER}''', 'exit 1']\n"})
    assert repo.hookci("run", check=False).returncode == 1

    repo.hookci("run", "--rev", "look")

    assert contents(tmp_path / "seen") == fresh(repo, "look", tmp_path / "fresh")


def test_jobs_side_by_side_do_not_see_each_others_files(repo: Repo, tmp_path: Path) -> None:
    wait = "until test -e {0}/{1}; do sleep 0.02; done"
    jobs = "".join(
        f"""\
[jobs.{name}]
timeout = "20s"
script = [
    "echo {name} > a.txt; touch {name}-was-here '{tmp_path}/{name}'",
    "{wait.format(tmp_path, other)}",
    "test ! -e {other}-was-here",
    "test $(cat a.txt) = {name}",
]
"""
        for name, other in (("one", "two"), ("two", "one"))
    )
    furnished(repo, jobs)

    ran = repo.hookci("run", "--jobs", "2")

    assert "2 jobs passed" in ran.stdout


def test_two_runs_at_once_do_not_share_a_workspace(repo: Repo, tmp_path: Path) -> None:
    script = f"echo $HOOKCI_RUN > mine; pwd >> {tmp_path}/places; sleep 0.5; test $(cat mine) = $HOOKCI_RUN"
    furnished(repo, f'[jobs.one]\nscript = ["{script}"]\n')
    argv = [sys.executable, "-I", "-m", "hookci", "run", "--rev"]

    runs = [
        subprocess.Popen([*argv, revision], cwd=repo.path, env=repo.env, stdout=subprocess.DEVNULL)
        for revision in ("HEAD", "HEAD~1")
    ]
    statuses = [run.wait(30) for run in runs]

    assert statuses == [0, 0]
    assert len(set((tmp_path / "places").read_text().split())) == 2


def test_an_ignored_file_of_the_users_is_not_there(repo: Repo) -> None:
    furnished(repo, '[jobs.one]\nscript = ["test ! -e .env"]\n')
    repo.write_files({".env": "SECRET=1\n"})

    assert repo.hookci("run").returncode == 0


def test_an_ignored_file_is_carried_when_it_is_named(repo: Repo) -> None:
    carry = 'carry = [".env", "data/deep"]\n'
    furnished(repo, f'[jobs.one]\n{carry}script = [". ./.env", "test $CARRIED = yes", "test -x data/deep/run"]\n')
    repo.write_files({".env": "CARRIED=yes\n", "data/deep/run": "x"})
    (repo.path / "data" / "deep" / "run").chmod(0o755)

    assert repo.hookci("run").returncode == 0


def test_what_was_carried_is_not_there_for_a_job_that_does_not_ask(repo: Repo) -> None:
    asks = '[jobs.asks]\nstage = "build"\ncarry = [".env"]\nscript = ["test -e .env"]\n'
    furnished(repo, f'{asks}[jobs.other]\nstage = "test"\nscript = ["test ! -e .env"]\n')
    repo.write_files({".env": "x"})

    assert repo.hookci("run").returncode == 0


def missing(repo: Repo) -> None:
    """Nothing is there."""


def link_leading_out(repo: Repo) -> None:
    (repo.path / ".env").symlink_to("/etc/hostname")


def link_to_nothing(repo: Repo) -> None:
    (repo.path / ".env").symlink_to("nowhere")


@pytest.mark.parametrize(
    ("arrange", "told"),
    [
        (missing, "carries `.env`, which is not in your work tree"),
        (link_leading_out, "carries `.env`, which leads out of your work tree"),
        (link_to_nothing, "carries `.env`, which is not in your work tree"),
    ],
    ids=["missing", "leading out", "dangling"],
)
def test_what_cannot_be_carried_is_an_inability(repo: Repo, arrange: Callable[[Repo], None], told: str) -> None:
    furnished(repo, '[jobs.one]\ncarry = [".env"]\nscript = ["true"]\n')
    arrange(repo)

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 3
    assert told in ran.stdout


ODD = """with space it's dou"ble café $HOME `id` a;b col:on back\\slash"""


@pytest.mark.parametrize("name", [ODD, "new\nline"])
def test_the_cache_directory_may_have_any_name(repo: Repo, tmp_path: Path, name: str) -> None:
    guard(repo)
    env = {"XDG_CACHE_HOME": str(tmp_path / f"cache {name}")}
    repo.commit({"good.txt": "x"})

    good = push(repo, "main", env=env)
    repo.commit({"BAD": "x"})
    bad = push(repo, "main", env=env)

    assert good.returncode == 0, good.output
    assert "main is red" in refused(bad)
    assert any((tmp_path / f"cache {name}" / "hookci").iterdir())


@pytest.mark.parametrize("name", [ODD, "-dash"])
def test_the_repository_may_have_any_name(make_repo: Callable[..., Repo], name: str) -> None:
    repo = make_repo(name)
    script = "script = ['test \"$(git rev-parse HEAD)\" = $HOOKCI_COMMIT', 'test ! -e BAD']"
    guard(repo, f"[jobs.one]\n{script}\n[hooks]\npre-commit = ['one']\n")

    repo.write_files({"good.txt": "x"})
    repo.git("add", "-A")
    repo.git("commit", "-qm", "x")
    good = push(repo, "main")
    repo.commit({"BAD": "x"})

    assert good.returncode == 0, good.output
    assert "main is red" in refused(push(repo, "main"))


def test_a_relative_cache_directory_is_not_used(repo: Repo) -> None:
    guard(repo)
    before = picture(repo)

    repo.hookci("run", env={"XDG_CACHE_HOME": "cache"})

    assert picture(repo) == before


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_get_the_permissions_that_the_users_umask_leaves(repo: Repo, tmp_path: Path, mask: int) -> None:
    furnished(repo, f"[jobs.one]\nscript = [\"rm -rf '{tmp_path}/seen'\", \"cp -a . '{tmp_path}/seen'\"]\n")
    command = f"umask {mask:03o} && exec python -m hookci run"

    for _ in range(2):
        repo.run("sh", "-c", command)
        assert (tmp_path / "seen" / "a.txt").stat().st_mode & 0o777 == 0o666 & ~mask
        assert (tmp_path / "seen" / "sub").stat().st_mode & 0o777 == 0o777 & ~mask


def test_jobs_of_a_killed_run_end_with_the_next_run_also_where_it_has_fewer_jobs(repo: Repo, tmp_path: Path) -> None:
    two = "".join(f'[jobs.{name}]\nscript = ["touch {tmp_path}/{name}; sleep 300"]\n' for name in ("one", "two"))
    furnished(repo, two)
    repo.git("branch", "two")
    repo.commit({"hookci.toml": '[jobs.three]\nscript = ["true"]\n'})
    with subprocess.Popen(
        [sys.executable, "-I", "-m", "hookci", "run", "--rev", "two", "--jobs", "2"],
        cwd=repo.path, env=repo.env, stdout=subprocess.DEVNULL,
    ) as run:  # fmt: skip
        deadline = time.monotonic() + 20
        while not ((tmp_path / "one").exists() and (tmp_path / "two").exists()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
    assert len(workers(tmp_path)) >= 2

    repo.hookci("run")

    assert workers(tmp_path) == []
    assert not [*(tmp_path / "home" / ".cache" / "hookci").glob("*/*/busy")]


def test_a_workspace_in_use_is_not_given_twice_and_the_one_a_job_had_comes_first(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "slots", "project")
    first, second = slots.acquire("one"), slots.acquire("two")
    first.release()
    second.release()

    again = slots.acquire("two")
    other = slots.acquire("new")
    places = [slot.directory.name for slot in (first, second, again, other)]
    again.release()
    other.release()
    slots.close()

    assert places == ["00", "01", "01", "00"]
    assert not [*slots.directory.glob("*/busy")]


def test_a_run_holds_few_workspaces_that_it_does_not_need(tmp_path: Path) -> None:
    earlier = Slots(tmp_path / "slots", "project")
    jobs = [f"job {number}" for number in range(10)]
    for slot in [earlier.acquire(job) for job in jobs]:
        slot.release()
    earlier.close()

    run, other = Slots(tmp_path / "slots", "project"), Slots(tmp_path / "slots", "project")
    names = []
    for job in jobs:
        slot = run.acquire(job)
        names.append(slot.directory.name)
        slot.release()
    theirs = [other.acquire("new").directory.name for _ in range(6)]

    assert names == [f"{number:02d}" for number in range(10)]
    assert int(theirs[4]) < len(jobs) <= int(theirs[5])


def test_a_run_that_comes_after_another_knows_what_each_workspace_was_for(tmp_path: Path) -> None:
    earlier = Slots(tmp_path / "slots", "project")
    held = [earlier.acquire(job) for job in ("one", "two")]
    for slot in held:
        slot.release()
    for job in ("two", "one", "three", "two"):
        earlier.acquire(job).release()
    earlier.close()

    jobs = [(tmp_path / "slots" / name / "jobs.json").read_text() for name in ("00", "01")]

    assert jobs == ['["three", "one"]', '["two"]']
