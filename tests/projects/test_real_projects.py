"""Projects nobody here wrote, as a new user would take them on: init, install, a good push, a bad one, a mended one.

They come as source distributions from the Python package index and take minutes, so they run where everything is tried:
with TEST_HOOKCI_COMPLETE=1, as the gate of submissions sets it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Repo, Sealed

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("TEST_HOOKCI_COMPLETE") != "1", reason="real projects are tried with TEST_HOOKCI_COMPLETE=1"
    ),
]


@dataclass(frozen=True)
class Sample:
    """A project, and a change to it that its own tests must notice."""

    name: str
    file: str
    broken: str
    own_failure: str | None = None
    """A test of the project's that fails without hookci too, on some Pythons; its user would leave it out."""


SAMPLES = [
    Sample("itsdangerous==2.2.0", "src/itsdangerous/signer.py", "\nclass Signer:\n    pass\n"),
    Sample("click==8.1.8", "src/click/utils.py", "\ndef echo(*args, **kwargs):\n    pass\n"),
    Sample(
        "attrs==26.1.0",
        "src/attr/_make.py",
        "\ndef fields(cls):\n    return ()\n",
        "tests/test_converters.py::TestPipe::test_wrapped_annotation",  # CPython 3.11.7 and 3.12.1, not 3.13.0
    ),
    Sample("markupsafe==3.0.2", "src/markupsafe/__init__.py", "\ndef escape(s):\n    return Markup(s)\n"),
]


def download(sample: Sample, into: Path, env: dict[str, str]) -> Path:
    """Unpack a source distribution; the result is its directory."""
    into.mkdir()
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        str(into),
        sample.name,
    ]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    archives = list(into.glob("*.tar.gz"))
    if done.returncode != 0 or not archives:
        pytest.fail(f"{sample.name} could not be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(into, filter="data")
    return next(path for path in into.iterdir() if path.is_dir())


def adopt(repo: Repo, project: Path) -> None:
    """Put a project into a repository and hand it to hookci by the README's words."""
    shutil.copytree(project, repo.path, dirs_exist_ok=True)
    repo.commit(message="import the project")
    repo.hookci("init", "--yes")
    repo.commit(message="add hookci")


def begin_with_what_is_there(repo: Repo) -> None:
    """Write a baseline, as a refusal and the documentation have it for an old project and an empty remote."""
    refused = repo.hookci("run", "security", check=False)
    repo.hookci("scan", "--all", "--baseline", "write")
    repo.commit(message="begin with what is there")
    repo.hookci("run", "security")

    assert refused.returncode == 1
    assert "hookci scan --all --baseline write" in refused.output


def only_what_is_new_is_found(repo: Repo, file: Path) -> None:
    """Append one more risky line to a file, scan, and take it out again."""
    text = file.read_text()
    file.write_text(f"{text}\neval(input())\n")

    ran = repo.hookci("scan", check=False)

    file.write_text(text)
    assert ran.returncode == 1
    assert f"{file.relative_to(repo.path)}:{len(text.splitlines()) + 2}:1: medium: B307" in ran.stdout
    assert "found: 1 finding that blocks, " in ran.stdout


def push(repo: Repo) -> tuple[bool, str]:
    ran = subprocess.run(
        ["git", "push", "origin", "main"], cwd=repo.path, env=repo.env, capture_output=True, text=True, check=False
    )
    landed = repo.remote_refs().get("refs/heads/main") == repo.out("rev-parse", "HEAD")
    assert landed == (ran.returncode == 0), ran.stderr
    return landed, ran.stderr


def good_bad_mended(repo: Repo, break_it: Callable[[], None]) -> None:
    landed, said = push(repo)
    assert landed, said
    break_it()
    repo.commit(message="break it")
    landed, said = push(repo)
    assert not landed, "a bad push went through"
    assert "hookci: main is red" in said
    repo.git("revert", "--no-edit", "HEAD")
    landed, said = push(repo)
    assert landed, said
    assert repo.out("status", "--porcelain") == ""


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_project_of_the_index_is_guarded_at_once(sample: Sample, repo: Repo, sealed: Sealed, tmp_path: Path) -> None:
    adopt(repo, download(sample, tmp_path / "index", dict(sealed.env)))
    begin_with_what_is_there(repo)
    only_what_is_new_is_found(repo, repo.path / sample.file)
    if sample.own_failure:
        config = (repo.path / "hookci.toml").read_text()
        assert config.count("python -m pytest") == 1
        left_out = f"python -m pytest --deselect {sample.own_failure}"
        repo.commit({"hookci.toml": config.replace("python -m pytest", left_out)}, "leave out what is red by itself")

    def break_it() -> None:
        with (repo.path / sample.file).open("a") as file:
            file.write(sample.broken)

    good_bad_mended(repo, break_it)


def test_a_django_project_is_guarded_at_once(repo: Repo, tmp_path: Path) -> None:
    environment = tmp_path / "django"
    repo.run(sys.executable, "-m", "venv", str(environment))
    made = repo.run(str(environment / "bin" / "pip"), "install", "-q", "django>=5,<6", check=False)
    if made.returncode != 0:
        pytest.fail(f"Django could not be installed: {made.stderr.strip().splitlines()[-1:]}")
    django = str(environment / "bin" / "django-admin")
    repo.run(django, "startproject", "site1", str(repo.path))
    repo.run(str(environment / "bin" / "python"), "manage.py", "startapp", "shop")
    repo.write_files(
        {
            "requirements.txt": "django>=5,<6\n",
            ".gitignore": "*.sqlite3\n__pycache__/\n",
            "shop/prices.py": "def total(prices):\n    return sum(prices)\n",
            "shop/tests.py": (
                "from django.test import TestCase\nfrom shop.prices import total\n\n"
                "class Prices(TestCase):\n    def test_total(self):\n        self.assertEqual(total([3, 4]), 7)\n"
            ),
        }
    )
    repo.commit(message="a Django project")
    repo.hookci("init", "--yes")
    config = (repo.path / "hookci.toml").read_text()
    assert "manage.py check" in config
    assert "manage.py test" in config
    repo.commit(message="add hookci")

    good_bad_mended(repo, lambda: repo.write_files({"shop/prices.py": "def total(prices):\n    return 0\n"}))


def test_a_node_project_is_guarded_at_once(repo: Repo) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.fail("node and npm are not on this machine")
    repo.write_files(
        {
            "package.json": '{"name": "shop", "version": "1.0.0", "scripts": {"test": "node --test"}}\n',
            "package-lock.json": (
                '{"name": "shop", "version": "1.0.0", "lockfileVersion": 3,'
                ' "packages": {"": {"name": "shop", "version": "1.0.0"}}}\n'
            ),
            ".gitignore": "node_modules/\n",
            "total.js": "module.exports = (prices) => prices.reduce((a, b) => a + b, 0);\n",
            "total.test.js": (
                "const test = require('node:test');\nconst assert = require('node:assert');\n"
                "const total = require('./total');\ntest('adds up', () => assert.equal(total([3, 4]), 7));\n"
            ),
        }
    )
    repo.commit(message="a Node project")
    repo.hookci("init", "--yes")
    repo.commit(message="add hookci")

    good_bad_mended(repo, lambda: repo.write_files({"total.js": "module.exports = () => 0;\n"}))
