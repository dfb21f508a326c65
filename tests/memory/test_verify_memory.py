"""What is remembered is run again, and forgotten where it would not pass now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

CONFIG = """
[jobs.build]
stage = "build"
script = ["echo build >> @MARKS@", "echo made > made.txt"]
artifacts = ["made.txt"]
[jobs.unit]
stage = "test"
needs = ["build"]
script = ["echo unit >> @MARKS@", "cat made.txt", "test ! -e @ELSE@"]
[jobs.lint]
stage = "test"
needs = []
script = ["echo lint >> @MARKS@"]
"""


class Remembered:
    """A repository whose three jobs have passed; what ``unit`` depends on beside its key can be changed."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo, self.marks, self.elsewhere = repo, place / "marks", place / "elsewhere"
        text = CONFIG.replace("@MARKS@", str(self.marks)).replace("@ELSE@", str(self.elsewhere))
        repo.commit({"hookci.toml": text})
        repo.hookci("run")
        self.marks.unlink()

    @property
    def ran(self) -> list[str]:
        return sorted(self.marks.read_text().split()) if self.marks.exists() else []


@pytest.fixture
def remembered(repo: Repo, tmp_path: Path) -> Remembered:
    return Remembered(repo, tmp_path)


def test_what_still_passes_stays_remembered(remembered: Remembered) -> None:
    repo = remembered.repo

    done = repo.hookci("verify-memory", "--all")
    ran = remembered.ran
    after = repo.hookci("run")

    assert "hookci: of 3 remembered jobs, 3 ran again: 3 passed, 0 did not" in done.stdout
    assert ran == ["build", "lint", "unit"]
    assert remembered.ran == ran
    assert "3 jobs remembered" in after.stdout


def test_what_fails_now_is_told_and_forgotten_with_every_verdict(remembered: Remembered) -> None:
    repo = remembered.repo
    remembered.elsewhere.touch()
    head = repo.out("rev-parse", "HEAD")
    line = f"HEAD {head} refs/heads/main {'0' * 40}\n"
    pushed = repo.hookci("hook", "pre-push", "--", "origin", "url", stdin=line)

    done = repo.hookci("verify-memory", "--all", check=False)

    assert pushed.stderr == "hookci: main is green: remembered [run 1]\n"
    assert done.returncode == 1
    assert "of 3 remembered jobs, 3 ran again: 2 passed, 1 did not" in done.stdout
    assert "`unit` passed in run 1 and does not pass on the same now: it is forgotten" in done.stdout
    again = repo.hookci("hook", "pre-push", "--", "origin", "url", stdin=line, check=False)
    assert again.returncode == 1
    assert "no pass of it is remembered" in repo.hookci("plan", "--why", "unit").stdout


def test_one_job_runs_alone_with_what_others_have_made(remembered: Remembered) -> None:
    done = remembered.repo.hookci("verify-memory", "unit")

    assert remembered.ran == ["unit"]
    assert "1 ran again: 1 passed, 0 did not" in done.stdout


def test_a_sample_is_no_larger_than_asked_for(remembered: Remembered) -> None:
    done = remembered.repo.hookci("verify-memory", "--sample", "1")

    assert len(remembered.ran) == 1
    assert "1 ran again: 1 passed" in done.stdout


def test_another_commit_can_be_named(remembered: Remembered) -> None:
    repo = remembered.repo
    repo.commit({"more.txt": "more\n"})

    nothing, before = repo.hookci("verify-memory"), repo.hookci("verify-memory", "--rev", "HEAD~", "--all")

    assert "nothing of this is remembered" in nothing.stdout
    assert "3 ran again: 3 passed" in before.stdout


def test_a_job_that_is_not_remembered_is_an_error(remembered: Remembered) -> None:
    repo = remembered.repo
    repo.hookci("forget", "lint")

    done = repo.hookci("verify-memory", "lint", check=False)

    assert done.returncode == 2
    assert "`lint` is not remembered" in done.stderr
    assert "hookci plan --why lint" in done.stderr
    assert remembered.ran == []
