"""hookci as `repo:` of a `.pre-commit-config.yaml`: the manager builds it from this checkout and runs it."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from guarded import push
from managed import HOOKS, MANAGERS, managed, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

CHECKOUT = Path(__file__).resolve().parents[2]
TELLS = """\
[jobs.unit]
script = ["echo \\"venv=${VIRTUAL_ENV:-none}\\"", "command -v hookci || echo none of it", "python -c 'import sys; print(sys.prefix)'", "test ! -e BAD"]

[hooks]
pre-commit = ["unit"]
"""  # noqa: E501 (a line of a script)


@pytest.fixture
def published(make_repo: Callable[..., Repo]) -> tuple[Repo, str]:
    """This checkout as a repository of its own, with what is not committed yet, and its commit."""
    repo = make_repo("published", remote=False)
    names = repo.run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=CHECKOUT).stdout
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).is_file():
            (repo.path / name).parent.mkdir(parents=True, exist_ok=True)
            (repo.path / name).write_bytes((CHECKOUT / name).read_bytes())
    return repo, repo.commit()


@pytest.mark.parametrize("manager", MANAGERS)
def test_the_hooks_file_is_valid(repo: Repo, manager: str) -> None:
    ran = repo.run(manager, "validate-manifest", str(CHECKOUT / ".pre-commit-hooks.yaml"))

    assert "warn" not in ran.output.lower()


def test_the_hooks_file_says_what_the_local_form_is_tested_with() -> None:
    yaml = importlib.import_module("yaml")  # comes with pre-commit, without types

    hooks = {hook["id"]: hook for hook in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())}

    said = {name: (hook["entry"], hook["stages"]) for name, hook in hooks.items()}
    assert said == {name: (f"hookci hook {entry} --own-venv", stages) for name, (entry, stages) in HOOKS.items()}
    always = {
        "language": "python",
        "pass_filenames": False,
        "always_run": True,
        "require_serial": True,
        "verbose": True,
    }
    for hook in hooks.values():
        assert hook.items() >= always.items()


@pytest.mark.skipif(not os.environ.get("TEST_HOOKCI_COMPLETE"), reason="needs a package index; TEST_HOOKCI_COMPLETE=1")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("manager", MANAGERS)
def test_the_manager_builds_hookci_and_judges_with_it(repo: Repo, manager: str, published: tuple[Repo, str]) -> None:
    source, commit = published
    hooks = [{"id": name} for name in HOOKS]
    config = json.dumps({"repos": [{"repo": str(source.path), "rev": commit, "hooks": hooks}]})
    managed(repo, manager, TELLS, config)
    # the user's own interpreter comes first on the PATH, as after `source .venv/bin/activate`
    ours = str(Path(sys.executable).parent)

    landed = push(repo, "main")
    repo.write_files({"BAD": "x"})
    repo.git("add", "BAD")
    bad_commit = repo.git("commit", "-qm", "bad", check=False)
    repo.git("commit", "-qm", "bad", "--no-verify")
    bad_push = push(repo, "main")

    assert landed.returncode == 0, landed.output
    assert f"judging only main: {manager} hands over the first ref of a push" in landed.output
    refused(bad_commit)
    refused(bad_push)
    log = repo.hookci("log", "1", "unit").stdout
    assert "venv=none" in log
    assert f"{ours}/hookci" in log
    assert f"\n{sys.prefix}\n" in log
