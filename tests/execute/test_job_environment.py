"""The rules by which a job's environment is made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.execute.environment import expand, expand_all, secret_values, withheld_names


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$A", "1"),
        ("${A}b", "1b"),
        ("$AB", "$AB"),
        ("$$A", "$A"),
        ("$$$A", "$1"),
        ("${A", "${A"),
        ("$1 $ 5$", "$1 $ 5$"),
        ("${A:-x}", "${A:-x}"),
        ("$EMPTY.", "."),
        ("", ""),
    ],
)
def test_a_reference_is_replaced_by_what_is_known(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1", "EMPTY": ""}) == expanded


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"X": "$Y", "Y": "$Z", "Z": "end"}, {"X": "end", "Y": "end", "Z": "end"}),
        ({"PATH": "/opt:$PATH"}, {"PATH": "/opt:/bin"}),
        ({"PATH": "/opt:$PATH", "ALL": "$PATH"}, {"PATH": "/opt:/bin", "ALL": "/opt:/bin"}),
        ({"A": "$B", "B": "b$A"}, {"A": "b$A", "B": "b$A"}),
        ({"A": "<$B>", "B": "$$C", "C": "no"}, {"A": "<$C>", "B": "$C", "C": "no"}),
        ({"A": "$$A"}, {"A": "$A"}),
    ],
)
def test_variables_may_name_one_another_in_any_order(variables: dict[str, str], expected: dict[str, str]) -> None:
    assert expand_all(variables, {"PATH": "/bin"}) == expected


names = st.sampled_from(["A", "B", "C", "D"])
values = st.lists(st.one_of(names.map(lambda name: f"${name}"), st.sampled_from(["x", "$$", "${E}"])), max_size=3)


@given(variables=st.dictionaries(names, values.map("".join), max_size=4), order=st.randoms())
def test_any_variables_come_to_an_end_and_keep_their_names(variables: dict[str, str], order: object) -> None:
    assert order is not None

    done = expand_all(variables, {"E": "e"})

    assert done.keys() == variables.keys()
    assert all("${E}" not in value for value in done.values())


def test_secrets_are_the_values_of_the_variables_that_are_named() -> None:
    known = {"TOKEN": "one", "KEY_A": "two", "KEY_B": "", "TOKENS": "no", "OTHER": "no"}

    assert secret_values(known, ["TOKEN", "KEY_*"]) == {"one", "two"}


def test_only_names_that_are_mentioned_and_were_not_passed_are_hinted_at() -> None:
    user = {"DATABASE_URL": "", "PASSED": "", "GIT_DIR": "", "PWD": "", "X": "", "UNMENTIONED": "", "HOST_B": ""}
    texts = ("KeyError: 'DATABASE_URL'", "PASSED GIT_DIR PWD X", "no MY_HOST_B", "${HOST_B:?}")

    assert withheld_names(user, {"PASSED": ""}, texts) == ("DATABASE_URL", "HOST_B")
