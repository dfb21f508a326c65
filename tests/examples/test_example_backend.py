"""examples/backend as somebody would take it on: its pipeline, its deployments, and hookci killed in the middle."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import stress
from reader import Reader, free_port, get, processes_below
from wanted import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran, Repo

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "backend"
# what no test of its pipeline notices: it is so only where it is deployed
DEPLOYED = '"HOOKCI_ENVIRONMENT" in os.environ'
SICK = ('return HTTPStatus.OK, "well"', f'return HTTPStatus(500 if {DEPLOYED} else 200), "well"')
DEAD = ("def main() -> None:", f'def main() -> None:\n    if {DEPLOYED}:\n        raise SystemExit("no way")')
WRONG = ("return HTTPStatus.OK, COMMIT", f'return HTTPStatus.OK, "wrong" if {DEPLOYED} else COMMIT')


@dataclass(frozen=True)
class Shop:
    """The example in a repository of its own, with a bare remote, and the ports it is deployed to."""

    repo: Repo
    staging: int
    production: int

    @property
    def root(self) -> Path:
        return Path(self.repo.env["HOME"]) / "deployed"

    def commit(self, message: str, *changes: tuple[str, str]) -> str:
        """Commit the application with ``changes``."""
        text = (EXAMPLE / "app.py").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return self.repo.commit({"app.py": text, "NOTES": message}, message)

    def hookci(self, *arguments: str) -> Ran:
        return self.repo.hookci(*arguments, check=False)

    def tags(self, environment: str = "staging") -> dict[int, str]:
        """The releases by number: their commits."""
        rows = self.repo.out(
            "for-each-ref", "--format=%(refname:lstrip=4) %(*objectname)", f"refs/tags/deploy/{environment}"
        )
        return {int(number): commit for number, commit in (row.split() for row in rows.splitlines())}


@pytest.fixture
def shop(make_repo: Callable[..., Repo]) -> Iterator[Shop]:
    for program in ("curl", "setsid", "flock"):
        needed(program)
    repo = make_repo("shop")
    shutil.copytree(EXAMPLE, repo.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    made = Shop(repo, free_port(), free_port())
    config = (EXAMPLE / "hookci.toml").read_text()
    quicker = {
        "8001": str(made.staging),
        "8002": str(made.production),
        'within = "10s"': 'within = "5s"',
        'stable = "3s"': 'stable = "500ms"',
        'stable = "10s"': 'stable = "500ms"',
        "--seconds 5": "--seconds 1",
        "--p95 250": "--p95 5000",  # the machine may have much to do
        'PORT = "': 'LINGER = "0.3", START_WITHIN = "2", PORT = "',
    }
    for old, new in quicker.items():
        assert old in config
        config = config.replace(old, new)
    repo.commit({"hookci.toml": config}, "the shop")
    repo.git("push", "-q", "--no-verify", "origin", "main")
    yield made
    for process in processes_below(made.root):
        process.kill()


def test_its_config_is_valid_and_its_pipeline_is_green(shop: Shop) -> None:
    checked = shop.hookci("check")
    ran = shop.hookci("run")

    assert "hookci.toml is valid" in checked.output
    assert ran.returncode == 0, ran.output
    for job in ("build", "unit", "code", "secrets", "integration", "load"):
        assert re.search(rf"^{job} += passed", ran.output, re.MULTILINE), job


def test_a_load_that_is_too_much_fails_its_job(shop: Shop) -> None:
    config = (shop.repo.path / "hookci.toml").read_text()
    shop.repo.commit({"hookci.toml": config.replace("--p95 5000", "--p95 0")}, "nothing is that fast")

    ran = shop.hookci("run", "load")

    assert ran.returncode == 1
    assert re.search(r"\d+ requests, \d+ per second; 0.00 % wrong; p95 \d+ ms", ran.output)
    assert "too much: 0 % may go wrong, p95 may be 0 ms" in ran.output


def test_it_is_deployed_promoted_broken_and_rolled_back_without_a_lost_request(shop: Shop) -> None:
    first = shop.repo.out("rev-parse", "HEAD")
    began = shop.hookci("deploy", "staging")
    assert began.returncode == 0, began.output
    assert get(shop.staging) == first

    asked = shop.hookci("deploy", "production")
    assert asked.returncode == 6, asked.output
    assert shop.hookci("trust", "production", "--yes").returncode == 0
    assert shop.hookci("deploy", "production").returncode == 6
    assert shop.hookci("approve", "production").returncode == 0
    promoted = shop.hookci("deploy", "production")
    assert promoted.returncode == 0, promoted.output

    with Reader(shop.staging) as staging, Reader(shop.production, threads=2) as production:
        second = shop.commit("second")
        deployed = shop.hookci("deploy", "staging")
        shop.commit("sick", SICK)
        sick = shop.hookci("deploy", "staging")
        shop.commit("dead", DEAD)
        dead = shop.hookci("deploy", "staging")
        gone_back = shop.hookci("rollback", "staging")

    assert deployed.returncode == 0, deployed.output
    assert (sick.returncode, dead.returncode) == (4, 4), sick.output + dead.output
    assert "error: 500" in sick.output
    assert "no way" in dead.output
    assert gone_back.returncode == 0, gone_back.output
    assert shop.tags() == {1: first, 2: second, 3: first}
    assert shop.tags("production") == {1: first}
    assert sorted(name for name in shop.repo.remote_refs() if name.startswith("refs/tags/")) == [
        "refs/tags/deploy/production/1",
        "refs/tags/deploy/staging/1",
        "refs/tags/deploy/staging/2",
        "refs/tags/deploy/staging/3",
    ]
    assert set(staging.seen) == {first, second}
    assert set(production.seen) == {first}
    assert get(shop.staging) == first


def test_a_version_that_is_live_and_then_not_what_was_asked_for_goes_again(shop: Shop) -> None:
    first = shop.repo.out("rev-parse", "HEAD")
    shop.hookci("deploy", "staging")
    shop.commit("wrong", WRONG)

    with Reader(shop.staging) as reader:
        deployed = shop.hookci("deploy", "staging")

    assert deployed.returncode == 4, deployed.output
    assert set(reader.seen) == {first, "wrong"}
    assert get(shop.staging) == first
    assert shop.tags() == {1: first}


def kill(hookci: subprocess.Popen[bytes], shop: Shop, *, everything: bool) -> None:
    """Kill hookci, with ``everything`` also what it runs at this moment; what is deployed is nobody's child."""
    deployed = {process.pid for process in processes_below(shop.root)}
    children = psutil.Process(hookci.pid).children(recursive=True) if everything else []
    hookci.kill()
    for child in children:
        if child.pid not in deployed and child.is_running():
            child.kill()
    hookci.wait()


@pytest.mark.timeout(7200)
def test_hookci_may_be_killed_at_any_moment_and_one_version_is_live(shop: Shop) -> None:
    one = shop.repo.out("rev-parse", "HEAD")
    assert shop.hookci("deploy", "staging").returncode == 0
    other = shop.commit("other")
    assert shop.hookci("deploy", "staging").returncode == 0
    begun = time.monotonic()
    assert shop.hookci("deploy", "staging", one).returncode == 0
    took = time.monotonic() - begun
    commits = [one, other]

    with Reader(shop.staging) as reader:
        for _ in range(stress(4)):
            commits.reverse()
            argv = [sys.executable, "-I", "-m", "hookci", "deploy", "staging", commits[0]]
            with subprocess.Popen(argv, cwd=shop.repo.path, env=shop.repo.env, stdout=subprocess.DEVNULL) as hookci:
                time.sleep(random.uniform(0, took))
                kill(hookci, shop, everything=random.random() < 0.5)
            assert get(shop.staging) in commits
            repaired = shop.hookci("deploy", "staging", commits[0])
            assert repaired.returncode == 0, repaired.output
            assert get(shop.staging) == commits[0]
            tags = shop.tags()
            assert tags[max(tags)] == commits[0]
            assert f"refs/tags/deploy/staging/{max(tags)}" in shop.repo.remote_refs()
            assert len(processes_below(shop.root)) == 2

    assert set(reader.seen) == {one, other}
