"""Pure: whether hookci finds what bandit finds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.figures import OURS, Table

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Agreement", "Place", "agreement"]

_NAMED = 5

Place = tuple[str, str, int]
"""A finding: its path, its rule and its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many findings both have, those that one of them has alone, and those that are none in tests to hookci."""

    both: int
    only_bandit: tuple[Place, ...] = ()
    only_hookci: tuple[Place, ...] = ()
    tests: int = 0

    def table(self) -> Table:
        """A line for what both find, and for what only one of them does."""
        rows = [["with the same path, rule and line", f"{self.both:,}"]]
        rows.append([f"of bandit in tests, of rules that {OURS} leaves out there", f"{self.tests:,}"])
        for name, places in (("bandit", self.only_bandit), (OURS, self.only_hookci)):
            named = ", ".join(f"{path}:{line} {rule}" for path, rule, line in places[:_NAMED])
            more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
            rows.append([f"of {name} alone", named + more if places else "none"])
        return Table("Findings", ["", ""], rows)


def agreement(bandit: Collection[Place], hookci: Collection[Place], left_out: Collection[Place]) -> Agreement:
    """Hold what hookci finds against what bandit finds, each as often as it is there.

    Args:
        bandit: what bandit finds.
        hookci: what hookci finds with it.
        left_out: those of ``bandit`` whose rules make no sense in tests.
    """
    theirs, ours, tests = Counter(bandit), Counter(hookci), Counter(left_out)
    wanted = theirs - tests
    return Agreement(
        both=(wanted & ours).total(),
        only_bandit=tuple(sorted((wanted - ours).elements())),
        only_hookci=tuple(sorted((ours - wanted).elements())),
        tests=(theirs & tests).total(),
    )
