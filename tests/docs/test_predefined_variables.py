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


def rows(first: int, last: int) -> list[list[str]]:
    return [row for table in tables(DOCS / "reference" / "variables.md")[first:last] for row in table[1:]]


def documented(*there: str, gitlab: tuple[str, ...] = ()) -> set[str]:
    """The variables that the page has for a situation of which all of ``there`` is true.

    ``gitlab`` is what is true of a job that was written for GitLab, nothing for another one.
    """
    found = [(names, when in there) for names, _meaning, when in rows(0, 3)]
    found += [(names, when in gitlab) for names, _meaning, when in rows(3, 4)]
    return {name.strip("`") for names, is_there in found if is_there for name in names.split(", ")}


def given(file: Path) -> set[str]:
    names = {entry.partition("=")[0] for entry in file.read_text().split("\0")}
    return {name for name in names if name in {"CI", "HOOKCI"} or name.startswith(("CI_", "HOOKCI_", "GITLAB_"))}


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


def test_an_annotated_tag_has_a_message(repo: Repo, out: Path) -> None:
    repo.git("tag", "v1", "-m", "The first\n\none")

    repo.git("push", "origin", "v1")

    assert given(out) == documented("always", "for a tag", "for an annotated tag", "in a push")
    assert "CI_COMMIT_TAG_MESSAGE=The first\n\none\0" in out.read_text()


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("https://someone:else@git.example.com:8443/group/tools/app.git", ("on a server",)),
        ("git@git.example.com:group/app.git", ("on a server", "on a server by SSH")),
        ("ssh://git@git.example.com:2222/group/app", ("on a server", "on a server by SSH")),
    ],
)
def test_a_remote_on_a_server_says_what_the_project_is(
    repo: Repo, out: Path, address: str, there: tuple[str, ...]
) -> None:
    repo.git("remote", "set-url", "origin", address)
    repo.git("config", "user.name", "Ana")
    repo.git("config", "user.email", "ana@example.com")

    repo.hookci("run")

    assert given(out) == documented("always", "on a branch", "with such settings", *there)
    assert "else" not in out.read_text()


def test_a_merge_request_knows_where_it_comes_from_and_goes_to(repo: Repo, out: Path) -> None:
    repo.git("remote", "set-url", "origin", "https://git.example.com/group/app.git")
    repo.git("switch", "-qc", "feature")
    repo.commit(message="more")

    repo.hookci("run", "--source", "merge_request_event", "--target", "main")

    merge = "with `--source merge_request_event`"
    there = documented("always", "on a branch", "with a base", "on a server", merge, f"on a server, {merge}")
    assert given(out) == there - {"CI_COMMIT_BRANCH"}


def test_a_triggered_pipeline_says_so(repo: Repo, out: Path) -> None:
    repo.hookci("run", "--source", "trigger")

    assert given(out) == documented("always", "on a branch", "with `--source trigger`")


GITLAB = """
workflow: {{name: All of it}}
show:
  script: env -0 > {out}
  parallel: 2
ship:
  stage: deploy
  script: env -0 > {out}.ship
  environment: {{name: staging, url: https://example.com}}
  when: manual
"""


def test_jobs_of_a_gitlab_file_get_what_gitlab_says_too(repo: Repo, tmp_path: Path) -> None:
    out = tmp_path / "env"
    repo.commit({".gitlab-ci.yml": GITLAB.format(out=out)})

    repo.hookci("run", "--jobs", "1")
    repo.hookci("play", "ship")

    named = ("always", "in a pipeline with a name")
    deploys = (*named, "for a job that a person starts", "with an environment", "with an environment that has one")
    assert given(out) == documented("always", "on a branch", gitlab=(*named, "with `parallel`"))
    assert given(out.with_name("env.ship")) == documented("always", "on a branch", gitlab=deploys)


def test_every_situation_on_the_page_is_tried_here() -> None:
    merge = "with `--source merge_request_event`"
    tried = {"always", "on a branch", "for a tag", "for an annotated tag", "in a push", "with a base"}
    tried |= {"in `after_script`", "in a pipeline that scans", "on a server", "on a server by SSH", merge}
    tried |= {f"on a server, {merge}", "with such settings", "with `--source trigger`"}
    of_gitlab = {"always", "in a pipeline with a name", "for a job that a person starts", "with `parallel`"}
    of_gitlab |= {"with an environment", "with an environment that has one"}

    assert {when for _names, _meaning, when in rows(0, 3)} == tried
    # an image is there where an engine is
    assert {when for _names, _meaning, when in rows(3, 4)} == of_gitlab | {"in a container"}
