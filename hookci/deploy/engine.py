"""One deployment, from its first step to a verified release or back to the one before: crash-only.

Every step is in the journal before it is taken.  Until ``script`` nothing is touched; from ``tag`` on the new release
is verified; in between, a process that dies leaves a journal from which the next command finishes or goes back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.deploy.health import HealthDesk, check_health
from hookci.deploy.journal import Entry, Step
from hookci.deploy.scripts import Scripts, deploy_environment
from hookci.errors import HookciError, InterruptedRunError
from hookci.execute.masking import Masker
from hookci.execute.output import Output
from hookci.git.releases import make_release
from hookci.model.release import DeploymentState, Release
from hookci.store.private import private_directory, private_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from hookci.deploy.desk import Candidate, DeployDesk
    from hookci.deploy.journal import Journal
    from hookci.deploy.kept import Attempt
    from hookci.git.repository import Repository
    from hookci.model.release import Deployment
    from hookci.proc.supervise import Cancel

__all__ = ["Engine", "Failure", "release_from"]


class Failure(Struct, frozen=True):
    """Why a candidate did not become live, and whether anything was touched."""

    reason: str
    touched: bool
    cancelled: bool = False


class Engine(Struct, frozen=True):
    """Deploys to one environment, whose lock is held by the caller.

    ``publish`` sends a release's tag to the remote and gives the lock there back; False when that was not possible.
    ``way_back`` makes the candidate of the release that is live, None when there is none.
    """

    desk: DeployDesk
    journal: Journal
    repository: Repository
    publish: Callable[[int], bool]
    way_back: Callable[[], Candidate | None]

    def deploy(self, candidate: Candidate, number: int) -> Deployment:
        """Make ``candidate`` live as release ``number``, or go back.

        Returns:
            What became of it: ``healthy``, ``failed`` (nothing was touched), ``rolled-back`` or ``stuck``.
        """
        desk, snapshot = self.desk, candidate.snapshot
        deployment = desk.store.begin(candidate.environment.name, snapshot.commit, candidate.kind, desk.by)
        entry = self.journal.write(self._entry(candidate, deployment, number))
        with _Log(self, deployment, candidate) as log:
            facts = {"irreversible": "yes"} if candidate.irreversible else {}
            deployment = desk.store.update(replace(deployment, log=log.path, facts=facts))
            failure = self._make_live(candidate, entry, deployment, log.output)
            if isinstance(failure, Failure):
                return self._failed(failure, entry, deployment, log.output)
            return self._verified(candidate, failure, deployment)

    def _entry(self, candidate: Candidate, deployment: Deployment, number: int) -> Entry:
        return Entry(
            step=Step.PREPARE,
            environment=candidate.environment.name,
            deployment=deployment.id,
            commit=candidate.snapshot.commit,
            kind=candidate.kind,
            release=number,
            previous=candidate.live.number if candidate.live else 0,
            pid=self.desk.owner.pid,
            start=self.desk.owner.start,
            begun=deployment.started,
            source=candidate.source,
        )

    # -- forward

    def _make_live(
        self, candidate: Candidate, entry: Entry, deployment: Deployment, output: Output
    ) -> Release | Failure:
        """Run the candidate's commands and its checks."""
        attempt = self.desk.kept.begin(deployment.id)
        try:
            artifacts = self._prepare(candidate, attempt, output)
        except HookciError as error:
            return Failure(error.message, touched=False)
        except OSError as error:
            return Failure(f"{error.strerror}: {error.filename}", touched=False)
        if self.desk.cancel.reason is not None:
            return Failure(self.desk.cancel.reason, touched=False, cancelled=True)
        failure = self._run(candidate, attempt, entry, output, (Step.SCRIPT, Step.HEALTH), self.desk.cancel)
        if failure:
            return Failure(failure, touched=True, cancelled=self.desk.cancel.reason is not None)
        return Release(
            environment=candidate.environment.name,
            number=entry.release,
            commit=candidate.snapshot.commit,
            kind=candidate.kind,
            by=self.desk.by,
            at=self.desk.clock(),
            seconds=max(0.0, self.desk.clock() - deployment.started),
            source=candidate.source,
            run=candidate.run,
            config=candidate.config,
            artifacts=artifacts,
            approver=candidate.approver,
            irreversible=candidate.irreversible,
        )

    def _prepare(self, candidate: Candidate, attempt: Attempt, output: Output) -> str:
        """A clean checkout of exactly the commit, with the artifacts in it; their digest."""
        desk, snapshot = self.desk, candidate.snapshot
        attempt.checkout.reset(desk.source, snapshot.tree, keep=set(), fill=tuple, say=output.say)
        attempt.checkout.expose(desk.source, snapshot.commit, snapshot.tree)
        for job, take in candidate.artifacts.items():
            if not take(attempt):
                raise HookciError(f"the artifacts of `{job}` are gone, so {snapshot.commit[:8]} cannot be deployed")
        return attempt.unpack()

    def _run(
        self,
        candidate: Candidate,
        attempt: Attempt,
        entry: Entry,
        output: Output,
        steps: tuple[Step, Step],
        cancel: Cancel,
    ) -> str:
        """The commands, then the checks; why they failed, empty when they did not."""
        number = entry.release if steps[0] is Step.SCRIPT else entry.previous
        environment = deploy_environment(self.desk, candidate, attempt, number)
        scripts = Scripts(self.desk, candidate, attempt, environment, output, cancel)
        ends = self.desk.clock() + candidate.environment.timeout
        self.journal.write(replace(entry, step=steps[0], script_ends=ends))
        if candidate.start is not None:
            failure = candidate.start(attempt, output, number, lambda: cancel.reason)
        else:
            failure = scripts.run(candidate.commands)
        if failure:
            return failure
        self.journal.write(replace(entry, step=steps[1]))
        if not candidate.environment.health:
            output.say("hookci: no health check says whether this release works")
        health = check_health(
            candidate.environment.health,
            HealthDesk(
                variables=environment,
                run=scripts.check,
                cancelled=lambda: cancel.reason,
                say=lambda text: output.say(f"hookci: {text}"),
                clock=_monotonic,
            ),
        )
        output.finish()
        return "" if health.is_healthy else health.reason

    def _verified(self, candidate: Candidate, release: Release, deployment: Deployment) -> Deployment:
        """Tag, publish, and write down; what fails from here on does not change that the release is live."""
        entry = replace(self._entry(candidate, deployment, release.number), facts=release_facts(release))
        self.journal.write(replace(entry, step=Step.TAG))
        make_release(self.repository, release)
        return self.finish(replace(entry, step=Step.PUBLISH), replace(deployment, seconds=release.seconds))

    def finish(self, entry: Entry, deployment: Deployment) -> Deployment:
        """What is left to do once the tag is there; also after a crash."""
        desk = self.desk
        self.journal.write(entry)
        attempt = desk.kept.attempt(deployment.id)
        if attempt.directory.is_dir():
            attempt.mark(entry.release)
        pushed = self.publish(entry.release)
        done = replace(
            deployment,
            state=DeploymentState.HEALTHY,
            number=entry.release,
            pushed=pushed,
            live=f"release {entry.release} ({entry.commit[:8]})",
            told=True,
        )
        desk.store.update(done)
        self.journal.clear()
        return done

    # -- back

    def _failed(self, failure: Failure, entry: Entry, deployment: Deployment, output: Output) -> Deployment:
        output.say(f"hookci: {failure.reason}")
        seconds = max(0.0, self.desk.clock() - deployment.started)
        facts = {**deployment.facts, "cancelled": "yes"} if failure.cancelled else deployment.facts
        deployment = replace(deployment, seconds=seconds, reason=failure.reason, facts=facts)
        if not failure.touched:
            live = f"release {entry.previous}, untouched" if entry.previous else "nothing, as before"
            done = replace(deployment, state=DeploymentState.FAILED, live=live)
            self.desk.store.update(done)
            self.journal.clear()
            return done
        return self.go_back(entry, deployment, output)

    def undo(self, entry: Entry, deployment: Deployment) -> Deployment:
        """Put the last verified release back after a deployment whose process died."""
        back = self.way_back()
        if back is None:
            reason = f"{deployment.reason}; nothing was verified here before, to which to go back"
            done = replace(deployment, state=DeploymentState.STUCK, reason=reason, live="unknown: look at it")
            self.desk.store.update(done)
            self.journal.clear()
            return done
        with _Log(self, deployment, back) as log:
            return self.go_back(entry, deployment, log.output)

    def go_back(self, entry: Entry, deployment: Deployment, output: Output) -> Deployment:
        """Deploy the last verified release again, and check it."""
        back = self.way_back()
        if back is None:
            return self._stuck(deployment, "nothing was verified here before, to which to go back", output)
        live = back.live
        number = live.number if live else 0
        if deployment.facts.get("irreversible"):
            why = f"this release is irreversible, so release {number} is not put back by itself"
            return self._stuck(deployment, why, output)
        output.say(f"hookci: going back to release {number} ({back.snapshot.commit[:8]})")
        self.desk.say(f"{deployment.environment}: {deployment.reason}; going back to release {number}")
        # a request to end has been heeded: what goes back is not cut short by the same one
        cancel = self.desk.cancel_back
        attempt = self.desk.kept.begin(-deployment.id)
        try:
            self._prepare(back, attempt, output)
            steps = (Step.BACK_SCRIPT, Step.BACK_HEALTH)
            problem = self._run(back, attempt, replace(entry, commit=back.snapshot.commit), output, steps, cancel)
        except HookciError as error:
            problem = error.message
        if cancel.reason is not None:
            hint = f"`hookci deploy {deployment.environment} --abort` goes on with it"
            raise InterruptedRunError(f"{cancel.reason} while going back to release {number}", hint)
        if problem:
            return self._stuck(deployment, f"going back to release {number} failed too: {problem}", output)
        # it is what runs now, and stays as long as its release does
        attempt.mark(number)
        live_now = f"release {number} ({back.snapshot.commit[:8]}), restored"
        done = replace(deployment, state=DeploymentState.ROLLED_BACK, live=live_now)
        self.desk.store.update(done)
        self.journal.clear()
        return done

    def _stuck(self, deployment: Deployment, why: str, output: Output) -> Deployment:
        output.say(f"hookci: {why}")
        reason = f"{deployment.reason}; {why}" if deployment.reason else why
        done = replace(deployment, state=DeploymentState.STUCK, reason=reason, live="unknown: look at it")
        self.desk.store.update(done)
        self.journal.clear()
        return done


def release_facts(release: Release) -> dict[str, str]:
    """What the tag of a release will say, for a journal from which it may have to be made."""
    facts = {
        "by": release.by,
        "seconds": repr(release.seconds),
        "run": "" if release.run is None else str(release.run),
        "config": release.config,
        "artifacts": release.artifacts,
        "approver": release.approver,
        "irreversible": "yes" if release.irreversible else "",
    }
    return {name: value for name, value in facts.items() if value}


def release_from(entry: Entry, at: float) -> Release:
    """The release that a journal at the step ``tag`` was about to make."""
    facts = entry.facts
    return Release(
        environment=entry.environment,
        number=entry.release,
        commit=entry.commit,
        kind=entry.kind,
        by=facts.get("by", ""),
        at=at,
        seconds=float(facts.get("seconds", "0")),
        source=entry.source,
        run=int(facts["run"]) if "run" in facts else None,
        config=facts.get("config", ""),
        artifacts=facts.get("artifacts", ""),
        approver=facts.get("approver", ""),
        irreversible="irreversible" in facts,
    )


class _Log:
    """The log of one deployment, with its secrets masked."""

    def __init__(self, engine: Engine, deployment: Deployment, candidate: Candidate) -> None:
        desk = engine.desk
        path = private_directory(desk.state / "logs") / f"{deployment.id}.log"
        self.path = str(path)
        self._file = os.fdopen(private_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab", buffering=0)
        masker = Masker(set(candidate.secrets.values()))
        self.output = Output(candidate.environment.name, self._file, masker, desk.tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.output.finish()
        self._file.close()


def _monotonic() -> float:
    import time  # noqa: PLC0415 (the one clock that checks need)

    return time.monotonic()
