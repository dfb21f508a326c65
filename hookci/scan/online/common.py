"""What the scanners that ask a service have in common: how they are asked, how they are started, what comes of it."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from hookci.model.finding import Finding, Severity
from hookci.scan.adapter import Scanned, ScanStoppedError
from hookci.scan.online.asked import released

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hookci.scan.adapter import Desk, Finished
    from hookci.scan.dependencies.reading import Declared

__all__ = [
    "DEADLINE",
    "Answer",
    "Known",
    "counted",
    "ends_badly",
    "last_words",
    "not_looked_up",
    "one_line",
    "private_directory",
    "quiet_environment",
    "report_in",
    "start",
    "summed_up",
]

DEADLINE = 60.0
"""Seconds a service has for one answer."""

_KEPT = 86_400.0  # the databases of the services change every day
_LONGEST = 300


class Known(Struct, frozen=True, kw_only=True):
    """An advisory that a scanner has reported about one version of a package.

    ``files`` are those that were asked about, the one that counts first; empty when it was about all of them.
    """

    package: str
    version: str
    id: str
    summary: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    url: str = ""
    severity: Severity = Severity.HIGH
    files: tuple[str, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """What came of asking once; ``unscanned`` says why it is not the whole answer (empty: it is)."""

    known: tuple[Known, ...] = ()
    unscanned: str = ""
    notes: tuple[str, ...] = ()


def not_looked_up(why: str, names: Collection[str], *, alone: bool) -> Answer:
    """What there is to say of packages that were not looked up; ``alone``: no other was, so nothing was scanned."""
    if not names:
        return Answer()
    said = f"{why}, so not {', '.join(sorted(names))}"
    return Answer(unscanned=said) if alone else Answer(notes=(said,))


def private_directory(desk: Desk) -> Path:
    """A new empty directory below the desk's."""
    return Path(tempfile.mkdtemp(dir=desk.directory))


def quiet_environment(desk: Desk, directory: Path, drop: str) -> dict[str, str]:
    """A job's environment without Python's variables and those that ``drop`` begins; temporary files are private."""
    kept = {name: value for name, value in desk.environment.items() if not name.startswith(("PYTHON", drop))}
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1", "TMPDIR": str(directory), "NO_COLOR": "1"}


def start(desk: Desk, argv: Sequence[str], environment: Mapping[str, str], deadline: float = DEADLINE) -> Finished:
    """Run our own interpreter, isolated, with ``argv`` after it.

    Raises:
        ScanStoppedError: the job was cancelled, or its time is over.
    """
    desk.check()
    finished = desk.run([desk.python, "-I", "-W", "ignore", *argv], environment, deadline)
    desk.check()
    if finished.why == "cancel":
        raise ScanStoppedError
    return finished


def ends_badly(tool: str, finished: Finished, deadline: float = DEADLINE) -> str:
    """Why a process that gave no report has none."""
    if finished.why == "timeout":
        return f"{tool} had no answer within {deadline:g} s"
    return f"{tool} failed: {last_words(finished.errors)}"


def last_words(errors: bytes) -> str:
    """The last line that says something; for a person to read."""
    lines = [one_line(line) for line in errors.decode(errors="replace").splitlines()]
    told = [line for line in lines if re.search(r"\w", line) and "Tip: " not in line]
    plain = [line for line in told if line.startswith("ERROR: ")]  # pip's, before what pip-audit makes of it
    return (plain or told or ["it did not say why"])[-1]


def one_line(text: str) -> str:
    """``text`` on one line, cut where it gets long."""
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST else f"{joined[: _LONGEST - 1]}…"


def report_in(output: bytes) -> dict[str, Any] | None:
    """The first JSON object in a program's output, whatever stands around it; None when there is none."""
    text = output.decode(errors="replace")
    begin = text.find("{")
    if begin < 0:
        return None
    try:
        report, _end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None
    return report if isinstance(report, dict) else None


def summed_up(tool: str, declared: Declared, answers: Sequence[Answer], now: float) -> Scanned:
    """The answers as findings at the places that ask for the packages.

    Args:
        tool: which scanner.
        declared: what was read of the tree.
        answers: one for each time the scanner was asked.
        now: unix seconds.
    """
    found = [finding for answer in answers for known in answer.known for finding in _findings(tool, known, declared)]
    unread = [replace(finding, tool=tool) for finding in declared.findings]
    unscanned = tuple(dict.fromkeys(answer.unscanned for answer in answers if answer.unscanned))
    notes = [note for answer in answers for note in answer.notes]
    if declared.addresses:
        notes.append(f"from an address and not from an index, so not looked up: {', '.join(declared.addresses)}")
    packages = counted(len({one.name for one in declared.dependencies}), "package")
    return Scanned(
        findings=(*unread, *dict.fromkeys(found)),
        files=declared.files,
        what=f"{packages} in {counted(declared.files, 'file')}" if declared.files else "no file that names packages",
        unscanned=unscanned,
        notes=tuple(dict.fromkeys(notes)),
        holds_until=0.0 if unscanned else now + _KEPT,
    )


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _findings(tool: str, known: Known, declared: Declared) -> list[Finding]:
    name = canonicalize_name(known.package)
    asked = [one for one in declared.dependencies if one.name == name and (not known.files or one.path in known.files)]
    here = [one for one in asked if released(one.version) == known.version] or asked
    # what only something else asks for is found at the top of the file that was resolved
    places = [(one.path, one.line, one.text) for one in here] or [(path, 0, "") for path in known.files[:1]]
    fixed = f" (fixed in {', '.join(known.fixed)})" if known.fixed else ""
    return [
        Finding(
            tool=tool,
            rule=known.id,
            message=f"{name} {known.version}: {one_line(known.summary)}{fixed}",
            severity=known.severity,
            path=path,
            line=line,
            end_line=line,
            text=text,
            code=name,
            help_uri=known.url,
            aliases=known.aliases,
        )
        for path, line, text in places
    ]
