"""What the shim has read itself, hookci still gets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hookci.git.shims import Shim, read_shim

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

SHELLS = [name for name in ("dash", "bash", "busybox", "zsh") if shutil.which(name)]
RECORDER = """\
import json, pathlib, sys
(pathlib.Path(__file__).parent / "stdin").write_text(json.dumps(sys.stdin.buffer.read().decode("latin-1")))
"""
ONE, ZERO = "1" * 40, "0" * 40


@pytest.mark.parametrize("kept", [False, True], ids=["", "after a kept hook"])
@pytest.mark.parametrize(
    "lines",
    [
        "",
        f"HEAD {ONE} refs/heads/a {ZERO}\n",
        "refs/heads/$HOME`id`$(id)\\n%s 1 refs/heads/\\\\ 2\n",
        "refs/heads/\xc4\x81\x81\x82\x88\xff 1 refs/heads/\xe2\x82\xac 2\n",
        "  refs/heads/a 1 refs/heads/a 2  \nEND\n.\n",
        "".join(f"refs/heads/{number} {ONE} refs/heads/{number} {ZERO}\n" for number in range(3000)),
        "".join(f"refs/heads/{number} {ONE} refs/heads/{number} {ZERO}\n" for number in range(19)),
        "".join(f"refs/heads/{number} {ONE} refs/heads/{number} {ZERO}\n" for number in range(20)),
    ],
    ids=["nothing", "one", "shell", "bytes", "marks", "many", "19", "20"],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_lines_that_it_did_not_answer_arrive_unchanged(
    repo: Repo, tmp_path: Path, shell: str, lines: str, kept: bool
) -> None:
    times = repo.path / ".git/hookci/green/times"
    times.mkdir(parents=True)
    (repo.path / ".git/hookci/green/pre-push").mkdir()
    (repo.path / ".git/hookci/state.db").touch()
    for name, fraction in (("old", 0), ("new", 10**9)):
        (times / name).touch()
        os.utime(times / name, ns=(fraction, fraction))
    main, shim = tmp_path / "main.py", tmp_path / "pre-push"
    main.write_text(RECORDER)
    shim.write_bytes(Shim("pre-push", repo.path.__class__(sys.executable), main).fill(read_shim()))
    if kept:
        before = tmp_path / "before-hookci" / "pre-push"
        before.parent.mkdir()
        before.write_text("#!/bin/sh\ncat >/dev/null\n")
        before.chmod(0o755)
    argv = [shell, *(["sh"] if shell == "busybox" else []), str(shim), "origin", "url"]
    env = {**repo.env, "GIT_EXEC_PATH": repo.out("--exec-path")}

    ended = subprocess.run(
        argv, input=lines.encode("latin-1"), cwd=repo.path, env=env, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert json.loads((tmp_path / "stdin").read_text()) == lines


def post_commit(repo: Repo, tmp_path: Path, shell: str = "sh", **env: str) -> bool:
    """Whether the shim of post-commit starts Python; it must not ask git when ``PATH`` has none."""
    main, shim = tmp_path / "main.py", tmp_path / "post-commit"
    main.write_text(RECORDER)
    shim.write_bytes(Shim("post-commit", repo.path.__class__(sys.executable), main).fill(read_shim()))
    (tmp_path / "stdin").unlink(missing_ok=True)
    repo.run(
        shell, *(["sh"] if shell == "busybox" else []), str(shim), env={"GIT_EXEC_PATH": "/usr/lib/git-core", **env}
    )
    return (tmp_path / "stdin").exists()


@pytest.mark.parametrize(
    "settings",
    [
        ["config", "hookci.deploys", "staging"],
        ["config", "--global", "hookci.Deploys", "staging"],
        ["config", "--file", ".config/git/config", "HookCI.DEPLOYS", "staging"],
        ["config", "--global", "include.path", "other"],
        ["config", "includeIf.gitdir:/.path", "../../home/other"],
        ["config", "--worktree", "hookci.deploys", "staging"],
        ["-c", "hookci.deploys=staging"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_clone_that_deploys_is_found_wherever_it_is_said(
    repo: Repo, tmp_path: Path, settings: list[str], shell: str
) -> None:
    repo.commit({"a": "a"})
    repo.git("config", "extensions.worktreeConfig", "true")
    home = repo.path.parent / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / "other").write_text("[hookci]\n\tdeploys = staging\n")
    env = {"GIT_CONFIG_PARAMETERS": "'hookci.deploys'='staging'"} if settings[0] == "-c" else {}
    if not env:
        repo.run("git", "--git-dir", str(repo.path / ".git"), *settings, cwd=home if "--file" in settings else None)

    assert post_commit(repo, tmp_path, shell, **env)
