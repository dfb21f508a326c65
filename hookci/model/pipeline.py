"""What a snapshot's config defines: stages, jobs, and the rules that choose among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.environment import Environment
    from hookci.model.expression import Expression
    from hookci.model.notification import Notify
    from hookci.model.scan import Scan, Suppression

__all__ = [
    "AllowFailure",
    "Artifacts",
    "Cache",
    "CachePolicy",
    "Job",
    "Need",
    "Pipeline",
    "Retry",
    "RetryOn",
    "Rule",
    "When",
]


class When(StrEnum):
    """When a job runs, relative to the outcome of what comes before it."""

    ON_SUCCESS = "on_success"
    ON_FAILURE = "on_failure"
    ALWAYS = "always"
    MANUAL = "manual"
    NEVER = "never"


class CachePolicy(StrEnum):
    """Whether a job restores a cache, stores it, or both."""

    PULL_PUSH = "pull-push"
    PULL = "pull"
    PUSH = "push"


class RetryOn(StrEnum):
    """What kind of ending a job is tried again after."""

    ALWAYS = "always"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class AllowFailure:
    """Whether a failure may be overlooked; with ``exit_codes``, only one with such a status."""

    allowed: bool = False
    exit_codes: tuple[int, ...] = ()

    def permits(self, exit_code: int | None) -> bool:
        """Whether a job that ended with ``exit_code`` (None: none was reached) is overlooked."""
        if self.exit_codes:
            return exit_code in self.exit_codes
        return self.allowed


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a job is tried again (``max`` further attempts), and after what."""

    max: int = 0
    when: tuple[RetryOn, ...] = (RetryOn.ALWAYS,)
    exit_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of ``rules``: all its conditions must hold; the first rule that holds decides.

    Empty conditions hold.  ``branch`` and ``tag`` are globs (``release/*``) or ``/regexes/``;
    ``changes`` are globs over changed paths, ``exists`` over the paths of the tree.
    """

    hook: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    condition: Expression | None = None
    changes: tuple[str, ...] = ()
    exists: tuple[str, ...] = ()
    when: When | None = None
    allow_failure: AllowFailure | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Need:
    """A job that must be over before this one starts, and whether its artifacts come along."""

    job: str
    artifacts: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Cache:
    """Files a job hands to its own next run.

    The key is ``key`` (text, may hold ``$VARIABLES``) followed by a digest of ``key_files``
    (globs over the snapshot); ``paths`` are literal paths or globs below the workspace.
    """

    paths: tuple[str, ...]
    key: str = "default"
    key_files: tuple[str, ...] = ()
    policy: CachePolicy = CachePolicy.PULL_PUSH
    when: When = When.ON_SUCCESS


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Files a job hands to the jobs that come after it; globs below the workspace."""

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    when: When = When.ON_SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Commands with variables, inputs and a deadline: the smallest thing scheduled and reported.

    ``name`` is unique (``unit: [1, py]`` for one cell of a matrix), ``group`` is the name it was
    written under.  ``needs`` is None when the order of the stages decides.  ``timeout`` is in
    seconds.  A pass is remembered if ``memory``, for ``max_age`` seconds (None: for ever); ``tools`` are the
    programs it depends on, None for every program that a word of the script names.  ``unsupported``
    names what this version cannot do yet but the config asks for.  A job with a ``scan`` looks for security
    findings: without a script, unless the scan reads the report that the script writes.
    """

    name: str
    group: str
    stage: str
    script: tuple[str, ...] = ()
    before_script: tuple[str, ...] = ()
    after_script: tuple[str, ...] = ()
    shell: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    needs: tuple[Need, ...] | None = None
    rules: tuple[Rule, ...] | None = None
    when: When = When.ON_SUCCESS
    allow_failure: AllowFailure = AllowFailure()
    retry: Retry = Retry()
    timeout: float = 3600.0
    cache: tuple[Cache, ...] = ()
    artifacts: Artifacts = Artifacts()
    inputs: tuple[str, ...] | None = None
    carry: tuple[str, ...] = ()
    resource_group: str | None = None
    junit: tuple[str, ...] = ()
    tools: tuple[str, ...] | None = None
    memory: bool = True
    max_age: float | None = None
    unsupported: str | None = None
    scan: Scan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The stages and jobs that one snapshot's config defines.

    ``jobs`` keeps the order of the file, matrix cells expanded.  ``hooks`` holds what ``[hooks]``
    says, by hook name; a hook that is not there asks for its default (see `hookci.plan`).
    ``suppressions`` are those of the file, expired ones too; the scan of each job has them all.
    ``environments`` are the places to deploy to, by name and in the order of the file, ``notify`` says who is told
    (None: nobody).
    """

    source: str
    stages: tuple[str, ...]
    jobs: Mapping[str, Job]
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    environments: Mapping[str, Environment] = field(default_factory=dict)
    notify: Notify | None = None
