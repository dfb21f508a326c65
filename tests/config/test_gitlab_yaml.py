"""YAML as GitLab reads it: Ruby's Psych, YAML 1.1."""

from __future__ import annotations

import math
import string
from typing import Any

import pytest
import yaml
from composing import MAIN, composed, values, wrong
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.gitlab.composed import Place, compose
from hookci.config.surroundings import Surroundings
from hookci.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("yes", True),
        ("yEs", True),
        ("on", True),
        ("Off", False),
        ("NO", False),
        ("y", "y"),
        ("n", "n"),
        ("'yes'", "yes"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!int 12", 12),
        ("0755", 493),
        ("0o17", "0o17"),
        ("089", "089"),
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        ("0x1F", 31),
        ("0xb", 11),
        ("0b101", 5),
        ("1_000", 1000),
        ("1,000", 1000),
        ("1__0", "1__0"),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.0e+3", 1000.0),
        ("1e3", "1e3"),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("3.12-slim", "3.12-slim"),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("12:30", 45000),
        ("1:02:03", 3723),
        ("80:80", "80:80"),
        ("2020-13-01", "2020-13-01"),
        ("a: b", {"a": "b"}),
        ("nullable", "nullable"),
        ("$CI_COMMIT_BRANCH", "$CI_COMMIT_BRANCH"),
    ],
)
def test_a_scalar_means_what_it_means_to_ruby(written: str, value: object) -> None:
    text = f"x:\n  {written}\n"

    found = values(text)["x"]

    assert found == value
    assert type(found) is type(value) or isinstance(value, dict)


def test_what_is_not_a_number_is_one() -> None:
    assert math.isnan(values("x: .nan")["x"])


@pytest.mark.parametrize("date", ["2020-01-01", "2020-1-1", "2020-01-01 10:00:00", "2020-01-01T10:00:00Z"])
def test_a_date_is_refused_as_by_gitlab(date: str) -> None:
    assert wrong(f"a: b\nx: {date}\n") == [
        f".gitlab-ci.yml:2: `{date}` is a date, which GitLab takes for no value (put it in quotes)"
    ]


def test_keys_are_texts_as_they_are_written() -> None:
    assert values("on: 1\n1.10: 2\n~: 3\n'yes': 4\n") == {"on": 1, "1.10": 2, "~": 3, "yes": 4}


def test_anchors_and_aliases_are_for_one_file() -> None:
    text = """
        .base: &base {image: a, script: [b]}
        job: *base
        list: [&one x, *one]
        &key k: *key
    """

    assert values(text) == {"job": {"image": "a", "script": ["b"]}, "list": ["x", "x"], "k": "k"}


def test_an_anchor_can_be_set_again() -> None:
    assert values("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_a_merge_overwrites_what_stands_before_it_and_nothing_after_it() -> None:
    text = """
        .base: &base {a: base, b: base, c: base}
        job:
          a: before
          <<: *base
          b: after
    """

    job = values(text)["job"]

    assert job == {"a": "base", "b": "after", "c": "base"}
    assert list(job) == ["a", "b", "c"]


def test_of_several_mappings_merged_at_once_the_first_one_wins() -> None:
    text = """
        .one: &one {a: 1, b: 1}
        .two: &two {b: 2, c: 2}
        at_once: {<<: [*one, *two]}
        in_turn:
          <<: *one
          <<: *two
    """

    assert values(text) == {"at_once": {"a": 1, "b": 1, "c": 2}, "in_turn": {"a": 1, "b": 2, "c": 2}}


def test_only_mappings_can_be_merged() -> None:
    assert wrong("a: &a [1]\nb:\n  <<: *a\nc:\n  <<: text\n") == [
        ".gitlab-ci.yml:3: `<<` takes a mapping or a list of mappings",
        ".gitlab-ci.yml:5: `<<` takes a mapping or a list of mappings",
    ]


def test_of_a_key_that_is_there_twice_the_last_one_counts_and_this_is_said() -> None:
    found = composed("a: {x: 1}\nb: 2\na: {y: 3}\n")

    assert found.values == {"a": {"y": 3}, "b": 2}
    assert found.notes == [".gitlab-ci.yml:3: `a` stands here again; the last one counts"]


def test_a_key_that_wins_over_one_from_a_merge_is_no_second_one() -> None:
    found = composed("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\nc:\n  x: 3\n  <<: *a\n")

    assert (found.values["b"], found.values["c"]) == ({"x": 2}, {"x": 1})
    assert found.notes == []


def test_a_key_that_is_there_twice_beside_a_merge_is_told() -> None:
    found = composed("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n  x: 3\n")

    assert found.values["b"] == {"x": 3}
    assert found.notes == [".gitlab-ci.yml:5: `x` stands here again; the last one counts"]


def test_every_value_has_its_line() -> None:
    text = "stages: [a]\n\njob:\n  script:\n    - one\n    - two\n  variables:\n    A: 1\n"

    found = composed(text)

    assert found.place(("job", "script", 1)) == Place(MAIN, 6)
    assert found.place(("job", "variables", "A")) == Place(MAIN, 8)
    assert found.place(("job", "variables", "B")) == Place(MAIN, 7)
    assert found.place(("job", "script", 7)) == Place(MAIN, 4)
    assert found.place(("nowhere",)) == Place(MAIN, 1)
    assert str(found.place(("job",))) == ".gitlab-ci.yml:3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: is empty"),
        ("# nothing\n---\n", "1: is empty"),
        ("~", "1: is empty"),
        ("- a", "1: expected jobs, saw a list"),
        ("text", '1: expected jobs, saw "text"'),
        ("a:\n  - b: [", "3: column 1: no YAML: while parsing a flow node, did not find expected node content"),
        ("a: 1\n b: 2", "2: column 3: no YAML: mapping values are not allowed in this context"),
        (
            "a:\n\t- b",
            "2: column 1: no YAML: while scanning for the next token, found character that cannot start any token",
        ),
        ("a: *b", "1: there is no anchor &b before *b"),
        ("a: &a [*a]", "1: there is no anchor &a before *a"),
        ("a:\n  ? [b]\n  : c", "2: a key is a text"),
        ("a:\n  - !ruby/object:File {}", "2: there is no tag `!ruby/object:File` here"),
        ("a: " + "[" * 200 + "]" * 200, "1: is nested more than 100 levels deep"),
    ],
)
def test_what_is_no_document_is_one_problem_with_its_line(text: str, problem: str) -> None:
    assert wrong(text) == [f".gitlab-ci.yml:{problem}"]


def test_a_control_character_is_told_on_one_line() -> None:
    assert wrong("a: \x01")[0].startswith(".gitlab-ci.yml:1: no YAML: unacceptable character #x0001")


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    content = b"a: b\nc: \xff\n"
    surroundings = Surroundings(
        read={MAIN: content}.get, paths=list, facts=dict, changed=lambda: None, fetched=lambda _address: None
    )

    with pytest.raises(ConfigError) as caught:
        compose(MAIN, surroundings)

    assert [(one.path, one.message) for one in caught.value.problems] == [(".gitlab-ci.yml:2", "not UTF-8: byte 0xff")]


def test_a_byte_order_mark_is_nothing() -> None:
    assert values("\ufeffa: 1\n") == {"a": 1}


def test_no_file_is_a_problem_too() -> None:
    assert wrong({}) == [".gitlab-ci.yml:1: there is no .gitlab-ci.yml"]


@pytest.mark.parametrize("marker", ["&a{n} [*a{m}, *a{m}]", "&a{n} {{x: *a{m}, y: *a{m}}}"])
def test_aliases_that_stand_for_too_much_are_refused(marker: str) -> None:
    lines = [f"x{n}: " + marker.format(n=n, m=n - 1) for n in range(1, 40)]

    assert wrong("x0: &a0 [x, x]\n" + "\n".join(lines))[0].endswith(": stands for more than 100000 values")


def test_a_tag_that_means_nothing_is_passed_over_and_this_is_said() -> None:
    found = composed("a: !own 12\nb: !own [x]\n")

    assert found.values == {"a": 12, "b": ["x"]}
    assert found.notes == [
        ".gitlab-ci.yml:1: the tag `!own` means nothing to GitLab",
        ".gitlab-ci.yml:2: the tag `!own` means nothing to GitLab",
    ]


def test_only_the_first_document_counts_and_this_is_said() -> None:
    found = composed("---\na: 1\n---\nb: 2\n")

    assert found.values == {"a": 1}
    assert found.place(("a",)).line == 2
    assert found.notes == [".gitlab-ci.yml:4: only the first document of a file counts"]


def test_a_script_in_a_block_keeps_its_lines() -> None:
    assert values("a:\n  script:\n    - |\n      one\n      two\n    - >-\n      three\n      four\n") == {
        "a": {"script": ["one\ntwo\n", "three four"]}
    }


JOBS = st.recursive(
    st.none() | st.booleans() | st.integers(-9999, 9999) | st.text(" :-#'\"\n{}[]&*!|>%@`äxz", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("wxz", min_size=1), JOBS, min_size=1))
def test_what_yaml_writes_is_read_as_it_was(document: dict[str, Any]) -> None:
    text = yaml.safe_dump(document, sort_keys=False)

    assert values(text) == document


WORDS = st.sampled_from(
    [
        *(
            "a",
            ": ",
            "\n",
            "  ",
            "- ",
            "&x ",
            "*x",
            "<<",
            "!reference ",
            "[",
            "]",
            "{",
            "}",
            "extends",
            "include",
            ".b",
        ),
        *(
            "---\n",
            "spec",
            "inputs",
            "$[[ inputs.a ]]",
            "'",
            '"',
            "|",
            "#",
            "1",
            "script",
            "rules",
            "if",
            "$A ==",
            "local",
        ),
    ]
)


@given(st.lists(WORDS, max_size=25).map("".join) | st.text(max_size=30))
def test_any_text_is_a_document_or_problems_on_one_line_each(text: str) -> None:
    content = text.encode(errors="surrogatepass")
    surroundings = Surroundings(
        read=lambda path: content if path == MAIN else None,
        paths=lambda: [MAIN],
        facts=dict,
        changed=lambda: None,
        fetched=lambda _address: None,
    )
    try:
        problems = compose(MAIN, surroundings).errors()
    except ConfigError as error:
        problems = error.problems

    assert all("\n" not in problem.message and problem.path.startswith(f"{MAIN}:") for problem in problems)
