"""``$NAME`` in a text, as hookci and as GitLab have it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.model.variables import circles, expand, expand_existing, expand_for_gitlab, references

KNOWN = {"A": "one", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "ours", "gitlabs"),
    [
        ("$A ${A}", "one one", "one one"),
        ("$NOBODY-${NOBODY}", "$NOBODY-${NOBODY}", "-"),
        ("$$A and $$$A", "$A and $one", "$A and $one"),
        ("${A:-other}", "${A:-other}", ""),
        ("cost: $5", "cost: $5", "cost: "),
        ("^v[0-9]+$", "^v[0-9]+$", "^v[0-9]+$"),
        ("$EMPTY|$", "|$", "|$"),
        ("$(command) 100%", "$(command) 100%", "$(command) 100%"),
        ("%A%|%%|%NOBODY%|%EMPTY%|100% %A", "%A%|%%|%NOBODY%|%EMPTY%|100% %A", "one|%%|%NOBODY%||100% %A"),
    ],
)
def test_what_is_unknown_stays_for_us_and_is_empty_for_gitlab(text: str, ours: str, gitlabs: str) -> None:
    assert expand(text, KNOWN.get) == ours
    assert expand_for_gitlab(text, KNOWN.get) == gitlabs


def test_the_names_in_a_text_are_those_that_are_referred_to() -> None:
    assert list(references("$A-${B} $$C $5")) == ["A", "B"]


def test_names_between_percent_signs_are_references_where_they_are_known() -> None:
    assert list(references("$A %B% %C3%A9% %%D%", {"B", "D"})) == ["A", "B"]


def test_in_the_paths_of_rules_what_is_unknown_stays() -> None:
    assert expand_existing("$A/${A}/%A%/$NOPE/${NOPE}/%NOPE%/$EMPTY", KNOWN.get) == "one/one/one/$NOPE/${NOPE}/%NOPE%/"


@given(st.dictionaries(st.sampled_from("ABCDE"), st.sets(st.sampled_from("ABCDEX"), max_size=3), max_size=5))
def test_without_a_circle_there_is_an_order_and_with_one_there_is_none(edges: dict[str, set[str]]) -> None:
    variables = {name: "".join(f"${other}" for other in sorted(others)) for name, others in edges.items()}
    graph = {name: (others & edges.keys()) - {name} for name, others in edges.items()}

    around = circles(variables)

    assert bool(around) is _has_circle(graph)
    assert all(graph[name] & set(around) for name in around)


def _has_circle(graph: dict[str, set[str]]) -> bool:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError:
        return True
    return False
