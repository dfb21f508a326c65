"""Whatever is done to a repository and its machine: the shim says green only where hookci in full remembers it."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest
from conftest import stress
from green_worlds import in_full, pushed, records, settle, shim_answers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo

CONFIG = """
[jobs.unit]
pass_env = ["FLAVOUR", "MORE_*"]
script = ["judge", "! grep -q bad data.txt", "test ! -x data.txt", "test \\"$FLAVOUR\\" != bad"]
[hooks]
pre-commit = ["unit"]
"""


class World:
    """What can be done to a repository and the machine around it, at random."""

    def __init__(self, repo: Repo, place: Path, seed: int) -> None:
        self.repo, self.random = repo, random.Random(seed)
        self.directories = [place / name for name in ("early", "middle", "late")]
        for directory in self.directories:
            directory.mkdir()
        self.usual_path = repo.env["PATH"]
        repo.env.update(PATH=os.pathsep.join([*map(str, self.directories), self.usual_path]))
        self.write_tool(self.directories[1], "exit 0")
        repo.commit({"hookci.toml": CONFIG, "data.txt": "good\n"})
        self.steps: list[Callable[[], object]] = [
            self.data, self.mode, self.amend, self.flavour, self.other_variable, self.search_path, self.tool,
            self.tool_of_the_same_time, self.tool_mode, self.tool_gone, self.git_config, self.attributes, self.torn,
            self.foreign, self.linked, self.clock, self.twins, self.forget, self.back,
        ]  # fmt: skip

    def write_tool(self, directory: Path, line: str) -> None:
        # by another file put in its place, as those who install programs do
        new = directory / ".new"
        new.write_text(f"#!/bin/sh\n{line}\n")
        new.chmod(0o755)
        new.replace(directory / "judge")

    def anywhere(self) -> Path:
        return self.random.choice(self.directories)

    def any_record(self) -> Path | None:
        found = [*records(self.repo), *records(self.repo, "pre-push")]
        return self.random.choice(found) if found else None

    def data(self) -> None:
        self.repo.write_files({"data.txt": self.random.choice(["good\n", "fine\n", "bad\n"])})
        self.repo.git("add", "-A")

    def mode(self) -> None:
        (self.repo.path / "data.txt").chmod(self.random.choice([0o644, 0o755]))
        self.repo.git("add", "-A")

    def amend(self) -> None:
        self.repo.git("commit", "-q", "--amend", "--no-verify", "-m", f"words {self.random.random()}")

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
        if record:
            shutil.copy(record, record.with_name(self.repo.out("write-tree")), follow_symlinks=False)

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
        place = self.repo.path / ".git/hookci/green/twins"
        if place.is_dir():
            twin = self.random.choice(sorted(place.iterdir()))
            if self.random.random() < 1 / 2:
                twin.unlink()
            else:
                twin.touch()

    def forget(self) -> None:
        self.repo.hookci("forget")

    def compare(self, seen: list[str]) -> int:
        """Ask both of the index and of the last commit; how often the shim answered."""
        answered = 0
        for hook, stdin in (("pre-commit", ""), ("pre-push", pushed(self.repo.out("rev-parse", "HEAD")))):
            by_shim = shim_answers(self.repo, hook, stdin=stdin)
            by_hookci = in_full(self.repo, hook, stdin=stdin)
            if by_shim:
                assert (by_hookci.returncode, by_hookci.stderr) == (0, by_shim.stderr), seen
                answered += 1
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

    assert answered
