"""The story of a commit that is verified before it is pushed, while nobody waits for it.

What is run is what a push of the branch would run.  There is one such run for a repository, of the newest commit; who
comes to know of a newer one ends.  A push needs to know nothing of all this: it takes passes from the memory, and waits
for jobs that are being run, as any two runs do.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.errors import HookciError
from hookci.executing import RunOptions
from hookci.flow import Sent, judge_push
from hookci.git.destination import usual_update
from hookci.git.standing import resting_branch
from hookci.model.event import Notice, RunStarted
from hookci.model.result import Verdict
from hookci.model.status import BackgroundRun
from hookci.session import Session
from hookci.store.background import BackgroundState, Wanted
from hookci.store.identity import ProcessIdentity, identify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hookci.execute.schedule import Interrupts
    from hookci.git.repository import Repository
    from hookci.model.event import Event, Observer
    from hookci.model.result import RunResult
    from hookci.model.snapshot import RefUpdate
    from hookci.session import Machine

__all__ = ["Branch", "at_rest", "verify"]

_POLL = 0.1
_LOOKS = 20
_SUPERSEDED = "gave way to a newer commit"
_ENDINGS = {
    Verdict.GREEN: "is green",
    Verdict.RED: "is red",
    Verdict.NONE: "has no verdict",
    Verdict.INTERRUPTED: "was interrupted",
}


class Branch(Struct, frozen=True, kw_only=True):
    """A branch that has come to rest on a commit that is to be pushed."""

    session: Session
    update: RefUpdate
    remote: str
    wanted: Wanted


def at_rest(machine: Machine) -> Branch | None:
    """What is to be verified; None when this clone verifies nothing, or there is nothing to push.

    Raises:
        HookciError: the settings make no sense.
    """
    session = Session.open(machine)
    repository = session.repository
    branch = resting_branch(repository) if session.settings.background and _sequence_is_over(repository) else None
    if branch is None:
        return None
    # by the name of the branch: HEAD may be switched in between
    ref = f"refs/heads/{branch}"
    commit, tree = (repository.ask("rev-parse", "--verify", "-q", f"{ref}^{{{kind}}}") for kind in ("commit", "tree"))
    if commit is None or tree is None:
        return None
    update, remote = usual_update(repository, branch, commit)
    if update.remote_oid == commit:
        return None
    wanted = Wanted(token=os.urandom(16).hex(), commit=commit, tree=tree, branch=branch)
    return Branch(session=session, update=update, remote=remote, wanted=wanted)


def _sequence_is_over(repository: Repository) -> bool:
    """Whether no row of cherry-picks or reverts goes on, of which we may have been started by any but the last."""
    todo = repository.git_dir / "sequencer" / "todo"
    # git takes the last step off the list when the hook that started us is over
    for _ in range(_LOOKS):
        if not todo.exists():
            return True
        time.sleep(_POLL)
    return False


def verify(branch: Branch, tell: Observer, stop: Interrupts) -> Sequence[RunResult]:
    """Judge what a push of ``branch`` would send, once the run of an older commit has ended; nothing if a newer comes.

    It uses as many processors as the machine says there are, also where the settings allow for more jobs at once.

    Raises:
        HookciError: no verdict could be reached.
    """
    session, wanted = branch.session, branch.wanted
    state = BackgroundState(session.state)
    with _turn(state, wanted, stop) as ours:
        last = state.last()
        # several hooks may tell of one commit, as at the end of a row of cherry-picks
        if not ours or (last and last.is_green and (last.branch, last.commit) == (wanted.branch, wanted.commit)):
            return ()
        clock = datetime.fromtimestamp(session.machine.clock(), UTC).astimezone()
        tell(Notice(f"{clock.isoformat(sep=' ', timespec='seconds')}: {wanted.branch} is at {wanted.commit}"))
        diary = _Diary(state, session.machine, wanted, tell)
        try:
            with _until_superseded(state, wanted, stop):
                results = judge_push(session, _sent(branch), diary, stop)
        except HookciError as error:
            diary.end(error.message)
            raise
        worst = next((result for result in results if result.verdict is not Verdict.GREEN), None)
        ending = _ENDINGS[worst.verdict] if worst else _ENDINGS[Verdict.GREEN] if results else "is not judged"
        diary.end(stop.reason or ending, is_green=bool(results) and worst is None)
        return results


def _sent(branch: Branch) -> Sent:
    session = branch.session
    share = session.machine.processors
    options = RunOptions(parallel=min(session.settings.jobs or share, share))
    return Sent(updates=(branch.update,), remote=branch.remote, options=options, quietly=True)


@contextmanager
def _turn(state: BackgroundState, wanted: Wanted, stop: Interrupts) -> Iterator[bool]:
    """Be the only one, once whoever is at it has ended; False when somebody else sees to it."""
    turn = state.turn()
    ours = turn.try_acquire()
    before = state.wanted()
    if not ours and before is not None and before.is_same_as(wanted):
        yield False
        return
    state.want(wanted)
    while not ours and _is_newest(state, wanted) and stop.reason is None:
        time.sleep(_POLL)
        ours = turn.try_acquire()
    try:
        yield ours and _is_newest(state, wanted)
    finally:
        turn.release()


def _is_newest(state: BackgroundState, wanted: Wanted) -> bool:
    now = state.wanted()
    return now is None or now.token == wanted.token


@contextmanager
def _until_superseded(state: BackgroundState, wanted: Wanted, stop: Interrupts) -> Iterator[None]:
    """End the run once a commit with other files is to be verified; of equal ones there is nothing new to be run."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_POLL):
            now = state.wanted()
            if now is not None and now.tree != wanted.tree:
                stop.interrupt(_SUPERSEDED)
                return

    watcher = threading.Thread(target=watch, name="newer commits", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class _Diary:
    """An observer that keeps written down how the run goes."""

    def __init__(self, state: BackgroundState, machine: Machine, wanted: Wanted, tell: Observer) -> None:
        self._state = state
        self._owner = identify(machine.pid) or ProcessIdentity(machine.pid, "unknown")
        self._tell = tell
        self._run = BackgroundRun(branch=wanted.branch, commit=wanted.commit, began=machine.clock())
        state.record(self._run, self._owner)

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._write(replace(self._run, run=event.number))
        self._tell(event)

    def end(self, words: str, *, is_green: bool = False) -> None:
        """Write down how it ended."""
        self._write(replace(self._run, ending=words, is_green=is_green))

    def _write(self, run: BackgroundRun) -> None:
        self._run = run
        self._state.record(run, self._owner)
