"""Errors hookci raises on purpose, and the exit status each one ends in.

A red job is not an error: it is a `RunResult` and ends in status 1.  An error
says that hookci could not reach a verdict, so the hook fails closed.

* HookciError            3  a machine hookci cannot work on
  x UsageError           2  the command line makes no sense
    + ConfigError        2  the pipeline's config is wrong; carries every problem found
    + ProtocolError      2  git handed the hook something githooks(5) forbids
  x UnconfiguredError    2  a pushed tree has no config
  x GitError             3  git, or another program hookci itself needs, failed; `hookci.git` has its own kinds of it
  x StateError           3  hookci's own files are unusable: foreign, a symlink, newer, unwritable
  x WorkspaceError       3  a clean checkout could not be made
  x InterruptedRunError 130  a person or the system ended the run
  x RolledBackError      4  a deployment failed, and the release before it is live again
  x StuckError           5  a deployment failed, and so did going back
  x WaitingError         6  a person has to agree first: approval, trust
  x LockHeldError       75  somebody else is deploying there
"""

from __future__ import annotations

from msgspec import Struct

__all__ = [
    "ConfigError",
    "ConfigProblem",
    "GitError",
    "HookciError",
    "InterruptedRunError",
    "LockHeldError",
    "ProtocolError",
    "RolledBackError",
    "StateError",
    "StuckError",
    "UnconfiguredError",
    "UsageError",
    "WaitingError",
    "WorkspaceError",
]


class HookciError(Exception):
    """No verdict could be reached.

    Args:
        message: what is wrong and where; lower case, no full stop.
        hint: the next thing to type or do, when it is certain.
    """

    exit_status = 3

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(HookciError):
    """The command line makes no sense."""

    exit_status = 2


class ProtocolError(UsageError):
    """Git handed the hook something that githooks(5) forbids."""


class ConfigProblem(Struct, frozen=True):
    """One thing wrong in a config: ``path`` is the key path, such as ``jobs.unit.script``.

    ``path`` is empty when the whole file is meant; ``hint`` says what to write instead.
    """

    path: str
    message: str
    hint: str | None = None


class ConfigError(UsageError):
    """The config of a snapshot is wrong; every problem found is listed, not only the first.

    Args:
        source: where the config was read, such as ``hookci.toml`` or ``pyproject.toml [tool.hookci]``.
        problems: at least one.
    """

    def __init__(self, source: str, problems: tuple[ConfigProblem, ...]) -> None:
        count = len(problems)
        super().__init__(f"{source}: {count} problem{'s' if count != 1 else ''}")
        self.source = source
        self.problems = problems


class UnconfiguredError(HookciError):
    """A tree that is to be pushed has no pipeline, so nothing can vouch for it."""

    exit_status = 2


class GitError(HookciError):
    """A git command of hookci's own failed."""


class StateError(HookciError):
    """Hookci's own files are unusable: foreign, a symlink, made by a newer version, not writable."""


class WorkspaceError(HookciError):
    """A clean checkout of the snapshot could not be made."""


class RolledBackError(HookciError):
    """A deployment failed, and the release before it is live again."""

    exit_status = 4


class StuckError(HookciError):
    """A deployment failed, and the release before it is not live again either, or there was none."""

    exit_status = 5


class WaitingError(HookciError):
    """A person has to agree first."""

    exit_status = 6


class LockHeldError(HookciError):
    """Somebody else is deploying to the same environment (sysexits.h: EX_TEMPFAIL)."""

    exit_status = 75


class InterruptedRunError(HookciError):
    """A person or the system ended the run before a verdict was reached."""

    exit_status = 130
