"""`hookci doctor` on everything but hooks: each thing that can be wrong, made wrong for real, word for word."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from doctored import examined
from guarded import NO_BAD, guard

from hookci.checkup.places import room
from hookci.model.checkup import Finding, Level

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo, Sealed

GIB = 1 << 30
DOCTOR = shlex.join([sys.executable, "-I", "-m", "hookci", "doctor"])


@pytest.fixture
def guarded(repo: Repo) -> Repo:
    return guard(repo, push=False)


def cache(repo: Repo) -> Path:
    (place,) = (repo.path.parent / "home/.cache/hookci").iterdir()
    return place


def test_the_number_of_problems_and_warnings_comes_last(repo: Repo) -> None:
    repo.commit({"a.txt": "x"})
    repo.git("config", "hookci.unconfigured", "allow")

    ran = repo.hookci("doctor", check=False)

    assert ran.stdout.splitlines()[-2:] == ["", "2 problems, 1 warning"]


def test_colour_on_demand(guarded: Repo) -> None:
    guarded.git("config", "hookci.unconfigured", "allow")

    ran = guarded.hookci("doctor", "--color=always")

    assert "\x1b[32mok\x1b[0m       git: " in ran.stdout
    assert "\x1b[33mwarning\x1b[0m  settings: " in ran.stdout
    assert "         \x1b[2mmend:\x1b[0m git config" in ran.stdout


def test_a_git_that_is_too_old(guarded: Repo, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin/git"
    old.write_text('#!/bin/sh\n[ "$1" = version ] && echo git version 2.25.1 && exit\nexit 129\n')
    old.chmod(0o755)

    ran = guarded.hookci("doctor", check=False, env={"PATH": f"{old.parent}{os.pathsep}{guarded.env['PATH']}"})

    assert ran.returncode == 1
    assert ran.stdout == ("problem  git: git 2.25 is too old\n         mend: install git 2.31 or newer\n\n1 problem\n")


def test_no_git_at_all(guarded: Repo, tmp_path: Path) -> None:
    ran = guarded.hookci("doctor", check=False, env={"PATH": str(tmp_path)})

    assert ran.returncode == 1
    assert ran.stdout.startswith("problem  git: `git` could not be started: ")


def test_no_config(repo: Repo) -> None:
    repo.commit({"a.txt": "x"})

    lines = examined(repo, "pipeline", status=1)

    assert lines == [
        "problem  pipeline: there is no hookci.toml, so nothing can be judged",
        "         mend: hookci init",
    ]


def test_a_wrong_config(guarded: Repo) -> None:
    guarded.write_files({"hookci.toml": '[jobs.unit]\nscrpt = ["true"]\nstage = "tset"\n'})

    first, mend = examined(guarded, "pipeline", status=1)

    assert first == "problem  pipeline: hookci.toml: jobs.unit.scrpt: unknown key, and 1 more"
    assert mend == "         mend: hookci check"


def test_a_config_for_a_newer_version(guarded: Repo) -> None:
    guarded.write_files({"hookci.toml": 'requires = ">=99"\n[jobs.unit]\nscript = ["true"]\n'})

    (line, _mend) = examined(guarded, "pipeline", status=1)

    assert line.startswith("problem  pipeline: hookci.toml: requires: this is hookci ")


def test_a_config_with_what_this_version_cannot_run(guarded: Repo) -> None:
    guarded.git("rm", "-q", "--ignore-unmatch", "hookci.toml")
    guarded.commit({".gitlab-ci.yml": "unit: { script: 'true', secrets: { TOKEN: { vault: a/b@c } } }\n"})

    first, second = examined(guarded, "pipeline", status=0)

    assert first == "ok       pipeline: .gitlab-ci.yml: 1 job"
    assert second.startswith("warning  pipeline: job `unit`: this version cannot run secrets: ")


@pytest.mark.parametrize("committed", ["nothing", "something else"])
def test_a_config_that_is_not_committed(repo: Repo, committed: str) -> None:
    if committed != "nothing":
        repo.commit({"pyproject.toml": '[project]\nname = "x"\n'})
    repo.write_files({"hookci.toml": NO_BAD})

    lines = examined(repo, "pipeline")

    assert lines == [
        "ok       pipeline: hookci.toml: 1 job",
        "warning  pipeline: hookci.toml is not committed yet, and a push without it is refused",
        "         mend: git add hookci.toml && git commit",
    ]


def test_a_config_in_pyproject(repo: Repo) -> None:
    repo.commit({"pyproject.toml": '[tool.hookci.jobs.unit]\nscript = ["true"]\n'})

    assert examined(repo, "pipeline") == ["ok       pipeline: pyproject.toml [tool.hookci]: 1 job"]


def test_a_bare_repository(guarded: Repo, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    guarded.git("clone", "-q", "--bare", str(guarded.path), str(bare))

    assert examined(guarded, "pipeline", cwd=bare) == ["ok       pipeline: hookci.toml: 1 job"]


@pytest.mark.parametrize(
    ("scope", "mend"),
    [("--local", "git config --unset-all"), ("--global", "git config --global --unset-all")],
)
def test_a_clone_that_lets_pushes_through_unjudged(guarded: Repo, scope: str, mend: str) -> None:
    guarded.git("config", scope, "hookci.unconfigured", "allow")

    lines = examined(guarded, "settings", status=0)
    guarded.run("sh", "-c", f"{mend} hookci.unconfigured")

    assert lines == [
        "warning  settings: hookci.unconfigured is `allow`: commits without a hookci.toml are pushed unjudged",
        f"         mend: {mend} hookci.unconfigured",
    ]
    assert examined(guarded, "settings") == ["ok       settings: as they come"]


def test_settings_that_make_no_sense(guarded: Repo, sealed: Sealed) -> None:
    user = sealed.home / ".config/hookci/config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('unconfigured = "perhaps"\n')
    guarded.git("config", "hookci.jobs", "many")
    guarded.git("config", "hookci.job", "1")

    lines = examined(guarded, "settings", status=1)

    assert lines == [
        "problem  settings: hookci.unconfigured: expected `allow` or `refuse`, saw `perhaps`",
        f"         mend: edit {user}",
        "problem  settings: hookci.jobs: expected a whole number of 1 or more, saw `many`",
        "         mend: git config --unset-all hookci.jobs",
        "problem  settings: hookci.job: unknown setting (did you mean `jobs`?)",
        "         mend: git config --unset-all hookci.job",
    ]


def test_settings_that_cannot_be_read(guarded: Repo, sealed: Sealed) -> None:
    user = sealed.home / ".config/hookci/config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("jobs = \n")

    line, mend = examined(guarded, "settings", status=1)

    assert line.startswith(f"problem  settings: {user} cannot be read: ")
    assert mend == f"         mend: edit {user}"


def test_nothing_is_made_in_a_repository_that_hookci_was_never_used_in(repo: Repo) -> None:
    repo.commit({"hookci.toml": NO_BAD})

    lines = examined(repo, "state")

    assert lines == [f"ok       state: nothing in {repo.path}/.git/hookci yet"]
    assert not (repo.path / ".git/hookci").exists()
    assert not (repo.path.parent / "home/.cache/hookci").exists()


@pytest.mark.parametrize("place", ["state", "cache"])
def test_a_directory_others_can_write_to(guarded: Repo, place: str) -> None:
    guarded.hookci("run")
    directory = guarded.path / ".git/hookci" if place == "state" else cache(guarded)
    directory.chmod(0o777)

    lines = examined(guarded, place, status=1)

    assert lines == [
        f"problem  {place}: {directory} can be written by other users (mode 0777)",
        f"         mend: look at what is in it, then: chmod 700 {directory}",
    ]


@pytest.mark.parametrize("place", ["state", "cache"])
def test_a_directory_that_is_a_link(guarded: Repo, place: str, tmp_path: Path) -> None:
    guarded.hookci("run")
    directory = guarded.path / ".git/hookci" if place == "state" else cache(guarded)
    shutil.move(directory, tmp_path / "elsewhere")
    directory.symlink_to(tmp_path / "elsewhere")

    lines = examined(guarded, place, status=1)

    assert lines == [
        f"problem  {place}: {directory} is a symlink",
        f"         mend: if you do not need it, remove it: rm {directory}",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_places_where_nothing_can_be_made(repo: Repo, sealed: Sealed) -> None:
    repo.commit({"hookci.toml": NO_BAD})
    home = sealed.home / ".cache"
    home.mkdir()
    for place in (repo.path / ".git", home):
        place.chmod(0o500)

    for check, place in (("state", repo.path / ".git"), ("cache", home)):
        assert examined(repo, check, status=1) == [
            f"problem  {check}: {place} cannot be written: permission denied",
            f"         mend: make {place} writable for this user",
        ]


def test_a_broken_database_is_set_aside_and_named(guarded: Repo) -> None:
    guarded.hookci("run")
    state = guarded.path / ".git/hookci"
    (state / "state.db").write_bytes(b"no database " * 1000)

    first = examined(guarded, "state", status=0)
    again = examined(guarded, "state", status=0)
    guarded.run("sh", "-c", again[2].partition("mend: ")[2])

    assert first == again
    assert first == [
        f"ok       state: {state}: 0 runs",
        "warning  state: a broken database was set aside: state.db.broken-1",
        f"         mend: rm {state}/state.db.broken-1*",
    ]
    assert examined(guarded, "state") == [f"ok       state: {state}: 0 runs"]


def test_a_database_of_a_newer_version(guarded: Repo) -> None:
    guarded.hookci("run")
    database = guarded.path / ".git/hookci/state.db"
    guarded.run(
        sys.executable, "-c", f"import sqlite3; sqlite3.connect({str(database)!r}).execute('PRAGMA user_version = 99')"
    )

    line, mend = examined(guarded, "state", status=1)

    assert line.startswith(f"problem  state: {database} was made by a newer hookci (schema 99, this one knows ")
    assert mend == "         mend: upgrade hookci"


def test_a_run_that_was_killed(guarded: Repo, tmp_path: Path) -> None:
    started = tmp_path / "started"
    guarded.commit({"hookci.toml": f'[jobs.unit]\nscript = ["touch {started}; sleep 60"]\n'})
    argv = [sys.executable, "-I", "-m", "hookci", "run"]
    with subprocess.Popen(argv, cwd=guarded.path, env=guarded.env, stdout=subprocess.DEVNULL) as running:
        while not started.exists():
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)

    lines = examined(guarded, "state", status=0)
    guarded.commit({"hookci.toml": NO_BAD})
    guarded.hookci("run")

    state = guarded.path / ".git/hookci"
    assert lines == [
        f"ok       state: {state}: 1 run",
        "warning  state: run 1 of main was killed; the next run cleans up after it",
        "         mend: hookci run",
    ]
    assert examined(guarded, "state") == [f"ok       state: {state}: 2 runs"]


def test_little_room(tmp_path: Path) -> None:
    assert room(tmp_path, 3 * GIB) == Finding("cache", Level.OK, f"{tmp_path}: 3 GiB free")
    assert room(tmp_path, GIB) == Finding("cache", Level.OK, f"{tmp_path}: 1 GiB free")
    assert room(tmp_path, GIB - 1) == Finding(
        "cache",
        Level.WARNING,
        f"{tmp_path}: only 1023 MiB free",
        "free some space, or set XDG_CACHE_HOME to a place with more",
    )


CANNOT_MOUNT = not shutil.which("unshare") or subprocess.run(
    ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
).returncode  # fmt: skip


@pytest.mark.skipif(bool(CANNOT_MOUNT), reason="needs `unshare -rm` to make a small disk")
def test_a_small_disk_a_full_one_and_one_that_is_read_only(guarded: Repo, sealed: Sealed) -> None:
    guarded.hookci("run")
    place = cache(guarded)
    home = sealed.home / ".cache"
    shell = (
        f"mount -t tmpfs -o size=8m none {home} && mkdir -p -m 700 {place} && {DOCTOR}; "
        f"dd if=/dev/zero of={home}/full bs=1M 2>/dev/null; {DOCTOR}; "
        f"rm {home}/full; mount -o remount,ro {home}; {DOCTOR}"
    )

    said = guarded.run("unshare", "-rm", "sh", "-c", shell, check=False).stdout

    lines = [line for line in said.splitlines() if "  cache: " in line]
    assert lines == [
        f"warning  cache: {place}: only 8 MiB free",
        f"problem  cache: {place} cannot be written: no space left on device",
        f"problem  cache: {place} cannot be written: read-only file system",
    ]


def test_what_jobs_work_in_and_why(guarded: Repo) -> None:
    guarded.git("config", "hookci.workspaces", "copies")

    lines = examined(guarded, "workspaces")

    why = "hookci.workspaces is `copies`"
    assert lines == [f"ok       workspaces: kept checkouts, one for each job at the same time ({why})"]
