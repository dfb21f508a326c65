"""The JSON Schema that editors get and the parser's structural layer say yes to the same documents."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.validators import create

from hookci.config.jsonschema import json_schema
from hookci.config.pipeline import read_pipeline
from hookci.config.schema import Hooks
from hookci.config.structure import read_structure
from hookci.errors import ConfigError
from hookci.model.duration import parse_duration
from hookci.model.environment import Approval, Check, Environment
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA: dict[str, Any] = json_schema()
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]
TELLING = {"$schema", "$defs", "title", "description", "default", "examples"}


def _is_whole(_checker: TypeChecker, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON has one kind of number, so that 1.0 is an integer there; TOML has two, and its editors tell them apart.
TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole)


def _type(validator: Any, types: Any, instance: Any, schema: Any) -> Any:  # noqa: ANN401 (a keyword of jsonschema's)
    """TOML's dates, which its editors hold against the schema as text."""
    if not (schema.get("format") == "date" and type(instance) is dt.date):
        yield from Draft202012Validator.VALIDATORS["type"](validator, types, instance, schema)


KEYWORDS = {**Draft202012Validator.VALIDATORS, "type": _type}
Toml = create(Draft202012Validator.META_SCHEMA, KEYWORDS, type_checker=TYPES)
VALIDATOR = Toml(SCHEMA)

texts = st.sampled_from(["", "unit", "on_success", "15m", "a b", "*.py"]) | st.text(max_size=4)
whole = st.integers(-(2**63) + 1, 2**63 - 1)
scalars = texts | st.integers(-3, 300) | whole | st.floats() | st.booleans() | st.just(dt.date(2024, 1, 1))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)


@st.composite
def tables(draw: st.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if not properties:
        size = schema.get("minProperties", 0)
        return draw(st.dictionaries(texts, fitting(schema["additionalProperties"]), min_size=size, max_size=size + 1))
    assert schema["additionalProperties"] is False
    chosen = draw(st.lists(st.sampled_from(sorted(properties)), max_size=4, unique=True))
    keys = dict.fromkeys([*schema.get("required", []), *chosen])
    return {key: draw(fitting(properties[key])) for key in keys}


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Documents that fit a schema made of the few keywords ours has; any other keyword is a mistake of this test."""
    rules = {key: value for key, value in schema.items() if key not in TELLING}
    if "$ref" in rules:
        name = rules.pop("$ref").removeprefix("#/$defs/")
        found = st.deferred(lambda: fitting(DEFINITIONS[name]))
    elif forms := rules.pop("anyOf", None) or rules.pop("oneOf", None):
        found = st.one_of([fitting(form) for form in forms])
    else:
        found, known = OF_TYPE[rules.pop("type")](rules)
        assert rules.keys() <= known, f"no documents for {schema}"
        return found
    assert not rules, f"no documents for {schema}"
    return found


def _lists(rules: dict[str, Any]) -> st.SearchStrategy[Any]:
    size = rules.get("minItems", 0)
    return st.lists(fitting(rules["items"]), min_size=size, max_size=size + 1)


def _strings(rules: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "format" in rules:
        assert rules["format"] == "date"
        return texts | st.dates() | st.dates().map(str)
    words = rules.get("enum", [rules["const"]] if "const" in rules else None)
    return texts if words is None else st.sampled_from(words)


OF_TYPE: dict[str, Callable[[dict[str, Any]], tuple[st.SearchStrategy[Any], set[str]]]] = {
    "object": lambda rules: (tables(rules), {"properties", "required", "additionalProperties", "minProperties"}),
    "array": lambda rules: (_lists(rules), {"items", "minItems"}),
    "string": lambda rules: (_strings(rules), {"enum", "const", "format"}),
    "integer": lambda rules: (
        st.integers(rules.get("minimum", -(2**40)), rules.get("maximum", 2**40)),
        {"minimum", "maximum"},
    ),
    "number": lambda _: (st.floats(), set()),
    "boolean": lambda _: (st.booleans(), set()),
}

documents = fitting(SCHEMA)


def _places(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 (any TOML value)
    """Every table or list in a document with each of its keys or indexes."""
    steps = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, step) for step in steps] + [place for step in steps for place in _places(value[step])]


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """A document that fits, in which one value was replaced, renamed or removed, or a key was added."""
    document: dict[str, Any] = draw(documents)
    places = _places(document)
    tables_there = [document] + [holder[step] for holder, step in places if isinstance(holder[step], dict)]
    change = draw(st.sampled_from(["add", "replace", "rename", "remove"] if places else ["add"]))
    if change == "add":
        table = draw(st.sampled_from(tables_there))
        table[draw(st.sampled_from(["script", "jobs", "paths", "x", "if", "if_", "pre_push", "<table>"]))] = draw(
            values
        )
        return document
    holder, step = draw(st.sampled_from(places))
    old = holder[step]
    if change == "replace":
        holder[step] = draw(values)
        return document
    del holder[step]
    if change == "rename" and isinstance(holder, dict):
        holder[f"{step}s"] = old
    return document


def test_the_schema_is_itself_valid_and_plain_json() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in SCHEMA


def test_every_key_of_every_table_is_described() -> None:
    described = [SCHEMA, *(table for table in DEFINITIONS.values() if "properties" in table)]

    silent = [
        key
        for table in described
        for key, schema in table["properties"].items()
        if not schema.get("description", "").endswith(".")
    ]

    assert silent == []
    assert all(table["description"].endswith((".", "``.")) for table in described)


@pytest.mark.parametrize(
    ("table", "key", "seconds"),
    [
        ("HealthTable", "within", Check().within),
        ("HealthTable", "interval", Check().interval),
        ("HealthTable", "timeout", Check().timeout),
        ("ApprovalTable", "expires", Approval().expires),
        ("EnvironmentTable", "timeout", Environment(name="x").timeout),
    ],
)
def test_the_default_that_a_description_names_is_the_one_there_is(table: str, key: str, seconds: float) -> None:
    described = DEFINITIONS[table]["properties"][key]["description"]

    assert parse_duration(described.partition("default: ")[2].rstrip(".")) == seconds


def test_toml_has_no_null_and_neither_has_the_schema() -> None:
    assert '"null"' not in json.dumps(SCHEMA)
    assert ": null" not in json.dumps(SCHEMA)


def test_every_hook_that_hookci_installs_can_be_configured() -> None:
    keys = {field.alias for field in Hooks.model_fields.values()}

    assert keys == {hook.value for hook in HookName}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents)
def test_the_parser_takes_what_the_schema_describes(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document)
    assert read_structure(document).problems == ()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=mutants())
def test_the_parser_refuses_what_the_schema_refuses_and_nothing_else(document: dict[str, Any]) -> None:
    refused = read_structure(document).problems != ()

    assert refused == (not VALIDATOR.is_valid(document))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents | mutants())
def test_every_document_is_a_pipeline_or_a_list_of_problems_on_one_line_each(document: dict[str, Any]) -> None:
    try:
        pipeline = read_pipeline("hookci.toml", document)
    except ConfigError as error:
        shown = [f"{problem.path}: {problem.message}" for problem in error.problems]
        assert shown
        assert all(line.isprintable() for line in shown)
        assert len(set(shown)) == len(shown)
    else:
        assert list(pipeline.jobs) == [job.name for job in pipeline.jobs.values()]


@pytest.mark.parametrize(
    "document",
    [
        {"jobs": {"a": {"script": 3}}},
        {"jobs": {"a": {"scrpt": "x"}}},
        {"jobs": {"a": {"when": "never"}}},
        {"jobs": {"a": {"retry": 11}}},
        {"jobs": {"a": {"retry": 1.0}}},
        {"jobs": {"a": {"needs": [{"artifacts": True}]}}},
        {"jobs": {"a": {"matrix": []}}},
        {"jobs": {"a": {"allow_failure": {"exit_codes": [0]}}}},
        {"jobs": {"a": {"rules": [{"if_": "$A"}]}}},
        {"hooks": {"pre_push": "test"}},
        {"stages": "test"},
        {"environments": {"staging": {"script": "x", "keep": 0}}},
        {"environments": {"staging": {"script": "x", "secrets": {"A": "file"}}}},
        {"notify": {"on": "green"}},
        {"notify": {"urls": "$A", "on": "yellow"}},
        {"jobs": {"a": {"scan": "bandt"}}},
        {"jobs": {"a": {"scan": {"tool": "bandit", "severity": "grave"}}}},
        {"suppressions": [{"rule": "B602", "path": "a.py", "expires": "2027-01-31"}]},
        {
            "suppressions": [
                {"rule": "B602", "path": "a.py", "reason": "x", "expires": dt.datetime.fromtimestamp(0, dt.UTC)}
            ]
        },
    ],
)
def test_both_refuse(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)
    assert len(read_structure(document).problems) == 1
