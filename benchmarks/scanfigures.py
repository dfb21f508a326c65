"""Pure: what is measured of scans, and the figures that are made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.figures import OURS, Spread, spread
from benchmarks.report import markdown, table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from benchmarks.figures import Time

__all__ = [
    "ADVISORIES",
    "BANDIT",
    "DIFF",
    "FIRST",
    "INSIDE",
    "PUSH",
    "SMALL",
    "Agreement",
    "Place",
    "ScanResults",
    "agreement",
    "scan_json",
    "scan_page",
    "scan_terminal",
]

BANDIT, FIRST, PUSH = "bandit -r", "the first full scan", "a push of one changed file"
DIFF, ADVISORIES, SMALL = "secrets in 400 added lines", "advisories about 5 requirements", "a small project, all scans"
INSIDE = "inside the job"

_LIMITS = {FIRST: 1.0, PUSH: 0.2}
_MILLISECONDS = {DIFF: 50, ADVISORIES: 200, SMALL: 2000}

Place = tuple[str, str, int]
"""A finding: its path, its rule and its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many findings both have, those that one of them has alone, and those that are none in tests to hookci."""

    both: int
    only_bandit: tuple[Place, ...] = ()
    only_hookci: tuple[Place, ...] = ()
    tests: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResults:
    """One run of the benchmark.

    ``tree`` says what was scanned.  ``times`` has the times of whole commands, those of `BANDIT`, `FIRST` and `PUSH`
    one of each round; ``inside`` what jobs took by hookci's own account, in milliseconds.
    """

    facts: Mapping[str, str]
    tree: str
    agreement: Agreement
    times: Mapping[str, Sequence[Time]]
    inside: Mapping[str, Sequence[float]]

    def of_bandit(self, what: str) -> Spread:
        """How long it takes in times of what bandit took in the same round."""
        pairs = zip(self.times[what], self.times[BANDIT], strict=True)
        return spread([ours.wall / theirs.wall for ours, theirs in pairs])

    def of_bandit_cpu(self, what: str) -> Spread:
        """The same of the time on the processors."""
        pairs = zip(self.times[what], self.times[BANDIT], strict=True)
        return spread([ours.cpu / theirs.cpu for ours, theirs in pairs])

    def taken(self, what: str) -> Spread:
        """How long it takes in milliseconds: inside the job if that was measured, or the whole command."""
        return spread(self.inside[what] if what in self.inside else [time.wall for time in self.times[what]])


def scan_terminal(results: ScanResults) -> str:
    """All of it, as plain text."""
    parts = [
        f"{_title(results)}\n\n{table(_BIG, _big(results))}",
        f"{_SMALL_TITLE}\n\n{table(_LITTLE, _little(results))}",
        "\n".join(_told(results.agreement)),
        "\n".join(f"{name}: {value}" for name, value in results.facts.items()),
    ]
    return "\n\n".join(parts) + "\n"


def scan_page(results: ScanResults) -> str:
    """The same in Markdown."""
    parts = [
        "# What a security scan takes",
        "Written by `benchmarks/scan`. Shorter is better.",
        f"{_title(results)}\n\n{markdown(_BIG, _big(results))}",
        f"{_SMALL_TITLE}\n\n{markdown(_LITTLE, _little(results))}",
        "\n".join(f"- {line}" for line in _told(results.agreement)),
        _NOTES,
        markdown(["machine", ""], [[name, value] for name, value in results.facts.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def scan_json(results: ScanResults) -> dict[str, Any]:
    """All that was measured, for ``json.dump``; times are milliseconds."""
    return {
        "facts": dict(results.facts),
        "tree": results.tree,
        "agreement": asdict(results.agreement),
        "commands": {
            what: [{"wall": round(time.wall, 2), "cpu": round(time.cpu, 2)} for time in times]
            for what, times in results.times.items()
        },
        "jobs": {what: [round(taken, 2) for taken in times] for what, times in results.inside.items()},
    }


_NOTES = """\
`bandit -r` is the version that hookci works with, in the same environment, with all its rules. The first full scan is
`hookci run` where nothing is remembered; a push of one changed file is the whole `git push` to a bare repository on the
same disk, hook included. The order within each round is random. 400 added lines are lines of the tree itself. The
database of advisories is made for this, of the size of the public one. The small project has two Python files, a
requirements file, and jobs for code, secrets and dependencies; it is pushed where nothing is remembered, and, if the
system permits it, without a network."""

_SMALL_TITLE = "What is small, in ms: median (and quartiles)"
_BIG = ["", "s", "processor s", "of bandit", "of its processor time", "limit"]
_LITTLE = ["", "ms", "limit", ""]


def _title(results: ScanResults) -> str:
    rounds = len(results.times[BANDIT])
    return f"{results.tree}: median of {rounds} round{'s' * (rounds != 1)} (and quartiles)"


def _big(results: ScanResults) -> list[list[str]]:
    rows = []
    for what in (BANDIT, FIRST, PUSH):
        cpu = spread([time.cpu for time in results.times[what]])
        row = [what, f"{results.taken(what).median / 1000:.2f}", f"{cpu.median / 1000:.2f}"]
        ratios = [results.of_bandit(what), results.of_bandit_cpu(what)] if what != BANDIT else []
        shown = [f"{one.median:.3f} ({one.low:.3f}-{one.high:.3f})" for one in ratios]
        rows.append([*row, *(shown or ["", ""]), str(_LIMITS.get(what, ""))])
    return rows


def _little(results: ScanResults) -> list[list[str]]:
    rows = []
    for what, limit in _MILLISECONDS.items():
        found = results.taken(what)
        where = INSIDE if what in results.inside else "the whole push"
        rows.append([what, f"{found.median:.0f} ({found.low:.0f}-{found.high:.0f})", str(limit), where])
    return rows


def _told(found: Agreement) -> list[str]:
    """A sentence for what both find, and for what only one of them does."""
    lines = [f"findings with the same path, rule and line: {found.both:,}"]
    lines.append(f"findings of bandit in tests, of rules that {OURS} leaves out there: {found.tests:,}")
    for name, places in (("bandit", found.only_bandit), (OURS, found.only_hookci)):
        named = ", ".join(f"{path}:{line} {rule}" for path, rule, line in places[:5])
        more = f" and {len(places) - 5:,} more" if len(places) > 5 else ""  # noqa: PLR2004 (as many as are named)
        lines.append(f"findings of {name} alone: {named + more if places else 'none'}")
    return lines
