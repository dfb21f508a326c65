"""Asking Safety, with an account key or a mirror of its database, so that it can neither hang nor prompt.

Source: the exit statuses of ``safety.constants`` 3.8; https://docs.safetycli.com for the rest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from hookci.model.finding import Severity
from hookci.scan.dependencies.manifests import with_included
from hookci.scan.dependencies.reading import read_declared
from hookci.scan.installed import installed_directory
from hookci.scan.online.asked import left_open, open_elsewhere, rounds
from hookci.scan.online.common import (
    Answer,
    Known,
    counted,
    ends_badly,
    not_looked_up,
    private_directory,
    quiet_environment,
    report_in,
    start,
    summed_up,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hookci.model.scan import Scan
    from hookci.scan.adapter import Desk, Finished, Scanned, Tree

__all__ = ["ask_safety"]

_KEY = "SAFETY_API_KEY"
_HERE = Path(__file__).parent
_CLEAN, _FOUND = 0, 64
_REASONS = {
    2: "safety does not know what it is asked: its version is one that hookci does not know",
    65: f"safety's server does not accept the account key in {_KEY}",
    66: "safety's server wants fewer requests: try again later",
    67: "the mirror in `db` does not hold insecure.json and insecure_full.json",
    68: "safety could not fetch its database",
    69: "the database is damaged, or of another schema than this safety reads (2.0.0)",
    72: "the address of the account has not been verified",
}
_UNREACHABLE = ("ConnectError", "ConnectTimeout", "ReadTimeout", "Check your network connection")


def ask_safety(tree: Tree, paths: Sequence[str], scan: Scan, desk: Desk, servers: Mapping[str, str]) -> Scanned:
    """Look up the versions that ``paths`` pin; ``servers`` as in `hookci.scan.online.safety.SafetyScanner`."""
    paths = with_included(tree, paths)
    declared = read_declared(tree, paths, desk.check)
    versions = rounds(declared.dependencies)
    names = {*open_elsewhere(declared.dependencies)}
    names = names.union(*(file.names() for file in left_open(tree, paths, desk.check)))
    answers = [not_looked_up("safety looks up pinned versions only", names, alone=not versions)]
    while versions and not any(answer.unscanned for answer in answers):
        answers.append(_ask(versions.pop(0), scan, desk, servers))
    return summed_up("safety", declared, answers, desk.now)


def _ask(versions: Mapping[str, str], scan: Scan, desk: Desk, servers: Mapping[str, str]) -> Answer:
    work = private_directory(desk)
    file = work / "requirements.txt"
    file.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
    environment = quiet_environment(desk, work, "SAFETY_") | {"HOME": str(work), "NON_INTERACTIVE": "1"}
    where = installed_directory("safety")
    if scan.db:
        mirror = _mirror(scan.db, desk)
        argv = [str(_HERE / "mirror.py"), where, mirror, str(file), str(private_directory(desk))]
        return _answer(start(desk, argv, environment), versions, scan, desk.now)
    if not desk.environment.get(_KEY):
        return Answer(unscanned=f'safety needs an account key (secrets = ["{_KEY}"]) or a mirror (db = ...)')
    argv = [str(_HERE / "launch.py"), where, "safety", "--disable-optional-telemetry", "check"]
    argv += ["--file", str(file), "--output", "json", "--disable-audit-and-monitor", "--no-prompt"]
    environment |= {_KEY: desk.environment[_KEY], **servers}
    return _answer(start(desk, argv, environment), versions, scan, desk.now)


def _mirror(db: str, desk: Desk) -> str:
    """``db`` as Safety takes it."""
    if db.startswith(("http://", "https://")):
        return f"{db.rstrip('/')}/"
    return db.replace("~", desk.environment.get("HOME", "~"), 1) if db.startswith("~/") else db


def _answer(finished: Finished, versions: Mapping[str, str], scan: Scan, now: float) -> Answer:
    report = report_in(finished.output) if finished.why == "exit" else None
    if finished.why != "exit" or finished.returncode not in {_CLEAN, _FOUND}:
        return Answer(unscanned=_why(finished))
    try:
        known, scanned = _known(report or {}), {canonicalize_name(name) for name in (report or {})["scanned_packages"]}
    except (KeyError, TypeError, AttributeError):
        return Answer(unscanned=f"safety ended with exit status {finished.returncode} and gave no report")
    missing = sorted(set(versions) - scanned)
    if missing:
        return Answer(known=known, unscanned=f"safety's report leaves out {', '.join(missing)}")
    if finished.returncode == _FOUND and not known:
        return Answer(unscanned="safety says that it found vulnerabilities and names none")
    return Answer(known=known, notes=_age(report or {}, scan, now))


def _why(finished: Finished) -> str:
    said = ends_badly("safety", finished)
    if any(sign in said for sign in _UNREACHABLE):
        return "safety's servers, or the mirror in `db`, cannot be reached"
    return _REASONS.get(finished.returncode, said) if finished.why == "exit" else said


def _age(report: Mapping[str, Any], scan: Scan, now: float) -> tuple[str, ...]:
    made = report.get("made")
    if made is None:  # Safety's own servers have today's
        return ()
    if not isinstance(made, int | float) or made <= 0:
        return ("the mirror does not say how old it is",)
    days = int((now - made) // 86_400)
    return (f"the mirror is {counted(days, 'day')} old",) if now - made > scan.stale_after else ()


def _known(report: Mapping[str, Any]) -> tuple[Known, ...]:
    # what it ignores it ignores by a policy of its own; only hookci's config suppresses here
    told = [*report["vulnerabilities"], *report.get("ignored_vulnerabilities", ())]
    return tuple(
        Known(
            package=one["package_name"],
            version=str(one["analyzed_version"]),
            id=str(one["vulnerability_id"]),
            summary=one["advisory"] or "",
            aliases=(one["CVE"],) if one.get("CVE") else (),
            fixed=tuple(map(str, one.get("fixed_versions") or ())),
            url=one.get("more_info_url") or "",
            severity=_severity(one.get("severity")),
        )
        for one in told
    )


def _severity(told: Any) -> Severity:  # noqa: ANN401 (whatever stands there)
    """The severity of CVSS 3, when there is one."""
    try:
        return Severity(told["cvssv3"]["base_severity"].lower())
    except (KeyError, TypeError, AttributeError, ValueError):
        return Severity.HIGH
