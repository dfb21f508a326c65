"""From the rules of a job to their meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.expressions import ExpressionError, parse_expression
from hookci.config.problems import Problem
from hookci.config.values import check_names, check_paths, check_patterns
from hookci.model.pipeline import AllowFailure, Rule

if TYPE_CHECKING:
    from hookci.config.schema_job import AllowFailureTable, RuleTable
    from hookci.config.words import Path
    from hookci.model.expression import Expression

__all__ = ["allow_failure", "read_rules"]


def read_rules(tables: list[RuleTable], path: Path, problems: list[Problem]) -> tuple[Rule, ...]:
    """The rules at ``path``, in their order."""
    return tuple(_rule(table, (*path, index), problems) for index, table in enumerate(tables))


def _rule(table: RuleTable, path: Path, problems: list[Problem]) -> Rule:
    return Rule(
        hook=tuple(table.hook or ()),
        branch=check_patterns(table.branch or [], (*path, "branch"), problems),
        tag=check_patterns(table.tag or [], (*path, "tag"), problems),
        condition=_condition(table.if_, (*path, "if"), problems),
        changes=check_paths(table.changes or [], (*path, "changes"), problems),
        exists=check_paths(table.exists or [], (*path, "exists"), problems),
        when=table.when,
        allow_failure=None if table.allow_failure is None else allow_failure(table.allow_failure),
        variables=check_names(table.variables or {}, (*path, "variables"), problems),
    )


def _condition(text: str | None, path: Path, problems: list[Problem]) -> Expression | None:
    try:
        return None if text is None else parse_expression(text)
    except ExpressionError as error:
        problems.append(Problem(path, str(error)))
        return None


def allow_failure(value: bool | AllowFailureTable) -> AllowFailure:  # noqa: FBT001 (one of the two ways to write it)
    """What ``allow_failure`` says, in either of its forms."""
    if isinstance(value, bool):
        return AllowFailure(allowed=value)
    return AllowFailure(allowed=True, exit_codes=tuple(value.exit_codes))
