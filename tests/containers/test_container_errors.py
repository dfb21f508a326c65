"""What stands in the way of a job in a container is said in one line, with what to do next, and is never a pass."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING

import pytest
from container_tools import left
from execute_tools import hookci_started, outcomes, run, said
from images import BUSYBOX, NO_SHELL, PYTHON
from own_engine import own_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Ran, Repo

    from hookci.engine.calls import Engine

pytestmark = [pytest.mark.docker(NO_SHELL, PYTHON), pytest.mark.timeout(300)]


def committed(repo: Repo, image: str = BUSYBOX, script: str = "true", more: str = "") -> Repo:
    repo.commit({"hookci.toml": f"""
        [jobs.here]
        script = ["true"]
        [jobs.boxed]
        image = {{ name = "{image}" {more} }}
        script = ['''{script}''']
    """})  # fmt: skip
    return repo


def no_verdict(ran: Ran) -> str:
    """What was said of the job in a container; fails unless that is an orderly error, and the other job ran."""
    assert ran.returncode == 3, ran.output
    assert "Traceback" not in ran.output
    assert "1 job errored (boxed), 1 passed (here)" in ran.stdout
    return next(line for line in ran.stdout.splitlines() if line.startswith("boxed errored in "))


def test_without_an_engine_it_is_said_what_was_tried_and_that_jobs_can_run_here(repo: Repo, tmp_path: Path) -> None:
    committed(repo)

    ran = run(repo, "--keep-going", check=False, env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})

    assert f"unix://{tmp_path}/none.sock" in no_verdict(ran)
    assert "DOCKER_HOST" in ran.stdout
    assert "a job without `image` runs on this machine" in ran.stdout


@contextmanager
def old_engine(socket: Path) -> Iterator[None]:
    """Something that answers as Docker 19.03 did."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps({"Version": "19.03.15", "ApiVersion": "1.40", "MinAPIVersion": "1.12"}).encode()
            if "/v1.4" in self.path and "/v1.40" not in self.path:
                body = b'{"message": "client version 1.41 is too new. Maximum supported API version is 1.40"}'
            self.send_response(400 if b"message" in body else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "socket"

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingMixIn, UnixStreamServer):
        daemon_threads = True

    with Server(str(socket), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_an_engine_that_is_too_old_is_named_with_its_version(repo: Repo, tmp_path: Path) -> None:
    committed(repo)

    with old_engine(tmp_path / "old.sock"):
        ran = run(repo, "--keep-going", check=False, env={"DOCKER_HOST": f"unix://{tmp_path}/old.sock"})

    assert "1.40" in no_verdict(ran)
    assert "20.10" in ran.stdout


@pytest.mark.parametrize("pull", ["never", "if-not-present"])
def test_an_image_that_is_not_to_be_had_is_named(repo: Repo, pull: str) -> None:
    committed(repo, "hookci-test.invalid/absent:1", more=f', pull = "{pull}"')

    ran = run(repo, "--keep-going", check=False)

    assert "hookci-test.invalid/absent:1" in no_verdict(ran)


def test_an_image_without_a_shell_is_named(repo: Repo) -> None:
    committed(repo, NO_SHELL)

    ran = run(repo, "--keep-going", check=False)

    assert NO_SHELL in no_verdict(ran)
    assert "`sh`" in no_verdict(ran)


def test_out_of_memory_is_told_from_a_kill(repo: Repo) -> None:
    committed(repo, PYTHON, "python3 -c 'x = bytearray(300 << 20); x[:] = bytes([1]) * len(x)'", ', memory = "64m"')
    starved = run(repo, "--keep-going", check=False)
    committed(repo, PYTHON, "kill -9 $$", ', memory = "64m"')

    killed = run(repo, "--keep-going", check=False)

    assert starved.returncode == killed.returncode == 1
    assert "out of memory: its limit is 64 MiB" in starved.stdout
    assert "out of memory" not in killed.stdout
    assert "SIGKILL" in killed.stdout


def test_what_is_wrong_with_the_config_is_said_before_any_engine_is_asked(repo: Repo, tmp_path: Path) -> None:
    committed(repo, more=', memry = "64m"')

    ran = run(repo, check=False, env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})

    assert ran.returncode == 2
    assert "jobs.boxed.image" in ran.stderr
    assert "did you mean `memory`?" in ran.stderr


def test_an_engine_that_goes_away_ends_its_jobs_as_errors_and_the_run_can_be_taken_up_again(
    repo: Repo, engine: Engine
) -> None:
    del engine
    committed(repo, script="echo up; sleep ${SLEEP:-60}", more="")
    config = (repo.path / "hookci.toml").read_text()
    repo.commit({"hookci.toml": config + 'pass_env = ["SLEEP"]\n'})

    with own_engine() as own:
        own.give(BUSYBOX)
        env = {"DOCKER_HOST": own.url}
        with hookci_started(repo, "run", "--keep-going", env=env) as process:
            assert process.stdout
            shown = []
            for line in process.stdout:
                shown.append(line.decode())
                if "| up" in shown[-1]:
                    own.kill()
        mid_run, status = "".join(shown), process.wait(30)
        own.start()
        again = repo.hookci("run", env={**env, "SLEEP": "0"})

    assert status == 3, mid_run
    assert "Traceback" not in mid_run
    assert f"the engine at {own.url} went away" in mid_run
    assert outcomes(repo) == {"here": "remembered", "boxed": "passed"}
    assert said(again, "boxed") == ["up"]


def test_a_full_disk_of_the_engine_is_said_and_makes_no_verdict(repo: Repo) -> None:
    committed(repo, more=', network = "none"')

    with own_engine(small=24) as own:
        own.give(BUSYBOX)
        env = {"DOCKER_HOST": own.url}
        fitted = run(repo, "--keep-going", env=env)
        full = own.place / "data" / "full"
        subprocess.run(["dd", "if=/dev/zero", f"of={full}", "bs=64k"], capture_output=True, check=False)
        ran = run(repo, "--keep-going", check=False, env=env)
        full.unlink()
        again = run(repo, "--keep-going", env=env)

    assert "no space left on device" in no_verdict(ran)
    assert "2 jobs passed" in fitted.stdout
    assert "2 jobs passed" in again.stdout


def test_a_full_disk_of_the_job_is_the_jobs_own_failure(repo: Repo, engine: Engine) -> None:
    committed(repo, script="dd if=/dev/zero of=/dev/shm/full bs=1M count=100", more="")

    ran = run(repo, "--keep-going", check=False)

    assert ran.returncode == 1
    assert "No space left on device" in ran.stdout
    assert left(engine.api, repo) == []
