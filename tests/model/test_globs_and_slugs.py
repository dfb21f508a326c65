"""Patterns and names in the form that GitLab gives them."""

from __future__ import annotations

import pytest

from hookci.model.globs import exact_matcher, ruby_matcher
from hookci.model.slugs import environment_slug, slug


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("docs/**", "docs/a", True),
        ("docs/**", "docs/a/b", False),
        ("docs/**/*", "docs/a", True),
        ("docs/**/*", "docs/a/b", True),
        ("**/*.md", "a.md", True),
        ("**/*.md", "x/.y/a.md", True),
        ("**/**/x", "a/x", True),
        ("*.md", "x/a.md", False),
        ("*", ".hidden", True),
        ("a/{b,c}/*.{rb,py}", "a/c/x.py", True),
        ("a{b,{c,d}}", "ad", True),
        ("{a", "{a", True),
        ("docs", "docs/a", False),
        ("[ab].c", "a.c", True),
        ("[!ab].c", "a.c", False),
        ("[^ab].c", "c.c", True),
        ("[z-a]", "z", False),
        ("a[", "a[", True),
        ("a.c", "abc", False),
        ("a?c", "a/c", False),
        ("a?c", "abc", True),
        (r"\*", "*", True),
        (r"\*", "x", False),
        ("a**/x", "ab/x", True),
        ("a**/x", "ab/c/x", False),
    ],
)
def test_a_pattern_matches_what_rubys_fnmatch_would(pattern: str, path: str, *, matches: bool) -> None:
    assert ruby_matcher(pattern)(path) is matches


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Feature/Über_1", "feature--ber-1"), ("-a-", "a"), ("x" * 80, "x" * 63), ("main", "main")],
)
def test_a_slug_can_be_a_part_of_a_hosts_name(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("name", "begins"),
    [("review/main", "review-main-"), ("1x", "env-1x-"), ("a--b", "a-b-"), ("x" * 30, "x" * 17 + "-")],
)
def test_the_slug_of_an_environment_is_short_and_its_own(name: str, begins: str) -> None:
    made = environment_slug(name)

    assert environment_slug("staging") == "staging"
    assert made.startswith(begins)
    assert len(made) <= 24
    assert made != environment_slug(f"{name}!")


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("d", ["d"]),
        ("./d/", ["d"]),
        ("d/*", ["d/1", "d/e"]),
        ("d/**/*", ["d/1", "d/e", "d/e/2"]),
        ("**/2", ["d/e/2"]),
        ("{d,x}/1", ["d/1"]),
    ],
)
def test_an_exact_pattern_means_nothing_below_what_it_matches(pattern: str, matched: list[str]) -> None:
    assert [path for path in ("d", "d/1", "d/e", "d/e/2") if exact_matcher(pattern)(path)] == matched
