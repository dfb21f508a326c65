"""Git's conversation with one remote: what is there, bringing it here, and changing it, whatever a person has set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.errors import GitError
from hookci.git.tags import PATIENT
from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.git.repository import Repository
    from hookci.proc.run import Done

__all__ = ["Change", "Pushed", "RemoteError", "Wire", "without_credentials"]

_CREDENTIALS = re.compile(r"(?<=://)[^/\s'\"]*@")
_NO_ATOMIC = "does not support --atomic push"
_BOILERPLATE = "fatal: Could not read from remote repository."
_EMPTY_WORDS = ("hint:", "error: failed to push some refs")
_TAGGED = re.compile(r"(?:fatal|error|remote): ")
_ALL_SETTLED = (
    "--porcelain",
    "--atomic",
    "--no-verify",
    "--no-follow-tags",
    "--recurse-submodules=no",
    "--no-progress",
)
_ONLY_THESE = (
    # Set by a user, each of these brought more than was asked for, or removed releases that were not pushed yet.
    "--quiet",
    "--no-tags",
    "--refmap=",
    "--no-prune",
    "--no-prune-tags",
    "--no-recurse-submodules",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--stdin",
)


class RemoteError(GitError):
    """A remote did not answer, or refused."""


def without_credentials(text: str) -> str:
    """``text`` without the user and password of the addresses in it."""
    return _CREDENTIALS.sub("", plain(text))


class Change(Struct, frozen=True):
    """What is to become of a ref on the remote: the object ``new`` (empty: none), if it holds ``old`` (empty: none)."""

    ref: str
    new: str = ""
    old: str = ""


class Pushed(Struct, frozen=True):
    """How a push ended: a flag for each ref (git-push(1), OUTPUT), none when it did not get that far.

    ``error`` is why it failed, None when it did not.  An object that was there before is no change: its flag is ``=``,
    and git calls that a success.
    """

    flags: Mapping[str, str] = field(default_factory=dict)
    error: RemoteError | None = None

    def did(self, change: Change) -> bool:
        """Whether this push, and no other, made the change."""
        return self.error is None and self.flags.get(change.ref) == ("*" if change.new else "-")

    def found(self, change: Change) -> bool:
        """Whether the object was there before this push."""
        return self.error is None and self.flags.get(change.ref) == "="


class Wire(Struct, frozen=True):
    """One remote that a person has configured, reached as that person's git reaches it.

    ``timeout`` bounds each conversation, in seconds.  Nothing here asks for a password: git runs without a terminal.
    """

    repository: Repository
    remote: str
    timeout: float

    def listing(self, *patterns: str) -> dict[str, str]:
        """The refs there that match ``patterns`` (git-ls-remote(1)), with their objects.

        Raises:
            RemoteError: it does not answer.
        """
        done = self._talk("ls-remote", "--refs", "--", self._source(), *patterns)
        if done.returncode != 0:
            raise self._error(done)
        lines = (line.partition("\t") for line in done.stdout.decode(errors="surrogateescape").split("\n") if line)
        return {ref: oid for oid, _, ref in lines}

    def fetch(self, refspecs: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Bring exactly these refs or objects here, and nothing else; nothing here is overwritten.

        Raises:
            RemoteError: it does not answer, or no longer has one of them.
        """
        lines = "".join(f"{refspec}\n" for refspec in refspecs).encode(errors="surrogateescape")
        done = self._talk("-c", PATIENT, "fetch", *_ONLY_THESE, "--", self._source(), stdin=lines, env=env)
        if done.returncode != 0:
            raise self._error(done)

    def push(self, changes: Sequence[Change], env: Mapping[str, str] | None = None) -> Pushed:
        """Make all changes or none; no hook of this repository runs.

        Raises:
            RemoteError: there is no such remote, or it is several at once.
        """
        self._source()
        leases = [f"--force-with-lease={change.ref}:{change.old}" for change in changes]
        refspecs = [f"{change.new}:{change.ref}" for change in changes]
        settings = [
            part
            for setting in (
                f"remote.{self.remote}.mirror=false",
                # or git would note the remote's refs here, also those whose objects are elsewhere
                f"remote.{self.remote}.fetch=^refs/hookci/*",
                "push.pushOption=",
            )
            for part in ("-c", setting)
        ]
        try:
            done = self._talk(*settings, "push", *_ALL_SETTLED, *leases, "--", self.remote, *refspecs, env=env)
        except RemoteError as error:
            return Pushed(error=error)
        rows = _rows(done.stdout.decode(errors="surrogateescape"))
        flags = {names.rpartition(":")[2]: flag for flag, names, _ in rows}
        refused = next((summary for flag, _, summary in rows if flag == "!"), "")
        return Pushed(flags, None if done.returncode == 0 else self._error(done, refused))

    def _source(self) -> str:
        """Where to read what was pushed: the remote's name, or the address it pushes to when that is another.

        In a clone of a fork a remote may be read at one place and written at another.
        """
        to = self.repository.ask("remote", "get-url", "--push", "--all", self.remote)
        if to is None:
            raise RemoteError(f"there is no remote named `{self.remote}`")
        if "\n" in to:
            several = f"the remote {self.remote} pushes to {len(to.splitlines())} addresses"
            raise RemoteError(several, "deployments need a remote that is one repository: name another")
        return self.remote if to == self.repository.ask("remote", "get-url", self.remote) else to

    def _talk(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Done:
        try:
            return self.repository.git(*arguments, stdin=stdin, env=env, check=False, timeout=self.timeout)
        except GitError:
            # its words hold the whole command line, an address with a password in it, too
            raise RemoteError(f"the remote {self.remote} did not answer within {self.timeout:g} s") from None

    def _error(self, done: Done, refused: str = "") -> RemoteError:
        said = without_credentials(done.stderr.decode(errors="replace"))
        if _NO_ATOMIC in said:
            hint = "deployments need it: `git config receive.advertiseAtomic true` there"
            return RemoteError(f"the remote {self.remote} does not support atomic pushes", hint)
        why = _reason(said, refused) or f"exit status {done.returncode}"
        return RemoteError(f"the remote {self.remote}: {why}")


def _rows(porcelain: str) -> list[list[str]]:
    """What became of each ref, of lines ``<flag> TAB <from>:<to> TAB <summary>``."""
    fields = (line.split("\t") for line in porcelain.split("\n"))
    return [row for row in fields if len(row) == 3]  # noqa: PLR2004 (git-push(1), OUTPUT)


def _reason(said: str, refused: str) -> str:
    """The line of git's complaint that says why; ``refused`` is what it says of the first ref it could not push."""
    lines = [line.strip() for line in said.split("\n") if line.strip() and not line.startswith(_EMPTY_WORDS)]
    if _BOILERPLATE in lines[1:]:
        return lines[lines.index(_BOILERPLATE, 1) - 1]
    tagged = [line for line in lines if _TAGGED.match(line)]
    return next(iter(tagged), refused or (lines[-1] if lines else ""))
