"""Whatever is done to a repository and its machine: the shim says green only where hookci in full remembers it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import tomllib
from typing import TYPE_CHECKING, TypedDict

import pytest
from conftest import stress
from green_worlds import in_full, own_hookci, programs, pushed, records, settle, shim_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import Repo

CONFIG = """
[jobs.unit]
pass_env = ["FLAVOUR", "MORE_*"]
script = ["judge", "! grep -q bad data.txt", "test ! -x data.txt", "test \\"$FLAVOUR\\" != bad", "@LAST@"]
@MORE@
[hooks]
pre-commit = ["unit"]
"""
LASTS = ["true", "echo hello", "false", "test $(wc -c < data.txt) -eq 5"]
"""The last one fails where git writes lines with a carriage return."""
MORES = ["", 'max_age = "1h"', "memory = false", 'rules = [{ branch = "main" }]', 'inputs = ["data.txt"]']
NOBODY = 65_534


class Where(TypedDict):
    """From where a hook is asked, and which hookci."""

    env: Mapping[str, str]
    cwd: Path
    python: Path
    main: Path


class World:
    """What can be done to a repository and the machine around it, at random."""

    def __init__(self, repo: Repo, place: Path, seed: int) -> None:
        self.repo, self.random, self.place = repo, random.Random(seed), place
        self.python, self.main = own_hookci(place / "venv")
        self.directories = [place / name for name in ("early", "middle", "late")]
        self.buried = place / "buried"
        for directory in (*self.directories, self.buried):
            directory.mkdir()
        self.usual_path = str(programs())
        repo.env.update(PATH=os.pathsep.join([*map(str, self.directories), self.usual_path]))
        self.write_tool(self.directories[1], "exit 0")
        self.damaged = False
        self.last, self.more = LASTS[0], MORES[0]
        repo.commit({"hookci.toml": self.config, "data.txt": "good\n"})
        self.cwd = repo.path
        self.steps: list[Callable[[], object]] = [
            self.data, self.mode, self.amend, self.flavour, self.other_variable, self.search_path, self.tool,
            self.tool_of_the_same_time, self.tool_mode, self.tool_gone, self.git_config, self.attributes, self.torn,
            self.foreign, self.linked, self.clock, self.twins, self.forget, self.back, self.settings, self.line_ends,
            self.tree_attributes, self.edit_config, self.upgrade, self.age, self.garbage, self.owner, self.damage,
            self.worktree, self.commit, self.index, self.index_in_place,
        ]  # fmt: skip

    @property
    def config(self) -> str:
        return CONFIG.replace("@LAST@", self.last).replace("@MORE@", self.more)

    def write_tool(self, directory: Path, line: str) -> None:
        # by another file put in its place, as those who install programs do; the old one keeps its inode's number
        new, old = directory / ".new", directory / "judge"
        if old.exists():
            (self.buried / str(len(list(self.buried.iterdir())))).hardlink_to(old)
        new.write_text(f"#!/bin/sh\n{line}\n")
        new.chmod(0o755)
        new.replace(old)

    def anywhere(self) -> Path:
        return self.random.choice(self.directories)

    def any_record(self) -> Path | None:
        """A record, or the conditions of its world."""
        found = [*records(self.repo), *records(self.repo, "pre-push")]
        found += sorted({record.with_name("conditions") for record in found})
        return self.random.choice(found) if found else None

    def data(self) -> None:
        self.repo.write_files({"data.txt": self.random.choice(["good\n", "fine\n", "bad\n"])})
        self.repo.git("add", "-A")

    def mode(self) -> None:
        (self.repo.path / "data.txt").chmod(self.random.choice([0o644, 0o755]))
        self.repo.git("add", "-A")

    def amend(self) -> None:
        self.repo.git("commit", "-q", "--amend", "--allow-empty", "--no-verify", "-m", f"words {self.random.random()}")

    def back(self) -> None:
        self.repo.git("checkout", "-q", "HEAD@{1}", "--", ".", check=False)

    def flavour(self) -> None:
        if self.repo.env.pop("FLAVOUR", None) is None:
            self.repo.env["FLAVOUR"] = self.random.choice(["good", "bad"])

    def other_variable(self) -> None:
        name = self.random.choice(["MORE_OF", "PIP_INDEX_URL", "ELSE", "LC_TIME"])
        if self.repo.env.pop(name, None) is None:
            self.repo.env[name] = "C"

    def search_path(self) -> None:
        self.random.shuffle(self.directories)
        self.repo.env["PATH"] = os.pathsep.join([*map(str, self.directories), self.usual_path])

    def tool(self) -> None:
        self.write_tool(self.anywhere(), self.random.choice(["exit 0", "exit 0 # again", "exit 1"]))

    def tool_of_the_same_time(self) -> None:
        tool = self.anywhere() / "judge"
        if tool.exists():
            before = tool.stat()
            self.write_tool(tool.parent, self.random.choice(["exit 0", "exit 1"]))
            earlier = self.random.choice([0, 10**9])
            os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns - earlier))

    def tool_mode(self) -> None:
        tool = self.anywhere() / "judge"
        if tool.exists():
            tool.chmod(self.random.choice([0o644, 0o755]))

    def tool_gone(self) -> None:
        if sum((directory / "judge").exists() for directory in self.directories) > 1:
            (self.anywhere() / "judge").unlink(missing_ok=True)

    def git_config(self) -> None:
        scope = self.random.choice(["--local", "--global"])
        self.repo.git("config", scope, "core.eol", self.random.choice(["lf", "crlf", "native"]))

    def attributes(self) -> None:
        (self.repo.path / ".git/info").mkdir(exist_ok=True)
        (self.repo.path / ".git/info/attributes").write_text(self.random.choice(["", "*.x eol=lf\n"]))

    def torn(self) -> None:
        record = self.any_record()
        if record:
            whole = record.read_bytes()
            record.write_bytes(whole[: self.random.randrange(len(whole))])

    def foreign(self) -> None:
        record = self.any_record()
        target = record and record.with_name(self.repo.out("write-tree"))
        if record and target and not (target.exists() and target.samefile(record)):
            shutil.copy(record, target, follow_symlinks=False)

    def linked(self) -> None:
        record = self.any_record()
        target = record and record.with_name(self.repo.out("write-tree"))
        if record and target and not os.path.lexists(target):
            if self.random.random() < 1 / 2:
                target.symlink_to(record)
            else:
                target.hardlink_to(record)

    def clock(self) -> None:
        tool = self.anywhere() / "judge"
        if tool.exists():
            later = tool.stat().st_mtime + self.random.choice([-1e6, 1e6])
            os.utime(tool, (later, later))

    def twins(self) -> None:
        found = sorted(self.repo.path.glob(".git/hookci/green/**/times/*"))
        if found:
            twin = self.random.choice(found)
            if self.random.random() < 1 / 2:
                twin.unlink()
            else:
                twin.touch()

    def index(self) -> None:
        """Keep a copy of the index with its time, or put one back that was kept."""
        index = self.repo.path / ".git/index"
        kept = sorted(self.place.glob("index-*"))
        if kept and self.random.random() < 1 / 2:
            new = index.with_name("index.new")
            shutil.copy2(self.random.choice(kept), new)
            new.replace(index)
        else:
            shutil.copy2(index, self.place / f"index-{len(kept)}")

    def index_in_place(self) -> None:
        """Have git write the index anew, with the same or with other files in it."""
        self.repo.git("read-tree", self.random.choice(["HEAD", "HEAD", "HEAD@{1}"]), check=False)

    def forget(self) -> None:
        self.repo.hookci("forget")

    def settings(self) -> None:
        name, values = self.random.choice(
            [("jobs", ["1", "2"]), ("deploys", ["site", "other"]), ("unconfigured", ["allow"])]
        )
        self.repo.git("config", f"hookci.{name}", self.random.choice(values))

    def line_ends(self) -> None:
        self.repo.git("config", "core.autocrlf", self.random.choice(["true", "false", "input"]))

    def tree_attributes(self) -> None:
        self.repo.write_files({".gitattributes": self.random.choice(["", "*.txt eol=crlf\n", "*.x eol=lf\n"])})
        self.repo.git("add", "-A")

    def edit_config(self) -> None:
        self.last, self.more = self.random.choice(LASTS), self.random.choice(MORES)
        self.repo.write_files({"hookci.toml": self.config})
        self.repo.git("add", "-A")

    def commit(self) -> None:
        self.repo.commit(message=f"words {self.random.random()}")

    def upgrade(self) -> None:
        package = self.main.with_name("__init__.py")
        package.write_text(f"{package.read_text()}\n__version__ = '{self.random.random()}'\n")

    def age(self) -> None:
        """Set the clock back or forward, as what is written down would see it."""
        by = self.random.choice([-1e6, 1e6])
        self.in_database(f"UPDATE passes SET finished = finished + {by}")

    def in_database(self, statement: str) -> None:
        database = self.repo.path / ".git/hookci/state.db"
        if database.exists() and not self.damaged:
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                connection.execute(statement)

    def damage(self) -> None:
        database = self.repo.path / ".git/hookci/state.db"
        if database.exists():
            database.write_bytes(database.read_bytes()[: self.random.randrange(5000)])
            self.damaged = True

    def garbage(self) -> None:
        record = self.any_record()
        if record:
            whole = bytearray(record.read_bytes())
            place = self.random.randrange(len(whole))
            whole[place : place + self.random.randrange(3)] = self.random.randbytes(self.random.randrange(3))
            record.write_bytes(whole)

    def owner(self) -> None:
        record = self.any_record()
        if record and os.geteuid() == 0:
            os.chown(self.random.choice([record, record.parent, record.parent.parent]), NOBODY, -1)

    def worktree(self) -> None:
        """Go on in another worktree, or back in the first."""
        beside = self.place / "beside"
        if self.cwd == beside:
            self.cwd = self.repo.path
            return
        if not beside.exists():
            self.repo.git("worktree", "add", "-q", "--detach", str(beside), "HEAD")
        self.cwd = beside

    @property
    def around(self) -> dict[str, str]:
        """What git tells a hook of where it is."""
        if self.cwd == self.repo.path:
            return {}
        git_dir = self.repo.path / ".git/worktrees/beside"
        return {"GIT_DIR": str(git_dir), "GIT_INDEX_FILE": f"{git_dir}/index"}

    def truth(self, tree: str) -> bool:
        """Whether the job passes on ``tree``, without any hookci."""
        where = self.place / f"truth-{len(list(self.place.iterdir()))}"
        where.mkdir()
        git_dir = self.repo.path / ".git"
        env = {"GIT_INDEX_FILE": f"{where}.index", "GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(where)}
        self.repo.run("git", "read-tree", "-u", "--reset", tree, env=env, cwd=where)
        script = tomllib.loads((where / "hookci.toml").read_text())["jobs"]["unit"]["script"]
        return all(self.repo.run("sh", "-c", line, check=False, cwd=where).returncode == 0 for line in script)

    def compare(self, seen: list[str]) -> int:
        """Ask both of the index and of the last commit; how often the shim answered."""
        answered = 0
        head = self.repo.run("git", "rev-parse", "HEAD", "HEAD^{tree}", cwd=self.cwd).stdout.split()
        index = self.repo.run("git", "write-tree", cwd=self.cwd).stdout.strip()
        for hook, stdin, tree in (("pre-commit", "", index), ("pre-push", pushed(head[0]), head[1])):
            where: Where = {"env": self.around, "cwd": self.cwd, "python": self.python, "main": self.main}
            by_shim = shim_answers(self.repo, hook, stdin=stdin, **where)
            by_hookci = in_full(self.repo, hook, stdin=stdin, **where)
            assert by_hookci.returncode == (0 if self.truth(tree) else 1), (seen, by_hookci.output)
            if by_shim:
                assert by_hookci.returncode == 0, seen
                # a record stays sound when the database beside it is not
                assert self.damaged or by_hookci.stderr == by_shim.stderr, seen
                answered += 1
        self.damaged = False
        return answered


@pytest.mark.parametrize("seed", range(stress(3)))
def test_no_sequence_of_changes_makes_the_shim_say_what_hookci_would_not(repo: Repo, tmp_path: Path, seed: int) -> None:
    world = World(repo, tmp_path, seed)
    seen: list[str] = []
    answered = 0
    for _ in range(10):
        settle()
        world.compare(seen)
        answered += world.compare(seen)
        step = world.random.choice(world.steps)
        seen.append(step.__name__)
        step()

    assert answered, seen
