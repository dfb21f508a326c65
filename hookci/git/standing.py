"""Where a repository stands, for a person to read: branch, last commit, and how far it is from its upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.status import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    import git

    from hookci.git.repository import Repository

__all__ = ["distance", "resting_branch", "standing", "titles"]

_HEADS = "refs/heads/"


def resting_branch(repository: Repository) -> str | None:
    """The branch that ``HEAD`` is on, once it has come to rest there; None in a bare repository too."""
    full = repository.ask("symbolic-ref", "-q", "HEAD") or ""
    # `git cherry-pick A..B` and `git revert A..B` commit one by one, and take a step off the list when it is made
    steps = repository.git_dir / "sequencer" / "todo"
    moves_on = steps.is_file() and len(steps.read_bytes().splitlines()) > 1
    if repository.top is None or moves_on or not full.startswith(_HEADS):
        return None
    return full.removeprefix(_HEADS)


def standing(repository: Repository) -> Standing:
    """Where ``HEAD`` stands.

    GitPython reads it, which knows no SHA-256 object names: there the branch is all that is told.
    """
    full = repository.ask("symbolic-ref", "-q", "HEAD")
    branch = full.removeprefix("refs/heads/") if full else None
    if repository.object_format != "sha1":
        return Standing(branch, repository.ask("rev-parse", "--verify", "-q", "HEAD"))
    import git  # noqa: PLC0415 (dear, and no hook needs it)

    with git.Repo(repository.git_dir) as repo:
        if not repo.head.is_valid():
            return Standing(branch)
        commit = repo.head.commit
        known = Standing(branch, commit.hexsha, str(commit.summary))
        return known if repo.head.is_detached else _against_upstream(repo, known)


def _against_upstream(repo: git.Repo, known: Standing) -> Standing:
    tracking = repo.active_branch.tracking_branch()
    if tracking is None or not tracking.is_valid():
        return known
    ahead = sum(1 for _ in repo.iter_commits(f"{tracking.path}..HEAD"))
    behind = sum(1 for _ in repo.iter_commits(f"HEAD..{tracking.path}"))
    return Standing(known.branch, known.commit, known.title, tracking.name, ahead, behind)


def titles(repository: Repository, commits: Iterable[str]) -> dict[str, str]:
    """The first line of each commit's message; commits that are not here are left out."""
    names = "".join(f"{commit}\n" for commit in dict.fromkeys(commits))
    if not names:
        return {}
    asked = ("rev-list", "--no-walk", "--ignore-missing", "--format=%H %s", "--stdin")
    done = repository.git(*asked, stdin=names.encode("ascii"), check=False)
    lines = (line.partition(" ") for line in done.stdout.decode(errors="surrogateescape").split("\n"))
    return {commit: title for commit, _, title in lines if commit not in {"", "commit"}}


def distance(repository: Repository, one: str, other: str) -> tuple[int, int] | None:
    """How many commits only ``one`` has, and how many only ``other``; None when they are not here."""
    counted = repository.ask("rev-list", "--left-right", "--count", f"{one}...{other}", "--")
    if counted is None:
        return None
    left, right = counted.split()
    return int(left), int(right)
