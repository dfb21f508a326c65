"""What all tables of the format have in common, and the types their keys are made of.

A type that may be written in more than one way (``"make"`` or ``["make"]``) is turned into its longest form before it
is checked, so that a mistake is one problem at one place.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Codes",
    "Duration",
    "Matrix",
    "Table",
    "Texts",
    "Variables",
    "by_form",
    "expected",
    "one_or_more",
    "short_for",
]


class Table(BaseModel):
    """A table with a closed set of keys, whose values are what TOML says they are."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def expected(what: str) -> PydanticCustomError:
    """The problem of a value that is of none of the types a key takes."""
    return PydanticCustomError("expected", "{what}", {"what": what})


def one_or_more(kind: type, what: str, shape: object) -> BeforeValidator:
    """Takes a single ``kind``, or a list; a single one becomes a list.  ``shape`` is what editors are told."""

    def listed(value: object) -> object:
        if isinstance(value, kind) and not isinstance(value, bool):
            return [value]
        if not isinstance(value, list):
            raise expected(what)
        return value

    return BeforeValidator(listed, json_schema_input_type=shape)


def short_for(kind: type, key: str, what: str, shape: object) -> BeforeValidator:
    """Takes a table, or a ``kind`` that is short for a table with only ``key``.  ``shape`` is what editors are told."""

    def spelled_out(value: object) -> object:
        if isinstance(value, kind) and not isinstance(value, bool):
            return {key: value}
        if not isinstance(value, dict):
            raise expected(what)
        return value

    return BeforeValidator(spelled_out, json_schema_input_type=shape)


def by_form(tags: Mapping[type, str], what: str) -> Discriminator:
    """Tells the forms of a value, each a type with a tag, apart by what TOML has there.  Tags look like ``<table>``."""
    return Discriminator(lambda value: tags.get(type(value)), custom_error_type="expected", custom_error_message=what)


def _as_text(value: object) -> object:
    match value:
        case bool():
            return "true" if value else "false"
        case int() if abs(value) >= _BIGGEST:
            raise expected("a number of 64 bits")
        case str() | int() | float():
            return str(value)
        case _:
            raise expected("text or a number")


def _as_texts(value: object) -> object:
    if isinstance(value, dict | dt.date | dt.time):
        raise expected("text or a list of texts")
    return value if isinstance(value, list) else [value]


def _as_duration(value: object) -> object:
    if not isinstance(value, str):
        raise expected('a duration such as "15m" or "1h 30m"')
    return value


_BIGGEST = 2**63

Texts = Annotated[list[str], one_or_more(str, "text or a list of texts", str | list[str])]
Duration = Annotated[str, BeforeValidator(_as_duration, json_schema_input_type=str)]

_Scalar = str | int | float | bool
_Value = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=_Scalar)]
Variables = dict[str, _Value]

_Values = Annotated[list[_Value], Field(min_length=1)]
_Choices = Annotated[_Values, BeforeValidator(_as_texts, json_schema_input_type=_Scalar | _Values)]
Matrix = Annotated[list[Annotated[dict[str, _Choices], Field(min_length=1)]], Field(min_length=1)]

_Code = Annotated[int, Field(ge=1, le=255)]
_Codes = Annotated[list[_Code], Field(min_length=1)]
Codes = Annotated[_Codes, one_or_more(int, "an exit status or a list of them", _Code | _Codes)]
