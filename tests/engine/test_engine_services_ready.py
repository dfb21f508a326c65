"""When a service is ready, and what is said of one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from images import BUSYBOX
from services_samples import PORT, SERVE, JobBeside, service

import hookci.engine.services
from hookci.errors import HookciError
from hookci.model.container import Image, Readiness, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

_LATE = f"sleep 1; {SERVE}"


@pytest.fixture
def job(engine: Engine) -> Iterator[JobBeside]:
    job = JobBeside(engine)
    yield job
    job.end()


@pytest.fixture
def catless(job: JobBeside) -> str:
    """A web server that is all its image has."""
    return job.image(
        "FROM scratch",
        f"COPY --from={BUSYBOX} /bin/busybox /bin/httpd",
        f"COPY --from={BUSYBOX} /etc/passwd /www/greeting",
        "EXPOSE 80",
        'ENTRYPOINT ["/bin/httpd", "-f", "-h", "/www"]',
    )


def _asks(*command: str, within: float = 30) -> Readiness:
    return Readiness(command=command, within=within)


# -- asked by a command


def test_a_service_is_ready_when_its_health_command_ends_in_0(job: JobBeside) -> None:
    job.start(service(_LATE, alias="web", health=_asks("wget", "-qO-", "http://127.0.0.1/greeting")))

    assert job.run("wget -qO- http://web/greeting") == "hello"


def test_a_health_that_does_not_come_true_is_an_error_and_what_it_wrote_is_in_the_log_which_is_masked(
    job: JobBeside,
) -> None:
    health = _asks("sh", "-c", "echo NOT YET | tr A-Z a-z; exit 2", within=0.5)

    with pytest.raises(
        HookciError,
        match=r"^service db \(hookci.*: `echo NOT YET .*; exit 2` ended with exit status 2 \(after 0.5 s\)$",
    ):
        job.start(service("echo busy; sleep 1000", alias="db", health=health))

    assert "(after 0.5 s): not yet" in job.lines[0]
    assert job.lines[1:] == ["[db] busy"]
    assert job.left() == []


def test_a_health_command_that_never_ends_is_an_error_too(job: JobBeside) -> None:
    with pytest.raises(HookciError, match="check of its health does not end"):
        job.start(service("sleep 1000", alias="db", health=_asks("sleep", "1000", within=0.2)))

    assert job.left() == []


def test_a_service_that_dies_is_not_waited_for_any_longer(job: JobBeside) -> None:
    with pytest.raises(HookciError, match="it ended with exit status 5"):
        job.start(service("sleep 0.3; exit 5", alias="db", health=_asks("false", within=1000)))


# -- asked by the image


@pytest.mark.parametrize(
    "check",
    ["CMD wget -qO- http://127.0.0.1/greeting", 'CMD ["wget", "-qO-", "http://127.0.0.1/greeting"]'],
    ids=["for a shell", "words"],
)
def test_an_image_with_a_healthcheck_is_asked_by_it_at_once(job: JobBeside, check: str) -> None:
    image = job.image(f"FROM {BUSYBOX}", f"HEALTHCHECK --interval=1h {check}")

    job.start(service(_LATE, image=image, alias="web"))

    assert job.run("wget -qO- http://web/greeting") == "hello"
    assert job.lines == []


def test_an_image_whose_healthcheck_is_none_is_asked_by_its_ports(job: JobBeside) -> None:
    image = job.image(f"FROM {BUSYBOX}", "EXPOSE 80 443 53/udp", "HEALTHCHECK NONE")

    job.start(service(_LATE, image=image, alias="web"))

    assert job.run("wget -qO- http://web/greeting") == "hello"
    assert job.lines == []


def test_a_port_that_only_the_service_itself_can_reach_does_not_count(job: JobBeside) -> None:
    serve = SERVE.replace("-p 80", "-p 127.0.0.1:80")

    with pytest.raises(HookciError, match=r"nothing listens on port 80 \(after 1 s\)"):
        job.start(service(serve, alias="web", variables=PORT, health=Readiness(within=1)))


def test_a_service_that_was_asked_nothing_and_is_not_ready_is_told_about(
    job: JobBeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hookci.engine.services, "UNASKED", Readiness(within=0.5))

    job.start(service("echo starting; sleep 1000", alias="web", variables=PORT))

    assert "is not ready: nothing listens on port 80 (after 0.5 s); the job goes on" in job.lines[0]
    assert job.lines[1:] == ["[web] starting"]


def test_a_service_without_cat_is_looked_at_from_beside(job: JobBeside, catless: str) -> None:
    job.start(Service(image=Image(name=catless), aliases=("web",), health=Readiness(within=30)))

    assert "root" in job.run("wget -qO- http://web/greeting")
    assert job.containers() == [job.container()]


def test_where_nobody_can_look_a_service_is_ready_after_a_moment(job: JobBeside, catless: str) -> None:
    job.onlooker = catless

    job.start(Service(image=Image(name=catless), aliases=("web",), health=Readiness(within=30)))

    assert job.lines == []
