"""Whether there is a config that this version understands, and what this clone has set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hookci.config.load import CONFIG_FILES, PIPELINE_FILES, parse
from hookci.config.settings import read_settings
from hookci.errors import ConfigError
from hookci.git.snapshots import Scratch, of_revision
from hookci.model.checkup import Finding, Level
from hookci.reading import pipeline_of_files, pipeline_of_tree
from hookci.workspace.slots import repository_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hookci.checkup.patient import Patient
    from hookci.git.repository import Repository
    from hookci.model.pipeline import Pipeline

__all__ = ["examine_pipeline", "examine_settings", "pipeline_here"]

_OWN = CONFIG_FILES[0]
_UNCONFIGURED = "hookci.unconfigured"


def examine_pipeline(patient: Patient) -> Iterator[Finding]:
    """The config of the work tree, and whether the last commit has one too."""
    repository = patient.repository
    pipeline = pipeline_here(patient)
    if pipeline is None:
        yield Finding("pipeline", Level.PROBLEM, f"there is no {_OWN}, so nothing can be judged", "hookci init")
        return
    count = len(pipeline.jobs)
    yield Finding("pipeline", Level.OK, f"{pipeline.source}: {count} job{'s' * (count != 1)}")
    for flaw in pipeline.flaws:
        yield Finding("pipeline", Level.PROBLEM, str(flaw), "hookci check")
    for warning in pipeline.warnings:
        yield Finding("pipeline", Level.WARNING, warning)
    for job in pipeline.jobs.values():
        if job.unsupported:
            message = f"job `{job.name}`: this version cannot run {job.unsupported}"
            yield Finding("pipeline", Level.WARNING, message)
    if not _defines_one(_committed(repository)):
        name = pipeline.source.split(" ", 1)[0]
        message = f"{pipeline.source} is not committed yet, and a push without it is refused"
        yield Finding("pipeline", Level.WARNING, message, f"git add {name} && git commit")


def pipeline_here(patient: Patient) -> Pipeline | None:
    """What the work tree defines; without one, what the last commit does."""
    repository, home = patient.repository, patient.machine.data_home
    scratch = Scratch(repository_directory(patient.machine.cache_home, repository))
    if repository.top is not None:
        return pipeline_of_files(repository, scratch, repository.top, home)
    head = repository.ask("rev-parse", "--verify", "-q", "HEAD^{commit}")
    judged = functools.partial(of_revision, repository, "HEAD")
    return pipeline_of_tree(repository, scratch, judged, tree=head, data_home=home) if head else None


def examine_settings(patient: Patient) -> Iterator[Finding]:
    """Settings that make no sense, and the one that lets pushes through unjudged."""
    everywhere, here = patient.repository.config.everywhere, patient.repository.config.here

    def unset(key: str) -> str:
        if key not in everywhere:
            return f"edit {patient.user_settings}"
        return f"git config {'' if key in here else '--global '}--unset-all {key}"

    try:
        settings = read_settings(everywhere, patient.user_settings)
    except ConfigError as error:
        yield from _wrong(error, unset)
        return
    if settings.allow_unconfigured:
        message = f"{_UNCONFIGURED} is `allow`: commits without a {_OWN} are pushed unjudged"
        yield Finding("settings", Level.WARNING, message, unset(_UNCONFIGURED))
    else:
        own = ", ".join(sorted(key for key in everywhere if key.startswith("hookci.")))
        yield Finding("settings", Level.OK, own or "as they come")


def _wrong(error: ConfigError, unset: Callable[[str], str]) -> Iterator[Finding]:
    for problem in error.problems:
        place = f"{problem.path}: " if problem.path else f"{error.source} "
        hint = f" ({problem.hint})" if problem.hint else ""
        yield Finding("settings", Level.PROBLEM, f"{place}{problem.message}{hint}", unset(problem.path))


def _committed(repository: Repository) -> dict[str, bytes]:
    """The config files of the last commit."""
    tree = repository.ask("rev-parse", "--verify", "-q", "HEAD^{tree}")
    entries = repository.entries(tree, *PIPELINE_FILES) if tree else []
    return {entry.path.decode(): repository.blob(entry.oid) for entry in entries if entry.mode.startswith("100")}


def _defines_one(files: dict[str, bytes]) -> bool:
    try:
        return parse(files) is not None
    except ConfigError:
        return True
