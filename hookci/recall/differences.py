"""Pure: what of a job's key is not what it was when the job passed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hookci.model.why import Difference, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.model.memory import Circumstances, JobKey, KeptPass

__all__ = ["differences", "same_inputs"]

_Program = tuple[str, str, int]

_OF_MACHINE = {
    "carry": Kind.CARRIED,
    "checkout": Kind.CHECKOUT,
    "platform": Kind.PLATFORM,
    "image": Kind.IMAGE,
    "engine": Kind.ENGINE,
    "scanner": Kind.SCANNER,
    "advisories": Kind.ADVISORIES,
}
_TELLING = frozenset({Kind.PLATFORM, Kind.IMAGE, Kind.ENGINE, Kind.SCANNER})
"""Whose values say something to a person; the others are digests."""
_BILLION = 1_000_000_000


def same_inputs(then: KeptPass, key: JobKey) -> bool:
    """Whether a job passed with the same files."""
    return bool(_parts(then.text).get("inputs") == _parts(key.text)["inputs"])


def differences(then: KeptPass, key: JobKey, now: Circumstances) -> tuple[Difference, ...]:
    """What is not as it was, but for the files.

    Args:
        then: a pass of the same job.
        key: its present key.
        now: the circumstances of that key.
    """
    before, after = _parts(then.text), _parts(key.text)
    if not before:
        return (Difference(Kind.HOOKCI, "what was written down"),)
    return tuple(_all(before, after, then.circumstances, now))


def _all(
    before: dict[str, Any], after: dict[str, Any], then: Circumstances | None, now: Circumstances
) -> Iterator[Difference]:
    if before.get("schema") != after["schema"]:
        yield Difference(Kind.HOOKCI, "what it compares", was=str(before.get("schema")), now=str(after["schema"]))
    yield from _definition(before.get("definition", {}), after["definition"])
    yield from _by_name(Kind.VARIABLE, before.get("given", {}), after["given"])
    yield from _by_name(Kind.SNAPSHOT, before.get("facts", {}), after["facts"])
    yield from _by_name(Kind.JOB, before.get("needs", {}), after["needs"])
    if before.get("baseline") != after["baseline"]:
        yield Difference(Kind.FILE, "hookci-baseline.json")
    yield from _machine(_observed(before), _observed(after), then, now)


def _definition(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for difference in _by_name(Kind.DEFINITION, before, after):
        if difference.name == "variables":
            variables = _by_name(Kind.DEFINITION, before.get("variables", {}), after["variables"])
            yield from (Difference(one.kind, f"variables.{one.name}", one.how) for one in variables)
        else:
            yield difference


def _by_name(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name) or (name in before) != (name in after):
            yield Difference(kind, name, _how(before.get(name), after.get(name)))


def _how(was: object, now: object) -> str:
    return "added" if was is None else "removed" if now is None else "changed"


def _observed(parts: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(kind, subject): value for kind, subject, value in parts.get("observations", [])}


def _machine(
    before: Mapping[tuple[str, str], str],
    after: Mapping[tuple[str, str], str],
    then: Circumstances | None,
    now: Circumstances,
) -> Iterator[Difference]:
    if _environments(before) != _environments(after):
        yield from _variables(then, now)
    for kind, subject in sorted({*before, *after}):
        was, value = before.get((kind, subject)), after.get((kind, subject))
        if was == value or kind in {"environment", "given"}:
            continue
        if kind != "tool":
            yield _observation(_OF_MACHINE[kind], subject, was, value)
        elif was is not None and value is not None:
            # a word that only one of them has came with the script
            then_programs = then.programs if then else {}
            yield _program(subject, was, value, then_programs.get(subject), now.programs.get(subject))


def _environments(observed: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    return {each: value for each, value in observed.items() if each[0] in {"environment", "given"}}


def _variables(then: Circumstances | None, now: Circumstances) -> Iterator[Difference]:
    found = list(_by_name(Kind.VARIABLE, then.variables, now.variables)) if then else []
    yield from found or [Difference(Kind.VARIABLE, "")]


def _observation(kind: Kind, subject: str, was: str | None, now: str | None) -> Difference:
    name = json.loads(subject)[0] if kind is Kind.IMAGE else subject
    told = kind in _TELLING
    return Difference(kind, name, _how(was or None, now or None), (told and was) or None, (told and now) or None)


def _program(word: str, was: str, now: str, then_at: _Program | None, now_at: _Program | None) -> Difference:
    return Difference(Kind.PROGRAM, word, _how(was or None, now or None), _place(then_at), _place(now_at))


def _place(at: _Program | None) -> str | None:
    if at is None:
        return None
    path, real, changed = at
    leads = f" -> {real}" if real != path else ""
    return f"{path}{leads} of {datetime.fromtimestamp(changed // _BILLION, UTC):%Y-%m-%d %H:%M:%S}Z"


def _parts(text: str) -> dict[str, Any]:
    """The parts of a key; nothing for a text that is torn."""
    try:
        parts = json.loads(text)
    except ValueError:
        return {}
    return parts if isinstance(parts, dict) else {}
