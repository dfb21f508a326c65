"""The format of ``hookci.toml``: every key, its type, and the words that editors show for it."""

from __future__ import annotations

from pydantic import Field

from hookci.config.schema_base import Table, Texts, Variables
from hookci.config.schema_environment import EnvironmentTable, NotifyTable
from hookci.config.schema_job import JobTable, Settings
from hookci.config.schema_scan import SuppressionTable

__all__ = ["DEFAULT_STAGES", "Document", "Hooks"]

DEFAULT_STAGES = ("build", "test", "security", "integration", "deploy")


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


_Suppressions = list[SuppressionTable]
_Environments = dict[str, EnvironmentTable]


class Document(Table):
    """The pipeline of a repository: what hookci does when git commits, pushes and merges."""

    requires: str | None = Field(
        default=None, description="The versions of hookci that can read this file.", examples=[">=0.3"]
    )
    pipeline: str | None = Field(
        default=None,
        description="A GitLab pipeline to run, which this file adds to; there are no stages and jobs here then.",
        examples=[".gitlab-ci.yml"],
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
    environments: _Environments = Field(default={}, description="The places to deploy to, by name.")
    notify: NotifyTable | None = Field(default=None, description="Who is told, and about what.")
