"""The whole program on one screen: one function for each command, each reads like a flow chart."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hookci.config.load import CONFIG_FILES, GITLAB_FILE, files_of, parse
from hookci.errors import ConfigError, ConfigProblem, HookciError, UnconfiguredError, UsageError
from hookci.git.changes import changed_since
from hookci.git.comparison import with_fork_point
from hookci.git.install import install
from hookci.git.installation import installed
from hookci.git.managers import first_update, only_first
from hookci.git.names import branches_and_tags
from hookci.git.push import parse_ref_updates, refuse_borrowed_stdin
from hookci.git.shims import read_shim
from hookci.git.snapshots import index_tree, of_index, of_push, of_revision, visible_files
from hookci.git.standing import standing
from hookci.git.uninstall import uninstall
from hookci.model.event import Notice
from hookci.model.plan import Action
from hookci.model.result import Verdict
from hookci.model.snapshot import Cause
from hookci.model.status import PipelineSummary, Status
from hookci.plan import Wishes, asked_by_hook, make_plan
from hookci.reading import pipeline_of_files
from hookci.session import RunOptions, Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.config.detect import Detection
    from hookci.execute.schedule import Interrupts
    from hookci.git.install import InstallReport
    from hookci.git.repository import Repository
    from hookci.git.uninstall import UninstallReport
    from hookci.model.event import Observer
    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan
    from hookci.model.record import JobRecord, RunRecord
    from hookci.model.result import RunResult
    from hookci.model.snapshot import RefUpdate, Snapshot
    from hookci.session import Machine

__all__ = [
    "Request",
    "check_commit",
    "check_config",
    "check_managed_push",
    "check_push",
    "detect_project",
    "forget",
    "install_hooks",
    "judge_commit",
    "plan_for",
    "plan_request",
    "plan_scans",
    "revisions",
    "run_record",
    "run_request",
    "runs",
    "status",
    "uninstall_hooks",
    "write_config",
]


_AS_USUAL = RunOptions()
_PUSH = Cause()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for on the command line.

    ``names`` are stages and jobs, none for what ``hook`` asks for.  ``revision`` is a commit;
    ``staged`` means the index instead, ``cause`` what a pipeline of GitLab's would come from.  ``engine`` is the URL
    or docker context of the container engine, None for what the settings say.  ``variables`` win over all others;
    ``play`` are jobs that wait for a person no more.  ``deploys`` are the environments that may be deployed to without
    one (None: all).
    """

    hook: str
    names: tuple[str, ...] = ()
    revision: str = "HEAD"
    staged: bool = False
    skip: tuple[str, ...] = ()
    cause: Cause = _PUSH
    engine: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    play: tuple[str, ...] = ()
    deploys: tuple[str, ...] | None = None
    allow_unsupported: bool = False
    options: RunOptions = _AS_USUAL


def check_commit(
    machine: Machine, hook: str, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> RunResult | None:
    """Judge the index that a commit is about to be made of; None when the config asks for nothing.

    Raises:
        HookciError: no verdict could be reached, also because the index changed meanwhile.
    """
    session = Session.open(machine)
    tree = index_tree(session.repository, session.scratch)
    if session.has_verdicts(hook, tree):
        known = session.known_green(hook, of_index(session.repository, session.scratch, tree), skip)
        if known is not None:
            return known
    judged = functools.cache(lambda: of_index(session.repository, session.scratch, tree))
    pipeline = session.pipeline(tree, judged)
    if pipeline is None:
        tell(Notice("nothing is checked: this commit has no hookci.toml, so a push of it will be refused"))
        return None
    asked = asked_by_hook(pipeline, hook)
    if not asked:
        return None
    snapshot = judged()
    request = Request(hook=hook, names=asked, skip=skip, deploys=session.settings.deploys)
    result = session.execute(plan_for(session, pipeline, snapshot, request, tell), tell, stop, _AS_USUAL)
    # A plain `git commit` holds no lock: a `git add` from elsewhere would be committed unjudged.
    if result.verdict is Verdict.GREEN and index_tree(session.repository, session.scratch) != tree:
        raise HookciError("the index changed while it was judged, so what would be committed was not", "commit again")
    return result


def check_push(
    machine: Machine, stdin: bytes, remote: str, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> tuple[RunResult, ...]:
    """Judge every ref that a push is about to change; the first that is not green ends it.

    Raises:
        HookciError: no verdict could be reached.
    """
    updates = parse_ref_updates(stdin)
    refuse_borrowed_stdin(updates, machine.env)
    return _check_updates(Session.open(machine), updates, remote, skip, tell, stop)


def check_managed_push(
    machine: Machine, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> tuple[RunResult, ...]:
    """Judge the one ref of a push that pre-commit or prek tells of, and say that it is only one.

    Raises:
        HookciError: no verdict could be reached.
    """
    session = Session.open(machine)
    update, remote = first_update(session.repository, machine.env)
    tell(Notice(only_first(update, machine.env)))
    return _check_updates(session, (update,), remote, skip, tell, stop)


def _check_updates(
    session: Session,
    updates: tuple[RefUpdate, ...],
    remote: str,
    skip: tuple[str, ...],
    tell: Observer,
    stop: Interrupts,
) -> tuple[RunResult, ...]:
    snapshots, notes = of_push(session.repository, updates, remote)
    for note in notes:
        tell(Notice(note))
    results: dict[object, RunResult] = {}
    plans = []
    # every config is read before anything runs: a mistake in the last ref does not cost the time of the first
    for snapshot in snapshots:
        known = session.known_green("pre-push", snapshot, skip)
        if known is not None:
            results[snapshot.label] = known
        elif (plan := _push_plan(session, snapshot, skip, tell)) is not None:
            plans.append(plan)
    _judge(session, plans, results, tell, stop)
    return tuple(results.values())


def _judge(
    session: Session,
    plans: list[tuple[Pipeline, Plan]],
    results: dict[object, RunResult],
    tell: Observer,
    stop: Interrupts,
) -> None:
    """Run one plan after the other, equal ones once, until one is not green."""
    for number, (pipeline, plan) in enumerate(plans):
        if plan.verdict_key in results:
            tell(Notice(f"{plan.snapshot.label} is the same as {results[plan.verdict_key].label} and judged with it"))
            continue
        result = session.execute(plan, tell, stop, _AS_USUAL)
        _tell_people(session, pipeline, plan, result, tell)
        results[plan.verdict_key] = result
        if result.verdict is not Verdict.GREEN:
            rest = [other.snapshot.label for _, other in plans[number + 1 :] if other.verdict_key not in results]
            if rest:
                tell(Notice(f"not judged any more: {', '.join(rest)}"))
            return


def _tell_people(session: Session, pipeline: Pipeline, plan: Plan, result: RunResult, tell: Observer) -> None:
    """Tell those whom the config names how a run ended; a verdict that was remembered was told before."""
    if pipeline.notify is None or result.verdict is Verdict.INTERRUPTED:
        return
    from hookci.notify.texts import run_message  # noqa: PLC0415 (few configs name anybody)

    message = run_message(result, session.project, subject=plan.snapshot.facts.get("CI_COMMIT_TITLE", ""))
    for warning in session.tell_people(pipeline.notify, message):
        tell(Notice(warning, "warning"))


def _push_plan(
    session: Session, snapshot: Snapshot, skip: tuple[str, ...], tell: Observer
) -> tuple[Pipeline, Plan] | None:
    pipeline = session.pipeline(snapshot.tree, lambda: snapshot)
    if pipeline is not None:
        asked = asked_by_hook(pipeline, "pre-push")
        request = Request(hook="pre-push", names=asked, skip=skip, deploys=session.settings.deploys)
        return pipeline, plan_for(session, pipeline, snapshot, request, tell)
    if not session.settings.allow_unconfigured:
        raise UnconfiguredError(
            f"{snapshot.label} has no hookci.toml, so nothing can be said about it",
            "add one with `hookci init`, or let this clone push such trees: `git config hookci.unconfigured allow`",
        )
    tell(Notice(f"{snapshot.label} has no hookci.toml and is not judged (hookci.unconfigured=allow)", "warning"))
    return None


def plan_scans(
    session: Session, pipeline: Pipeline, snapshot: Snapshot, names: tuple[str, ...], tell: Observer
) -> Plan:
    """Decide how jobs that scan are run by hand."""
    return plan_for(session, pipeline, snapshot, Request(hook="pre-push", names=names), tell)


def plan_for(session: Session, pipeline: Pipeline, snapshot: Snapshot, request: Request, tell: Observer) -> Plan:
    """The plan of what ``request`` names, with what has to be said before it runs.

    Raises:
        HookciError: the request or the config makes no sense.
    """
    for warning in pipeline.warnings:
        tell(Notice(warning, "warning"))
    if any(job.scan for job in pipeline.jobs.values()):
        snapshot = with_fork_point(session.repository, snapshot)
    plan = make_plan(
        pipeline,
        snapshot,
        hook=request.hook,
        asked=request.names,
        skip=request.skip,
        paths=session.blobs(snapshot),
        wishes=Wishes(
            variables=request.variables,
            deploys=request.deploys,
            allow_unsupported=request.allow_unsupported or session.settings.allow_unsupported,
            changed_since=functools.partial(changed_since, session.repository, session.scratch, snapshot),
        ),
    )
    for notice in plan.notices:
        tell(Notice(notice, "warning"))
    groups = {planned.job.group for planned in plan.jobs.values()}
    for name in request.skip:
        if name.removeprefix("job:") not in {*plan.jobs, *groups}:
            tell(Notice(f"HOOKCI_SKIP names `{name}`, which is no job of this run", "warning"))
    _refuse_missing_scanners(pipeline, plan)
    return plan


def _refuse_missing_scanners(pipeline: Pipeline, plan: Plan) -> None:
    """An extra that is not installed is an error before anything runs, never a scan that finds nothing."""
    asked = [planned.job for planned in plan.jobs.values() if planned.job.scan and planned.action is Action.RUN]
    if not asked:
        return
    from hookci.scan.scanners import install_hint, scanner_version  # noqa: PLC0415 (not every run scans)

    problems = [
        ConfigProblem(f"jobs.{job.group}.scan", f"`{job.scan.tool}` is not installed here", install_hint(job.scan.tool))
        for job in asked
        if job.scan and not scanner_version(job.scan.tool)
    ]
    if problems:
        raise ConfigError(pipeline.source, tuple(problems))


def plan_request(machine: Machine, request: Request, tell: Observer) -> Plan:
    """Decide what a request would run, and what is remembered of it; nothing is run.

    Raises:
        HookciError: the request or the config makes no sense.
    """
    session, plan = _requested(machine, request, tell)
    return session.recalled(plan) if request.options.memory else plan


def _requested(machine: Machine, request: Request, tell: Observer) -> tuple[Session, Plan]:
    session = Session.open(machine)
    if request.engine:
        session = replace(session, settings=replace(session.settings, engine=request.engine))
    if request.staged:
        snapshot = of_index(session.repository, session.scratch)
    else:
        snapshot = of_revision(session.repository, request.revision, request.cause)
    pipeline = session.configured(snapshot, request.variables)
    names = request.names or asked_by_hook(pipeline, request.hook)
    names += tuple(f"job:{name.removeprefix('job:')}" for name in request.play)
    return session, plan_for(session, pipeline, snapshot, replace(request, names=names), tell)


def run_request(machine: Machine, request: Request, tell: Observer, stop: Interrupts) -> RunResult:
    """Run what a person asks for.

    Raises:
        HookciError: no verdict could be reached.
    """
    session, plan = _requested(machine, request, tell)
    if not any(planned.action is Action.RUN for planned in plan.jobs.values()):
        tell(Notice("no job of this run is to run; `hookci plan` says why", "warning"))
    return session.execute(plan, tell, stop, request.options)


def judge_commit(
    session: Session, snapshot: Snapshot, needs: tuple[str, ...], tell: Observer, stop: Interrupts
) -> tuple[RunResult, dict[str, int]]:
    """Judge a commit as a push of it would be, together with the jobs named ``needs``.

    Returns:
        The result, and the run in which each cell of those jobs left its artifacts.
    """
    pipeline = session.configured(snapshot)
    asked = asked_by_hook(pipeline, "pre-push")
    names = asked + tuple(f"job:{name}" for name in needs)
    # a job that deploys has no part in it: the deployment is what comes after
    request = Request(hook="pre-push", names=names if needs else asked, deploys=())
    plan = plan_for(session, pipeline, snapshot, request, tell)
    result = session.execute(plan, tell, stop, _AS_USUAL)
    wanted = {planned.job.name for planned in plan.jobs.values() if {planned.job.name, planned.job.group} & {*needs}}
    given = {job.name: job.passed_in or result.number for job in result.jobs if job.name in wanted}
    return result, given


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
    """Install the hooks, so that they start ``python`` with ``main``."""
    return install(Session.open(machine).repository, read_shim(), python=python, main=main)


def uninstall_hooks(machine: Machine) -> UninstallReport:
    """Remove the hooks and put back what was there."""
    return uninstall(Session.open(machine).repository)


def check_config(machine: Machine, *, revision: str | None, staged: bool) -> Pipeline:
    """The pipeline of the work tree's config, or of a commit's, or of the index's.

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
