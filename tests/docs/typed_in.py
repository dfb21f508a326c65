"""Pages of the documentation, typed in by nobody: files are written, commands run, and what they show is compared."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_pages import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Sealed
    from markdown_pages import Block

__all__ = ["type_in"]


@dataclass(frozen=True)
class Command:
    """A command of a console block, the exit status it must have, and the lines that the page shows for it."""

    line: str
    status: int
    shows: tuple[str, ...]


def _commands(block: Block) -> Iterator[Command]:
    """The commands of a block; a comment ``<!-- exits N -->`` before it is about the last one."""
    marked = re.fullmatch(r"<!-- exits (\d+) -->", block.before)
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    for number, part in enumerate(parts, start=1):
        line, *shows = part.splitlines()
        yield Command(line, int(marked[1]) if marked and number == len(parts) else 0, tuple(shows))


def _pattern(shows: tuple[str, ...]) -> str:
    """What output has to look like: a line ``...`` stands for any lines, ``...`` for any text, times may differ."""
    lines = []
    for line in shows:
        text = re.escape(line).replace(re.escape("..."), ".*")
        lines.append(r"(?:.*\n)*" if line == "..." else re.sub(r"\d+\\\.\d+s", r"\\d+\\.\\d+s", text) + r"\n")
    return "".join(lines)


class _Shell:
    """Runs one command after another, each where the one before left off."""

    def __init__(self, directory: Path, sealed: Sealed) -> None:
        self.directory = directory
        self._env = {**sealed.env, "COLUMNS": "200"}
        self._note = sealed.home / "where"

    def run(self, line: str) -> tuple[int, str]:
        script = f"cd {shlex.quote(str(self.directory))}\n{line}\nstatus=$?\npwd > {self._note}\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        self.directory = self.directory.__class__(self._note.read_text().strip())
        return done.returncode, done.stdout


def type_in(page: Path, directory: Path, sealed: Sealed, *, below: str = "") -> int:
    """Do what a page says, from the heading ``below`` on; how many commands that were.

    A block that is no console's goes into the file that the text before it names last.
    """
    shell = _Shell(directory, sealed)
    done = 0
    for block in blocks(page, below=below):
        if block.language != "console":
            name = re.findall(r"`([^`]+)`", block.before)[-1]
            (shell.directory / name).write_text(block.text)
            continue
        for command in _commands(block):
            status, output = shell.run(command.line)
            done += 1
            seen = f"{block.place}: $ {command.line}\n{output}"
            assert status == command.status, seen
            shown = "".join(f"{line.rstrip()}\n" for line in output.splitlines())
            assert re.fullmatch(_pattern(command.shows), shown), seen
    return done
