"""Spans of time as GitLab reads them: ``3 weeks and 2 days``, ``2h20min``, ``1:30``, ``90``.

Source: GitLab CI/CD YAML reference, "timeout" and "artifacts:expire_in", which name the forms of the ChronicDuration
library; a number without a unit is one of seconds.
"""

from __future__ import annotations

import re

from hookci.config.gitlab.keywords import words

__all__ = ["is_period", "parse_period"]

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNITS = {
    "s sec secs second seconds": 1.0,
    "m min mins minute minutes": 60.0,
    "h hr hrs hour hours": 3600.0,
    "d dy day days": 86400.0,
    "w wk wks week weeks": 7 * 86400.0,
    "mo mos mon mons month months": 30 * 86400.0,
    "y yr yrs year years": 365.25 * 86400.0,
}
_SECONDS = {name: seconds for names, seconds in _UNITS.items() for name in names.split()}
_PART = re.compile(
    rf"[\s,]*(?:(?:and|with|plus)(?![a-z])[\s,]*)?(\d+(?:\.\d+)?|{'|'.join(_WORDS)})\s*((?:{'|'.join(_SECONDS)})(?![a-z]))?"
)
_CLOCK = re.compile(r"\s*(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*")


_SPELLED = {
    *_WORDS,
    *_SECONDS,
    *words("""
    thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fourty fifty sixty seventy eighty
    ninety hundred thousand million dozen half quarter a an and plus with never
    """),
}
_PARTS = re.compile(r"[^\s,-]+")
_CLOCKS = re.compile(r"\s*\d+(?::\d+)+(?:\.\d+)?\s*")


def is_period(text: str) -> bool:
    """Whether ``text`` may be a time to keep something for: a duration, ``never``, or one that a variable says.

    GitLab reads numbers that are spelled out, too: whatever consists of such words passes.
    """
    spelled = [part.isdigit() or part.lower() in _SPELLED for part in _PARTS.findall(text)]
    if "$" in text or _CLOCKS.fullmatch(text) or (spelled and all(spelled)):
        return True
    try:
        parse_period(text)
    except ValueError:
        return False
    return True


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
