"""Asking pip-audit: about pinned versions at once, about what is left open after pip has resolved it.

Source: pip-audit 2.10, README and ``pip_audit._cli``.  Its exit status is 1 both for findings and for errors, so only
its report counts.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from hookci.scan.dependencies.manifests import with_included
from hookci.scan.dependencies.reading import read_declared
from hookci.scan.installed import installed_directory
from hookci.scan.online.asked import left_open, open_elsewhere, rounds
from hookci.scan.online.common import (
    DEADLINE,
    Answer,
    Known,
    ends_badly,
    not_looked_up,
    private_directory,
    quiet_environment,
    report_in,
    start,
    summed_up,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hookci.scan.adapter import Desk, Finished, Scanned, Tree
    from hookci.scan.online.asked import Open

__all__ = ["ask_pip_audit"]

_SERVICE = "PIP_AUDIT_VULNERABILITY_SERVICE"
_ADDRESS = "PIP_AUDIT_OSV_URL"
_RESOLVING = 180.0  # pip makes an environment of its own first
_ARGUMENTS = ("--strict", "--format", "json", "--desc", "on", "--aliases", "on", "--output", "stdout")
_QUIET = ("--progress-spinner", "off", "--timeout", "15")
_LEFT_OUT = re.compile(rb"^WARNING:pip_audit\._service.*", re.MULTILINE)


def ask_pip_audit(tree: Tree, paths: Sequence[str], desk: Desk) -> Scanned:
    """Look up the versions that ``paths`` pin, and those that pip takes where requirements files leave it open."""
    paths = with_included(tree, paths)
    declared = read_declared(tree, paths, desk.check)
    asks = [partial(_look_up, versions) for versions in rounds(declared.dependencies)]
    asks += [partial(_resolve, file) for file in left_open(tree, paths, desk.check)]
    names = open_elsewhere(declared.dependencies)
    answers = [not_looked_up("pip resolves requirements files only", names, alone=not asks)]
    if _ADDRESS in desk.environment:
        answers.append(Answer(notes=(f"asked at {desk.environment[_ADDRESS]}",)))
    while asks and not any(answer.unscanned for answer in answers):
        answers.append(asks.pop(0)(desk))
    return summed_up("pip-audit", declared, answers, desk.now)


def _look_up(versions: dict[str, str], desk: Desk) -> Answer:
    """Ask about versions as they stand."""
    work = private_directory(desk)
    lines = [f"{name}=={version}" for name, version in versions.items()]
    finished = _start(desk, work, lines, ["--no-deps", "--disable-pip"], DEADLINE)
    return _answer(finished, set(versions), DEADLINE)


def _resolve(file: Open, desk: Desk) -> Answer:
    """Ask about the versions pip would install now, with what they depend on.

    Only wheels, and from where pip's own settings say: nothing of a package is run, as building one would.
    """
    here = file.names(here=True)
    elsewhere = not_looked_up("only what this machine would install", file.names() - here, alone=False)
    if not here:
        return elsewhere
    work = private_directory(desk)
    (work / "constraints.txt").write_text("".join(f"{line}\n" for line in file.constraints), encoding="utf-8")
    lines = ["-c constraints.txt", *file.requirements]
    answer = _answer(_start(desk, work, lines, [], _RESOLVING), here, _RESOLVING)
    files = (file.path, *file.files)
    return replace(answer, known=tuple(replace(one, files=files) for one in answer.known), notes=elsewhere.notes)


def _start(desk: Desk, work: Path, lines: Iterable[str], more: Sequence[str], deadline: float) -> Finished:
    file = work / "requirements.txt"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    environment = quiet_environment(desk, work, "PIP_AUDIT_")
    environment |= {name: desk.environment[name] for name in (_SERVICE, _ADDRESS) if name in desk.environment}
    environment = {_SERVICE: "osv"} | environment
    environment |= {"PIP_ONLY_BINARY": ":all:", "PIP_NO_INPUT": "1", "PIP_RETRIES": "1"}
    where = installed_directory("pip_audit")
    argv = [str(Path(__file__).parent / "launch.py"), where, "pip_audit", "--requirement", str(file)]
    argv += [*_ARGUMENTS, *_QUIET, "--cache-dir", str(work / "cache"), *more]
    return start(desk, argv, environment, deadline)


def _answer(finished: Finished, names: set[str], deadline: float) -> Answer:
    report = report_in(finished.output) if finished.why == "exit" else None
    try:
        dependencies = (report or {})["dependencies"]
        skipped = [f"{one['name']}: {one['skip_reason']}" for one in dependencies if "skip_reason" in one]
        asked = [one for one in dependencies if "skip_reason" not in one]
        known = tuple(_known(one, told) for one in asked for told in one["vulns"])
        missing = names - {canonicalize_name(one["name"]) for one in dependencies}
    except (KeyError, TypeError, AttributeError):
        return Answer(unscanned=ends_badly("pip-audit", finished, deadline))
    return Answer(known=known, unscanned=_lacking(finished, bool(known), skipped, missing))


def _lacking(finished: Finished, found: bool, skipped: Sequence[str], missing: Iterable[str]) -> str:  # noqa: FBT001
    """What makes a report less than a whole answer."""
    if skipped:
        return f"pip-audit skipped {'; '.join(skipped)}"
    if names := ", ".join(sorted(missing)):
        return f"pip-audit's report leaves out {names}"
    if left := _LEFT_OUT.search(finished.errors):
        return f"pip-audit left something out: {left.group().decode(errors='replace')}"
    return "" if finished.returncode == found else f"pip-audit ended with exit status {finished.returncode}"


def _known(dependency: dict[str, Any], told: dict[str, Any]) -> Known:
    name = str(told["id"])
    return Known(
        package=dependency["name"],
        version=dependency["version"],
        id=name,
        summary=told.get("description") or "",
        aliases=tuple(sorted(told.get("aliases", ()))),
        fixed=tuple(told.get("fix_versions", ())),
        url=f"https://osv.dev/vulnerability/{name}",
    )
