"""Questions to git that are asked ahead have the answers that they would have had in their time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hookci.cli.surroundings import read_machine
from hookci.errors import GitError, UsageError
from hookci.git.ahead import Ahead, names_of_head
from hookci.git.repository import Repository
from hookci.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Repo

FILES = ("hookci.toml", "missing.toml")


def both(repo: Repo, where: Path | None = None, env: Mapping[str, str] | None = None) -> list[Repository]:
    """The repository as it is found without and with questions that were asked ahead."""
    place, surroundings = where or repo.path, {**repo.env, **(env or {})}
    ahead = Ahead.ask(place, surroundings, names_of_head(FILES), 0.0)
    return [Repository.discover(place, surroundings), Repository.discover(place, surroundings, ahead)]


def started(repository: Repository, tmp_path: Path) -> bool:
    """Whether git is asked anything more for what every run asks; a git that cannot be started tells."""
    (tmp_path / "empty").mkdir(exist_ok=True)
    repository.env.update(PATH=str(tmp_path / "empty"))  # type: ignore[attr-defined]  # a dict
    try:
        _ = repository.config, repository.refs, repository.look_up(names_of_head(FILES))
    except GitError:
        return True
    return False


def everything(repository: Repository) -> tuple[object, ...]:
    objects = repository.look_up(names_of_head(FILES))
    return repository.config, repository.refs, objects, repository.git_dir, repository.common_dir, repository.top


def test_the_answers_are_the_same_and_nothing_is_asked_again(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": "", "sub/a.txt": "a\n"})
    repo.git("tag", "v1")
    repo.git("push", "-q", "origin", "HEAD")
    (repo.path / ".git" / "more").write_text("[some]\n\tthing = more\n")
    repo.git("config", "include.path", "more")

    without, with_ahead = both(repo)

    assert everything(with_ahead) == everything(without)
    assert [origin for origin, key, _ in with_ahead.config.origins if key == "some.thing"]
    without, with_ahead = both(repo)
    assert (started(without, tmp_path), started(with_ahead, tmp_path)) == (True, False)


def test_below_the_top_and_in_a_linked_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": "", "sub/a.txt": "a\n"})
    repo.git("worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--worktree", "some.thing", "here")

    for place in (repo.path / "sub", tmp_path / "other", repo.path / ".git"):
        without, with_ahead = both(repo, place)
        assert everything(with_ahead) == everything(without)


def test_what_ties_git_to_a_repository_is_asked_in_its_time(repo: Repo) -> None:
    repo.commit({"hookci.toml": ""})

    for name, value in (("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), ("GIT_CONFIG", "/dev/null")):
        assert Ahead.ask(repo.path, {**repo.env, name: value}, (), 0.0) is None
    of_a_hook = {**repo.env, "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}
    ahead = Ahead.ask(repo.path, of_a_hook, (), 0.0)
    assert ahead
    assert ahead.answers(repo.path, of_a_hook)


def test_only_who_would_ask_the_same_gets_the_answers_and_once(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"hookci.toml": ""})
    asked = [Ahead.ask(repo.path, repo.env, (), 0.0) for _ in range(3)]
    assert None not in asked
    elsewhere, otherwise, same = (one for one in asked if one)

    assert elsewhere.answers(tmp_path, repo.env) is None
    assert otherwise.answers(repo.path, {**repo.env, "GIT_CEILING_DIRECTORIES": "/"}) is None
    assert same.answers(repo.path, repo.env)
    assert same.answers(repo.path, repo.env) is None


def test_what_goes_wrong_is_said_as_ever(repo: Repo, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    with pytest.raises(UsageError, match="is not in a git repository"):
        Repository.discover(nowhere, repo.env, Ahead.ask(nowhere, repo.env, (), 0.0))

    without_git = {**repo.env, "PATH": str(nowhere)}
    with pytest.raises(GitError, match="`git` could not be started"):
        Repository.discover(repo.path, without_git, Ahead.ask(repo.path, without_git, (), 0.0))

    empty = Repository.discover(repo.path, repo.env, Ahead.ask(repo.path, repo.env, names_of_head(FILES), 0.0))
    assert empty.look_up(["HEAD"]) == {}


def test_a_hook_and_a_run_ask_ahead(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.unit]\nscript = ["true"]\n[hooks]\npre-commit = ["unit"]\n'})
    repo.git("config", "hookci.jobs", "no number")

    for command in (["run"], ["plan"], ["hook", "pre-commit", "--"]):
        ran = repo.hookci(*command, check=False)
        assert ran.returncode == 2
        assert "hookci.jobs" in ran.stderr


def test_what_is_remembered_knows_when_the_first_look_was_taken(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"hookci.toml": ""})
    monkeypatch.chdir(repo.path)
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    for name, value in repo.env.items():
        monkeypatch.setenv(name, value)

    ahead = Ahead.ask(repo.path, repo.env, (), 1_000.0)

    assert Session.open(read_machine(ahead)).began == 1_000.0
    assert Session.open(read_machine()).began > 1_000.0
