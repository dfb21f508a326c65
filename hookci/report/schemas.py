"""The JSON Schemas of what hookci writes for programs, made from the classes that are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from hookci.report.documents import (
    DeployDocument,
    ErrorDocument,
    ExplainDocument,
    GcDocument,
    PlanDocument,
    ReleasesDocument,
    RunDocument,
    RunsDocument,
    ScanDocument,
    StatusDocument,
    WhyDocument,
)
from hookci.report.events import EventDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PUBLISHED", "published_schema"]

_ABOUT = (
    "One JSON document on the standard output. Text may hold bytes of git's that are no UTF-8: each stands as a lone "
    "surrogate, \\udc80 to \\udcff, as Python's surrogateescape has it. Times are RFC 3339, in UTC."
)
_ABOUT_EVENTS = _ABOUT.replace("One JSON document", "One line of JSON Lines")

PUBLISHED: Mapping[str, tuple[TypeAdapter[object], str]] = {
    "run": (TypeAdapter(RunDocument | ErrorDocument), _ABOUT),
    "scan": (TypeAdapter(ScanDocument | ErrorDocument), _ABOUT),
    "plan": (TypeAdapter(PlanDocument | ErrorDocument), _ABOUT),
    "why": (TypeAdapter(WhyDocument | ErrorDocument), _ABOUT),
    "explain": (TypeAdapter(ExplainDocument | ErrorDocument), _ABOUT),
    "status": (TypeAdapter(StatusDocument | ErrorDocument), _ABOUT),
    "runs": (TypeAdapter(RunsDocument | ErrorDocument), _ABOUT),
    "deploy": (TypeAdapter(DeployDocument | ErrorDocument), _ABOUT),
    "releases": (TypeAdapter(ReleasesDocument | ErrorDocument), _ABOUT),
    "gc": (TypeAdapter(GcDocument | ErrorDocument), _ABOUT),
    "events": (TypeAdapter(EventDocument), _ABOUT_EVENTS),
}


def published_schema(name: str) -> dict[str, object]:
    """What ``hookci NAME --json`` writes, draft 2020-12.

    ``events`` is what ``hookci run --events`` writes, ``why`` what ``hookci plan --why JOB --json`` does.
    """
    adapter, about = PUBLISHED[name]
    schema = adapter.json_schema(mode="serialization", schema_generator=_Generator)
    return {"$schema": _Generator.schema_dialect, "title": f"hookci/{name}", "description": about, **schema}


class _Generator(GenerateJsonSchema):
    """Pydantic's, without titles that only repeat a key."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False
