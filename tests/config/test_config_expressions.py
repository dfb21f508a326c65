"""The conditions of ``rules: if``: what they mean, and where they are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.config.expressions import ExpressionError, parse_expression
from hookci.model.expression import And, Comparison, Literal, Match, Or, Regex, Truth, Variable, evaluate

VALUES = {
    "BRANCH": "main",
    "EMPTY": "",
    "TAG": "v1.2.0",
    "PATTERN": "/^MA/i",
    "TEXT": "main",
    "BROKEN": "/[/",
    "a_1": "x",
    "LINES": "one\ntwo\n",
    "WORD": "true",
}


def holds(text: str) -> bool:
    return evaluate(parse_expression(text), VALUES.get)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$BRANCH", True),
        ("$EMPTY", False),
        ("$UNSET", False),
        ('"text"', True),
        ('""', False),
        ("null", False),
        ('$BRANCH == "main"', True),
        ("$BRANCH == 'main'", True),
        ("${BRANCH} == 'main'", True),
        ('"main" == $BRANCH', True),
        ("$BRANCH == $TEXT", True),
        ('$BRANCH != "main"', False),
        ("$UNSET == null", True),
        ("$EMPTY == null", False),
        ('$EMPTY == ""', True),
        ('$UNSET == ""', False),
        ("$UNSET != null", False),
        ("$TAG =~ /^v[0-9]+/", True),
        ("$TAG =~ /1.2/", True),
        ("$TAG =~ /^V/", False),
        ("$TAG =~ /^V/i", True),
        ("$TAG =~ /^v/ismU", True),
        (r"$TAG =~ /\/|^v1/", True),
        ("$TAG !~ /^v/", False),
        ("$UNSET =~ /.*/", True),
        ("$UNSET !~ /.*/", False),
        ("$UNSET =~ /./", False),
        ("$UNSET !~ /./", True),
        ("$EMPTY =~ /^$/", True),
        ("$BRANCH =~ $PATTERN", True),
        ("$BRANCH =~ $TEXT", True),
        ("$TAG =~ $TEXT", False),
        ("$TAG !~ $TEXT", True),
        ("$BRANCH =~ $UNSET", False),
        ("$BRANCH !~ $UNSET", True),
        ("$BRANCH =~ $BROKEN", False),
        ("$BRANCH !~ $BROKEN", True),
        ('$BRANCH =~ "/^ma/"', True),
        ('$BRANCH =~ "main"', True),
        ('$BRANCH =~ "main or other"', True),
        ('$BRANCH =~ "m"', False),
        ('$BRANCH !~ "main"', False),
        ("$LINES =~ /^two$/", False),
        ("$LINES =~ /^two$/m", True),
        ("$LINES =~ /one.two/", False),
        ("$LINES =~ /one.two/s", True),
        ("true", True),
        ("false", False),
        ("true == true", True),
        ("false == false", True),
        ("$WORD == true", True),
        ('"true" == true', True),
        ("$WORD != true", False),
        ("$BRANCH == true", False),
        ("!$UNSET", True),
        ("!$EMPTY", True),
        ("!$BRANCH", False),
        ("!!$BRANCH", True),
        ("!$UNSET && $BRANCH", True),
        ("!($BRANCH && $EMPTY)", True),
        ('!($BRANCH == "main")', False),
        ('!$BRANCH == "main"', False),
        ("!$BRANCH == false", True),
        ('($BRANCH) == "main"', True),
        ('$BRANCH == ("main")', True),
        ("($BRANCH == $TEXT) == true", True),
        ("$BRANCH =~ ($PATTERN)", True),
        (r"$TAG =~ /0\z/", True),
        (r"$BRANCH =~ /^\pL+$/", True),
        ("$BRANCH =~ /^[[:alpha:]]+$/", True),
        ("$BRANCH =~ /ma(?i)IN/", True),
        (r"$LINES =~ /two$/", False),
        ("$UNSET == false", False),
        ("$a_1 == 'x'", True),
        ("$UNSET || $BRANCH && $EMPTY", False),
        ("$BRANCH || $UNSET && $EMPTY", True),
        ("($BRANCH || $UNSET) && $EMPTY", False),
        ("($BRANCH)", True),
        ("$BRANCH&&$TAG||$EMPTY", True),
        ("  $BRANCH\n  && $TAG  ", True),
    ],
)
def test_a_condition_holds_as_gitlab_says(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_and_binds_tighter_than_or_and_both_to_the_left() -> None:
    a, b, c = (Truth(Variable(name)) for name in "ABC")

    assert parse_expression("$A || $B && $C") == Or(a, And(b, c))
    assert parse_expression("$A && $B || $C") == Or(And(a, b), c)
    assert parse_expression("$A || $B || $C") == Or(Or(a, b), c)
    assert parse_expression("$A && ($B || $C)") == And(a, Or(b, c))


def test_comparisons_and_matches_keep_what_was_written() -> None:
    assert parse_expression('$A != "x"') == Comparison(Variable("A"), Literal("x"), negated=True)
    assert parse_expression("null == ${A}") == Comparison(Literal(None), Variable("A"))
    assert parse_expression("$A !~ /x y/i") == Match(Variable("A"), Regex("x y", "i"), negated=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a $VARIABLE, a quoted text or null, saw the end"),
        ("main", 'column 1: expected a $VARIABLE, a quoted text or null, saw "m"'),
        ("nullable", 'column 1: expected a $VARIABLE, a quoted text or null, saw "n"'),
        ("$A = 'x'", 'column 4: expected &&, || or the end, saw "="'),
        ("$A == ", "column 7: expected a $VARIABLE, a quoted text or null, saw the end"),
        ("$A == 'x", 'column 7: expected a $VARIABLE, a quoted text or null, saw "\'"'),
        ("$A == /x/", 'column 7: expected a $VARIABLE, a quoted text or null, saw "/x/"'),
        ("$A == == $B", 'column 7: expected a $VARIABLE, a quoted text or null, saw "=="'),
        ("$A $B", 'column 4: expected &&, || or the end, saw "$B"'),
        ("$A && || $B", 'column 7: expected a $VARIABLE, a quoted text or null, saw "||"'),
        ("($A", "column 4: expected &&, || or ), saw the end"),
        ("$A)", 'column 3: expected &&, || or the end, saw ")"'),
        ("!", "column 2: expected a $VARIABLE, a quoted text or null, saw the end"),
        ("$A =~ null", 'column 7: expected a /regex/, a $VARIABLE or a quoted text, saw "null"'),
        ("$A =~ /x", 'column 7: expected a /regex/, a $VARIABLE or a quoted text, saw "/"'),
        ("$A =~ '/(x/'", "column 7: no regular expression: missing ): (x at position 0"),
        (
            "$A =~ /(x/",
            "column 7: no regular expression: missing ): (x at position 0",
        ),
        ("$A =~ /x/g", 'column 10: expected &&, || or the end, saw "g"'),
        ("(" * 5000, "column 21: more than 20 parentheses within each other"),
        ("$A||" * 5000, "column 1001: more than 500 words"),
    ],
)
def test_an_unreadable_condition_is_refused_at_its_column(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)

    assert str(caught.value) == message
    assert message.startswith(f"column {caught.value.column}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('${A} == "x"', "column 1: `${A}` is no variable here: write `$A`"),
        ("$A && ${B}", "column 7: `${B}` is no variable here: write `$B`"),
        ("$A =~ /x/", "column 7: `/x/`: GitLab takes no regular expression of a single character"),
        ("$A =~ /(?!x)/", "column 7: no regular expression: invalid perl operator: (?! at position 0"),
        (
            "$A =~ /.*wip/marge.*/",
            'column 15: a slash within a regular expression is written `\\/`, saw "$A =~ /.*wip/marge.*/"',
        ),
        (" || ".join(["$A"] * 51), "column 301: more than 100 words"),
    ],
)
def test_what_gitlab_refuses_is_refused_in_its_files(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text, gitlab=True)

    assert str(caught.value) == message


def test_a_condition_of_gitlab_has_99_words_at_most() -> None:
    longest = " || ".join(["$A"] * 50)

    assert parse_expression(longest, gitlab=True) == parse_expression(longest)


def test_the_longest_condition_that_is_read_can_be_decided() -> None:
    nested = "(" * 20 + "$BRANCH" + ")" * 20
    chained = " && ".join(["$BRANCH"] * 250)

    assert holds(nested)
    assert holds(chained)


@given(st.text(alphabet="$A{}()/\\'\"=~!&|i n\tull[]", max_size=30))
def test_any_text_is_either_read_and_decided_or_refused(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionError as error:
        assert 1 <= error.column <= len(text) + 1  # noqa: PT017 (either way out is fine)
    else:
        assert evaluate(expression, VALUES.get) in {True, False}
