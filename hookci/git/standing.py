"""Where a repository stands, for a person to read: branch, last commit, and how far it is from its upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.status import Standing

if TYPE_CHECKING:
    import git

    from hookci.git.repository import Repository

__all__ = ["standing"]


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
