"""Variables: of the pipeline, of a job, of a rule.

Source: GitLab CI/CD YAML reference, "variables", "variables:value", "variables:options", "variables:expand".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.config.gitlab.located import NoText
from hookci.config.gitlab.shapes import flag, ruby_text, texts
from hookci.config.words import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["Variables", "read_variables"]

_GLOBAL = ("value", "description", "options", "expand")
_JOB = ("value", "expand")


class Variables(Struct, frozen=True):
    """Names with their values; ``raw`` are those in whose values ``$`` means nothing."""

    values: Mapping[str, str] = field(default_factory=dict)
    raw: frozenset[str] = frozenset()

    def only(self, inherited: object) -> Variables:
        """What a job gets of them: all (True), none (False), or those of a list."""
        if inherited is True:
            return self
        names = inherited if isinstance(inherited, list) else []
        return Variables(
            {name: value for name, value in self.values.items() if name in names}, self.raw.intersection(names)
        )

    def with_more(self, more: Variables) -> Variables:
        """These, and ``more`` that win."""
        return Variables({**self.values, **more.values}, (self.raw - more.values.keys()) | more.raw)


def read_variables(value: object, path: Path, ledger: Ledger, *, whole_pipeline: bool = False) -> Variables:
    """The variables at ``path``; those of the ``whole_pipeline`` may have a description and options."""
    if not isinstance(value, dict):
        ledger.problem(path, f"config should be a hash, saw {show(value)}")
        return Variables()
    values: dict[str, str] = {}
    raw: set[str] = set()
    for name, item in value.items():
        place = (*path, name)
        ledger.note(f"variables.{name}", place)
        if isinstance(item, dict):
            found = _complex(item, place, ledger, _GLOBAL if whole_pipeline else _JOB)
            if item.get("expand") is False:
                raw.add(name)
        else:
            found = _text(item, place, ledger)
        if isinstance(name, NoText) and (isinstance(name.value, bool) or not isinstance(name.value, int)):
            ledger.problem(place, f"key must be an alphanumeric string, saw {name.meaning}", name.hint)
        values[str(name)] = found
    return Variables(values, frozenset(raw))


def _text(value: object, path: Path, ledger: Ledger) -> str:
    if value is None:
        return ""
    found = ruby_text(value)
    if found is None:
        ledger.problem(path, f"variable definition must be either a string or a hash, saw {show(value)}")
    elif "\0" in found:
        ledger.problem(path, "holds a NUL character")
    return found or ""


def _complex(value: Mapping[str, object], path: Path, ledger: Ledger, allowed: tuple[str, ...]) -> str:
    extra = [key for key in value if key not in allowed]
    if extra:
        ledger.problem(path, f"uses invalid data keys: {', '.join(extra)}")
    if value.get("expand") is not None:
        flag(value["expand"], (*path, "expand"), ledger)
    found = _text(value.get("value"), (*path, "value"), ledger)
    if value.get("options") is not None and found not in texts(value["options"], (*path, "options"), ledger):
        ledger.problem(path, "value must be present in options")
    return found
