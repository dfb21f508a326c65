"""Which environment is meant, and which commit is to be deployed there."""

from __future__ import annotations

import difflib
import shlex
from typing import TYPE_CHECKING

from hookci.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.git.repository import Repository
    from hookci.model.environment import Environment
    from hookci.model.pipeline import Pipeline
    from hookci.model.release import Release

__all__ = [
    "chosen_commit",
    "chosen_environment",
    "older_release",
    "on_branch",
    "promoted",
    "tip",
    "verify_commit",
]


def chosen_environment(pipeline: Pipeline, name: str | None) -> Environment:
    """The environment called ``name``; for None the only one that does not come after another.

    Raises:
        UsageError: there is no such environment, or several may be meant.
    """
    environments = pipeline.environments
    if not environments:
        hint = _started_alone(pipeline) or "[environments.staging] would be one"
        raise UsageError(f"{pipeline.source} has no environments", hint)
    if name is not None:
        return _named(pipeline, name)
    first = [environment for environment in environments.values() if not environment.after]
    if len(first) != 1:
        listed = ", ".join(environments)
        raise UsageError("which environment is meant?", f"name one of {listed}")
    return first[0]


def _named(pipeline: Pipeline, name: str) -> Environment:
    if name in pipeline.environments:
        return pipeline.environments[name]
    near = difflib.get_close_matches(name, pipeline.environments, n=1)
    known = f"known: {', '.join(pipeline.environments)}"
    hint = f"did you mean `{near[0]}`?" if near else "; ".join(filter(None, (known, _started_alone(pipeline))))
    raise UsageError(f"{pipeline.source} has no environment `{name}`", hint)


def _started_alone(pipeline: Pipeline) -> str:
    """Which jobs deploy to what is no environment here: its name depends on the commit, or no tag can have it."""
    places = {job.name: job.environment for job in pipeline.jobs.values()}
    left = {
        name: place.name
        for name, place in places.items()
        if place is not None and place.action == "start" and place.name not in pipeline.environments
    }
    known = {job.name for environment in pipeline.environments.values() for job in environment.jobs}
    told = [f"`hookci play {shlex.quote(name)}` ({where})" for name, where in left.items() if name not in known]
    return f"what deploys elsewhere is started alone: {', '.join(told)}" if told else ""


def tip(repository: Repository, branch: str, remote: str | None, *, pushed: bool) -> str:
    """The commit a branch is at: here, or as far as is known of the remote when there is no such branch here.

    ``pushed`` asks for what the remote has.

    Raises:
        UsageError: there is no such branch.
    """
    there = f"refs/remotes/{remote}/{branch}" if remote else ""
    names = [there] if pushed else [f"refs/heads/{branch}", there]
    for name in filter(None, names):
        commit = repository.ask("rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}")
        if commit is not None:
            return commit
    where = f" on {remote or 'any remote'}, as far as is known here" if pushed else ""
    raise UsageError(f"there is no branch `{branch}`{where}", "`git fetch`, or name another branch" if pushed else None)


def on_branch(repository: Repository, commit: str, end: str) -> bool:
    """Whether ``commit`` is ``end`` or an ancestor of it."""
    return commit == end or repository.git("merge-base", "--is-ancestor", commit, end, check=False).returncode == 0


def chosen_commit(repository: Repository, revision: str | None, end: str, branch: str) -> str:
    """The commit that ``revision`` names, which must be on the branch that is at ``end``; that itself for None.

    Raises:
        UsageError: it names no commit, or one that is not on the branch.
    """
    if revision is None:
        return end
    commit = repository.ask("rev-parse", "--verify", "-q", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise UsageError(f"`{revision}` names no commit here")
    if not on_branch(repository, commit, end):
        raise UsageError(f"{commit[:8]} is not on `{branch}`, from which this environment is deployed")
    return commit


def promoted(releases: Sequence[Release], environment: Environment, commit: str | None) -> Release:
    """The release of the environment before that is to be promoted: what is live there, or one with ``commit``.

    Raises:
        UsageError: nothing was verified there, or not that commit.
    """
    if not releases:
        raise UsageError(
            f"`{environment.name}` comes after `{environment.after}`, where nothing is verified yet",
            f"`hookci deploy {environment.after}` comes first",
        )
    if commit is None:
        return releases[0]
    found = next((release for release in releases if release.commit == commit), None)
    if found is None:
        raise UsageError(
            f"{commit[:8]} was never verified on `{environment.after}`, which `{environment.name}` comes after",
            f"`hookci releases {environment.after}` lists what was",
        )
    return found


def older_release(
    releases: Sequence[Release], number: int | None, environment: str, *, live_is_sure: bool = True
) -> Release:
    """The release to go back to: the one before what is live, or the one with this number.

    While it is not sure what is live, that is the newest one.

    Raises:
        UsageError: there is none.
    """
    if not releases:
        raise UsageError(f"nothing was ever deployed to `{environment}`")
    if number is None and not live_is_sure:
        return releases[0]
    if number is None:
        if len(releases) == 1:
            raise UsageError(f"release {releases[0].number} is the only one of `{environment}`")
        return releases[1]
    found = next((release for release in releases if release.number == number), None)
    if found is None:
        listed = ", ".join(str(release.number) for release in releases[:10])
        raise UsageError(f"`{environment}` has no release {number}", f"there are {listed}")
    if found is releases[0] and live_is_sure:
        raise UsageError(f"release {number} is live already")
    return found


def verify_commit(repository: Repository, commit: str, signers: str) -> None:
    """Refuse a commit that is not signed by one of the keys in the file ``signers``.

    Raises:
        UsageError: its signature is missing, broken, or by another key.
    """
    settings = ("-c", f"gpg.ssh.allowedSignersFile={signers}", "-c", "gpg.format=ssh")
    done = repository.git(*settings, "verify-commit", commit, check=False)
    if done.returncode != 0:
        raise UsageError(f"{commit[:8]} is not signed by a key in {signers}", "`git commit -S` signs, or ask who may")
