"""What has passed does not run again; what might end otherwise does."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hookci

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Repo

CONFIG = """
[variables]
KIND = "plain"
[jobs.unit]
pass_env = ["FLAVOUR"]
carry = ["settings.env"]
script = ["echo ran >> $MARKS", "tool one two", "cat data.txt"]
[jobs.unit.variables]
MARKS = "@MARKS@"
"""


class Counted:
    """A repository whose job `unit` leaves a mark outside of it each time it really runs."""

    def __init__(self, repo: Repo, tmp_path: Path) -> None:
        self.repo = repo
        self.marks = tmp_path / "marks"
        self.tools = tmp_path / "tools"
        self.tools.mkdir()
        self.write_tool("echo tool")
        repo.env["PATH"] = f"{self.tools}:{repo.env['PATH']}"
        self.config = CONFIG.replace("@MARKS@", str(self.marks))
        self.repo.write_files({"settings.env": "a=1\n"})
        (repo.path / ".git/info").mkdir(exist_ok=True)
        (repo.path / ".git/info/exclude").write_text("settings.env\n")
        repo.commit({"hookci.toml": self.config, "data.txt": "data\n", "other.txt": "other\n"})

    def write_tool(self, line: str) -> None:
        tool = self.tools / "tool"
        tool.write_text(f"#!/bin/sh\n{line}\n")
        tool.chmod(0o755)

    @property
    def times(self) -> int:
        return len(self.marks.read_text().splitlines()) if self.marks.exists() else 0

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True) -> str:
        return self.repo.hookci("run", *arguments, env=env, check=check).stdout


@pytest.fixture
def counted(repo: Repo, tmp_path: Path) -> Counted:
    made = Counted(repo, tmp_path)
    made.run()
    assert made.times == 1
    return made


def test_the_same_tree_does_not_run_again(counted: Counted) -> None:
    said = counted.run()

    assert counted.times == 1
    assert "unit" in said
    assert "remembered: passed in run 1" in said
    assert "main is green: 1 job remembered (unit)" in said


def test_nor_does_it_under_another_message_commit_or_worktree(counted: Counted, tmp_path: Path) -> None:
    repo = counted.repo
    repo.git("commit", "-q", "--amend", "-m", "other words")
    counted.run()
    repo.git("checkout", "-q", "-b", "side", "HEAD")
    repo.commit({"extra.txt": "x"})
    repo.git("rm", "-q", "extra.txt")
    repo.commit(message="as it was")
    counted.run()
    repo.git("worktree", "add", "-q", str(tmp_path / "beside"), "main")
    (tmp_path / "beside" / "settings.env").write_text("a=1\n")
    (tmp_path / "beside" / "settings.env").chmod((repo.path / "settings.env").stat().st_mode)

    repo.run(sys.executable, "-I", "-m", "hookci", "run", cwd=tmp_path / "beside")

    assert counted.times == 1


def change_script(counted: Counted) -> None:
    counted.repo.commit({"hookci.toml": counted.config.replace("cat data.txt", "cat other.txt")})


def change_argument_order(counted: Counted) -> None:
    counted.repo.commit({"hookci.toml": counted.config.replace("one two", "two one")})


def change_variable(counted: Counted) -> None:
    counted.repo.commit({"hookci.toml": counted.config.replace('"plain"', '"fancy"')})


def change_file(counted: Counted) -> None:
    counted.repo.commit({"data.txt": "other data\n"})


def change_executable_bit(counted: Counted) -> None:
    (counted.repo.path / "data.txt").chmod(0o755)
    counted.repo.commit()


def change_tool(counted: Counted) -> None:
    counted.write_tool("echo another tool")


def put_tool_first_on_the_path(counted: Counted) -> None:
    first = counted.tools.parent / "first"
    first.mkdir()
    (first / "tool").write_text("#!/bin/sh\necho first\n")
    (first / "tool").chmod(0o755)
    counted.repo.env["PATH"] = f"{first}:{counted.repo.env['PATH']}"


def change_passed_variable(counted: Counted) -> None:
    counted.repo.env["FLAVOUR"] = "vanilla"


def change_package_manager_setting(counted: Counted) -> None:
    counted.repo.env["PIP_EXTRA"] = "something"


def change_carried_file(counted: Counted) -> None:
    counted.repo.write_files({"settings.env": "a=2\n"})


def change_attributes_beside_the_tree(counted: Counted) -> None:
    (counted.repo.path / ".git/info/attributes").write_text("*.txt text eol=crlf\n")


def change_line_endings_by_config(counted: Counted) -> None:
    counted.repo.git("config", "core.autocrlf", "true")


@pytest.mark.parametrize(
    "change",
    [
        change_script,
        change_argument_order,
        change_variable,
        change_file,
        change_executable_bit,
        change_tool,
        put_tool_first_on_the_path,
        change_passed_variable,
        change_package_manager_setting,
        change_carried_file,
        change_attributes_beside_the_tree,
        change_line_endings_by_config,
    ],
)
def test_what_a_result_depends_on_makes_it_run_again(counted: Counted, change: object) -> None:
    assert callable(change)
    change(counted)

    counted.run()

    assert counted.times == 2


def test_a_symbolic_links_target_is_an_input(counted: Counted) -> None:
    link = counted.repo.path / "link"
    link.symlink_to("data.txt")
    counted.repo.commit()
    counted.run()
    link.unlink()
    link.symlink_to("other.txt")
    counted.repo.commit()

    counted.run()

    assert counted.times == 3


def test_a_needed_job_is_an_input(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    config = f"""
        [jobs.build]
        stage = "build"
        inputs = ["src"]
        script = ["cp src out"]
        artifacts = ["out"]
        [jobs.unit]
        inputs = ["tests"]
        script = ["cat out >> {marks}"]
    """
    repo.commit({"hookci.toml": config, "src": "one\n", "tests": "t\n"})
    repo.hookci("run")
    repo.hookci("run")
    repo.commit({"src": "two\n"})

    repo.hookci("run")

    assert marks.read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ('script = ["echo ran >> @", "exit 1"]', 1),
        ('script = ["echo ran >> @", "sleep 9"]\ntimeout = "300ms"', 1),
        ('script = ["echo ran >> @", "exit 1"]\nallow_failure = true', 0),
        ('script = ["echo ran >> @"]\nmemory = false', 0),
    ],
    ids=["failed", "timed out", "overlooked", "memory = false"],
)
def test_only_passes_are_remembered(repo: Repo, tmp_path: Path, config: str, status: int) -> None:
    marks = tmp_path / "marks"
    repo.commit({"hookci.toml": "[jobs.unit]\n" + config.replace("@", str(marks))})

    first = repo.hookci("run", check=False)
    second = repo.hookci("run", check=False)

    assert (first.returncode, second.returncode) == (status, status)
    assert marks.read_text() == "ran\nran\n"


def test_a_pass_is_forgotten_at_its_age(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    repo.commit({"hookci.toml": f'[jobs.unit]\nscript = ["echo ran >> {marks}"]\nmax_age = "3s"\n'})
    repo.hookci("run")
    repo.hookci("run")
    assert marks.read_text() == "ran\n"
    time.sleep(3.1)

    assert "is older than max_age" in repo.hookci("plan").stdout
    repo.hookci("run")

    assert marks.read_text() == "ran\nran\n"


def test_no_memory_runs_everything_and_forget_forgets(counted: Counted) -> None:
    counted.run("--no-memory")
    assert counted.times == 2
    counted.run()
    assert counted.times == 2
    said = counted.repo.hookci("forget", "unit").stdout
    counted.run()
    assert counted.times == 3
    unknown = counted.repo.hookci("forget", "unti", check=False)

    assert said == "forgot 1 pass\n"
    assert unknown.returncode == 2
    assert unknown.stderr == "error: nothing is remembered of a job `unti`\nhint: remembered: unit\n"


def test_a_job_with_inputs_sees_only_those(repo: Repo, tmp_path: Path) -> None:
    listing = tmp_path / "listing"
    config = f"""
        [jobs.unit]
        inputs = ["src/**", "*.cfg"]
        script = ["find . -path ./.git -prune -o -type f -print | sort > {listing}", "git status --short >> {listing}"]
        [jobs.liar]
        inputs = ["src/**"]
        script = ["cat README"]
    """
    files = {"hookci.toml": config, "src/a/b.c": "b", "src/.hidden": "h", "x.cfg": "x", "README": "r", "d/y.cfg": "y"}
    repo.commit({**files, ".gitattributes": "* text=auto\n"})

    ran = repo.hookci("run", "--keep-going", check=False)

    assert listing.read_text().split() == ["./.gitattributes", "./src/.hidden", "./src/a/b.c", "./x.cfg"]
    assert ran.returncode == 1
    assert "1 job failed (liar)" in ran.stdout


def test_a_job_with_inputs_does_not_run_for_other_files(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    config = f'[jobs.unit]\ninputs = ["src/**"]\nscript = ["echo ran >> {marks}"]\n'
    repo.commit({"hookci.toml": config, "src/a": "a", "README": "r"})
    repo.hookci("run")
    repo.commit({"README": "other"})
    repo.hookci("run")
    assert marks.read_text() == "ran\n"
    repo.commit({"src/a": "b"})

    repo.hookci("run")

    assert marks.read_text() == "ran\nran\n"


def test_a_remembered_job_hands_its_artifacts_on_and_runs_again_when_they_are_gone(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    config = f"""
        [jobs.build]
        stage = "build"
        inputs = ["src"]
        script = ["echo ran >> {marks}", "cp src out"]
        artifacts = ["out"]
        [jobs.unit]
        script = ["cat out"]
    """
    repo.commit({"hookci.toml": config, "src": "s\n"})
    repo.hookci("run")
    repo.commit({"README": "r"})
    repo.hookci("run")
    assert marks.read_text() == "ran\n", "unit ran with the artifacts of run 1"
    places = list(Path(repo.env["HOME"], ".cache/hookci").glob("project-*/artifacts"))
    assert len(places) == 1
    subprocess.run(["rm", "-rf", str(places[0])], check=True)
    repo.hookci("run")
    assert marks.read_text() == "ran\n", "nothing that runs needs them"
    repo.commit({"README": "rr"})

    said = repo.hookci("run").stdout

    assert marks.read_text() == "ran\nran\n"
    assert "main is green: 2 jobs passed (build, unit)" in said


def test_a_remembered_job_whose_cache_is_gone_runs_again_for_who_pulls_it(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    config = f"""
        [jobs.build]
        stage = "build"
        inputs = ["src"]
        script = ["echo ran >> {marks}", "mkdir -p kept", "cp src kept/src"]
        cache = {{ key = "k", paths = ["kept"] }}
        [jobs.unit]
        script = ["cat kept/src"]
        cache = {{ key = "k", paths = ["kept"], policy = "pull" }}
    """
    repo.commit({"hookci.toml": config, "src": "s\n"})
    repo.hookci("run")
    for place in Path(repo.env["HOME"], ".cache/hookci").glob("project-*/caches"):
        subprocess.run(["rm", "-rf", str(place)], check=True)
    repo.commit({"README": "r"})

    ran = repo.hookci("run")

    assert ran.returncode == 0
    assert marks.read_text() == "ran\nran\n"


GIVING = """
    [jobs.build]
    stage = "build"
    inputs = ["src"]
    @
    script = ["cat src > out"]
    artifacts = ["out"]
    [jobs.unit]
    inputs = ["tests"]
    script = ["echo ran >> MARKS", "test ! -e out || ! grep -q bad out"]
"""


def test_what_passed_without_the_files_of_a_skipped_job_is_not_remembered(repo: Repo, tmp_path: Path) -> None:
    config = GIVING.replace("@", "").replace("MARKS", str(tmp_path / "marks"))
    repo.commit({"hookci.toml": config, "src": "bad", "tests": "t"})
    repo.hookci("run", env={"HOOKCI_SKIP": "build"})
    repo.hookci("run", "build")

    ran = repo.hookci("run", check=False)

    assert ran.returncode == 1


def test_what_depends_on_a_job_that_is_never_remembered_runs_with_it(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    repo.commit(
        {"hookci.toml": GIVING.replace("@", "memory = false").replace("MARKS", str(marks)), "src": "s", "tests": "t"}
    )
    repo.hookci("run")

    planned = repo.hookci("plan").stdout
    repo.hookci("run")

    assert marks.read_text() == "ran\nran\n"
    assert "`build`, which it depends on, is not remembered" in planned


def test_two_runs_that_want_the_same_job_do_it_once(repo: Repo, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    repo.commit({"hookci.toml": f'[jobs.unit]\nscript = ["echo ran >> {marks}", "sleep 2"]\n'})
    argv = [sys.executable, "-I", "-m", "hookci", "run"]

    both = [
        subprocess.Popen(argv, cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, text=True, start_new_session=True)
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert marks.read_text() == "ran\n"
    assert sum("1 job remembered (unit)" in text for text in said) == 1


def database(repo: Repo) -> sqlite3.Connection:
    return sqlite3.connect(repo.path / ".git/hookci/state.db")


def test_a_record_that_is_not_whole_is_as_good_as_none(counted: Counted) -> None:
    with database(counted.repo) as connection:
        assert connection.execute("UPDATE passes SET text = substr(text, 1, 40)").rowcount == 1
    connection.close()

    counted.run()

    assert counted.times == 2


def test_secrets_are_in_no_record(repo: Repo) -> None:
    config = '[jobs.unit]\nsecrets = ["API_TOKEN"]\nscript = ["test -n \\"$API_TOKEN\\""]\n'
    repo.commit({"hookci.toml": config})
    repo.env["API_TOKEN"] = "sentinel-8d1f"

    repo.hookci("run")

    written = [path for path in (repo.path / ".git/hookci").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"sentinel-8d1f" in path.read_bytes()]


def test_commit_then_push_runs_a_job_once(counted: Counted) -> None:
    repo = counted.repo
    repo.commit({"hookci.toml": counted.config + '[hooks]\npre-commit = ["unit"]\n'})
    repo.hookci("install")
    repo.write_files({"data.txt": "new\n"})
    repo.git("commit", "-qam", "judged when committed")
    times = counted.times

    repo.git("push", "-q", "origin", "main")

    assert counted.times == times
    assert repo.remote_branches() == {"main"}


def test_a_green_verdict_answers_for_another_branch(counted: Counted) -> None:
    repo = counted.repo
    repo.hookci("install")
    repo.git("push", "-q", "origin", "main")

    pushed = repo.git("push", "origin", "main:other")

    assert "hookci: other is green: remembered [run " in pushed.stderr
    assert repo.remote_branches() == {"main", "other"}


def test_a_verdict_does_not_answer_for_a_variable_that_was_not_set_then(repo: Repo) -> None:
    repo.commit({"hookci.toml": "[jobs.unit]\nscript = ['test -z \"$CI_COMMIT_TAG\"']\n"})
    repo.hookci("install")
    repo.git("push", "-q", "origin", "main")
    repo.git("tag", "v1")

    pushed = repo.git("push", "origin", "v1", check=False)

    assert pushed.returncode != 0
    assert set(repo.remote_refs()) == {"refs/heads/main"}


@pytest.mark.parametrize("variable", ["HOOKCI_HOOK", "CI_JOB_NAME"])
def test_what_a_job_is_told_of_itself_is_an_input_if_it_names_it(repo: Repo, variable: str) -> None:
    value = {"HOOKCI_HOOK": "pre-commit", "CI_JOB_NAME": "one"}[variable]
    script = f"""script = ['test "${variable}" = {value}']"""
    repo.commit({"hookci.toml": f"[jobs.one]\n{script}\n[jobs.two]\n{script}\n"})

    first = repo.hookci("run", "one", "--hook", "pre-commit", check=False)
    second = repo.hookci("run", "two", check=False)

    assert (first.returncode, second.returncode) == (0, 1)


def test_a_failure_voids_the_pass_of_the_same(repo: Repo, tmp_path: Path) -> None:
    switch = tmp_path / "switch"
    repo.commit({"hookci.toml": f'[jobs.unit]\nscript = ["test ! -e {switch}"]\n'})
    repo.hookci("run")
    switch.touch()
    assert repo.hookci("run").returncode == 0, "what lies outside of the tree is no input"
    assert repo.hookci("run", "--no-memory", check=False).returncode == 1

    again = repo.hookci("run", check=False)

    assert again.returncode == 1


def test_a_verdict_does_not_answer_where_rules_decide_otherwise(repo: Repo) -> None:
    config = """
        [jobs.unit]
        script = ["true"]
        [jobs.strict]
        script = ["false"]
        rules = [{ branch = "main" }]
    """
    repo.commit({"hookci.toml": config})
    repo.hookci("install")
    feature = repo.git("push", "origin", "main:feature", check=False)

    main = repo.git("push", "origin", "main", check=False)

    assert feature.returncode == 0
    assert main.returncode != 0
    assert repo.remote_branches() == {"feature"}


def test_a_run_of_some_jobs_is_no_verdict(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.good]\nscript = ["true"]\n[jobs.bad]\nscript = ["false"]\n'})
    repo.hookci("install")
    repo.hookci("run", "good")

    pushed = repo.git("push", "origin", "main", check=False)

    assert pushed.returncode != 0
    assert repo.remote_branches() == set()


def test_a_run_with_skipped_jobs_is_no_verdict(repo: Repo) -> None:
    repo.commit({"hookci.toml": '[jobs.good]\nscript = ["true"]\n[jobs.bad]\nscript = ["false"]\n'})
    repo.hookci("install")
    skipped = repo.git("push", "origin", "main:skipped", env={"HOOKCI_SKIP": "bad"})

    pushed = repo.git("push", "origin", "main", check=False)

    assert "bad" in skipped.stderr
    assert pushed.returncode != 0
    assert repo.remote_branches() == {"skipped"}


def test_a_tool_that_changed_after_the_verdict_makes_it_void(counted: Counted) -> None:
    repo = counted.repo
    repo.hookci("install")
    repo.git("push", "-q", "origin", "main")
    counted.write_tool("exit 1")

    pushed = repo.git("push", "origin", "main:other", check=False)

    assert pushed.returncode != 0
    assert repo.remote_branches() == {"main"}


def test_a_remembered_verdict_loads_nothing_heavy(counted: Counted) -> None:
    repo = counted.repo
    repo.hookci("install")
    repo.git("push", "-q", "origin", "main")
    tip = repo.out("rev-parse", "HEAD")
    main = Path(hookci.__file__).parent / "__main__.py"
    argv = [sys.executable, "-I", "-X", "importtime", str(main), "hook", "pre-push", "--", "origin", str(repo.remote)]

    ran = repo.run(*argv, stdin=f"refs/heads/main {tip} refs/heads/x {'0' * 40}\n")

    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
    heavy = {"git", "rich", "pydantic", "pydantic_core", "tomli", "wcmatch", "docker", "hookci.config.pipeline"}
    assert "x is green: remembered" in ran.stderr
    assert "hookci.flow" in imported
    assert imported & heavy == set()


def test_the_environment_of_the_test_is_sealed() -> None:
    """Should HOOKCI_SKIP leak into these tests, half of them would show nothing."""
    assert "HOOKCI_SKIP" not in os.environ
