"""``hookci gc`` around real runs: before, while and after they go on, and by itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from kept import KEEP, aged, house_of, picture

from hookci.report.schemas import published_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo


def gc(repo: Repo, *arguments: str) -> str:
    return repo.hookci("gc", *arguments).stdout


def document(repo: Repo, *arguments: str) -> Any:  # noqa: ANN401 (JSON)
    written = json.loads(repo.hookci("gc", "--json", *arguments).stdout)
    jsonschema.validate(written, published_schema("gc"))
    return written


def kept_days(repo: Repo, days: float) -> None:
    """Let it look as if nothing of a repository had been used for so long."""
    house = house_of(repo)
    aged(house.place, days)
    aged(house.state / "logs", days)


def wait_for(done: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_after_all_was_cleared_away_a_run_makes_it_anew(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("run")
    kept_days(repo, 40)

    said = gc(repo)

    assert re.match(r"removed \d workspaces?, .*\nremoved 1 cache, .*\nremoved artifacts of a run, ", said)
    assert repo.hookci("run", "--no-memory").returncode == 0
    again = repo.hookci("run")
    assert "remembered" in again.output


def test_a_job_that_needs_files_which_were_cleared_away_makes_the_giver_run_again(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("run")
    kept_days(repo, 40)
    gc(repo)
    repo.commit({"hookci.toml": KEEP.replace("cat out/a", "grep a out/a")})

    ran = repo.hookci("run")

    assert ran.returncode == 0
    assert "the files it handed on are gone" in repo.hookci("plan").output or "make" in ran.output


def test_a_verdict_is_remembered_whatever_was_cleared_away(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("install")
    repo.git("push", "-q", "origin", "main")
    kept_days(repo, 40)
    gc(repo, "--max-size", "0", "--max-age", "0")

    again = repo.git("push", "origin", "main:again")

    assert "remembered" in again.output


def test_nothing_that_a_run_uses_goes_while_it_goes_on(repo: Repo, tmp_path: Path) -> None:
    go, begun = tmp_path / "go", tmp_path / "begun"
    waiting = f"touch {begun}; while [ ! -e {go} ]; do sleep 0.02; done; cat out/a"
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("run", "make")
    repo.commit({"hookci.toml": KEEP.replace("cat out/a", waiting)})
    argv = [sys.executable, "-I", "-m", "hookci", "run"]
    with subprocess.Popen(argv, cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, text=True) as process:
        wait_for(begun.exists)
        house = house_of(repo)
        # the file that says when the workspace was used last stays; all else looks old
        busy = [slot for slot in house.place.glob("[0-9][0-9]") if (slot / "busy").exists()]
        before = picture(*(slot / repo.path.name for slot in busy))

        said = gc(repo, "--max-size", "0", "--max-age", "0")

        after = picture(*(slot / repo.path.name for slot in busy))
        go.touch()
        output, _ = process.communicate(timeout=60)

    assert busy
    assert after == before
    assert "artifacts" not in said
    assert process.returncode == 0, output


def test_other_repositories_stay_as_they_are_unless_all_are_meant(repo: Repo, make_repo: Callable[..., Repo]) -> None:
    other = make_repo("other", remote=False)
    for one in (repo, other):
        one.commit({"hookci.toml": KEEP})
        one.hookci("run")
        kept_days(one, 40)
    theirs = house_of(other)
    before = picture(theirs.place, theirs.state)

    gc(repo)
    assert picture(theirs.place, theirs.state) == before

    said = gc(repo, "--all-repositories")
    assert f"{theirs.place.name}: removed 1 cache" in said
    assert not list(theirs.place.glob("artifacts/*"))


def test_each_repository_is_cleaned_up_by_its_own_settings(repo: Repo, make_repo: Callable[..., Repo]) -> None:
    other = make_repo("other", remote=False)
    other.git("config", "hookci.keepDays", "90")
    for one in (repo, other):
        one.commit({"hookci.toml": KEEP})
        one.hookci("run")
        kept_days(one, 40)

    gc(repo, "--all-repositories")

    assert not list(house_of(repo).place.glob("artifacts/*"))
    assert list(house_of(other).place.glob("artifacts/*"))


def test_what_a_repository_left_that_is_gone_goes_when_it_is_old(repo: Repo, make_repo: Callable[..., Repo]) -> None:
    gone, recent = make_repo("gone", remote=False), make_repo("recent", remote=False)
    for one in (repo, gone, recent):
        one.commit({"hookci.toml": KEEP})
        one.hookci("run")
    kept_days(gone, 40)
    left, stays = house_of(gone).place, house_of(recent).place
    for one in (gone, recent):
        shutil.rmtree(one.path)

    said = gc(repo)

    assert "removed 1 repository that is gone" in said
    assert (left.exists(), stays.exists()) == (False, True)
    assert house_of(repo).place.exists()


def test_a_worktree_is_the_same_repository_and_the_last_to_go(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.git("worktree", "add", "-q", str(tmp_path / "beside"))
    repo.run(sys.executable, "-I", "-m", "hookci", "run", cwd=tmp_path / "beside")
    kept_days(repo, 40)
    shutil.rmtree(tmp_path / "beside")

    said = gc(repo)

    assert "repository" not in said
    assert "removed 1 cache" in said


def test_what_programs_read_says_the_same(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("run")
    kept_days(repo, 40)

    would = document(repo, "--dry-run")
    did = document(repo)

    assert (would["dry_run"], did["dry_run"]) == (True, False)
    assert would["repositories"] == did["repositories"]
    [here] = did["repositories"]
    assert {each["kind"] for each in here["removed"]} >= {"workspace", "cache", "artifacts of a run"}
    assert here["directory"] == str(house_of(repo).place)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--max-size", "5GB"], "expected a size such as `5GiB` or `500MiB`, saw `5GB`"),
        (["--max-age", "-1"], "-1.0 is not in the range"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(repo: Repo, arguments: list[str], words: str) -> None:
    ran = repo.hookci("gc", *arguments, check=False)

    assert ran.returncode == 2
    assert words in ran.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("keepSize", "much", "hookci.keepSize: expected a size such as `5GiB` or `500MiB`, saw `much`"),
        ("keepDays", "0", "hookci.keepDays: expected a whole number of 1 or more, saw `0`"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_error(repo: Repo, name: str, value: str, words: str) -> None:
    repo.git("config", f"hookci.{name}", value)

    ran = repo.hookci("gc", check=False)

    assert ran.returncode == 2
    assert words in ran.stderr


def test_what_it_says_is_also_what_the_doctor_says(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("run")
    said = gc(repo)

    ran = repo.hookci("doctor", check=False)

    [left] = [line for line in said.splitlines() if " are left in " in line]
    assert f"cache: {left.partition(' are')[0]} were used there 0 h ago, with all logs" in ran.stdout


# -- by itself


def test_a_run_cleans_up_once_a_day_when_it_is_over(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("run")
    log = house_of(repo).state / "housekeeping.log"
    kept_days(repo, 40)
    aged(log, 1.1)

    repo.hookci("run", "--no-memory")

    wait_for(lambda: "are left in" in log.read_text())
    assert time.time() - log.stat().st_mtime < 60
    first = log.stat().st_mtime_ns
    repo.hookci("run")
    assert log.stat().st_mtime_ns == first


def test_a_push_cleans_up_too(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})
    repo.hookci("install")
    repo.git("push", "-q", "origin", "main")
    log = house_of(repo).state / "housekeeping.log"
    aged(log, 1.1)
    repo.commit({"more": "1"})

    repo.git("push", "-q", "origin", "main")

    wait_for(lambda: "are left in" in log.read_text())


def test_a_clone_that_is_new_starts_nothing(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP})

    repo.hookci("run")

    assert (house_of(repo).state / "housekeeping.log").read_bytes() == b""
    assert not (house_of(repo).place / "repository.json").exists()


# -- deployments

DEPLOYED = """
[environments.staging]
needs = ["make"]
script = ["cat out/a > ../../live"]
health = [{ command = "true" }]
"""


def test_what_is_to_be_deployed_is_made_again_when_it_was_cleared_away(repo: Repo) -> None:
    repo.commit({"hookci.toml": KEEP + DEPLOYED})
    repo.git("push", "-q", "origin", "main")
    repo.hookci("run")
    kept_days(repo, 40)
    gc(repo)

    ran = repo.hookci("deploy", "staging", check=False)

    assert ran.returncode == 0, ran.output
    assert not list(house_of(repo).place.glob("artifacts/1"))
