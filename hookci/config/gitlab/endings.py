"""How a job may end: when it runs, what failures are overlooked, what is tried again.

Source: GitLab CI/CD YAML reference, "allow_failure", "retry", "when".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.gitlab.keywords import words
from hookci.config.gitlab.shapes import as_list, flag, numbers, table, whole
from hookci.config.words import did_you_mean, show
from hookci.model.pipeline import AllowFailure, Retry, RetryOn, When

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["check_bridge", "read_allow_failure", "read_retry", "read_when"]

_MOST_RETRIES = 2
_JOB_WHEN = ("on_success", "on_failure", "always", "manual", "delayed")

_REASONS: dict[str, tuple[RetryOn, ...]] = {
    "always": (RetryOn.ALWAYS,),
    "script_failure": (RetryOn.FAILURE,),
    "stuck_or_timeout_failure": (RetryOn.TIMEOUT,),
    "job_execution_timeout": (RetryOn.TIMEOUT,),
    "runner_system_failure": (RetryOn.ERROR,),
    "runner_configuration_error": (RetryOn.ERROR,),
    "runner_external_dependency_failure": (RetryOn.ERROR,),
    "unknown_failure": (RetryOn.ERROR,),
    # what cannot happen where there are no runners, schedules or GitLab
    **dict.fromkeys(
        words(
            "api_failure stuck_pending_with_matching_runners stuck_pending_no_matching_runners no_updates_running "
            "no_updates_canceling runner_interrupted runner_unsupported stale_schedule archived_failure "
            "unmet_prerequisites scheduler_failure data_integrity_failure"
        ),
        (),
    ),
}


def read_allow_failure(value: object, path: Path, ledger: Ledger) -> AllowFailure:
    """``allow_failure``; with exit codes nothing else is overlooked, and a manual job holds up those after it."""
    if not isinstance(value, dict):
        return AllowFailure(allowed=bool(flag(value, path, ledger)))
    said = table(value, path, ledger, ("exit_codes",))
    if "exit_codes" not in said:
        ledger.problem(path, "config missing required keys: exit_codes")
        return AllowFailure()
    return AllowFailure(exit_codes=numbers(said["exit_codes"], (*path, "exit_codes"), ledger))


def read_when(value: object, path: Path, ledger: Ledger) -> When:
    """``when`` of a job, which can do without ``never``: that is for rules."""
    if isinstance(value, str) and value in _JOB_WHEN:
        return When(value)
    hint = did_you_mean(value, _JOB_WHEN) if isinstance(value, str) else None
    if value == When.NEVER:
        hint = "write it in `rules`, or begin the job's name with a dot"
    ledger.problem(path, f"when should be one of: {', '.join(_JOB_WHEN)}, saw {show(value)}", hint)
    return When.ON_SUCCESS


def check_bridge(said: Mapping[str, object], path: Path, ledger: Ledger) -> None:
    """What a job that starts a pipeline may not say of its end and its number (GitLab's ``Entry::Bridge``)."""
    if said.get("when") == When.DELAYED:
        allowed = ", ".join(word for word in _JOB_WHEN if word != When.DELAYED)
        hint = "a job that starts a pipeline waits only with `when: delayed` in `rules`"
        ledger.problem((*path, "when"), f'when should be one of: {allowed}, saw "delayed"', hint)
    if isinstance(said.get("allow_failure"), dict):
        hint = "a job that starts a pipeline has no exit code"
        ledger.problem((*path, "allow_failure"), "allow failure should be a boolean value, saw a table", hint)
    if "parallel" in said and not isinstance(said["parallel"], dict):
        hint = "write `parallel: {matrix: [...]}`"
        ledger.problem((*path, "parallel"), 'cannot use "parallel: <number>" in a job that starts a pipeline', hint)


def read_retry(value: object, path: Path, ledger: Ledger) -> Retry:
    """``retry``: a number, or how often, after what, and after which exit codes."""
    if not isinstance(value, dict):
        return Retry(max=whole(value, path, ledger, least=0, most=_MOST_RETRIES) or 0)
    said = table(value, path, ledger, ("max", "when", "exit_codes"))
    most = whole(said.get("max", 0), (*path, "max"), ledger, least=0, most=_MOST_RETRIES)
    codes = numbers(said["exit_codes"], (*path, "exit_codes"), ledger) if "exit_codes" in said else ()
    when = _reasons(said["when"], (*path, "when"), ledger) if "when" in said else (RetryOn.ALWAYS,)
    return Retry(max=most or 0, when=when, exit_codes=codes)


def _reasons(value: object, path: Path, ledger: Ledger) -> tuple[RetryOn, ...]:
    found: dict[RetryOn, None] = {}
    for word in as_list(value):
        if isinstance(word, str) and word in _REASONS:
            found.update(dict.fromkeys(_REASONS[word]))
        else:
            hint = did_you_mean(word, _REASONS) if isinstance(word, str) else None
            ledger.problem(path, f"when is not an error type to retry after: {show(word)}", hint)
    return tuple(found)
