"""What runs beside a job: databases as people use them, and a Docker engine to build images with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from container_tools import left
from execute_tools import outcomes, output, run, said
from images import BUSYBOX, POSTGRES, PYTHON, REDIS

if TYPE_CHECKING:
    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker(PYTHON, POSTGRES, REDIS)

APP = '''\
"""Counts visits: all of them in PostgreSQL, those of the last minute in Redis."""

import os

import psycopg2
import redis
from flask import Flask, jsonify


def create_app():
    app = Flask(__name__)
    database = psycopg2.connect(os.environ["DATABASE_URL"])
    cache = redis.Redis.from_url(os.environ["REDIS_URL"])
    with database, database.cursor() as cursor:
        cursor.execute("create table if not exists visits (name text not null)")

    @app.post("/visits/<name>")
    def visit(name):
        with database, database.cursor() as cursor:
            cursor.execute("insert into visits values (%s)", (name,))
            cursor.execute("select count(*) from visits where name = %s", (name,))
            total = cursor.fetchone()[0]
        recent = cache.incr(f"recent:{name}")
        cache.expire(f"recent:{name}", 60)
        return jsonify(total=total, recent=recent)

    return app
'''
TESTS = """\
import unittest

from app import create_app


class Visits(unittest.TestCase):
    def test_they_are_counted(self):
        client = create_app().test_client()
        answers = [client.post("/visits/ana").get_json() for _ in range(3)]
        self.assertEqual(answers[-1], {"total": 3, "recent": 3})
"""


def test_an_application_is_tested_with_its_database_and_its_cache(repo: Repo, engine: Engine) -> None:
    # as they are: the official images' settings, and no waiting in the job's own script
    repo.commit({"app.py": APP, "test_app.py": TESTS, "hookci.toml": f"""
        [variables]
        POSTGRES_USER = "shop"
        POSTGRES_PASSWORD = "not-so-secret"
        POSTGRES_DB = "visits"
        [jobs.unit]
        image = "{PYTHON}"
        services = [{{ image = "{POSTGRES}", alias = "db" }}, {{ image = "{REDIS}", alias = "cache" }}]
        script = ["python -m unittest -v"]
        variables = {{ REDIS_URL = "redis://cache:6379/0",
                       DATABASE_URL = "postgresql://$POSTGRES_USER:$POSTGRES_PASSWORD@db/$POSTGRES_DB" }}
    """})  # fmt: skip

    runs = [run(repo) for _ in range(2)]  # each with databases of its own

    assert all("| OK" in ran.stdout for ran in runs)
    assert left(engine.api, repo) == []


def test_a_service_without_an_alias_has_the_names_that_it_has_at_gitlab(repo: Repo) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{PYTHON}"
        services = ["{REDIS}"]
        script = ["python -c 'import redis; print(redis.Redis(\\"hookci-test-redis\\").ping())'",
                  "getent hosts hookci-test__redis hookci-test-redis | wc -l"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == ["True", "2"]


def test_a_job_waits_for_the_check_of_a_service(repo: Repo) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        services = [{{ image = "{BUSYBOX}", alias = "slow", health = {{ command = "test -e /ready", within = "20s" }},
                       command = ["sh", "-c", "sleep 2; touch /ready; while :; do echo well | nc -l -p 80; done"] }}]
        script = ["nc slow 80 < /dev/null"]
    """})  # fmt: skip

    ran = run(repo)

    assert said(ran, "a") == ["well"]


def test_a_service_that_never_gets_ready_makes_no_verdict_if_its_check_was_asked_for(
    repo: Repo, engine: Engine
) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        services = [{{ image = "{BUSYBOX}", alias = "sick", health = {{ command = "test -e /ready", within = "1s" }},
                       command = ["sh", "-c", "echo I am sick; sleep 60"] }}]
        script = ["true"]
    """})  # fmt: skip

    ran = run(repo, check=False)

    assert ran.returncode == 3
    assert outcomes(repo) == {"a": "errored"}
    assert "sick" in ran.stdout
    assert "I am sick" in output(repo, "a")
    assert left(engine.api, repo) == []


def test_the_log_of_a_service_that_dies_is_in_the_jobs_log(repo: Repo) -> None:
    repo.commit({"hookci.toml": f"""
        [jobs.a]
        image = "{BUSYBOX}"
        services = [{{ image = "{POSTGRES}", alias = "db" }}]
        script = ["! nc -w 1 db 5432 < /dev/null"]
    """})  # fmt: skip

    run(repo)

    assert "superuser password is not specified" in output(repo, "a")


# -- an engine beside the job, as GitLab's page "Use Docker to build Docker images" has it

LOAD = "docker load -q -i base.tar"
BUILD_AND_RUN = [LOAD, "docker build -q -t app .", "docker run --rm app"]
DOCKERFILE = f"FROM {BUSYBOX}\nRUN echo built inside > /said\nCMD cat /said\n"


def dind(repo: Repo, engine: Engine, variables: str, script: list[str]) -> None:
    """Commit a pipeline of one job with an engine beside it; a base image is among its files."""
    base = b"".join(engine.api.get_image(BUSYBOX))
    repo.commit({"Dockerfile": DOCKERFILE})
    (repo.path / "base.tar").write_bytes(base)
    repo.commit({"hookci.toml": f"""
        [jobs.image]
        image = "docker:latest"
        services = ["docker:dind"]
        variables = {{ {variables} }}
        script = {script}
    """})  # fmt: skip


@pytest.mark.docker("docker:latest", "docker:dind")
@pytest.mark.parametrize(
    "variables",
    ['DOCKER_TLS_CERTDIR = "/certs"', 'DOCKER_TLS_CERTDIR = "", DOCKER_HOST = "tcp://docker:2375"'],
    ids=["with TLS", "without TLS"],
)
def test_a_job_builds_an_image_and_runs_it_on_an_engine_beside_it(repo: Repo, engine: Engine, variables: str) -> None:
    repo.git("config", "hookci.privileged", "docker:*dind*")
    dind(repo, engine, variables, BUILD_AND_RUN)

    ran = run(repo)

    assert said(ran, "image")[-1] == "built inside"
    assert left(engine.api, repo) == []


@pytest.mark.docker("docker:latest", "docker:dind")
def test_without_privileges_an_engine_beside_a_job_fails_and_says_which_setting_allows_it(
    repo: Repo, engine: Engine
) -> None:
    dind(repo, engine, 'DOCKER_TLS_CERTDIR = "/certs"', ["docker info"])
    needs_none = (repo.path / "hookci.toml").read_text().replace("docker info", "docker --version")

    needs_it = run(repo, check=False)
    repo.commit({"hookci.toml": needs_none})
    goes_on = run(repo)

    assert needs_it.returncode == 1
    for ran in (needs_it, goes_on):
        assert "hookci.privileged" in ran.stdout
    assert any(line.startswith("Docker version") for line in said(goes_on, "image"))
    assert left(engine.api, repo) == []
