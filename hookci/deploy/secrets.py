"""The values of an environment's secrets: read from outside of the repository, and never shown."""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hookci.errors import HookciError
from hookci.execute.masking import Masker
from hookci.model.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from hookci.model.environment import SecretSource

__all__ = ["Answer", "SecretDesk", "Secrets", "is_inside", "read_secrets"]

_DEADLINE = 30.0
"""Seconds for a command: a password manager may have to ask its agent, and a person who has to unlock it is there."""
_LARGEST = 64 * 1024
"""Bytes; the environment of a process is a poor place for more."""
_LONGEST_COMPLAINT = 200
_ASSIGNMENT = re.compile(r"\w+=")


class Secrets(Mapping[str, str]):
    """Values by name, which its ``repr`` does not show."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ended: ``why`` is ``exit`` or another word (``timeout``, ``cancel``); its two streams."""

    why: str = "exit"
    returncode: int = 0
    output: bytes = field(default=b"", repr=False)
    errors: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDesk:
    """Where secrets are read.

    ``environment`` is the person's, ``home`` their directory.  ``forbidden`` are the repository's work trees and git
    directories: nothing is taken from there.  ``run`` gives a command to the shell, with no terminal, and ends it with
    all it has started after so many seconds.
    """

    environment: Mapping[str, str] = field(repr=False)
    home: Path
    forbidden: Collection[Path]
    run: Callable[[str, float], Answer]


def read_secrets(sources: Sequence[SecretSource], desk: SecretDesk) -> Secrets:
    """The values of all ``sources``.

    A file must be a regular one that only the person (or root) can write to, of at most 64 KiB, and not reached
    through the repository.  A command has 30 seconds; what it writes to its standard output is the value.  One line
    end at the end of either is not part of it.  Bytes that are no UTF-8 come as surrogates, as in `os.environ`.

    Raises:
        HookciError: a secret cannot be had, is empty or holds a NUL byte.  No value is in it, nor in what led to it.
    """
    found = Secrets({})
    for source in sources:
        found = Secrets({**found, source.name: _checked(source, _value(source, desk, found))})
    return found


def is_inside(path: Path, directories: Collection[Path]) -> bool:
    """Whether ``path`` or what it leads to is one of ``directories``, or below one, by whatever name."""
    known = {(status.st_dev, status.st_ino) for directory in directories if (status := _status(directory))}
    places = {place for end in (path, Path(os.path.realpath(path))) for place in (end, *end.parents)}
    return any((status.st_dev, status.st_ino) in known for place in places if (status := _status(place)))


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _value(source: SecretSource, desk: SecretDesk, before: Secrets) -> bytes:
    if source.command:
        return _without_line_end(_from_command(source, desk, before))
    if source.file:
        return _without_line_end(_from_file(source, desk))
    if source.name not in desk.environment:
        hint = f"export {source.name}, or say in the config which file or command has it"
        raise HookciError(f"the secret `{source.name}` is not in the environment", hint)
    return os.fsencode(desk.environment[source.name])


def _checked(source: SecretSource, value: bytes) -> str:
    # no local of this function may hold the value when it raises but its argument
    problem = "is empty" if not value else "holds a NUL byte" if b"\0" in value else ""
    if problem:
        del value
        raise HookciError(f"the secret `{source.name}`{_origin(source)} {problem}")
    return os.fsdecode(value)


def _origin(source: SecretSource) -> str:
    if source.command:
        return f", from `{_program(source.command)}`,"
    return f", from {source.file}," if source.file else ""


def _without_line_end(value: bytes) -> bytes:
    return value.removesuffix(b"\n").removesuffix(b"\r") if value.endswith(b"\n") else value


# -- files


def _from_file(source: SecretSource, desk: SecretDesk) -> bytes:
    where = f"the secret `{source.name}`: {source.file}"
    path = desk.home / source.file.removeprefix("~/") if source.file.startswith("~/") else Path(source.file)
    if not path.is_absolute():
        raise HookciError(f"{where} is no absolute path", "write it as /... or ~/...")
    if is_inside(path, desk.forbidden):
        raise HookciError(f"{where} is in the repository, which has no secrets", "keep it elsewhere, such as ~/.config")
    try:
        problem, hint, content = _read(os.path.realpath(path))
    except OSError as error:
        raise HookciError(f"{where}: {(error.strerror or str(error)).lower()}") from error
    if problem:
        raise HookciError(f"{where} {problem}", hint and f"{hint} {shlex.quote(str(path))}")
    return content


def _read(path: str) -> tuple[str, str | None, bytes]:
    """Why a file is not read, and what mends that; or its content."""
    # O_NONBLOCK: a named pipe must not hang the open
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        problem, hint = _distrust(os.fstat(descriptor))
        if problem:
            return problem, hint, b""
        with open(descriptor, "rb", closefd=False) as file:
            return "", None, file.read()
    finally:
        os.close(descriptor)


def _distrust(status: os.stat_result) -> tuple[str, str | None]:
    """Why the content of a file is not to be relied on, and the command that mends it."""
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file", None
    if status.st_uid not in {0, os.geteuid()}:
        return f"belongs to another user (uid {status.st_uid})", None
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"can be written by other users (mode {stat.S_IMODE(status.st_mode):04o})", "chmod 600"
    if status.st_size > _LARGEST:
        return f"has {status.st_size} bytes, more than {_LARGEST}", None
    return "", None


# -- commands


def _from_command(source: SecretSource, desk: SecretDesk, before: Secrets) -> bytes:
    answer = desk.run(source.command, _DEADLINE)
    problem = _failure(answer, before)
    if problem:
        raise HookciError(f"the secret `{source.name}`: `{_program(source.command)}` {problem}")
    return answer.output


def _failure(answer: Answer, before: Secrets) -> str:
    """Why a command has no value for us; empty when it has."""
    if answer.why == "timeout":
        return f"did not end within {_DEADLINE:g} s"
    if answer.why != "exit":
        return f"was ended: {answer.why}"
    if answer.returncode != 0:
        return f"failed (exit status {answer.returncode}){_complaint(answer, before)}"
    if len(answer.output) > _LARGEST:
        return f"wrote {len(answer.output)} bytes, more than {_LARGEST}"
    return ""


def _complaint(answer: Answer, before: Secrets) -> str:
    """The last line a command wrote to its standard error, without any value that stands in it."""
    lines = plain(os.fsdecode(answer.errors)).split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    masked = Masker([*before.values(), os.fsdecode(answer.output)]).mask(last)
    return f": {masked[:_LONGEST_COMPLAINT]}" if masked else ""


def _program(command: str) -> str:
    """The first word of a command that is no assignment."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    return next((word for word in words if not _ASSIGNMENT.match(word)), "the command")
