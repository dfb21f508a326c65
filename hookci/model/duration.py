"""Spans of time as people write them in a config."""

from __future__ import annotations

import re

from hookci.model.patterns import pattern

__all__ = ["parse_duration"]

_PART = r"([0-9]+(?:\.[0-9]+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_WHOLE = pattern(rf"\s*{_PART}(?:[\s,]*{_PART})*\s*")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_YEAR = 366 * _SECONDS["d"]


def parse_duration(text: str) -> float:
    """The seconds in ``text``, such as ``15m``, ``1h 30m``, ``90s``, ``500ms`` or ``2 minutes``.

    The units are those of GitLab's ``timeout`` up to days; a bare number has no unit and is refused.

    Raises:
        ValueError: it is no duration, or longer than a year; the message says what is expected.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError('expected a duration such as "15m" or "1h 30m"')
    seconds = sum(float(number) * _unit(unit) for number, unit in re.findall(_PART, text))
    if seconds > _YEAR:
        raise ValueError("expected a duration of at most a year")
    return seconds


def _unit(name: str) -> float:
    return 0.001 if name.startswith(("ms", "milli")) else _SECONDS[name[0]]
