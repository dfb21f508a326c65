"""A plan says by what change a job is remembered no more."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from hookci.model.memory import KeptPass, Pass
from hookci.store.database import open_database
from hookci.store.identity import ProcessIdentity
from hookci.store.runs import Store
from hookci.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Repo

CONFIG = """
[variables]
KIND = "plain"
[jobs.build]
script = ["cat src/a.txt"]
inputs = ["src/**"]
[jobs.unit]
needs = ["build"]
pass_env = ["FLAVOUR"]
carry = ["settings.env"]
script = ["judge one", "echo $CI_COMMIT_TITLE"]
"""


class Judged:
    """A repository whose jobs have passed, with a tool and an untracked file beside it."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo, self.tools = repo, place / "tools"
        self.tools.mkdir()
        self.tool("echo tool")
        repo.env.update(PATH=f"{self.tools}{os.pathsep}{repo.env['PATH']}", FLAVOUR="sweet as sugar", LOGNAME="ana")
        repo.write_files({".git/info/exclude": "settings.env\n", "settings.env": "a=1\n"})
        repo.commit({"hookci.toml": CONFIG, "src/a.txt": "a\n", "src/b.txt": "b\n", "other.txt": "o\n"}, "first")
        repo.hookci("run")

    def tool(self, line: str) -> None:
        tool = self.tools / "judge"
        tool.write_text(f"#!/bin/sh\n{line}\n")
        tool.chmod(0o755)

    def why(self, job: str = "unit", env: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 (JSON)
        ran = self.repo.hookci("plan", "--why", job, "--json", env=env)
        (entry,) = json.loads(ran.stdout)["jobs"]
        return entry

    def differences(self, job: str = "unit", env: Mapping[str, str] | None = None) -> set[tuple[str, str, str]]:
        return {(one["kind"], one["name"], one["how"]) for one in self.why(job, env)["differences"]}


@pytest.fixture
def judged(repo: Repo, tmp_path: Path) -> Judged:
    return Judged(repo, tmp_path)


def test_a_hit_says_when_where_and_on_what_it_passed(judged: Judged) -> None:
    commit = judged.repo.out("rev-parse", "HEAD")

    text = judged.repo.hookci("plan", "--why", "unit").stdout
    entry = judged.why()

    assert text.startswith("unit: remembered, passed in run 1\n")
    assert f", on main ({commit[:8]}) by ana at " in text
    assert "nothing that its result depends on has changed since" in text
    assert entry["action"] == "remembered"
    assert entry["differences"] == []
    assert entry["passed"]["commit"] == commit
    assert entry["passed"]["user"] == "ana"
    assert entry["passed"]["host"] == os.uname().nodename


def test_a_job_that_has_never_passed_says_so(judged: Judged) -> None:
    judged.repo.hookci("forget")

    assert "no pass of it is remembered" in judged.repo.hookci("plan", "--why", "unit").stdout


def edit_other(judged: Judged) -> None:
    judged.repo.write_files({"other.txt": "else\n", "new.txt": "n\n"})
    (judged.repo.path / "src/b.txt").unlink()
    judged.repo.git("add", "-A")
    judged.repo.git("commit", "-q", "--no-verify", "-m", "first")


def edit_script(judged: Judged) -> None:
    judged.repo.commit({"hookci.toml": CONFIG.replace("judge one", "judge two")}, "first")


def edit_config_variable(judged: Judged) -> None:
    judged.repo.commit({"hookci.toml": CONFIG.replace('"plain"', '"fancy"')}, "first")


def change_message(judged: Judged) -> None:
    judged.repo.git("commit", "-q", "--no-verify", "--amend", "-m", "second")


def change_tool(judged: Judged) -> None:
    judged.tool("echo another")


def remove_tool(judged: Judged) -> None:
    (judged.tools / "judge").unlink()


def change_carried(judged: Judged) -> None:
    judged.repo.write_files({"settings.env": "a=2\n"})


def change_attributes(judged: Judged) -> None:
    judged.repo.write_files({".git/info/attributes": "*.txt eol=lf\n"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            edit_other,
            {
                ("file", "other.txt", "changed"),
                ("file", "new.txt", "added"),
                ("file", "src/b.txt", "removed"),
                ("job", "build", "changed"),
            },
        ),
        (edit_script, {("file", "hookci.toml", "changed"), ("definition", "script", "changed")}),
        (
            edit_config_variable,
            {
                ("file", "hookci.toml", "changed"),
                ("definition", "variables.KIND", "changed"),
                ("job", "build", "changed"),
            },
        ),
        (change_message, {("snapshot", "CI_COMMIT_TITLE", "changed")}),
        (change_tool, {("program", "judge", "changed")}),
        (remove_tool, {("program", "judge", "removed")}),
        (change_carried, {("carried file", "settings.env", "changed")}),
        (change_attributes, {("checkout", "", "changed"), ("job", "build", "changed")}),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else "",
)
def test_a_miss_names_what_has_changed(
    judged: Judged, change: Callable[[Judged], None], expected: set[tuple[str, str, str]]
) -> None:
    change(judged)

    assert judged.differences() == expected


def test_of_a_job_with_inputs_only_those_are_named(judged: Judged) -> None:
    edit_other(judged)

    assert judged.differences("build") == {("file", "src/b.txt", "removed")}


def test_a_variable_is_named_and_its_value_is_not(judged: Judged) -> None:
    said = judged.repo.hookci("plan", "--why", "unit", env={"FLAVOUR": "bitter as gall", "LC_TIME": "C"}).stdout
    database = (judged.repo.path / ".git/hookci/state.db").read_bytes()

    assert "variable  FLAVOUR changed\n" in said
    assert "variable  LC_TIME is set\n" in said
    assert "bitter" not in said
    assert "sugar" not in said
    assert b"sugar" not in database


def test_a_program_is_told_with_its_place_and_age(judged: Judged) -> None:
    os.utime(judged.tools / "judge", (1_700_000_000, 1_700_000_000))
    shadow = judged.tools.with_name("shadow")
    shadow.mkdir()
    (shadow / "judge").symlink_to(judged.tools / "judge")

    text = judged.repo.hookci(
        "plan", "--why", "unit", env={"PATH": f"{shadow}{os.pathsep}{judged.repo.env['PATH']}"}
    ).stdout

    assert "program   judge changed: " in text
    assert f" => {shadow}/judge -> {judged.tools}/judge of 2023-11-14 22:13:20Z" in text
    assert "variable  PATH changed" in text


def test_a_pass_that_is_too_old_or_never_remembered_is_told_as_such(repo: Repo) -> None:
    repo.commit(
        {"hookci.toml": '[jobs.a]\nscript = ["true"]\nmemory = false\n[jobs.b]\nscript = ["true"]\nmax_age = "1h"\n'}
    )
    repo.hookci("run")
    with sqlite3.connect(repo.path / ".git/hookci/state.db") as connection:
        connection.execute("UPDATE passes SET finished = finished - 4000")
    connection.close()

    never, old = (repo.hookci("plan", "--why", job).stdout for job in "ab")

    assert never == "a: run, asked for; memory = false\n"
    assert "the pass in run 1 is older than max_age" in old


@pytest.mark.parametrize("words", [None, "{", '{"tree": 5}'])
def test_a_pass_whose_circumstances_are_not_known_says_what_it_can(judged: Judged, words: str | None) -> None:
    with sqlite3.connect(judged.repo.path / ".git/hookci/state.db") as connection:
        connection.execute("UPDATE passes SET circumstances = ?", (words,))
    connection.close()
    edit_other(judged)

    found = judged.differences(env={"FLAVOUR": "bitter"})

    assert found == {("file", "", "changed"), ("variable", "", "changed"), ("job", "build", "changed")}


def test_many_files_are_counted(judged: Judged) -> None:
    judged.repo.commit({f"many/{number:03}.txt": "x\n" for number in range(130)}, "first")

    text = judged.repo.hookci("plan", "--why", "unit").stdout
    entry = judged.why()

    assert "and 120 more files" in text
    assert len(entry["differences"]) == 100
    assert entry["more_files"] == 30


def test_each_cell_of_a_matrix_answers(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.a]\nscript = ["true"]\nmatrix = [{ N = ["1", "2"] }]\n'})

    text = repo.hookci("plan", "--why", "a").stdout

    assert text.count("run, asked for") == 2


def test_a_job_that_is_left_out_or_unknown_is_told_as_such(judged: Judged) -> None:
    repo = judged.repo

    left_out = repo.hookci("plan", "build", "--why", "unit").stdout
    unknown = repo.hookci("plan", "--why", "unitt", check=False)

    assert left_out == "unit: left out, not asked for (build)\n"
    assert unknown.returncode == 2
    assert "did you mean `unit`?" in unknown.stderr


def test_the_passes_of_an_older_hookci_are_carried_over(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    older = next(number for number, step in enumerate(MIGRATIONS) if "circumstances" in " ".join(step))
    connection = open_database(state / "state.db", MIGRATIONS[:older]).connection
    row = ("d", "{}", '"unit"', 7, 1.0, 2.0)
    connection.execute("INSERT INTO passes (digest, text, job, run, finished, seconds) VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.close()

    with Store.open(state, clock=lambda: 9.0, owner=ProcessIdentity(1, "")) as store:
        found = store.memory.newest("unit")

    assert found == KeptPass(Pass(7, 1.0, 2.0), "{}", None)
