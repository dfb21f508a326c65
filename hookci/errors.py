"""Errors hookci raises on purpose, and the exit status each one ends in.

A red job is not an error: it is a `RunResult` and ends in status 1.  An error
says that hookci could not reach a verdict, so the hook fails closed.

* HookciError            3  a machine hookci cannot work on
  x UsageError           2  the command line makes no sense
    + ConfigError        2  the pipeline's config is wrong; carries every problem found
    + ProtocolError      2  git handed the hook something githooks(5) forbids
  x UnconfiguredError    2  a pushed tree has no config
  x GitError             3  git, or another program hookci itself needs, failed
  x StateError           3  hookci's own files are unusable: foreign, a symlink, newer, unwritable
  x WorkspaceError       3  a clean checkout could not be made
  x InterruptedRunError 130  a person or the system ended the run
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ConfigError",
    "ConfigProblem",
    "GitError",
    "HookciError",
    "InterruptedRunError",
    "ProtocolError",
    "StateError",
    "UnconfiguredError",
    "UsageError",
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


@dataclass(frozen=True, slots=True)
class ConfigProblem:
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


class InterruptedRunError(HookciError):
    """A person or the system ended the run before a verdict was reached."""

    exit_status = 130
