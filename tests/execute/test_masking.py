"""Secrets in lines, in pieces of lines, and in forms that are not quite theirs."""

from __future__ import annotations

import base64
import io
import itertools
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookci.execute.masking import MASK, Masker
from hookci.execute.output import Output
from hookci.model.text import clean, plain

if TYPE_CHECKING:
    from hookci.model.event import JobOutput


@pytest.mark.parametrize(
    ("secrets", "line", "masked"),
    [
        (["hunter22"], "a hunter22 b hunter22", f"a {MASK} b {MASK}"),
        (["hunter22"], "hunter2 unter22", "hunter2 unter22"),
        (["hunter22", "22secret"], "x hunter22secret y", f"x {MASK} y"),
        (["ab", "abcdef"], "abcdef abc", f"{MASK} {MASK}c"),
        (["x y&z"], "x%20y%26z x+y%26z", f"{MASK} {MASK}"),
        (['quo"te\\d'], 'say quo\\"te\\\\d', f"say {MASK}"),
        (["hunter22"], "hun\x1b[31mter22\x1b[0m", MASK),
        (["hunter22"], "\x1b[31mhunter22\x1b[0m", f"\x1b[31m{MASK}\x1b[0m"),
        (["one\n{\ntwo-two\n}\n"], "{ one } two-two", f"{{ {MASK} }} {MASK}"),
        (["one-one\r\ntwo-two"], "one-one two-two", f"{MASK} {MASK}"),
        (["  padded value\n"], "padded value", MASK),
        (["ü-secret"], "ü-secret %C3%BC-secret", f"{MASK} {MASK}"),
        (["MASKED"], "the MASKED one", f"the {MASK} one"),
        ([""], "nothing", "nothing"),
        ([" "], "a b", "a b"),
        ([], "\x1b[1mbold\x1b[0m", "\x1b[1mbold\x1b[0m"),
    ],
)
def test_a_line_is_shown_without_its_secrets(secrets: list[str], line: str, masked: str) -> None:
    assert Masker(secrets).mask(line) == masked


secret_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs")), min_size=6, max_size=40
)


@settings(max_examples=150, deadline=None)
@given(
    secret=secret_texts.filter(lambda text: len(text.strip()) >= 6),
    before=st.binary(max_size=4),
    after=st.binary(max_size=4),
)
def test_a_secret_is_not_readable_in_what_encodes_it_with_other_things(
    secret: str, before: bytes, after: bytes
) -> None:
    masker = Masker([secret])
    raw = secret.encode()

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        masked = masker.mask(encode(before + raw + after).decode())
        assert MASK in masked
        assert len(masked.replace(MASK, "")) <= 2 * 4 + (len(before) + len(after)) * 4 / 3 + 1
    for form in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        assert form not in masker.mask(f"x={form}&y")


@pytest.mark.parametrize("columns", [64, 76])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_long_secret_is_masked_in_base64_that_is_broken_into_lines(columns: int, end: str) -> None:
    secret = "".join(chr(33 + number % 90) for number in range(380))
    encoded = base64.b64encode((secret + end).encode()).decode()
    masker = Masker([secret])

    lines = [masker.mask(encoded[start : start + columns]) for start in range(0, len(encoded), columns)]

    assert lines == [MASK] * len(lines)


def _fed(pieces: list[bytes], secrets: list[str]) -> tuple[str, list[str], list[str]]:
    """What is stored, what is told, and what is shown of unfinished lines, when output comes in such pieces."""
    log, told, partial = io.BytesIO(), list[str](), list[str]()

    def tell(event: JobOutput) -> None:
        (partial if event.partial else told).extend(event.lines)

    output = Output("a", log, Masker(secrets), tell)
    for piece in pieces:
        output.feed(piece)
        output.feed(b"")
    output.finish()
    return log.getvalue().decode(), told, partial


def _cut(data: bytes, places: set[int]) -> list[bytes]:
    edges = [0, *sorted(place for place in places if 0 < place < len(data)), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


words = st.lists(
    st.sampled_from(["s3cret-value", "s3cret", "-value", "\n", "\r", " ", "ü", "\x1b[31m", "other!text"]), max_size=12
)


@settings(max_examples=300, deadline=None)
@given(parts=words, places=st.sets(st.integers(0, 120), max_size=8))
def test_secrets_are_masked_wherever_the_output_is_cut(parts: list[str], places: set[int]) -> None:
    secrets = ["s3cret-value", "other!text"]
    data = "".join(parts).encode()

    log, told, partial = _fed(_cut(data, places), secrets)
    whole = _fed([data], secrets)

    assert (log, told) == whole[:2]
    assert log.splitlines() == told
    for line in (*told, *partial):
        assert not any(secret in plain(line) for secret in secrets)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300), places=st.sets(st.integers(0, 300), max_size=6))
def test_any_bytes_in_any_pieces_are_told_as_clean_lines(data: bytes, places: set[int]) -> None:
    log, told, _partial = _fed(_cut(data, places), [])

    assert told == [clean(line.decode(errors="replace")) for line in data.removesuffix(b"\n").split(b"\n") if data]
    assert log == "".join(f"{line}\n" for line in told)


def test_an_unfinished_line_is_shown_up_to_what_may_become_a_secret() -> None:
    _log, told, partial = _fed([b"password: s3c", b"ret-", b"value and", b" more\n"], ["s3cret-value"])

    assert partial == ["password: ", "password: ", f"password: {MASK} and"]
    assert told == [f"password: {MASK} and more"]


@pytest.mark.parametrize("before", [65_520, 65_525, 65_530, 65_535, 65_536, 65_540])
def test_a_line_that_is_too_long_is_not_broken_inside_of_a_secret(before: int) -> None:
    data = b"x" * before + b"s3cret-value" + "ü".encode() * 40_000 + b"\n"

    log, told, _partial = _fed([data[:65_537], data[65_537:]], ["s3cret-value"])

    assert "".join(told) == "x" * before + MASK + "ü" * 40_000
    assert len(told) == 2
    assert log.count("\N{REPLACEMENT CHARACTER}") == 0
