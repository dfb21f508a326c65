"""What a job of a GitLab file asks of its runner, by variables.

Source: GitLab, "Configuring runners": "Git strategy", "Set script and after_script timeouts", "Ignore errors in
after_script"; of the runner's code ``common/build_settings.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.gitlab.durations import parse_period
from hookci.execute.variables import Asked
from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["asked_in"]

_STRATEGIES = ("clone", "fetch", "none", "empty")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)"
_DURATION = pattern(rf"(?:{_PART})+")
_PARTS = pattern(_PART)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def asked_in(environment: Mapping[str, str], say: Callable[[str], None]) -> Asked:
    """What the variables of a job say; what cannot be read is told and left out, as by a runner.

    A ``GIT_STRATEGY`` that is none is told in ``wrong``.

    Args:
        environment: the variables, with what they refer to in place.
        say: gets a line for the job's log.
    """
    strategy = environment.get("GIT_STRATEGY", "")
    is_known = not strategy or strategy in _STRATEGIES
    return Asked(
        sources=strategy not in ("none", "empty"),
        script_timeout=_timeout("RUNNER_SCRIPT_TIMEOUT", environment, say),
        after_timeout=_timeout("RUNNER_AFTER_SCRIPT_TIMEOUT", environment, say),
        after_counts=_after_counts(environment, say),
        wrong="" if is_known else f"unknown GIT_STRATEGY `{strategy}`: there are {', '.join(_STRATEGIES)}",
    )


def _after_counts(environment: Mapping[str, str], say: Callable[[str], None]) -> bool:
    text = environment.get("AFTER_SCRIPT_IGNORE_ERRORS", "")
    if text and text not in _TRUE | _FALSE:
        say(f"hookci: AFTER_SCRIPT_IGNORE_ERRORS `{text}` is neither true nor false, and taken for true")
    return text in _FALSE


def _timeout(name: str, environment: Mapping[str, str], say: Callable[[str], None]) -> float | None:
    text = environment.get(name, "").strip()
    if not text:
        return None
    try:
        seconds = _seconds(text)
    except ValueError:
        seconds = 0.0
    if seconds > 0:
        return seconds
    say(f"hookci: {name} `{text}` is no duration, and counts for nothing")
    return None


def _seconds(text: str) -> float:
    """The seconds in a duration as Go reads it (``1h30m``, ``1.5s``; package ``time``), or else as GitLab does.

    Raises:
        ValueError: it is none.
    """
    if _DURATION.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))
    return parse_period(text)
