"""`hookci doctor` on hooks: each thing that can be wrong with them, made wrong for real, word for word."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from doctored import examined
from guarded import NO_BAD, guard
from managed import MANAGERS, local_hooks, managed

from hookci.git.installation import HOOKS, JUDGING
from hookci.git.shims import Shim, read_shim

if TYPE_CHECKING:
    from conftest import Repo, Sealed

ALL = ", ".join(JUDGING)
MEND = "         mend: hookci install"


@pytest.fixture
def guarded(repo: Repo) -> Repo:
    return guard(repo, push=False)


def test_when_nothing_is_wrong_every_check_says_so(guarded: Repo) -> None:
    ran = guarded.hookci("doctor")

    lines = ran.stdout.splitlines()
    found = [line.split(":")[0] for line in lines[:-2]]
    assert [line for line in found if "engine" not in line] == [
        "ok       git",
        "ok       hooks",
        "ok       pipeline",
        "ok       settings",
        "ok       state",
        "ok       cache",
        "ok       workspaces",
    ]
    assert lines[1] == f"ok       hooks: {ALL} in {guarded.path}/.git/hooks"
    assert lines[-2:] == ["", "nothing is wrong"]


def test_hooks_that_are_not_installed(repo: Repo) -> None:
    repo.commit({"hookci.toml": NO_BAD})

    lines = examined(repo, "hooks", status=1)

    place = repo.path / ".git/hooks"
    assert lines == [f"problem  hooks: not installed in {place}, where git looks: nothing is judged", MEND]


def test_hooks_that_are_missing(guarded: Repo) -> None:
    hooks = guarded.path / ".git/hooks"
    (hooks / "pre-push").unlink()

    assert examined(guarded, "hooks", status=1) == [f"problem  hooks: missing in {hooks}: pre-push", MEND]


@pytest.mark.parametrize("setting", [("hookci.deploys", "staging"), ("hookci.background", "true")], ids=" ".join)
def test_hooks_that_a_setting_made_by_hand_has_work_for(guarded: Repo, setting: tuple[str, str]) -> None:
    hooks = guarded.path / ".git/hooks"
    guarded.git("config", *setting)

    before = examined(guarded, "hooks", status=1)
    guarded.hookci("install")
    after = examined(guarded, "hooks", status=0)

    assert before == [f"problem  hooks: missing in {hooks}: post-merge, post-commit, post-rewrite", MEND]
    assert after == [f"ok       hooks: {', '.join(HOOKS)} in {hooks}"]


def test_a_hook_of_others_in_a_place_that_hookci_does_not_want(guarded: Repo) -> None:
    script = guarded.path / ".git/hooks/post-commit"
    script.write_text("#!/bin/sh\n")

    assert examined(guarded, "hooks", status=0) == [f"ok       hooks: {ALL} in {script.parent}"]


def test_hooks_that_git_ignores(guarded: Repo) -> None:
    (guarded.path / ".git/hooks/pre-push").chmod(0o644)

    lines = examined(guarded, "hooks", status=1)
    guarded.hookci("install")

    assert lines == ["problem  hooks: not executable, so git ignores them: pre-push", MEND]
    assert examined(guarded, "hooks", status=0) == [f"ok       hooks: {ALL} in {guarded.path}/.git/hooks"]


@pytest.mark.parametrize("what", ["python", "main"])
def test_hooks_whose_program_is_gone(guarded: Repo, what: str, tmp_path: Path) -> None:
    python, main = Path(sys.executable), tmp_path / "__main__.py"
    main.touch()
    gone = tmp_path / "gone"
    put_shims(guarded, gone if what == "python" else python, gone if what == "main" else main)

    lines = examined(guarded, "hooks", status=1)
    guarded.hookci("install")

    assert lines == [f"problem  hooks: {gone} is gone, so every hook refuses", MEND]
    examined(guarded, "hooks", status=0)


def test_hooks_whose_program_does_not_start(guarded: Repo, tmp_path: Path) -> None:
    main = tmp_path / "__main__.py"
    main.write_text("import a_package_that_was_removed\n")
    put_shims(guarded, Path(sys.executable), main)

    lines = examined(guarded, "hooks", status=1)

    said = "ModuleNotFoundError: No module named 'a_package_that_was_removed'"
    assert lines == [f"problem  hooks: {sys.executable} cannot start hookci, so every hook refuses: {said}", MEND]


def put_shims(repo: Repo, python: Path, main: Path) -> None:
    for name in JUDGING:
        (repo.path / ".git/hooks" / name).write_bytes(Shim(name, python, main).fill(read_shim()))


def test_hooks_of_an_older_version(guarded: Repo) -> None:
    hook = guarded.path / ".git/hooks/pre-push"
    hook.write_text(hook.read_text().replace("# hookci shim 1", "# hookci shim 0"))

    lines = examined(guarded, "hooks", status=0)
    guarded.hookci("install")

    assert lines == ["warning  hooks: made by another version of hookci", MEND]
    assert examined(guarded, "hooks") == [f"ok       hooks: {ALL} in {guarded.path}/.git/hooks"]


def test_an_interpreter_in_the_work_tree(guarded: Repo) -> None:
    main = guarded.path / "hookci/__main__.py"
    main.parent.mkdir()
    main.write_text("")
    put_shims(guarded, Path(sys.executable), main)

    lines = examined(guarded, "hooks", status=0)

    assert lines == [
        f"ok       hooks: {ALL} in {guarded.path}/.git/hooks",
        f"warning  hooks: {main} is in this work tree, and the hooks refuse everything once it is gone",
        "         mend: run `uv tool install hookci` or `pipx install hookci`, then `hookci install` with that one",
    ]


def test_another_hook_in_our_place(guarded: Repo) -> None:
    (guarded.path / ".git/hooks/pre-push").write_text("#!/bin/sh\n")

    lines = examined(guarded, "hooks", status=1)

    said = "another hook has taken the place of pre-push, so hookci's does not run there"
    assert lines == [f"problem  hooks: {said}", MEND]


@pytest.mark.parametrize("manager", [*MANAGERS, "lefthook"])
def test_another_managers_hooks_that_do_not_call_hookci(repo: Repo, manager: str) -> None:
    config = {".pre-commit-config.yaml": "repos: []\n", "lefthook.yml": "pre-push:\n  jobs: [{run: 'true'}]\n"}
    repo.commit({"hookci.toml": NO_BAD, **config})
    repo.run(manager, "install", *([] if manager == "lefthook" else ["--hook-type=pre-push"]))

    before = examined(repo, "hooks", status=1)
    repo.hookci("install")

    place = repo.path / ".git/hooks"
    assert before == [f"problem  hooks: not installed in {place}, where git looks: nothing is judged", MEND]
    assert examined(repo, "hooks", status=0)[1:] == [f"ok       hooks: {manager} runs before hookci: pre-push"]


def test_lefthook_takes_the_place_of_hooks(guarded: Repo) -> None:
    guarded.commit({"lefthook.yml": "pre-push:\n  jobs: [{run: 'true'}]\n"})
    guarded.run("lefthook", "install", "--force")

    lines = examined(guarded, "hooks", status=1)

    said = "lefthook has taken the place of pre-push, so hookci's does not run there"
    assert lines == [f"problem  hooks: {said}", MEND]


def test_lefthook_calls_hookci(repo: Repo) -> None:
    job = "{run: hookci hook pre-push, use_stdin: true}"
    repo.commit({"hookci.toml": NO_BAD, "lefthook.yml": f"pre-push:\n  jobs: [{job}]\n"})
    repo.run("lefthook", "install")

    assert examined(repo, "hooks", status=0) == ["ok       hooks: lefthook calls hookci: pre-push"]


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_manager_that_came_later_runs_ours(guarded: Repo, manager: str) -> None:
    guarded.commit({".pre-commit-config.yaml": "repos: []\n"})
    guarded.run(manager, "install", "--hook-type=pre-push")

    lines = examined(guarded, "hooks", status=0)

    place = guarded.path / ".git/hooks"
    ours = ", ".join(name for name in JUDGING if name != "pre-push")
    assert lines == [f"ok       hooks: {ours} in {place}", f"ok       hooks: {manager} runs hookci's hooks: pre-push"]


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_manager_calls_hookci_and_what_it_keeps_from_it(repo: Repo, manager: str) -> None:
    managed(repo, manager)

    lines = examined(repo, "hooks", status=0)

    limit = "hands over only the first ref of a push"
    assert lines == [
        f"ok       hooks: {manager} calls hookci: pre-commit",
        f"ok       hooks: {manager} calls hookci: pre-merge-commit",
        f"warning  hooks: {manager} calls hookci: pre-push, and {limit}",
        MEND,
        f"ok       hooks: {manager} calls hookci: post-merge",
    ]


def test_a_manager_that_calls_hookci_but_hears_of_no_push(repo: Repo) -> None:
    repo.commit({"hookci.toml": NO_BAD, ".pre-commit-config.yaml": local_hooks()})
    repo.run("pre-commit", "install")

    lines = examined(repo, "hooks", status=1)

    assert lines == [
        f"problem  hooks: missing in {repo.path}/.git/hooks: pre-push",
        MEND,
        "ok       hooks: pre-commit calls hookci: pre-commit",
    ]


def test_a_manager_that_calls_hookci_before_hookci(repo: Repo) -> None:
    managed(repo, "pre-commit")
    repo.hookci("install")

    lines = examined(repo, "hooks", status=0)

    twice = "pre-commit runs first and calls hookci too, so it judges twice"
    mend = "         mend: take hookci out of .pre-commit-config.yaml"
    expected = [f"ok       hooks: {ALL} in {repo.path}/.git/hooks"]
    for name in JUDGING:
        expected += [f"warning  hooks: {twice}: {name}", mend]
    assert lines == [*expected, "ok       hooks: pre-commit calls hookci: post-merge"]


def test_a_manager_need_not_call_hookci_for_more_than_pushes(repo: Repo) -> None:
    hooks = [{"repo": "https://example.com/hookci", "rev": "v1", "hooks": [{"id": "hookci-push"}]}]
    managed(repo, "pre-commit", hooks=json.dumps({"repos": hooks}))

    lines = examined(repo, "hooks", status=0)

    limit = "hands over only the first ref of a push"
    assert lines == [f"warning  hooks: pre-commit calls hookci: pre-push, and {limit}", MEND]


def test_husky(repo: Repo) -> None:
    directory = repo.path / ".husky/_"
    stubs = {f".husky/_/{name}": "#!/bin/sh\n" for name in ("h", "husky.sh", "pre-push", "pre-commit")}
    repo.commit({"hookci.toml": NO_BAD, **stubs})
    repo.git("config", "core.hooksPath", ".husky/_")

    before = examined(repo, "hooks", status=1)
    put = f'put `hookci hook pre-push -- "$@"` into {directory.parent}/pre-push, and so on for the other hooks'
    repo.write_files({".husky/pre-push": 'hookci hook pre-push -- "$@"\n'})

    assert before == [
        f"problem  hooks: {directory} belongs to husky, which writes every hook there again",
        f"         mend: {put}",
    ]
    assert examined(repo, "hooks", status=0) == ["ok       hooks: husky calls hookci: pre-push"]


def test_a_hooks_path_for_all_repositories(guarded: Repo, sealed: Sealed) -> None:
    shared = sealed.home / "hooks"
    shared.mkdir()
    guarded.git("config", "--global", "core.hooksPath", str(shared))

    before = examined(guarded, "hooks", status=1)
    guarded.hookci("install")

    assert before == [
        f"problem  hooks: not installed in {shared}, where git looks: nothing is judged",
        MEND,
        f"warning  hooks: hookci's hooks are in {guarded.path}/.git/hooks too, where git does not look",
        "         mend: hookci uninstall && hookci install",
    ]
    chained = examined(guarded, "hooks", status=0)
    assert chained[0] == f"ok       hooks: {ALL} in {guarded.path}/.git/hookci/hooks"
    assert chained[1] == f"ok       hooks: {shared}, every repository's core.hooksPath, has hooks that run first"


def test_an_empty_hooks_path(guarded: Repo) -> None:
    guarded.git("config", "core.hooksPath", "")

    lines = examined(guarded, "hooks", status=1)

    assert lines == [
        "problem  hooks: the local core.hooksPath is empty",
        "         mend: run `git config --local --unset core.hooksPath`",
    ]


def test_a_linked_worktree_has_the_hooks_of_the_repository(guarded: Repo, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    guarded.git("worktree", "add", "-q", str(linked))

    lines = examined(guarded, "hooks", status=0, cwd=linked)

    assert lines == [f"ok       hooks: {ALL} in {guarded.path}/.git/hooks"]


def test_a_linked_worktree_without_its_own_hooks(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "core.hooksPath", ".githooks")
    guard(repo, push=False)
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", str(linked))
    shutil.rmtree(linked / ".githooks", ignore_errors=True)

    lines = examined(repo, "hooks", status=1, cwd=linked)

    each = "core.hooksPath is relative, so every worktree has hooks of its own"
    assert lines[:2] == [
        f"problem  hooks: not installed in {linked}/.githooks, where git looks: nothing is judged; {each}",
        MEND,
    ]
