"""The format of ``hookci.toml``: every key, its type, and the words that editors show for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hookci.config.schema_base import Duration, Table, Texts, Variables, one_or_more
from hookci.config.schema_job import JobTable, Settings
from hookci.config.schema_scan import SuppressionTable

__all__ = ["DEFAULT_STAGES", "Document", "EnvironmentTable", "HealthTable", "Hooks"]

DEFAULT_STAGES = ("build", "test", "security", "integration", "deploy")

Occasion = Literal["red", "deployed", "rolled-back", "stuck", "approval"]


class Hooks(Table):
    """Which stages or jobs each git hook asks for; a stage wins over a job, ``job:NAME`` means the job."""

    pre_commit: Texts | None = Field(default=None, alias="pre-commit", description="On a commit; default: nothing.")
    pre_merge_commit: Texts | None = Field(
        default=None, alias="pre-merge-commit", description="On a merge commit; default: what pre-commit asks for."
    )
    pre_push: Texts | None = Field(
        default=None, alias="pre-push", description="On a push; default: all stages but deploy."
    )
    post_merge: Texts | None = Field(default=None, alias="post-merge", description="After a merge; default: nothing.")
    post_commit: Texts | None = Field(
        default=None, alias="post-commit", description="After a commit; default: nothing."
    )
    post_rewrite: Texts | None = Field(
        default=None, alias="post-rewrite", description="After a rebase or an amended commit; default: nothing."
    )


class HealthTable(Table):
    """One check that a deployment is healthy: an address that answers, or a command that succeeds."""

    url: str | None = Field(default=None, description="An address that must answer.")
    command: str | None = Field(default=None, description="A command that must succeed.")
    expect: str | None = Field(default=None, description="Text that the answer must hold; may hold $VARIABLES.")
    within: Duration | None = Field(default=None, description="How long it may take to become healthy.")
    stable: Duration | None = Field(default=None, description="How long it must then stay healthy.")


_Health = Annotated[
    list[HealthTable], one_or_more(dict, "a table or a list of tables", HealthTable | list[HealthTable])
]


_Suppressions = list[SuppressionTable]


class EnvironmentTable(Table):
    """A place to deploy to."""

    branch: Texts | None = Field(default=None, description="Globs or /regexes/ of the branches deployed from.")
    deploy: Literal["on-merge", "manual"] | None = Field(
        default=None, description="Whether a merge deploys by itself, or a person does."
    )
    after: str | None = Field(default=None, description="The environment that must have verified a release first.")
    approval: bool = Field(default=False, description="Whether a person must approve every deployment.")
    script: Texts | None = Field(default=None, description="The commands that deploy.")
    health: _Health | None = Field(default=None, description="The checks that tell whether a deployment is healthy.")
    rollback: Texts | None = Field(
        default=None, description="The commands that go back; default: the script of the last good release."
    )
    variables: Variables | None = Field(default=None, description="Environment variables of its commands.")
    secrets: Texts | None = Field(
        default=None, description="Names or globs of the user's variables it may see, masked in all output."
    )
    keep: Annotated[int, Field(ge=1)] | None = Field(default=None, description="How many good releases are kept.")
    url: str | None = Field(default=None, description="Where people find it.")
    needs: Texts | None = Field(default=None, description="Jobs that must be green before a deployment.")
    trust: bool | None = Field(
        default=None, description="Whether a change of what a deployment executes must be trusted by a person first."
    )
    background: bool | None = Field(default=None, description="Whether a merge returns before the deployment is over.")


class NotifyTable(Table):
    """Messages to people who do not watch the terminal."""

    urls: Texts | None = Field(default=None, description="Where to send to; may hold $VARIABLES.")
    on: Annotated[list[Occasion], one_or_more(str, "text or a list of texts", Occasion | list[Occasion])] | None = (
        Field(default=None, description="The occasions.")
    )


class Document(Table):
    """The pipeline of a repository: what hookci does when git commits, pushes and merges."""

    requires: str | None = Field(
        default=None, description="The versions of hookci that can read this file.", examples=[">=0.3"]
    )
    pipeline: str | None = Field(
        default=None, description="Reserved: another file that holds the pipeline.", examples=[".gitlab-ci.yml"]
    )
    stages: list[str] = Field(
        default=list(DEFAULT_STAGES),
        description="The stages, in their order; a stage starts when those before it are green.",
    )
    defaults: Settings = Field(default=Settings(), description="What every job starts from.")
    variables: Variables = Field(default={}, description="Environment variables of all jobs.")
    jobs: dict[str, JobTable] = Field(default={}, description="The jobs, by name.")
    hooks: Hooks = Field(default=Hooks(), description="Which stages or jobs each git hook asks for.")
    suppressions: _Suppressions = Field(default=[], description="Findings of security scans that pass until a day.")
    environments: dict[str, EnvironmentTable] = Field(default={}, description="The places to deploy to, by name.")
    notify: NotifyTable = Field(default=NotifyTable(), description="Who is told, and about what.")
