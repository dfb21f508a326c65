"""Files found by pattern among many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hookci.model.files import Files
from hookci.model.globs import matcher

NAMES = ["a", "b", "ab", ".g", "é", "a b", "x-y", "a.b", ".gitattributes", "a+b", "{z", "A", "a\nb", "\udc80"]
SIGNS = ["*", "**", "?", "{a,b}", "[ab]", "@(a|b)", "!(a)", "..", ".", "", "a*", "*.b", "\\a", "{a,b}{b,}"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
PATTERNS = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "", "./"]),
    st.lists(st.sampled_from(NAMES + SIGNS), min_size=1, max_size=4),
    st.sampled_from(["", "", "/", "/**"]),
)


@given(paths=st.lists(PATHS, max_size=12), patterns=st.lists(PATTERNS, max_size=3))
def test_it_finds_what_a_look_at_every_path_would(paths: list[str], patterns: list[str]) -> None:
    files = Files({path: f"100644 {number}" for number, path in enumerate(paths)})
    tests = [matcher(pattern) for pattern in patterns]
    always = {".gitattributes", ".gitmodules"}

    found = files.named(tuple(patterns))

    assert found == {
        path: entry
        for path, entry in files.items()
        if path.rpartition("/")[2] in always or any(test(path) for test in tests)
    }
    assert list(found) == sorted(found)
