"""A Docker engine beside a job, as in GitLab's "Use Docker to build Docker images"; PostgreSQL and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from images import POSTGRES, REDIS
from services_samples import JobBeside, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.engine.calls import Engine

_ENGINE, _CLIENT = "docker:dind", "docker:latest"
_BUILD_AND_RUN = """
tar -ch /bin/cat $(ldd /bin/cat | grep -o '/[^ ]*') 2> /dev/null | docker import - base > /dev/null
mkdir /tmp/context && cd /tmp/context && echo hello > greeting
printf 'FROM base\\nCOPY greeting /\\nCMD ["/bin/cat", "/greeting"]\\n' > Dockerfile
DOCKER_BUILDKIT=0 docker build --quiet --tag greeter . > /dev/null
docker run --rm greeter
"""


@pytest.fixture
def job(engine: Engine) -> Iterator[JobBeside]:
    job = JobBeside(engine)
    job.privileged = True
    yield job
    job.end()


@pytest.mark.docker(_ENGINE, _CLIENT)
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {
            "DOCKER_HOST": "tcp://docker:2376",
            "DOCKER_TLS_CERTDIR": "/certs",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": "/certs/client",
        },
        {"DOCKER_HOST": "tcp://docker:2375", "DOCKER_TLS_CERTDIR": ""},
    ],
    ids=["as the images say", "with TLS", "without TLS"],
)
def test_a_job_builds_and_runs_an_image_on_the_engine_beside_it(job: JobBeside, variables: dict[str, str]) -> None:
    job.environment = variables

    job.start(service(image=_ENGINE))
    said = job.run(_BUILD_AND_RUN, _CLIENT)

    assert (said, job.lines) == ("hello", [])


@pytest.mark.docker(_ENGINE, _CLIENT)
def test_an_engine_without_privileges_is_said_with_the_setting_and_jobs_that_need_none_go_on(job: JobBeside) -> None:
    job.privileged = False

    services = job.start(service(image=_ENGINE))
    said = job.run("echo needs no engine", _CLIENT)
    services.look()

    assert said == "needs no engine"
    assert "docker:dind runs without privileges" in job.lines[0]
    assert "git config --add hookci.privileged 'docker:*dind*'" in job.lines[0]
    assert len([line for line in job.lines if "hookci.privileged" in line]) == 1


@pytest.mark.docker(_ENGINE, _CLIENT)
def test_nothing_of_an_engine_is_left_not_even_its_certificates(job: JobBeside) -> None:
    services = job.start(service(image=_ENGINE))
    (certificates,) = services.mounts
    before = job.left()

    services.close()

    assert certificates.target == "/certs/client"
    assert certificates.name in before
    assert job.left() == []


@pytest.mark.docker(POSTGRES, REDIS)
def test_postgresql_and_redis_are_ready_when_the_job_begins(job: JobBeside) -> None:
    job.environment = {"POSTGRES_PASSWORD": "x", "PGPASSWORD": "x"}

    job.start(service(image=POSTGRES, alias="postgres"), service(image=REDIS, alias="redis"))
    rows = job.run("psql --host postgres --username postgres --tuples-only --command 'select 40 + 2'", POSTGRES)
    pong = job.run("redis-cli -h redis ping", REDIS)

    assert (rows, pong, job.lines) == ("42", "PONG", [])
