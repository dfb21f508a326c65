"""Projects that can be deployed to a file, for the commands of deployment."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.model.release import DeploymentState, Kind
from hookci.store.deployments import DeploymentStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Repo

__all__ = ["Project", "answering"]

_CONFIG = """\
[jobs.unit]
script = ["test ! -e RED"]

[environments.staging]
script = ["sh deploy.sh"]
variables = {{ LIVE = "{live}" }}
health = [{{ {check}, within = "5s" }}]
"""
_SCRIPT = """\
cp version "$LIVE"
echo copied
if [ -e SLOW ]; then sleep 60; fi
"""
PRODUCTION = """
[environments.production]
after = "staging"
approval = true
script = ["true"]
"""


@dataclasses.dataclass(frozen=True)
class Project:
    """A repository that deploys its file ``version`` to ``live``; a version `bad` is not healthy."""

    repo: Repo
    live: Path

    @classmethod
    def make(cls, repo: Repo, *, check: str = "", more: str = "") -> Project:
        """Commit the project and push it; ``check`` is another health check than one of the file."""
        live = repo.path.parent / "live"
        check = check or f"""command = '! grep -q bad "{live}"'"""
        config = _CONFIG.format(live=live, check=check) + more
        repo.commit({"hookci.toml": config, "deploy.sh": _SCRIPT, "version": "one\n"}, "Make one")
        repo.git("push", "-q", "origin", "main")
        return cls(repo, live)

    @contextmanager
    def deploying(self) -> Iterator[subprocess.Popen[str]]:
        """A deployment whose script is running and does not end; its end is the caller's to bring about."""
        self.repo.commit({"SLOW": ""}, "Be slow")
        argv = [sys.executable, "-I", "-m", "hookci", "deploy"]
        with subprocess.Popen(
            argv, cwd=self.repo.path, env=self.repo.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            assert any("| copied" in line for line in lines)
            yield process

    def commit(self, version: str) -> str:
        """A new version; its short name."""
        return self.repo.commit({"version": f"{version}\n"}, f"Make {version}")[:8]

    def tags(self) -> list[str]:
        return self.repo.out("tag", "--list", "deploy/*").split()

    def remember(self, state: DeploymentState, *, told: bool = False, pushed: bool = True, number: int = 0) -> None:
        """Have an attempt in the store that a hook made, or a colleague here, unwatched."""
        common = self.repo.path / ".git" / "hookci"
        (common / "deploy").mkdir(parents=True, exist_ok=True)
        with DeploymentStore(common, lambda: 1_000.0) as store:
            begun = store.begin("staging", self.repo.out("rev-parse", "HEAD"), Kind.DEPLOY, "Ana <ana@example.com>")
            reason, live = "the script failed", "release 1, restored"
            done = replace(begun, state=state, reason=reason, live=live, told=told, pushed=pushed)
            store.update(replace(done, number=number or None))


@contextmanager
def answering(say: Callable[[], str]) -> Iterator[str]:
    """A server on the loopback that answers what ``say`` says; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = say().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/version"
        finally:
            server.shutdown()
