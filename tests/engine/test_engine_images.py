"""Images on a real engine, from a real registry: pulled by policy, once for all jobs, with clear errors."""

from __future__ import annotations

import base64
import itertools
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from engine_registry import registry as serving
from engine_servers import relay
from hypothesis import given
from hypothesis import strategies as st
from images import BUSYBOX

from hookci.engine.calls import EngineError, EngineGoneError, NotThereError
from hookci.engine.connect import connect
from hookci.engine.endpoints import find_endpoints
from hookci.engine.images import Images, PullCancelledError
from hookci.engine.pulling import Progress, explained, split_name
from hookci.model.container import Image, Pull
from hookci.proc.supervise import Cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine_registry import Registry

    from hookci.engine.calls import Engine

ALWAYS, IF_NOT_PRESENT, NEVER = (Pull.ALWAYS,), (Pull.IF_NOT_PRESENT,), (Pull.NEVER,)


@pytest.fixture
def registry(engine: Engine) -> Iterator[Registry]:
    """A registry of the test's own; what was pulled from it is removed again."""
    with serving() as made:
        yield made
    for image in engine.api.images():
        for tag in image.get("RepoTags") or image.get("RepoDigests") or ():
            if tag.startswith(f"{made.address}/"):
                with suppress(EngineError), engine.calling("remove it") as api:
                    api.remove_image(tag, force=True)


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    made = Cancel()
    yield made
    made.close()


@pytest.fixture
def images(engine: Engine) -> Images:
    return Images(engine)


def nobody(line: str) -> None:
    """Hears a line and says nothing."""


pytestmark = pytest.mark.docker


# -- what is there


def test_an_image_that_is_there_is_not_pulled_and_nothing_is_said(images: Images, cancel: Cancel) -> None:
    lines: list[str] = []

    info = images.ensure(Image(name=BUSYBOX), lines.append, cancel)

    assert info.id == images.peek(Image(name=BUSYBOX))
    assert info.id.startswith("sha256:")
    assert info.platform.startswith("linux/")
    assert lines == []


def test_an_image_says_what_its_containers_need(registry: Registry, images: Images, cancel: Cancel) -> None:
    name = registry.add(
        "app:1",
        User="app",
        ExposedPorts={"80/tcp": {}, "53/udp": {}},
        Env=["A=1", "B=x=y", "C="],
        Entrypoint=["/start", "-x"],
        Cmd=["run"],
        WorkingDir="/srv",
        Volumes={"/data": {}},
        Healthcheck={"Test": ["CMD", "true"]},
    )

    info = images.ensure(Image(name=name), nobody, cancel)

    assert (info.user, set(info.ports), info.env) == ("app", {"80/tcp", "53/udp"}, {"A": "1", "B": "x=y", "C": ""})
    assert (info.entrypoint, info.command, info.workdir) == (("/start", "-x"), ("run",), "/srv")
    assert (info.volumes, info.healthcheck) == (("/data",), True)
    assert info.digests == (f"{name.removesuffix(':1')}@{registry.digest('app:1')}",)


def test_a_health_check_that_is_taken_away_is_none(registry: Registry, images: Images, cancel: Cancel) -> None:
    name = registry.add("app:1", Healthcheck={"Test": ["NONE"]})

    assert images.ensure(Image(name=name), nobody, cancel).healthcheck is False


def test_looking_for_an_image_pulls_nothing(registry: Registry, images: Images) -> None:
    name = registry.add("app:1")

    assert images.peek(Image(name=name)) is None
    assert registry.asked == []


# -- policies


def test_an_image_that_is_not_there_is_pulled_and_that_is_said(
    registry: Registry, images: Images, cancel: Cancel
) -> None:
    name, lines = registry.add("app:1"), list[str]()

    info = images.ensure(Image(name=name, pull=IF_NOT_PRESENT), lines.append, cancel)

    assert info.id == images.peek(Image(name=name))
    assert lines[0] == f"pulling {name}"
    assert lines[-1] == f"pulled {name}: {registry.address}/app@{registry.digest('app:1')}"


def test_only_the_tag_that_is_asked_for_is_pulled(registry: Registry, images: Images, cancel: Cancel) -> None:
    registry.add("app:1")
    name = registry.add("app")

    images.ensure(Image(name=name), nobody, cancel)

    assert images.peek(Image(name=f"{name}:latest")) is not None
    assert images.peek(Image(name=f"{name}:1")) is None
    assert not [path for path in registry.asked if "tags/list" in path]


def test_an_image_may_be_named_by_digest(registry: Registry, images: Images, cancel: Cancel) -> None:
    registry.add("app:1")
    name = f"{registry.address}/app@{registry.digest('app:1')}"

    assert images.ensure(Image(name=name), nobody, cancel).digests == (name,)


def test_always_takes_what_the_registry_has_now_and_asks_it_once(
    registry: Registry, images: Images, cancel: Cancel
) -> None:
    name = registry.add("app:1")
    before = images.ensure(Image(name=name), nobody, cancel)
    registry.add("app:1")
    asked = registry.pulls("app:1")

    moved = images.ensure(Image(name=name, pull=ALWAYS), nobody, cancel)
    again = images.ensure(Image(name=name, pull=ALWAYS), nobody, cancel)

    assert before.id != moved.id == again.id
    assert registry.pulls("app:1") - asked <= 1


def test_if_not_present_keeps_what_is_there_when_the_tag_has_moved(
    registry: Registry, images: Images, cancel: Cancel
) -> None:
    name = registry.add("app:1")
    before = images.ensure(Image(name=name), nobody, cancel)
    registry.add("app:1")

    assert images.ensure(Image(name=name), nobody, cancel).id == before.id


def test_never_pulls_nothing_and_says_what_to_do(registry: Registry, images: Images, cancel: Cancel) -> None:
    name = registry.add("app:1")

    with pytest.raises(NotThereError, match=f"has no image {name}, and its pull policy is `never`") as caught:
        images.ensure(Image(name=name, pull=NEVER), nobody, cancel)

    assert caught.value.hint == f"`docker pull {name}`, or build it"
    assert registry.asked == []


def test_policies_are_tried_in_turn_and_the_log_says_why_the_first_was_not_enough(
    registry: Registry, images: Images, cancel: Cancel
) -> None:
    name, lines = registry.add("app:1"), list[str]()
    there = images.ensure(Image(name=name), nobody, cancel)
    registry.manifests.clear()

    found = images.ensure(Image(name=name, pull=ALWAYS + IF_NOT_PRESENT), lines.append, cancel)

    assert found == there
    assert any("its registry has none of that name and tag" in line for line in lines)
    assert lines[-1].endswith("next pull policy: if-not-present")


# -- mistakes


def refused(images: Images, name: str, cancel: Cancel, **more: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        images.ensure(Image(name=name, **more), nobody, cancel)  # type: ignore[arg-type]  # platforms are texts
    assert not isinstance(caught.value, EngineGoneError)
    return caught.value


def test_a_tag_that_no_registry_has_is_said_and_remembered(registry: Registry, images: Images, cancel: Cancel) -> None:
    name = f"{registry.address}/app:2"

    first, asked = refused(images, name, cancel), len(registry.asked)
    second = refused(images, name, cancel)

    assert f"image {name} cannot be pulled: its registry has none of that name and tag" in first.message
    assert (second.message, second.hint) == (first.message, "check name and tag")
    assert len(registry.asked) == asked


def test_a_registry_that_is_not_there_is_said(images: Images, cancel: Cancel) -> None:
    error = refused(images, "127.0.0.1:1/app:1", cancel)

    assert "its registry cannot be reached" in error.message
    assert "docker load" in (error.hint or "")


@pytest.mark.parametrize("name", ["UPPER", "a b", "app:bad tag", "a//b", "app@sha256:short"])
def test_what_is_no_name_of_an_image_is_said(images: Images, cancel: Cancel, name: str) -> None:
    error = refused(images, name, cancel)

    assert f"image {name}" in error.message
    assert "that is no name of an image" in error.message


def test_a_name_that_came_to_be_empty_is_said_with_what_may_be_wrong(images: Images, cancel: Cancel) -> None:
    error = refused(images, "", cancel)

    assert (error.message, error.hint) == ("the name of the image is empty", "a variable in it is not set")


def test_an_id_is_taken_from_the_engine_whatever_the_policy(images: Images, cancel: Cancel) -> None:
    known = images.peek(Image(name=BUSYBOX)) or ""

    assert images.ensure(Image(name=known, pull=ALWAYS), nobody, cancel).id == known


def test_an_id_that_is_gone_is_not_looked_for_in_a_registry(images: Images, cancel: Cancel) -> None:
    error = refused(images, f"sha256:{'0' * 64}", cancel)

    assert "an id is not to be had from a registry" in error.message


def test_an_image_of_another_platform_is_not_taken_for_the_one_that_is_asked_for(
    registry: Registry, images: Images, cancel: Cancel
) -> None:
    name = registry.add("app:1", platform="linux/s390x")
    images.ensure(Image(name=name, platform="linux/s390x"), nobody, cancel)

    assert images.peek(Image(name=name, platform="linux/s390x")) is not None
    assert images.peek(Image(name=name, platform="linux/x86_64")) is None
    assert f"image {name}" in refused(images, name, cancel, platform="linux/arm64").message


def test_how_far_a_pull_is_is_shown_while_it_goes_on(registry: Registry, images: Images, cancel: Cancel) -> None:
    name, shown = registry.add("app:1", size=3_000_000), list[tuple[str, float]]()
    registry.go_on.clear()

    def show(line: str, share: float) -> None:
        shown.append((line, share))
        registry.go_on.set()

    images.ensure(Image(name=name), nobody, cancel, show)

    assert 0 < shown[0][1] < 1
    assert f"of 4 MB: pulling {name}" in shown[0][0]


def test_an_engine_that_goes_away_in_the_middle_of_a_pull_is_said_with_its_name(
    engine: Engine, registry: Registry, cancel: Cancel, tmp_path: Path
) -> None:
    name = registry.add("app:1", size=100_000)
    registry.go_on.clear()
    with relay(engine.socket or "") as far:
        images = Images(connect(find_endpoints(far.url, {}, tmp_path)))

        def cut() -> None:
            registry.stalled.wait(30)
            far.cut()

        threading.Thread(target=cut).start()

        with pytest.raises(EngineGoneError, match=f"the engine at {far.url} went away"):
            images.ensure(Image(name=name), nobody, cancel)


# -- credentials


def logged_in(engine: Engine, home: Path, config: object, env: dict[str, str]) -> Images:
    (home / "config.json").write_text(json.dumps(config))
    return Images(connect(find_endpoints(f"unix://{engine.socket}", {**env, "DOCKER_CONFIG": str(home)}, home)))


@pytest.fixture
def word(registry: Registry) -> str:
    made = f"ana:{os.urandom(8).hex()}"
    registry.login = made
    return made


@pytest.mark.usefixtures("word")
def test_a_registry_that_wants_a_login_is_said(registry: Registry, images: Images, cancel: Cancel) -> None:
    error = refused(images, registry.add("app:1"), cancel)

    assert "its registry does not hand it out, or has no such repository" in error.message
    assert "docker login" in (error.hint or "")


def test_the_login_of_the_docker_command_is_used(
    engine: Engine, registry: Registry, cancel: Cancel, tmp_path: Path, word: str
) -> None:
    name = registry.add("app:1")
    auths = {registry.address: {"auth": base64.b64encode(word.encode()).decode()}}
    images = logged_in(engine, tmp_path, {"auths": auths}, {})

    assert images.ensure(Image(name=name), nobody, cancel).id


def test_a_credential_helper_is_asked_in_the_users_environment(
    engine: Engine,
    registry: Registry,
    cancel: Cancel,
    tmp_path: Path,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = registry.add("app:1")
    helper = tmp_path / "docker-credential-mine"
    helper.write_text('#!/bin/sh\necho "{\\"Username\\": \\"ana\\", \\"Secret\\": \\"$WORD\\"}"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    env = {**os.environ, "WORD": word.partition(":")[2]}
    images = logged_in(engine, tmp_path, {"credHelpers": {registry.address: "mine"}}, env)

    assert images.ensure(Image(name=name), nobody, cancel).id


def test_a_credential_helper_that_fails_is_an_error_with_its_name(
    engine: Engine, registry: Registry, cancel: Cancel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "docker-credential-mine"
    helper.write_text("#!/bin/sh\necho locked; exit 1\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    images = logged_in(engine, tmp_path, {"credHelpers": {registry.address: "mine"}}, dict(os.environ))

    error = refused(images, registry.add("app:1"), cancel)

    assert "docker-credential-mine" in error.message
    assert "docker login" in (error.hint or "")


# -- several jobs


def test_two_jobs_pull_one_image_once_and_both_are_told(registry: Registry, images: Images) -> None:
    name, lines = registry.add("app:1", size=200_000), [list[str](), list[str]()]
    registry.go_on.clear()
    with ThreadPoolExecutor(2) as threads:
        cancels = [Cancel(), Cancel()]
        first, second = (
            threads.submit(images.ensure, Image(name=name), told.append, one)
            for told, one in zip(lines, cancels, strict=True)
        )
        assert registry.stalled.wait(30)
        registry.go_on.set()
        ids = {first.result().id, second.result().id}

    assert len(ids) == 1
    assert len([path for path in registry.asked if "/blobs/" in path]) == len(registry.blobs)
    assert all(told[-1].startswith(f"pulled {name}") for told in lines)
    for one in cancels:
        one.close()


def test_a_job_that_is_cancelled_while_it_waits_leaves_the_pull_to_the_other(
    registry: Registry, images: Images
) -> None:
    name = registry.add("app:1", size=200_000)
    registry.go_on.clear()
    cancels = [Cancel(), Cancel()]
    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(images.ensure, Image(name=name), nobody, one) for one in cancels)
        assert registry.stalled.wait(30)

        cancels[0].request("enough")

        with pytest.raises(PullCancelledError, match="was not waited for: enough"):
            first.result(10)
        registry.go_on.set()
        assert second.result().id
    for one in cancels:
        one.close()


def test_a_pull_that_nobody_waits_for_any_more_is_let_go_and_can_be_made_again(
    registry: Registry, images: Images, cancel: Cancel
) -> None:
    name = registry.add("app:1", size=3_000_000)
    registry.go_on.clear()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(images.ensure, Image(name=name), nobody, cancel)
        assert registry.stalled.wait(30)
        cancel.request("enough")
        with pytest.raises(PullCancelledError):
            waiting.result(10)
    registry.go_on.set()

    again = Cancel()
    info = images.ensure(Image(name=name), nobody, again)

    assert info.id
    again.close()


# -- words


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("python", ("python", "latest")),
        ("python:3.12", ("python", "3.12")),
        ("host:5000/python", ("host:5000/python", "latest")),
        ("host:5000/team/python:3", ("host:5000/team/python", "3")),
        ("python@sha256:abc", ("python", "sha256:abc")),
        ("python:3@sha256:abc", ("python:3", "sha256:abc")),
    ],
)
def test_a_name_has_a_tag_or_a_digest(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


@given(st.from_regex(r"([a-z0-9.]{1,9}(:[0-9]{1,5})?/)?[a-z0-9/]{1,9}(:[a-z0-9._-]{1,9})?", fullmatch=True))
def test_no_name_loses_anything_to_its_tag_and_none_goes_without(name: str) -> None:
    repository, tag = split_name(name)

    assert name in {f"{repository}:{tag}", repository}
    assert tag
    assert "/" not in tag


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("write /var/lib/docker/tmp/x: no space left on device", "the engine's disk is full"),
        ("toomanyrequests: You have reached your pull rate limit.", "takes no more requests from here"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "there is none for this platform"),
        ("manifest for app:2 not found: manifest unknown", "none of that name and tag"),
        ("pull access denied for app, repository does not exist", "does not hand it out"),
        ("Get https://far/v2/: dial tcp: lookup far: no such host", "its registry cannot be reached"),
        ("Get https://far/v2/: net/http: TLS handshake timeout", "its registry cannot be reached"),
        ("something new", "cannot be pulled: something new"),
    ],
)
def test_what_an_engine_says_of_a_pull_is_told_in_our_words_and_in_its(said: str, reason: str) -> None:
    error = explained("app:2", said)

    assert reason in error.message
    assert said.rstrip(".") in error.message


def downloading(layer: str, current: int, total: int) -> dict[str, object]:
    return {"id": layer, "status": "Downloading", "progressDetail": {"current": current, "total": total}}


def told_by(messages: list[dict[str, object]], seconds: Callable[[], float]) -> list[str]:
    lines: list[str] = []
    progress = Progress("app:1", lines.append, seconds, lambda _line, _share: None)
    progress.begin()
    for message in messages:
        progress.take(message)
    return lines


def shown_of(messages: list[dict[str, object]]) -> list[tuple[str, float]]:
    shown: list[tuple[str, float]] = []
    progress = Progress("app:1", nobody, lambda: 0.0, lambda line, share: shown.append((line, share)))
    for message in messages:
        progress.take(message)
    return shown


def test_progress_is_one_line_about_all_layers() -> None:
    ticks = itertools.count(step=100)
    messages = [downloading("a", 1_000_000, 80_000_000), downloading("b", 40_000_000, 40_000_000)]
    messages.append({"id": "a", "status": "Download complete"})

    lines = told_by(messages, lambda: next(ticks))

    assert lines == [
        "pulling app:1",
        "pulling app:1: 1 of 80 MB",
        "pulling app:1: 41 of 120 MB, 0 of 2 layers",
        "pulling app:1: 120 of 120 MB, 0 of 2 layers, unpacking",
    ]


def test_a_layer_whose_size_is_not_known_yet_counts_as_the_others_do() -> None:
    messages: list[dict[str, object]] = [{"id": layer, "status": "Pulling fs layer"} for layer in "abc"]
    messages += [{"id": "c", "status": "Already exists"}, downloading("a", 30_000_000, 40_000_000)]
    messages += [downloading("b", 0, 20_000_000), {"id": "a", "status": "Pull complete"}]

    assert shown_of(messages) == [
        ("30 of 40 MB, 1 of 3 layers: pulling app:1", 0.375),
        ("30 of 60 MB, 1 of 3 layers: pulling app:1", 0.5),
        ("40 of 60 MB, 2 of 3 layers: pulling app:1", pytest.approx(2 / 3)),
    ]


@given(
    st.lists(
        st.builds(downloading, st.sampled_from("abc"), st.integers(0, 100), st.integers(100, 200))
        | st.builds(
            lambda layer, status: {"id": layer, "status": status},
            st.sampled_from("abcdef"),
            st.sampled_from(["Pulling fs layer", "Waiting", "Download complete", "Pull complete", "Already exists"]),
        )
    )
)
def test_a_bar_never_goes_back_and_never_beyond_its_end(messages: list[dict[str, object]]) -> None:
    shares = [share for _, share in shown_of(messages)]

    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)


def test_a_long_pull_says_less_and_less_often() -> None:
    ticks = (number / 10 for number in itertools.count())
    messages = [downloading("a", number, 100_000_000) for number in range(36_000)]

    lines = told_by(messages, lambda: next(ticks))

    assert 20 < len(lines) < 100


@given(st.lists(st.dictionaries(st.sampled_from(["id", "status", "progressDetail"]), st.integers() | st.text())))
def test_whatever_an_engine_says_is_taken(messages: list[dict[str, object]]) -> None:
    ticks = itertools.count(step=100)

    assert told_by(messages, lambda: next(ticks))[0] == "pulling app:1"
