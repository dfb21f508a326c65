"""``extends`` and ``!reference``."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import yaml
from composing import MAIN, composed, values, wrong
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.gitlab.composed import Place
from hookci.config.problems import Problem


def test_the_documentation_s_example_of_several_parents() -> None:
    text = """
        .only-important:
          variables:
            URL: "http://my-url.internal"
            IMPORTANT_VAR: "the details"
          rules:
            - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
            - if: $CI_COMMIT_BRANCH == "stable"
          tags:
            - production
          script:
            - echo "Hello world!"
        .in-docker:
          variables:
            URL: "http://docker-url.internal"
          tags:
            - docker
          image: alpine
        rspec:
          variables:
            GITLAB: "is-awesome"
          extends:
            - .only-important
            - .in-docker
          script:
            - rake rspec
    """

    assert values(text)["rspec"] == {
        "variables": {
            "URL": "http://docker-url.internal",
            "IMPORTANT_VAR": "the details",
            "GITLAB": "is-awesome",
        },
        "rules": [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}, {"if": '$CI_COMMIT_BRANCH == "stable"'}],
        "tags": ["docker"],
        "image": "alpine",
        "script": ["rake rspec"],
        "extends": [".only-important", ".in-docker"],
    }


def test_a_key_is_left_out_with_null_and_not_with_an_empty_mapping() -> None:
    text = """
        .base: {script: test, variables: {VAR1: base}}
        test1: {extends: .base, variables: {VAR1: one, VAR2: two}}
        test2: {extends: .base, variables: {VAR2: two}}
        test3: {extends: .base, variables: {}}
        test4: {extends: .base, variables: null}
    """

    found = values(text)

    assert [found[f"test{number}"]["variables"] for number in (1, 2, 3, 4)] == [
        {"VAR1": "one", "VAR2": "two"},
        {"VAR1": "base", "VAR2": "two"},
        {"VAR1": "base"},
        None,
    ]


def test_a_job_extends_what_is_included_and_what_stands_below_it() -> None:
    files = {MAIN: "include: a.yml\nx: {extends: [.included, .below]}\n.below: {b: 2}", "a.yml": ".included: {a: 1}"}

    assert values(files) == {"x": {"a": 1, "b": 2, "extends": [".included", ".below"]}}


def test_a_job_can_extend_one_that_runs() -> None:
    assert values("a: {script: x, stage: s}\nb: {extends: a, script: y}")["b"] == {
        "script": "y",
        "stage": "s",
        "extends": "a",
    }


def test_extended_parts_keep_their_places() -> None:
    found = composed(".a:\n  script:\n    - x\nj:\n  extends: .a\n  stage: b\n")

    assert found.place(("j", "script", 0)) == Place(MAIN, 3)
    assert found.place(("j", "stage")) == Place(MAIN, 6)
    assert found.place(("j",)) == Place(MAIN, 4)


def chain(length: int, *, backwards: bool = False) -> str:
    """Jobs of which each extends the next one; the last extends nothing."""
    lines = [f"j{number}: {{extends: j{number + 1}}}" for number in range(length)]
    lines.append(f"j{length}: {{script: x}}")
    return "\n".join(reversed(lines) if backwards else lines)


@pytest.mark.parametrize("backwards", [False, True])
def test_eleven_levels_can_be_extended_and_no_more(*, backwards: bool) -> None:
    assert values(chain(11, backwards=backwards))["j0"]["script"] == "x"
    assert wrong(chain(12, backwards=backwards))[0].endswith("nesting too deep in `extends`: 11 levels at most")


def test_a_long_chain_is_a_problem_and_no_crash() -> None:
    assert len(wrong(chain(3000))) > 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: {extends: .b}", "1: jobs.a.extends: unknown keys in `extends` (.b)"),
        (
            ".base: {a: 1}\na:\n  extends:\n    - .bas",
            "4: jobs.a.extends[0]: unknown keys in `extends` (.bas) (did you mean `.base`?)",
        ),
        ("a: {extends: [3]}", "1: jobs.a.extends[0]: unknown keys in `extends` (3)"),
        (".b: [x]\na: {extends: .b}", "2: jobs.a.extends: invalid base hashes in `extends` (.b)"),
        ("a: {extends: a}", "1: jobs.a.extends: circular dependency detected in `extends`: a -> a"),
        (
            "a: {extends: b}\nb: {extends: c}\nc: {extends: a}",
            "1: jobs.a.extends: circular dependency detected in `extends`: a -> b -> c -> a",
        ),
        (".a:\nb: {script: x}", '1: jobs.".a": config can\'t be blank'),
    ],
)
def test_what_cannot_be_extended_is_told_with_its_place(text: str, problem: str) -> None:
    assert wrong(text) == [f"{MAIN}:{problem}"]


def test_extends_of_nothing_is_nothing() -> None:
    assert values("a: {extends: null, script: x}\nb: {extends: [], script: x}")["a"] == {"extends": None, "script": "x"}


def test_the_documentation_s_examples_of_references() -> None:
    files = {
        MAIN: """
            include:
              - local: setup.yml
            .teardown:
              after_script:
                - echo deleting environment
            test:
              script:
                - !reference [.setup, script]
                - echo running my own command
              after_script:
                - !reference [.teardown, after_script]
            test-vars-1:
              variables: !reference [.vars, variables]
            test-vars-2:
              variables:
                MY_VAR: !reference [.vars, variables, IMPORTANT_VAR]
            .snippets:
              one:
                - echo "ONE!"
              two:
                - !reference [.snippets, one]
                - echo "TWO!"
            nested:
              script:
                - !reference [.snippets, two]
        """,
        "setup.yml": """
            .setup:
              script:
                - echo creating environment
            .vars:
              variables:
                URL: "http://my-url.internal"
                IMPORTANT_VAR: "the details"
        """,
    }

    assert values(files) == {
        "test": {
            "script": [["echo creating environment"], "echo running my own command"],
            "after_script": [["echo deleting environment"]],
        },
        "test-vars-1": {"variables": {"URL": "http://my-url.internal", "IMPORTANT_VAR": "the details"}},
        "test-vars-2": {"variables": {"MY_VAR": "the details"}},
        "nested": {"script": [[['echo "ONE!"'], 'echo "TWO!"']]},
    }


def test_a_reference_sees_what_is_extended_and_survives_it() -> None:
    text = """
        .a: {script: [x]}
        .b: {extends: .a}
        .c: {script: !reference [.b, script]}
        d: {extends: .c}
        e: !reference [d]
    """

    found = values(text)

    assert found["d"] == {"script": ["x"], "extends": ".c"}
    assert found["e"] == found["d"]


def test_a_reference_keeps_the_place_where_it_stands_and_what_it_means_its_own() -> None:
    found = composed("a:\n  script:\n    - x\nb:\n  script: !reference [a, script]\n")

    assert found.place(("b", "script")) == Place(MAIN, 5)
    assert found.place(("b", "script", 0)) == Place(MAIN, 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: !reference [b, c]", "1: jobs.a: `!reference [b, c]` could not be found"),
        (
            "a:\n  x: !reference [b, scrpt]\nb: {script: x}",
            "2: jobs.a.x: `!reference [b, scrpt]` could not be found (did you mean `script`?)",
        ),
        ("a:\n  - !reference [b, c, d]\nb: {c: x}", "2: jobs.a[0]: `!reference [b, c, d]` could not be found"),
        ("a: !reference [b, c]\nb: {c: null}", "1: jobs.a: `!reference [b, c]` could not be found"),
        ("a: !reference [b, c]\nb: {c: false}", "1: jobs.a: `!reference [b, c]` could not be found"),
        ("a: !reference []", "1: jobs.a: `!reference []` is not valid (write `!reference [.job, script]`)"),
        (
            "a: !reference [b, 0]\nb: [x]",
            "1: jobs.a: `!reference [b, 0]` is not valid (write `!reference [.job, script]`)",
        ),
        ("a: !reference text", "1: `!reference` takes a list of keys (write `!reference [.job, script]`)"),
        ("a: !reference {b: c}", "1: `!reference` takes a list of keys (write `!reference [.job, script]`)"),
        ("a: !reference [a]", "1: jobs.a: `!reference [a]` is part of a circular chain"),
        ("a: [!reference [b]]\nb: [!reference [a]]", "1: jobs.a[0]: `!reference [b]` is part of a circular chain"),
        ("include: !reference [a]\na: x", "1: include: each include must be a hash or a string, saw !reference [a]"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_with_its_place(text: str, problem: str) -> None:
    assert f"{MAIN}:{problem}" in wrong(text)


def test_references_that_stand_for_too_much_are_refused() -> None:
    lines = [f".a{n}: [!reference [.a{n - 1}], !reference [.a{n - 1}]]" for n in range(1, 40)]

    assert "stands for more than 200000 values" in wrong(".a0: [x, x]\n" + "\n".join(lines))[0]


@pytest.mark.parametrize("turned", [False, True])
def test_a_long_chain_of_references_is_a_problem_and_no_crash(*, turned: bool) -> None:
    lines = [".a0: [x]", *(f".a{n}: [!reference [.a{n - 1}]]" for n in range(1, 500))]

    assert "levels deep" in wrong("\n".join(reversed(lines) if turned else lines))[0]


def test_what_only_follows_from_a_broken_job_is_not_told() -> None:
    found = composed("fine: {script: x}\n")
    assert found.errors() == ()
    broken = "lost: {extends: .nowhere}\nfine: {script: x}\n"

    lines = wrong(broken)

    assert lines == [f"{MAIN}:1: jobs.lost.extends: unknown keys in `extends` (.nowhere)"]


def test_problems_of_whoever_reads_the_values_are_told_in_the_order_of_the_files() -> None:
    found = composed({MAIN: "include: a.yml\nz: 1\ny: 2\n", "a.yml": "b: 1\n"})
    found.problems += [
        Problem(("b",), "third"),
        Problem(("y",), "second"),
        Problem(("z",), "first"),
        Problem(("z",), "first"),
    ]

    shown = [(one.path, one.message) for one in found.errors()]

    assert shown == [
        (f"{MAIN}:2: jobs.z", "first"),
        (f"{MAIN}:3: jobs.y", "second"),
        ("a.yml:1: jobs.b", "third"),
    ]


MAPS = st.recursive(
    st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2) | st.none(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
MAP = st.dictionaries(st.sampled_from("abc"), MAPS, max_size=3)


def merged(base: object, over: object) -> Any:  # noqa: ANN401 (any YAML value)
    """The documentation's words: mappings at any depth, all else from what comes later."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    both = {key: merged(base[key], over[key]) for key in base if key in over}
    return {**base, **over, **both}


@given(st.lists(MAP, min_size=2, max_size=4))
def test_including_extending_and_both_merge_alike(layers: list[dict[str, Any]]) -> None:
    expected: dict[str, Any] = functools.reduce(merged, layers, {})
    names = [f".l{number}" for number in range(len(layers))]
    parents = dict(zip(names[:-1], ({**layer, "k": 1} for layer in layers), strict=False))
    files = {f"{number}.yml": yaml.safe_dump({"job": layer}) for number, layer in enumerate(layers)}

    extended = values(yaml.safe_dump({**parents, "job": {**layers[-1], "extends": names[:-1]}}))["job"]
    included = values({MAIN: yaml.safe_dump({"include": list(files)}), **files})["job"]

    assert {key: value for key, value in extended.items() if key not in {"extends", "k"}} == expected
    assert included == expected
