"""`hookci push`: what is judged is what is sent, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from conftest import Repo
from guarded import guard
from verified import benched, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Ran
    from verified import Bench

REFUSING_HOOK = "#!/bin/sh\ncase $1 in */held) echo this one is held >&2; exit 1 ;; esac\n"


@pytest.fixture
def guarded(repo: Repo) -> Repo:
    return guard(repo)


@pytest.fixture
def bench(repo: Repo, tmp_path: Path) -> Iterator[Bench]:
    with benched(repo, tmp_path) as made:
        repo.hookci("install", "--no-background")
        yield made


def push(repo: Repo, *arguments: str, env: dict[str, str] | None = None) -> Ran:
    return repo.hookci("push", *arguments, check=False, env=env)


def elsewhere(repo: Repo, branch: str, tmp_path: Path) -> str:
    """Another person's commit on the remote's ``branch``."""
    other = Repo(tmp_path / "other", repo.env, repo.remote)
    repo.git("clone", "-q", "-b", branch, str(repo.remote), str(other.path))
    commit = other.commit({"theirs": "x"})
    other.git("push", "-q", "origin", f"HEAD:{branch}")
    return commit


def test_what_is_green_is_judged_once_and_sent(guarded: Repo) -> None:
    commit = guarded.commit({"a": "x"})
    time.sleep(0.15)  # a push has just written git's config, and what is that new is not relied on

    ran = push(guarded, "origin", "main")

    assert ran.returncode == 0
    assert guarded.remote_refs() == {"refs/heads/main": commit}
    assert "hookci: main is green: 1 job passed (unit)" in ran.stderr
    assert "hookci: main is green: remembered" in ran.stderr  # by git's own hook
    assert guarded.out("rev-parse", "origin/main") == commit


def test_of_what_is_red_nothing_is_sent(guarded: Repo) -> None:
    before = guarded.remote_refs()
    guarded.git("branch", "good")
    guarded.commit({"BAD": "x"})

    ran = push(guarded, "origin", "good", "main")

    assert ran.returncode == 1
    assert "hookci: main is red" in ran.stderr
    assert guarded.remote_refs() == before


def test_the_commit_that_was_judged_is_sent_though_the_branch_has_moved(bench: Bench) -> None:
    repo = bench.repo
    judged = bench.commit({"a": "x"})
    sending = bench.pushing("hookci", "push", "origin", "main")
    until(lambda: bench.ran)

    moved = bench.commit({"BAD": "x"})
    bench.go()

    assert sending.end() == 0
    assert repo.remote_refs() == {"refs/heads/main": judged}
    assert repo.out("rev-parse", "main") == moved
    assert bench.ran == 1


def test_a_remote_that_has_moved_meanwhile_gets_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.commit({"a": "x"})
    sending = bench.pushing("hookci", "push", "origin", "main", "main:second")
    until(lambda: bench.ran)

    theirs = elsewhere(bench.repo, "main", tmp_path)
    bench.go()

    assert sending.end() == 3
    assert "git did not push what was judged" in sending.said
    assert bench.repo.remote_refs() == {"refs/heads/main": theirs}


@pytest.mark.parametrize("force", ["--force", "-f", "--force-with-lease", "+"])
def test_what_is_forced_takes_the_place_of_what_was_there_when_it_was_judged(
    bench: Bench, tmp_path: Path, force: str
) -> None:
    bench.repo.git("commit", "-q", "--amend", "-m", "rewritten")
    words = ["origin", "+main"] if force == "+" else [force, "origin", "main"]
    rewritten = bench.repo.out("rev-parse", "HEAD")
    sending = bench.pushing("hookci", "push", *words)
    until(lambda: bench.ran)
    theirs = elsewhere(bench.repo, "main", tmp_path)
    bench.go()

    moved = sending.end()
    refused = bench.repo.remote_refs()
    bench.repo.git("fetch", "-q")
    again = push(bench.repo, *words)

    assert (moved, refused) == (3, {"refs/heads/main": theirs})
    assert again.returncode == 0
    assert bench.repo.remote_refs() == {"refs/heads/main": rewritten}


def test_what_is_no_descendant_is_refused_before_anything_runs(bench: Bench) -> None:
    bench.repo.git("commit", "-q", "--amend", "-m", "rewritten")

    ran = push(bench.repo, "origin", "main")

    assert (ran.returncode, bench.ran) == (3, 0)
    assert "non-fast-forward" in ran.stderr
    assert "error: git would not push this, so nothing was judged\n" in ran.stderr


def test_all_arrives_or_nothing(guarded: Repo) -> None:
    assert guarded.remote is not None
    hook = guarded.remote / "hooks/update"
    hook.write_text(REFUSING_HOOK)
    hook.chmod(0o755)
    before = guarded.remote_refs()
    guarded.commit({"a": "x"})

    together = push(guarded, "origin", "main", "main:held")
    nothing = guarded.remote_refs()
    apart = push(guarded, "--no-atomic", "origin", "main", "main:held")

    assert (together.returncode, nothing) == (3, before)
    assert "this one is held" in together.stderr
    assert apart.returncode == 3
    assert guarded.remote_refs() == {"refs/heads/main": guarded.out("rev-parse", "main")}


def test_what_git_would_take_by_itself_is_taken(guarded: Repo) -> None:
    guarded.git("config", "push.followTags", "true")
    commit = guarded.commit({"a": "x"})
    guarded.git("tag", "-a", "v1", "-m", "one")

    ran = push(guarded)

    assert ran.returncode == 0
    assert guarded.remote_refs()["refs/heads/main"] == commit
    assert guarded.remote_refs()["refs/tags/v1"] == guarded.out("rev-parse", "v1")


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["--tags", "origin"], {"main", "old", "v1"}),
        (["--all", "origin"], {"main", "old", "side"}),
        (["origin", "side:other", "v1"], {"main", "old", "other", "v1"}),
        (["--mirror"], {"main", "side", "v1", "origin/main", "origin/old"}),
        (["origin", ":old", "side"], {"main", "side"}),
        (["--delete", "origin", "old"], {"main"}),
        (["-d", "origin", "old"], {"main"}),
        (["--prune", "origin", "refs/heads/*:refs/heads/*"], {"main", "side"}),
        (["-qo", "x", "origin", "side"], {"main", "old", "side"}),
        (["--repo", "origin", "--push-option=x", "--", "origin", "side"], {"main", "old", "side"}),
    ],
)
def test_arguments_of_git_push_mean_what_they_mean_there(guarded: Repo, words: list[str], there: set[str]) -> None:
    assert guarded.remote is not None
    guarded.run("git", "config", "receive.advertisePushOptions", "true", cwd=guarded.remote)
    guarded.git("push", "-q", "--no-verify", "origin", "main:old")
    guarded.git("tag", "v1")
    guarded.git("checkout", "-qb", "side")
    guarded.commit({"b": "x"})
    guarded.git("checkout", "-q", "main")

    ran = push(guarded, *words)

    names = {name.split("/", 2)[2] for name in guarded.remote_refs()}
    assert ran.returncode == 0, ran.output
    assert names == there


def test_a_remote_that_is_a_mirror_gets_all(guarded: Repo) -> None:
    guarded.git("config", "remote.origin.mirror", "true")
    guarded.git("branch", "side")
    commit = guarded.commit({"a": "x"})

    ran = push(guarded, "origin")

    assert ran.returncode == 0, ran.output
    assert guarded.remote_refs()["refs/heads/main"] == commit
    assert "refs/heads/side" in guarded.remote_refs()


@pytest.mark.parametrize("words", [["-u", "origin", "side"], ["--set-upstream", "origin", "HEAD"], []])
def test_branches_follow_what_they_are_pushed_to(guarded: Repo, words: list[str]) -> None:
    if not words:
        guarded.git("config", "push.autoSetupRemote", "true")
    guarded.git("checkout", "-qb", "side")
    guarded.commit({"b": "x"})

    ran = push(guarded, *words)

    assert ran.returncode == 0, ran.output
    assert guarded.out("rev-parse", "--abbrev-ref", "side@{upstream}") == "origin/side"
    assert "branch 'side' set up to track 'origin/side'." in ran.stderr


def test_nothing_to_push_is_left_to_git(guarded: Repo) -> None:
    ran = push(guarded, "origin", "main")

    assert (ran.returncode, ran.stderr) == (0, "Everything up-to-date\n")


def test_a_dry_run_is_judged_and_sends_nothing(guarded: Repo) -> None:
    before = guarded.remote_refs()
    guarded.commit({"a": "x"})

    ran = push(guarded, "--dry-run", "origin", "main")

    assert ran.returncode == 0
    assert "main is green: 1 job passed" in ran.stderr
    assert guarded.remote_refs() == before


def test_a_verdict_that_is_never_remembered_answers_for_this_push_and_no_other(guarded: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    guarded.commit({"hookci.toml": f"[jobs.unit]\nmemory = false\nscript = [\"echo ran >>'{marks}'\"]\n"})

    first = push(guarded, "origin", "main")
    once = marks.read_text()
    guarded.git("push", "-q", "origin", "main:again")

    assert first.returncode == 0
    assert once == "ran\n"
    assert marks.read_text() == "ran\nran\n"
    assert list((guarded.path / ".git/hookci/pushing").iterdir()) == []


@pytest.mark.parametrize("token", ["", "..", "0123456789abcdef0123456789abcdef"])
def test_a_token_that_nobody_gave_lets_nothing_through(guarded: Repo, token: str) -> None:
    guarded.commit({"BAD": "x"})

    ran = guarded.git("push", "origin", "main", check=False, env={"HOOKCI_PUSHING": token})

    assert ran.returncode == 1
    assert "main is red" in ran.stderr


def test_hooks_that_were_there_before_run_when_it_is_sent_and_may_refuse(repo: Repo) -> None:
    kept = repo.path / ".git/hooks/pre-push"
    kept.write_text("#!/bin/sh\necho kept >&2\n[ ! -e refuses ]\n")
    kept.chmod(0o755)
    guard(repo)
    repo.commit({"a": "x"})

    (repo.path / "refuses").touch()
    refused = push(repo, "origin", "main")
    (repo.path / "refuses").unlink()
    through = push(repo, "origin", "main")

    assert (refused.returncode, refused.stderr.count("kept\n")) == (3, 1)
    assert (through.returncode, through.stderr.count("kept\n")) == (0, 1)


def test_jobs_can_be_left_out_once(guarded: Repo) -> None:
    guarded.commit({"BAD": "x"})

    ran = push(guarded, "origin", "main", env={"HOOKCI_SKIP": "unit"})

    assert ran.returncode == 0, ran.output
    assert "unit" in ran.stderr


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--no-verify"], "--no-verify leaves out what `hookci push` is for", "git push --no-verify"),
        (["--forec"], "`hookci push` does not know the option `--forec`", "did you mean `--force`?"),
        (
            ["--wibble"],
            "`hookci push` does not know the option `--wibble`",
            "`hookci run`, and then `git push --wibble`",
        ),
        (["-fz"], "`git push` has no option `-z`", "`git push -h` lists them"),
        (["--push-option"], "--push-option needs a value", ""),
        (
            ["--recurse-submodules=on-demand"],
            "submodules are repositories of their own, whose commits are not judged here",
            "push them first; `--recurse-submodules=check` makes sure of it",
        ),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(guarded: Repo, words: list[str], message: str, hint: str) -> None:
    ran = push(guarded, *words)

    assert (ran.returncode, ran.stderr) == (2, f"error: {message}\n" + (f"hint: {hint}\n" if hint else ""))


def test_a_remote_that_is_not_there_is_gits_to_tell(guarded: Repo) -> None:
    ran = push(guarded, "nowhere", "main")

    assert ran.returncode == 3
    assert "'nowhere' does not appear to be a git repository" in ran.stderr


def test_submodules_that_are_pushed_on_demand_are_only_looked_at(guarded: Repo) -> None:
    guarded.git("config", "push.recurseSubmodules", "on-demand")
    commit = guarded.commit({"a": "x"})

    ran = push(guarded, "origin", "main")

    assert ran.returncode == 0, ran.output
    assert guarded.remote_refs() == {"refs/heads/main": commit}


def test_what_a_killed_push_left_goes_with_the_next(guarded: Repo) -> None:
    left = guarded.path / ".git/hookci/pushing/0123"
    left.mkdir(parents=True, mode=0o700)
    left.parent.chmod(0o700)
    (left / "lock").touch(mode=0o600)
    guarded.commit({"a": "x"})

    ran = push(guarded, "origin", "main")

    assert ran.returncode == 0, ran.output
    assert not left.exists()
