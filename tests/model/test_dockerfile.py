"""What a Dockerfile starts from, told without building it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.model.dockerfile import bases


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("FROM python:3.12", ["python:3.12"]),
        ("from python:3.12\nrun x", ["python:3.12"]),
        ("# FROM a\n\n  FROM\tb  AS c  ", ["b"]),
        ("FROM a\r\nRUN x\r\nFROM b\r\n", ["a", "b"]),
        ("FROM scratch", []),
        ("FROM a AS Build\nFROM build\nFROM BUILD AS c", ["a"]),
        ("FROM a\nFROM a", ["a"]),
        ("FROM a\nCOPY --from=b:1 /x /y\nCOPY --chown=1 --from=0 /x /y", ["a", "b:1"]),
        ("FROM a AS one\nCOPY --from=one /x /y\nCOPY --from=$X /x /y", ["a"]),
        ("ARG BASE=a\nFROM $BASE", ["a"]),
        ('ARG V="1"\nARG BASE=a:${V}\nFROM ${BASE}', ["a:1"]),
        ("ARG V\nFROM a:${V:-2}", ["a:2"]),
        ("FROM a:${V:-2}", ["a:2"]),
        ("FROM $UNKNOWN", []),
        ("FROM a\nARG B=b\nFROM $B", ["a"]),
        ("FROM a\nRUN x \\\n  # FROM b\n  FROM c", ["a"]),
        ("FROM a\nRUN python <<EOF\nfrom b import c\nEOF\nFROM d", ["a", "d"]),
        ("FROM a\nRUN <<-'one' cat <<two\nFROM b\none\nFROM c\ntwo\nFROM d", ["a", "d"]),
        ("FROM a\nRUN cat <<<word\nFROM b", ["a", "b"]),
        ("FROM", []),
        ("", []),
    ],
)
def test_the_images_of_a_recipe(text: str, names: list[str]) -> None:
    assert bases(text, {}) == [(name, None) for name in names]


def test_arguments_win_over_the_defaults_of_the_recipe() -> None:
    assert bases("ARG BASE=a\nFROM $BASE", {"BASE": "b", "OTHER": "c"}) == [("b", None)]


def test_an_argument_that_the_recipe_does_not_declare_means_nothing() -> None:
    assert bases("FROM $BASE", {"BASE": "b"}) == []


@pytest.mark.parametrize(("flag", "platform"), [("linux/arm64", "linux/arm64"), ("$BUILDPLATFORM", None)])
def test_a_platform_comes_along_when_it_is_said(flag: str, platform: str | None) -> None:
    assert bases(f"FROM --platform={flag} a", {}) == [("a", platform)]


@pytest.mark.parametrize(("target", "names"), [("one", ["a"]), ("TWO", ["a", "b"]), ("none", ["a", "b", "c"])])
def test_what_comes_after_the_target_does_not_count(target: str, names: list[str]) -> None:
    text = "FROM a AS one\nFROM b AS two\nFROM c"

    assert bases(text, {}, target) == [(name, None) for name in names]


@given(st.text(alphabet="FROM from ARG=$ {}:-<\\\n#EOF'\"a1", max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for name, _platform in bases(text, {"A": "b"}):
        assert name
        assert "$" not in name
