"""What has to go: what is too old, then the oldest while there is too much."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from kept import DAY

from hookci.housekeeping.choose import choose
from hookci.housekeeping.things import Thing
from hookci.model.housekeeping import Bounds, Kind

NOW = 1_000 * DAY


def thing(name: str, *, days: float, size: int = 10, kind: Kind = Kind.CACHE, needed: bool = False) -> Thing:
    return Thing(kind=kind, paths=(Path(name),), size=size, used=NOW - days * DAY, needed=needed)


ANY = st.builds(
    thing,
    st.uuids().map(str),
    days=st.floats(min_value=0, max_value=100),
    size=st.integers(min_value=0, max_value=1_000),
    kind=st.sampled_from(Kind),
    needed=st.booleans(),
)
BOUNDS = st.builds(
    Bounds, size=st.integers(min_value=0, max_value=5_000), age=st.floats(min_value=0, max_value=100 * DAY)
)


def names(chosen: list[Thing]) -> list[str]:
    return sorted(str(one.paths[0]) for one in chosen)


def test_what_was_not_used_for_too_long_goes_though_there_is_room() -> None:
    old, new = thing("old", days=31), thing("new", days=29)

    chosen = choose([new, old], Bounds(size=1_000, age=30 * DAY), NOW)

    assert chosen == [old]


def test_of_too_much_the_oldest_goes_first_and_of_one_day_the_largest() -> None:
    things = [thing("a", days=1, size=5), thing("b", days=9.1, size=1), thing("c", days=9.2, size=2)]

    assert [names(choose(things, Bounds(size=size, age=99 * DAY), NOW)) for size in (8, 7, 5, 4)] == [
        [],
        ["c"],
        ["b", "c"],
        ["a", "b", "c"],
    ]


def test_what_is_needed_stays_and_counts() -> None:
    needed, other = thing("needed", days=50, size=100, needed=True), thing("other", days=1, size=1)

    chosen = choose([needed, other], Bounds(size=100, age=30 * DAY), NOW)

    assert chosen == [other]


@given(st.lists(ANY), BOUNDS)
def test_what_stays_is_within_the_bounds_or_may_not_go(things: list[Thing], bounds: Bounds) -> None:
    chosen = choose(things, bounds, NOW)

    stay = [one for one in things if one not in chosen]
    free = [one for one in stay if not one.needed and NOW - one.used > DAY]
    assert not any(one.needed for one in chosen)
    assert not any(NOW - one.used > bounds.age for one in free)
    assert sum(one.size for one in stay) <= bounds.size or not sum(one.size for one in free)


@given(st.lists(ANY), BOUNDS)
def test_nothing_goes_twice_and_nothing_without_need(things: list[Thing], bounds: Bounds) -> None:
    chosen = choose(things, bounds, NOW)

    young = [one for one in chosen if NOW - one.used <= bounds.age]
    total = sum(one.size for one in things) - sum(one.size for one in chosen if one not in young)
    assert len(chosen) == len(set(map(id, chosen)))
    # without the last one that went there was still too much
    assert not young or total - sum(one.size for one in young[:-1]) > bounds.size
