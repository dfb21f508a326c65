"""``image`` and ``services`` of a ``.gitlab-ci.yml``."""

from __future__ import annotations

import pytest
from gitlab_samples import job, wrong

from hookci.model.container import Image, Pull, Service


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("python:3.12", Image(name="python:3.12")),
        ("$CI_REGISTRY_IMAGE/build:$TAG", Image(name="$CI_REGISTRY_IMAGE/build:$TAG")),
        ("{name: a}", Image(name="a")),
        ("{name: a, entrypoint: ['']}", Image(name="a", entrypoint=("",))),
        ("{name: a, entrypoint: [/bin/sh, -c]}", Image(name="a", entrypoint=("/bin/sh", "-c"))),
        ("{name: a, pull_policy: never}", Image(name="a", pull=(Pull.NEVER,))),
        ("{name: a, pull_policy: [always, if-not-present]}", Image(name="a", pull=(Pull.ALWAYS, Pull.IF_NOT_PRESENT))),
        (
            "{name: a, docker: {platform: arm64/v8, user: dave}}",
            Image(name="a", platform="arm64/v8", user="dave"),
        ),
        ("{name: a, docker: {user: 1000}}", Image(name="a", user="1000")),
    ],
)
def test_an_image(written: str, meaning: Image) -> None:
    assert job(f"image: {written}").image == meaning


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("docker:dind", Service(image=Image(name="docker:dind"))),
        ("{name: postgres:16, alias: db}", Service(image=Image(name="postgres:16"), aliases=("db",))),
        ("{name: a, alias: 'db,pg postgres'}", Service(image=Image(name="a"), aliases=("db", "pg", "postgres"))),
        ("{name: a, command: [serve, -v]}", Service(image=Image(name="a"), command=("serve", "-v"))),
        (
            "{name: a, entrypoint: [x], pull_policy: always}",
            Service(image=Image(name="a", entrypoint=("x",), pull=(Pull.ALWAYS,))),
        ),
        (
            "{name: a, variables: {A: 1, B: {value: $C, expand: true}}}",
            Service(image=Image(name="a"), variables={"A": "1", "B": "$C"}),
        ),
        ("{name: a, docker: {user: u}}", Service(image=Image(name="a", user="u"))),
    ],
)
def test_a_service(written: str, meaning: Service) -> None:
    assert job(f"services: [{written}]").services == (meaning,)


def test_services_are_in_their_order() -> None:
    assert [one.image.name for one in job("services: [a, {name: b}, c]").services] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("image: [a]", ".image: config should be a hash or a string, saw a list"),
        ("image: {entrypoint: [a]}", ".image.name: can't be blank"),
        ("image: {name: a, entrypoint: sh}", '.image.entrypoint: should be an array of strings, saw "sh"'),
        (
            "image: {name: a, pull_policy: allways}",
            (
                ".image.pull_policy: should be one of: always, if-not-present, never, "
                'saw "allways" (did you mean `always`?)'
            ),
        ),
        (
            "image: {name: a, docker: {usr: x}}",
            ".image.docker.usr: config contains unknown keys: usr (did you mean `user`?)",
        ),
        ("services: a", '.services: config should be an array, saw "a"'),
        ("services: [{alias: db}]", ".services[0].name: can't be blank"),
        (
            "services: [{name: a, alais: db}]",
            ".services[0].alais: config contains unknown keys: alais (did you mean `alias`?)",
        ),
        ("services: [{name: a, command: x -y}]", '.services[0].command: should be an array of strings, saw "x -y"'),
        ("services: [{name: a, entrypoint: x}]", '.services[0].entrypoint: should be an array of strings, saw "x"'),
        ("services: [3]", ".services[0]: config should be a hash or a string, saw 3"),
    ],
)
def test_images_that_are_none_are_told(keys: str, message: str) -> None:
    assert wrong(keys) == [message]
