"""Pure: graphs of jobs that sleep or work, and how long they take at least."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WORK", "Node", "critical_path", "graph", "lower_bound"]

WORK = {"work.py": "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass\n"}
"""A file for the jobs that work; the processor time of the interpreter's own start counts."""
_WIDTH = 5
"""Jobs of one layer; each needs one or two of the layer before."""


@dataclass(frozen=True, slots=True)
class Node:
    """A job that sleeps for some seconds, or ``works``: uses a core for so many."""

    name: str
    seconds: float
    works: bool
    needs: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What the job's shell runs, with `WORK` beside it."""
        return f"{sys.executable} -I -S work.py {self.seconds}" if self.works else f"sleep {self.seconds}"


def graph(count: int, *, seconds: float, seed: int = 1) -> list[Node]:
    """So many jobs of some ``seconds`` each, half of them working; the same for the same arguments."""
    chance = random.Random(seed)  # noqa: S311 (the same graph each time)
    nodes: list[Node] = []
    for number in range(count):
        layer = number // _WIDTH
        before = [node.name for node in nodes[(layer - 1) * _WIDTH : layer * _WIDTH]] if layer else []
        needs = tuple(sorted(chance.sample(before, min(len(before), chance.randint(1, 2))))) if before else ()
        nodes.append(Node(f"job{number}", round(seconds * chance.uniform(0.3, 1.7), 3), number % 2 == 0, needs))
    return nodes


def critical_path(nodes: Sequence[Node]) -> float:
    """Seconds of the longest chain; jobs come after those they need."""
    ends: dict[str, float] = {}
    for node in nodes:
        ends[node.name] = node.seconds + max((ends[name] for name in node.needs), default=0.0)
    return max(ends.values())


def lower_bound(nodes: Sequence[Node], at_once: int) -> float:
    """Seconds that no order of the jobs beats, so many at a time: the longest chain, or all work shared evenly."""
    return max(critical_path(nodes), sum(node.seconds for node in nodes) / at_once)
