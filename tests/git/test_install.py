from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hookci.errors import StateError, UsageError
from hookci.git.install import InstallReport, install
from hookci.git.installation import HOOKS, Installed, installed
from hookci.git.repository import Repository
from hookci.git.shims import Shim, read_shim
from hookci.git.uninstall import UninstallReport, uninstall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Repo, Sealed

RECORDER = """\
import pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    print(*sys.argv[2:], "|", sys.stdin.read().replace("\\n", ";"), file=calls)
sys.exit(int((here / "status").read_text()))
"""


class Program:
    """A program in hookci's place: records how it is called, decides what it is told."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.main = directory / "__main__.py"
        self.main.write_text(RECORDER)
        self.python = Path(sys.executable)
        self.decide(0)

    def decide(self, status: int) -> None:
        self.main.with_name("status").write_text(str(status))

    @property
    def calls(self) -> list[str]:
        recorded = self.main.with_name("calls")
        return recorded.read_text().splitlines() if recorded.exists() else []

    @property
    def hooks(self) -> list[str]:
        return [call.split(" ")[0] for call in self.calls]

    def install(self, repo: Repo, directory: Path | None = None) -> InstallReport:
        return install(opened(repo, directory), read_shim(), python=self.python, main=self.main)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "the program's")


def opened(repo: Repo, directory: Path | None = None) -> Repository:
    return Repository.discover(directory or repo.path, repo.env)


def remove(repo: Repo, directory: Path | None = None) -> UninstallReport:
    return uninstall(opened(repo, directory))


def status(repo: Repo) -> Installed:
    return installed(opened(repo))


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def picture(directory: Path) -> dict[str, tuple[int, str]]:
    """Every path below a directory with its mode and content (a link's: its text)."""
    found = {}
    for path in sorted(directory.rglob("*")):
        mode = path.lstat().st_mode
        content = os.readlink(path) if stat.S_ISLNK(mode) else ""  # noqa: PTH115 (a Path drops `./` and `//`)
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else content
        found[str(path.relative_to(directory))] = (mode, content)
    return found


def git_picture(repo: Repo) -> dict[str, tuple[int, str]]:
    return picture(repo.path / ".git")


def use_global_hooks(sealed: Sealed, value: str) -> None:
    subprocess.run(["git", "config", "--global", "core.hooksPath", value], env=dict(sealed.env), check=True)


def test_hooks_fire_on_real_commits_merges_and_pushes(repo: Repo, program: Program) -> None:
    report = program.install(repo)

    repo.write(a="1")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "one")
    repo.git("switch", "-qc", "side")
    repo.git("commit", "-qm", "two", "--allow-empty")
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "side")
    repo.git("push", "-q", "origin", "main")

    head = repo.out("rev-parse", "HEAD")
    assert report.installed == HOOKS
    assert report.directory == repo.path / ".git" / "hooks"
    assert program.hooks == ["pre-commit", "pre-commit", "pre-merge-commit", "pre-push"]
    assert program.calls[-1] == (
        f"pre-push -- origin {repo.remote} | refs/heads/main {head} refs/heads/main {'0' * 40};"
    )


def test_a_refusal_stops_the_commit_and_the_push(repo: Repo, program: Program) -> None:
    head = repo.commit({"a": "1"})
    program.install(repo)
    program.decide(1)

    committed = repo.git("commit", "-qm", "no", "--allow-empty", check=False)
    pushed = repo.git("push", "-q", "origin", "main", check=False)

    assert (committed.returncode, pushed.returncode) == (1, 1)
    assert repo.out("rev-parse", "HEAD") == head
    assert repo.remote_refs() == {}


def test_hooks_refuse_when_the_interpreter_is_gone_and_status_says_so(
    repo: Repo, program: Program, tmp_path: Path
) -> None:
    repo.commit({"a": "1"})
    program.python = tmp_path / "my venv" / "python"
    program.install(repo)

    pushed = repo.git("push", "-q", "origin", "main", check=False)
    rewritten = repo.git("commit", "-q", "--amend", "--no-verify", "-m", "new")

    assert pushed.returncode == 1
    assert pushed.stderr.splitlines()[0] == (
        f"hookci: pre-push refused: {program.python} is gone; run `hookci install` again, "
        "or `hookci uninstall` to go without (by hand: delete .git/hooks/pre-push)"
    )
    assert rewritten.stderr == ""
    assert status(repo).gone == (program.python,)


def test_existing_hooks_run_first_with_the_same_arguments_and_lines(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", 'echo "$(basename "$0") $* $(cat)" >seen')
    script(hooks / "post-rewrite", 'echo "$* $(cut -c41)" >rewritten')
    head = repo.commit({"a": "1"})

    report = program.install(repo)
    repo.git("push", "-q", "origin", "main")
    repo.git("commit", "-q", "--amend", "-m", "again")

    line = f"refs/heads/main {head} refs/heads/main {'0' * 40}"
    assert report.kept == ("pre-push", "post-rewrite")
    assert (repo.path / "seen").read_text() == f"pre-push origin {repo.remote} {line}\n"
    assert (repo.path / "rewritten").read_text() == "amend  \n"
    assert program.calls[0] == f"pre-push -- origin {repo.remote} | {line};"


def test_an_existing_hook_can_refuse(repo: Repo, program: Program) -> None:
    repo.commit({"a": "1"})
    script(repo.path / ".git" / "hooks" / "pre-push", "echo 'not today' >&2; exit 1")
    program.install(repo)

    pushed = repo.git("push", "-q", "origin", "main", check=False)

    assert pushed.returncode == 1
    assert pushed.stderr.startswith("not today\n")
    assert program.calls == []


def test_uninstall_gives_back_every_byte_mode_and_link(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(repo.path / "scripts" / "check.sh", "echo linked >>seen")
    (hooks / "pre-commit").symlink_to("./..//../scripts/check.sh")
    (hooks / "pre-merge-commit").symlink_to("pre-commit")
    (hooks / "pre-push").write_bytes(b"#!/bin/sh\r\n\xff\0 no line end")
    (hooks / "pre-push").chmod(0o640)
    (hooks / "post-merge").symlink_to("no/such/place")
    script(hooks / "post-commit", "exit 0", mode=0o4751)
    script(hooks / "commit-msg", "exit 0")
    os.utime(hooks / "post-commit", ns=(1, 2))
    before, config = git_picture(repo), (repo.path / ".git" / "config").read_bytes()

    report = program.install(repo)
    removed = remove(repo)

    assert report.kept == ("pre-commit", "pre-merge-commit", "pre-push", "post-merge", "post-commit")
    assert sorted(removed.removed) == sorted(HOOKS)
    assert sorted(removed.restored) == sorted(report.kept)
    assert (removed.left, removed.warnings) == ((), ())
    assert git_picture(repo) == before
    assert (repo.path / ".git" / "config").read_bytes() == config
    assert (hooks / "post-commit").stat().st_mtime_ns == 2


def test_kept_links_and_hooks_that_look_around_still_work(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(repo.path / "scripts" / "check.sh", 'echo "linked $(basename "$0")" >>seen')
    (hooks / "pre-commit").symlink_to("../../scripts/check.sh")
    (hooks / "pre-push").symlink_to("pre-commit")
    script(hooks / "post-commit", '. "$(dirname "$0")/lib/say.sh"; say sourced')
    script(hooks / "lib" / "say.sh", 'say() { echo "$1" >>seen; }')
    before = git_picture(repo)
    program.install(repo)
    program.install(repo)

    repo.git("commit", "-qm", "one", "--allow-empty")
    repo.git("push", "-q", "origin", "main")

    assert (repo.path / "seen").read_text().splitlines() == ["linked pre-commit", "sourced", "linked pre-push"]
    assert program.hooks == ["pre-commit", "pre-push"]
    remove(repo)
    assert {name: there for name, there in git_picture(repo).items() if name.startswith("hooks")} == {
        name: there for name, there in before.items() if name.startswith("hooks")
    }


def test_existing_hooks_that_git_ignored_are_still_ignored(repo: Repo, program: Program) -> None:
    script(repo.path / ".git" / "hooks" / "pre-commit", "exit 1", mode=0o644)
    program.install(repo)

    committed = repo.git("commit", "-qm", "one", "--allow-empty", check=False)

    assert committed.returncode == 0
    assert program.hooks == ["pre-commit"]


def test_installing_again_changes_nothing(repo: Repo, program: Program) -> None:
    script(repo.path / ".git" / "hooks" / "pre-push", "exit 0")
    program.install(repo)
    before = git_picture(repo)

    report = program.install(repo)

    assert (report.installed, report.unchanged, report.kept) == ((), HOOKS, ())
    assert git_picture(repo) == before


def test_an_older_shim_is_replaced_and_not_kept(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# an older one\n# hookci shim 0\nexit 5")

    report = program.install(repo)

    assert report.kept == ()
    assert "pre-push" in report.installed
    assert not (hooks / "before-hookci").exists()


def test_installing_with_another_interpreter_takes_that_one(repo: Repo, program: Program, tmp_path: Path) -> None:
    program.python = tmp_path / "gone"
    program.install(repo)
    program.python = Path(sys.executable)

    report = program.install(repo)

    assert report.installed == HOOKS
    assert (status(repo).python, status(repo).gone) == (program.python, ())


def test_a_hook_that_took_our_place_is_left_alone(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# the old one")
    program.install(repo)
    theirs = script(hooks / "pre-push", "# theirs")
    script(hooks / "pre-commit", "# theirs, too")

    seen = status(repo)
    removed = remove(repo)

    assert seen.replaced == ("pre-commit", "pre-push")
    assert removed.left == ("pre-commit", "pre-push")
    assert removed.warnings == (
        f"{hooks}/pre-commit is not hookci's and stays",
        f"{hooks}/pre-push is not hookci's and stays; the hook before it is {hooks}/before-hookci/pre-push",
    )
    assert theirs.read_text() == "#!/bin/sh\n# theirs\n"
    assert (hooks / "before-hookci" / "pre-push").read_text() == "#!/bin/sh\n# the old one\n"
    assert status(repo).hooks == ()


def test_installing_over_a_hook_that_took_our_place_keeps_both(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# the old one")
    program.install(repo)
    script(hooks / "pre-push", "echo theirs >seen")

    report = program.install(repo)
    repo.commit({"a": "1"})
    repo.git("push", "-q", "origin", "main")
    removed = remove(repo)

    assert report.kept == ("pre-push",)
    assert (repo.path / "seen").read_text() == "theirs\n"
    assert program.hooks == ["pre-push"]
    assert removed.left == ()
    assert (hooks / "pre-push").read_text() == "#!/bin/sh\necho theirs >seen\n"
    assert (hooks / "pre-push.legacy").read_text() == "#!/bin/sh\n# the old one\n"


def test_a_manager_that_renames_our_shim_and_runs_it_can_come_and_go(repo: Repo, program: Program) -> None:
    # what `pre-commit install` does with a hook it finds: renames it to *.legacy and runs it from there
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "echo old >>seen; cat >/dev/null")
    program.install(repo)
    (hooks / "pre-push").rename(hooks / "pre-push.legacy")
    manager = 'lines=$(cat); echo manager >>seen; legacy=$(dirname "$0")/pre-push.legacy\n'
    manager += '[ ! -x "$legacy" ] || echo "$lines" | "$legacy" "$@"'
    script(hooks / "pre-push", manager)
    repo.commit({"a": "1"})

    def push(branch: str) -> list[str]:
        (repo.path / "seen").unlink(missing_ok=True)
        repo.git("push", "-q", "origin", f"main:{branch}")
        return (repo.path / "seen").read_text().splitlines()

    beside, calls_beside = push("a"), len(program.calls)
    program.install(repo)
    around, calls_around = push("b"), len(program.calls)
    remove(repo)
    without, calls_without = push("c"), len(program.calls)

    assert beside == around == without == ["manager", "old"]
    assert (calls_beside, calls_around, calls_without) == (1, 2, 2)
    assert sorted(path.name for path in hooks.iterdir() if path.suffix != ".sample") == ["pre-push", "pre-push.legacy"]


def test_uninstall_finds_a_shim_that_was_renamed(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# old")
    program.install(repo)
    (hooks / "pre-push").rename(hooks / "pre-push.legacy")
    script(hooks / "pre-push", "# manager")

    removed = remove(repo)

    assert removed.left == ("pre-push",)
    assert (hooks / "pre-push.legacy").read_text() == "#!/bin/sh\n# old\n"
    assert not (hooks / "before-hookci").exists()


@pytest.mark.parametrize("damage", [None, "", "{", "[]", '{"directories": 3}', "\0"])
def test_uninstall_needs_no_record(repo: Repo, program: Program, damage: str | None) -> None:
    script(repo.path / ".git" / "hooks" / "pre-push", "# old")
    before = git_picture(repo)
    program.install(repo)
    record = repo.path / ".git" / "hookci" / "install.json"
    record.unlink() if damage is None else record.write_text(damage)

    remove(repo)

    assert git_picture(repo) == before


def test_the_record_is_private_and_says_what_was_done(repo: Repo, program: Program) -> None:
    program.install(repo)

    record = repo.path / ".git" / "hookci" / "install.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700
    assert json.loads(record.read_text()) == {
        "version": 1,
        "common_dir": str(repo.path / ".git"),
        "directories": [str(repo.path / ".git" / "hooks")],
        "made": [],
        "hooks_path": None,
    }


def test_uninstall_of_nothing_touches_nothing(repo: Repo) -> None:
    script(repo.path / ".git" / "hooks" / "pre-push", "# theirs")
    before = git_picture(repo)

    removed = remove(repo)

    assert removed == UninstallReport(removed=(), restored=())
    assert git_picture(repo) == before


def test_a_hooks_directory_that_was_made_goes_again(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    for sample in hooks.iterdir():
        sample.unlink()
    hooks.rmdir()
    before = git_picture(repo)

    program.install(repo)
    repo.git("commit", "-qm", "one", "--allow-empty")
    program.install(repo)
    remove(repo)

    assert program.hooks == ["pre-commit"]
    assert not hooks.exists()
    assert set(before) <= set(git_picture(repo))
    assert not (repo.path / ".git" / "hookci").exists()


def test_linked_worktrees_share_the_hooks_and_the_one_it_came_from_may_go(
    repo: Repo, program: Program, tmp_path: Path
) -> None:
    repo.commit({"a": "1"})
    first, second = tmp_path / "first tree", tmp_path / "second"
    repo.git("worktree", "add", "-q", "-b", "first", str(first))
    repo.git("worktree", "add", "-q", str(second))

    report = program.install(repo, first)
    repo.git("worktree", "remove", str(first))
    repo.run("git", "commit", "-qm", "two", "--allow-empty", cwd=second)
    repo.git("commit", "-qm", "two", "--allow-empty")
    remove(repo, second)

    assert report.directory == repo.path / ".git" / "hooks"
    assert program.hooks == ["pre-commit", "pre-commit"]
    assert not (repo.path / ".git" / "hookci").exists()


def test_a_bare_repository_has_hooks_for_its_worktrees(repo: Repo, program: Program, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    repo.git("push", "-q", "origin", "main")
    assert repo.remote is not None
    tree = tmp_path / "tree"

    report = program.install(repo, repo.remote)
    repo.run("git", "worktree", "add", "-q", str(tree), "main", cwd=repo.remote)
    repo.run("git", "commit", "-qm", "two", "--allow-empty", cwd=tree)

    assert report.directory == repo.remote / "hooks"
    assert program.hooks == ["pre-commit"]


def test_a_moved_repository_keeps_its_hooks_and_can_lose_them(repo: Repo, program: Program, tmp_path: Path) -> None:
    script(repo.path / ".git" / "hooks" / "pre-commit", "echo kept >seen")
    program.install(repo)
    moved = repo.path.rename(tmp_path / "it's moved")

    repo.run("git", "commit", "-qm", "one", "--allow-empty", cwd=moved)
    remove(repo, moved)

    assert (moved / "seen").read_text() == "kept\n"
    assert program.hooks == ["pre-commit"]
    assert (moved / ".git" / "hooks" / "pre-commit").read_text() == "#!/bin/sh\necho kept >seen\n"
    assert not (moved / ".git" / "hooks" / "pre-push").exists()


@pytest.mark.parametrize("kind", ["relative", "absolute", "home"])
def test_a_local_hooks_path_is_where_hooks_go(
    repo: Repo, program: Program, sealed: Sealed, tmp_path: Path, kind: str
) -> None:
    values = {"relative": "my hooks", "absolute": str(tmp_path / "my hooks"), "home": "~/my hooks"}
    places = {"relative": repo.path, "absolute": tmp_path, "home": sealed.home}
    repo.git("config", "core.hooksPath", values[kind])
    theirs = script(places[kind] / "my hooks" / "pre-commit", "echo kept >>seen")
    dormant = script(repo.path / ".git" / "hooks" / "pre-commit", "exit 1")
    config = (repo.path / ".git" / "config").read_bytes()
    (repo.path / "sub").mkdir()

    report = program.install(repo, repo.path / "sub")
    repo.git("commit", "-qm", "one", "--allow-empty")
    removed = remove(repo, repo.path / "sub")

    assert report.directory == places[kind] / "my hooks"
    assert len(report.warnings) == (kind == "relative")
    assert (repo.path / "seen").read_text() == "kept\n"
    assert program.hooks == ["pre-commit"]
    assert (removed.unset, removed.left) == (False, ())
    assert (repo.path / ".git" / "config").read_bytes() == config
    assert picture(theirs.parent).keys() == {"pre-commit"}
    assert dormant.read_text() == "#!/bin/sh\nexit 1\n"


def test_a_tracked_hooks_directory_is_warned_about(repo: Repo, program: Program) -> None:
    repo.git("config", "core.hooksPath", ".githooks")
    script(repo.path / ".githooks" / "commit-msg", "exit 0")
    repo.commit()

    report = program.install(repo)

    assert report.warnings == (
        f"{repo.path}/.githooks is tracked by git: do not commit the hooks in it, they name paths of this machine",
        "core.hooksPath is relative: every worktree has hooks of its own, so install in each",
    )


def test_a_relative_hooks_path_needs_the_work_tree(repo: Repo, program: Program) -> None:
    repo.git("config", "core.hooksPath", ".githooks")

    with pytest.raises(UsageError, match=r"core\.hooksPath is \.githooks, relative to the work tree"):
        program.install(repo, repo.path / ".git")


def test_an_empty_hooks_path_is_an_error_with_the_way_out(repo: Repo, program: Program) -> None:
    repo.git("config", "core.hooksPath", "")

    with pytest.raises(StateError, match=r"the local core\.hooksPath is empty") as caught:
        program.install(repo)

    assert caught.value.hint == "run `git config --local --unset core.hooksPath`"


def test_huskys_own_directory_is_refused(repo: Repo, program: Program) -> None:
    repo.git("config", "core.hooksPath", ".husky/_")
    for name in ("h", "husky.sh", "pre-push"):
        script(repo.path / ".husky" / "_" / name, 'exec "$(dirname "$0")/h"')
    before = picture(repo.path)

    with pytest.raises(StateError, match="belongs to husky"):
        program.install(repo)

    assert picture(repo.path) == before


@pytest.mark.parametrize("value", ["everybody's hooks", "~/everybody's hooks"])
def test_a_global_hooks_path_is_chained_from(repo: Repo, program: Program, sealed: Sealed, value: str) -> None:
    base = sealed.home if value.startswith("~") else repo.path
    use_global_hooks(sealed, value)
    shared = base / "everybody's hooks"
    for name in ("pre-commit", "post-commit", "prepare-commit-msg"):
        script(shared / name, f'echo "{name} $#" >>seen')
    script(shared / "commit-msg", 'grep -q ticket "$1"')
    script(shared / "post-checkout", "exit 1", mode=0o644)
    script(shared / "pre-rebase.sample", "exit 1")
    script(repo.path / ".git" / "hooks" / "pre-commit", "echo dormant >>seen")
    before, everybodys = git_picture(repo), picture(shared)

    report = program.install(repo)
    again = program.install(repo)
    seen = status(repo)
    refused = repo.git("commit", "-qm", "one", "--allow-empty", check=False)
    committed = repo.git("commit", "-qm", "one ticket", "--allow-empty")
    removed = remove(repo)

    chain = repo.path / ".git" / "hookci" / "hooks"
    assert report.directory == again.directory == seen.directory == chain
    assert (report.before, report.passed_on) == (shared, ("commit-msg", "prepare-commit-msg"))
    assert (again.installed, again.unchanged, seen.hooks, report.warnings) == ((), HOOKS, HOOKS, ())
    assert (refused.returncode, committed.returncode) == (1, 0)
    one = ["pre-commit 0", "prepare-commit-msg 2"]
    assert (repo.path / "seen").read_text().splitlines() == [*one, *one, "post-commit 0"]
    assert program.hooks == ["pre-commit", "pre-commit"]
    assert removed.unset
    assert picture(shared) == everybodys
    after = {name: there for name, there in git_picture(repo).items() if not name.startswith(("objects", "logs"))}
    assert {name: after[name] for name in before if name in after and "index" not in name} == {
        name: there for name, there in before.items() if name in after and "index" not in name
    }
    assert "hookci" not in after


def test_the_chain_is_private_and_set_in_this_repository_alone(
    repo: Repo, program: Program, sealed: Sealed, tmp_path: Path
) -> None:
    use_global_hooks(sealed, str(tmp_path / "shared"))

    program.install(repo)

    chain = repo.path / ".git" / "hookci" / "hooks"
    assert stat.S_IMODE(chain.stat().st_mode) == 0o700
    assert repo.out("config", "--local", "core.hooksPath") == str(chain)
    assert repo.out("config", "--global", "core.hooksPath") == str(tmp_path / "shared")


def test_hooks_that_left_the_global_directory_are_passed_on_no_more(
    repo: Repo, program: Program, sealed: Sealed, tmp_path: Path
) -> None:
    use_global_hooks(sealed, str(tmp_path / "shared"))
    script(tmp_path / "shared" / "commit-msg", "exit 0").rename(tmp_path / "shared" / "pre-rebase")
    program.install(repo)
    (tmp_path / "shared" / "pre-rebase").unlink()

    report = program.install(repo)

    assert report.passed_on == ()
    assert {path.name for path in report.directory.iterdir()} == set(HOOKS)


def test_when_the_global_setting_is_gone_the_chain_goes_too(
    repo: Repo, program: Program, sealed: Sealed, tmp_path: Path
) -> None:
    use_global_hooks(sealed, str(tmp_path / "shared"))
    program.install(repo)
    repo.git("config", "--global", "--unset", "core.hooksPath")

    report = program.install(repo)
    repo.git("commit", "-qm", "one", "--allow-empty")

    assert report.directory == repo.path / ".git" / "hooks"
    assert repo.git("config", "--local", "core.hooksPath", check=False).returncode == 1
    assert program.hooks == ["pre-commit"]


def test_uninstall_leaves_a_hooks_path_that_somebody_set_later(
    repo: Repo, program: Program, sealed: Sealed, tmp_path: Path
) -> None:
    use_global_hooks(sealed, str(tmp_path / "shared"))
    program.install(repo)
    repo.git("config", "core.hooksPath", ".mine")

    removed = remove(repo)

    assert not removed.unset
    assert repo.out("config", "--local", "core.hooksPath") == ".mine"
    assert not (repo.path / ".git" / "hookci").exists()


def test_hooks_that_git_does_not_look_at_any_more_are_told_and_removed(
    repo: Repo, program: Program, tmp_path: Path
) -> None:
    program.install(repo)
    repo.git("config", "core.hooksPath", str(tmp_path / "elsewhere"))

    seen = status(repo)
    removed = remove(repo)

    hooks = repo.path / ".git" / "hooks"
    assert (seen.directory, seen.missing, seen.elsewhere) == (tmp_path / "elsewhere", HOOKS, (hooks,))
    assert sorted(removed.removed) == sorted(HOOKS)


def test_a_copy_of_a_repository_is_uninstalled_alone(repo: Repo, program: Program, tmp_path: Path) -> None:
    repo.git("config", "core.hooksPath", ".githooks")
    program.install(repo)
    copy = tmp_path / "copy"
    repo.run("cp", "-a", str(repo.path), str(copy))

    remove(repo, copy)

    assert not list((copy / ".githooks").glob("pre-*"))
    assert status(repo).hooks == HOOKS


def test_a_moved_repository_with_a_chain_is_put_right_by_installing_again(
    repo: Repo, program: Program, sealed: Sealed, tmp_path: Path
) -> None:
    use_global_hooks(sealed, str(tmp_path / "shared"))
    program.install(repo)
    moved = repo.path.rename(tmp_path / "moved")

    program.install(repo, moved)
    repo.run("git", "commit", "-qm", "one", "--allow-empty", cwd=moved)
    removed = remove(repo, moved)

    assert program.hooks == ["pre-commit"]
    assert removed.unset
    assert repo.run("git", "config", "--local", "core.hooksPath", cwd=moved, check=False).returncode == 1


def test_an_interpreter_in_the_work_tree_is_warned_about(repo: Repo, program: Program) -> None:
    program.python = repo.path / ".venv" / "bin" / "python"

    report = program.install(repo)

    assert report.warnings == (
        (
            f"{program.python} is in this work tree, and the hooks refuse everything once it is gone; "
            "run `uv tool install hookci` or `pipx install hookci`, then `hookci install` with that one"
        ),
    )


@pytest.mark.parametrize(
    "python",
    [
        "/home/ana/.cache/uv/archive-v0/Xy-1/bin/python",
        "/var/uv/environments-v2/hookci-1/bin/python3",
        "/home/ana/.cache/uv/builds-v0/.tmpA/bin/python",
        "/home/ana/.local/share/pipx/.cache/3f/bin/python",
        "/home/ana/.cache/pipx/3f/bin/python",
    ],
)
def test_a_throw_away_interpreter_is_warned_about(repo: Repo, program: Program, python: str) -> None:
    program.python = Path(python)

    (warning,) = program.install(repo).warnings

    assert warning.startswith(f"{python} is in an environment that is thrown away; run `uv tool install hookci`")


@pytest.mark.parametrize(
    "python",
    ["/home/ana/.local/share/uv/tools/hookci/bin/python", "/home/ana/.local/share/pipx/venvs/hookci/bin/python"],
)
def test_a_lasting_interpreter_is_not_warned_about(repo: Repo, program: Program, python: str) -> None:
    program.python = Path(python)

    assert program.install(repo).warnings == ()


def test_a_directory_nobody_can_write_to_is_one_clear_error(repo: Repo, program: Program) -> None:
    repo.git("config", "core.hooksPath", "/proc/hooks" if sys.platform == "linux" else "/dev/null")

    with pytest.raises(StateError, match=r"^/(proc/hooks|dev/null) cannot be written to: "):
        program.install(repo)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_hooks_directory_is_one_clear_error(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    hooks.chmod(0o555)

    with pytest.raises(StateError, match="cannot be written to: Permission denied"):
        program.install(repo)


def test_a_directory_in_a_hooks_place_is_refused_and_the_hooks_stay(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# old")
    (hooks / "post-rewrite").mkdir()
    before = git_picture(repo)

    with pytest.raises(StateError, match="post-rewrite is a directory"):
        program.install(repo)
    seen = git_picture(repo)
    remove(repo)

    assert seen.items() >= {name: there for name, there in before.items() if name != "hooks"}.items()
    assert git_picture(repo) == before


def test_a_state_directory_that_is_a_link_is_refused(repo: Repo, program: Program, tmp_path: Path) -> None:
    (repo.path / ".git" / "hookci").symlink_to(tmp_path)

    with pytest.raises(StateError, match=r"\.git/hookci is a symlink"):
        program.install(repo)


KILLER = """\
import os, shutil, sys
from pathlib import Path
from hookci.git.install import install
from hookci.git.repository import Repository
from hookci.git.uninstall import uninstall

CHANGES = {"os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "subprocess.Popen"}
act, original, room, shim, env = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), dict(os.environ)
left = 0

def hook(event, arguments):
    global left
    if event in CHANGES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        left -= 1
        if left == 0:
            os._exit(9)

sys.addaudithook(hook)
for count in range(1, 1000):
    copy = room / str(count)
    shutil.copytree(original, copy, symlinks=True)
    pid = os.fork()
    if pid == 0:
        left = count
        repo = Repository.discover(copy, env)
        if act == "install":
            install(repo, shim.read_bytes(), python=Path(sys.executable), main=Path("/main.py"))
        else:
            uninstall(repo)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
        break
"""


def killed_at_every_change(act: str, original: Path, room: Path, env: dict[str, str]) -> Iterator[Path]:
    """Copies of a repository, in each of which ``act`` was killed before another one of its changes."""
    shim = room.with_name("shim")
    shim.write_bytes(read_shim())
    room.mkdir()
    package = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", KILLER, act, str(original), str(room), str(shim)],
        env=env | {"PYTHONPATH": str(package)}, check=True, timeout=150,
    )  # fmt: skip
    return room.iterdir()


def hooks_of(path: Path) -> dict[str, tuple[int, str]]:
    return {name: there for name, there in picture(path / ".git" / "hooks").items() if not name.endswith(".sample")}


@pytest.fixture
def with_hooks(repo: Repo) -> Repo:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# old")
    script(hooks / "lib.sh", "# beside")
    (hooks / "pre-commit").symlink_to("../../check.sh")
    return repo


def test_install_killed_at_any_instant_leaves_a_hook_in_place_and_can_be_finished_or_undone(
    with_hooks: Repo, program: Program, tmp_path: Path
) -> None:
    before = hooks_of(with_hooks.path)
    copies = sorted(killed_at_every_change("install", with_hooks.path, tmp_path / "room", with_hooks.env))

    for number, copy in enumerate(copies):
        seen = hooks_of(copy)
        ours = installed(Repository.discover(copy, with_hooks.env)).hooks
        if number % 2:
            program.install(with_hooks, copy)
            assert installed(Repository.discover(copy, with_hooks.env)).hooks == HOOKS
        remove(with_hooks, copy)

        assert all(seen[name] == there or name in ours for name, there in before.items())
        assert hooks_of(copy) == before
        assert not (copy / ".git" / "hookci").exists()
    assert len(copies) > 20


def test_uninstall_killed_at_any_instant_can_be_finished(with_hooks: Repo, program: Program, tmp_path: Path) -> None:
    before = hooks_of(with_hooks.path)
    program.install(with_hooks)
    copies = list(killed_at_every_change("uninstall", with_hooks.path, tmp_path / "room", with_hooks.env))

    for copy in copies:
        assert {"pre-push", "pre-commit"} <= set(hooks_of(copy))
        remove(with_hooks, copy)
        assert hooks_of(copy) == before
    assert len(copies) > 10


def test_a_kept_copy_of_what_is_in_place_is_no_second_hook(repo: Repo, program: Program) -> None:
    # what an interrupted install leaves on a file system without hard links: a copy, and no shim yet
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# old", mode=0o751)
    before = git_picture(repo)
    program.install(repo)
    (hooks / "pre-push").unlink()
    script(hooks / "pre-push", "# old", mode=0o751)

    removed = remove(repo)

    assert removed.left == ()
    assert git_picture(repo) == before


WITHOUT_LINKS = """\
import errno, os, sys
from pathlib import Path
from hookci.git.kept import keep

def refuse(event, arguments):
    if event == "os.link":
        raise OSError(errno.EPERM, "no hard links here")

sys.addaudithook(refuse)
keep(Path(sys.argv[1]), "pre-push")
"""


def test_without_hard_links_a_hook_is_copied_with_its_mode(repo: Repo, program: Program) -> None:
    hooks = repo.path / ".git" / "hooks"
    script(hooks / "pre-push", "# old", mode=0o751)
    before = git_picture(repo)

    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    repo.run(sys.executable, "-c", WITHOUT_LINKS, str(hooks), env=env)
    kept = (hooks / "before-hookci" / "pre-push").stat()
    program.install(repo)
    remove(repo)

    assert (stat.S_IMODE(kept.st_mode), kept.st_nlink) == (0o751, 1)
    assert git_picture(repo) == before


def test_shims_hold_what_install_was_told(repo: Repo, program: Program) -> None:
    report = program.install(repo)

    shim = report.directory / "pre-push"
    assert shim.read_bytes() == Shim("pre-push", program.python, program.main).fill(read_shim())
    assert stat.S_IMODE(shim.stat().st_mode) == 0o755


def test_install_in_a_sha256_repository_with_a_hooks_link(
    make_repo: Callable[..., Repo], program: Program, tmp_path: Path
) -> None:
    repo = make_repo("other", object_format="sha256")
    hooks = repo.path / ".git" / "hooks"
    hooks.rename(tmp_path / "real hooks")
    hooks.symlink_to(tmp_path / "real hooks")
    repo.commit({"a": "1"})

    program.install(repo)
    repo.git("push", "-q", "origin", "main")
    remove(repo)

    assert program.calls[0].endswith(f"{'0' * 64};")
    assert hooks.is_symlink()
    assert not (hooks / "pre-push").exists()
