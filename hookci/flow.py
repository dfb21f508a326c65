"""How things are judged, on one screen: one function for each way to ask, each reads like a flow chart."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from hookci.config.load import PIPELINE_FILES
from hookci.errors import ConfigError, ConfigProblem, HookciError, UnconfiguredError
from hookci.executing import RunOptions, execute
from hookci.git.changes import changed_since
from hookci.git.snapshots import of_head, of_index, of_push, of_revision
from hookci.model.event import Notice
from hookci.model.plan import Action
from hookci.model.result import Verdict
from hookci.model.snapshot import Cause
from hookci.plan import Wishes, asked_by_hook, make_plan
from hookci.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.execute.schedule import Interrupts
    from hookci.model.event import Observer
    from hookci.model.pipeline import Pipeline
    from hookci.model.plan import Plan
    from hookci.model.result import RunResult
    from hookci.model.snapshot import RefUpdate, Snapshot
    from hookci.session import Machine

__all__ = [
    "Request",
    "Sent",
    "check_commit",
    "check_managed_push",
    "check_push",
    "judge_commit",
    "judge_push",
    "plan_for",
    "plan_request",
    "plan_scans",
    "requested",
    "run_request",
]


_AS_USUAL = RunOptions()
_PUSH = Cause()


class Request(Struct, frozen=True, kw_only=True):
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


class Sent(Struct, frozen=True, kw_only=True):
    """What a push changes on a remote; ``quietly`` nobody whom the config names is told how it was judged."""

    updates: tuple[RefUpdate, ...]
    remote: str
    skip: tuple[str, ...] = ()
    options: RunOptions = _AS_USUAL
    quietly: bool = False


def check_commit(
    machine: Machine, hook: str, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> RunResult | None:
    """Judge the index that a commit is about to be made of; None when the config asks for nothing.

    Raises:
        HookciError: no verdict could be reached, also because the index changed meanwhile.
    """
    from hookci.git.indexes import staged  # noqa: PLC0415 (a push has no index)

    session = Session.open(machine)
    session.expect_engine()
    with (
        session.keeping_store() as open_store,
        staged(session.repository, session.scratch, meanwhile=open_store) as index,
    ):
        result = _check_tree(session, hook, index.tree, skip, tell, stop)
        # A plain `git commit` holds no lock: a `git add` from elsewhere would be committed unjudged.
        if result is not None and result.verdict is Verdict.GREEN and not index.still_is():
            what = "the index changed while it was judged, so what would be committed was not"
            raise HookciError(what, "commit again")
    return result


def _check_tree(
    session: Session, hook: str, tree: str, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> RunResult | None:
    judged = functools.cache(lambda: of_index(session.repository, session.scratch, tree))
    if session.has_verdicts(hook, tree):
        known = session.known_green(hook, judged(), skip)
        if known is not None:
            return known
    pipeline = session.pipeline(tree, judged)
    if pipeline is None:
        tell(Notice("nothing is checked: this commit has no hookci.toml, so a push of it will be refused"))
        return None
    asked = asked_by_hook(pipeline, hook)
    if not asked:
        return None
    request = Request(hook=hook, names=asked, skip=skip, deploys=session.settings.deploys)
    return execute(session, plan_for(session, pipeline, judged(), request, tell), tell, stop, _AS_USUAL)


def check_push(
    machine: Machine, stdin: bytes, remote: str, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> tuple[RunResult, ...]:
    """Judge every ref that a push is about to change; the first that is not green ends it.

    Raises:
        HookciError: no verdict could be reached.
    """
    from hookci.git.push import parse_ref_updates, refuse_borrowed_stdin  # noqa: PLC0415 (pushes alone have any)
    from hookci.store.judged import PUSHING, JudgedPush  # noqa: PLC0415 (as above)

    updates = parse_ref_updates(stdin)
    refuse_borrowed_stdin(updates, machine.env)
    session = Session.open(machine)
    if (token := machine.env.get(PUSHING)) is not None and JudgedPush(session.state).knows(token, stdin):
        return ()
    return judge_push(session, Sent(updates=updates, remote=remote, skip=skip), tell, stop)


def check_managed_push(
    machine: Machine, skip: tuple[str, ...], tell: Observer, stop: Interrupts
) -> tuple[RunResult, ...]:
    """Judge the one ref of a push that pre-commit or prek tells of, and say that it is only one.

    Raises:
        HookciError: no verdict could be reached.
    """
    from hookci.git.managers import first_update, only_first  # noqa: PLC0415 (git's own hooks need none of it)

    session = Session.open(machine)
    update, remote = first_update(session.repository, machine.env)
    tell(Notice(only_first(update, machine.env)))
    return judge_push(session, Sent(updates=(update,), remote=remote, skip=skip), tell, stop)


def judge_push(session: Session, sent: Sent, tell: Observer, stop: Interrupts) -> tuple[RunResult, ...]:
    """Judge every ref that a push is about to change; the first that is not green ends it.

    Raises:
        HookciError: no verdict could be reached.
    """
    session.expect_engine()
    snapshots, notes = of_push(session.repository, sent.updates, sent.remote, PIPELINE_FILES)
    for note in notes:
        tell(Notice(note))
    results: dict[object, RunResult] = {}
    plans = []
    with session.keeping_store() as open_store:
        open_store()
        # every config is read before anything runs: a mistake in the last ref does not cost the time of the first
        for snapshot in snapshots:
            known = session.known_green("pre-push", snapshot, sent.skip)
            if known is not None:
                results[snapshot.label] = known
            elif (plan := _push_plan(session, snapshot, sent.skip, tell)) is not None:
                plans.append(plan)
        _judge(session, sent, plans, results, tell, stop)
    return tuple(results.values())


def _judge(
    session: Session,
    sent: Sent,
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
        result = execute(session, plan, tell, stop, sent.options)
        if not sent.quietly:
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
        from hookci.git.comparison import with_fork_point  # noqa: PLC0415 (few pipelines compare)

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
            changed_since=functools.cache(
                functools.partial(changed_since, session.repository, session.scratch, snapshot)
            ),
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
    session, plan = requested(machine, request, tell)
    return session.recalled(plan) if request.options.memory else plan


def requested(machine: Machine, request: Request, tell: Observer) -> tuple[Session, Plan]:
    """The plan of a request, before anything is looked up that is remembered.

    Raises:
        HookciError: the request or the config makes no sense.
    """
    session = Session.open(machine)
    if request.engine:
        session = replace(session, settings=replace(session.settings, engine=request.engine))
    session.expect_engine()
    if request.staged:
        snapshot = of_index(session.repository, session.scratch)
    elif request.revision == "HEAD":
        snapshot = of_head(session.repository, request.cause, PIPELINE_FILES)
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
    session, plan = requested(machine, request, tell)
    if not any(planned.action is Action.RUN for planned in plan.jobs.values()):
        tell(Notice("no job of this run is to run; `hookci plan` says why", "warning"))
    return execute(session, plan, tell, stop, request.options)


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
    result = execute(session, plan, tell, stop, RunOptions(files_of=needs))
    wanted = {planned.job.name for planned in plan.jobs.values() if {planned.job.name, planned.job.group} & {*needs}}
    given = {job.name: job.passed_in or result.number for job in result.jobs if job.name in wanted}
    return result, given
