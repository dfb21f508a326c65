"""What is left of killed runs on a real engine: removed exactly, and nothing else is."""

from __future__ import annotations

import io
import itertools
import secrets
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import APIError
from engine_servers import podman, relay
from images import BUSYBOX
from msgspec.structs import replace

from hookci.engine.calls import EngineGoneError
from hookci.engine.connect import connect
from hookci.engine.endpoints import find_endpoints
from hookci.engine.leftovers import Swept, remove_kept, sweep
from hookci.engine.owner import KEPT, LABEL, Owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

ALIVE, DEAD = "1:alive", "2:dead"


def alive(process: str) -> bool:
    return process == ALIVE


class Place:
    """Makes things on an engine, under the labels of a machine that is a test's own."""

    def __init__(self, engine: Engine) -> None:
        self.api = engine.api
        self.host = f"test-{secrets.token_hex(8)}"
        self.owner = Owner(repository="shop", run=1, process=DEAD, host=self.host)

    def container(
        self, owner: Owner | None = None, *, start: bool = False, volume: str | None = None, image: str = BUSYBOX
    ) -> str:
        mounts = self.api.create_host_config(binds=[f"{volume}:/data"] if volume else [], network_mode="none")
        made: str = self.api.create_container(
            image, ["sleep", "600"], labels=self.labels(owner, "job"), host_config=mounts
        )["Id"]
        if start:
            self.api.start(made)
        return made

    def network(self, owner: Owner | None = None) -> str:
        made: str = self.api.create_network(self.name(), labels=self.labels(owner, "network"))["Id"]
        return made

    def volume(self, owner: Owner | None = None, *, kept: bool = False) -> str:
        labels = {**self.labels(owner, "volume"), **({KEPT: "1"} if kept else {})}
        made: str = self.api.create_volume(self.name(), labels=labels)["Name"]
        return made

    def image(self, *tags: str) -> str:
        """An image that a job has built."""
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as tar:
            tar.addfile(tarfile.TarInfo(secrets.token_hex(8)))
        labels = {f"{LABEL}repository": self.owner.repository, f"{LABEL}host": self.host, KEPT: "true"}
        changes = [f'LABEL {name}="{value}"' for name, value in labels.items()]
        known = {image["Id"] for image in self.api.images()}
        self.api.import_image_from_data(file.getvalue(), changes=changes)
        [made] = {image["Id"] for image in self.images()} - known
        for tag in tags:
            repository, _, name = tag.partition(":")
            self.api.tag(made, repository, name)
        return str(made)

    def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.images(filters={"label": f"{LABEL}host={self.host}"})
        return found

    def labels(self, owner: Owner | None, kind: str) -> dict[str, str]:
        return (owner or self.owner).labels(kind)

    def name(self) -> str:
        return f"{self.host}-{secrets.token_hex(4)}"

    def there(self) -> set[str]:
        """The containers, networks and volumes of this machine that are there."""
        of_host = {"label": f"{LABEL}host={self.host}"}
        containers, networks = self.api.containers(all=True, filters=of_host), self.api.networks(filters=of_host)
        volumes = self.api.volumes(filters=of_host)["Volumes"] or ()
        return {each["Id"] for each in (*containers, *networks)} | {each["Name"] for each in volumes}


@pytest.fixture
def place(engine: Engine) -> Iterator[Place]:
    made = Place(engine)
    yield made
    with suppress(APIError):
        sweep(engine, None, made.host, lambda _: False)
        remove_kept(engine, made.host, lambda _: False, lambda *_: False)
        for image in made.images():
            made.api.remove_image(image["Id"], force=True)


def test_all_that_a_dead_process_left_is_removed_and_named(engine: Engine, place: Place) -> None:
    volume, network = place.volume(), place.network()
    running, made = place.container(start=True, volume=volume), place.container()

    swept = sweep(engine, "shop", place.host, alive)

    assert (set(swept.containers), swept.networks, swept.volumes) == ({running, made}, (network,), (volume,))
    assert place.there() == set()


def test_anonymous_volumes_go_with_their_container(engine: Engine, place: Place) -> None:
    host = engine.api.create_host_config(network_mode="none")
    made = engine.api.create_container(
        BUSYBOX, "true", labels=place.owner.labels("job"), volumes=["/data"], host_config=host
    )["Id"]
    [volume] = [mount["Name"] for mount in engine.api.inspect_container(made)["Mounts"]]

    sweep(engine, "shop", place.host, alive)

    assert volume not in {each["Name"] for each in engine.api.volumes()["Volumes"]}


@pytest.mark.parametrize("field", ["process", "host", "repository"])
def test_what_is_not_of_a_dead_process_of_this_machine_and_repository_stays(
    engine: Engine, place: Place, field: str
) -> None:
    value = {"process": ALIVE, "host": f"{place.host}-else", "repository": "other"}[field]
    other = replace(place.owner, **{field: value})
    container, network, volume = place.container(other), place.network(other), place.volume(other)

    swept = sweep(engine, "shop", place.host, alive)

    assert swept == Swept()
    assert engine.api.inspect_container(container)["Id"] == container
    assert engine.api.inspect_network(network)["Id"] == network
    assert engine.api.inspect_volume(volume)["Name"] == volume
    sweep(engine, None, other.host, lambda _: False)


def test_for_all_repositories_means_all(engine: Engine, place: Place) -> None:
    made = {place.container(), place.container(replace(place.owner, repository="other"))}

    swept = sweep(engine, None, place.host, alive)

    assert set(swept.containers) == made


def test_nothing_without_labels_of_ours_is_touched(engine: Engine, place: Place) -> None:
    labels = {"com.example.process": DEAD, "io.hookci": "no", LABEL: "no"}
    container = engine.api.create_container(
        BUSYBOX, "true", labels=labels, host_config=engine.api.create_host_config(network_mode="none")
    )["Id"]
    volume = engine.api.create_volume(place.name(), labels=labels)["Name"]

    sweep(engine, None, place.host, lambda _: False)
    remove_kept(engine, place.host, lambda _: False, lambda *_: False)

    assert engine.api.inspect_container(container)["Id"] == container
    assert engine.api.inspect_volume(volume)["Name"] == volume
    engine.api.remove_container(container)
    engine.api.remove_volume(volume)


def test_what_may_outlive_its_run_is_not_swept(engine: Engine, place: Place) -> None:
    kept = place.volume(kept=True)

    swept = sweep(engine, None, place.host, alive)

    assert (swept, place.there()) == (Swept(), {kept})


def test_a_volume_in_use_by_somebody_else_stays_and_is_no_error(engine: Engine, place: Place) -> None:
    volume = place.volume()
    user = place.container(replace(place.owner, process=ALIVE), volume=volume)

    swept = sweep(engine, None, place.host, alive)

    assert (swept, place.there()) == (Swept(), {volume, user})


def test_several_sweeps_at_once_remove_each_thing_once_and_none_is_an_error(engine: Engine, place: Place) -> None:
    made = {place.volume() for _ in range(8)} | {place.container() for _ in range(4)}

    with ThreadPoolExecutor(4) as threads:
        sweeps = list(threads.map(lambda _: sweep(engine, None, place.host, alive), range(4)))

    removed = [name for swept in sweeps for name in itertools.chain(swept.containers, swept.volumes)]
    assert set(removed) <= made
    assert place.there() == set()


def test_podmans_volumes_are_looked_at_twice_since_it_lists_too_many(tmp_path: Path) -> None:
    with podman() as url:
        engine = connect(find_endpoints(url, {}, tmp_path))
        with closing(engine.api):
            place = Place(engine)
            owners = [replace(place.owner, host="else"), replace(place.owner, repository="other"), place.owner]
            volumes, networks = [place.volume(each) for each in owners], [place.network(each) for each in owners]

            swept = sweep(engine, "shop", place.host, alive)

    assert swept == Swept(networks=(networks[-1],), volumes=(volumes[-1],))


def test_an_engine_that_goes_away_is_said(engine: Engine, place: Place, tmp_path: Path) -> None:
    with relay(engine.socket or "") as far:
        reached = connect(find_endpoints(far.url, {}, tmp_path))
        far.cut()

        with closing(reached.api), pytest.raises(EngineGoneError, match="went away when it was to list containers"):
            sweep(reached, None, place.host, alive)


# -- what was kept


def test_a_job_in_an_image_that_a_job_built_leaves_nothing(engine: Engine, place: Place) -> None:
    image = place.image(f"hookci/{place.host}:1")
    made = place.container(image=image)

    swept = sweep(engine, None, place.host, alive)

    assert swept == Swept(containers=(made,))


def test_what_a_person_starts_from_an_image_that_a_job_built_stays(engine: Engine, place: Place) -> None:
    image = place.image(f"hookci/{place.host}:1")
    host = engine.api.create_host_config(network_mode="none")
    deployed = engine.api.create_container(image, "true", host_config=host)["Id"]

    swept = sweep(engine, None, place.host, alive) + remove_kept(engine, place.host, alive, nobody_names)

    assert swept == Swept()
    assert engine.api.inspect_container(deployed)["Image"] == image
    engine.api.remove_container(deployed)


def nobody_names(_repository: str, _image: str) -> bool:
    return False


def test_kept_volumes_go_when_asked_for(engine: Engine, place: Place) -> None:
    kept = place.volume(kept=True)

    removed = remove_kept(engine, place.host, alive, nobody_names)

    assert removed == Swept(volumes=(kept,))


def test_kept_volumes_of_a_repository_that_has_a_run_stay(engine: Engine, place: Place) -> None:
    kept = place.volume(kept=True)
    running = place.container(replace(place.owner, process=ALIVE))

    removed = remove_kept(engine, place.host, alive, nobody_names)

    assert (removed, place.there()) == (Swept(), {kept, running})


def test_images_that_nobody_names_go_and_the_others_stay(engine: Engine, place: Place) -> None:
    tags = [f"hookci/{place.host}:{name}" for name in ("old", "new")]
    _old, named = (place.image(tag) for tag in tags)

    removed = remove_kept(engine, place.host, alive, lambda repository, image: (repository, image) == ("shop", named))

    assert removed == Swept(images=(tags[0],))
    assert [image["Id"] for image in place.images()] == [named]


def test_an_image_that_a_person_has_tagged_too_loses_our_tag_only(engine: Engine, place: Place) -> None:
    theirs = f"{place.host}/app:1"
    place.image(f"hookci/{place.host}:1", theirs)

    remove_kept(engine, place.host, alive, nobody_names)

    [left] = place.images()
    assert left["RepoTags"] == [theirs]
