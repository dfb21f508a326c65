"""After a crash: what was going on, and the way to an end of it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hookci.deploy.engine import release_from
from hookci.deploy.journal import Step
from hookci.git.releases import make_release, releases
from hookci.model.release import DeploymentState
from hookci.proc.supervise import end_group

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hookci.deploy.engine import Engine
    from hookci.deploy.journal import Entry
    from hookci.model.release import Deployment

__all__ = ["Leftover", "recover"]

_POLL = 0.1


class Leftover(Struct, frozen=True):
    """What a killed deployment left: its journal, and the attempt as it was written down."""

    entry: Entry
    deployment: Deployment

    @property
    def words(self) -> str:
        """What a person has to know of it."""
        entry = self.entry
        doing = {
            Step.PREPARE: "before anything was touched",
            Step.SCRIPT: "in its script",
            Step.HEALTH: "in its health checks",
            Step.TAG: "after its health checks had held",
            Step.PUBLISH: "after it was tagged",
            Step.BACK_SCRIPT: f"while release {entry.previous} was put back",
            Step.BACK_HEALTH: f"while release {entry.previous}, put back, was checked",
        }[entry.step]
        return f"the deployment of {entry.commit[:8]} to {entry.environment} was interrupted {doing}"


def recover(engine: Engine, leftover: Leftover) -> Deployment:
    """Bring what is certain to its end; the lock of the environment is held, so its owner is dead.

    A script that still runs is waited for until its deadline, then ended: nothing may overlap it.  A release whose
    checks had held is tagged and published.  Anything else is written down as interrupted, and the journal stays
    until somebody deploys or goes back: what is live is not known before.
    """
    entry, deployment = leftover.entry, leftover.deployment
    _end_scripts(engine, entry)
    if entry.step in {Step.TAG, Step.PUBLISH}:
        known = {release.number: release for release in releases(engine.repository, entry.environment)}
        if entry.release not in known:
            make_release(engine.repository, release_from(entry, engine.desk.clock()))
        return engine.finish(replace(entry, step=Step.PUBLISH), deployment)
    interrupted = replace(deployment, state=DeploymentState.INTERRUPTED, reason=leftover.words)
    engine.desk.store.update(interrupted)
    if entry.step is Step.PREPARE:
        engine.journal.clear()
    return interrupted


def _end_scripts(engine: Engine, entry: Entry) -> None:
    files = [engine.desk.kept.attempt(number).script for number in (entry.deployment, -entry.deployment)]
    while (left := _scripts(files)) and engine.desk.clock() < entry.script_ends:
        if engine.desk.cancel.reason is not None:
            break
        time.sleep(_POLL)
    for pid in left:
        end_group(pid, _is_gone(pid))


def _scripts(files: list[Path]) -> list[int]:
    """The processes that run one of these scripts."""
    import psutil  # noqa: PLC0415 (only after a crash)

    wanted = {str(file) for file in files}
    running = psutil.process_iter(["pid", "cmdline"])
    return [process.info["pid"] for process in running if wanted & set(process.info["cmdline"] or ())]


def _is_gone(pid: int) -> Callable[[], object]:
    def gone() -> object:
        import psutil  # noqa: PLC0415 (as above)

        with contextlib.suppress(psutil.Error):
            return None if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else True
        return True

    return gone
