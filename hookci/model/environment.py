"""A place to deploy to, as a config describes it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.container import Image, Service

__all__ = ["Approval", "Check", "DeployJob", "Environment", "SecretSource", "Trigger", "is_component"]

_NO_COMPONENT = pattern(r"^\.|\.\.|[\x00-\x20\x7f~^:?*\[\\/]|@\{|\.$|\.lock$|^$")


def is_component(text: str) -> bool:
    """Whether ``text`` can be one component of a ref (git-check-ref-format(1)), as in ``deploy/<environment>/<n>``."""
    return not _NO_COMPONENT.search(text)


class Trigger(StrEnum):
    """What begins a deployment."""

    ON_MERGE = "on-merge"
    MANUAL = "manual"


class Check(Struct, frozen=True, kw_only=True):
    """One health check; one of ``url``, ``tcp`` (``host:port``) and ``command`` is set.

    All texts may hold ``$VARIABLES``.  A url must answer with ``status`` (None: any of 200 to 299), hold the text
    ``expect`` in its body and every one of ``headers`` (by name, the text its value must hold); with ``version``
    its whole body, stripped, must be that text.  A probe may take ``timeout`` seconds, and another one begins
    ``interval`` seconds after it ended.  After ``successes`` in a row the check holds; it has ``within`` seconds for
    that, and must then go on to hold for ``stable`` seconds.
    """

    url: str = ""
    tcp: str = ""
    command: str = ""
    status: int | None = None
    expect: str = ""
    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    within: float = 60.0
    interval: float = 1.0
    timeout: float = 5.0
    successes: int = 1
    stable: float = 0.0

    @property
    def label(self) -> str:
        """How a person calls it."""
        return self.url or self.tcp or self.command


class Approval(Struct, frozen=True, kw_only=True):
    """That a person must agree to a deployment: how long a request stands (seconds), and who may not be that person."""

    expires: float = 7 * 86_400.0
    not_author: bool = False


class SecretSource(Struct, frozen=True, kw_only=True):
    """Where the value of the variable ``name`` comes from: the person's environment, a ``file`` or a ``command``.

    ``file`` is an absolute path or one below ``~``, outside of the repository.  Both empty means the environment.
    """

    name: str
    file: str = ""
    command: str = ""


class DeployJob(Struct, frozen=True, kw_only=True):
    """What a job executes that deploys: all its commands, in the order in which they run, and where."""

    name: str
    script: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    image: Image | None = None
    services: tuple[Service, ...] = ()


class Environment(Struct, frozen=True, kw_only=True):
    """A place to deploy to.

    With ``jobs`` those are started to deploy, as far as they are in the pipeline of the commit, and ``script`` is
    empty.

    ``branch`` is where commits come from.  ``after`` names the environment that must have verified a release first.
    ``rollback`` are the commands that go back (empty: the script of the older commit).  ``needs`` are jobs whose
    artifacts are deployed.  ``trust`` and ``irreversible`` are globs over the tree: what a person must have seen in
    addition to config and scripts, and what a release cannot take back once it has changed.  ``keep`` is how many
    verified releases can be returned to, ``timeout`` in seconds for the script, ``signers`` the path of a file of
    allowed signers outside of the repository (empty: any commit).  ``pushed`` asks that a commit is on the remote's
    branch.
    """

    name: str
    branch: str = "main"
    trigger: Trigger = Trigger.MANUAL
    after: str = ""
    approval: Approval | None = None
    script: tuple[str, ...] = ()
    jobs: tuple[DeployJob, ...] = ()
    rollback: tuple[str, ...] = ()
    shell: str | None = None
    health: tuple[Check, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    secrets: tuple[SecretSource, ...] = ()
    needs: tuple[str, ...] = ()
    keep: int = 5
    url: str = ""
    trust: tuple[str, ...] = ()
    irreversible: tuple[str, ...] = ()
    background: bool = False
    timeout: float = 1800.0
    pushed: bool = False
    signers: str = ""

    @property
    def commands(self) -> tuple[str, ...]:
        """All that is executed to deploy."""
        return (*self.script, *(command for job in self.jobs for command in job.script))
