"""What a snapshot's config defines: stages, jobs, and the rules that choose among them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.container import Build, Image, Service
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
    "JobEnvironment",
    "Need",
    "Pipeline",
    "Retry",
    "RetryOn",
    "Rule",
    "Trigger",
    "When",
]


class When(StrEnum):
    """When a job runs, relative to the outcome of what comes before it."""

    ON_SUCCESS = "on_success"
    ON_FAILURE = "on_failure"
    ALWAYS = "always"
    MANUAL = "manual"
    DELAYED = "delayed"
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


class AllowFailure(Struct, frozen=True):
    """Whether a failure may be overlooked; with ``exit_codes``, only one with such a status."""

    allowed: bool = False
    exit_codes: tuple[int, ...] = ()

    def permits(self, exit_code: int | None) -> bool:
        """Whether a job that ended with ``exit_code`` (None: none was reached) is overlooked."""
        if self.exit_codes:
            return exit_code in self.exit_codes
        return self.allowed


class Retry(Struct, frozen=True):
    """How often a job is tried again (``max`` further attempts), and after what."""

    max: int = 0
    when: tuple[RetryOn, ...] = (RetryOn.ALWAYS,)
    exit_codes: tuple[int, ...] = ()


class Rule(Struct, frozen=True):
    """One line of ``rules``: all its conditions must hold; the first rule that holds decides.

    Empty conditions hold.  ``branch`` and ``tag`` are globs (``release/*``) or ``/regexes/``;
    ``changes`` are globs over changed paths (since ``compare_to``, a revision, if that is given), ``exists`` over the
    paths of the tree.  ``needs`` takes the place of the job's, ``start_in`` are the seconds a delayed job waits.
    One that is ``implied`` was not written as a rule.  ``ends_together`` takes the place of the pipeline's.
    What an ``undecided`` one asks for cannot be known here.
    """

    hook: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    condition: Expression | None = None
    changes: tuple[str, ...] = ()
    compare_to: str | None = None
    exists: tuple[str, ...] = ()
    when: When | None = None
    start_in: float | None = None
    allow_failure: AllowFailure | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Need, ...] | None = None
    implied: bool = False
    ends_together: bool | None = None
    undecided: bool = False


class Need(Struct, frozen=True):
    """A job that must be over before this one starts, and whether its artifacts come along."""

    job: str
    artifacts: bool = True
    optional: bool = False


class Cache(Struct, frozen=True):
    """Files a job hands to its own next run.

    The key is ``key`` (text, may hold ``$VARIABLES``) followed by a digest of ``key_files``
    (globs over the snapshot); ``paths`` are literal paths or globs below the workspace.  ``fallback_keys`` are tried in
    turn when nothing is stored under the key; ``untracked`` adds every file that git does not track.  ``policy_from``
    is a text with ``$VARIABLES`` that comes to the policy when the variables are known; it wins over ``policy``.
    ``outside`` are those of the paths that turn out to be none below the workspace then.
    """

    paths: tuple[str, ...]
    key: str = "default"
    key_files: tuple[str, ...] = ()
    policy: CachePolicy = CachePolicy.PULL_PUSH
    when: When = When.ON_SUCCESS
    fallback_keys: tuple[str, ...] = ()
    untracked: bool = False
    policy_from: str | None = None
    outside: tuple[str, ...] = ()


class Artifacts(Struct, frozen=True):
    """Files a job hands to the jobs that come after it; globs below the workspace.

    ``untracked`` adds every file that git does not track; ``dotenv`` are files of ``NAME=value`` lines that become
    variables of the later jobs.  With ``exact`` they are what a GitLab runner keeps: ``exclude`` leaves out what its
    globs match, not what is below that, and empty directories are kept.
    """

    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    when: When = When.ON_SUCCESS
    untracked: bool = False
    dotenv: tuple[str, ...] = ()
    exact: bool = False

    @property
    def any(self) -> bool:
        """Whether there is anything to hand on."""
        return bool(self.paths or self.untracked or self.dotenv)


class JobEnvironment(Struct, frozen=True, kw_only=True):
    """What a job deploys to, as ``environment`` in a GitLab file says it; texts may hold ``$VARIABLES``.

    Where no ``tier`` is said, the name tells it.
    """

    name: str
    url: str | None = None
    action: str = "start"
    on_stop: str | None = None
    tier: str | None = None


class Flaw(Struct, frozen=True):
    """One thing wrong in the files of a pipeline: where, and what; ``hint`` says what to write instead."""

    where: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"


class Trigger(Struct, frozen=True, kw_only=True):
    """A pipeline that a job starts; with ``depend`` the job ends as that pipeline does.

    With ``mirror`` it ends so even where ``depend`` alone knows better: one that waits or does nothing does, too.
    ``variables`` are those of its file that the job hands on, beside those that rules add to them (None: it hands on
    none of them; ``raw`` are those whose values stay as they are), with ``pipeline_variables`` also those that were
    given by hand or handed to its own pipeline.  ``flaws`` are why the pipeline, which is empty then, cannot be
    created.
    """

    pipeline: Pipeline
    flaws: tuple[Flaw, ...] = ()
    depend: bool = False
    mirror: bool = False
    variables: Mapping[str, str] | None = field(default_factory=dict)
    raw: frozenset[str] = frozenset()
    pipeline_variables: bool = False


class Job(Struct, frozen=True, kw_only=True):
    """Commands with variables, inputs and a deadline: the smallest thing scheduled and reported.

    ``name`` is unique (``unit: [1, py]`` for one cell of a matrix), ``group`` is the name it was
    written under.  ``needs`` is None when the order of the stages decides.  ``timeout`` is in
    seconds.  A pass is remembered if ``memory``, for ``max_age`` seconds (None: for ever); ``tools`` are the
    programs it depends on, None for every program that a word of the script names.  ``unsupported``
    names what this version cannot do yet but the config asks for.  A job with a ``scan`` looks for security
    findings: without a script, unless the scan reads the report that the script writes.  ``weight`` is how many cores
    it keeps busy.

    With an ``image`` the commands run in a container, ``services`` beside it; with a ``build`` the job builds an
    image first, and runs its commands in it unless ``image`` says where.  ``dependencies`` are the jobs whose
    artifacts come along (None: all of those before, or what ``needs`` says), ``start_in`` the seconds a delayed job
    waits, ``coverage`` a regular expression that finds a number in the output.  ``raw`` are the variables in whose
    values ``$NAME`` means nothing, ``own`` those that the variables of ``workflow`` do not change.  ``gitlab`` says
    that the job was written for GitLab, whose rules then hold where they differ from those of hookci.toml: a variable
    that is not set is empty, not left as it stands.
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
    weight: int = 1
    unsupported: str | None = None
    scan: Scan | None = None
    image: Image | None = None
    services: tuple[Service, ...] = ()
    build: Build | None = None
    dependencies: tuple[str, ...] | None = None
    start_in: float | None = None
    coverage: str | None = None
    environment: JobEnvironment | None = None
    trigger: Trigger | None = None
    before_checkout: tuple[str, ...] = ()
    raw: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    gitlab: bool = False

    @property
    def contained(self) -> bool:
        """Whether its commands run in a container."""
        return self.image is not None or self.build is not None


class Pipeline(Struct, frozen=True, kw_only=True):
    """The stages and jobs that one snapshot's config defines.

    ``jobs`` keeps the order of the file, matrix cells expanded.  ``hooks`` holds what ``[hooks]``
    says, by hook name; a hook that is not there asks for its default (see `hookci.plan`).
    ``suppressions`` are those of the file, expired ones too; the scan of each job has them all.
    ``environments`` are the places to deploy to, by name and in the order of the file, ``notify`` says who is told
    (None: nobody).  ``workflow`` are rules for the pipeline as a whole: it runs only if one holds (None: always);
    ``name`` is what it calls itself and may hold ``$VARIABLES``.  ``variables`` are those it gives to every job (they
    have them already) and to the rules of ``workflow``.  ``facts_read`` are the predefined variables that what is
    included depends on, None for those that are not set.  ``gitlab`` says that it was written for GitLab: a
    push then asks for every job, and a failure ends no job that does not wait for it, unless all jobs of the pipeline
    are to have ended with the first one that fails: ``ends_together``.
    """

    source: str
    stages: tuple[str, ...]
    jobs: Mapping[str, Job]
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    environments: Mapping[str, Environment] = field(default_factory=dict)
    notify: Notify | None = None
    workflow: tuple[Rule, ...] | None = None
    name: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    facts_read: Mapping[str, str | None] = field(default_factory=dict)
    gitlab: bool = False
    ends_together: bool = False

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """What is wrong in the files of the pipelines that its jobs start, and those of these."""
        triggers = (job.trigger for job in self.jobs.values() if job.trigger is not None)
        return tuple(dict.fromkeys(flaw for one in triggers for flaw in (*one.flaws, *one.pipeline.flaws)))
