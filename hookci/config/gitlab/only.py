"""``only`` and ``except``, as the rules that say the same.

Source: GitLab CI/CD YAML reference, "only / except" (deprecated keywords): all kinds of conditions of ``only`` must
hold, any kind of ``except`` keeps a job out, and within a kind one of its conditions is enough.  A job without
either, and without rules, is ``only: [branches, tags]``.
"""

from __future__ import annotations

import contextlib
import functools
import re
from typing import TYPE_CHECKING

from hookci.config.gitlab.keywords import words
from hookci.config.gitlab.rules import NEVER_TRUE, read_condition
from hookci.config.gitlab.shapes import table, texts
from hookci.config.words import show
from hookci.model.expression import And, Comparison, Literal, Match, Or, Regex, Truth, Variable
from hookci.model.pipeline import Rule, When

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path
    from hookci.model.expression import Expression

__all__ = ["read_only_except"]

_SOURCES = words(
    "push web trigger schedule api external pipeline chat webide merge_request_event external_pull_request_event "
    "parent_pipeline ondemand_dast_scan ondemand_dast_validation"
)


_REGEX = re.compile(r"/(.*)/([ismU]*)")


def _equals(name: str, value: str | None, *, negated: bool = False) -> Comparison:
    return Comparison(Variable(name), Literal(value), negated)


_NO_MERGE_REQUEST = And(
    _equals("CI_PIPELINE_SOURCE", "merge_request_event", negated=True),
    _equals("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", None),
)
_BRANCHES = And(_NO_MERGE_REQUEST, _equals("CI_COMMIT_TAG", None))
_TAGS = And(_NO_MERGE_REQUEST, _equals("CI_COMMIT_TAG", None, negated=True))


def _keywords() -> dict[str, Expression]:
    """The words of a list of refs that mean a kind of pipeline: its source, in the singular or the plural."""
    words: dict[str, Expression] = {}
    for source in _SOURCES:
        word = source.removesuffix("_event")
        for name in (word, f"{word}es" if word.endswith("sh") else f"{word}s"):
            words[name] = _equals("CI_PIPELINE_SOURCE", source)
    return {**words, "branches": _BRANCHES, "tags": _TAGS}


_KEYWORDS = _keywords()


def read_only_except(
    said: Mapping[str, object], path: Path, ledger: Ledger, *, default: bool
) -> tuple[Rule, ...] | None:
    """The rules that ``only`` and ``except`` of a job come to; None for a job that is in every pipeline.

    Args:
        said: the job's keys that have a value.
        path: where the job stands.
        ledger: what is wrong.
        default: whether a job without ``only`` is one of branches and tags; it is not where ``workflow`` has rules.
    """
    rules = _except(said["except"], (*path, "except"), ledger) if "except" in said else ()
    if "only" in said:
        return (*rules, _only(said["only"], (*path, "only"), ledger))
    if default:
        return (*rules, Rule(condition=_NO_MERGE_REQUEST, implied=True))
    return (*rules, Rule(implied=True)) if rules else None


def _only(value: object, path: Path, ledger: Ledger) -> Rule:
    conditions, changes = _conditions(value, path, ledger)
    if "refs" not in conditions:
        conditions["refs"] = _NO_MERGE_REQUEST
    if changes == ():
        conditions["changes"] = NEVER_TRUE
    return Rule(condition=functools.reduce(And, conditions.values()), changes=changes or (), implied=True)


def _except(value: object, path: Path, ledger: Ledger) -> tuple[Rule, ...]:
    conditions, changes = _conditions(value, path, ledger)
    rules = tuple(Rule(condition=condition, when=When.NEVER, implied=True) for condition in conditions.values())
    return (*rules, Rule(changes=changes, when=When.NEVER, implied=True)) if changes else rules


def _conditions(value: object, path: Path, ledger: Ledger) -> tuple[dict[str, Expression], tuple[str, ...] | None]:
    """A condition for each kind that is there, and the globs of ``changes`` (None: they are not there)."""
    if isinstance(value, list):
        return {"refs": _refs(value, path, ledger)}, None
    if not isinstance(value, dict):
        ledger.problem(path, f"has to be either an array of conditions or a hash, saw {show(value)}")
        return {}, None
    said = table(value, path, ledger, (*_READERS, "changes"))
    conditions = {kind: read(said[kind], (*path, kind), ledger) for kind, read in _READERS.items() if kind in said}
    return conditions, texts(said["changes"], (*path, "changes"), ledger) if "changes" in said else None


def _any(conditions: Iterable[Expression]) -> Expression:
    found = list(conditions)
    return functools.reduce(Or, found) if found else NEVER_TRUE


def _refs(value: object, path: Path, ledger: Ledger) -> Expression:
    patterns = texts(value, path, ledger)
    for index, pattern in enumerate(patterns):
        _check_regex(pattern, (*path, index), ledger)
    return _any(_ref(pattern) for pattern in patterns)


def _check_regex(pattern: str, path: Path, ledger: Ledger) -> None:
    """What has not the form of a regular expression is a name, also when it begins with a slash."""
    try:
        _regex(pattern)
    except re.error as error:
        wanted = "config should be an array of strings or regular expressions using re2 syntax"
        ledger.problem(path, f"{wanted}, saw {show(pattern)}: {error}")


def _ref(pattern: str) -> Expression:
    """One entry of a list of refs; what stands behind an ``@`` is the project it is meant for."""
    name, found, project = pattern.partition("@")
    condition = _KEYWORDS.get(name) or And(_NO_MERGE_REQUEST, _named(name))
    return And(_equals("CI_PROJECT_PATH", project), condition) if found else condition


def _named(name: str) -> Expression:
    with contextlib.suppress(re.error):  # before an @, nobody looks whether it is one
        regex = _regex(name)
        if regex is not None:
            return Match(Variable("CI_COMMIT_REF_NAME"), regex)
    return _equals("CI_COMMIT_REF_NAME", name)


def _regex(text: str) -> Regex | None:
    """What is written as ``/pattern/flags``; of GitLab's code ``Gitlab::UntrustedRegexp::RubySyntax``.

    Raises:
        re.error: the pattern is none.
    """
    found = _REGEX.fullmatch(text)
    if not found:
        return None
    regex = Regex(found[1], found[2])
    regex.compiled()
    return regex


def _variables(value: object, path: Path, ledger: Ledger) -> Expression:
    written = [(text, (*path, index)) for index, text in enumerate(texts(value, path, ledger))]
    return _any(read_condition(text, place, ledger) or NEVER_TRUE for text, place in written)


def _kubernetes(value: object, path: Path, ledger: Ledger) -> Expression:
    if value != "active":
        ledger.problem(path, f"unknown value: {show(value)}", "write `active`")
    return Truth(Variable("CI_KUBERNETES_ACTIVE"))


_READERS = {"refs": _refs, "variables": _variables, "kubernetes": _kubernetes}
