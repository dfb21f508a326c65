"""Places in a file: the columns of Python's parser, which are bytes, in characters."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from hookci.scan.bandit.places import Source

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="'\\\\{}"), max_size=4)
CALLS = st.lists(WORDS, min_size=1, max_size=4)


@given(CALLS, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["", "\ufeff"]))
def test_the_source_between_two_places_is_what_stands_there(words: list[str], end: str, mark: str) -> None:
    text = f"x = 1{end}f({f',{end}  '.join(repr_of(word) for word in words)}); é = {repr_of(words[0])}{end}"
    source = Source((mark + text).encode())

    for node in ast.walk(ast.parse(mark.encode() + text.encode())):
        if isinstance(node, ast.expr):
            expected = ast.get_source_segment(text.replace("\r\n", "\n").replace("\r", "\n"), node)
            assert source.between(node, node) == expected
            line, column = node.lineno, source.column(node.lineno, node.col_offset)
            assert expected is not None
            assert source.lines[line - 1][column - 1 :].startswith(expected.partition("\n")[0])


def repr_of(word: str) -> str:
    """A literal with the characters of ``word`` as they are."""
    return f"'{word}'"
