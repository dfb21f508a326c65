"""What a clean workspace costs, beside the ways to have one without hookci."""

from __future__ import annotations

import itertools
import shutil
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.driven import driven
from benchmarks.figures import Bound, Found, Part, Table
from benchmarks.harness import Scene, act
from benchmarks.repositories import change, commit, files, git, repository, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from benchmarks.driven import Driven
    from benchmarks.harness import Bench, Effort

__all__ = ["scenes"]

_CHANGED = 10
_ONE, _SECOND, _TWO = "a workspace", "a second one", "two at once"
_COPY, _COPIES = "a checkout of its own", "two of these at once"
_ADDED, _LINKED, _STASHED = "worktree add", "cp -al", "stash"


def scenes(effort: Effort) -> list[Scene]:
    """All in one repository."""
    count = effort.pick(20_000, 2_000)
    clean = f"clean workspace, {count:,} files, {_CHANGED} changed"
    bounds = {
        _ADDED: Bound(what=clean, against="`git worktree add` fresh", at_most=0.1),
        _SECOND: Bound(what="a second side-by-side view of it", against="`cp -al` of it", at_most=0.1),
        _STASHED: Bound(what=clean, against="`git stash -k -u` and pop", at_most=0.35),
        _TWO: Bound(what="two side-by-side workspaces of it", against="one", at_most=1.25),
    }
    return [Scene(f"workspaces, {count:,} files", bounds, lambda bench: _measure(count, bench))]


def _measure(count: int, bench: Bench) -> dict[str, Found]:
    path = repository(bench.directory() / "project", files(count), bench.environment)
    with driven(bench.environment) as driver:
        ways = _Ways(path, bench, driver)
        samples = bench.rounds(
            [
                lambda: ways.workspaces(_ONE),
                lambda: ways.workspaces(_SECOND, held=1),
                lambda: ways.workspaces(_TWO, at_once=2),
                lambda: ways.workspaces(_COPY, setting="copies"),
                lambda: ways.workspaces(_COPIES, setting="copies", at_once=2),
                act(_ADDED, ways.worktree_add),
                act(_LINKED, ways.linked),
                act(_STASHED, ways.stashed),
            ],
            15,
        )
    names = (_ONE, _SECOND, _TWO, _COPY, _COPIES)
    rows = [[name, *(f"{statistics.median(samples.of(key)):.1f}" for key in (name, f"{name}, back"))] for name in names]
    bench.tables.append(Table(f"Workspaces, ms; {_ONE} is {ways.kind}", ["", "to have it", "to give it back"], rows))
    status = Part("`git status` of as many files", ways.status())

    def compared(ours: str, theirs: str) -> Found:
        back = Part("giving it back, not counted", statistics.median(samples.of(f"{ours}, back")))
        return Found(ours=samples.of(ours), theirs=samples.of(theirs), parts=[status, back])

    return {
        _ADDED: compared(_ONE, _ADDED),
        _SECOND: compared(_SECOND, _LINKED),
        _STASHED: compared(_ONE, _STASHED),
        _TWO: compared(_TWO, _ONE),
    }


@dataclass(slots=True)
class _Ways:
    """Ways to have the files of a commit, each after some of them were changed, with how many milliseconds it takes."""

    path: Path
    bench: Bench
    driver: Driven
    kind: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def _change(self) -> str:
        change(self.path, next(self._numbers), _CHANGED)
        return commit(self.path, self.bench.environment)

    def workspaces(
        self, name: str, *, held: int = 0, at_once: int = 1, setting: str | None = None
    ) -> Mapping[str, float]:
        """Have so many workspaces at once, after some that are held, and give all back."""
        made = self._change()
        answer = self.driver.ask(
            "workspaces",
            repository=str(self.path),
            tree=git(self.path, self.bench.environment, "rev-parse", f"{made}^{{tree}}"),
            commit=made,
            held=held,
            at_once=at_once,
            setting=setting,
        )
        if setting is None:
            self.kind = answer["kind"]
        return {name: answer["ms"], f"{name}, back": answer["back"]}

    def worktree_add(self) -> float:
        """A new work tree of git's."""
        name, place = self._change(), self.bench.directory() / "added"
        taken = self.bench.run(["git", "worktree", "add", "-q", "--detach", str(place), name], self.path)
        self.bench.run(["git", "worktree", "remove", "--force", str(place)], self.path)
        return taken

    def linked(self) -> float:
        """A copy of the work tree by hard links."""
        place = self.bench.directory()
        source = [str(path) for path in self.path.iterdir() if path.name != ".git"]
        taken = self.bench.run(["cp", "-al", *source, str(place)], self.path)
        shutil.rmtree(place)
        return taken

    def stashed(self) -> float:
        """Put away what is not staged, and what is not tracked, and bring it back."""
        environment = self.bench.environment
        change(self.path, next(self._numbers), _CHANGED // 2)
        git(self.path, environment, "add", "-A")
        change(self.path, next(self._numbers), _CHANGED)
        write(self.path, {"untracked.txt": "x\n"})
        taken = self.bench.run(["git", "stash", "push", "-q", "--keep-index", "--include-untracked"], self.path)
        git(self.path, environment, "reset", "-q", "--hard")
        taken += self.bench.run(["git", "stash", "pop", "-q"], self.path)
        git(self.path, environment, "reset", "-q", "--hard")
        git(self.path, environment, "clean", "-fdq")
        return taken

    def status(self) -> float:
        """What git needs to look at all files once."""
        return statistics.median(self.bench.run(["git", "status", "--porcelain"], self.path) for _ in range(5))
