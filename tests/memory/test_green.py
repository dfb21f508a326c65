"""The shim answers for what is known to be green, and for nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from green_worlds import executed, in_full, own_hookci, programs, pushed, records, settle, shim_answers, with_umask
from wanted import needed

import hookci
from hookci.execute.environment import PASSED
from hookci.execute.observations import NOISE
from hookci.git.shims import read_shim
from hookci.store.green import UntellableError, track

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

SHELLS = [name for name in ("dash", "bash", "busybox", "zsh") if shutil.which(name)]
CONFIG = """
[jobs.unit]
pass_env = ["FLAVOUR", "MORE_*"]
script = ["judge one", "grep -q good data.txt"]
[hooks]
pre-commit = ["unit"]
"""


class World:
    """A repository whose staged tree is green, with a record of that for commits and pushes."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo = repo
        self.tools, self.later = place / "the tools", place / "later"
        self.tools.mkdir()
        self.later.mkdir()
        repo.env["PATH"] = f"{self.tools}:{programs()}:{self.later}"
        repo.env.update(LOGNAME="ana", USER="ana")  # zsh sets them where they are missing
        self.tool("exit 0")
        repo.commit({"hookci.toml": CONFIG, "data.txt": "good\n"})
        self.head = repo.out("rev-parse", "HEAD")
        settle()
        for hook, stdin in (("pre-commit", ""), ("pre-push", pushed(self.head))):
            assert in_full(repo, hook, stdin=stdin).returncode == 0
            assert shim_answers(repo, hook, stdin=stdin), records(repo, hook)

    def tool(self, line: str) -> None:
        tool = self.tools / "judge"
        tool.write_text(f"#!/bin/sh\n{line}\n")
        tool.chmod(0o755)

    @property
    def green(self) -> Path:
        return self.repo.path / ".git/hookci/green"

    @property
    def record(self) -> Path:
        return records(self.repo)[0]

    @property
    def conditions(self) -> Path:
        return self.record.with_name("conditions")

    @property
    def times(self) -> list[Path]:
        return sorted(self.record.with_name("times").iterdir())


@pytest.fixture
def world(repo: Repo, tmp_path: Path) -> World:
    return World(repo, tmp_path)


def test_it_says_what_hookci_would_say(world: World) -> None:
    repo, stdin = world.repo, pushed(world.head)
    by_shim = [shim_answers(repo), shim_answers(repo, "pre-push", stdin=stdin)]
    by_hookci = [in_full(repo), in_full(repo, "pre-push", stdin=stdin)]

    assert [answer and answer.stderr for answer in by_shim] == [answer.stderr for answer in by_hookci]
    assert by_hookci[0].stderr == "hookci: the index is green: remembered [run 1]\n"


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_answers_or_leaves_it_to_hookci(world: World, name: str) -> None:
    shell = [name, "sh"] if name == "busybox" else [name]
    stdin = pushed(world.head)

    answers = [shim_answers(world.repo, shell=shell), shim_answers(world.repo, "pre-push", stdin=stdin, shell=shell)]

    # busybox compares whole seconds, and zsh does not split words unless it is called sh
    assert [answer is not None for answer in answers] == [name in {"dash", "bash"}] * 2


def test_zsh_answers_when_it_is_sh(world: World, tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to(needed("zsh"))

    assert shim_answers(world.repo, shell=[str(tmp_path / "sh")])


def started_by(repo: Repo, trace: Path, *words: str) -> list[str]:
    """What git starts, and what that does: the arguments of each process."""
    traced = repo.run(needed("strace"), "-f", "-qq", "-e", "trace=execve", "-o", str(trace), "git", *words, check=False)
    if "PTRACE" in traced.stderr or "ptrace" in traced.stderr:
        pytest.skip("strace may not trace here")
    assert traced.returncode == 0
    return [call.split('["')[1].split("]")[0] for call in executed(trace)]


def test_no_python_and_one_git_are_started(world: World, tmp_path: Path) -> None:
    repo = world.repo
    repo.hookci("install")
    settle()  # installing has just written git's config
    repo.git("commit", "-q", "--amend", "--no-edit")
    settle()

    amended = started_by(repo, tmp_path / "trace", "commit", "-q", "--amend", "-m", "other words")
    pushed = started_by(repo, tmp_path / "trace", "push", "-q", "origin", "HEAD:refs/heads/x")

    assert not [argv for argv in (*amended, *pushed) if "__main__" in argv]
    assert sum("write-tree" in argv for argv in amended) == 1
    assert not [argv for argv in amended if argv.startswith(".git/hooks/post-")]
    hook = next(place for place, argv in enumerate(pushed) if argv.startswith(".git/hooks/pre-push"))
    assert "rev-parse" in pushed[hook + 1]


def test_nothing_is_written_to_the_repository(world: World) -> None:
    git = world.repo.path / ".git"
    before = {path: path.stat().st_mtime_ns for path in git.rglob("*")}

    assert shim_answers(world.repo)

    assert {path: path.stat().st_mtime_ns for path in git.rglob("*")}.keys() == before.keys()
    assert (git / "index").stat().st_mtime_ns == before[git / "index"]


def test_an_index_whose_lock_is_taken_is_read_all_the_same(world: World) -> None:
    (world.repo.path / ".git/index.lock").write_text("")

    assert shim_answers(world.repo)


def test_an_index_that_has_no_trees_yet_changes_nothing_and_mends_itself(world: World) -> None:
    repo = world.repo
    index = repo.path / ".git/index"
    repo.git("rm", "-q", "--cached", "data.txt")
    repo.git("add", "data.txt")
    before = index.read_bytes()

    answers = [shim_answers(repo), shim_answers(repo)]
    bytes_after = index.read_bytes()
    settle()
    in_full(repo)

    assert answers[1] is None
    assert bytes_after == before
    repo.git("write-tree")
    assert shim_answers(repo)


def change_data(world: World) -> None:
    world.repo.write(data_txt="x")
    world.repo.write_files({"data.txt": "good again\n"})
    world.repo.git("add", "data.txt")


def change_mode(world: World) -> None:
    (world.repo.path / "data.txt").chmod(0o755)
    world.repo.git("add", "data.txt")


def change_tool(world: World) -> None:
    world.tool("exit 1")


def change_tool_to_an_older_one(world: World) -> None:
    world.tool("exit 1")
    os.utime(world.tools / "judge", (1e9, 1e9))


def change_tool_to_one_of_the_same_time(world: World) -> None:
    old = (world.tools / "judge").stat()
    other = world.tools / "other"
    shutil.copy2(world.tools / "judge", other)
    other.write_text("#!/bin/sh\nexit 1\n")
    os.utime(other, ns=(old.st_atime_ns, old.st_mtime_ns))
    other.replace(world.tools / "judge")


def change_link_to_tool(world: World) -> None:
    (world.tools / "judge").unlink()
    (world.tools / "judge").symlink_to("/bin/false")


def take_tool_away(world: World) -> None:
    (world.tools / "judge").unlink()


def forbid_tool(world: World) -> None:
    (world.tools / "judge").chmod(0o644)


def put_tool_before(world: World) -> None:
    shutil.copy2("/bin/false", world.tools / "grep")


def change_settings_of_the_clone(world: World) -> None:
    world.repo.git("config", "core.autocrlf", "true")


def change_settings_of_the_user(world: World) -> None:
    world.repo.git("config", "--global", "core.eol", "crlf")


def change_settings_by_the_other_file(world: World) -> None:
    place = Path(world.repo.env["HOME"], ".config/git")
    place.mkdir(parents=True)
    (place / "config").write_text("[core]\n\tautocrlf = true\n")


def change_own_settings(world: World) -> None:
    place = Path(world.repo.env["HOME"], ".config/hookci")
    place.mkdir(parents=True)
    (place / "config.toml").write_text("nonsense = true\n")


def change_attributes(world: World) -> None:
    (world.repo.path / ".git/info").mkdir(exist_ok=True)
    (world.repo.path / ".git/info/attributes").write_text("* eol=crlf\n")


def change_attributes_of_the_user(world: World) -> None:
    place = Path(world.repo.env["HOME"], ".config/git")
    place.mkdir(parents=True)
    (place / "attributes").write_text("* eol=crlf\n")


def lengthen_line(world: World) -> None:
    world.record.write_bytes(world.record.read_bytes()[:-1] + b"0 \n")


def tear_record(world: World) -> None:
    world.record.write_bytes(world.record.read_bytes()[:-4])


def empty_record(world: World) -> None:
    world.record.write_bytes(b"")


def lengthen_record(world: World) -> None:
    world.record.write_bytes(world.record.read_bytes() + b"more\n")


def tear_conditions(world: World) -> None:
    world.conditions.write_bytes(world.conditions.read_bytes()[:-1])


def lengthen_conditions(world: World) -> None:
    world.conditions.write_bytes(world.conditions.read_bytes() + b"more")


def take_conditions_of_another_hook(world: World) -> None:
    shutil.copy(records(world.repo, "pre-push")[0].with_name("conditions"), world.conditions)


def link_conditions(world: World) -> None:
    world.conditions.rename(world.green / "elsewhere")
    world.conditions.symlink_to(world.green / "elsewhere")


def take_a_time_away(world: World) -> None:
    world.times[0].unlink()


def make_a_time_newer(world: World) -> None:
    os.utime(world.times[0], (2e9, 2e9))


def make_a_time_older(world: World) -> None:
    os.utime(world.times[-1], (1e9, 1e9))


def link_record(world: World) -> None:
    place = world.record
    place.rename(world.green / "elsewhere")
    place.symlink_to(world.green / "elsewhere")


def take_record_of_another_tree(world: World) -> None:
    change_data(world)
    shutil.copy(world.record, world.record.with_name(world.repo.out("write-tree")))


def link_record_of_another_tree(world: World) -> None:
    change_data(world)
    os.link(world.record, world.record.with_name(world.repo.out("write-tree")))


def take_record_of_another_hook(world: World) -> None:
    shutil.copy(records(world.repo, "pre-push")[0], world.record)


def forget(world: World) -> None:
    world.repo.hookci("forget")


def forget_one_job(world: World) -> None:
    world.repo.hookci("forget", "unit")


def remove_database(world: World) -> None:
    (world.repo.path / ".git/hookci/state.db").unlink()


def link_directory(world: World) -> None:
    world.green.rename(world.green.with_name("moved"))
    world.green.symlink_to(world.green.with_name("moved"))


@pytest.mark.parametrize(
    "change",
    [
        change_data, change_mode, change_tool, change_tool_to_an_older_one, change_tool_to_one_of_the_same_time,
        change_link_to_tool, take_tool_away, forbid_tool, put_tool_before, change_settings_of_the_clone,
        change_settings_of_the_user, change_settings_by_the_other_file, change_own_settings, change_attributes,
        change_attributes_of_the_user, tear_record, empty_record, lengthen_record, lengthen_line,
        tear_conditions, lengthen_conditions, take_conditions_of_another_hook, link_conditions, take_a_time_away,
        make_a_time_newer, make_a_time_older, link_record, take_record_of_another_tree, link_record_of_another_tree,
        take_record_of_another_hook, forget, forget_one_job, remove_database, link_directory,
    ],
    ids=lambda change: change.__name__.replace("_", " "),
)  # fmt: skip
def test_what_has_changed_is_left_to_hookci(world: World, change: Callable[[World], None]) -> None:
    change(world)

    assert shim_answers(world.repo) is None


@pytest.mark.parametrize(
    "env",
    [
        {"FLAVOUR": "fancy"}, {"FLAVOUR": ""}, {"MORE_OF_IT": "x"}, {"LANG": "C"}, {"PIP_INDEX_URL": "x"},
        {"HOOKCI_SKIP": "unit"}, {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.eol", "GIT_CONFIG_VALUE_0": "lf"},
        {"GIT_CONFIG_PARAMETERS": "'core.eol'='crlf'"}, {"GIT_CONFIG_GLOBAL": "/dev/null"}, {"XDG_CONFIG_HOME": "/x"},
        {"HOME": "/"}, {"LC_ALL": "C"}, {"ODD": "1\nexport PIP_X=1"},
    ],
    ids=" ".join,
)  # fmt: skip
def test_another_environment_is_left_to_hookci(world: World, env: dict[str, str]) -> None:
    assert shim_answers(world.repo, env=env) is None


def test_a_variable_that_is_gone_or_a_path_in_another_order_is_left_to_hookci(world: World) -> None:
    repo = world.repo
    path = repo.env["PATH"]
    repo.env["PATH"] = ":".join(reversed(path.split(":")))
    assert shim_answers(repo) is None
    repo.env["PATH"] = path
    assert shim_answers(repo)
    del repo.env["LC_ALL"]
    assert shim_answers(repo) is None


@pytest.mark.parametrize(
    "env",
    [{"TERM": "xterm"}, {"SSH_AUTH_SOCK": "/x"}, {"UNKNOWN": "x"}, {"MULTI": "a\nb=c\n]\nd"}, {"GIT_EDITOR": "x"}],
    ids=" ".join,
)
def test_what_no_job_gets_changes_nothing(world: World, env: dict[str, str]) -> None:
    assert shim_answers(world.repo, env=env)


def test_another_umask_is_left_to_hookci(world: World) -> None:
    from green_worlds import ASKED_PYTHON, environment  # noqa: PLC0415 (only here)

    shim = str(world.repo.path.parent / "asked-shim")
    usual = os.umask(0o022)
    os.umask(usual)
    shim_answers(world.repo)

    ended = [with_umask(mask, world.repo, "sh", shim, env=environment(world.repo)) for mask in (usual, 0o007)]

    assert ended == [0, ASKED_PYTHON]


def test_a_file_that_becomes_a_program_is_noticed(repo: Repo, tmp_path: Path) -> None:
    early = tmp_path / "early"
    early.mkdir()
    shutil.copy2("/bin/false", early / "judge")
    (early / "judge").chmod(0o644)
    repo.env["PATH"] = f"{early}:{repo.env['PATH']}"
    world = World(repo, tmp_path)
    repo.env["PATH"] = f"{early}:{world.tools}:{repo.env['PATH']}"
    settle()
    assert in_full(repo).returncode == 0
    assert shim_answers(repo)

    (early / "judge").chmod(0o755)

    assert shim_answers(repo) is None


def test_another_worktree_shares_what_is_known(world: World, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    world.repo.git("worktree", "add", "-q", str(beside), "HEAD")
    git_dir = world.repo.path / ".git/worktrees/beside"

    answer = shim_answers(world.repo, cwd=beside, env={"GIT_DIR": str(git_dir), "GIT_INDEX_FILE": f"{git_dir}/index"})

    assert answer


def test_what_ran_red_since_is_forgotten(world: World, tmp_path: Path) -> None:
    world.tool(f"test ! -e {tmp_path}/outside")
    settle()
    assert in_full(world.repo).returncode == 0
    assert shim_answers(world.repo)
    (tmp_path / "outside").touch()

    world.repo.hookci("run", "--no-memory", check=False)

    assert records(world.repo) == []


def test_another_job_that_is_red_leaves_what_is_known(world: World) -> None:
    world.repo.commit({"data.txt": "bad\n"})
    assert in_full(world.repo).returncode == 1

    world.repo.git("reset", "-q", "--hard", "HEAD~1")

    assert shim_answers(world.repo)


@pytest.mark.parametrize(
    "config",
    [
        '[jobs.a]\nscript = ["true"]\nmax_age = "1h"\n',
        '[jobs.a]\nscript = ["true"]\ncarry = ["x.env"]\n',
        '[jobs.a]\nscript = ["true"]\nmemory = false\n',
        '[jobs.a]\nscript = ["echo $CI_COMMIT_TITLE"]\n',
        '[jobs.a]\nscript = ["true"]\nrules = [{ branch = "main" }]\n',
    ],
    ids=["max_age", "carry", "memory", "title", "branch"],
)
def test_what_a_shell_cannot_tell_has_no_record(repo: Repo, config: str) -> None:
    repo.commit({"hookci.toml": config + '[hooks]\npre-commit = ["a"]\n'})
    repo.write_files({"x.env": "a=1\n"})
    settle()

    assert in_full(repo).returncode == 0
    assert in_full(repo).returncode == 0

    assert records(repo) == []


@pytest.mark.parametrize(
    "env",
    [
        {"FLAVOUR": "x"}, {"MORE_SECRETS": "x"}, {"PIP_INDEX_URL": "https://user:word@example.com"},
        {"CARGO_REGISTRY_TOKEN": "x"}, {"https_proxy": "http://user:word@example.com"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": "x"},
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_may_be_secret_is_written_nowhere_and_left_to_hookci(world: World, env: dict[str, str]) -> None:
    in_full(world.repo, env=env)
    assert shim_answers(world.repo, env=env) is None

    world.repo.hookci("forget")
    in_full(world.repo, env=env)

    assert records(world.repo) == []


@pytest.mark.parametrize("changed", [0, 1, 315_532_800], ids=["1970", "nix", "1980"])
def test_a_time_that_tells_nothing_is_not_taken_for_one(tmp_path: Path, changed: int) -> None:
    file = tmp_path / "file"
    file.touch()
    now = file.stat().st_mtime
    assert track(str(file), now + 10).changed == file.stat().st_mtime_ns
    assert track(str(tmp_path / "none"), now).changed is None
    with pytest.raises(UntellableError):
        track(str(file), now + 0.01)

    os.utime(file, (changed, changed))

    with pytest.raises(UntellableError):
        track(str(file), now + 10)


@pytest.mark.parametrize("prefix", ["", "other "])
def test_all_that_is_pushed_has_to_be_known(world: World, prefix: str) -> None:
    other = world.repo.commit({"data.txt": f"{prefix}good\n", "new.txt": "x"})

    assert shim_answers(world.repo, "pre-push", stdin=pushed(world.head, other)) is None
    assert shim_answers(world.repo, "pre-push", stdin=pushed(world.head, world.head))


def test_deletions_are_passed_over_and_alone_left_to_hookci(world: World) -> None:
    gone = f"(delete) {'0' * 40} refs/heads/gone {world.head}\n"

    assert shim_answers(world.repo, "pre-push", stdin=gone + pushed(world.head))
    assert shim_answers(world.repo, "pre-push", stdin=gone) is None
    assert shim_answers(world.repo, "pre-push", stdin="") is None


@pytest.mark.parametrize(
    "line",
    [
        "HEAD @HEAD@ refs/hookci/state @ZERO@\n", "HEAD @HEAD@ refs/heads/a @ZERO@", "@HEAD@ refs/heads/a @ZERO@\n",
        "HEAD @HEAD@ refs/heads/a 0000\n", "HEAD @HEAD@  @ZERO@\n", "HEAD HEAD refs/heads/a @ZERO@\n",
        "HEAD @TREE@ refs/heads/a @ZERO@\n", "HEAD @NONE@ refs/heads/a @ZERO@\n", "\n",
    ],
)  # fmt: skip
def test_odd_lines_are_left_to_hookci(world: World, line: str) -> None:
    values = {"HEAD": world.head, "ZERO": "0" * 40, "TREE": world.repo.out("write-tree"), "NONE": "1" * 40}
    for name, value in values.items():
        line = line.replace(f"@{name}@", value)

    assert shim_answers(world.repo, "pre-push", stdin=line) is None
    # without a line end the two are one, which names a ref with spaces
    both = line + pushed(world.head) if line.endswith("\n") else pushed(world.head) + line
    assert shim_answers(world.repo, "pre-push", stdin=both) is None


def test_an_annotated_tag_is_what_it_names(world: World) -> None:
    world.repo.git("tag", "-a", "-m", "one", "v1")
    tag = world.repo.out("rev-parse", "v1")

    answer = shim_answers(world.repo, "pre-push", stdin=f"refs/tags/v1 {tag} refs/tags/v1 {'0' * 40}\n")

    assert answer
    assert answer.stderr == "hookci: v1 is green: remembered [run 2]\n"


def test_a_replaced_object_is_not_what_is_pushed(world: World) -> None:
    repo = world.repo
    other = repo.commit({"data.txt": "bad\n"})
    repo.git("replace", other, world.head)

    assert shim_answers(repo, "pre-push", stdin=pushed(other)) is None


def test_another_hookci_is_left_to_itself(world: World, tmp_path: Path) -> None:
    package = tmp_path / "site" / "hookci"
    shutil.copytree(Path(hookci.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))

    assert shim_answers(world.repo, main=package / "__main__.py") is None
    assert shim_answers(world.repo, python=Path("/usr/bin/python3")) is None


def test_an_upgrade_in_place_is_noticed(repo: Repo, tmp_path: Path) -> None:
    python, main = own_hookci(tmp_path / "venv")
    repo.env["PATH"] = str(programs())
    repo.commit({"hookci.toml": CONFIG.replace("judge one", "true"), "data.txt": "good\n"})
    repo.run(str(python), "-I", "-m", "hookci", "install")
    settle()
    repo.git("commit", "-q", "--amend", "--no-edit")
    assert shim_answers(repo, python=python, main=main)

    version = main.with_name("__init__.py")
    version.write_text(version.read_text() + "\n")

    assert shim_answers(repo, python=python, main=main) is None


def test_the_names_in_the_shim_are_those_that_jobs_get() -> None:
    flat = read_shim().decode().replace("\\\n", " ")
    rows = [line.split(")")[0].split("|") for line in flat.splitlines() if ") ;;" in line or ") continue" in line]
    lists = [{name.strip() for name in row} for row in rows]

    assert {"GIT_CONFIG*"} in lists
    assert set(PASSED) - NOISE in lists
    assert NOISE in lists
