"""What of a workspace an engine gets to build from."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from hookci.engine.context import packed, recipe_of
from hookci.errors import HookciError
from hookci.model.container import Build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "workspace"
    place.mkdir()
    return place


def write(place: Path, *names: str) -> None:
    for name in names:
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)


def names(workspace: Path, build: Build | None = None) -> list[str]:
    """The files in the archive; that of what is ignored is always there, for the engine to leave out."""
    with packed(workspace, build or Build(), workspace.parent) as context, tarfile.open(context.file) as archive:
        return sorted(member.name for member in archive if not member.isdir() and member.name != ".dockerignore")


def test_all_of_the_context_is_sent_but_git(workspace: Path) -> None:
    write(workspace, "Dockerfile", "a", "sub/b", "sub/.git/c", ".git/config")

    assert names(workspace) == ["Dockerfile", "a", "sub/.git/c", "sub/b"]


def test_a_context_below_the_workspace_is_sent_alone(workspace: Path) -> None:
    write(workspace, "Dockerfile", "a", "sub/Dockerfile", "sub/b")

    assert names(workspace, Build(context="sub")) == ["Dockerfile", "b"]


def test_what_the_ignore_file_names_is_left_out_but_never_the_recipe(workspace: Path) -> None:
    write(workspace, "Dockerfile", "keep", "drop", "logs/a", "logs/b", ".env")
    (workspace / ".dockerignore").write_text("# comment\n\n*\n!keep\n!logs\nlogs/b\n")

    assert names(workspace) == ["Dockerfile", "keep", "logs/a"]


def test_the_ignore_file_of_the_recipe_wins(workspace: Path) -> None:
    write(workspace, "Dockerfile", "a", "b")
    (workspace / ".dockerignore").write_text("a\n")
    (workspace / "Dockerfile.dockerignore").write_text("b\n.dockerignore\n")

    assert names(workspace) == ["Dockerfile", "Dockerfile.dockerignore", "a"]


def test_links_stay_links_and_nothing_says_whose_files_they_are(workspace: Path) -> None:
    write(workspace, "Dockerfile", "a")
    (workspace / "link").symlink_to("/etc/hostname")

    with packed(workspace, Build(), workspace.parent) as context, tarfile.open(context.file) as archive:
        members = {member.name: member for member in archive}

    assert members["link"].linkname == "/etc/hostname"
    assert members["link"].issym()
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members.values()} == {(0, 0, "", "")}
    assert next(iter(members)) == "Dockerfile"


def test_the_archive_is_gone_afterwards(workspace: Path) -> None:
    write(workspace, "Dockerfile")

    with packed(workspace, Build(), workspace.parent) as context:
        there = context.file.exists()

    assert (there, context.file.exists()) == (True, False)


@pytest.mark.parametrize(
    ("build", "what"), [(Build(context="out"), "context"), (Build(dockerfile="out/Dockerfile"), "dockerfile")]
)
def test_a_link_that_leads_out_of_the_workspace_is_refused(workspace: Path, build: Build, what: str) -> None:
    elsewhere = workspace.parent / "elsewhere"
    write(elsewhere, "Dockerfile")
    (workspace / "out").symlink_to(elsewhere)

    with pytest.raises(HookciError, match=f"build.{what} leads out of the workspace"):
        recipe_of(workspace, build)


def test_a_recipe_is_found_or_not(workspace: Path) -> None:
    write(workspace, "sub/recipe")

    assert recipe_of(workspace, Build(context="sub", dockerfile="recipe")) == workspace / "sub" / "recipe"
    assert recipe_of(workspace, Build()) is None
    assert recipe_of(workspace, Build(dockerfile="sub")) is None
