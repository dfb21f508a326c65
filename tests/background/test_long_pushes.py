"""What a push says that takes long."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from guarded import guard

from hookci.cli.patience import saying_that_it_takes_long
from hookci.model.event import Event, Notice, RunStarted
from hookci.model.plan import Plan
from hookci.model.snapshot import Snapshot

if TYPE_CHECKING:
    from conftest import Repo

WORDS = "and git holds its connection open all the while"
PLAN = Plan(
    snapshot=Snapshot(tree="t", commit="c", source="ref", label="main", facts={}), hook="pre-push", stages=(), jobs={}
)


def takes(repo: Repo, seconds: float) -> None:
    """Have every run of the job so far have taken so long."""
    with closing(sqlite3.connect(repo.path / ".git/hookci/state.db")) as database, database:
        database.execute("UPDATE durations SET seconds = ?", (f"[{seconds}]",))


@pytest.mark.parametrize(("seconds", "says"), [(100.0, "note: this takes about 1m 40s, "), (20.0, "")])
def test_a_push_that_will_be_long_says_so_at_once_and_what_to_do_instead(repo: Repo, seconds: float, says: str) -> None:
    guard(repo)
    repo.hookci("run")
    takes(repo, seconds)
    repo.commit({"a": "x"})

    ran = repo.git("push", "origin", "main")

    assert ran.stderr.count(WORDS) == bool(says)
    assert says in ran.stderr
    assert not says or ran.stderr.index(says) < ran.stderr.index("unit        > started")


def test_not_so_when_hookci_pushes_or_runs(repo: Repo) -> None:
    guard(repo)
    repo.hookci("run")
    repo.commit({"a": "x"})
    takes(repo, 100.0)

    by_hand = repo.hookci("run")
    repo.commit({"a": "y"})
    pushed = repo.hookci("push", "origin", "main")

    assert WORDS not in by_hand.output + pushed.output


def test_one_of_which_nothing_is_known_says_so_once_when_it_has_been_long() -> None:
    told: list[Event] = []
    said = threading.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if isinstance(event, Notice):
            said.set()

    with saying_that_it_takes_long(tell, long=0.01) as telling:
        telling(RunStarted(1, PLAN))
        assert said.wait(60)
        telling(RunStarted(2, PLAN, {"unit": 1000.0}))

    notices = [event.text for event in told if isinstance(event, Notice)]
    assert [text[:26] for text in notices] == ["this takes longer than 0.0"]
    assert WORDS in notices[0]


def test_a_short_one_says_nothing() -> None:
    told: list[Event] = []

    with saying_that_it_takes_long(told.append) as telling:
        telling(RunStarted(1, PLAN))

    assert told == [RunStarted(1, PLAN)]
