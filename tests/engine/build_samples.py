"""Builds images in a directory of a test, by either builder, and removes them afterwards."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hookci.engine.builder import Built, Following, build_image, built_labels
from hookci.engine.buildkit import BuildKit
from hookci.engine.context import packed
from hookci.model.container import Build
from hookci.proc.supervise import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hookci.engine.calls import Engine
    from hookci.engine.owner import Owner

__all__ = ["Workshop", "docker_command", "inspect", "remove_images"]


@dataclass
class Workshop:
    """A workspace, and a builder: ``api`` or ``buildkit``."""

    engine: Engine
    workspace: Path
    place: Path
    owner: Owner
    builder: str = "api"
    cancel: Cancel = field(default_factory=Cancel)
    output: str = ""
    """All that the last build said."""
    waiting_for: tuple[str, Callable[[], None] | None] = ("", None)

    def build(self, recipe: str | None = None, *, timeout: float = 60.0, build: Build | None = None) -> Built:
        """Build what is in the workspace; ``recipe`` becomes its Dockerfile."""
        build = build or Build()
        if recipe is not None:
            file = self.workspace / build.context / build.dockerfile
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(recipe)
        self.output = ""
        following = Following(sink=self.take, timeout=timeout, cancel=self.cancel)
        labels = built_labels(self.owner)
        with packed(self.workspace, build, self.place) as context:
            if self.builder == "api":
                return build_image(self.engine, context, build, labels, following)
            program = docker_command()
            kit = BuildKit(program=program, user=os.environ, directory=self.place, token="workshop")
            built = kit.build(self.engine, context, build, labels, following)
            if built is None:
                must = os.environ.get("TEST_HOOKCI_COMPLETE") == "1"
                (pytest.fail if must else pytest.skip)(f"{program} has no BuildKit")
            return built

    def take(self, data: bytes) -> None:
        """Some output."""
        self.output += data.decode()
        text, act = self.waiting_for
        if act and text in self.output:
            self.waiting_for = ("", None)
            act()

    def once_seen(self, text: str, act: Callable[[], None]) -> None:
        """Do something as soon as the output has ``text``."""
        self.waiting_for = (text, act)

    def file(self, image: str | None, path: str) -> str:
        """The content of a file in an image."""
        assert image is not None
        api = self.engine.api
        made = api.create_container(image, ["cat", path], labels=self.owner.labels("helper"))
        try:
            api.start(made["Id"])
            api.wait(made["Id"])
            return str(api.logs(made["Id"]).decode())
        finally:
            api.remove_container(made["Id"], force=True)


def docker_command() -> str:
    """A ``docker`` command: Debian's own can speak to BuildKit without a plugin."""
    found = next(filter(None, map(shutil.which, ("/usr/bin/docker", "docker"))), None)
    if found is None:
        pytest.skip("no docker command")
    return found


def inspect(engine: Engine, image: str | None) -> dict[str, Any]:
    """What the engine says of an image."""
    found: dict[str, Any] = engine.api.inspect_image(image)  # type: ignore[no-untyped-call]  # no stub types it
    return found


def remove_images(engine: Engine, repository: str) -> None:
    """Remove the images of a repository, by its name in labels."""
    for image in engine.api.images(filters={"label": f"io.hookci.repository={repository}"}):
        engine.api.remove_image(image["Id"], force=True)
