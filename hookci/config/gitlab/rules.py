"""Rules of a job, of ``workflow``: conditions, and what holds with them.

Source: GitLab CI/CD YAML reference, "rules" and "workflow:rules"; "CI/CD variable expressions".
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hookci.config.expressions import ExpressionError, parse_expression
from hookci.config.gitlab.endings import read_allow_failure
from hookci.config.gitlab.needs import read_needs
from hookci.config.gitlab.shapes import choice, flag, seconds, table, texts
from hookci.config.gitlab.variables import read_variables
from hookci.config.words import show
from hookci.model.expression import And, Literal, Truth
from hookci.model.pipeline import Rule, When

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path
    from hookci.model.expression import Expression

__all__ = ["NEVER_TRUE", "WEEK", "read_condition", "read_rules"]

WEEK = 7 * 86400.0
"""The longest that a delayed job may wait, in seconds."""

NEVER_TRUE = Truth(Literal(None))
"""A condition that does not hold: what a list of no paths comes to."""

_JOB_KEYS = ("if", "changes", "exists", "when", "start_in", "allow_failure", "variables", "needs", "interruptible")
_PIPELINE_KEYS = ("if", "changes", "exists", "when", "variables", "auto_cancel")
_DEEPEST = 10
_MOST_PATHS = 50

_parsed = functools.lru_cache(maxsize=1024)(
    functools.partial(parse_expression, gitlab=True)
)  # the same few conditions stand in many jobs


def read_rules(value: object, path: Path, ledger: Ledger, *, whole_pipeline: bool = False) -> tuple[Rule, ...]:
    """The rules at ``path``, lists within the list (as ``!reference`` makes them) in place of their items."""
    if not isinstance(value, list):
        ledger.problem(path, f"config should be an array of hashes, saw {show(value)}")
        return ()
    if not value:
        ledger.problem(path, "config can't be blank", "leave `rules` out for a job that is in every pipeline")
        return ()
    return tuple(_rule(item, place, ledger, whole_pipeline) for item, place in _items(value, path, ledger, _DEEPEST))


def _items(value: list[object], path: Path, ledger: Ledger, levels: int) -> Iterator[tuple[object, Path]]:
    for index, item in enumerate(value):
        place = (*path, index)
        if not isinstance(item, list):
            yield item, place
        elif levels:
            yield from _items(item, place, ledger, levels - 1)
        else:
            ledger.problem(place, f"config should be an array of hashes up to {_DEEPEST} levels deep")


def _rule(value: object, path: Path, ledger: Ledger, whole_pipeline: bool) -> Rule:  # noqa: FBT001 (passed on as it came)
    said = table(value, path, ledger, _PIPELINE_KEYS if whole_pipeline else _JOB_KEYS)
    if isinstance(value, dict) and not value:
        ledger.problem(path, "config can't be blank")
    condition = read_condition(said["if"], (*path, "if"), ledger) if "if" in said else None
    changes, compare_to = _changes(said.get("changes"), (*path, "changes"), ledger)
    exists = _exists(said.get("exists"), (*path, "exists"), ledger)
    if changes == () or exists == ():
        condition = NEVER_TRUE if condition is None else And(NEVER_TRUE, condition)
    if "interruptible" in said:
        flag(said["interruptible"], (*path, "interruptible"), ledger)
    when = _when(said, path, ledger, whole_pipeline)
    return Rule(
        condition=condition,
        changes=changes or (),
        compare_to=compare_to,
        exists=exists or (),
        when=when,
        start_in=_start_in(said, when, path, ledger),
        allow_failure=read_allow_failure(said["allow_failure"], (*path, "allow_failure"), ledger)
        if "allow_failure" in said
        else None,
        variables=_variables(said.get("variables", {}), (*path, "variables"), ledger),
        needs=read_needs(said["needs"], (*path, "needs"), ledger) if "needs" in said else None,
        undecided=any(_is_undecided(said.get(key)) for key in ("changes", "exists")),
        ends_together=_auto_cancel(said["auto_cancel"], path, ledger) if "auto_cancel" in said else None,
    )


def _is_undecided(paths: object) -> bool:
    """Whether ``changes`` or ``exists`` asks for more than globs of this commit: such a keyword is refused."""
    return isinstance(paths, dict) and any(paths.get(key) is not None for key in ("project", "ref", "regexp"))


def _auto_cancel(value: object, path: Path, ledger: Ledger) -> bool | None:
    from hookci.config.gitlab.autocancel import read_auto_cancel  # noqa: PLC0415 (few files say it)

    return read_auto_cancel(value, (*path, "auto_cancel"), ledger)


def _variables(value: object, path: Path, ledger: Ledger) -> Mapping[str, str]:
    """Variables of a rule, which are nothing but texts (GitLab's ``Entry::Variable``)."""
    for name, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, dict):
            ledger.problem((*path, name), "must be a string, saw a table", "write the value itself")
    return read_variables(value, path, ledger).values


def read_condition(value: object, path: Path, ledger: Ledger) -> Expression | None:
    """The condition that a text holds (reference, "rules:if")."""
    if not isinstance(value, str):
        ledger.problem(path, f"invalid expression syntax: expected a string, saw {show(value)}")
        return None
    try:
        return _parsed(value)
    except ExpressionError as error:
        ledger.problem(path, f"invalid expression syntax: {error}")
        return None


def _when(said: Mapping[str, object], path: Path, ledger: Ledger, whole_pipeline: bool) -> When | None:  # noqa: FBT001 (as above)
    if "when" not in said:
        return None
    when = choice(said["when"], When, (*path, "when"), ledger)
    if whole_pipeline and when not in {None, When.ALWAYS, When.NEVER}:
        ledger.problem((*path, "when"), f"should be one of: always, never, saw {show(said['when'])}")
    return when


def _start_in(said: Mapping[str, object], when: When | None, path: Path, ledger: Ledger) -> float | None:
    if when is When.DELAYED:
        if "start_in" not in said:
            ledger.problem((*path, "start_in"), "start in should be a duration", "a delayed job says how long it waits")
            return None
        return seconds(said["start_in"], (*path, "start_in"), ledger, most=WEEK)
    if "start_in" in said:
        ledger.problem((*path, "start_in"), "start in must be blank", "only `when: delayed` waits")
    return None


def _changes(value: object, path: Path, ledger: Ledger) -> tuple[tuple[str, ...] | None, str | None]:
    """The globs of ``changes`` (None: it is not there) and what to compare with."""
    if not isinstance(value, dict):
        return _paths(value, path, ledger), None
    said = table(value, path, ledger, ("paths", "compare_to", "regexp"))
    if "paths" not in said and "regexp" not in said:
        ledger.problem(path, "config missing required keys: paths")
    compare_to = said.get("compare_to")
    if compare_to is not None and not isinstance(compare_to, str):
        ledger.problem((*path, "compare_to"), f"should be a string, saw {show(compare_to)}")
    return _paths(said.get("paths"), (*path, "paths"), ledger), compare_to if isinstance(compare_to, str) else None


def _exists(value: object, path: Path, ledger: Ledger) -> tuple[str, ...] | None:
    if not isinstance(value, dict):
        return _paths([value] if isinstance(value, str) else value, path, ledger)
    if not value:
        return ()
    said = table(value, path, ledger, ("paths", "project", "ref", "regexp"))
    if "paths" not in said and "regexp" not in said:
        ledger.problem(path, "config missing required keys: paths")
    if "ref" in said and "project" not in said:
        ledger.problem(path, "config missing required keys: project", "`ref` is one of another project")
    return _paths(said.get("paths"), (*path, "paths"), ledger)


def _paths(value: object, path: Path, ledger: Ledger) -> tuple[str, ...] | None:
    if value is None:
        return None
    found = texts(value, path, ledger)
    if len(found) > _MOST_PATHS:
        ledger.problem(path, f"has too many entries (maximum {_MOST_PATHS})")
    return found
