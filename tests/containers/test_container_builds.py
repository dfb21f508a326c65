"""Images that a job builds: tested in the next job, and deployed, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from container_tools import left
from execute_tools import outcomes, run, said
from images import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

CONFIG = """
    [jobs.image]
    stage = "build"
    build = { args = { GREETING = "hello" }, target = "app", tags = ["hookci-test/shop:$CI_COMMIT_SHORT_SHA"] }
    [jobs.smoke]
    image = "job:image"
    script = ["cat /greeting", "test ! -e /later"]
    [environments.staging]
    branch = "main"
    script = ['echo "$HOOKCI_IMAGE" > "$OUT"']
    pass_env = ["OUT"]
"""
DOCKERFILE = f"""\
FROM {BUSYBOX} AS app
ARG GREETING=none
COPY name.txt /name.txt
RUN echo "$GREETING $(cat /name.txt)" > /greeting
FROM app
RUN touch /later
"""


@pytest.fixture
def shop(repo: Repo, engine: Engine) -> Iterator[Repo]:
    repo.commit({"Dockerfile": DOCKERFILE, "name.txt": "shop", "hookci.toml": CONFIG})
    yield repo
    for image in engine.api.images("hookci-test/shop"):
        engine.api.remove_image(image["Id"], force=True)


def test_an_image_that_one_job_builds_is_tested_in_the_next(shop: Repo, engine: Engine) -> None:
    shop.write_files({"name.txt": "not committed"})

    ran = run(shop)

    assert said(ran, "smoke") == ["hello shop"]
    assert outcomes(shop) == {"image": "passed", "smoke": "passed"}
    assert left(engine.api, shop) == []


def test_what_was_tested_is_what_is_deployed(shop: Repo, engine: Engine) -> None:
    out = shop.path.parent / "deployed"
    tag = f"hookci-test/shop:{shop.out('rev-parse', 'HEAD')[:8]}"

    shop.hookci("deploy", "staging", env={"OUT": str(out)})

    built = engine.api.images(tag)
    assert [out.read_text().strip()] == [image["Id"] for image in built]


def test_a_built_image_is_remembered_until_what_it_is_built_from_changes(shop: Repo) -> None:
    shop.hookci("run")
    shop.commit({"README": "nothing that is built"})
    shop.hookci("run")
    again = outcomes(shop)
    shop.commit({"name.txt": "other shop"})

    changed = shop.hookci("run")

    assert set(again.values()) <= {"passed", "remembered"}
    assert said(changed, "smoke") == ["hello other shop"]


def test_a_recipe_that_fails_is_red_and_its_output_is_there(shop: Repo) -> None:
    shop.commit({"Dockerfile": f"FROM {BUSYBOX} AS app\nRUN echo on purpose; exit 7\n"})

    ran = run(shop, check=False)

    assert ran.returncode == 1
    assert outcomes(shop) == {"image": "failed", "smoke": "skipped"}
    assert "on purpose" in ran.stdout
