"""What a scanner works with, made for a test: a real directory, real processes, and a tree that is held in memory."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from typing import TYPE_CHECKING, TypedDict, Unpack

from msgspec.structs import replace

from hookci.proc.supervise import Cancel, Supervised, supervise
from hookci.proc.tree import TOKEN_VARIABLE
from hookci.scan.adapter import Desk, Finished, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["NOW", "DeskChanges", "desk", "oid_of", "runner", "tree"]

NOW = 1_790_000_000.0
"""The time on every desk."""


class DeskChanges(TypedDict, total=False):
    """What a test wants otherwise than `desk` has it."""

    directory: Path
    processors: int
    environment: Mapping[str, str]
    python: str
    data: Path
    salt: bytes
    now: float
    check: Callable[[], None]
    say: Callable[[str], None]
    run: Callable[[Sequence[str], Mapping[str, str], float], Finished]


def runner(
    directory: Path, cancel: Cancel | None = None
) -> Callable[[Sequence[str], Mapping[str, str], float], Finished]:
    """A `Desk.run` that starts real processes in ``directory``, as the executor's does."""
    asked, token = cancel or Cancel(), secrets.token_hex(8)

    def run(argv: Sequence[str], environment: Mapping[str, str], timeout: float) -> Finished:
        pieces: list[bytes] = []
        errors = directory / f"errors-{secrets.token_hex(4)}"
        what = Supervised(
            argv=argv,
            cwd=str(directory),
            env={**environment, TOKEN_VARIABLE: token},
            timeout=timeout,
            token=token,
            directory=str(directory),
            errors=errors,
        )
        ended = supervise(what, pieces.append, asked, lambda: None)
        told = errors.read_bytes()
        errors.unlink()
        return Finished(why=ended.why, returncode=ended.returncode, output=b"".join(pieces), errors=told)

    return run


def desk(tmp_path: Path, **changes: Unpack[DeskChanges]) -> Desk:
    """A desk below ``tmp_path`` (directories ``desk`` and ``data``) with two processors and nothing to stop it."""
    directory = changes.get("directory", tmp_path / "desk")
    directory.mkdir(mode=0o700, exist_ok=True)
    data = tmp_path / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    usual = Desk(
        directory=directory,
        processors=2,
        environment={"PATH": os.environ["PATH"]},
        python=sys.executable,
        data=data,
        salt=b"salt",
        now=NOW,
        check=lambda: None,
        say=lambda _line: None,
        run=runner(directory),
    )
    return replace(usual, **changes)


def oid_of(contents: bytes) -> str:
    """The object name git gives to a file's contents."""
    return hashlib.sha1(b"blob %d\0" % len(contents) + contents, usedforsecurity=False).hexdigest()


def tree(files: Mapping[str, str | bytes], executable: Iterable[str] = ()) -> Tree:
    """A tree of files held in memory; text is UTF-8."""
    contents = {path: file.encode() if isinstance(file, str) else file for path, file in files.items()}
    objects = {oid_of(file): file for file in contents.values()}

    def read(oids: Iterable[str]) -> dict[str, bytes]:
        return {oid: objects[oid] for oid in oids}

    return Tree(
        oids={path: oid_of(file) for path, file in contents.items()}, executable=frozenset(executable), read=read
    )
