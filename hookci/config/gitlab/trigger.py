"""Pipelines that a job starts.

Source: GitLab CI/CD YAML reference, "trigger", "trigger:include", "trigger:strategy", "trigger:forward"; "Downstream
pipelines": a child pipeline gets the variables that the file gives to the job, and may have children of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.config.gitlab.composed import compose_child
from hookci.config.gitlab.located import Items, Table
from hookci.config.gitlab.shapes import as_list, flag, table
from hookci.config.words import show, show_path
from hookci.errors import ConfigError
from hookci.model.pipeline import Flaw, Pipeline, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.gitlab.composed import Composed
    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.gitlab.located import Place
    from hookci.config.gitlab.variables import Variables
    from hookci.config.surroundings import Surroundings
    from hookci.config.words import Path

__all__ = ["Descent", "read_trigger"]

_KEYS = ("include", "strategy", "forward", "inputs", "project", "branch")
_INCLUDE = ("local", "file", "project", "ref", "remote", "template", "component", "inputs", "artifact", "job")
_FORWARD = ("yaml_variables", "pipeline_variables")
_STRATEGIES = ("depend", "mirror")
_MOST_INCLUDES = 3
_DEEPEST = 2


class Descent(Struct, frozen=True):
    """How a pipeline was come to: ``depth`` is 0 for the one of a push; ``read`` reads the next one."""

    composed: Composed
    surroundings: Surroundings
    depth: int
    read: Callable[[Composed, Surroundings, int], Pipeline]

    @property
    def passed(self) -> Mapping[str, str]:
        """The variables from above, which win over all that a file says."""
        return {**self.surroundings.settled, **self.surroundings.asked}


def read_trigger(value: object, variables: Variables, path: Path, ledger: Ledger, descent: Descent) -> Trigger | None:
    """``trigger`` with an ``include``; None if there is nothing that can be started here, which is refused.

    Args:
        value: as it is written.
        variables: those that the file gives to the job.
        path: of the value.
        ledger: what is wrong.
        descent: how its pipeline was come to.
    """
    if isinstance(value, str):
        ledger.refuse("trigger.project")
        return None
    said = table(value, path, ledger, _KEYS)
    depend = _depends(said.get("strategy"), (*path, "strategy"), ledger)
    forward = _flags(said.get("forward", {}), (*path, "forward"), ledger)
    handed = variables.values if forward.get("yaml_variables", True) else None
    everyones = forward.get("pipeline_variables", False)
    if "include" not in said:
        if "project" not in said:
            ledger.problem(path, "config must specify either project or include")
        return None
    include = said["include"]
    if ledger.refused or not _is_include(include, (*path, "include"), ledger):
        return None
    passed = {**(handed or {}), **(descent.surroundings.asked if everyones else {})}
    found = _child(include, said.get("inputs"), passed, path, ledger, descent)
    nothing = Pipeline(source=descent.composed.source, stages=(), jobs={}, gitlab=True)
    return Trigger(
        pipeline=found if isinstance(found, Pipeline) else nothing,
        flaws=() if isinstance(found, Pipeline) else found,
        depend=depend,
        mirror=said.get("strategy") == "mirror",
        variables=handed,
        raw=variables.raw if handed is not None else frozenset(),
        pipeline_variables=everyones,
    )


def _depends(value: object, path: Path, ledger: Ledger) -> bool:
    if value is not None and not (isinstance(value, str) and value in _STRATEGIES):
        ledger.problem(path, f"should be depend or mirror, saw {show(value)}")
    return value is not None


def _flags(value: object, path: Path, ledger: Ledger) -> dict[str, bool]:
    """Which variables the child gets: by default those of the file (reference, "trigger:forward")."""
    said = table(value, path, ledger, _FORWARD)
    return {key: bool(flag(said[key], (*path, key), ledger)) for key in said}


def _is_include(value: object, path: Path, ledger: Ledger) -> bool:
    items = as_list(value)
    if len(items) > _MOST_INCLUDES:
        ledger.problem(path, f"config is too long (maximum is {_MOST_INCLUDES})")
    for index, item in enumerate(items):
        if isinstance(item, dict):
            ledger.unknown_keys(item, _INCLUDE, (*path, index) if isinstance(value, list) else path)
        elif not isinstance(item, str):
            ledger.problem(path, f"config should be a string or a hash, saw {show(item)}")
            return False
    if not items:
        ledger.problem(path, "can't be blank")
    return bool(items)


def _child(
    include: object, inputs: object, passed: Mapping[str, str], path: Path, ledger: Ledger, descent: Descent
) -> Pipeline | tuple[Flaw, ...]:
    """The pipeline of a child, or why there is none: the job that starts it fails then, and no other.

    What was not fetched is no fault of the child's: nothing can be said of it, and the whole is refused.

    Source: ``Ci::CreateDownstreamPipelineService``.
    """
    place = descent.composed.place((*path, "include"))
    if descent.depth >= _DEEPEST:
        what = f"GitLab allows {_DEEPEST} levels of child pipelines, this would be one more"
        return (Flaw(f"{place}: {show_path(('jobs', *path))}", what),)
    missing = []

    def fetched(address: str) -> bytes | None:
        content = descent.surroundings.fetched(address)
        if content is None:
            missing.append(address)
        return content

    asked = {**passed, "CI_PIPELINE_SOURCE": "parent_pipeline"}
    around = replace(descent.surroundings, asked=asked, fetched=fetched)
    if inputs is not None:
        include = Items((_with_inputs(item, inputs, place) for item in as_list(include)), [place] * _MOST_INCLUDES)
    try:
        composed = compose_child(include, place, around)
        return descent.read(composed, around, descent.depth + 1)
    except ConfigError as error:
        if missing:
            ledger.foreign.extend(error.problems)
        return tuple(Flaw(problem.path, problem.message, problem.hint) for problem in error.problems)


def _with_inputs(item: object, inputs: object, place: Place) -> object:
    """What is included, with the inputs that ``trigger: inputs`` gives (they are those of ``include`` elsewhere)."""
    if isinstance(item, str):
        item = {"remote" if "://" in item else "local": item}
    if not isinstance(item, dict):
        return item
    given = {**item, "inputs": inputs}
    return Table(given, dict.fromkeys(given, place))
