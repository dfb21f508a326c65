"""One document made of a ``.gitlab-ci.yml`` and all that it includes, with a place in a file for every value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from hookci.config.gitlab.extends import extend
from hookci.config.gitlab.include import Including
from hookci.config.gitlab.located import Place, ProblemAt, Table, find_place
from hookci.config.gitlab.reference import resolve_references
from hookci.config.problems import Problem
from hookci.config.words import show_path
from hookci.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from hookci.config.gitlab.addresses import Elsewhere
    from hookci.config.surroundings import Surroundings
    from hookci.config.words import Path

__all__ = ["GLOBAL", "Composed", "Place", "compose", "compose_child", "included_from_elsewhere"]

GLOBAL = {
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "variables",
    "workflow",
}
"""What is no job at the top of a document."""


_MOST = 200_000
"""Values in the whole document, those that stand in several places counted in each."""

_DEEPEST = 100


class Composed(Struct):
    """A pipeline's document in one piece.

    ``values`` are plain dicts, lists, texts, numbers, booleans and None in GitLab's order, with texts for keys:
    everything included and merged, ``extends`` and ``!reference`` resolved, hidden jobs dropped, ``default`` and
    ``inherit`` not applied.  Parts of it may be shared: nothing may change them.  ``problems`` say what is wrong
    (whoever reads the values adds to them), ``notes`` what was accepted without effect, and why.  ``facts_read`` are
    the predefined variables that the includes depend on, None for those that are not set.
    """

    source: str
    document: Table
    """All values, hidden jobs too."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts_read: dict[str, str | None] = field(default_factory=dict)
    broken: frozenset[object] = frozenset()
    """The keys of ``document`` whose value could not be put together."""

    @property
    def values(self) -> dict[str, Any]:
        """The values that count."""
        return {key: value for key, value in self.document.items() if not key.startswith(".")}

    def place(self, path: Path) -> Place:
        """Where the value at ``path`` stands, or the nearest one around it."""
        return find_place(self.document, path) or Place(self.source, 1)

    def errors(self) -> tuple[ConfigProblem, ...]:
        """All ``problems`` in the order of the files, each once, with file and line in front of the key path.

        Where a job could not be put together, what is said about its parts may only follow from that and is left out.
        """
        placed = {}
        for problem in self.problems:
            place = (problem.place if isinstance(problem, ProblemAt) else None) or self.place(problem.path)
            if isinstance(problem, ProblemAt) or not self.broken.intersection(problem.path[:1]):
                placed[place, problem.message] = _shown(problem, place)
        ordered = sorted(placed.items(), key=lambda item: (item[0][0].file != self.source, item[0][0]))
        return tuple(shown for _place, shown in ordered)


def _shown(problem: Problem, place: Place) -> ConfigProblem:
    path = problem.path
    if path and path[0] not in GLOBAL:
        path = ("jobs", *path)
    where = f"{place}: {show_path(path)}" if path else str(place)
    return ConfigProblem(where, problem.message, problem.hint)


def compose(source: str, surroundings: Surroundings) -> Composed:
    """The document that starts in the file ``source`` of the tree.

    Raises:
        ConfigError: there is no document to go on with: no such file, no YAML, something included that is not there.
    """
    including = Including(surroundings)
    return _put_together(source, including.main(source), including)


def compose_child(include: object, place: Place, surroundings: Surroundings) -> Composed:
    """The document of a child pipeline, which consists of nothing but what ``trigger: include`` says.

    Args:
        include: the value of ``include``, as `Composed.values` has it.
        place: where the value stands.
        surroundings: those of the child; its variables are ``asked``.

    Raises:
        ConfigError: as `compose`.
    """
    including = Including(surroundings)
    return _put_together(place.file, including.child(include, place), including)


def included_from_elsewhere(source: str, surroundings: Surroundings) -> tuple[Elsewhere, ...]:
    """All that the pipeline in ``source`` includes from outside of its tree, as far as that can be seen.

    What is included by what was not fetched yet is not known: fetch, and ask again until nothing is new.
    """
    including = Including(surroundings)
    including.main(source)
    return tuple(including.elsewhere.values())


def _put_together(source: str, document: Table, including: Including) -> Composed:
    composed = Composed(source, document, including.problems, including.notes, including.known.read)
    if not all(isinstance(problem, ProblemAt) and problem.bounded for problem in composed.problems):
        raise ConfigError(source, composed.errors())
    extended = extend(document, composed.problems)
    composed.document = resolve_references(extended, composed.problems)
    composed.problems += [
        Problem((key,), "config can't be blank")
        for key, value in composed.document.items()
        if key.startswith(".") and not value and value is not False
    ]
    weight, depth = _measure(composed.document, {})
    if weight > _MOST or depth > _DEEPEST:
        message = f"stands for more than {_MOST} values, or is nested more than {_DEEPEST} levels deep"
        composed.problems.append(ProblemAt((), message, None, Place(source, 1)))
        raise ConfigError(source, composed.errors())
    composed.broken = frozenset(problem.path[0] for problem in composed.problems if problem.path)
    composed.problems = [_fixed(problem, composed) for problem in composed.problems]
    return composed


def _fixed(problem: Problem, composed: Composed) -> ProblemAt:
    place = problem.place if isinstance(problem, ProblemAt) else None
    return ProblemAt(problem.path, problem.message, problem.hint, place or composed.place(problem.path))


def _measure(value: object, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values there are in ``value``, shared ones counted each time, and how deep it goes."""
    if not isinstance(value, dict | list):
        return 1, 0
    if id(value) not in known:
        parts = value.values() if isinstance(value, dict) else value
        measured = [_measure(part, known) for part in parts]
        weight = sum(weight for weight, _depth in measured)
        known[id(value)] = 1 + weight, 1 + max((depth for _weight, depth in measured), default=0)
    return known[id(value)]
