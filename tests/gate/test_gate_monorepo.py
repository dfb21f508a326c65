"""Pushes of a repository of many packages, of which each has a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repo

PACKAGES = 200
USERS = (1, 2, 3)
"""Those that use the package 0."""


def config() -> str:
    jobs = []
    for number in range(PACKAGES):
        paths = [f"packages/{used}/**" for used in ((0, number) if number in USERS else (number,))]
        script = f'["cat packages/{number}/code", "echo {number} >> $RAN"]'
        jobs.append(f"[jobs.p{number}]\nscript = {script}\ninputs = {paths}\nrules = [{{ changes = {paths} }}]\n")
    return '[defaults]\npass_env = ["RAN"]\n' + "".join(jobs)


class Monorepo:
    """A repository whose first state is on the remote without having been judged, and what ran since the last look."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._ran = repo.path.parent / "ran"
        repo.env["RAN"] = str(self._ran)
        repo.commit({"hookci.toml": config(), **{f"packages/{number}/code": "1" for number in range(PACKAGES)}})
        repo.git("push", "-q", "origin", "main")
        repo.hookci("install")

    def push(self, files: dict[str, str]) -> set[str]:
        """The packages whose scripts ran for a push of a change."""
        self._ran.write_text("")
        self._repo.commit(files)
        self._repo.git("push", "origin", "main")
        return set(self._ran.read_text().split())


@pytest.mark.timeout(120)
def test_a_push_runs_what_the_diff_touches_and_of_that_what_it_has_not_seen(repo: Repo) -> None:
    monorepo = Monorepo(repo)

    leaf = monorepo.push({"packages/7/code": "2"})
    core = monorepo.push({"packages/0/code": "2"})
    both = monorepo.push({"packages/1/code": "2", "packages/199/more": "new"})
    elsewhere = monorepo.push({"README.md": "hello"})
    changed = monorepo.push({"packages/7/code": "3"})
    back = monorepo.push({"packages/7/code": "2"})

    assert leaf == {"7"}
    assert core == {"0", "1", "2", "3"}
    assert both == {"1", "199"}
    assert elsewhere == set()
    assert changed == {"7"}
    assert back == set()


def test_a_first_push_of_a_branch_runs_what_differs_from_the_default_one(repo: Repo) -> None:
    monorepo = Monorepo(repo)
    repo.git("switch", "-qc", "feature")
    repo.commit({"packages/9/code": "2"})
    monorepo._ran.write_text("")

    repo.git("push", "origin", "feature")

    assert set(monorepo._ran.read_text().split()) == {"9"}
