"""What services are called in the network of their job."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookci.engine.networks import host_names
from hookci.errors import HookciError
from hookci.model.container import Image, Service

_SHA = "a" * 64


def _service(image: str, *aliases: str) -> Service:
    return Service(image=Image(name=image), aliases=aliases)


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("redis", ("redis",)),
        ("docker:dind", ("docker",)),
        (f"postgres:16@sha256:{_SHA}", ("postgres",)),
        ("org/name:1", ("org__name", "org-name")),
        ("example.com/org/name", ("example.com__org__name", "example.com-org-name")),
        ("example.com:5000/name:1", ("example.com__name", "example.com-name")),
        ("localhost:5000/a/b@sha256:" + _SHA, ("localhost__a__b", "localhost-a-b")),
        ("job:image", ("image",)),
        ("job:an image", ()),
    ],
)
def test_names_are_made_from_the_images_as_on_a_gitlab_runner(image: str, names: tuple[str, ...]) -> None:
    (found,) = host_names([_service(image)])

    assert found == names


def test_aliases_come_first_and_the_names_of_the_image_stay() -> None:
    (found,) = host_names([_service("postgres:16", "db", "pg")])

    assert found == ("db", "pg", "postgres")


def test_a_name_made_from_an_image_leads_to_the_first_that_has_it() -> None:
    found = host_names([_service("postgres:15", "old"), _service("postgres:16", "new")])

    assert found == [("old", "postgres"), ("new",)]


def test_an_alias_beats_a_name_made_from_an_image() -> None:
    found = host_names([_service("redis:7"), _service("valkey:8", "redis")])

    assert found == [(), ("redis", "valkey")]


@pytest.mark.parametrize("alias", ["", "my db", "db:5432", "-db", "db-", "a..b", "a" * 64, "db\n", "dß", "a/b"])
def test_an_alias_that_is_no_host_name_is_an_error_with_the_service(alias: str) -> None:
    with pytest.raises(HookciError, match=f"service `postgres:16`: the alias `{re.escape(alias)}` is no host name"):
        host_names([_service("postgres:16", alias)])


@given(st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,5})?", fullmatch=True), min_size=1))
def test_every_host_name_can_be_an_alias(aliases: list[str]) -> None:
    (found,) = host_names([_service("postgres:16", *aliases)])

    assert set(found) == {*aliases, "postgres"}
