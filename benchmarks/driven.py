"""hookci's own rooms, asked for what no command does alone: see `benchmarks/driver.py`."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import rivals
from benchmarks.harness import BenchmarkError
from benchmarks.machine import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Driven", "driven"]


@dataclass(frozen=True, slots=True)
class Driven:
    """A process of hookci's Python that answers."""

    process: subprocess.Popen[str]

    def ask(self, what: str, **options: str | int | list[str] | None) -> dict[str, Any]:
        """What it answers; ``ms`` is how long it took.

        Raises:
            BenchmarkError: it could not do that.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise BenchmarkError("the driver has no pipes")
        try:
            self.process.stdin.write(json.dumps({"do": what, **options}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise BenchmarkError(f"benchmarks/driver.py has ended with {self.process.wait()}") from error
        line = self.process.stdout.readline()
        if not line:
            raise BenchmarkError(f"benchmarks/driver.py could not do `{what}`, and ended with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def driven(environment: Mapping[str, str]) -> Iterator[Driven]:
    """A driver for as long as it is needed; what goes wrong in it is on the standard error."""
    argv = [str(rivals.OWN / "bin" / "python"), "-I", str(ROOT / "benchmarks" / "driver.py")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield Driven(process)
