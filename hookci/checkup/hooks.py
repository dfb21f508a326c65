"""Whether git finds hookci's hooks, whether they start, and what other managers make of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.checkup.managers import Other, Part, others
from hookci.config.settings import read_settings
from hookci.errors import ConfigError
from hookci.git.hookspath import find_hooks
from hookci.git.install import interpreter_warnings
from hookci.git.installation import installed, read_installation, wanted_hooks
from hookci.git.shims import find_shim, read_shim
from hookci.model.checkup import Finding, Level
from hookci.model.snapshot import HookName
from hookci.proc.run import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from hookci.checkup.patient import Patient
    from hookci.git.hookspath import HooksPath
    from hookci.git.installation import Installed

__all__ = ["examine_hooks"]

_INSTALL = "hookci install"
_TIMEOUT = 60.0
_FIRST_REF = "and hands over only the first ref of a push"


def examine_hooks(patient: Patient) -> Iterator[Finding]:
    """The hooks git looks at; one finding says so when all of them are hookci's and work."""
    found = find_hooks(patient.repository, read_installation(patient.repository).ours)
    here = installed(patient.repository)
    beside = others(patient.repository, here)
    bad = [*_presence(here, beside, found, _wanted(patient)), *_working(patient, here)]
    if here.hooks and not bad:
        yield _finding(Level.OK, f"{', '.join(here.hooks)} in {here.directory}", None)
    yield from bad
    yield from _beside(beside, found)
    yield from _lasting(patient, here)


def _finding(level: Level, message: str, mend: str | None = _INSTALL) -> Finding:
    return Finding("hooks", level, message, mend)


def _wanted(patient: Patient) -> tuple[str, ...]:
    repository = patient.repository
    try:
        follows = read_settings(repository.settings, patient.user_settings).follows_branches
    except ConfigError:  # which is a finding of its own
        follows = False
    return wanted_hooks(repository, follows_branches=follows)


def _presence(here: Installed, beside: tuple[Other, ...], found: HooksPath, wanted: Sequence[str]) -> Iterator[Finding]:
    through = [other for other in beside if other.part in {Part.KEEPS, Part.CALLS}]
    alone = [other for other in beside if other.part is Part.ALONE]
    if not here.hooks and not through:
        message = f"not installed in {here.directory}, where git looks: nothing is judged"
        message += "; core.hooksPath is relative, so every worktree has hooks of its own" if found.relative else ""
        yield _finding(Level.PROBLEM, message)
        return
    # a manager that calls hookci does so where it is told to; but a push has to be judged
    needed = set(wanted) if here.hooks else {str(HookName.PRE_PUSH)}
    for owner, names in _by_owner(other for other in alone if other.hook in needed):
        yield _finding(Level.PROBLEM, f"{owner} has taken the place of {names}, so hookci's does not run there")
    missing = [name for name in here.missing if name in needed]
    if missing:
        yield _finding(Level.PROBLEM, f"missing in {here.directory}: {', '.join(missing)}")


def _beside(beside: tuple[Other, ...], found: HooksPath) -> Iterator[Finding]:
    if found.chained and found.before is not None:
        yield _finding(Level.OK, f"{found.before}, every repository's core.hooksPath, has hooks that run first", None)
    for owner, names in _by_owner(other for other in beside if other.part is Part.FIRST):
        yield _finding(Level.OK, f"{owner} runs before hookci: {names}", None)
    for owner, names in _by_owner(other for other in beside if other.part is Part.KEEPS):
        yield _finding(Level.OK, f"{owner} runs hookci's hooks: {names}", None)
    for other in beside:
        if other.part is Part.CALLS:
            limited = other.hook == HookName.PRE_PUSH and other.owner in {"pre-commit", "prek"}
            level, mend = (Level.WARNING, _INSTALL) if limited else (Level.OK, None)
            yield _finding(level, f"{other.owner} calls hookci: {other.hook}" + f", {_FIRST_REF}" * limited, mend)
        elif other.part is Part.TWICE:
            message = f"{other.owner} runs first and calls hookci too, so it judges twice: {other.hook}"
            yield _finding(Level.WARNING, message, f"take hookci out of {other.config}")


def _by_owner(some: Iterable[Other]) -> list[tuple[str, str]]:
    names: dict[str, list[str]] = {}
    for other in some:
        names.setdefault(other.owner, []).append(other.hook)
    return [(owner, ", ".join(hooks)) for owner, hooks in names.items()]


def _working(patient: Patient, here: Installed) -> Iterator[Finding]:
    ignored = [name for name in here.hooks if not os.access(here.directory / name, os.X_OK)]
    if ignored:
        yield _finding(Level.PROBLEM, f"not executable, so git ignores them: {', '.join(ignored)}")
    if here.gone:
        yield _finding(Level.PROBLEM, f"{here.gone[0]} is gone, so every hook refuses")
    elif here.python and here.main:
        yield from _start(patient, here.python, here.main)
    if any(_is_other_version(here.directory / name) for name in here.hooks):
        yield _finding(Level.WARNING, "made by another version of hookci")


def _start(patient: Patient, python: Path, main: Path) -> Iterator[Finding]:
    argv = [str(python), "-I", str(main), "--version"]
    done = run(argv, cwd=patient.machine.cwd, env=patient.repository.env, timeout=_TIMEOUT)
    if done.returncode != 0:
        yield _finding(Level.PROBLEM, f"{python} cannot start hookci, so every hook refuses: {done.complaint}")


def _is_other_version(path: Path) -> bool:
    shim = find_shim(path)
    return shim is not None and path.read_bytes() != shim.fill(read_shim())


def _lasting(patient: Patient, here: Installed) -> Iterator[Finding]:
    if here.python and here.main and not here.gone:
        for warning in interpreter_warnings(patient.repository, here.python, here.main):
            message, _, mend = warning.rpartition("; ")
            yield _finding(Level.WARNING, message, mend)
    for place in here.elsewhere:
        message = f"hookci's hooks are in {place} too, where git does not look"
        yield _finding(Level.WARNING, message, "hookci uninstall && hookci install")
