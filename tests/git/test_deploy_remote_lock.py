"""The lock of an environment on a shared remote: one clone at a time, and never a false win."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pexpect
import pytest
from conftest import stress
from deploy_clones import at_once, cloned
from msgspec.structs import replace

from hookci.errors import LockHeldError
from hookci.git.lockref import lock_bytes, lock_of, lock_words
from hookci.git.wire import RemoteError
from hookci.model.release import Lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

LOCK = "refs/hookci/lock/staging"


def test_a_lock_is_on_the_remote_while_it_is_held(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)

    mine = clone.remote.lock("staging", clone.lock())

    assert repo.remote_refs()[LOCK] == mine.oid
    assert clone.remote.read_lock("staging") == mine == replace(clone.lock(), oid=mine.oid)
    assert clone.remote.read_lock("production") is None
    assert clone.remote.unlock(mine)
    assert LOCK not in repo.remote_refs()
    assert clone.remote.read_lock("staging") is None


def test_a_lock_leaves_nothing_in_the_repositories_of_people(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    for clone in (one, two):  # as documentation on looking at such refs has it
        clone.repo.git("config", "--add", "remote.origin.fetch", "+refs/hookci/*:refs/hookci/*")
    before = [clone.repo.out("count-objects") + clone.repo.out("for-each-ref") for clone in (one, two)]

    mine = one.remote.lock("staging", one.lock())
    two.remote.read_lock("staging")

    after = [clone.repo.out("count-objects") + clone.repo.out("for-each-ref") for clone in (one, two)]
    assert after == before
    assert not (two.repo.path / ".git/FETCH_HEAD").exists()
    one.repo.git("fsck")
    assert one.remote.unlock(mine)


def test_who_comes_second_is_told_who_holds_it(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    mine = one.remote.lock("staging", one.lock())

    with pytest.raises(LockHeldError) as caught:
        two.remote.lock("staging", two.lock())

    assert caught.value.exit_status == 75
    who = "Ana <ana@example.com> (process 42 on clone-0) has been deploying"
    assert caught.value.message.startswith(f"{who} {one.head[:8]} to staging since 2023-11-1")
    assert caught.value.hint == "`hookci unlock staging --steal` if its owner is gone"
    assert repo.remote_refs()[LOCK] == mine.oid


def test_the_very_same_lock_again_is_no_win(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    mine = clone.remote.lock("staging", clone.lock())

    with pytest.raises(LockHeldError, match="clone-0"):
        clone.remote.lock("staging", clone.lock())

    assert clone.remote.unlock(mine)


def test_environments_have_locks_of_their_own(repo: Repo) -> None:
    one, two = cloned(repo, 2)

    mine = one.remote.lock("staging", one.lock())
    theirs = two.remote.lock("büro-eu+1", two.lock(environment="büro-eu+1"))

    assert repo.remote_refs()[LOCK] == mine.oid
    assert repo.remote_refs()["refs/hookci/lock/büro-eu+1"] == theirs.oid
    assert two.remote.unlock(theirs)


def test_twelve_clones_race_and_exactly_one_wins_each_time(repo: Repo) -> None:
    clones = cloned(repo, stress(6) if stress(1) == 1 else 12)
    for number in range(stress(3)):
        locks = [clone.lock(f"round-{number}") for clone in clones]

        ends = at_once([
            lambda clone=clone, lock=lock: clone.remote.lock("staging", lock)  # type: ignore[misc]  # bound now
            for clone, lock in zip(clones, locks, strict=True)
        ])  # fmt: skip

        winners = [end for end in ends if isinstance(end, Lock)]
        assert len(winners) == 1, ends
        assert all(isinstance(end, (Lock, LockHeldError)) for end in ends), ends
        assert all(winners[0].host in str(end) for end in ends if isinstance(end, LockHeldError))
        assert repo.remote_refs()[LOCK] == winners[0].oid
        owner = next(clone for clone in clones if clone.repo.path.name == winners[0].host)
        assert owner.remote.unlock(winners[0])


def test_of_many_thieves_one_succeeds(repo: Repo) -> None:
    owner, *thieves = cloned(repo, 5)
    for number in range(stress(2)):
        seen = owner.remote.lock("staging", owner.lock(f"round-{number}"))

        ends = at_once([lambda thief=thief: thief.remote.steal("staging", seen) for thief in thieves])  # type: ignore[misc]  # noqa: B023 (bound now, and used up in this round)

        assert [end for end in ends if end is None] == [None], ends
        assert all(end is None or isinstance(end, LockHeldError) for end in ends)
        assert LOCK not in repo.remote_refs()


def test_only_the_lock_that_was_seen_is_stolen(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    seen = one.remote.lock("staging", one.lock("first"))
    one.remote.unlock(seen)

    with pytest.raises(LockHeldError, match="has changed: nobody holds it now"):
        two.remote.steal("staging", seen)
    newer = one.remote.lock("staging", one.lock("second"))
    with pytest.raises(LockHeldError, match=r"has changed: Ana .* on clone-0"):
        two.remote.steal("staging", seen)

    assert repo.remote_refs()[LOCK] == newer.oid


def test_a_lock_that_is_ours_no_longer_is_not_given_back(repo: Repo) -> None:
    owner, thief = cloned(repo, 2)
    mine = owner.remote.lock("staging", owner.lock())
    thief.remote.steal("staging", mine)

    assert not owner.remote.unlock(mine)
    theirs = thief.remote.lock("staging", thief.lock())
    assert not owner.remote.unlock(mine)
    assert not owner.remote.unlock(owner.lock())  # one that never was on the remote
    assert repo.remote_refs()[LOCK] == theirs.oid


def test_a_lock_that_a_person_pushed_holds_and_can_be_removed(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    clone.repo.git("push", "-q", "origin", f"HEAD:{LOCK}")

    seen = clone.remote.read_lock("staging")
    with pytest.raises(
        LockHeldError, match=f"somebody holds the lock of staging on the remote .object {clone.head[:8]}"
    ):
        clone.remote.lock("staging", clone.lock())

    assert seen is not None
    assert seen.oid == clone.head
    clone.remote.steal("staging", seen)
    assert LOCK not in repo.remote_refs()


def test_what_a_lock_says_cannot_drive_the_terminal() -> None:
    lock = Lock(
        environment="staging", by="\x1b]0;owned\x07Eve", host="\x1b[2Jh", pid=1, start="", since=0.0,
        commit="c" * 40, token="t",
    )  # fmt: skip

    words = lock_words(lock_of("staging", "0" * 40, lock_bytes(lock)))

    assert words.startswith("Eve (process 1 on h) has been deploying")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b'{"by": 1, "since": "x"}', b"\xff"])
def test_a_lock_of_another_make_is_a_lock(content: bytes) -> None:
    lock = lock_of("staging", "ab" * 20, content)

    assert (lock.environment, lock.oid, lock.by) == ("staging", "ab" * 20, "")


def test_locks_work_with_sha256(make_repo: Callable[..., Repo]) -> None:
    one, two = cloned(make_repo(object_format="sha256"), 2)

    mine = one.remote.lock("staging", one.lock())

    assert len(mine.oid) == 64
    assert two.remote.read_lock("staging") == mine
    two.remote.steal("staging", mine)
    assert not one.remote.unlock(mine)


def test_an_old_protocol_is_enough(repo: Repo) -> None:
    one, two = cloned(repo, 2)
    two.repo.git("config", "protocol.version", "0")
    mine = one.remote.lock("staging", one.lock())

    assert two.remote.read_lock("staging") == mine


def test_a_remote_without_atomic_pushes_is_refused_before_anything_is_deployed(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    repo.run("git", "config", "receive.advertiseAtomic", "false", cwd=repo.remote)

    with pytest.raises(RemoteError, match="the remote origin does not support atomic pushes") as caught:
        clone.remote.lock("staging", clone.lock())

    assert caught.value.hint is not None
    assert "receive.advertiseAtomic" in caught.value.hint
    assert LOCK not in repo.remote_refs()


def test_a_refusal_of_the_remote_is_told_in_its_words(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    hook = repo.remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'refs/hookci is not for you' >&2\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(RemoteError, match="could not be taken: the remote origin: remote: refs/hookci is not for you"):
        clone.remote.lock("staging", clone.lock())
    hook.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(RemoteError, match=r"taken: the remote origin: \[remote rejected\] .pre-receive hook declined"):
        clone.remote.lock("staging", clone.lock())


def test_a_ref_that_is_locked_on_the_remote_is_told(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    left = repo.remote / f"{LOCK}.lock"  # as a receive-pack that was killed leaves one in three of a hundred times
    left.parent.mkdir(parents=True)
    left.touch()

    with pytest.raises(RemoteError, match=r"could not be taken: .*staging\.lock': File exists"):
        clone.remote.lock("staging", clone.lock())


def test_git_has_no_terminal_to_ask_at(repo: Repo, tmp_path: Path) -> None:
    (clone,) = cloned(repo, 1)
    clone.repo.git("config", "remote.origin.url", "ssh://nobody@example.invalid/x.git")
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\n( : < /dev/tty ) 2> {tmp_path}/answer && echo asked > {tmp_path}/answer\nexit 255\n")
    ssh.chmod(0o755)
    program = (
        "import os, sys; from deploy_clones import Clone; from conftest import Repo; from pathlib import Path\n"
        "open('/dev/tty').close(); print('has a terminal')\n"
        "try:\n    Clone.of(Repo(Path(sys.argv[1]), dict(os.environ))).remote.read_lock('staging')\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
    )

    screen = pexpect.spawn(
        sys.executable, ["-c", program, str(clone.repo.path)], encoding="utf-8", timeout=30,
        env={**clone.repo.env, "GIT_SSH_COMMAND": str(ssh), "PYTHONPATH": ":".join(filter(None, sys.path))},
    )  # fmt: skip
    screen.expect("has a terminal")
    screen.expect("RemoteError")
    screen.close()

    assert "asked" not in (tmp_path / "answer").read_text()
