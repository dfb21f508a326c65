"""All checks, one after the other; one that cannot be made is a finding too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.checkup.engine import examine_engine
from hookci.checkup.hooks import examine_hooks
from hookci.checkup.patient import Patient
from hookci.checkup.pipeline import examine_pipeline, examine_settings
from hookci.checkup.places import examine_cache, examine_state, examine_workspaces
from hookci.errors import ConfigError, GitError, HookciError
from hookci.git.repository import Repository
from hookci.model.checkup import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.session import Machine

__all__ = ["examine"]


def examine(machine: Machine) -> tuple[Finding, ...]:
    """Everything that is found around the current directory, at least one finding for each check.

    Raises:
        UsageError: there is no repository.
    """
    try:
        patient = Patient(machine, Repository.discover(machine.cwd, machine.env))
    except GitError as error:
        return (_inability("git", error),)
    checks = {
        "git": _examine_git,
        "hooks": examine_hooks,
        "pipeline": examine_pipeline,
        "settings": examine_settings,
        "state": examine_state,
        "cache": examine_cache,
        "workspaces": examine_workspaces,
        "engine": examine_engine,
    }
    return tuple(finding for name, check in checks.items() for finding in _made(name, check, patient))


def _made(name: str, check: Callable[[Patient], Iterator[Finding]], patient: Patient) -> list[Finding]:
    findings: list[Finding] = []
    try:
        findings.extend(check(patient))
    except HookciError as error:
        findings.append(_inability(name, error))
    return findings


def _inability(name: str, error: HookciError) -> Finding:
    message, mend = error.message, error.hint
    if isinstance(error, ConfigError):
        first, *more = error.problems
        message = f"{error.source}: {f'{first.path}: ' if first.path else ''}{first.message}"
        message += f", and {len(more)} more" if more else ""
        mend = mend or "hookci check"
    return Finding(name, Level.PROBLEM, message, mend)


def _examine_git(patient: Patient) -> Iterator[Finding]:
    version = patient.repository.git("version").stdout.decode(errors="replace")
    yield Finding("git", Level.OK, version.strip().removeprefix("git version "))
