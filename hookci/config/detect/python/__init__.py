"""Python projects: what to install, and what runs the tests.

The job installs the project itself, editable, each time: what is tested is the checkout, and what the
installation writes into the checkout (compiled extensions, version files, egg-info) is there as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.detect.parts import CacheDraft, Found, JobDraft, Line, Part
from hookci.config.detect.python.django import is_django, required_variables
from hookci.config.detect.python.managers import find_manager
from hookci.config.detect.python.metadata import read_metadata
from hookci.config.detect.python.needs import find_needs
from hookci.config.detect.python.requirements import runtime_file
from hookci.config.detect.python.runner import choose_runner
from hookci.config.detect.python.suite import python_files
from hookci.config.detect.python.version import told_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.config.detect.project import Project, Which
    from hookci.config.detect.python.metadata import Metadata
    from hookci.config.detect.python.suite import Suite

__all__ = ["detect_python"]

_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "noxfile.py")


def detect_python(project: Project, which: Which) -> Part | None:
    """A Python project, or loose Python files with tests."""
    metadata = read_metadata(project)
    suite = choose_runner(project, metadata)
    marker = project.first(*_MARKERS) or runtime_file(project)
    # a pyproject.toml or tox.ini alone may only hold the settings of some tool
    code = any(path.endswith(".py") for path in project.files)
    if not (metadata.installable or suite.runner not in {"none", "tox", "nox"} or (marker and code)):
        return None
    what = f"Python project ({marker})" if marker else "Python files"
    what = "Django project (manage.py)" if is_django(project) else what
    job, why = _managed_job(project, metadata, suite, which) or _pip_job(project, metadata, suite, which)
    return Part(Found(what, "; ".join([suite.why, *why])), (job,), tested=suite.runner != "none")


def _managed_job(
    project: Project, metadata: Metadata, suite: Suite, which: Which
) -> tuple[JobDraft, tuple[str, ...]] | None:
    manager = find_manager(project, metadata, suite, which)
    if manager is None:
        return None
    job = JobDraft(
        name="test",
        script=(*_with_version(project, metadata, manager.lines), *_run(suite)),
        cache=CacheDraft((*metadata.sources, manager.lock), (".venv",)),
        variables=_variables(project, metadata),
    )
    return job, (f"{manager.name} installs what {manager.lock} says",)


def _pip_job(project: Project, metadata: Metadata, suite: Suite, which: Which) -> tuple[JobDraft, tuple[str, ...]]:
    needs = find_needs(project, metadata, suite)
    python = "python3" if which("python3") or not which("python") else "python"
    make = Line(f"[ -x .venv/bin/python ] || {python} -m venv .venv")
    script = (make, _ACTIVATE, *_with_version(project, metadata, needs.lines), *_run(suite))
    if not needs.lines:  # the standard library is all it needs
        script = tuple(Line(re.sub(r"^python\b", python, line.command)) for line in _run(suite))
    files = tuple(dict.fromkeys([*metadata.sources, *needs.files]))
    needed = required_variables(project) if is_django(project) else ()
    told = (f"The settings cannot be read without {' and '.join(needed)} in the environment.",) if needed else ()
    job = JobDraft(
        name="test",
        comments=(*needs.extra, *told),
        script=script,
        cache=CacheDraft(files, (".venv",)) if needs.lines else None,
        variables=_variables(project, metadata),
        pass_env=needed,
    )
    return job, needs.why


_ACTIVATE = Line("source .venv/bin/activate")


def _run(suite: Suite) -> tuple[Line, ...]:
    return tuple(Line(command) for command in suite.command.splitlines())


def _variables(project: Project, metadata: Metadata) -> dict[str, str]:
    from_src = not metadata.installable and any(path.startswith("src/") for path in python_files(project))
    return {"PYTHONPATH": "src"} if from_src else {}


def _with_version(project: Project, metadata: Metadata, lines: tuple[Line, ...]) -> Iterator[Line]:
    told = told_version(project, metadata)
    for line in lines:
        installs = " -e " in line.command or line.command.startswith(("uv ", "poetry ", "pdm "))
        yield Line(told + line.command, "no tag says the version here" if told else "") if installs else line
