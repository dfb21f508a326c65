"""Images that a job built are deployed by their id: what was tested, what was promoted, what was gone back to."""

from __future__ import annotations

import shutil
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from built_images import RECIPE, built, swept

from hookci.workspace.artifacts import ArtifactStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

CONFIG = """
[jobs.image]
stage = "build"
build = "."

[jobs.unit]
image = "job:image"
script = "cat /word"

[environments.staging]
needs = ["image"]
script = ["printenv HOOKCI_IMAGE > @LIVE@/staging", 'test "$CI_COMMIT_TITLE" != broken']

[environments.production]
after = "staging"
needs = ["image"]
script = ["printenv HOOKCI_IMAGE > @LIVE@/production"]
"""


@pytest.fixture
def shop(repo: Repo, engine: Engine, tmp_path: Path) -> Iterator[Repo]:
    """A repository whose image is deployed by writing its id down."""
    (tmp_path / "live").mkdir()
    config = CONFIG.replace("@LIVE@", str(tmp_path / "live"))
    repo.commit({"hookci.toml": config, "Dockerfile": RECIPE, "word": token_hex(8)})
    with swept(repo, engine):
        yield repo


def live(repo: Repo, environment: str) -> str:
    return (repo.path.parent / "live" / environment).read_text().strip()


def test_what_was_tested_is_deployed_promoted_and_gone_back_to(shop: Repo, engine: Engine) -> None:
    shop.hookci("deploy", "staging")
    (one,) = (image["Id"] for image in built(shop, engine))
    first = live(shop, "staging")
    shop.commit({"word": token_hex(8)})
    shop.hookci("deploy", "staging")
    (two,) = {image["Id"] for image in built(shop, engine)} - {one}
    second = live(shop, "staging")

    shop.hookci("deploy", "production")
    promoted = live(shop, "production")
    shop.hookci("rollback", "staging")
    back = live(shop, "staging")

    assert (first, second, promoted, back) == (one, two, two, one)
    digests = {
        shop.out("for-each-ref", "--format=%(trailers:key=Artifacts)", f"refs/tags/deploy/staging/{n}") for n in "13"
    }
    assert len(digests) == 1


def test_a_deployment_that_fails_goes_back_to_the_image_before(shop: Repo, engine: Engine) -> None:
    shop.hookci("deploy", "staging")
    (one,) = (image["Id"] for image in built(shop, engine))
    shop.commit({"word": token_hex(8)}, "broken")

    ran = shop.hookci("deploy", "staging", check=False)

    assert ran.returncode == 4, ran.output
    assert live(shop, "staging") == one


def test_a_release_knows_its_image_when_its_run_is_forgotten(shop: Repo, engine: Engine) -> None:
    shop.hookci("deploy", "staging")
    (one,) = (image["Id"] for image in built(shop, engine))
    for artifacts in Path(shop.env["HOME"], ".cache").glob("hookci/*/artifacts"):
        shutil.rmtree(artifacts)
    shop.commit({"word": token_hex(8)})
    shop.hookci("deploy", "staging")

    shop.hookci("rollback", "staging")

    assert live(shop, "staging") == one
    kept = Path(shop.env["HOME"], ".local/share").glob("hookci/releases/*/*/*/artifacts")
    assert one in {image for store in kept for image in ArtifactStore(store, {}).images()}


def test_an_image_that_is_gone_is_built_again_before_it_is_deployed(shop: Repo, engine: Engine) -> None:
    shop.hookci("run")
    (one,) = (image["Id"] for image in built(shop, engine))
    engine.api.remove_image(one, force=True)

    shop.hookci("deploy", "staging")

    assert live(shop, "staging") in {image["Id"] for image in built(shop, engine)}


def test_several_images_have_the_names_of_their_jobs(repo: Repo, engine: Engine, tmp_path: Path) -> None:
    repo.commit({
        "Dockerfile": RECIPE + f"RUN echo {token_hex(8)}\n",
        "word": token_hex(8),
        "hookci.toml": f"""
            [jobs."api: v2"]
            build = "."
            [jobs.web]
            build = {{ args = {{ WHO = "web" }} }}
            [environments.staging]
            needs = ["api: v2", "web"]
            script = ["env | grep '^HOOKCI_IMAGE' | sort > {tmp_path}/live"]
        """,
    })  # fmt: skip

    with swept(repo, engine):
        repo.hookci("deploy")

        rows = dict(line.split("=") for line in (tmp_path / "live").read_text().splitlines())
        assert sorted(rows) == ["HOOKCI_IMAGE_API_V2", "HOOKCI_IMAGE_WEB"]
        assert set(rows.values()) == {image["Id"] for image in built(repo, engine)}
