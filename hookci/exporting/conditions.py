"""The rules of a job in the words of a hosted engine, as far as it has them.

Sources: GitLab CI/CD YAML reference, "rules" and "CI/CD variable expressions"; its regular expressions are RE2's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hookci.errors import UsageError
from hookci.model.expression import And, Comparison, Literal, Match, Not, Or, Regex, Truth, Variable
from hookci.model.globs import name_matches
from hookci.model.pipeline import When
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.model.expression import Operand
    from hookci.model.pipeline import Job, Rule

__all__ = [
    "Condition",
    "UnsayableError",
    "condition_of",
    "gitlab_condition",
    "gitlab_rules",
    "refuse_waiting",
    "rules_on_a_push",
]

Condition = And | Or | Not | Comparison | Match | Truth

_HOOK = HookName.PRE_PUSH.value
_OURS = {
    "HOOKCI_BRANCH": "CI_COMMIT_BRANCH",
    "HOOKCI_TAG": "CI_COMMIT_TAG",
    "HOOKCI_COMMIT": "CI_COMMIT_SHA",
    "HOOKCI_REF_NAME": "CI_COMMIT_REF_NAME",
}
"""Our own variables, and what hosted engines call them."""
# what Python's regular expressions have and RE2's have not: looking around, references, \Z
_NOT_RE2 = re.compile(r"\(\?(?![:i)])|\\[1-9Z]")


class UnsayableError(Exception):
    """A hosted engine has no words for it."""


def rules_on_a_push(job: Job) -> tuple[Rule, ...] | None:
    """The rules that can hold on a push; hosted pipelines are for pushes."""
    if job.rules is None:
        return None
    return tuple(
        rule for rule in job.rules if not rule.hook or any(name_matches(pattern, _HOOK) for pattern in rule.hook)
    )


def refuse_waiting(job: Job, engine: str, unsayable: UnsayableError) -> None:
    """Refuse rules that are left to hookci if one says more than whether the job runs: only the engine can wait.

    Raises:
        UsageError: one does.
    """
    waits = {rule.when or job.when for rule in rules_on_a_push(job) or ()} - {When.ON_SUCCESS, When.NEVER}
    if waits:
        words = " and ".join(sorted(f"`when = {word.value}`" for word in waits))
        message = f"job `{job.name}`: {engine} has no words for {unsayable} in a rule, and {words} cannot be left out"
        raise UsageError(message, "write the rule in another way") from unsayable


def condition_of(rule: Rule, variables: Mapping[str, str]) -> Condition | None:
    """What a rule says of branch, tag and variables, in one expression; a job's own ``variables`` are known already.

    Raises:
        UnsayableError: it asks for something that only hookci knows.
    """
    parts = [_named(patterns, name) for patterns, name in (
        (rule.branch, "CI_COMMIT_BRANCH"),
        (rule.tag, "CI_COMMIT_TAG"),
    ) if patterns]  # fmt: skip
    if rule.condition is not None:
        parts.append(_known(rule.condition, variables))
    return _joined(And, parts)


def _named(patterns: Iterable[str], variable: str) -> Condition:
    joined = _joined(Or, [_pattern(pattern, Variable(variable)) for pattern in patterns])
    assert joined is not None  # noqa: S101 (only asked with patterns)
    return joined


def _joined(kind: type[And | Or], parts: list[Condition]) -> Condition | None:
    joined = None
    for part in parts:
        joined = part if joined is None else kind(joined, part)
    return joined


def _pattern(pattern: str, variable: Variable) -> Condition:
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith(("/", "/i")):
        body, _, flags = pattern[1:].rpartition("/")
        return Match(variable, Regex(body, flags))
    if "*" not in pattern:
        return Comparison(variable, Literal(pattern))
    return Match(variable, Regex("^" + ".*".join(re.escape(part) for part in pattern.split("*")) + "$"))


def _known(condition: Condition, variables: Mapping[str, str]) -> Condition:
    """``condition`` without what is known beforehand: the job's own variables, and which hook it is."""
    match condition:
        case And(left, right):
            return And(_known(left, variables), _known(right, variables))
        case Or(left, right):
            return Or(_known(left, variables), _known(right, variables))
        case Truth(value):
            return Truth(_known_value(value, variables))
        case Not(operand):
            return Not(_known_operand(operand, variables))
        case Comparison(one, other, negated):
            return Comparison(_known_operand(one, variables), _known_operand(other, variables), negated)
        case Match(text, regex, negated):
            right_side = regex if isinstance(regex, Regex) else _known_operand(regex, variables)
            return Match(_known_operand(text, variables), right_side, negated)


def _known_operand(operand: Operand, variables: Mapping[str, str]) -> Operand:
    return _known_value(operand, variables) if isinstance(operand, Variable | Literal) else _known(operand, variables)


def _known_value(operand: Variable | Literal, variables: Mapping[str, str]) -> Variable | Literal:
    if isinstance(operand, Literal):
        return operand
    name = operand.name
    if name in variables:
        return Literal(variables[name])
    if name == "HOOKCI_HOOK":
        return Literal(_HOOK)
    if name.startswith("HOOKCI_") and name not in _OURS:
        raise UnsayableError(f"${name}")
    return Variable(_OURS.get(name, name))


def gitlab_rules(job: Job) -> list[dict[str, Any]] | None:
    """The rules of ``job`` as GitLab writes them; None when it has none.

    Raises:
        UnsayableError: GitLab has no words for one of them.
    """
    rules = rules_on_a_push(job)
    if rules is None:
        return None
    return [_gitlab_rule(rule, job) for rule in rules] or [{"when": When.NEVER.value}]


def _gitlab_rule(rule: Rule, job: Job) -> dict[str, Any]:
    condition = condition_of(rule, job.variables)
    said: dict[str, Any] = {} if condition is None else {"if": gitlab_condition(condition)}
    if rule.changes:
        paths = list(rule.changes)
        said["changes"] = {"paths": paths, "compare_to": rule.compare_to} if rule.compare_to else paths
    if rule.exists:
        said["exists"] = list(rule.exists)
    when = rule.when or job.when
    said["when"] = when.value
    allow = job.allow_failure if rule.allow_failure is None else rule.allow_failure
    if when is not When.NEVER and (rule.allow_failure is not None or when is When.MANUAL):
        said["allow_failure"] = allow.allowed and not allow.exit_codes
    if rule.variables:
        said["variables"] = {name: value.replace("$", "$$") for name, value in rule.variables.items()}
    return said


def gitlab_condition(condition: Condition) -> str:
    """A condition as GitLab writes it.

    Raises:
        UnsayableError: a text in it cannot be quoted, or a regular expression is none of RE2's.
    """
    match condition:
        case And(left, right):
            return " && ".join(_grouped(part) for part in (left, right))
        case Or(left, right):
            return f"{gitlab_condition(left)} || {gitlab_condition(right)}"
        case Truth(operand):
            return _operand(operand)
        case Not(operand):
            # as long as there are engines that know no `!`
            return gitlab_condition(Or(Comparison(operand, Literal(None)), Comparison(operand, Literal(""))))
        case Comparison(one, other, negated):
            return f"{_operand(one)} {'!=' if negated else '=='} {_operand(other)}"
        case Match(text, regex, negated):
            pattern = _regex(regex) if isinstance(regex, Regex) else _operand(regex)
            return f"{_operand(text)} {'!~' if negated else '=~'} {pattern}"


def _grouped(condition: Condition) -> str:
    text = gitlab_condition(condition)
    return f"({text})" if isinstance(condition, Or | Not) else text


def _operand(operand: Operand) -> str:
    if isinstance(operand, Variable):
        return f"${operand.name}"
    if not isinstance(operand, Literal):
        raise UnsayableError("a condition that is compared")
    if not isinstance(operand.value, str):
        return "null" if operand.value is None else str(operand.value).lower()
    quote = "'" if '"' in operand.value else '"'
    if quote in operand.value or "\n" in operand.value:
        raise UnsayableError(f"the text {operand.value}")
    return f"{quote}{operand.value}{quote}"


def _regex(regex: Regex) -> str:
    if _NOT_RE2.search(regex.pattern) or "\n" in regex.pattern:
        raise UnsayableError(f"/{regex.pattern}/")
    # a slash ends it, unless it is escaped
    body = re.sub(r"\\.|/", lambda found: r"\/" if found[0] == "/" else found[0], regex.pattern)
    return f"/{body}/{regex.flags}"
