"""What git knows of a project, and what a snapshot is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hookci.errors import UsageError
from hookci.git.changes import changed_since
from hookci.git.facts import project_facts
from hookci.git.repository import Repository
from hookci.git.snapshots import Scratch, of_index, of_push, of_revision
from hookci.model.snapshot import Cause, RefUpdate

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

ZERO = "0" * 40


@pytest.fixture
def repository(repo: Repo) -> Repository:
    repo.commit({"a": "1"})
    repo.git("push", "-q", "origin", "main")
    repo.git("fetch", "-q")
    return Repository.discover(repo.path, repo.env)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://user:word@git.example.com/g/p.git", "https://git.example.com/g/p"),
        ("http://git.example.com:8080/g/p/", "http://git.example.com:8080/g/p"),
        ("https://git.example.com:443/g/p", "https://git.example.com/g/p"),
        ("git@git.example.com:g/p.git", "https://git.example.com/g/p"),
        ("git.example.com:p", "https://git.example.com/p"),
        ("ssh://git@git.example.com:2222/g/sub/p.git", "https://git.example.com/g/sub/p"),
        ("/srv/git/p.git", None),
        ("../p.git", None),
        ("file:///srv/git/p.git", None),
        ("https://git.example.com:port/g/p", None),
        ("ext::sh -c x", None),
        ("https://git.example.com/", None),
    ],
)
def test_an_address_on_a_server_says_where_a_project_is(address: str, url: str | None) -> None:
    facts = project_facts({"remote.origin.url": [address]}, "origin")

    assert facts.get("CI_PROJECT_URL") == url
    assert project_facts({}, address) == facts  # `git push ADDRESS` gives the address for a name
    assert not any("word" in value for value in facts.values())


def test_a_path_on_a_server_has_parts() -> None:
    facts = project_facts({"remote.up.url": ["old", "git@git.example.com:Group/Sub.x/App.git"]}, "up")

    assert {name.removeprefix("CI_PROJECT_"): value for name, value in facts.items() if "PROJECT" in name} == {
        "NAME": "App",
        "PATH": "Group/Sub.x/App",
        "PATH_SLUG": "group-sub-x-app",
        "NAMESPACE": "Group/Sub.x",
        "NAMESPACE_SLUG": "group-sub-x",
        "ROOT_NAMESPACE": "Group",
        "URL": "https://git.example.com/Group/Sub.x/App",
    }
    assert facts["CI_SERVER_SHELL_SSH_PORT"] == "22"


def test_the_author_of_git_settings_comes_before_the_user() -> None:
    both = {"user.name": ["U"], "author.name": ["A"], "user.email": ["u@example.com"]}

    facts = project_facts(both, "origin")

    assert facts == {"GITLAB_USER_NAME": "A", "GITLAB_USER_EMAIL": "u@example.com"}


def test_a_branch_that_the_remote_has_not_is_new(repo: Repo, repository: Repository, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    repo.git("switch", "-qc", "feature")
    repo.commit({"b": "1"})
    new = of_revision(repository, "HEAD")
    repo.git("push", "-q", "origin", "feature")
    pushed = of_revision(repository, "HEAD")
    repo.git("switch", "-q", "main")
    unchanged = of_revision(repository, "HEAD")
    repo.commit({"c": "1"})
    ahead = of_revision(repository, "HEAD")

    assert [new.is_new, pushed.is_new, unchanged.is_new, ahead.is_new] == [True, False, True, False]
    assert [changed_since(repository, scratch, each, None) for each in (new, pushed)] == [("b",), ("b",)]
    assert ahead.facts["CI_COMMIT_BEFORE_SHA"] == ZERO


def test_a_push_knows_what_was_there_before(repo: Repo, repository: Repository, tmp_path: Path) -> None:
    before = repo.out("rev-parse", "HEAD")
    after = repo.commit({"b": "1"})
    updates = [
        RefUpdate("refs/heads/main", after, "refs/heads/main", before),
        RefUpdate("refs/heads/main", after, "refs/heads/other", ZERO),
    ]

    (known, new), _notes = of_push(repository, updates, "origin")

    assert (known.facts["CI_COMMIT_BEFORE_SHA"], known.is_new) == (before, False)
    assert (new.facts["CI_COMMIT_BEFORE_SHA"], new.is_new) == (ZERO, True)
    assert changed_since(repository, Scratch(tmp_path / "scratch"), known, None) == ("b",)


def test_a_tag_has_no_branch_and_an_annotated_one_has_a_message(repo: Repo, repository: Repository) -> None:
    commit = repo.out("rev-parse", "HEAD")
    repo.git("tag", "light")
    repo.git("tag", "-a", "v1", "-m", "Title\n\nbody")
    oid = repo.out("rev-parse", "refs/tags/v1")

    light, by_hand = of_revision(repository, "light"), of_revision(repository, "v1")
    (pushed,), _notes = of_push(repository, [RefUpdate("refs/tags/v1", oid, "refs/tags/v1", ZERO)], "origin")

    for snapshot in (by_hand, pushed):
        assert snapshot.commit == commit
        assert snapshot.facts["CI_COMMIT_TAG"] == "v1"
        assert snapshot.facts["CI_COMMIT_TAG_MESSAGE"] == "Title\n\nbody"
        assert "CI_COMMIT_BRANCH" not in snapshot.facts
        assert snapshot.has_no_base
    assert "CI_COMMIT_TAG_MESSAGE" not in light.facts


def test_a_merge_request_is_compared_with_where_it_left_its_target(
    repo: Repo, repository: Repository, tmp_path: Path
) -> None:
    start = repo.out("rev-parse", "HEAD")
    repo.git("switch", "-qc", "feature")
    repo.commit({"b": "1"})
    repo.git("switch", "-q", "main")
    repo.commit({"c": "1"})

    snapshot = of_revision(repository, "feature", Cause("merge_request_event", "main"))

    assert (snapshot.base, snapshot.is_new) == (start, False)
    assert changed_since(repository, Scratch(tmp_path / "scratch"), snapshot, None) == ("b",)
    assert snapshot.facts["CI_PIPELINE_SOURCE"] == "merge_request_event"
    assert snapshot.facts["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] == "main"
    assert snapshot.facts["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] == "feature"
    assert "CI_COMMIT_BRANCH" not in snapshot.facts
    assert snapshot.branch == "feature"
    with pytest.raises(UsageError, match="`nowhere` names no commit"):
        of_revision(repository, "feature", Cause("merge_request_event", "nowhere"))


@pytest.mark.parametrize("source", ["schedule", "web", "api"])
def test_what_was_not_pushed_is_compared_with_nothing(repo: Repo, repository: Repository, source: str) -> None:
    repo.commit({"b": "1"})

    assert of_revision(repository, "HEAD", Cause(source)).has_no_base
    assert not of_revision(repository, "HEAD").has_no_base


def test_what_has_changed_can_be_asked_since_any_revision(repo: Repo, repository: Repository, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    repo.git("tag", "v0")
    repo.commit({"b": "1"})
    repo.write(c="1")
    repo.git("add", "c")

    head, index = of_revision(repository, "HEAD"), of_index(repository, scratch)

    assert changed_since(repository, scratch, head, "v0") == ("b",)
    assert changed_since(repository, scratch, head, "main") == ("b",)  # the remote's, as on a server
    assert changed_since(repository, scratch, head, "refs/heads/main") == ("b",)
    assert changed_since(repository, scratch, index, "v0") == ("b", "c")
    assert changed_since(repository, scratch, head, "nowhere") is None
    assert changed_since(repository, scratch, index, None) == ("c",)
