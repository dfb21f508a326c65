"""Whether an engine sees this machine's files is found out by looking, whatever its address is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_servers import certified, relay
from execute_tools import run, said
from images import BUSYBOX

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

CONFIG = f"""
    [jobs.a]
    image = "{BUSYBOX}"
    script = ["test -e .git/objects/info/alternates && echo near"]
"""


@pytest.mark.parametrize("tls", [False, True])
def test_an_engine_of_this_machine_is_near_also_when_it_is_reached_by_tcp(
    repo: Repo, engine: Engine, tmp_path: Path, *, tls: bool
) -> None:
    repo.commit({"hookci.toml": CONFIG})
    certificates = certified(tmp_path / "certificates") if tls else None
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates.directory)} if certificates else {}

    with relay(engine.socket or "", certificates.context if certificates else None) as way:
        repo.git("config", "hookci.engine", way.url)
        ran = run(repo, env=env)

    assert said(ran, "a") == ["near"]
