"""The identity of findings, with bandit as the finder: what counts as new, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from desk_samples import desk, tree

from hookci.model.finding import Severity, State
from hookci.model.scan import Scan
from hookci.scan.assess import Measure, assess
from hookci.scan.bandit.adapter import BanditScanner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.model.finding import Finding

BASE = """\
import subprocess


class Runner:
    def start(self, command):
        subprocess.call(command, shell=True)
        return 1

    def stop(self, command):
        return 0


def copy(source, target):
    subprocess.call("cp %s %s" % (source, target), shell=True)
"""
CALL = "        subprocess.call(command, shell=True)\n"
ROWS = {
    "a line inserted above": (BASE.replace("class Runner", "LIMIT = 3\n\n\nclass Runner"), 0),
    "a call formatted over lines": (
        BASE.replace(CALL, "        subprocess.call(\n            command,\n            shell=True,\n        )\n"),
        0,
    ),
    "a comment beside it": (BASE.replace(CALL, CALL.rstrip() + "  # as root\n"), 0),
    "a new identical call in the same function": (BASE.replace(CALL, CALL * 2), 1),
    "a new one of its kind in another method": (BASE.replace("        return 0\n", CALL), 1),
    "a new one while an old one is fixed": (
        BASE.replace(CALL, "").replace("        return 0\n", "        subprocess.call(command + '!', shell=True)\n"),
        1,
    ),
    "a variable renamed": (BASE.replace("command", "line"), 1),
    "a function renamed": (BASE.replace("def start", "def begin"), 0),
}


def found(directory: Path, files: Mapping[str, str]) -> tuple[Finding, ...]:
    directory.mkdir()
    snapshot = tree(dict(files))
    answer = BanditScanner().scan(snapshot, list(files), Scan(tool="bandit"), desk(directory))
    return tuple(one for one in answer.findings if one.rule == "B602")


def new(now: tuple[Finding, ...], before: tuple[Finding, ...], renamed: Mapping[str, str] | None = None) -> int:
    measure = Measure(
        scan=Scan(tool="bandit"),
        severity=Severity.LOW,
        confidence=BanditScanner().confidence,
        now=0.0,
        base=before,
        renamed=renamed,
    )
    return sum(one.state is State.NEW for one in assess(now, measure).findings)


@pytest.mark.parametrize("row", ROWS)
def test_only_what_the_base_does_not_have_is_new(row: str, tmp_path: Path) -> None:
    changed, expected = ROWS[row]
    before = found(tmp_path / "before", {"app/run.py": BASE})

    now = found(tmp_path / "now", {"app/run.py": changed})

    assert len(before) == 2
    assert new(now, before) == expected


def test_a_renamed_file_brings_nothing_new(tmp_path: Path) -> None:
    before = found(tmp_path / "before", {"app/run.py": BASE})
    now = found(tmp_path / "now", {"app/start.py": BASE})

    followed = new(now, before, {"app/run.py": "app/start.py"})
    lost = new(now, before)

    assert (followed, lost) == (0, 2)
