"""GitLab's regular expressions are RE2's: what Python's `re` makes of them is what RE2 itself does."""

from __future__ import annotations

import re

import pytest
import re2  # type: ignore[import-untyped]  # it says no types
from hypothesis import given, settings
from hypothesis import strategies as st

from hookci.model.re2 import translated

PARTS = [
    *"abzAZ019_-.*+?|()[]{}^$,:/ &~#", "\n", "é", "ß", "٣", "K",
    r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", r"\A", r"\z", r"\Z", r"\1", r"\0", r"\07",
    r"\x41", r"\x{e9}", r"\n", r"\t", r"\v", r"\.", r"\/", r"\-", r"\_", r"\q", r"\e", r"\Q", r"\E",
    r"\pL", r"\PN", r"\p{Lu}", r"\p{^L}",
    "(?:", "(?i)", "(?i:", "(?-i)", "(?s)", "(?m)", "(?U)", "(?im-s:", "(?P<n>", "(?<n>",
    "(?=", "(?!", "(?<=", "(?#", "(?>",
    "[^", "[:alpha:]", "[[:word:]]", "[[:^digit:]]", "[[:^upper:]]", "[^[:lower:]]", "[[:foo:]]",
    "[a-z]", "[]a]", "[a-",
    "{2}", "{1,3}", "{2,}", "{,3}", "{3,1}", "{1001}", "*?", "++", "??", "||",
]  # fmt: skip
EXPRESSIONS = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
TEXTS = st.text(st.sampled_from("abzAZ019_-. é\n\v\t٣ßKk[]{}"), max_size=6)
FLAGS = st.sets(st.sampled_from("ismU")).map(lambda flags: "".join(sorted(flags)))


def theirs(text: str, flags: str) -> object:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"(?{flags}){text}" if flags else text, options)
    except re2.error:
        return None


def ours(text: str, flags: str) -> re.Pattern[str] | None:
    try:
        return re.compile(translated(text, flags))
    except re.error:
        return None


def both(text: str, flags: str, subject: str) -> tuple[object, object]:
    """Where each of the two finds something: None for one that is no expression."""
    one, other = theirs(text, flags), ours(text, flags)
    return found(one, subject), found(other, subject)


def found(pattern: object, subject: str) -> object:
    if pattern is None:
        return "no expression"
    match = pattern.search(subject)  # type: ignore[attr-defined]  # either of the two
    return match and (match.group(), [group or "" for group in match.groups()])


@settings(deadline=None)  # the first character class of Unicode's looks at every character there is
@given(EXPRESSIONS, FLAGS, st.lists(TEXTS, min_size=1, max_size=4))
def test_what_re2_takes_is_taken_and_finds_the_same(text: str, flags: str, subjects: list[str]) -> None:
    for subject in subjects:
        if r"\B" in text and not subject.isascii():
            continue  # RE2 looks at bytes: within a character, too, there is no edge of a word
        expected, got = both(text, flags, subject)
        assert got == expected, (text, flags, subject, translated(text, flags) if got != "no expression" else None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(?!x)", r"invalid perl operator: \(\?!"),
        ("a**", r"bad repetition operator: \*\*"),
        (r"\Z", r"invalid escape sequence: \\Z"),
        ("a{1001}", r"invalid repetition size: \{1001\}"),
        ("(", r"missing \): \("),
        ("a)", r"unexpected \)"),
        ("[a", r"missing \]: \[a"),
        ("*", r"no argument for repetition operator: \*"),
        ("[z-a]", "invalid character class range: z-a"),
        (r"\p{Greek}", "invalid or unknown character class"),
        ("a\\", r"trailing \\"),
        ("(" * 200, "more than 100 parentheses"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(re.error, match=why):
        translated(text)
