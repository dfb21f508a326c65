"""The tables of a job, and of what jobs have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from hookci.config.schema_base import Codes, Duration, Matrix, Table, Texts, Variables, by_form, one_or_more, short_for
from hookci.config.schema_container import BuildTable, ImageTable, ServiceTable
from hookci.config.schema_scan import ScannerName, ScanTable
from hookci.model.pipeline import CachePolicy, RetryOn, When
from hookci.model.snapshot import HookName

__all__ = ["AllowFailureTable", "CacheTable", "JobTable", "NeedTable", "RuleTable", "Settings"]

JobWhen = Literal[When.ON_SUCCESS, When.ON_FAILURE, When.ALWAYS, When.MANUAL]
RuleWhen = Literal[When.ON_SUCCESS, When.ON_FAILURE, When.ALWAYS, When.MANUAL, When.NEVER]
KeepWhen = Literal[When.ON_SUCCESS, When.ON_FAILURE, When.ALWAYS]
Policy = Annotated[CachePolicy, Field(strict=False)]
Ending = Annotated[RetryOn, Field(strict=False)]
Hook = Annotated[HookName, Field(strict=False)]


class CacheKeyTable(Table):
    """What a cache is stored under, when it depends on files."""

    files: Texts = Field(default=[], description="Globs; the cache is another one when the content of these files is.")
    prefix: str = Field(default="default", description="Text before the digest of the files; may hold $VARIABLES.")


CacheKey = Annotated[CacheKeyTable, short_for(str, "prefix", "text or a table", str | CacheKeyTable)]


class CacheTable(Table):
    """Files that a job hands to its own next run."""

    key: CacheKey = Field(
        default=CacheKeyTable(), description="What the cache is stored under: text, or files it depends on."
    )
    paths: Texts = Field(description="Paths or globs below the repository's root.")
    policy: Policy = Field(default=CachePolicy.PULL_PUSH, description="Restore the cache, store it, or both.")
    when: KeepWhen = Field(default=When.ON_SUCCESS, description="After which outcome of the job it is stored.")


class ArtifactsTable(Table):
    """Files that a job hands to the jobs that come after it."""

    paths: Texts = Field(description="Globs below the repository's root.")
    exclude: Texts = Field(default=[], description="Globs of what is left out.")
    when: KeepWhen = Field(default=When.ON_SUCCESS, description="After which outcome of the job they are kept.")


class RetryTable(Table):
    """How often, and after what, a job is tried again."""

    max: Annotated[int, Field(ge=0, le=10)] = Field(description="How many further attempts there are.")
    when: Annotated[list[Ending], one_or_more(str, "text or a list of texts", Ending | list[Ending])] = Field(
        default=[RetryOn.ALWAYS], description="The kinds of ending it is tried again after."
    )
    exit_codes: Codes | None = Field(default=None, description="The exit statuses it is tried again after.")


class AllowFailureTable(Table):
    """Which failures do not make the pipeline red."""

    exit_codes: Codes = Field(description="The exit statuses that do not.")


AllowFailure = Annotated[
    Annotated[bool, Tag("<bool>")] | Annotated[AllowFailureTable, Tag("<table>")],
    by_form({bool: "<bool>", dict: "<table>"}, "true, false or a table"),
]


class NeedTable(Table):
    """A job that must be over before this one starts."""

    job: str = Field(description="Its name; the name of a matrix means all its cells.")
    artifacts: bool = Field(default=True, description="Whether its artifacts come along.")
    optional: bool = Field(default=False, description="Whether it may be missing from a run.")


Need = Annotated[NeedTable, short_for(str, "job", "the name of a job or a table", str | NeedTable)]


class RuleTable(Table):
    """One rule: all its conditions must hold; the first rule that holds decides."""

    hook: Annotated[list[Hook], one_or_more(str, "text or a list of texts", Hook | list[Hook])] | None = Field(
        default=None, description="The git hooks it is for."
    )
    branch: Texts | None = Field(default=None, description="Globs or /regexes/ of branch names.")
    tag: Texts | None = Field(default=None, description="Globs or /regexes/ of tag names.")
    if_: str | None = Field(
        default=None, alias="if", description='A condition on variables, such as $CI_COMMIT_BRANCH == "main".'
    )
    changes: Texts | None = Field(default=None, description="Globs; holds when a path that changed matches one.")
    exists: Texts | None = Field(default=None, description="Globs; holds when a path of the snapshot matches one.")
    when: RuleWhen | None = Field(default=None, description="When the job runs if this rule decides.")
    allow_failure: AllowFailure | None = Field(default=None, description="Overrides the job's allow_failure.")
    variables: Variables | None = Field(default=None, description="Variables added to the job's.")


class ReportsTable(Table):
    """Files a job writes that hookci reads."""

    junit: Texts | None = Field(default=None, description="Globs of test reports in JUnit's XML.")


_Cache = Annotated[list[CacheTable], one_or_more(dict, "a table or a list of tables", CacheTable | list[CacheTable])]
_Artifacts = Annotated[
    ArtifactsTable, short_for(list, "paths", "a table or a list of texts", ArtifactsTable | list[str])
]
_Retry = Annotated[
    RetryTable, short_for(int, "max", "a whole number or a table", Annotated[int, Field(ge=0, le=10)] | RetryTable)
]
_Image = Annotated[ImageTable, short_for(str, "name", "text or a table", str | ImageTable)]
_Service = Annotated[ServiceTable, short_for(str, "image", "text or a table", str | ServiceTable)]
_Build = Annotated[BuildTable, short_for(str, "context", "text or a table", str | BuildTable)]
_Scan = Annotated[ScanTable, short_for(str, "tool", "the name of a scanner or a table", ScannerName | ScanTable)]


class Settings(Table):
    """What a job says, and `defaults` can say for all jobs."""

    before_script: Texts | None = Field(default=None, description="Commands that run before the script, in its shell.")
    after_script: Texts | None = Field(
        default=None, description="Commands that run after the script in a shell of their own, whatever its outcome."
    )
    shell: Literal["bash", "sh"] | None = Field(default=None, description="The shell; default: chosen by itself.")
    variables: Variables | None = Field(default=None, description="Environment variables.")
    pass_env: Texts | None = Field(
        default=None, description="Names or globs of variables that come from the user's environment."
    )
    secrets: Texts | None = Field(default=None, description="As pass_env, but their values are masked in all output.")
    timeout: Duration | None = Field(
        default=None, description="How long a job may take; default: 1h.", examples=["15m", "1h 30m"]
    )
    retry: _Retry | None = Field(default=None, description="How often a job is tried again; default: never.")
    cache: _Cache | None = Field(default=None, description="Files a job hands to its own next run.")
    artifacts: _Artifacts | None = Field(default=None, description="Files a job hands to the jobs after it.")
    carry: Texts | None = Field(
        default=None, description="Untracked files of the user's work tree that the job may see; part of its inputs."
    )
    allow_failure: AllowFailure | None = Field(default=None, description="Whether a failure leaves the pipeline green.")
    tools: Texts | None = Field(
        default=None,
        description="Programs the result depends on; default: every program that a word of the script names.",
    )
    memory: bool | None = Field(
        default=None, description="Whether a pass is remembered, so that the job does not run again; default: true."
    )
    max_age: Duration | None = Field(
        default=None, description="How long a pass is remembered; default: for ever.", examples=["1 day", "12h"]
    )
    weight: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="How many cores it keeps busy, so that fewer jobs run beside it; default: 1."
    )
    image: _Image | None = Field(
        default=None, description='The container image to run in; "local", the default: none but this machine.'
    )
    services: list[_Service] | None = Field(default=None, description="Containers beside the job's own.")


class JobTable(Settings):
    """Commands with variables, inputs and a deadline."""

    stage: str | None = Field(
        default=None, description="The stage it belongs to; default: test, for a scanner security where there is one."
    )
    script: Texts | None = Field(default=None, description="The commands; the first that fails ends the job.")
    needs: list[Need] | None = Field(
        default=None, description="The jobs it waits for, instead of all jobs of the stages before."
    )
    rules: list[RuleTable] | None = Field(
        default=None, description="What decides whether it is in a run; the first rule that holds."
    )
    when: JobWhen | None = Field(default=None, description="When it runs; default: on_success.")
    inputs: Texts | None = Field(
        default=None, description="Globs of what its result depends on; default: the whole tree."
    )
    resource_group: str | None = Field(default=None, description="Jobs of one group never run at the same time.")
    matrix: Matrix | None = Field(default=None, description="Tables of variables; one job for every combination.")
    reports: ReportsTable | None = Field(default=None, description="Files it writes that hookci reads.")
    scan: _Scan | None = Field(
        default=None, description="A security scanner to run instead of a script, or a report that the script writes."
    )
    build: _Build | None = Field(
        default=None, description="An image that it builds; its script, if it has one, then runs in that."
    )
