"""Services beside a job: how they are reached, what they are given, what is left of them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from images import BUSYBOX
from msgspec.structs import replace
from services_samples import PORT, SERVE, JobBeside, service

from hookci.engine.calls import EngineError
from hookci.errors import HookciError
from hookci.model.container import Readiness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker


@pytest.fixture
def job(engine: Engine) -> Iterator[JobBeside]:
    job = JobBeside(engine)
    yield job
    job.end()


@pytest.fixture
def other(engine: Engine) -> Iterator[JobBeside]:
    job = JobBeside(engine)
    yield job
    job.end()


# -- reaching them


def test_a_service_is_reached_by_its_alias_and_by_the_names_of_its_image(job: JobBeside) -> None:
    job.start(service(SERVE, alias="web", variables=PORT))

    names = ("web", "hookci-test__busybox", "hookci-test-busybox")
    said = job.run("; ".join(f"wget -qO- http://{name}/greeting" for name in names))

    assert said.split() == ["hello"] * 3


def test_services_reach_each_other(job: JobBeside) -> None:
    health = Readiness(command=("wget", "-qO-", "http://web/greeting"), within=30)

    job.start(service("sleep 1000", alias="client", health=health), service(SERVE, alias="web"))

    assert job.lines == []


def test_two_services_of_one_alias_are_both_reached_by_it(job: JobBeside) -> None:
    job.start(service(SERVE, alias="web", variables=PORT), service(SERVE, alias="web", variables=PORT))

    said = job.run("nslookup web | grep -c '^Address.*172\\|^Address.*192\\|^Address.*10\\.'")

    assert said == "2"


def test_services_of_two_jobs_do_not_meet(job: JobBeside, other: JobBeside) -> None:
    job.start(service(SERVE, alias="web", variables=PORT))
    other.start(service("sleep 1000", alias="client"))

    said = other.run("wget -qO- http://web/greeting 2>&1 || true")

    assert "hello" not in said


def test_an_alias_that_is_no_host_name_is_said_before_anything_starts(job: JobBeside) -> None:
    with pytest.raises(HookciError, match="the alias `my db` is no host name"):
        job.start(service(SERVE, alias="my db"))

    assert job.left() == []


def test_a_job_without_services_gets_no_network(job: JobBeside) -> None:
    services = job.start()

    assert (services.network, services.mounts, services.environment, job.left()) == (None, (), {}, [])


# -- what they are given


def test_a_service_gets_the_variables_of_the_job_and_its_own_which_win(job: JobBeside) -> None:
    job.environment = {"SHARED": "job", "CHANGED": "job"}
    serve = f"mkdir /www; env > /www/env; {SERVE.replace('mkdir /www;', '')}"

    job.start(service(serve, alias="web", variables={**PORT, "CHANGED": "service"}))
    said = job.run("wget -qO- http://web/env").splitlines()

    assert {"SHARED=job", "CHANGED=service"} <= set(said)


def test_no_service_is_privileged_because_the_config_says_so(job: JobBeside) -> None:
    job.start(service("sleep 1000", alias="x", privileged=True))

    assert not _is_privileged(job)
    assert len(job.lines) == 1
    assert "without privileges" in job.lines[0]
    assert f"git config --add hookci.privileged {BUSYBOX}" in job.lines[0]


@pytest.mark.parametrize(("asked", "given"), [(True, True), (None, True), (False, False)])
def test_an_image_that_the_clone_allows_is_privileged_unless_it_wants_not_to_be(
    job: JobBeside, asked: bool | None, given: bool
) -> None:
    job.privileged = True

    job.start(service("sleep 1000", alias="x", privileged=asked))

    assert _is_privileged(job) == given
    assert job.lines == []


def _is_privileged(job: JobBeside) -> bool:
    with job.engine.calling("look at the service") as api:
        host = api.inspect_container(job.container())["HostConfig"]
    assert ("no-new-privileges" in host["SecurityOpt"]) != host["Privileged"]
    return bool(host["Privileged"])


# -- the ones that die


def test_the_log_of_a_service_that_dies_is_in_that_of_the_job_once(job: JobBeside) -> None:
    services = job.start(
        service("echo first; echo second >&2; sleep 1; exit 7", alias="db"), service("sleep 1000", alias="other")
    )
    job.run("while ping -c 1 -W 1 db; do sleep 0.1; done")

    services.look()
    services.look()

    assert len(job.lines) == 3
    assert "service db" in job.lines[0]
    assert "exit status 7" in job.lines[0]
    assert sorted(job.lines[1:]) == ["[db] first", "[db] second"]


def test_a_service_that_dies_before_it_is_ready_is_told_about_and_the_job_goes_on(job: JobBeside) -> None:
    job.start(service("echo no database here; exit 3", alias="db", variables=PORT), service("sleep 9", alias="x"))

    assert "service db" in job.lines[0]
    assert "exit status 3; the job goes on" in job.lines[0]
    assert job.lines[1:] == ["[db] no database here"]
    assert job.run("echo here") == "here"


def test_a_program_that_is_not_there_is_an_error_that_names_the_service(job: JobBeside) -> None:
    nothing = replace(service(alias="db"), command=("postgrse",))

    with pytest.raises(EngineError, match=r"service db \(hookci-test/busybox:1\): .*postgrse.*not found"):
        job.start(nothing, service("sleep 1000", alias="x"))

    assert job.left() == []


def test_an_image_that_is_not_there_is_an_error_and_nothing_is_left(job: JobBeside) -> None:
    with pytest.raises(HookciError, match="hookci-test/nothing"):
        job.start(service("sleep 1000", alias="x"), service(image="hookci-test/nothing:1"))

    assert job.left() == []


# -- the end


def test_nothing_of_them_is_left_not_even_their_anonymous_volumes(job: JobBeside) -> None:
    with job.engine.calling("list the volumes") as api:
        before = {one["Name"] for one in api.volumes()["Volumes"] or ()}
    image = job.image(f"FROM {BUSYBOX}", "VOLUME /data")
    services = job.start(service("sleep 1000", image=image, alias="db"), service("sleep 1000", alias="x"))
    with job.engine.calling("look at the service") as api:
        (mount,) = api.inspect_container(job.container())["Mounts"]

    services.close()
    with job.engine.calling("list the volumes") as api:
        after = {one["Name"] for one in api.volumes()["Volumes"] or ()}

    assert mount["Name"] not in before | after
    assert job.left() == []


def test_what_is_gone_already_is_no_error_at_the_end(job: JobBeside) -> None:
    services = job.start(service("sleep 1000", alias="x"))
    assert services.network is not None
    with job.engine.calling("take away") as api:
        api.remove_container(job.container(), force=True)
        api.remove_network(services.network)

    services.look()
    services.close()

    assert job.left() == []


def test_a_cancel_ends_the_waiting_and_leaves_nothing(job: JobBeside) -> None:
    health = Readiness(command=("sleep", "1000"), within=1000)
    threading.Thread(target=_cancel_when_started, args=(job,), daemon=True).start()

    services = job.start(service("sleep 1000", alias="x", health=health))
    services.close()

    assert job.cancel.reason == "enough"
    assert job.left() == []


def _cancel_when_started(job: JobBeside) -> None:
    while not job.containers():
        time.sleep(0.05)
    job.cancel.request("enough")


def test_nothing_is_started_after_a_cancel(job: JobBeside) -> None:
    job.cancel.request("enough")

    services = job.start(service("sleep 1000", alias="x"))

    assert job.containers() == []
    services.close()
