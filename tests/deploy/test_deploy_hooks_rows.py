"""What git runs when a branch moves, and what is deployed then: as often as it should be, and which commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moving_branches import Clones, make_clones

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Sealed

    Act = Callable[[Clones], None]


@pytest.fixture
def clones(tmp_path: Path, sealed: Sealed) -> Clones:
    return make_clones(tmp_path, dict(sealed.env))


def pull(*arguments: str) -> Act:
    def act(clones: Clones) -> None:
        clones.push()
        clones.here.git("pull", "-q", *arguments)

    return act


def pull_with_local_commits(*arguments: str) -> Act:
    def act(clones: Clones) -> None:
        clones.push()
        clones.here.quietly("one")
        clones.here.quietly("two")
        clones.here.git("pull", "-q", *arguments)

    return act


def pull_into_dirty_files(clones: Clones) -> None:
    clones.push()
    clones.here.write(shared="dirty\n")
    clones.here.git("pull", "-q", "--rebase", "--autostash")


def already_up_to_date(clones: Clones) -> None:
    clones.here.git("pull", "-q")


def conflict(clones: Clones, *pulling: str) -> None:
    clones.push("shared", "theirs\n")
    clones.here.quietly("shared", "ours\n")
    assert clones.here.git("pull", "-q", *pulling, check=False).returncode != 0
    assert clones.here.deployed == []
    clones.here.write(shared="both\n")
    clones.here.git("add", "-A")


def conflict_then_commit(clones: Clones) -> None:
    conflict(clones, "--no-rebase")
    clones.here.git("commit", "-q", "--no-edit")


def conflict_then_merge_continue(clones: Clones) -> None:
    conflict(clones, "--no-rebase")
    clones.here.git("merge", "--continue", env={"GIT_EDITOR": "true"})


def conflict_then_rebase_continue(clones: Clones) -> None:
    conflict(clones, "--rebase")
    clones.here.git("rebase", "--continue", env={"GIT_EDITOR": "true"})


def squash(clones: Clones) -> None:
    clones.push()
    clones.here.quietly("ours")
    clones.here.git("pull", "-q", "--no-rebase", "--squash")


def squash_then_commit(clones: Clones) -> None:
    squash(clones)
    assert clones.here.deployed == []
    clones.here.git("commit", "-qm", "squashed")


def merge_without_commit(clones: Clones) -> None:
    clones.push()
    clones.here.git("fetch", "-q")
    clones.here.git("merge", "-q", "--no-ff", "--no-commit", "upstream/main")


def merge_without_commit_then_commit(clones: Clones) -> None:
    merge_without_commit(clones)
    assert clones.here.deployed == []
    clones.here.git("commit", "-q", "--no-edit")


def fetch(clones: Clones) -> None:
    clones.push()
    clones.here.git("fetch", "-q")


def fetch_into_main(clones: Clones) -> None:
    clones.push()
    clones.here.git("switch", "-qc", "feat")
    clones.here.git("fetch", "-q", "upstream", "main:main")


def branches(clones: Clones, *names: str) -> None:
    """Local branches with a commit each, off main."""
    for name in names:
        clones.here.git("switch", "-qc", name, "main")
        clones.here.quietly(name)
    clones.here.git("switch", "-q", "main")


def merge_locally(*arguments: str) -> Act:
    def act(clones: Clones) -> None:
        branches(clones, "feat", "other")
        clones.here.git("merge", "-q", *arguments)

    return act


def pull_main_on_feat(clones: Clones) -> None:
    clones.push()
    clones.here.git("switch", "-qc", "feat")
    clones.here.git("pull", "-q", "upstream", "main")


def move_by(*arguments: str) -> Act:
    def act(clones: Clones) -> None:
        fetch(clones)
        clones.here.git(*arguments)

    return act


def update_ref(clones: Clones) -> None:
    fetch(clones)
    clones.here.git("switch", "-q", "--detach")
    clones.here.git("branch", "-f", "main", "upstream/main")


def cherry_pick(*commits: str) -> Act:
    def act(clones: Clones) -> None:
        clones.here.git("switch", "-qc", "feat")
        for name in ("one", "two", "three"):
            clones.here.quietly(name)
        clones.here.git("switch", "-q", "main")
        clones.here.git("cherry-pick", *commits)

    return act


def cherry_pick_with_a_conflict(clones: Clones) -> None:
    here = clones.here
    here.git("switch", "-qc", "feat")
    for name, text in (("one", "1"), ("shared", "theirs\n"), ("three", "3")):
        here.quietly(name, text)
    here.git("switch", "-q", "main")
    here.quietly("shared", "ours\n")
    assert here.git("cherry-pick", "main..feat", check=False).returncode != 0
    here.write(shared="both\n")
    here.git("add", "-A")
    here.git("commit", "-q", "--no-edit")
    assert here.deployed == []
    here.git("cherry-pick", "--continue", env={"GIT_EDITOR": "true"})


def revert_two(clones: Clones) -> None:
    clones.here.quietly("one")
    clones.here.quietly("two")
    clones.here.git("revert", "--no-edit", "HEAD~2..HEAD")


def rebase_by_applying(clones: Clones) -> None:
    # this way, post-rewrite comes before HEAD is back on its branch
    clones.here.git("config", "rebase.backend", "apply")
    pull_with_local_commits("--rebase")(clones)


def am(clones: Clones) -> None:
    patch = clones.here.path.with_name("patch")
    branches(clones, "feat")
    patch.write_text(clones.here.git("format-patch", "-1", "--stdout", "feat").stdout)
    clones.here.git("am", "-q", str(patch))


def refused_pull(clones: Clones) -> None:
    clones.push("shared", "theirs\n")
    clones.here.write(shared="dirty\n")
    assert clones.here.git("pull", "-q", check=False).returncode != 0


def commit(*arguments: str) -> Act:
    def act(clones: Clones) -> None:
        clones.here.write(shared="changed\n", other="left alone\n")
        clones.here.git("commit", "-qm", "ours", *arguments)

    return act


def commit_what_is_added(clones: Clones) -> None:
    clones.here.write(new="new\n")
    clones.here.git("add", "new")
    clones.here.git("commit", "-qm", "ours")


def commit_from_another_index(clones: Clones) -> None:
    index = {"GIT_INDEX_FILE": str(clones.here.path.with_name("index"))}
    clones.here.write(new="new\n")
    clones.here.git("read-tree", "HEAD", env=index)
    clones.here.git("add", "new", env=index)
    clones.here.git("commit", "-qm", "ours", env=index)


def amend(clones: Clones) -> None:
    clones.here.quietly("ours")
    clones.here.git("commit", "-q", "--amend", "-m", "amended")


def commit_on_feat(clones: Clones) -> None:
    clones.here.git("switch", "-qc", "feat")
    clones.here.git("commit", "-qm", "ours", "--allow-empty")


def commit_on_no_branch(clones: Clones) -> None:
    clones.here.git("switch", "-q", "--detach")
    clones.here.git("commit", "-qm", "ours", "--allow-empty")


def stash(clones: Clones) -> None:
    clones.here.write(shared="dirty\n")
    clones.here.git("stash", "-q")
    clones.here.git("stash", "pop", "-q")


def worktree_on(*branch: str) -> Act:
    def act(clones: Clones) -> None:
        place = clones.here.path.with_name("linked")
        if "-b" not in branch:
            clones.here.git("switch", "-q", "--detach")
        clones.here.git("worktree", "add", "-q", str(place), *branch)
        clones.here.run("git", "commit", "-qm", "ours", "--allow-empty", cwd=place)

    return act


ONCE: dict[str, Act] = {
    "pull, fast forward": pull(),
    "pull --ff-only": pull("--ff-only"),
    "pull --no-rebase, a true merge": pull_with_local_commits("--no-rebase"),
    "pull --rebase, nothing local": pull("--rebase"),
    "pull --rebase --autostash, dirty files": pull_into_dirty_files,
    "pull --rebase, commits replayed": pull_with_local_commits("--rebase"),
    "pull, conflict, commit": conflict_then_commit,
    "pull, conflict, merge --continue": conflict_then_merge_continue,
    "pull --rebase, conflict, rebase --continue": conflict_then_rebase_continue,
    "pull --squash, commit": squash_then_commit,
    "merge --no-commit, commit": merge_without_commit_then_commit,
    "merge, fast forward": merge_locally("feat"),
    "merge --no-ff": merge_locally("--no-ff", "--no-edit", "feat"),
    "merge, octopus": merge_locally("--no-edit", "feat", "other"),
    "pull --no-verify, fast forward": pull("--no-verify"),
    "pull --no-verify, a true merge": pull_with_local_commits("--no-rebase", "--no-verify"),
    "cherry-pick": cherry_pick("feat"),
    "cherry-pick of three": cherry_pick("main..feat"),
    "cherry-pick of three, conflict": cherry_pick_with_a_conflict,
    "revert of two": revert_two,
    "commit": commit_what_is_added,
    "commit -a": commit("-a"),
    "commit PATH": commit("shared"),
    "commit from another index": commit_from_another_index,
    "commit --amend": amend,
    "commit in a worktree on main": worktree_on("main"),
}
"""What moves main and lets a hook know."""
MISSED: dict[str, Act] = {
    "fetch main:main": fetch_into_main,
    "reset --hard": move_by("reset", "-q", "--hard", "upstream/main"),
    "checkout -B": move_by("checkout", "-qB", "main", "upstream/main"),
    "branch -f": update_ref,
    "rebase, fast forward": move_by("rebase", "-q", "upstream/main"),
    "rebase by applying patches": rebase_by_applying,
    "am": am,
}
"""What moves main and lets no hook know."""
NEVER: dict[str, Act] = {
    "pull, already up to date": already_up_to_date,
    "pull --squash": squash,
    "merge --no-commit": merge_without_commit,
    "fetch": fetch,
    "pull of main on feat": pull_main_on_feat,
    "pull, refused": refused_pull,
    "commit on feat": commit_on_feat,
    "commit on no branch": commit_on_no_branch,
    "commit in a worktree on feat": worktree_on("-b", "feat"),
    "stash": stash,
}
"""What does not move main."""


@pytest.mark.parametrize("act", ONCE.values(), ids=ONCE.keys())
def test_what_moves_main_deploys_its_tip_once(clones: Clones, act: Act) -> None:
    act(clones)

    tip = clones.here.out("rev-parse", "main")
    assert clones.here.deployed == [tip]
    assert clones.here.tags == ["deploy/staging/1"]


@pytest.mark.parametrize("act", MISSED.values(), ids=MISSED.keys())
def test_what_no_hook_tells_of_is_deployed_by_the_next_hook(clones: Clones, act: Act) -> None:
    act(clones)
    missed = clones.here.deployed
    clones.here.git("switch", "-q", "main")
    clones.push("later")
    clones.here.git("pull", "-q", "--no-rebase", "--no-edit")

    assert missed == []
    assert clones.here.deployed == [clones.here.head]


@pytest.mark.parametrize("act", NEVER.values(), ids=NEVER.keys())
def test_what_does_not_move_main_deploys_nothing(clones: Clones, act: Act) -> None:
    act(clones)

    assert clones.here.deployed == []


def test_what_no_hook_tells_of_is_deployed_by_hand(clones: Clones) -> None:
    fetch_into_main(clones)

    clones.here.hookci("deploy", "staging")

    assert clones.here.deployed == [clones.here.out("rev-parse", "main")]
