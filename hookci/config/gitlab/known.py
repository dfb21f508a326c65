"""What an include may know of the snapshot, and the rules that decide whether it counts.

Source: GitLab CI/CD, "Use CI/CD configuration from other files", "Use variables with `include`" and "Use `rules` with
`include`": predefined variables and those that a person gives, none of the file's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.expressions import ExpressionError, parse_expression
from hookci.config.gitlab.located import Items, ProblemAt, Table
from hookci.config.words import did_you_mean, show
from hookci.model.expression import evaluate
from hookci.model.globs import ruby_matcher
from hookci.model.snapshot import IS_NEW, MERGE_REQUEST, NUMBERS, SOME_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hookci.config.problems import Problem
    from hookci.config.surroundings import Surroundings
    from hookci.config.words import Path

__all__ = ["Known", "expand"]

_VARIABLE = re.compile(r"\$\$|%%|\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)\}|%([A-Za-z_]\w*)%", re.ASCII)
_RULE_KEYS = ("if", "changes", "exists", "when")
_WHEN = ("always", "never")
_PATHS_KEYS = {"changes": ("paths", "compare_to"), "exists": ("paths", "project", "ref")}


def expand(text: str, lookup: Callable[[str], str | None], *, keep: bool = False) -> str:
    """``text`` with ``$NAME``, ``${NAME}`` and ``%NAME%`` replaced; what is not set by nothing, or left if ``keep``."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        known = lookup(name) if name else found[0]
        return known if known is not None else found[0] if keep else ""

    return _VARIABLE.sub(value, text) if "$" in text or "%" in text else text


class _NoRevisionError(Exception):
    """There is nothing to compare with under the name that ``compare_to`` says."""


class Known:
    """The facts that includes depend on; ``read`` has every one that was looked at."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.read: dict[str, str | None] = {}

    def value(self, name: str) -> str | None:
        """A variable's value, None when it is not set; what a person gave comes first."""
        asked = {**self._surroundings.settled, **self._surroundings.asked}.get(name)
        if asked is not None:
            return asked
        self.read[name] = self._surroundings.facts().get(name)
        return self.read[name]

    def _asked(self, name: str) -> str | None:
        """The same for a condition, which may ask for the number of a merge request."""
        value = self.value(name)
        if value is None and name in NUMBERS:
            source = self.read["CI_PIPELINE_SOURCE"] = self._surroundings.facts().get("CI_PIPELINE_SOURCE")
            return SOME_NUMBER if source == MERGE_REQUEST else None
        return value

    def admits(self, rules: object, path: Path, problems: list[Problem]) -> bool:
        """Whether the first rule that holds lets an include in; without rules it is."""
        if rules is None:
            return True
        if not isinstance(rules, Items) or not all(isinstance(rule, Table) for rule in rules):
            problems.append(ProblemAt(path, "should be an array of hashes"))
            return False
        before = len(problems)
        for index, rule in enumerate(rules):
            self._check(rule, (*path, index), problems)
        if len(problems) > before:
            return False
        try:
            return next((rule.get("when") != "never" for rule in rules if self._holds(rule)), False)
        except _NoRevisionError as error:
            problems.append(
                ProblemAt(path, f"`{error}` is not a valid ref", f"`git fetch origin {error}` if it is there")
            )
            return False

    def _check(self, rule: Table, path: Path, problems: list[Problem]) -> None:
        for key in rule:
            if key not in _RULE_KEYS:
                message = f"an include's rule has no `{key}`; it has {', '.join(_RULE_KEYS)}"
                problems.append(ProblemAt((*path, key), message, did_you_mean(key, _RULE_KEYS)))
        when = rule.get("when")
        if when is not None and not (isinstance(when, str) and when in _WHEN):
            problems.append(ProblemAt((*path, "when"), f"should be always or never, saw {show(rule['when'])}"))
        if "if" in rule:
            _check_condition(rule["if"], (*path, "if"), problems)
        for key in _PATHS_KEYS:
            if key in rule:
                _check_paths(key, rule[key], (*path, key), problems)

    def _holds(self, rule: Table) -> bool:
        return (
            ("if" not in rule or evaluate(parse_expression(rule["if"], gitlab=True), self._asked))
            and ("changes" not in rule or self._changed(rule["changes"]))
            and ("exists" not in rule or self._any(_paths(rule["exists"]), self._surroundings.paths()))
        )

    def _changed(self, changes: Items | Table) -> bool:
        revision = changes.get("compare_to") if isinstance(changes, Table) else None
        if revision is None:
            facts = self._surroundings.facts()
            self.read |= {name: facts.get(name) for name in ("HOOKCI_BASE", IS_NEW)}
            changed = self._surroundings.changed()
            return changed is None or self._any(_paths(changes), changed)
        revision = expand(revision, self.value, keep=True)
        changed = self._surroundings.compared(revision)
        if changed is None:
            raise _NoRevisionError(revision)
        # no snapshot has such a fact, so a verdict that rests on this is reached anew
        self.read[f"included since {revision}"] = "looked at"
        return self._any(_paths(changes), changed)

    def _any(self, patterns: list[str], paths: Iterable[str]) -> bool:
        tests = [ruby_matcher(expand(pattern, self.value, keep=True)) for pattern in patterns]
        return any(test(path) for path in paths for test in tests)


def _paths(value: Items | Table | str) -> list[str]:
    if isinstance(value, str):
        return [value]
    return list(value["paths"] if isinstance(value, Table) else value)


def _check_condition(condition: object, path: Path, problems: list[Problem]) -> None:
    if not isinstance(condition, str):
        problems.append(ProblemAt(path, f'should be a condition such as `$NAME == "value"`, saw {show(condition)}'))
        return
    try:
        parse_expression(condition, gitlab=True)
    except ExpressionError as error:
        problems.append(ProblemAt(path, str(error)))


def _check_paths(key: str, value: object, path: Path, problems: list[Problem]) -> None:
    if isinstance(value, Table):
        allowed = _PATHS_KEYS[key]
        problems.extend(
            ProblemAt((*path, name), f"`{key}` has no `{name}`", did_you_mean(name, allowed))
            for name in value
            if name not in allowed
        )
        if "project" in value:
            problems.append(ProblemAt((*path, "project"), "hookci knows no other project's files", "leave it out"))
        if not isinstance(value.get("compare_to", ""), str):
            problems.append(ProblemAt((*path, "compare_to"), f"should be a string, saw {show(value['compare_to'])}"))
        value, path = value.get("paths"), (*path, "paths")
    elif key == "exists" and isinstance(value, str):
        return
    if not isinstance(value, Items) or not value or not all(isinstance(pattern, str) for pattern in value):
        problems.append(ProblemAt(path, "should be an array of strings"))
