"""Project detection: a first ``hookci.toml`` for a repository, from the files that are in it.

Nothing is started and nothing is written; what is installed is told by a function like `shutil.which`.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.detect.around import detect_docker, detect_gitlab, detect_precommit
from hookci.config.detect.native import check_target, detect_go, detect_make, detect_rust
from hookci.config.detect.node import detect_node
from hookci.config.detect.parts import Found, JobDraft, Line, Part
from hookci.config.detect.project import Project, Which
from hookci.config.detect.python import detect_python
from hookci.config.detect.render import render
from hookci.config.detect.security import security_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Detection", "Found", "Project", "Which", "detect"]

_LANGUAGES = {"python": detect_python, "node": detect_node, "go": detect_go, "rust": detect_rust}
_AROUND = (detect_precommit, detect_docker, detect_gitlab)
_ELSEWHERE = re.compile(r"\.|_|(tests?|testing|docs?|examples?|fixtures|vendor|third_party|bench.*|scripts|tools)$")


class Detection(Struct, frozen=True):
    """What was found, in the order of the file, and the complete text of a ``hookci.toml`` that fits it."""

    found: tuple[Found, ...]
    text: str


def detect(project: Project, which: Which) -> Detection:
    """Recognise what ``project`` is made of and write a pipeline for it.

    Args:
        project: the tracked files.
        which: the path of an installed program, or None; it only decides between ways to do the same.
    """
    parts = list(_languages(project, which))
    parts += [part for around in _AROUND if (part := around(project, which))]
    found = tuple(part.found for part in parts)
    if not any(part.jobs for part in parts):
        parts.insert(0, _nothing(project))
    return Detection(found, render(parts, security_jobs(project)))


def _languages(project: Project, which: Which) -> Iterator[Part]:
    """The languages at the top; if there are none, a Makefile; if there is none either, those one directory down."""
    here = {name: part for name, look in _LANGUAGES.items() if (part := look(project, which))}
    if here:
        target = check_target(project) if len(here) == 1 else None
        for name, part in here.items():
            completed = part if part.tested or not target else _tested_by_make(part, target)
            yield _named(completed, name, alone=len(here) == 1)
    elif make := detect_make(project, which):
        yield _named(make, "make", alone=True)
    else:
        below = [
            (directory, part)
            for directory in project.directories()
            if not _ELSEWHERE.match(directory)
            for part in _languages_here(project.under(directory), which)
        ]
        yield from (_moved(part, directory, alone=len(below) == 1) for directory, part in below)


def _tested_by_make(part: Part, target: str) -> Part:
    """The language has no tests that it knows of, but the Makefile has."""
    *others, last = part.jobs
    jobs = (*others, replace(last, script=(*last.script, Line(f"make {target}"))))
    found = Found(part.found.what, f"no tests were found but those of `make {target}`")
    return Part(found, jobs, part.comments)


def _languages_here(project: Project, which: Which) -> Iterator[Part]:
    return (part for look in _LANGUAGES.values() if (part := look(project, which)))


def _named(part: Part, name: str, *, alone: bool) -> Part:
    """Say why above the first job; where there are several languages, name the jobs after theirs."""
    jobs = [replace(job, name=job.name if alone else f"{job.name}-{name}") for job in part.jobs]
    return replace(part, jobs=tuple(_explained(part, jobs)))


def _explained(part: Part, jobs: list[JobDraft]) -> list[JobDraft]:
    reason = f"{part.found.what}: {part.found.why}."
    first = replace(jobs[0], comments=(reason, *jobs[0].comments))
    return [first, *jobs[1:]]


def _moved(part: Part, directory: str, *, alone: bool) -> Part:
    """The same part for a project that is in ``directory``."""
    found = replace(part.found, what=f"{part.found.what} in {directory}/")
    jobs = []
    for job in part.jobs:
        cache = job.cache and replace(
            job.cache,
            files=tuple(f"{directory}/{path}" for path in job.cache.files),
            paths=tuple(f"{directory}/{path}" for path in job.cache.paths),
        )
        name = job.name if alone else f"{job.name}-{re.sub(r'[^A-Za-z0-9_-]', '-', directory)}"
        jobs.append(replace(job, name=name, cache=cache, script=(Line(f"cd {shlex.quote(directory)}"), *job.script)))
    moved = replace(part, found=found)
    return replace(moved, jobs=tuple(_explained(moved, jobs)))


def _nothing(project: Project) -> Part:
    """A job that is honest about testing nothing."""
    shell = any(path.endswith(".sh") for path in project.files)
    check = """script = ["git ls-files -z '*.sh' | xargs -0 -n 1 bash -n"]  # are the shell scripts valid?"""
    job = JobDraft(
        name="example",
        script=(Line("git ls-tree --name-only HEAD"),),
        comments=("No kind of project was recognised, so this only lists what is there. Put here what tests it.",),
        hints=(check if shell else 'script = ["./build.sh", "./test.sh"]',),
    )
    return Part(Found("nothing", ""), (job,))
