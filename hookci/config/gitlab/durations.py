"""Spans of time as GitLab reads them: ``3 weeks and 2 days``, ``2h20min``, ``1:30``, ``90``.

Source: GitLab CI/CD YAML reference, "timeout" and "artifacts:expire_in", which name the forms of the ChronicDuration
library; a number without a unit is one of seconds.
"""

from __future__ import annotations

import re

__all__ = ["parse_period"]

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNITS = {
    "s sec secs second seconds": 1.0,
    "m min mins minute minutes": 60.0,
    "h hr hrs hour hours": 3600.0,
    "d day days": 86400.0,
    "w wk wks week weeks": 7 * 86400.0,
    "mo mos mon mons month months": 30 * 86400.0,
    "y yr yrs year years": 365.25 * 86400.0,
}
_SECONDS = {name: seconds for names, seconds in _UNITS.items() for name in names.split()}
_PART = re.compile(
    rf"[\s,]*(?:(?:and|with)(?![a-z])[\s,]*)?(\d+(?:\.\d+)?|{'|'.join(_WORDS)})\s*((?:{'|'.join(_SECONDS)})(?![a-z]))?"
)
_CLOCK = re.compile(r"\s*(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*")


def parse_period(text: str) -> float:
    """The seconds in ``text``.

    Raises:
        ValueError: it is no duration.
    """
    clock = _CLOCK.fullmatch(text)
    if clock:
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return hours * 3600 + minutes * 60 + seconds
    written = text.lower().strip()
    total, position = 0.0, 0
    while position < len(written) or not position:
        found = _PART.match(written, position)
        if not found:
            raise ValueError("should be a duration")
        number, unit = found.groups()
        total += (float(_WORDS.index(number)) if number in _WORDS else float(number)) * _SECONDS[unit or "s"]
        position = found.end()
    return total
