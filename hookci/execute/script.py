"""A job's commands as one shell script with the failure semantics people expect of CI."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Script", "make_script", "shell_argv"]

_INVERTED = pattern(r"!\s")
"""A command whose status is inverted: `set -e` overlooks its failure (bash(1), "set"), and nobody means that."""

_BASH = "set -eo pipefail\n"
# dash knows no pipefail, POSIX.1-2024 and newer shells do
_SH = "set -e\n(set -o pipefail) 2>/dev/null && set -o pipefail\n"


class Script(Struct, frozen=True):
    """A script, and the file in which it notes which of ``commands`` it is at; the only one there is needs no note."""

    text: str
    commands: tuple[str, ...]
    step: Path | None

    def command_reached(self) -> str | None:
        """The command that was started last, as it was written; None when none was."""
        if self.step is None:
            return self.commands[0] if self.commands else None
        try:
            return self.commands[int(self.step.read_text(encoding="ascii").split()[-1])]
        except (OSError, ValueError, IndexError):
            return None


def make_script(commands: Sequence[str], *, shell: str, step: Path | None, step_seen: str | None = None) -> Script:
    """One script of all ``commands``: the first that fails ends it, each is shown before it runs.

    Args:
        commands: shell text, each may have several lines.
        shell: ``bash`` or ``sh``; what is written for ``sh`` runs in both.
        step: a file outside the workspace; None for no notes, of a single command.
        step_seen: its path as the script sees it; None for the same.
    """
    lines = [_BASH if shell == "bash" else _SH]
    noted = "" if step is None else shlex.quote(step_seen or str(step))
    for number, command in enumerate(commands):
        first, _, more = command.strip().partition("\n")
        shown = f"$ {first}{' ...' if more else ''}"
        # added to it, not put in its place: a file that is cut to nothing goes to the disk each time on ext4
        if noted:
            lines.append(f"printf '%s ' {number} >> {noted}\n")
        lines.append(f"printf '\\033[1m%s\\033[0m\\n' {shlex.quote(shown)}\n")
        lines.append(_contained(command.strip()))
    return Script("".join(lines), tuple(commands), step)


def _contained(command: str) -> str:
    text = f"{command}\n"
    if _INVERTED.match(command):
        # on a line of its own: a command may end in a comment or a heredoc
        text += "[ $? -eq 0 ] || exit 1\n"
    # the end of a heredoc that was mistyped would make all commands after it part of the document, and so green
    return f"eval {shlex.quote(text + ':')}\n" if "<<" in command else text


def shell_argv(shell: str, program: str, script: str) -> list[str]:
    """How to start a script: no login shell, no start-up files, nothing on its standard input."""
    return [program, "--noprofile", "--norc", script] if shell == "bash" else [program, script]
