"""Jobs that build images, and jobs that run in them."""

from __future__ import annotations

import signal
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from built_images import RECIPE, built, swept
from execute_tools import hookci_started, outcomes, run, said, wait_until
from images import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Repo

    from hookci.engine.calls import Engine

pytestmark = pytest.mark.docker

IMAGE = """
[jobs.image]
stage = "build"
build = { context = "docker", args = { WHO = "$CI_COMMIT_SHORT_SHA $MORE" } }
variables = { MORE = "more" }
"""


@pytest.fixture
def shop(repo: Repo, engine: Engine) -> Iterator[Repo]:
    """A repository with a recipe in ``docker``."""
    repo.write_files({"docker/Dockerfile": RECIPE, "docker/word": f"{token_hex(8)}\n"})
    with swept(repo, engine):
        yield repo


def commands(engine: Engine) -> str:
    """What runs in containers."""
    return " ".join(each["Command"] for each in engine.api.containers())


def test_what_one_job_builds_the_next_runs_in(shop: Repo, engine: Engine) -> None:
    commit = shop.commit({"hookci.toml": IMAGE + """
        [jobs.unit]
        image = "job:image"
        script = ["cat /word /who", "cat docker/word"]
        [jobs.alone]
        needs = []
        image = { name = "job:image", user = "65534" }
        script = ["cat /who", "id -u"]
    """})  # fmt: skip

    ran = run(shop)

    assert outcomes(shop) == {"image": "passed", "unit": "passed", "alone": "passed"}
    word = (shop.path / "docker" / "word").read_text().strip()
    assert said(ran, "unit") == [word, f"{commit[:8]} more", word]
    assert said(ran, "alone")[-1] == "65534"
    (image,) = built(shop, engine)
    (tag,) = image["RepoTags"]
    assert tag.startswith("hookci/")
    assert tag.endswith(f"/image:{image['Id'][7:19]}")


def test_a_service_may_be_started_from_what_a_job_builds(shop: Repo) -> None:
    shop.commit({"docker/Dockerfile": RECIPE + 'EXPOSE 8000\nCMD ["httpd", "-f", "-p", "8000", "-h", "/"]\n'})
    shop.commit({"hookci.toml": IMAGE + f"""
        [jobs.unit]
        image = "{BUSYBOX}"
        services = [{{ image = "job:image", alias = "web" }}]
        script = "wget -q -O - http://web:8000/word"
    """})  # fmt: skip

    ran = run(shop)

    assert outcomes(shop)["unit"] == "passed", ran.output
    assert said(ran, "unit")[-1] == (shop.path / "docker" / "word").read_text().strip()


def test_the_script_of_a_job_that_builds_runs_in_the_new_image(shop: Repo) -> None:
    shop.commit({"hookci.toml": """
        [jobs.image]
        build = "docker"
        script = ["cat /word", "cp /word made"]
        after_script = ["cat /word"]
        artifacts = ["made"]
        [jobs.other]
        build = "docker"
        image = "IMAGE"
        script = "test ! -e /word"
        [jobs.use]
        stage = "integration"
        script = "cat made"
    """.replace("IMAGE", BUSYBOX)})  # fmt: skip

    ran = run(shop)

    word = (shop.path / "docker" / "word").read_text().strip()
    assert outcomes(shop) == dict.fromkeys(("image", "other", "use"), "passed"), ran.output
    assert said(ran, "image").count(word) == 2
    assert said(ran, "use")[-1] == word


def test_a_step_that_fails_fails_the_job(shop: Repo) -> None:
    shop.commit({
        "docker/Dockerfile": f"FROM {BUSYBOX}\nRUN echo well\nRUN echo badly && exit 5\n",
        "hookci.toml": IMAGE + "script = 'echo never'\nafter_script = 'echo after'\n",
    })  # fmt: skip

    ran = run(shop, check=False)

    assert outcomes(shop) == {"image": "failed"}
    assert ran.returncode == 1
    assert "RUN echo badly && exit 5" in ran.output
    assert "exit status 5" in ran.output
    assert "never" not in said(ran, "image")
    assert said(ran, "image")[-1] == "hookci: after_script did not run: there is no container it could run in"


def test_a_recipe_that_is_not_there_fails_the_job(shop: Repo) -> None:
    shop.commit({"hookci.toml": 'jobs.image.build = { context = "docker", dockerfile = "recipes/x" }'})

    ran = run(shop, check=False)

    assert (outcomes(shop), ran.returncode) == ({"image": "failed"}, 1)
    assert "there is no `docker/recipes/x`" in ran.output


def test_a_base_that_is_not_there_is_no_verdict(shop: Repo) -> None:
    name = f"localhost:1/{token_hex(4)}"
    shop.commit({"docker/Dockerfile": f"FROM {name}\n", "hookci.toml": IMAGE})

    ran = run(shop, check=False)

    assert (outcomes(shop), ran.returncode) == ({"image": "errored"}, 3)
    assert name in ran.output


def test_what_follows_a_build_that_failed_does_not_run(shop: Repo) -> None:
    shop.commit({
        "docker/Dockerfile": f"FROM {BUSYBOX}\nRUN false\n",
        "hookci.toml": IMAGE + "[jobs.unit]\nimage = 'job:image'\nscript = 'true'\n",
    })  # fmt: skip

    run(shop, check=False)

    assert outcomes(shop) == {"image": "failed", "unit": "skipped"}


def test_an_image_of_a_job_that_was_left_out_is_told(shop: Repo) -> None:
    shop.commit({"hookci.toml": IMAGE + "allow_failure = true\n[jobs.unit]\nimage = 'job:image'\nscript = 'true'\n"})

    ran = run(shop, env={"HOOKCI_SKIP": "image"}, check=False)

    assert (outcomes(shop)["unit"], ran.returncode) == ("errored", 3)
    assert "there is no image of the job `image`" in ran.output


def test_a_job_that_builds_is_not_in_the_run_without_its_rule(shop: Repo) -> None:
    rules, unit = "rules = [{ tag = 'v*' }]\n", "[jobs.unit]\nneeds = []\nimage = 'job:image'\nscript = 'x'\n"
    shop.commit({"hookci.toml": IMAGE + rules + unit})

    ran = run(shop, check=False)

    assert ran.returncode == 2
    assert "jobs.unit: the image `job:image` is built by `image`, which is not in this run" in ran.output


def test_a_secret_in_an_argument_is_not_shown(shop: Repo) -> None:
    secret = token_hex(12)
    recipe = f"FROM {BUSYBOX}\nARG KEY\nRUN echo it is $KEY\n"
    config = "[jobs.image]\nbuild = { context = 'docker', args = { KEY = '$SHOP_KEY' } }\nsecrets = 'SHOP_KEY'\n"
    shop.commit({"docker/Dockerfile": recipe, "hookci.toml": config})

    ran = run(shop, env={"SHOP_KEY": secret})

    assert any(line.endswith("it is [MASKED]") for line in said(ran, "image")), ran.output
    assert secret not in ran.output


def test_a_build_ends_at_the_deadline_of_its_job(shop: Repo, engine: Engine) -> None:
    mark = token_hex(6)
    shop.commit({
        "docker/Dockerfile": f"FROM {BUSYBOX}\nRUN echo {mark}; sleep 600\n",
        "hookci.toml": IMAGE + "timeout = '3s'\n",
    })  # fmt: skip

    run(shop, check=False)

    assert outcomes(shop) == {"image": "timed out"}
    assert wait_until(lambda: mark not in commands(engine), 30)


def test_ctrl_c_ends_a_build(shop: Repo, engine: Engine) -> None:
    mark = token_hex(6)
    shop.commit({"docker/Dockerfile": f"FROM {BUSYBOX}\nRUN echo {mark}; sleep 600\n", "hookci.toml": IMAGE})

    with hookci_started(shop, "run") as running:
        assert wait_until(lambda: mark in commands(engine), 60)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)

    assert running.returncode == 130
    assert wait_until(lambda: mark not in commands(engine), 30)
