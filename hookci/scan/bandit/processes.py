"""Bandit's processes: what came of each file, also when one of the processes dies."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from hookci.errors import HookciError
from hookci.proc.supervise import exit_text
from hookci.scan.installed import installed_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.scan.adapter import Desk, Finished
    from hookci.scan.bandit.narrowing import Narrowing

__all__ = ["Looked", "look_at"]

_WORKER = Path(__file__).with_name("worker.py")
_HOME = _WORKER.parents[3]
"""Where hookci is installed."""
_WORTH_A_PROCESS = 50_000
"""Bytes of source that take longer than starting one more process, by far."""
_START_SECONDS = 60.0
_SLOWEST = 20_000
"""Bytes a second, a fiftieth of what bandit does: what takes longer hangs."""


class Looked(Struct, frozen=True):
    """What the processes say: bandit's rule ids by name, what it thinks of the narrowing, and a row for each file.

    The rows are what `hookci.scan.bandit.worker` writes of a file.
    """

    names: Mapping[str, str]
    notes: tuple[str, ...]
    rows: Mapping[str, dict[str, Any]]


def look_at(contents: Mapping[str, bytes], narrowing: Narrowing, desk: Desk) -> Looked:
    """Let bandit look at files.

    Args:
        contents: the files by path, at least one; bandit gets to see nothing else of the tree.
        narrowing: which of its rules are asked for.
        desk: where the processes run.

    Raises:
        ScanStoppedError: from ``desk.check``.
        HookciError: bandit cannot be started.
    """
    place = Path(tempfile.mkdtemp(prefix="bandit-", dir=desk.directory))
    task = _Task(contents, narrowing, desk, place)
    rows: dict[int, dict[str, Any]] = {}
    head: dict[str, Any] = {}
    # a process that dies takes one file with it; the rest is for the next one
    while left := [number for number in range(len(contents)) if number not in rows]:
        desk.check()
        head, more = task.run(left)
        rows |= more
    return Looked(head["names"], tuple(head["notes"]), {path: rows[number] for number, path in enumerate(contents)})


class _Task:
    """The files, each with a number, in one file: no name in the tree can be one on the disk."""

    def __init__(self, contents: Mapping[str, bytes], narrowing: Narrowing, desk: Desk, place: Path) -> None:
        self._desk = desk
        self._place = place
        self._files: list[tuple[int, int, int]] = []
        with (place / "contents").open("wb") as file:
            for number, data in enumerate(contents.values()):
                self._files.append((number, file.tell(), len(data)))
                file.write(data)
        self._about = {
            "sites": [installed_directory("bandit"), str(_HOME)],
            "tests": narrowing.tests,
            "skips": narrowing.skips,
            "contents": str(place / "contents"),
        }

    def run(self, numbers: list[int]) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
        """Start bandit on these files: what it knows, and a row for at least one of them."""
        files = sorted((self._files[number] for number in numbers), key=lambda file: -file[2])
        results = Path(tempfile.mkdtemp(prefix="results-", dir=self._place))
        size = sum(size for _, _, size in files)
        processes = max(1, min(self._desk.processors, len(files), size // _WORTH_A_PROCESS))
        task = results / "task"
        about = {"files": files, "processes": processes, "results": str(results), **self._about}
        task.write_text(json.dumps(about))
        environment = {"PATH": self._desk.environment.get("PATH", "")}
        argv = [self._desk.python, "-I", str(_WORKER), str(task)]
        finished = self._desk.run(argv, environment, _START_SECONDS + size / _SLOWEST)
        if finished.why != "exit":
            self._desk.check()
        head = results / "head"
        rows = dict(_rows(results, "crashed" if finished.why == "exit" else "took too long for"))
        if not rows or not head.exists():
            raise _unstartable(finished)
        return json.loads(head.read_bytes()), rows


def _rows(results: Path, how: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """A row for each file that a process began with; where it came to no end, that is the row."""
    for file in results.iterdir():
        if not file.name.isdecimal():
            continue
        lines = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
        if lines and len(lines[-1]) == 1:
            yield lines[-1][0], {"failed": f"it {how} the scanner", "line": 0}
        yield from (tuple(line) for line in lines if len(line) > 1)


def _unstartable(finished: Finished) -> HookciError:
    said = finished.output.decode(errors="replace").strip().splitlines()
    why = said[-1] if said else exit_text(finished.returncode)
    return HookciError(f"bandit could not be started: {why}", "pip install --force-reinstall 'bandit>=1.9,<2'")
