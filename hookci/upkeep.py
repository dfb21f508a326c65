"""Setting a repository up, looking at what is there, and forgetting: every command beside those that judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.load import CONFIG_FILES, GITLAB_FILE, files_of, parse
from hookci.errors import ConfigError, ConfigProblem, HookciError, UnconfiguredError, UsageError
from hookci.git.install import install, set_background_setting
from hookci.git.installation import installed, wanted_hooks
from hookci.git.names import branches_and_tags
from hookci.git.shims import read_shim
from hookci.git.snapshots import of_index, of_revision, visible_files
from hookci.git.standing import standing
from hookci.git.uninstall import uninstall
from hookci.model.status import PipelineSummary, Status
from hookci.reading import pipeline_of_files
from hookci.session import Session
from hookci.store.background import BackgroundState

if TYPE_CHECKING:
    from pathlib import Path

    from hookci.config.detect import Detection
    from hookci.git.install import InstallReport
    from hookci.git.repository import Repository
    from hookci.git.uninstall import UninstallReport
    from hookci.model.pipeline import Pipeline
    from hookci.model.record import JobRecord, RunRecord
    from hookci.session import Machine

__all__ = [
    "check_config",
    "detect_project",
    "forget",
    "install_hooks",
    "read_config",
    "revisions",
    "run_record",
    "runs",
    "set_background",
    "status",
    "uninstall_hooks",
    "write_config",
]


def runs(machine: Machine, limit: int) -> list[RunRecord]:
    """The last runs, newest first."""
    with Session.open(machine).store() as store:
        return store.runs(limit)


def run_record(machine: Machine, number: int | None) -> tuple[RunRecord, list[JobRecord]]:
    """One run (the last one for None) and its jobs.

    Raises:
        UsageError: there is no such run.
    """
    with Session.open(machine).store() as store:
        record = store.run(number)
        if record is None:
            raise UsageError(
                f"there is no run {number}" if number else "there is no run yet", "`hookci runs` lists them"
            )
        return record, store.jobs(record.number)


def revisions(machine: Machine) -> list[str]:
    """The names of branches and tags."""
    return branches_and_tags(Session.open(machine).repository)


def status(machine: Machine) -> Status:
    """Where the repository stands."""
    session = Session.open(machine)
    hooks = installed(session.repository)
    with session.store() as store:
        last = store.run(None)
    return Status(
        standing=standing(session.repository),
        hooks=hooks.hooks,
        hooks_problem=f"{hooks.gone[0]} is gone: `hookci install` again" if hooks.gone else None,
        pipeline=_pipeline_at_head(session),
        workspaces=str(session.place),
        last=last,
        background=session.settings.background,
        verified=BackgroundState(session.state).last() if session.settings.background else None,
    )


def _pipeline_at_head(session: Session) -> PipelineSummary | str:
    try:
        pipeline = session.configured(of_revision(session.repository, "HEAD"))
    except HookciError as error:
        return error.message + (f"; {error.hint}" if error.hint else "")
    stages = [stage for stage in pipeline.stages if any(job.stage == stage for job in pipeline.jobs.values())]
    return PipelineSummary(pipeline.source, tuple(stages), len(pipeline.jobs))


def detect_project(machine: Machine) -> tuple[Path, Detection]:
    """What kind of project the work tree holds, and where its config would go.

    Raises:
        UsageError: there is no work tree, or it has a config already.
    """
    from hookci.config.detect import Project, detect  # noqa: PLC0415 (no hook needs it)

    repository = Session.open(machine).repository
    top = _work_tree(repository)
    path = top / CONFIG_FILES[0]
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already and is never overwritten", "`hookci check` says whether it is valid")
    found = files_of(top)
    if parse({name: found[name] for name in CONFIG_FILES if name in found}) is not None:
        raise UsageError(f"{top / CONFIG_FILES[1]} has a [tool.hookci] section already", "`hookci check` validates it")
    if GITLAB_FILE in found:
        hint = f'`hookci install` is enough; a {CONFIG_FILES[0]} beside it says `pipeline = "{GITLAB_FILE}"`'
        raise UsageError(f"{top / GITLAB_FILE} defines a pipeline already", hint)
    files = frozenset(visible_files(repository))
    search_path = machine.env.get("PATH", "")
    return path, detect(Project(top, files), lambda name: machine.which(name, search_path))


def write_config(path: Path, text: str) -> None:
    """Write a first config; one that has come into being meanwhile is not overwritten."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def install_hooks(machine: Machine, *, python: Path, main: Path) -> InstallReport:
    """Install the hooks that have work to do in this clone, so that they start ``python`` with ``main``."""
    session = Session.open(machine)
    wanted = wanted_hooks(session.repository, follows_branches=session.settings.follows_branches)
    return install(session.repository, read_shim(), python=python, main=main, wanted=wanted)


def set_background(machine: Machine, *, on: bool) -> bool:
    """Have the hooks verify commits in the background, or not; whether that is new."""
    return set_background_setting(Session.open(machine).repository, on=on)


def uninstall_hooks(machine: Machine) -> UninstallReport:
    """Remove the hooks and put back what was there."""
    return uninstall(Session.open(machine).repository)


def check_config(machine: Machine, *, revision: str | None, staged: bool) -> Pipeline:
    """The pipeline of the work tree's config, or of a commit's, or of the index's, with all that its jobs start.

    Raises:
        ConfigError: it is wrong, or one that a job of it starts.
        UnconfiguredError: there is none.
    """
    pipeline = read_config(machine, revision=revision, staged=staged)
    if pipeline.flaws:
        problems = (ConfigProblem(flaw.where, flaw.message, flaw.hint) for flaw in pipeline.flaws)
        raise ConfigError(pipeline.source, tuple(problems))
    return pipeline


def read_config(machine: Machine, *, revision: str | None = None, staged: bool = False) -> Pipeline:
    """The same, whatever is wrong in a pipeline that a job of it starts.

    Raises:
        ConfigError: it is wrong.
        UnconfiguredError: there is none.
    """
    session = Session.open(machine)
    if staged:
        return session.configured(of_index(session.repository, session.scratch))
    if revision:
        return session.configured(of_revision(session.repository, revision))
    top = _work_tree(session.repository)
    pipeline = pipeline_of_files(session.repository, session.scratch, top, machine.data_home)
    if pipeline is None:
        raise UnconfiguredError(f"there is no {CONFIG_FILES[0]} here", "write one with `hookci init`")
    return pipeline


def _work_tree(repository: Repository) -> Path:
    if repository.top is None:
        raise UsageError(f"{repository.common_dir} has no work tree")
    return repository.top


def forget(machine: Machine, job: str | None) -> int:
    """Forget the passes of a job (all for None) and every verdict; how many passes went.

    Raises:
        UsageError: nothing is remembered of such a job.
    """
    with Session.open(machine).store() as store:
        names = store.memory.jobs()
        chosen = sorted(name for name in names if job in {None, name, name.partition(":")[0]})
        if job is not None and not chosen:
            raise UsageError(
                f"nothing is remembered of a job `{job}`", f"remembered: {', '.join(sorted(names)) or 'none'}"
            )
        return store.memory.forget(None) if job is None else sum(store.memory.forget(name) for name in chosen)
