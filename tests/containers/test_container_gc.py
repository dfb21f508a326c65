"""``hookci gc`` on an engine of its own: what nobody needs any more goes, of all repositories, and is named."""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docker import APIClient
from images import BUSYBOX
from own_engine import own_engine

from hookci.engine.owner import KEPT, LABEL, Owner
from hookci.engines import this_host
from hookci.workspace.artifacts import ArtifactStore, BuiltImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

DEAD = "1:of-another-start"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    # on the usual engine the command would also take what other tests have left
    with own_engine() as engine:
        engine.give(BUSYBOX)
        yield engine.url


@pytest.fixture
def api(url: str) -> Iterator[APIClient]:
    with closing(APIClient(url, version="1.41")) as client:
        yield client


def host(repo: Repo) -> str:
    return this_host(Path(repo.env["HOME"]) / ".cache")


def labels(repo: Repo, repository: str, kind: str) -> dict[str, str]:
    return Owner(repository=repository, run=1, process=DEAD, host=host(repo)).labels(kind)


def container(api: APIClient, labels: dict[str, str]) -> str:
    host = api.create_host_config(network_mode="none")
    return str(api.create_container(BUSYBOX, "true", labels=labels, host_config=host)["Id"])


def built(api: APIClient, repo: Repo, repository: str, tag: str) -> str:
    """An image as a job builds it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(tag))
    described = {f"{LABEL}repository": repository, f"{LABEL}host": host(repo), KEPT: "true"}
    name, _, version = tag.partition(":")
    api.import_image_from_data(
        content.getvalue(),
        repository=name,
        tag=version,
        changes=[f'LABEL {label}="{value}"' for label, value in described.items()],
    )
    return str(api.inspect_image(tag)["Id"])  # type: ignore[no-untyped-call]  # no stub types it


def test_what_killed_runs_of_any_repository_left_is_removed_and_named(repo: Repo, api: APIClient, url: str) -> None:
    here, elsewhere = container(api, labels(repo, "shop", "job")), container(api, labels(repo, "another", "job"))
    kept = api.create_volume(labels={**labels(repo, "shop", "volume"), KEPT: "1"})["Name"]
    theirs = container(api, {"of": "somebody"})

    ran = repo.hookci("gc", "--engine", url)

    assert sorted(ran.stdout.splitlines()) == sorted(
        [f"removed container {here[:12]}", f"removed container {elsewhere[:12]}", f"removed volume {kept}"]
    )
    assert [each["Id"] for each in api.containers(all=True)] == [theirs]
    api.remove_container(theirs)


def test_images_that_a_run_or_a_release_names_stay(repo: Repo, api: APIClient, url: str) -> None:
    tags = [f"hookci/shop/image:{name}" for name in ("run", "release", "old")]
    of_run, of_release, _old = (built(api, repo, "shop", tag) for tag in tags)
    home, deployed = Path(repo.env["HOME"]), "releases/shop/production/7/artifacts"
    for place, image in (
        (home / ".cache/hookci/shop/artifacts", of_run),
        (home / ".local/share/hookci" / deployed, of_release),
    ):
        ArtifactStore(place, repo.env).save_image(1, "image", BuiltImage(image, "the engine"))

    ran = repo.hookci("gc", "--engine", url)

    assert ran.stdout == f"removed image {tags[2]}\n"
    assert {tag for image in api.images("hookci/shop/image") for tag in image["RepoTags"]} == set(tags[:2])


def test_the_engine_of_the_settings_is_used_and_nothing_to_remove_is_said(repo: Repo, url: str) -> None:
    repo.git("config", "hookci.engine", url)
    repo.hookci("gc")

    ran = repo.hookci("gc")

    assert ran.stdout == f"nothing to remove: the engine at {url} has nothing of hookci's\n"
