"""What to run in a Python project: its tests, or what comes closest."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING

from hookci.config.detect.python.django import is_django
from hookci.config.detect.python.metadata import ini
from hookci.config.detect.python.needs import declared_sources
from hookci.config.detect.python.suite import Scan, Suite, find_suite, python_files

if TYPE_CHECKING:
    from hookci.config.detect.project import Project
    from hookci.config.detect.python.metadata import Metadata

__all__ = ["choose_runner"]

_NOTHING = Scan(frozenset(), "", functions=False, cases=False)


def choose_runner(project: Project, metadata: Metadata) -> Suite:
    """Choose, the surest first; ``runner`` is ``none`` when all that can be shown is that it compiles."""
    asks_for_pytest = any("pytest" in source.declared for source in declared_sources(project, metadata))
    suite = find_suite(project, metadata, asks_for_pytest=asks_for_pytest)
    seen = suite.seen if suite else _NOTHING
    if is_django(project) and not (suite and "DJANGO_SETTINGS_MODULE" in suite.options):
        commands = "python manage.py check\npython manage.py test"
        return Suite("django", commands, "`manage.py check` and `manage.py test`", seen)
    script = project.first("runtests.py", "run_tests.py", "tests/runtests.py")
    if script and not (suite and suite.options):
        return Suite("script", f"python {script}", f"{script} runs the tests", seen)
    return suite or _by_tool(project) or _compiling(project, metadata)


def _by_tool(project: Project) -> Suite | None:
    """Tox or nox, with the Python that is there."""
    if ini(project, "tox.ini").get("testenv", {}).get("commands"):
        return Suite("tox", "tox run -e py", "tox knows how to run the tests", _NOTHING)
    match = re.search(r"^def (tests?)\(", project.read("noxfile.py") or "", re.MULTILINE)
    if match:
        command = f"nox -s {match[1]} --force-python python3"
        return Suite("nox", command, "nox knows how to run the tests", _NOTHING)
    return None


def _compiling(project: Project, metadata: Metadata) -> Suite:
    """Compile the directories in which everything is Python of today."""
    files = python_files(project)
    broken = {path.split("/", 1)[0] for path in files if not _is_valid(project.read(path) or "")}
    tops = sorted({path.split("/", 1)[0] for path in files} - broken)
    shown = [*(["can be installed"] if metadata.installable else []), *(["compiles"] if tops else [])]
    why = f"no tests were found, so all that the job shows is that it {' and '.join(shown)}"
    return Suite("none", f"python -m compileall -q {shlex.join(tops)}" if tops else "pip check", why, _NOTHING)


def _is_valid(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True
