"""The command line: ``hookci COMMAND``; one module for each group of commands."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import time
from typing import TYPE_CHECKING

import click

import hookci
from hookci.cli.afterwards import tidy_up_later
from hookci.cli.surroundings import guarded, read_machine, write_out
from hookci.errors import HookciError, UsageError
from hookci.git.nearby import common_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hookci.git.ahead import Ahead

__all__ = ["cli", "run_command"]

_COMMANDS = {
    "init": "setup",
    "install": "setup",
    "uninstall": "setup",
    "check": "setup",
    "schema": "setup",
    "run": "running",
    "plan": "running",
    "play": "play",
    "push": "push",
    "scan": "scan",
    "deploy": "deploy",
    "rollback": "deploy",
    "releases": "deploy",
    "trust": "permission",
    "approve": "permission",
    "unlock": "deploy",
    "forget": "memory",
    "verify-memory": "memory",
    "explain": "explain",
    "include": "include",
    "export": "export",
    "gc": "gc",
    "doctor": "doctor",
    "status": "history",
    "runs": "history",
    "log": "history",
    "advisories": "advisories",
    "notify": "notify",
    "completion": "completion",
}
"""Every command and the module it lives in; a module is imported when one of its commands is used."""
_WITHOUT_ALARMS = {"completion", "schema", "status"}
"""What is read by a program, and what tells of every environment anyway."""
_RUNNING = {"run", "play", "push", "scan", "deploy"}
"""What makes files."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"hookci.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415 (only for what is not there)

            near = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(_COMMANDS)}"
            raise click.UsageError(f"there is no command `{args[0]}`; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(hookci.__version__, prog_name="hookci")
def cli() -> None:
    """CI/CD in git hooks: every commit and push is judged on exactly what is sent.

    Start with `hookci init` and `hookci install`.
    """


def run_command(argv: Sequence[str], ahead: Ahead | None = None) -> int:
    """Run one command, ahead of which git may have been asked; the result is the exit status."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # always a TextIOWrapper here
    tell = _teller(argv)

    def run() -> int:
        _raise_alarms(argv)
        return _run(argv, tell, ahead)

    status = guarded(run, tell)
    if argv[:1] and argv[0] in _RUNNING:
        tidy_up_later()
    return status


def _raise_alarms(argv: Sequence[str]) -> None:
    """Say what went wrong with deployments while nobody watched, until somebody has dealt with it."""
    if not argv or argv[0] not in _COMMANDS.keys() - _WITHOUT_ALARMS or "_HOOKCI_COMPLETE" in os.environ:
        return
    machine = read_machine()
    common = common_directory(machine.cwd, machine.env)
    if common is None or not (common / "hookci" / "deploy").is_dir():
        return
    from hookci.report.terminal import wants_color  # noqa: PLC0415 (few repositories deploy)
    from hookci.report.words import notice  # noqa: PLC0415 (as above)
    from hookci.standing import alarms  # noqa: PLC0415 (as above)

    color = wants_color("auto", is_tty=sys.stderr.isatty(), env=machine.env)
    for alarm in alarms(machine, common / "hookci"):
        write_out(sys.stderr, notice(alarm, "warning", color=color) + "\n")


def _teller(argv: Sequence[str]) -> Callable[[HookciError], None]:
    """Tells an error to the program that reads the standard output; also one of a line that click cannot parse."""
    options = set(itertools.takewhile(lambda part: part != "--", argv))

    def tell(error: HookciError) -> None:
        if "--json" in options:
            from hookci.report.machine import as_json, error_document  # noqa: PLC0415 (only when something is wrong)

            write_out(sys.stdout, as_json(error_document(error)))
        elif "--events" in options:
            from hookci.report.events import error_event  # noqa: PLC0415 (as above)
            from hookci.report.machine import as_json  # noqa: PLC0415

            write_out(sys.stdout, as_json(error_event(error, time.time())))

    return tell


def _run(argv: Sequence[str], tell: Callable[[HookciError], None], ahead: Ahead | None) -> int:
    try:
        status = cli.main(args=list(argv), prog_name="hookci", standalone_mode=False, obj=ahead)
    except click.ClickException as error:
        error.show()
        tell(UsageError(error.format_message()))
        return UsageError.exit_status
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return status if isinstance(status, int) else 0
