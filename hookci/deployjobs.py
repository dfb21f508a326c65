"""Deployments that jobs of a GitLab pipeline make: which of them the pipeline of a commit has, and their start.

The pipeline is the one that a push of the commit to the environment's branch starts; when no job of it deploys there,
the one that the push of a tag at this commit does.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import HookciError, UsageError
from hookci.execute.schedule import Interrupts
from hookci.executing import Handed, RunOptions, execute
from hookci.git.changes import changed_since
from hookci.git.releases import releases
from hookci.git.snapshots import of_revision, tags_at
from hookci.model.event import JobOutput, Notice
from hookci.model.pipeline import When
from hookci.model.plan import Action
from hookci.model.result import Outcome
from hookci.plan.make import make_plan
from hookci.plan.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hookci.deploy.kept import Attempt
    from hookci.execute.output import Output
    from hookci.model.environment import Environment
    from hookci.model.event import Event
    from hookci.model.notification import Notify
    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.result import RunResult
    from hookci.model.snapshot import Snapshot
    from hookci.session import Session

__all__ = ["Deploying", "Start", "deploying_jobs"]

_THERE = (Action.RUN, Action.MANUAL)
_ALONE = RunOptions(memory=False)


class Deploying(Struct, frozen=True, kw_only=True):
    """The jobs of one commit's pipeline that deploy to one environment; ``plan`` is of the whole pipeline."""

    snapshot: Snapshot
    environment: Environment
    plan: Plan
    jobs: tuple[str, ...]
    notify: Notify | None = None

    @property
    def planned(self) -> list[PlannedJob]:
        """The jobs, in the order of the plan."""
        return [self.plan.jobs[name] for name in self.jobs]

    @property
    def takes_from(self) -> list[str]:
        """The other jobs whose artifacts come along."""
        names = dict.fromkeys(name for planned in self.planned for name in planned.artifacts_from)
        return [name for name in names if name not in self.jobs]

    def require_startable(self, session: Session, result: RunResult) -> None:
        """Refuse to start what GitLab would not let a person start either.

        Another job that deploys is held back in ``result``, the run in which the commit was judged; instead of it,
        its environment must have verified the commit.

        Raises:
            UsageError: a job that comes before was not run, or another environment comes first.
        """
        outcomes = {job.name: job for job in result.jobs}
        for planned in self.planned:
            for name in planned.after:
                before = outcomes.get(name)
                if before is None or before.outcome.is_good or name in self.jobs:
                    continue
                self._require(session, planned, self.plan.jobs[name], before.outcome)

    def _require(self, session: Session, planned: PlannedJob, before: PlannedJob, outcome: Outcome) -> None:
        name, short, where = before.job.name, self.snapshot.commit[:8], before.job.environment
        is_optional = before.when is When.MANUAL and before.job.allow_failure.allowed and planned.job.needs is None
        if before.when is When.ON_FAILURE or (outcome is Outcome.MANUAL and is_optional):
            return
        if where is None or where.action != "start":
            said = "waits for a person" if outcome is Outcome.MANUAL else "did not run"
            hint = "`hookci run`, and `hookci play` for what waits in it, go the way of the pipeline"
            raise UsageError(f"`{planned.job.name}` comes after `{name}`, which {said} for {short}", hint)
        if not any(one.commit == self.snapshot.commit for one in releases(session.repository, where.name)):
            raise UsageError(
                f"`{planned.job.name}` comes after `{name}`, and {short} was never verified on {where.name}",
                f"`hookci deploy {where.name}` comes first",
            )


def deploying_jobs(session: Session, described: Environment, commit: str) -> Deploying:
    """The jobs that deploy ``commit`` to an environment.

    Args:
        session: the repository.
        described: the environment as some commit describes it: its name, and the branch that is deployed.
        commit: the commit's object name.

    Raises:
        ConfigError: its config is wrong.
        UsageError: no job of its pipeline deploys there.
    """
    for snapshot in _snapshots(session, described.branch, commit):
        pipeline = session.configured(snapshot)
        environment = pipeline.environments.get(described.name)
        if environment is None or not environment.jobs:
            continue
        wishes = Wishes(
            deploys=(),
            allow_unsupported=session.settings.allow_unsupported,
            changed_since=functools.partial(changed_since, session.repository, session.scratch, snapshot),
        )
        plan = make_plan(
            pipeline,
            snapshot,
            hook="pre-push",
            asked=pipeline.stages,
            paths=session.blobs(snapshot),
            wishes=wishes,
        )
        jobs = tuple(name for name, planned in plan.jobs.items() if _deploys(planned, environment))
        if jobs:
            return Deploying(snapshot=snapshot, environment=environment, plan=plan, jobs=jobs, notify=pipeline.notify)
    meant = ", ".join(f"`{job.name}`" for job in described.jobs)
    raise UsageError(
        f"a push of {commit[:8]} to {described.branch} starts no job that deploys to {described.name} ({meant})",
        f"[environments.{described.name}] of hookci.toml can name another branch; a job for tags needs a tag there",
    )


def _snapshots(session: Session, branch: str, commit: str) -> Iterator[Snapshot]:
    yield of_revision(session.repository, commit, branch=branch)
    for tag in tags_at(session.repository, commit):
        yield of_revision(session.repository, f"refs/tags/{tag}")


def _deploys(planned: PlannedJob, environment: Environment) -> bool:
    where = planned.job.environment
    return (
        where is not None
        and where.action == "start"
        and where.name == environment.name
        and planned.parent is None
        and planned.action in _THERE
        and planned.when is not When.ON_FAILURE
    )


class Start(Struct, frozen=True, kw_only=True):
    """Starts jobs that deploy.

    ``run`` is the run that it goes on with (None: none), ``told`` are variables that win over all others, ``secrets``
    those that are masked too, ``passed`` what of the person's environment comes along.
    """

    session: Session
    deploying: Deploying
    run: int | None
    told: Mapping[str, str]
    secrets: Mapping[str, str]
    passed: tuple[str, ...]
    listening: list[Callable[[str], object]]

    def __call__(self, attempt: Attempt, output: Output, release: int, cancelled: Callable[[], str | None]) -> str:
        """Run the jobs with the artifacts that ``attempt`` keeps; why they failed, empty when they did not."""
        stop = Interrupts()
        self.listening.append(stop.interrupt)
        try:
            if reason := cancelled():
                return reason
            plan = self._plan(attempt.jobs, {**self.told, "HOOKCI_RELEASE": str(release)})
            handed = Handed(put=attempt.give, secrets=self.secrets)
            result = execute(self.session, plan, _teller(output), stop, _ALONE, handed)
        except HookciError as error:
            return error.message
        finally:
            self.listening.remove(stop.interrupt)
        output.say(f"hookci: this was run {result.number}")
        return stop.reason or _failure(result)

    def _plan(self, givers: Iterable[str], told: Mapping[str, str]) -> Plan:
        """The plan of these jobs alone, as if a person had started them."""
        there = {*givers, *self.deploying.jobs}
        jobs = {planned.job.name: self._alone(planned, there, told) for planned in self.deploying.planned}
        plan = self.deploying.plan
        return replace(
            plan, jobs=jobs, left_out={}, skip=(), whole=False, all_scans=False, notices=(), belongs_to=self.run
        )

    def _alone(self, planned: PlannedJob, there: set[str], told: Mapping[str, str]) -> PlannedJob:
        job = planned.job
        own = set(self.deploying.jobs)
        return replace(
            planned,
            job=replace(
                job,
                memory=False,
                secrets=(*job.secrets, *self.secrets),
                pass_env=(*job.pass_env, *self.passed),
            ),
            action=Action.RUN,
            reason=f"deploys to {self.deploying.environment.name}",
            when=When.ON_SUCCESS,
            after=tuple(name for name in planned.after if name in own),
            artifacts_from=tuple(name for name in planned.artifacts_from if name in there),
            depends_on=tuple(name for name in planned.depends_on if name in own),
            given={**planned.given, **told},
        )


def _teller(output: Output) -> Callable[[Event], None]:
    """What jobs say is what the deployment says."""

    def tell(event: Event) -> None:
        if isinstance(event, JobOutput) and not event.partial:
            output.feed("".join(f"{line}\n" for line in event.lines).encode(errors="surrogateescape"))
        elif isinstance(event, Notice):
            output.say(f"hookci: {event.text}")

    return tell


def _failure(result: RunResult) -> str:
    failed = next((job for job in result.jobs if job.outcome is not Outcome.PASSED), None)
    if failed is None:
        return ""
    why = failed.reason or (f"exit status {failed.exit_code}" if failed.exit_code else "")
    where = f" in `{failed.command.strip().splitlines()[0]}`" if failed.command and failed.command.strip() else ""
    return f"the job `{failed.name}` {failed.outcome}{where}" + (f": {why}" if why else "")
