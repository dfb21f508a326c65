"""The list of predefined variables against what jobs in real repositories get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from markdown_pages import DOCS, tables

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

CONFIG = """
[jobs.show]
script = ["env -0 > $OUT"]
after_script = ["env -0 > $OUT.after"]
variables = {{ OUT = "{out}" }}

[hooks]
pre-commit = ["show"]
"""


def documented(*there: str) -> set[str]:
    """The variables that the page has for a situation of which all of ``there`` is true."""
    rows = [row for table in tables(DOCS / "reference" / "variables.md")[:2] for row in table[1:]]
    return {name.strip("`") for names, _meaning, when in rows if when in there for name in names.split(", ")}


def given(file: Path) -> set[str]:
    names = {entry.partition("=")[0] for entry in file.read_text().split("\0")}
    return {name for name in names if name in {"CI", "HOOKCI"} or name.startswith(("CI_", "HOOKCI_"))}


@pytest.fixture
def out(repo: Repo, tmp_path: Path) -> Path:
    """Where the job writes what it got; the repository has hooks and one commit, which is not pushed."""
    file = tmp_path / "env"
    repo.commit({"hookci.toml": CONFIG.format(out=file)})
    repo.hookci("install")
    return file


def test_a_first_push_has_no_base(repo: Repo, out: Path) -> None:
    repo.git("push", "origin", "main")

    assert given(out) == documented("always", "on a branch", "in a push")


def test_a_further_push_has_one(repo: Repo, out: Path) -> None:
    repo.git("push", "--no-verify", "origin", "main")
    repo.commit(message="more")

    repo.git("push", "origin", "main")

    assert given(out) == documented("always", "on a branch", "in a push", "with a base")


def test_a_pushed_tag_has_its_name(repo: Repo, out: Path) -> None:
    repo.git("tag", "v1")

    repo.git("push", "origin", "v1")

    assert given(out) == documented("always", "for a tag", "in a push")


def test_a_commit_has_its_parent_for_a_base(repo: Repo, out: Path) -> None:
    repo.git("commit", "--allow-empty", "-m", "more")

    assert given(out) == documented("always", "on a branch", "with a base")


def test_a_run_by_hand_on_a_detached_head_knows_neither_branch_nor_base(repo: Repo, out: Path) -> None:
    repo.git("switch", "--detach")

    repo.hookci("run")

    assert given(out) == documented("always")


def test_after_script_is_told_the_outcome(repo: Repo, out: Path) -> None:
    repo.hookci("run")

    assert given(out.with_name("env.after")) == documented("always", "on a branch", "in `after_script`")


def test_a_pipeline_that_scans_knows_what_it_is_compared_with(repo: Repo, out: Path) -> None:
    repo.commit({"hookci.toml": CONFIG.format(out=out) + '[jobs.secrets]\nscan = "secrets"\n'})

    repo.hookci("run")

    assert given(out) == documented("always", "on a branch", "in a pipeline that scans")


def test_every_situation_on_the_page_is_tried_here() -> None:
    tried = documented("always", "on a branch", "for a tag", "in a push", "with a base", "in `after_script`")
    tried |= documented("in a pipeline that scans")

    rows = [row for table in tables(DOCS / "reference" / "variables.md")[:2] for row in table[1:]]

    assert tried == {name.strip("`") for row in rows for name in row[0].split(", ")}
