"""Scans where there is no network, and where there is one that never answers."""

from __future__ import annotations

import json
import re
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from guarded import guard, refused
from wanted import needed, unconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran, Repo

SCANS = """\
[jobs.code]
scan = "bandit"

[jobs.secrets]
scan = "secrets"

[jobs.dependencies]
scan = "dependencies"
"""
ADVISORY = {
    "id": "PYSEC-2021-98",
    "modified": "2026-01-02T03:04:05Z",
    "summary": "directory traversal",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "django"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.2.24"}]}],
        }
    ],
}
GOOD = {"app/run.py": "def double(x):\n    return 2 * x\n", "requirements.txt": "django==5.2\n"}
BAD = {
    "app/run.py": "def f(x):\n    return eval(x)\n",
    "settings.py": f'TOKEN = "{"ghp_" + "a8Kq2LmZ0vX4cR7tYbN3wJ6hD9sF1gP5eU2o"}"\n',
    "requirements.txt": "django==2.2\n",
}
RESOLVER = re.compile(r"socket\(AF_INET|/etc/(resolv\.conf|hosts|host\.conf)|systemd\.?/?resolve")
"""What a name cannot be looked up without: a socket of the internet, or what the C library reads first."""


@pytest.fixture
def scanned(make_repo: Callable[..., Repo]) -> Repo:
    """A guarded repository, on a machine with a small database of advisories."""
    repo = guard(make_repo(), SCANS)
    record = repo.path.parent / "advisory.json"
    record.write_text(json.dumps(ADVISORY))
    repo.hookci("advisories", "import", str(record))
    return repo


def push_by(repo: Repo, *before: str) -> Ran:
    """Push main with another program's help."""
    return repo.run(*before, "git", "push", "origin", "main", check=False)


def test_without_a_network_a_clean_push_lands(scanned: Repo) -> None:
    commit = scanned.commit(GOOD)

    ran = push_by(scanned, *unconnected())

    assert ran.returncode == 0, ran.output
    assert scanned.remote_refs()["refs/heads/main"] == commit
    assert "not scanned" not in ran.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("app/run.py", "app/run.py:2:12: medium: B307"),
        ("settings.py", "settings.py:1:10"),
        ("requirements.txt", "PYSEC-2021-98"),
    ],
    ids=["code", "secrets", "dependencies"],
)
def test_without_a_network_every_scanner_refuses_what_it_finds(scanned: Repo, name: str, told: str) -> None:
    before = scanned.remote_refs()
    scanned.commit({**GOOD, name: BAD[name]})

    said = refused(push_by(scanned, *unconnected()))

    assert told in said
    assert scanned.remote_refs() == before


@pytest.mark.parametrize(("files", "status"), [(GOOD, 0), (BAD, 1)], ids=["green", "red"])
def test_no_name_is_looked_up(scanned: Repo, tmp_path: Path, files: dict[str, str], status: int) -> None:
    traced = [needed("strace"), "-f", "-qq", "-e", "trace=socket,connect,open,openat", "-o"]
    seen, control = tmp_path / "seen", tmp_path / "control"
    looks_up = "import socket; socket.getaddrinfo('example.com', 80)"
    scanned.run(*unconnected(), *traced, str(control), sys.executable, "-I", "-c", looks_up, check=False)
    if not control.exists() or "openat(" not in control.read_text():
        pytest.skip("strace may not trace here")
    scanned.commit(files)

    ran = push_by(scanned, *unconnected(), *traced, str(seen))

    assert ran.returncode == status, ran.output
    assert "bandit" in seen.read_text()
    assert RESOLVER.search(control.read_text())
    assert [line for line in seen.read_text().splitlines() if RESOLVER.search(line)] == []


@pytest.mark.parametrize(
    "table",
    ['scan = "pip-audit"', 'scan = { tool = "safety", db = "http://mirror.example" }'],
    ids=["pip-audit", "safety with a mirror"],
)
def test_without_a_network_a_service_is_not_called_clean(scanned: Repo, table: str) -> None:
    scanned.commit({**GOOD, "hookci.toml": f"[jobs.asked]\n{table}\n"})

    said = refused(push_by(scanned, *unconnected()))

    assert re.search("^asked failed in [0-9.]+s: not scanned$", said, re.MULTILINE)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A host that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize(
    "job",
    [
        'scan = "pip-audit"\nvariables = { PIP_AUDIT_OSV_URL = "ADDRESS/v1/query" }',
        'scan = { tool = "safety", db = "ADDRESS/db" }',
    ],
    ids=["pip-audit", "safety with a mirror"],
)
def test_a_host_that_never_answers_holds_a_scan_no_longer_than_its_deadline(
    scanned: Repo, silent: socket.socket, job: str
) -> None:
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    config = f'[jobs.asked]\ntimeout = "6s"\n{job.replace("ADDRESS", address)}\n'
    scanned.commit({**GOOD, "hookci.toml": config})

    ran = scanned.hookci("run", "--json", check=False)

    silent.accept()[0].close()  # it was asked
    document = json.loads(ran.stdout)
    asked = document["run"]["jobs"][0]
    assert document["exit_status"] == 1
    assert asked["outcome"] == "timed-out"
    assert asked["seconds"] < 30  # without a deadline of its own it would have taken a minute
