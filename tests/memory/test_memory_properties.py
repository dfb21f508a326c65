"""Whatever is done to a repository and its machine: the memory never says green where a full run would be red."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import AUTHOR, Repo, stress
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

# The job is red when the file, its mode, the variable, the tool, the carried file or the script says so.
CONFIG = """
[jobs.build]
stage = "build"
inputs = ["src.txt"]
script = ["cat src.txt > made.txt"]
artifacts = ["made.txt"]
[jobs.unit]
needs = ["build"]
inputs = ["data.txt", "run.sh"]
pass_env = ["FLAVOUR"]
carry = ["carried.env"]
script = [
  "! grep -q bad made.txt", "! grep -q bad data.txt", "test ! -x run.sh", "test \\"$FLAVOUR\\" != bad",
  "! grep -q bad carried.env", "judge", "@WORD@", "! grep -q \\"$(printf '\\\\r')\\" data.txt",
]
[jobs.branch]
inputs = []
rules = [{ branch = "strict" }]
script = ["false"]
"""

WORDS = st.sampled_from(["good", "fine", "bad"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("data"), WORDS),
        st.tuples(st.just("src"), WORDS),
        st.tuples(st.just("unrelated"), WORDS),
        st.tuples(st.just("mode"), st.booleans()),
        st.tuples(st.just("script"), st.sampled_from(["true", "echo hello", "false"])),
        st.tuples(st.just("flavour"), WORDS),
        st.tuples(st.just("tool"), st.sampled_from(["exit 0", "exit 0 # again", "exit 1"])),
        st.tuples(st.just("carry"), WORDS),
        st.tuples(st.just("amend"), st.none()),
        st.tuples(st.just("branch"), st.sampled_from(["main", "strict", "other"])),
        st.tuples(st.just("torn"), st.integers(0, 60)),
        st.tuples(st.just("clock"), st.sampled_from([-1e6, 1e6])),
        st.tuples(st.just("upgrade"), st.sampled_from(["schema", "installation"])),
        st.tuples(st.just("forget"), st.none()),
        st.tuples(st.just("line ends"), st.sampled_from(["true", "false", "input"])),
        st.tuples(st.just("attributes"), st.sampled_from(["", "data.txt eol=crlf", "other eol=crlf"])),
        st.tuples(st.just("setting"), st.sampled_from(["1", "2"])),
        st.tuples(st.just("worktree"), st.none()),
    ),
    min_size=3,
    max_size=8,
)


class World:
    """A repository, the machine around it, and what a full run of it would say."""

    def __init__(self, place: Path) -> None:
        home, path = place / "home", place / "project"
        home.mkdir()
        (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n")
        self.tools = place / "tools"
        self.tools.mkdir()
        env = {**AUTHOR, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PATH": f"{self.tools}:/usr/bin:/bin"}
        self.repo = Repo(path, env)
        self.repo.run("git", "init", "-q", str(path), cwd=place)
        (path / ".git/info").mkdir(exist_ok=True)
        (path / ".git/info/exclude").write_text("carried.env\n")
        self.script = "true"
        self.flavour = "good"
        self.branch = "main"
        self.line_ends, self.attributes = "false", ""
        self.beside: Path | None = None
        self.tool("exit 0")
        self.repo.write_files({"carried.env": "good\n"})
        self.commit({"src.txt": "good\n", "data.txt": "good\n", "run.sh": "#!/bin/sh\n", "README": "r\n"})

    def commit(self, files: dict[str, str]) -> None:
        self.repo.commit({"hookci.toml": CONFIG.replace("@WORD@", self.script), **files})

    def tool(self, line: str) -> None:
        tool = self.tools / "judge"
        tool.write_text(f"#!/bin/sh\n{line}\n")
        tool.chmod(0o755)

    def execute(self, step: tuple[str, object]) -> None:
        what, value = step
        actions: dict[str, Callable[[], object]] = {
            "data": lambda: self.commit({"data.txt": f"{value}\n"}),
            "src": lambda: self.commit({"src.txt": f"{value}\n"}),
            "unrelated": lambda: self.commit({"README": f"{value}\n"}),
            "mode": lambda: self.set_mode(executable=bool(value)),
            "script": lambda: self.set_script(str(value)),
            "flavour": lambda: setattr(self, "flavour", str(value)),
            "tool": lambda: self.tool(str(value)),
            "carry": lambda: self.repo.write_files({"carried.env": f"{value}\n"}),
            "amend": lambda: self.repo.git("commit", "-q", "--amend", "--no-verify", "-m", "other words"),
            "branch": lambda: setattr(self, "branch", str(value)),
            "torn": lambda: self.touch_records(f"UPDATE passes SET text = substr(text, 1, {value})"),
            "clock": lambda: self.touch_records(f"UPDATE passes SET finished = finished + {value}"),
            "upgrade": lambda: self.upgrade(str(value)),
            "forget": lambda: self.repo.hookci("forget"),
            "line ends": lambda: self.set_line_ends(str(value)),
            "attributes": lambda: self.set_attributes(str(value)),
            "setting": lambda: self.repo.git("config", "hookci.jobs", str(value)),
            "worktree": self.move,
        }
        actions[what]()

    def set_mode(self, *, executable: bool) -> None:
        (self.repo.path / "run.sh").chmod(0o755 if executable else 0o644)
        self.commit({})

    def set_script(self, script: str) -> None:
        self.script = script
        self.commit({})

    def set_line_ends(self, value: str) -> None:
        self.line_ends = value
        self.repo.git("config", "core.autocrlf", value)

    def set_attributes(self, line: str) -> None:
        self.attributes = line
        self.commit({".gitattributes": f"{line}\n"})

    def move(self) -> None:
        """Go on in another worktree, or back in the first."""
        place = self.repo.path.with_name("beside")
        if not place.exists():
            self.repo.git("worktree", "add", "-q", "--detach", str(place), "HEAD")
        self.beside = None if self.beside else place

    def upgrade(self, what: str) -> None:
        """Make the records those of another hookci: one with other keys, or one installed elsewhere."""
        if what == "schema":
            self.touch_records("""UPDATE passes SET text = replace(text, '"schema":1', '"schema":0')""")
        else:
            self.touch_records("UPDATE verdicts SET installation = 'another'")

    def touch_records(self, statement: str) -> None:
        database = self.repo.path / ".git/hookci/state.db"
        if database.exists():
            connection = sqlite3.connect(database)
            with connection:
                connection.execute(statement)
            connection.close()

    def expected(self) -> bool:
        read: Callable[[str], str] = lambda name: (self.repo.path / name).read_text()  # noqa: E731 (local shorthand)
        return (
            all("bad" not in read(name) for name in ("src.txt", "data.txt", "carried.env"))
            and not (self.repo.path / "run.sh").stat().st_mode & 0o100
            and self.flavour != "bad"
            and "exit 1" not in (self.tools / "judge").read_text()
            and self.script != "false"
            and self.branch != "strict"
            and self.line_ends != "true"
            and not self.attributes.startswith("data.txt")
        )

    def push(self) -> bool:
        """What the push hook says of the commit, as a push to the branch at hand would run it."""
        tip = self.repo.out("rev-parse", "HEAD")
        line = f"HEAD {tip} refs/heads/{self.branch} {'0' * 40}\n"
        env = {"FLAVOUR": self.flavour}
        if self.beside:
            shutil.copy2(self.repo.path / "carried.env", self.beside)
        argv = [sys.executable, "-I", "-m", "hookci", "hook", "pre-push", "--", "origin", "nowhere"]
        ran = self.repo.run(*argv, stdin=line, env=env, check=False, cwd=self.beside)
        assert ran.returncode in {0, 1}, ran.output
        return ran.returncode == 0


@settings(
    max_examples=stress(6),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps=STEPS)
def test_no_sequence_of_changes_makes_it_say_green_where_a_full_run_would_be_red(
    steps: list[tuple[str, object]],
) -> None:
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        assert world.push()
        for step in steps:
            world.execute(step)
            assert world.push() == world.expected(), steps
            assert world.push() == world.expected(), "and the second time"
