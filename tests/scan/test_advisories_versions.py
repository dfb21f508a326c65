"""Which versions an advisory is about."""

from __future__ import annotations

import pytest
from advisory_samples import advisory
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from semver import Version as SemVersion

from hookci.scan.advisories.advisory import NPM, PYPI, Event
from hookci.scan.advisories.versions import affects, newest_unaffected, untold

FIXED: tuple[Event, ...] = (("introduced", "2.2"), ("fixed", "2.2.24"))
REOPENED: tuple[Event, ...] = (
    ("introduced", "2.2"), ("fixed", "2.2.24"), ("introduced", "3.0"), ("fixed", "3.1.12"),
)  # fmt: skip
_numbers = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
_versions = st.builds("{}{}".format, _numbers, st.sampled_from(["", "", "", "rc1", ".post1", "+cu1"]))
_bounds = st.builds("{}{}".format, _numbers, st.sampled_from(["", "", "rc1", ".post1"]))
_semvers = st.builds("{}.{}.{}{}".format, *[st.integers(0, 3)] * 3, st.sampled_from(["", "", "-rc.1", "+b7"]))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.1", False), ("2.2", True), ("2.2.0", True), ("2.2.23", True), ("2.2.24", False), ("2.2.24rc1", True),
        ("2.3", False), ("3.0", True), ("3.1.11", True), ("3.1.12", False), ("4.0", False), ("v2.2.1", True),
    ],
)  # fmt: skip
def test_a_version_is_affected_from_an_introduced_to_the_next_fixed(version: str, expected: bool) -> None:
    assert affects(advisory(*REOPENED), version) is expected
    assert affects(advisory(*reversed(REOPENED)), version) is expected


def test_the_last_affected_version_is_affected_and_the_next_is_not() -> None:
    found = advisory(("introduced", "0"), ("last_affected", "1.4"))

    assert [affects(found, version) for version in ("0.0.dev1", "1.4", "1.4.0", "1.4.1")] == [True, True, True, False]


def test_a_listed_version_is_meant_however_it_is_written() -> None:
    found = advisory(versions=("2.2", "3.0RC1", "nonsense"))

    assert [affects(found, version) for version in ("2.2.0", "2.2", "3.0.rc1", "2.2.1")] == [True, True, True, False]


def test_a_fix_and_a_new_beginning_at_one_version_count_as_they_are_listed() -> None:
    again = advisory(("introduced", "1"), ("fixed", "2"), ("introduced", "2"), ("fixed", "3"))
    nothing = advisory(("introduced", "2"), ("fixed", "2"))

    assert affects(again, "2.0")
    assert not affects(nothing, "2.0")


@pytest.mark.parametrize("version", ["2.2.1+cu118", "2.2.23+local.1"])
def test_a_local_version_is_a_build_of_the_public_one(version: str) -> None:
    assert affects(advisory(*FIXED), version)
    assert affects(advisory(versions=("2.2.1", "2.2.23")), version)
    assert not affects(advisory(("introduced", "0"), ("fixed", "2.2.1")), version)


def test_a_fix_that_is_a_local_version_is_found_in_that_build_only() -> None:
    found = advisory(("introduced", "0"), ("fixed", "1.0+patched.2"))

    assert [affects(found, version) for version in ("1.0", "1.0+patched.1", "1.0+patched.2")] == [True, True, False]


@pytest.mark.parametrize(
    ("events", "version"),
    [
        ((("introduced", "1"), ("fixed", "nonsense")), "9"),
        ((("introduced", "1"), ("last_affected", "nonsense"), ("fixed", "3")), "2"),
        ((("introduced", "nonsense"), ("fixed", "3")), "0.1"),
        ((("introduced", "0"), ("fixed", "1"), ("introduced", "nonsense"), ("fixed", "3")), "2"),
        ((("fixed", "3"),), "2"),
    ],
)
def test_what_cannot_be_read_in_an_advisory_counts_against_the_version(events: tuple[Event, ...], version: str) -> None:
    assert affects(advisory(*events), version)


@pytest.mark.parametrize("ecosystem", [PYPI, NPM])
def test_a_version_that_is_none_is_an_error_and_not_unaffected(ecosystem: str) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        affects(advisory(("introduced", "0"), ecosystem=ecosystem), "nonsense")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.9.9", False), ("2.0.0-alpha.1", False), ("2.0.0", True), ("2.0.10", True), ("2.1.0-rc.1", True),
        ("2.1.0", False), ("2.1.0+build", False),
    ],
)  # fmt: skip
def test_packages_of_npm_are_compared_by_semantic_versioning(version: str, expected: bool) -> None:
    found = advisory(("introduced", "2.0.0"), ("fixed", "2.1.0"), ecosystem=NPM)

    assert affects(found, version) is expected


def test_the_start_is_before_every_version_of_npm_too() -> None:
    assert affects(advisory(("introduced", "0"), ecosystem=NPM), "0.0.0-alpha")


@given(_bounds, _bounds, _versions)
def test_nothing_before_the_beginning_and_nothing_from_the_fix_on_is_affected(begin: str, fix: str, asked: str) -> None:
    found = affects(advisory(("introduced", begin), ("fixed", fix)), asked)

    public = Version(Version(asked).public)
    assert not (found and begin != "0" and public < Version(begin))
    assert not (found and Version(begin) < Version(fix) <= public)
    assert found or not Version(begin) <= public < Version(fix)


@given(_semvers, st.sampled_from(["introduced", "fixed", "last_affected"]), _semvers)
def test_a_bound_of_npm_divides_the_versions_in_two(bound: str, kind: str, asked: str) -> None:
    found = affects(advisory((kind, bound), ecosystem=NPM), asked)

    order = SemVersion.parse(asked).compare(bound)
    assert found is {"introduced": order >= 0, "fixed": order < 0, "last_affected": order <= 0}[kind]


@given(st.lists(_versions, max_size=6), _versions, _versions, _versions)
def test_leaving_out_what_the_ranges_tell_changes_no_answer(
    listed: list[str], begin: str, fix: str, asked: str
) -> None:
    events: tuple[Event, ...] = (("introduced", begin), ("fixed", fix))

    rest = untold(PYPI, (events,), listed)

    assert affects(advisory(*events, versions=tuple(rest)), asked) is affects(
        advisory(*events, versions=tuple(listed)), asked
    )
    assert rest <= set(listed)


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("", True), (">=2.2", True), ("~=2.2.0", True), ("==2.2.*", True), ("<2.2", True), ("<3", True),
        (">=2.2,<2.2.20", False), ("<2.2.20", False), ("~=2.2.0,<2.2.24", False), ("==2.2.1", False),
        ("==2.2.24", True),
        (">=2.2,!=2.2.24,<2.3", True), (">2.2.5,<2.2.10", False), ("===2.2.1", False), ("<=2.2.1,>2.2", False),
    ],
)  # fmt: skip
def test_a_specifier_may_admit_a_version_that_is_free_of_an_advisory(specifier: str, expected: bool) -> None:
    assert newest_unaffected(advisory(*FIXED), specifier) is expected


@pytest.mark.parametrize("specifier", ["", ">=1", "<5", "==1.2", "!=1.0"])
def test_no_specifier_admits_anything_else_when_every_version_is_affected(specifier: str) -> None:
    assert not newest_unaffected(advisory(("introduced", "0")), specifier)


def test_an_advisory_that_lists_versions_leaves_the_newest_free_where_nothing_bounds_it() -> None:
    found = advisory(versions=("1.0", "1.1"))

    assert newest_unaffected(found, ">=1.0")
    assert not newest_unaffected(found, "==1.0")


def test_after_the_last_affected_version_there_may_be_another() -> None:
    found = advisory(("introduced", "0"), ("last_affected", "1.2.5"))

    assert newest_unaffected(found, "==1.2.*")
    assert not newest_unaffected(found, "<=1.2.5")


def test_a_pre_release_is_no_way_out_unless_the_specifier_names_one() -> None:
    found = advisory(("introduced", "0"), ("fixed", "5.0rc1"))

    assert not newest_unaffected(found, ">=4,<5")
    assert newest_unaffected(found, ">=5.0rc1,<5.1")
    assert newest_unaffected(found, ">=4,<=5.0")


@pytest.mark.parametrize(("ecosystem", "specifier"), [(PYPI, "^1.0"), (PYPI, "===nonsense"), (NPM, ">=1.0")])
def test_a_specifier_of_another_kind_is_an_error(ecosystem: str, specifier: str) -> None:
    with pytest.raises(ValueError, match=r"\^1\.0|nonsense|npm"):
        newest_unaffected(advisory(("introduced", "0"), ecosystem=ecosystem), specifier)


@given(st.lists(st.tuples(_versions, _versions), max_size=3), st.lists(_versions, max_size=3), _versions)
def test_a_pinned_specifier_and_its_version_agree(
    ranges: list[tuple[str, str]], listed: list[str], pinned: str
) -> None:
    bounds: list[tuple[Event, ...]] = [(("introduced", begin), ("fixed", fix)) for begin, fix in ranges]
    found = advisory(ranges=tuple(bounds), versions=tuple(listed))

    assert newest_unaffected(found, f"=={pinned}") is not affects(found, pinned)


@given(_numbers, _numbers, _numbers)
def test_the_newest_version_below_an_inclusive_bound_is_the_bound(begin: str, fix: str, bound: str) -> None:
    found = advisory(("introduced", begin), ("fixed", fix))

    assert newest_unaffected(found, f"<={bound}") is not affects(found, bound)
