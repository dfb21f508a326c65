"""The tables of deployments: environments, their health checks, and who is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Tag

from hookci.config.schema_base import Duration, Table, Texts, Variables, by_form, expected, one_or_more
from hookci.model.environment import Check, Environment, Trigger
from hookci.model.notification import Occasion

__all__ = ["ApprovalTable", "EnvironmentTable", "HealthTable", "NotifyTable", "SecretTable"]

_DEFAULT = Environment(name="")
_CHECK = Check()
_Trigger = Annotated[Trigger, Field(strict=False)]
_Occasion = Annotated[Occasion, Field(strict=False)]


class HealthTable(Table):
    """One check that a deployment is healthy: an address or a port that answers, or a command that succeeds."""

    url: str | None = Field(
        default=None, description="An address that must answer.", examples=["http://127.0.0.1:8000/health"]
    )
    tcp: str | None = Field(
        default=None, description="A host and port that must take a connection.", examples=["127.0.0.1:5432"]
    )
    command: str | None = Field(default=None, description="A command that must succeed.")
    status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        default=None, description="The status of the answer; default: any from 200 to 299."
    )
    expect: str | None = Field(default=None, description="Text that the body of the answer must hold.")
    version: str | None = Field(
        default=None,
        description="What the whole body of the answer must be, but for space around it.",
        examples=["$HOOKCI_COMMIT"],
    )
    headers: Variables | None = Field(
        default=None, description="Headers that the answer must have, by name; the text that each must hold."
    )
    within: Duration | None = Field(
        default=None, description="How long it may take to become healthy; default: 60s.", examples=["2m"]
    )
    interval: Duration | None = Field(
        default=None, description="How long after a probe the next one begins; default: 1s."
    )
    timeout: Duration | None = Field(
        default=None, description="How long one probe may take, a command by default all of within; default: 5s."
    )
    successes: Annotated[int, Field(ge=1)] = Field(
        default=_CHECK.successes, description="How many probes in a row must succeed."
    )
    stable: Duration | None = Field(
        default=None, description="How long it must then stay healthy; default: it need not.", examples=["10s"]
    )


_Health = Annotated[
    list[HealthTable], one_or_more(dict, "a table or a list of tables", HealthTable | list[HealthTable])
]


class ApprovalTable(Table):
    """How a person approves of a deployment."""

    expires: Duration | None = Field(
        default=None, description="How long a request for approval stands; default: 7 days.", examples=["12h"]
    )
    not_author: bool = Field(
        default=False, description="Whether somebody else than the author of the commit must approve."
    )


_Approval = Annotated[
    Annotated[bool, Tag("<bool>")] | Annotated[ApprovalTable, Tag("<table>")],
    by_form({bool: "<bool>", dict: "<table>"}, "true, false or a table"),
]


class SecretTable(Table):
    """Where the value of a secret comes from, other than the person's environment; either of both."""

    file: str | None = Field(
        default=None,
        description="A file outside of the repository that holds it, absolute or below ~.",
        examples=["~/.config/shop/token"],
    )
    command: str | None = Field(default=None, description="A command that prints it.", examples=["pass show shop"])


def _as_source(value: object) -> object:
    """The environment is a source without a table."""
    if value == "env":
        return None
    if not isinstance(value, dict):
        raise expected('"env" or a table')
    return value


_Env = Annotated[str, Field(json_schema_extra={"enum": ["env"]})]
_Secret = Annotated[SecretTable | None, BeforeValidator(_as_source, json_schema_input_type=_Env | SecretTable)]
_Secrets = Annotated[
    Annotated[Texts, Tag("<list>")] | Annotated[dict[str, _Secret], Tag("<table>")],
    by_form({str: "<list>", list: "<list>", dict: "<table>"}, "text, a list of texts or a table"),
]


class EnvironmentTable(Table):
    """A place to deploy to."""

    branch: str = Field(default=_DEFAULT.branch, description="The branch whose commits are deployed.")
    deploy: _Trigger = Field(
        default=_DEFAULT.trigger, description="Whether a merge deploys by itself, or a person does."
    )
    after: str | None = Field(default=None, description="The environment that must have verified a release first.")
    approval: _Approval = Field(default=False, description="Whether a person must approve every deployment.")
    script: Texts | None = Field(
        default=None,
        description="The commands that deploy. Not needed where a job of .gitlab-ci.yml deploys to this environment.",
    )
    rollback: Texts | None = Field(
        default=None, description="The commands that go back; default: the script of the release that is gone back to."
    )
    shell: Literal["bash", "sh"] | None = Field(
        default=None, description="The shell of its commands; default: chosen by itself."
    )
    timeout: Duration | None = Field(
        default=None, description="How long the script may take; default: 30 minutes.", examples=["10m"]
    )
    health: _Health | None = Field(default=None, description="The checks that tell whether a deployment is healthy.")
    variables: Variables | None = Field(default=None, description="Environment variables of its commands.")
    pass_env: Texts | None = Field(
        default=None, description="Names or globs of variables that come from the user's environment."
    )
    secrets: _Secrets | None = Field(
        default=None,
        description="Variables that are masked in all output: names, or a table that says where each comes from.",
    )
    needs: Texts | None = Field(
        default=None,
        description="The jobs whose artifacts are deployed; default: those that build an image in every run.",
    )
    keep: Annotated[int, Field(ge=1)] = Field(
        default=_DEFAULT.keep, description="How many verified releases can be gone back to."
    )
    url: str | None = Field(default=None, description="Where people find it.", examples=["https://shop.example.com"])
    trust: Texts | None = Field(
        default=None,
        description="Globs of what a person must have seen first, besides the config and the scripts that it names.",
    )
    irreversible: Texts | None = Field(
        default=None,
        description="Globs; a release that changed one of these is not gone back from without a person.",
        examples=["migrations/**"],
    )
    background: bool = Field(
        default=_DEFAULT.background, description="Whether a merge returns before the deployment is over."
    )
    pushed: bool = Field(
        default=_DEFAULT.pushed, description="Whether only commits are deployed that are on the remote's branch."
    )
    signers: str | None = Field(
        default=None,
        description="A file of allowed signers, absolute or below ~; what none of them signed is not deployed.",
        examples=["~/.config/git/allowed_signers"],
    )


class NotifyTable(Table):
    """Messages to people who do not watch the terminal."""

    urls: Texts = Field(description="Where to send to; may hold $VARIABLES.", examples=["$SLACK_URL"])
    on: Annotated[list[_Occasion], one_or_more(str, "text or a list of texts", _Occasion | list[_Occasion])] | None = (
        Field(default=None, description="The occasions; default: all but green.")
    )
