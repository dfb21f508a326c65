"""Whether a job may start, given how those it comes after ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.model.pipeline import When
from hookci.model.plan import Action
from hookci.model.result import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hookci.model.plan import Plan, PlannedJob
    from hookci.model.result import JobResult

__all__ = ["BAD", "Standing", "is_patient"]

BAD = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.ERRORED})
_CANCELLED = frozenset({Outcome.CANCELLED})
_NOT_RUN = frozenset({Outcome.SKIPPED, Outcome.CANCELLED, Outcome.UNSUPPORTED})


def is_patient(when: When) -> bool:
    """Whether a job is for good days only, so that there is no sense in it once something has failed."""
    return when in {When.ON_SUCCESS, When.DELAYED}


class Standing:
    """How a run stands: what has ended, and what waits for a person.

    Args:
        plan: what runs.
        results: the jobs that have ended; others may add to it.
        keep_going: whether a failure matters only to what comes after it.
    """

    def __init__(self, plan: Plan, results: Mapping[str, JobResult], *, keep_going: bool) -> None:
        self._plan = plan
        self._results = results
        self._keep_going = keep_going
        self._waiting: set[str] = set()
        self._found: dict[tuple[object, ...], str | None] = {}

    def why_not(self, planned: PlannedJob, failed: str | None) -> str | None:
        """Why a job does not run; None when it does.

        Args:
            planned: a job; all that it comes after is over.
            failed: the first job of the run that failed.
        """
        if self._plan.keep_going:
            return self._as_on_gitlab(planned)
        return self._as_usual(planned, failed)

    def holder(self, names: Iterable[str]) -> str | None:
        """Which of the jobs ``names``, all over, holds up the pipeline that they are, since it waits for a person."""
        return next((name for name in names if self._holds(name)), None)

    def _outcome(self, name: str) -> Outcome:
        return self._results[name].outcome

    def _once(self, planned: PlannedJob, question: tuple[object, ...], answer: Callable[[], str | None]) -> str | None:
        """``answer``, which only what ``planned`` comes after decides; a stage comes after the same jobs as one."""
        key = (id(planned.after), *question)
        if key not in self._found:
            self._found[key] = answer()
        return self._found[key]

    def _first(self, planned: PlannedJob, outcomes: frozenset[Outcome]) -> str | None:
        def found() -> str | None:
            return next((name for name in planned.after if self._outcome(name) in outcomes), None)

        return self._once(planned, ("first", outcomes), found)

    # -- hookci.toml

    def _as_usual(self, planned: PlannedJob, failed: str | None) -> str | None:
        bad = self._first(planned, BAD)
        if planned.when is When.ALWAYS:
            return None
        if planned.when is When.ON_FAILURE:
            return None if bad or failed else "nothing failed"
        if bad or (failed and not self._keep_going):
            return f"`{bad or failed}` did not pass"
        by_need = planned.job.needs is not None

        def blocked() -> str | None:
            reasons = (self._blocked_by(name, by_need=by_need) for name in planned.after)
            return next((reason for reason in reasons if reason), None)

        return self._once(planned, ("blocked", by_need), blocked)

    def _blocked_by(self, name: str, *, by_need: bool) -> str | None:
        outcome = self._outcome(name)
        if outcome is Outcome.MANUAL and (by_need or not self._plan.jobs[name].job.allow_failure.allowed):
            return f"`{name}` waits for a person"
        if outcome in _NOT_RUN and name not in self._plan.skip:
            # what runs only after a failure is skipped on a good day, and nobody waits for it
            waited_for = by_need or (is_patient(self._plan.jobs[name].when) and outcome is not Outcome.UNSUPPORTED)
            return f"`{name}` did not run" if waited_for else None
        return None

    # -- GitLab

    def _as_on_gitlab(self, planned: PlannedJob) -> str | None:
        """GitLab's rules: what a job's stages or needs come to together decides about it.

        Source: GitLab CI/CD YAML reference, ``when``, ``allow_failure`` and ``needs``; of its code
        ``Gitlab::Ci::Status::Composite`` and ``Ci::ProcessBuildService``, which say what the reference leaves open.
        """
        by_need = planned.job.needs is not None
        absent = next((name for name in planned.after if self._is_absent(name)), None) if by_need else None
        if absent is None:
            waits = self._once(
                planned, ("waits",), lambda: next((name for name in planned.after if self._waits(name)), None)
            )
            if waits is not None:
                self._waiting.add(planned.job.name)
                return self._blocking(waits)
        if planned.when is When.ALWAYS:
            return None
        bad = None if absent else self._first(planned, BAD)
        if planned.when is When.ON_FAILURE:
            return None if bad else "nothing before it failed"
        if absent is not None:
            waiting = self._outcome(absent) is Outcome.MANUAL
            return f"`{absent}` waits for a person" if waiting else f"`{absent}` did not run"
        cancelled = self._first(planned, _CANCELLED)
        return f"`{bad or cancelled}` did not pass" if bad or cancelled else None

    def _is_absent(self, name: str) -> bool:
        """Whether a needed job did not run and holds nobody up: what needs it is skipped."""
        if name in self._waiting or name in self._plan.skip:
            return False
        outcome = self._outcome(name)
        return outcome in {Outcome.SKIPPED, Outcome.UNSUPPORTED} or (outcome is Outcome.MANUAL and self._may_wait(name))

    def _waits(self, name: str) -> bool:
        """Whether a job holds up what comes after it: it waits for a person, or for one that does."""
        return name in self._waiting or self._holds(name)

    def _holds(self, name: str) -> bool:
        return self._outcome(name) is Outcome.MANUAL and not self._may_wait(name)

    def _may_wait(self, name: str) -> bool:
        return self._plan.jobs[name].job.allow_failure.allowed and not self._goes_on(name)

    def _goes_on(self, name: str) -> bool:
        """Whether a job that waits was started and is not over: what it started waits, and it depends on that.

        Source: ``Ci::Bridge#inherit_dependent_status_from_downstream!``.  One that mirrors waits itself.
        """
        planned = self._plan.jobs[name]
        trigger = planned.job.trigger
        return trigger is not None and not trigger.mirror and planned.action is Action.RUN

    def _blocking(self, name: str) -> str:
        return f"`{name}` waits for a person" if name not in self._waiting else self._results[name].reason
