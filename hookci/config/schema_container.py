"""The tables of containers: what a job runs in, what runs beside it, and the image that it builds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from hookci.config.schema_base import Duration, Table, Texts, Variables, by_form, one_or_more, short_for
from hookci.model.container import Pull

__all__ = ["BuildTable", "ImageTable", "ServiceTable"]

_Pull = Annotated[Pull, Field(strict=False)]
_Pulls = Annotated[list[_Pull], Field(min_length=1)]

# a program and its arguments: a list, or text that is split as a shell does it
_Words = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[str], Tag("<list>")],
    by_form({str: "<text>", list: "<list>"}, "text or a list of texts"),
]


class ServiceImageTable(Table):
    """The image a container is started from, and how."""

    name: str = Field(description='Its name, with a tag or digest, or "job:NAME" for what a job builds; $VARIABLES.')
    entrypoint: _Words | None = Field(default=None, description='In place of the image\'s own; "" for none.')
    pull: Annotated[_Pulls, one_or_more(str, "text or a list of texts", _Pull | _Pulls)] = Field(
        default=[Pull.IF_NOT_PRESENT],
        description="When it is fetched; of several the next is tried when one fails; default: if-not-present.",
    )
    user: str | None = Field(default=None, description="The user in the container.", examples=["1000:1000"])
    platform: str | None = Field(
        default=None, description="The platform of the image; default: the engine's.", examples=["linux/arm64"]
    )
    workdir: str | None = Field(default=None, description="Where commands start; default: the workspace.")
    memory: str | None = Field(
        default=None, description="How much memory there is; default: no limit.", examples=["512m", "2g"]
    )
    cpus: float | None = Field(default=None, description="How many processors there are; default: all.")


class ImageTable(ServiceImageTable):
    """The image that a job runs in, and how."""

    network: Literal["none"] | None = Field(default=None, description="No network at all.")


_ServiceImage = Annotated[ServiceImageTable, short_for(str, "name", "text or a table", str | ServiceImageTable)]


class ServiceHealthTable(Table):
    """What says that a service is ready."""

    command: _Words | None = Field(
        default=None, description="A command in its container that ends in 0 then; default: what the image says."
    )
    within: Duration = Field(default="1m", description="How long that may take.")


_Health = Annotated[ServiceHealthTable, short_for(str, "command", "a command or a table", str | ServiceHealthTable)]


class ServiceTable(Table):
    """A container beside the job's own."""

    image: _ServiceImage = Field(description="The image it is started from.")
    alias: Texts | None = Field(
        default=None, description="Host names under which the job reaches it; default: the image's name."
    )
    command: _Words | None = Field(default=None, description="What it runs, in place of the image's own.")
    entrypoint: _Words | None = Field(default=None, description="As that of the image.")
    variables: Variables | None = Field(default=None, description="Environment variables of the container.")
    health: _Health | None = Field(
        default=None,
        description="When it is ready; default: what the image says, and no error when that does not come true.",
    )
    privileged: bool | None = Field(
        default=None, description="Whether it asks for all privileges; `hookci.privileged` says whether it gets them."
    )


class BuildTable(Table):
    """An image that the job builds from the snapshot."""

    context: str = Field(default=".", description="The directory that is sent to the engine.")
    dockerfile: str = Field(default="Dockerfile", description="The recipe, below the context.")
    target: str | None = Field(default=None, description="The stage of the recipe to stop at; default: the last.")
    args: Variables = Field(default={}, description="Values of the recipe's ARG; may hold $VARIABLES.")
    tags: Texts = Field(default=[], description="Names that the image gets; may hold $VARIABLES.")
    pull: bool = Field(default=False, description="Whether images it starts from are fetched anew.")
