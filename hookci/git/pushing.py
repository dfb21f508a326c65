"""Asking git what a push would send, and sending exactly that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.git.push import parse_ref_updates
from hookci.model.snapshot import RefUpdate, is_zero
from hookci.proc.run import run_attached, run_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hookci.git.pusharguments import PushArguments
    from hookci.git.repository import Repository

__all__ = ["Asked", "PersonsGit", "ask_what_is_sent", "follow_remote", "send"]

_HEADS = "refs/heads/"
_ZERO = "0" * 40
_HOOK = """\
#!/bin/sh
printf '%s\\n' "$1" >"${0%/*}/remote" && exec cat >"${0%/*}/lines"
"""
"""Stands in for the pre-push hook, and writes down what git tells one."""


class PersonsGit(Struct, frozen=True):
    """Git as a person runs it: ``cwd``, their own ``env``, and their terminal to ask for passwords."""

    repository: Repository
    cwd: Path
    env: Mapping[str, str]


class Asked(Struct, frozen=True, kw_only=True):
    """What git would send to ``remote``, a name or an address; if it refuses, ``status`` is not 0.

    ``said`` is what it said of it.
    """

    status: int
    said: bytes
    remote: str = ""
    updates: tuple[RefUpdate, ...] = ()
    lines: bytes = b""


def ask_what_is_sent(git: PersonsGit, arguments: PushArguments, scratch: Path) -> Asked:
    """Have git connect to the remote, say what it would send, and let go of the connection.

    It tells that to a hook of ours, in the directory ``scratch``, in place of everybody's.
    """
    hook = scratch / "pre-push"
    hook.write_text(_HOOK, encoding="ascii")
    hook.chmod(0o700)
    settings = ["-c", f"core.hooksPath={scratch}", "-c", "push.pushOption="]
    argv = ["git", *settings, "push", *_submodules(git, arguments), "--dry-run", "--porcelain", *arguments.asked]
    done = run_here(argv, cwd=git.cwd, env=git.env)
    try:
        remote = os.fsdecode((scratch / "remote").read_bytes()).removesuffix("\n")
        lines = (scratch / "lines").read_bytes()
    except FileNotFoundError:  # git did not get that far, or had nothing to say
        return Asked(status=done.returncode, said=done.stdout + done.stderr)
    updates = parse_ref_updates(lines)
    known = {update.remote_ref for update in updates}
    others = [update for update in _deletions(done.stdout) if update.remote_ref not in known]
    said, updates = done.stdout + done.stderr, (*updates, *others)
    return Asked(status=done.returncode, said=said, remote=remote, updates=updates, lines=lines)


def _deletions(porcelain: bytes) -> Iterator[RefUpdate]:
    """What is deleted: of those that a mirror has to lose no hook is told.

    Source: git-push(1), "OUTPUT".
    """
    for line in porcelain.split(b"\n"):
        if line.startswith(b"-\t:"):
            name = os.fsdecode(line.removeprefix(b"-\t:").split(b"\t")[0])
            yield RefUpdate("(delete)", _ZERO, name, _ZERO)


def send(git: PersonsGit, arguments: PushArguments, asked: Asked, env: Mapping[str, str]) -> int:
    """Push what was ``asked``, object for object; git's status.

    What is not plainly ahead of what the remote had is only sent if the remote still has that.  ``env`` adds to the
    environment.
    """
    several = len(asked.updates) > 1 and arguments.atomic
    # a remote that is a mirror takes no names, and tags that follow were not judged
    plain = ["-c", f"remote.{asked.remote}.mirror=false"] if _is_mirror(git, asked.remote) else []
    words = ["--no-follow-tags", *(["--atomic"] if several else []), *_submodules(git, arguments), *arguments.how]
    forced = [update for update in asked.updates if _is_forced(git, update)]
    leases = [f"--force-with-lease={update.remote_ref}:{update.remote_oid}" for update in forced]
    refs = [f"{'' if is_zero(update.local_oid) else update.local_oid}:{update.remote_ref}" for update in asked.updates]
    argv = ["git", *plain, "push", *words, *leases, "--", asked.remote, *refs]
    return run_attached(argv, cwd=git.cwd, env={**git.env, **env}, stdin=None)


def _is_forced(git: PersonsGit, update: RefUpdate) -> bool:
    """Whether ``update`` takes something away from the remote."""
    if is_zero(update.remote_oid):
        return False
    ahead = ("merge-base", "--is-ancestor", update.remote_oid, update.local_oid)
    is_branch = update.remote_ref.startswith(_HEADS) and not is_zero(update.local_oid)
    return not is_branch or git.repository.git(*ahead, check=False).returncode != 0


def _is_mirror(git: PersonsGit, remote: str) -> bool:
    return git.repository.settings.get(f"remote.{remote}.mirror", [""])[-1] == "true"


def _submodules(git: PersonsGit, arguments: PushArguments) -> tuple[str, ...]:
    """Submodules are not pushed along, whatever the settings say; that they were is made sure of."""
    if any("recurse-submodules" in word for word in arguments.how):
        return ()
    settings = git.repository.settings
    wanted = settings.get("push.recursesubmodules", settings.get("submodule.recurse", [""]))[-1]
    return ("--recurse-submodules=check",) if wanted not in {"", "no", "false", "check"} else ()


def follow_remote(git: PersonsGit, arguments: PushArguments, asked: Asked) -> list[str]:
    """Have the branches that were sent follow where they went, if that is wanted; what was set, in words.

    Source: git-push(1), ``--set-upstream``; git-config(1), ``push.autoSetupRemote``.
    """
    repository, told = git.repository, []
    for update in asked.updates:
        local = repository.ask("rev-parse", "--verify", "-q", "--symbolic-full-name", update.local_ref) or ""
        if not (local.startswith(_HEADS) and update.remote_ref.startswith(_HEADS)):
            continue
        branch, there = local.removeprefix(_HEADS), update.remote_ref.removeprefix(_HEADS)
        if arguments.upstream or _sets_up_by_itself(repository, branch, arguments):
            repository.git("config", "--local", f"branch.{branch}.remote", asked.remote)
            repository.git("config", "--local", f"branch.{branch}.merge", update.remote_ref)
            told.append(f"branch '{branch}' set up to track '{asked.remote}/{there}'.")
    return told


def _sets_up_by_itself(repository: Repository, branch: str, arguments: PushArguments) -> bool:
    settings = repository.settings
    wanted = settings.get("push.autosetupremote", [""])[-1] in {"true", "yes", "on", "1"}
    return wanted and not arguments.names_refs and f"branch.{branch}.merge" not in settings
