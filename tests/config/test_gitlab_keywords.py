"""The lists of what becomes of every keyword, held against GitLab's own schema."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from hookci.config.gitlab.defaults import INHERITED
from hookci.config.gitlab.keywords import EXECUTED, REFUSED, WITHOUT_EFFECT, fate, has_special_below

SCHEMA: dict[str, Any] = json.loads(
    (resources.files("check_jsonschema.builtin_schemas.vendor") / "gitlab-ci.json").read_text()
)


def followed(schema: object) -> list[dict[str, Any]]:
    """A schema and all those it is made of."""
    if not isinstance(schema, dict):
        return []
    found = [schema]
    if "$ref" in schema:
        target: Any = SCHEMA
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found += followed(target)
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, ()):
            found += followed(part)
    return found


def keywords(schema: object, path: tuple[str, ...], found: set[tuple[str, ...]]) -> None:
    """Every key that the schema knows below ``path``; ``*`` for a name that the file chooses."""
    for part in followed(schema):
        for name, below in part.get("properties", {}).items():
            if name not in path:
                found.add((*path, name))
                keywords(below, (*path, name), found)
        free = [part.get("additionalProperties"), *part.get("patternProperties", {}).values()]
        for below in free:
            keywords(below, (*path, "*"), found)
        items = part.get("items", ())
        for below in items if isinstance(items, list) else [items]:
            keywords(below, path, found)


def known_to_gitlab() -> set[str]:
    """The keywords of the schema as our lists have them: those of a job, of ``default`` and of the top are one."""
    found: set[tuple[str, ...]] = set()
    keywords(SCHEMA, (), found)
    words = set()
    for path in found:
        start = 1 if path[0] in {"*", "default", "pages"} and len(path) > 1 else 0
        words.add(".".join(path[start:]).removesuffix(".!reference"))
    return words


KNOWN = known_to_gitlab()


def test_the_schema_was_understood() -> None:
    assert {"script", "rules.changes.compare_to", "artifacts.reports.junit", "variables.*.value", "stages"} <= KNOWN
    assert len(KNOWN) > 250


def test_every_keyword_of_gitlab_is_in_a_list() -> None:
    assert [keyword for keyword in sorted(KNOWN) if fate(keyword) == "unknown"] == []


def test_no_keyword_is_in_two_lists() -> None:
    lists = (set(EXECUTED), set(WITHOUT_EFFECT), set(REFUSED))

    assert len(set.union(*lists)) == sum(map(len, lists))


def test_nothing_below_a_keyword_without_effect_is_listed_again() -> None:
    for keyword in (*EXECUTED, *WITHOUT_EFFECT, *REFUSED):
        above = [keyword.rsplit(".", depth)[0] for depth in range(1, keyword.count(".") + 1)]
        assert not [word for word in above if word in WITHOUT_EFFECT or word in REFUSED]


def test_every_reason_is_a_sentence_and_says_no_more_than_needed() -> None:
    for text in (*WITHOUT_EFFECT.values(), *REFUSED.values()):
        assert text[:1].islower()
        assert not text.endswith(".")


def test_what_is_not_of_gitlab_is_unknown() -> None:
    assert fate("scrpt") == "unknown"
    assert fate("artifacts.pathes") == "unknown"


def test_what_is_below_a_keyword_is_like_it() -> None:
    assert fate("secrets.*.vault.engine") == "refused"
    assert fate("release.tag_name") == "without effect"
    assert fate("artifacts.paths") == "executed"


def test_it_is_known_where_to_look_for_what_is_not_simply_executed() -> None:
    assert has_special_below("artifacts")
    assert has_special_below("artifacts.reports")
    assert not has_special_below("script")


def test_all_that_default_may_hold_is_inherited() -> None:
    defaults = set(SCHEMA["properties"]["default"]["properties"]) - {"!reference"}

    assert defaults == set(INHERITED)


def test_hardly_anything_is_listed_that_the_schema_does_not_know() -> None:
    ours = {*EXECUTED, *WITHOUT_EFFECT, *REFUSED}

    # names of variables are the file's to choose; these speak to a runner
    to_runner = ("variables.GIT_", "variables.RUNNER_", "variables.AFTER_SCRIPT_")
    assert {word for word in ours - KNOWN if not word.startswith(to_runner)} == {
        "artifacts.reports.performance",  # its name before 14.0
        "rules.allow_failure.exit_codes",
        "rules.needs.parallel",
        "rules.needs.parallel.matrix",
    }
