"""The JSON Schema of ``hookci.toml``, from which editors complete and explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from hookci.config.schema import Document

if TYPE_CHECKING:
    from pydantic_core import core_schema

__all__ = ["json_schema"]


def json_schema() -> dict[str, object]:
    """The structure of ``hookci.toml`` as JSON Schema, draft 2020-12.

    It says which keys there are, their types and their words.  What they mean together (names that
    exist, cycles, durations) only `hookci.config.load.parse` can tell.
    """
    schema = Document.model_json_schema(schema_generator=_Generator)
    return {"$schema": _Generator.schema_dialect, "title": "hookci.toml", **schema}


class _Generator(GenerateJsonSchema):
    """Pydantic's, without what TOML has no word for (null) and what tells a person nothing (made-up titles)."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        default = schema.get("default")
        if isinstance(default, str | bool | int):
            return super().default_schema(schema)
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        return _untitled(super().model_schema(schema))

    def enum_schema(self, schema: core_schema.EnumSchema) -> dict[str, Any]:
        return _untitled(super().enum_schema(schema))


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}
