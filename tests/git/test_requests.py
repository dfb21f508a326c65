"""Requests and approvals: bound to one commit and one config, and the same in every clone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from deploy_clones import Clone, at_once, cloned
from msgspec.structs import replace

from hookci.errors import GitError
from hookci.git.requests import approve, make_request, prune_requests, request_id, requests
from hookci.git.tags import write_tag
from hookci.git.wire import RemoteError
from hookci.model.release import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

CONFIG = "c0" * 32


@pytest.fixture
def clone(repo: Repo) -> Clone:
    repo.commit({"a.txt": "one\n"})
    return Clone.of(repo)


def asked(clone: Clone, at: float = 1_700_000_000.25, config: str = CONFIG, environment: str = "production") -> Request:
    """A request for the commit at hand, made."""
    request = Request(
        id=request_id(environment, clone.head, config, at), environment=environment, commit=clone.head, config=config,
        by="Ana <ana@example.com>", at=at, expires=at + 60,
    )  # fmt: skip
    make_request(clone.repository, request)
    return request


def approved(request: Request, by: str = "Bo <bo@example.com>") -> Request:
    return replace(request, approver=by, approved_at=1_700_000_030.0, why="looks good")


def agree(clone: Clone, request: Request, by: str = "Bo <bo@example.com>") -> Request:
    return approve(clone.repository, request, by, 1_700_000_030.0, "looks good")


def test_requests_are_read_back_the_newest_first(clone: Clone) -> None:
    old, new = asked(clone, 1_700_000_000.25), asked(clone, 1_700_000_001.0)
    other = asked(clone, 1_700_000_000.5, environment="büro")

    assert requests(clone.repository, "production") == [new, old]
    assert requests(clone.repository) == [new, other, old]
    assert requests(clone.repository, "prod") == []


def test_an_id_is_of_environment_commit_config_and_time() -> None:
    names = {
        request_id("staging", "a" * 40, CONFIG, 1.0),
        request_id("production", "a" * 40, CONFIG, 1.0),
        request_id("staging", "b" * 40, CONFIG, 1.0),
        request_id("staging", "a" * 40, "", 1.0),
        request_id("staging", "a" * 40, CONFIG, 1.5),
    }

    assert len(names) == 5
    assert all(len(name) == 8 and int(name, 16) >= 0 for name in names)
    assert request_id("staging", "a" * 40, CONFIG, 1) in names


def test_the_same_request_twice_is_one(clone: Clone) -> None:
    request = asked(clone)

    make_request(clone.repository, request)
    with pytest.raises(GitError, match=f"{request.id} is there already, and another"):
        make_request(clone.repository, replace(request, expires=9e9))
    with pytest.raises(GitError, match="is not the id of this request"):
        make_request(clone.repository, replace(request, config="d" * 64))

    assert requests(clone.repository) == [request]


def test_an_approval_says_who_when_and_why(clone: Clone) -> None:
    request = asked(clone)

    result = agree(clone, request)

    assert result == approved(request)
    assert requests(clone.repository) == [result]
    kept = clone.repo.out("for-each-ref", "--format=%(objecttype) %(object) %(contents)", "refs/hookci/approval")
    kind, commit, text = kept.split(" ", 2)
    assert (kind, commit) == ("tag", request.commit)
    assert json.loads(text)["why"] == "looks good"


def test_the_first_approval_stays(clone: Clone) -> None:
    request = asked(clone)
    first = agree(clone, request)

    second = agree(clone, request, "Cy <cy@example.com>")

    assert second == first
    assert requests(clone.repository) == [first]


def test_an_approval_counts_for_the_very_commit_and_config_only(clone: Clone) -> None:
    request = asked(clone)
    before = clone.head
    clone.repo.commit({"a.txt": "two\n"})
    said = {"config": CONFIG, "approver": "Eve", "at": 1.0, "why": ""}
    ref = f"approval/production/{request.id}"
    for commit, name, message in (
        (clone.head, ref, said),
        (before, ref, {**said, "config": "d" * 64}),
        (before, f"approval/staging/{request.id}", said),
        (before, ref, {**said, "approver": ""}),
        (before, ref, {**said, "at": "soon"}),
        (before, ref, ["Eve"]),
    ):
        oid = write_tag(clone.repository, name=name, commit=commit, message=json.dumps(message), at=1.0)
        clone.repo.git("update-ref", f"refs/hookci/{ref}", oid)
        assert requests(clone.repository) == [request]

    assert agree(clone, request) == approved(request)
    assert requests(clone.repository) == [approved(request)]


def test_a_request_that_was_tampered_with_is_none(clone: Clone) -> None:
    request = asked(clone)
    ref = f"refs/hookci/request/production/{request.id}"
    ours = clone.repo.out("rev-parse", ref)
    clone.repo.git("update-ref", "refs/hookci/request/production/12345678", ours)
    clone.repo.git("update-ref", f"refs/hookci/request/staging/{request.id}", ours)
    clone.repo.git("update-ref", "refs/hookci/request/production/abcdef01", "HEAD")
    assert requests(clone.repository) == [request]
    before = clone.head
    clone.repo.commit({"a.txt": "two\n"})
    said = {"config": CONFIG, "by": request.by, "at": request.at, "expires": request.expires}

    for commit, message in ((clone.head, said), (before, {**said, "config": "e" * 64}), (before, {}), (before, 7)):
        text = json.dumps(message)
        oid = write_tag(clone.repository, name=ref.removeprefix("refs/hookci/"), commit=commit, message=text, at=1.0)
        clone.repo.git("update-ref", ref, oid)
        assert requests(clone.repository) == []


def test_old_requests_go_with_their_approvals(clone: Clone) -> None:
    made = [asked(clone, 1_700_000_000.0 + number) for number in range(5)]
    other = asked(clone, 1.0, environment="production-eu")
    for request in made:
        agree(clone, request)

    gone = prune_requests(clone.repository, "production", keep_newest=2)

    assert sorted(gone) == sorted(
        f"refs/hookci/{kind}/production/{r.id}" for kind in ("request", "approval") for r in made[:3]
    )
    assert requests(clone.repository) == [approved(made[4]), approved(made[3]), other]
    assert prune_requests(clone.repository, "production", keep_newest=2) == []


def test_a_request_keeps_its_commit(clone: Clone) -> None:
    request = asked(clone)
    clone.repo.git("checkout", "-q", "--orphan", "other")
    clone.repo.commit({"b.txt": "b\n"})
    clone.repo.git("branch", "-D", "main")
    clone.repo.git("reflog", "expire", "--expire=now", "--all")

    clone.repo.git("gc", "-q", "--prune=now")

    assert clone.repository.kind(request.commit) == "commit"


def test_a_colleague_approves_from_another_clone(repo: Repo) -> None:
    here, there = cloned(repo, 2)
    request = asked(here)
    here.remote.push_requests("production")
    there.remote.fetch("production")
    assert requests(there.repository) == [request]

    agree(there, request)
    there.remote.push_requests("production")
    here.remote.fetch("production")

    assert requests(here.repository) == [approved(request)]


def test_a_request_brings_its_commit_along(repo: Repo) -> None:
    here, there = cloned(repo, 2)
    commit = here.repo.commit({"a.txt": "not pushed\n"})
    request = asked(here)

    here.remote.push_requests("production")
    there.remote.fetch("production")

    assert requests(there.repository) == [request]
    assert there.repo.out("show", f"{commit}:a.txt") == "not pushed"
    assert "refs/heads/main" in repo.remote_refs()
    assert repo.remote_refs()["refs/heads/main"] != commit


def test_of_two_approvals_the_one_that_was_there_first_stays(repo: Repo) -> None:
    here, one, two = cloned(repo, 3)
    request = asked(here)
    here.remote.push_requests("production")
    for clone, who in ((one, "Bo"), (two, "Cy")):
        clone.remote.fetch("production")
        agree(clone, request, who)
    newer = asked(two, 1_700_000_100.0)

    one.remote.push_requests("production")
    two.remote.push_requests("production")
    here.remote.fetch("production")

    assert requests(here.repository) == [newer, approved(request, "Bo")]


def test_many_clones_that_push_requests_at_once_all_succeed(repo: Repo) -> None:
    clones = cloned(repo, stress(4))
    made = [asked(clone, 1_700_000_000.0 + number) for number, clone in enumerate(clones)]

    ends = at_once([lambda clone=clone: clone.remote.push_requests("production") for clone in clones])  # type: ignore[misc]  # bound now

    assert ends == [None] * len(clones)
    clones[0].remote.fetch("production")
    assert requests(clones[0].repository) == made[::-1]


def test_what_one_clone_pruned_no_other_brings_back(repo: Repo) -> None:
    here, there = cloned(repo, 2)
    made = [asked(here, 1_700_000_000.0 + number) for number in range(20)]
    here.remote.push_requests("production")
    there.remote.fetch("production")
    agree(there, made[0])
    there.remote.push_requests("production")
    newest = asked(here, 1_700_000_100.0)

    here.remote.push_requests("production")
    there.remote.push_requests("production")

    kept = [newest, *made[:0:-1]]
    assert requests(here.repository) == kept
    assert requests(there.repository) == kept
    names = {ref for ref in repo.remote_refs() if ref.startswith("refs/hookci/")}
    assert names == {f"refs/hookci/request/production/{request.id}" for request in kept}


def test_requests_are_fetched_in_spite_of_settings_that_prune(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    request = asked(clone)
    for name in ("fetch.prune", "fetch.pruneTags", "remote.origin.prune"):
        clone.repo.git("config", name, "true")
    clone.repo.git("config", "--add", "remote.origin.fetch", "+refs/hookci/*:refs/hookci/*")

    clone.remote.fetch("production")
    clone.remote.push_requests("production")

    assert requests(clone.repository) == [request]
    assert f"refs/hookci/request/production/{request.id}" in repo.remote_refs()


def test_a_remote_that_takes_no_requests_is_told(repo: Repo) -> None:
    (clone,) = cloned(repo, 1)
    assert repo.remote is not None
    asked(clone)
    repo.run("git", "config", "receive.hideRefs", "refs/hookci", cwd=repo.remote)

    with pytest.raises(RemoteError, match=r"requests for production: the remote origin: .*deny updating a hidden ref"):
        clone.remote.push_requests("production")


def test_requests_work_with_sha256(make_repo: Callable[..., Repo]) -> None:
    here, there = cloned(make_repo(object_format="sha256"), 2)
    request = asked(here)

    here.remote.push_requests("production")
    there.remote.fetch("production")
    agree(there, request)

    assert requests(there.repository) == [approved(request)]
