"""What is there when a job passes, in words that can be compared one by one later."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from msgspec import to_builtins

from hookci.model.memory import Circumstances

if TYPE_CHECKING:
    from hookci.execute.observations import Observation, Observatory
    from hookci.model.memory import JobKey
    from hookci.model.snapshot import Snapshot

__all__ = ["Witness"]


_Known = dict["Observation", tuple[dict[str, str], dict[str, tuple[str, str, int]]]]
"""The variables and the programs that an observation stands for."""


class Witness:
    """Says what the observations of one run stand for; each is looked at once, since many jobs share them."""

    def __init__(self, snapshot: Snapshot, observatory: Observatory) -> None:
        self._snapshot = snapshot
        self._observatory = observatory
        self._known: _Known = {}
        self._texts: dict[tuple[Observation, ...], str] = {}
        self._host = os.uname().nodename

    def text(self, key: JobKey) -> str:
        """What ``key`` stands for, as ASCII JSON."""
        known = self._texts.get(key.observations)
        if known is None:
            known = self._texts[key.observations] = json.dumps(to_builtins(self.value(key)))
        return known

    def value(self, key: JobKey) -> Circumstances:
        """The same as a value."""
        variables: dict[str, str] = {}
        programs: dict[str, tuple[str, str, int]] = {}
        for observation in key.observations:
            known = self._known.get(observation)
            if known is None:
                known = self._known[observation] = self._look(observation)
            variables.update(known[0])
            programs.update(known[1])
        user = self._observatory.user
        return Circumstances(
            tree=self._snapshot.tree,
            commit=self._snapshot.commit,
            label=self._snapshot.label,
            host=self._host,
            user=user.get("LOGNAME") or user.get("USER"),
            variables=variables,
            programs=programs,
        )

    def _look(self, observation: Observation) -> tuple[dict[str, str], dict[str, tuple[str, str, int]]]:
        """A program that is not what it was when the key was made is left out: the key stands for the other one."""
        kind, subject, value = observation
        if kind in {"environment", "given"}:
            return self._observatory.variables(kind, subject), {}
        found = self._observatory.program(subject) if kind == "tool" and value else None
        same = found is not None and self._observatory.look(kind, subject)[2] == value
        return {}, {subject: found} if found is not None and same else {}
