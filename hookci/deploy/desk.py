"""What a deployment works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hookci.deploy.kept import Attempt, Kept
    from hookci.execute.output import Output
    from hookci.model.environment import Environment
    from hookci.model.event import JobOutput
    from hookci.model.release import Kind, Release
    from hookci.model.snapshot import Snapshot
    from hookci.proc.supervise import Cancel
    from hookci.store.deployments import DeploymentStore
    from hookci.store.identity import ProcessIdentity
    from hookci.workspace.checkout import Source

__all__ = ["Candidate", "DeployDesk"]


class DeployDesk(Struct, frozen=True, kw_only=True):
    """One environment on one machine, as the engine needs it.

    ``state`` is where journals, locks and logs are, private; ``user`` the environment hookci was started in; ``by``
    the person, ``owner`` this process.  ``clock`` tells unix seconds.  ``cancel`` ends what goes forward,
    ``cancel_back`` what goes back.  ``tell`` gets the output of scripts, ``say`` what is worth a notice.
    """

    source: Source
    kept: Kept
    state: Path
    store: DeploymentStore
    user: Mapping[str, str]
    which: Callable[[str, str], str | None]
    clock: Callable[[], float]
    by: str
    owner: ProcessIdentity
    cancel: Cancel
    cancel_back: Cancel
    tell: Callable[[JobOutput], None]
    say: Callable[[str], None]


class Candidate(Struct, frozen=True, kw_only=True):
    """What is to be made live: a commit, with the environment as that very commit describes it.

    ``commands`` are those to run (the script, or those that go back).  ``artifacts`` says where to take the
    artifacts of each needed job from: puts them into the attempt, False when they are gone.  ``secrets`` are the
    values by name.  With ``start`` there are no commands: it starts the jobs that deploy, with what the attempt keeps,
    and tells why they failed (empty: they did not); it is given the number of the release, and what tells why it is to
    end.
    """

    environment: Environment
    snapshot: Snapshot
    kind: Kind
    commands: Sequence[str]
    config: str
    source: int | None = None
    run: int | None = None
    approver: str = ""
    irreversible: bool = False
    artifacts: Mapping[str, Callable[[object], bool]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    live: Release | None = None
    start: Callable[[Attempt, Output, int, Callable[[], str | None]], str] | None = None
