from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from markdown_pages import DOCS, ROOT, tables

from hookci import errors
from hookci.cli.commands import cli
from hookci.config.settings import read_settings
from hookci.model.result import Outcome, Verdict
from hookci.report.words import told

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = DOCS / "reference"


def commands() -> dict[str, click.Command]:
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_the_reference_says_what_the_code_says(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make-reference"

    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)

    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in REFERENCE.iterdir()}, "run scripts/make-reference"


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    text = (REFERENCE / "commands.md").read_text()

    section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]

    assert f"$ hookci {name}" in section
    options = [option for option in commands()[name].params if isinstance(option, click.Option)]
    assert [flag for option in options for flag in option.opts if flag not in section] == []


def test_every_exit_status_is_in_the_reference() -> None:
    kinds = [error for error in vars(errors).values() if isinstance(error, type)]
    wanted = {kind.exit_status for kind in kinds if issubclass(kind, errors.HookciError)}
    wanted |= {verdict.exit_status for verdict in Verdict}

    table = tables(REFERENCE / "exit-statuses.md")[0]

    assert {int(row[0]) for row in table[1:]} == wanted


def test_every_outcome_is_in_the_reference_as_it_is_shown() -> None:
    table = tables(REFERENCE / "exit-statuses.md")[1]

    assert {(row[0].strip("`"), row[1]) for row in table[1:]} == {(outcome, told(outcome)) for outcome in Outcome}


def test_every_setting_is_in_the_reference(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        read_settings({"hookci.zzz": ["1"]}, tmp_path / "config.toml")
    known = (caught.value.problems[0].hint or "").removeprefix("known: ").split(", ")

    table = tables(REFERENCE / "settings.md")[0]

    assert [row[0].strip("`") for row in table[1:]] == [f"hookci.{name}" for name in known]


def test_every_variable_that_hookci_reads_is_in_the_reference() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "hookci").rglob("*.py"))
    read = set(re.findall(r'\benv(?:iron)?\.get\("([A-Z_]+)"', sources))

    table = tables(REFERENCE / "variables.md")[-1]

    assert read - {name.strip("`") for row in table[1:] for name in row[0].split(", ")} == set()
