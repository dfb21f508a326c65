"""What a hook adds to a commit and a push."""

from __future__ import annotations

import functools
import itertools
import shutil
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import rivals
from benchmarks.figures import OURS, Bound, Found, Table
from benchmarks.harness import BenchmarkError, Scene
from benchmarks.managers import EMPTY, MANAGERS, NO_HOOK, PRE_COMMIT, PREK, Manager
from benchmarks.repositories import add_remote, change, commit, files, git, repository, write
from benchmarks.splits import Split, split_commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from benchmarks.harness import Bench, Effort, Samples

__all__ = ["Hooked", "scenes"]

_COMMIT, _PUSH = "commit", "push"
_NEW, _AGAIN = "of a new tree", "of a remembered tree"
_KINDS = [f"{act} {tree}" for act in (_COMMIT, _PUSH) for tree in (_NEW, _AGAIN)]


def scenes(effort: Effort) -> list[Scene]:
    """A small repository and a larger one."""
    return [
        Scene(f"hooks, {count:,} files", dict(_bounds(count)), functools.partial(_measure, count))
        for count in (100, effort.pick(5_000, 1_000))
    ]


def _bounds(count: int) -> Iterator[tuple[str, Bound]]:
    """By what is done and who does it too."""
    for act in (_COMMIT, _PUSH):
        what = f"{act} {_AGAIN}, {count:,} files: time added"
        yield f"{act} {_AGAIN}/{PREK}", Bound(what=what, against="prek's with one `true` hook", at_most=0.25)
    what = f"{_COMMIT} {_NEW} with one trivial job, {count:,} files: time added"
    for name, at_most in ((PRE_COMMIT, 0.5), (PREK, 5.0)):
        against = f"{name}'s with one `true` hook"
        yield f"{_COMMIT} {_NEW}/{name}", Bound(what=what, against=against, at_most=at_most)


def _measure(count: int, bench: Bench) -> dict[str, Found]:
    bench.add_programs(rivals.python_rivals())
    template = repository(bench.directory() / "template", files(count), bench.environment)
    hooked = [Hooked.make(bench, template, manager) for manager in MANAGERS.values()]
    ran = {one.manager.name: _jobs_run(one) for one in hooked if one.manager.judges}
    samples = bench.rounds([act for one in hooked for act in (one.commit, one.push)], 21)
    ours = next(one for one in hooked if one.manager.name == OURS)
    splits = {
        _NEW: split_commit(ours.path, bench, ours.edit),
        _AGAIN: split_commit(ours.path, bench, lambda: None, "--amend", "--no-edit"),
    }
    bench.tables += [_added(count, samples), *_ran(ran), *_details(count, splits)]
    return {
        key: Found(
            ours=samples.beyond(f"{kind} {OURS}", f"{kind} {NO_HOOK}"),
            theirs=samples.beyond(f"{kind} {name}", f"{kind} {NO_HOOK}"),
            parts=splits[_NEW if _NEW in kind else _AGAIN].parts if _COMMIT in kind else (),
        )
        for key, _bound in _bounds(count)
        for kind, _, name in [key.partition("/")]
    }


@dataclass(slots=True)
class Hooked:
    """A repository with the hooks of ``manager``, and a bare remote beside it."""

    manager: Manager
    path: Path
    bench: Bench
    _edits: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def make(cls, bench: Bench, template: Path, manager: Manager) -> Hooked:
        """A copy of ``template`` with hooks that run ``true``."""
        path = template.with_name(manager.name.replace(" ", "-"))
        shutil.copytree(template, path)
        add_remote(path, bench.environment)
        hooked = cls(manager, path, bench)
        hooked.configure("true")
        if manager.install:
            bench.run(manager.install, path)
        if manager.name == EMPTY:
            for name in ("pre-commit", "pre-push"):
                hook = path / ".git" / "hooks" / name
                hook.write_text("#!/bin/sh\n", encoding="utf-8")
                hook.chmod(0o755)
        return hooked

    def configure(self, command: str) -> None:
        """Let the hooks run ``command`` from now on."""
        if self.manager.judges:
            write(self.path, {self.manager.config_name: self.manager.config(trivial=command)})
        self.edit()
        commit(self.path, self.bench.environment)

    def edit(self) -> None:
        """Change one file, as it never was before, and add it."""
        change(self.path, next(self._edits))
        git(self.path, self.bench.environment, "add", "-A")

    def commit(self) -> Mapping[str, float]:
        """Commit a new tree, then the same tree again."""
        self.edit()
        new = self._timed("commit", "-q", "-m", "a change")
        return self._named(_COMMIT, new, self._timed("commit", "-q", "--amend", "--no-edit"))

    def push(self) -> Mapping[str, float]:
        """Push a new tree, then another commit of the same tree, which the remote does not have either."""
        environment = self.bench.environment
        self.edit()
        commit(self.path, environment)
        # an amended commit may be on the remote already
        new = self._timed("push", "-q", "--force", "origin", "main")
        git(self.path, environment, "commit", "-q", "--amend", "--no-verify", "-m", "other words")
        return self._named(_PUSH, new, self._timed("push", "-q", "--force", "origin", "main"))

    def _named(self, act: str, new: float, again: float) -> Mapping[str, float]:
        return {f"{act} {tree} {self.manager.name}": taken for tree, taken in ((_NEW, new), (_AGAIN, again))}

    def _timed(self, *words: str) -> float:
        return self.bench.run(["git", *words], self.path)


def _jobs_run(one: Hooked) -> list[int]:
    """How often the job runs on each act: that it does at all shows that something is measured."""
    place = one.bench.directory()
    log, count = place / "ran", place / "count"
    log.touch()
    count.write_text(f"#!/bin/sh\necho >> '{log}'\n", encoding="utf-8")
    count.chmod(0o755)
    one.configure(str(count))
    found = []
    for act in (_COMMIT, _PUSH):
        # what the second act adds is seen by counting after each
        before = log.stat().st_size
        getattr(one, act)()
        found.append(log.stat().st_size - before)
    one.configure("true")
    if 0 in found:
        raise BenchmarkError(f"{one.manager.name} does not run its job")
    return found


def _ran(ran: Mapping[str, list[int]]) -> list[Table]:
    rows = [[name, *map(str, counts)] for name, counts in ran.items()]
    title = "How often the job ran in two commits, and in two pushes, of one tree"
    return [Table(title, ["", "commits", "pushes"], rows)]


def _added(count: int, samples: Samples) -> Table:
    names = [name for name in MANAGERS if name != NO_HOOK]
    rows = []
    for kind in _KINDS:
        none = f"{kind} {NO_HOOK}"
        added = [statistics.median(samples.beyond(f"{kind} {name}", none)) for name in names]
        rows.append([kind, *(f"{value:.1f}" for value in (statistics.median(samples.of(none)), *added))])
    return Table(f"What each hook adds, in ms, {count:,} files", ["", "with no hook", *names], rows)


def _details(count: int, splits: Mapping[str, Split]) -> Iterator[Table]:
    for tree, split in splits.items():
        title = f"hookci in a {_COMMIT} {tree}, {count:,} files"
        if split.packages:
            yield Table(f"{title}: what takes longest to import", ["package", "ms"], split.packages)
        yield Table(f"{title}: git processes", ["git", "ms inside"], split.asked)
