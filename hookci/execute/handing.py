"""What a job hands on to those after it: files, and the variables of its ``dotenv`` reports."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.execute.environment import expand
from hookci.execute.variables import job_variables
from hookci.model.patterns import pattern
from hookci.model.pipeline import When
from hookci.workspace.artifacts import Seen
from hookci.workspace.copy import expand as found_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hookci.execute.context import RunContext
    from hookci.model.pipeline import Job
    from hookci.model.plan import PlannedJob
    from hookci.workspace.slot import Slot

__all__ = [
    "SOMEWHERE",
    "applies",
    "handed_variables",
    "inside",
    "keep_artifacts",
    "parse_dotenv",
    "with_handed",
    "with_variables",
]

_LARGEST = 65_536
"""Bytes of a ``dotenv`` report; on GitLab.com it is less."""
SOMEWHERE = "/project"
"""Stands for the workspace where that is not known yet."""
_NAME = pattern(r"[A-Za-z0-9_]+")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def applies(when: When, *, passed: bool) -> bool:
    """Whether something is kept of a job that ``passed``, or did not."""
    return when is When.ALWAYS or (when is When.ON_SUCCESS) == passed


def inside(path: str, environment: Mapping[str, str]) -> str | None:
    """``path``, which has its variables in it, from the workspace's root; None where it leads out of it."""
    from posixpath import join, normpath, relpath  # noqa: PLC0415 (few jobs hand files on)

    top = environment.get("CI_PROJECT_DIR") or SOMEWHERE
    found = relpath(normpath(join(top, path)), top)
    if not path or found == ".." or found.startswith("../"):
        return None
    return f"{found}/" if path.endswith("/") else found


def with_variables(job: Job, environment: Mapping[str, str]) -> Job:
    """``job`` with variables in place in what names files of the workspace; hookci.toml has none there.

    What is not below the workspace is left out, as by a GitLab runner.
    """
    kept = job.artifacts
    if not job.gitlab or not (kept.paths or kept.exclude or kept.dotenv or job.junit or job.scan or job.cache):
        return job

    def filled(patterns: Sequence[str]) -> tuple[str, ...]:
        paths = (inside(expand(pattern, environment, gitlab=True), environment) for pattern in patterns)
        return tuple(path for path in paths if path is not None)

    def outside(patterns: Sequence[str]) -> tuple[str, ...]:
        paths = {pattern: expand(pattern, environment, gitlab=True) for pattern in patterns}
        return tuple(path or pattern for pattern, path in paths.items() if inside(path, environment) is None)

    paths, exclude, dotenv = filled(kept.paths), filled(kept.exclude), filled(kept.dotenv)
    artifacts = replace(kept, paths=paths, exclude=exclude, dotenv=dotenv, exact=True)
    written = [replace(one, path=path) for one in job.scan.written for path in filled([one.path])] if job.scan else []
    scan = job.scan and replace(job.scan, written=tuple(written))
    cache = tuple(replace(one, outside=outside(one.paths)) for one in job.cache)
    return replace(job, artifacts=artifacts, junit=filled(job.junit), scan=scan, cache=cache)


def handed_variables(context: RunContext, planned: PlannedJob) -> dict[str, str]:
    """The variables that the jobs before ``planned`` handed on to it, of two with one name the later one."""
    found: dict[str, str] = {}
    for giver in planned.artifacts_from:
        found |= context.artifacts.variables(context.passed_in.get(giver) or context.number, giver)
    return found


def with_handed(context: RunContext, planned: PlannedJob, known: Mapping[str, str]) -> PlannedJob:
    """``planned`` with what the job that starts its pipeline hands on of variables that were not known before.

    Those are the ones of ``dotenv`` reports: rules of the pipeline do not see them (GitLab CI/CD, "Pass dotenv
    variables created in a job").

    Args:
        context: the run.
        planned: the job.
        known: the environment beside its variables.
    """
    starter = context.plan.jobs.get(planned.parent or "")
    if starter is None or starter.job.trigger is None:
        return planned
    trigger, above = starter.job.trigger, with_handed(context, starter, known)
    handed = handed_variables(context, starter)
    before, now = job_variables(starter, known, {}), job_variables(above, known, handed)
    new = {
        name: value
        for name, value in now.items()
        if before.get(name) != value and (name in planned.given or trigger.pipeline_variables)
    }
    raw = (planned.given_raw - new.keys()) | (above.raw & new.keys() - handed.keys())
    return replace(planned, given={**planned.given, **new}, given_raw=raw)


def keep_artifacts(
    context: RunContext, job: Job, slot: Slot, say: Callable[[str], None], *, passed: bool
) -> str | None:
    """Keep what a job hands on; what is wrong with its ``dotenv`` reports, which fails it on GitLab.

    Reports are kept however the job ended, files as its config says.

    Args:
        context: the run.
        job: the job, see `with_variables`.
        slot: where it ran.
        say: gets a line for the job's log.
        passed: whether it passed.
    """
    for path in dict.fromkeys(path for cache in job.cache for path in cache.outside):
        say(f"hookci: the cache path `{path}` is outside of the project and is not cached")
    artifacts = job.artifacts
    wanted = applies(artifacts.when, passed=passed)
    if not (artifacts.any and (wanted or passed or artifacts.dotenv)):
        return None
    variables: dict[str, str] = {}
    wrong = None
    try:
        for pattern in artifacts.dotenv:
            variables |= _read_dotenv(slot.found, pattern, say)
    except ValueError as error:
        wrong = str(error)
    if not wanted:
        artifacts = replace(artifacts, paths=(), untracked=False)
    workspace = Seen(slot.found, slot.workspace)
    saved = context.artifacts.save(
        context.number, job.name, workspace, artifacts, tracked=context.blobs, variables=variables
    )
    for pattern in saved:
        say(f"hookci: no artifact matches `{pattern}`")
    return wrong


def _read_dotenv(workspace: bytes, pattern: str, say: Callable[[str], None]) -> dict[str, str]:
    files = found_in(workspace, [pattern])
    if not files:
        say(f"hookci: no dotenv report matches `{pattern}`")
    found: dict[str, str] = {}
    for path in files:
        name = os.fsdecode(path)
        try:
            found |= parse_dotenv(_content(workspace, path).decode())
        except (ValueError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ValueError(f"the dotenv report `{name}` cannot be read: {why}") from error
    return found


def _content(workspace: bytes, path: bytes) -> bytes:
    """The content of a file that a job left; never of one that a link leads to elsewhere."""
    root = Path(os.fsdecode(workspace))
    place = root / os.fsdecode(path)
    linked = any(above.is_symlink() for above in place.parents if above.is_relative_to(root) and above != root)
    if linked and not place.parent.resolve().is_relative_to(root.resolve()):
        raise ValueError("it is not below the workspace")
    with os.fdopen(os.open(place, _OPEN), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no file")
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1024} KiB")
    return content


def parse_dotenv(text: str) -> dict[str, str]:
    """The variables of a ``dotenv`` report: lines of ``NAME=value``, no comments, no empty lines, no quoting.

    Source: GitLab CI/CD, "artifacts:reports:dotenv"; of its code ``Ci::ParseDotenvArtifactService``.

    Raises:
        ValueError: a line says no such thing.
    """
    return dict(_rows(text))


def _rows(text: str) -> Iterator[tuple[str, str]]:
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
        name, sign, value = line.partition("=")
        if not sign:
            raise ValueError(f"line {number}: Invalid Format: expected NAME=value")
        if not _NAME.fullmatch(name.strip()):
            raise ValueError(f"line {number}: Key can contain only letters, digits and '_'")
        yield name.strip(), value.strip()
