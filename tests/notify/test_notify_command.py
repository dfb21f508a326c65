"""``hookci notify test``: each address of the config, and whether it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from listeners import closed_door, listener

if TYPE_CHECKING:
    from conftest import Repo

JOBS = '[jobs.unit]\nscript = ["true"]\n'
NO_PROXY = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


def test_everybody_who_is_in_the_config_is_told(repo: Repo) -> None:
    with listener() as told:
        repo.write_files({"hookci.toml": f'{JOBS}[notify]\nurls = ["$CHAT_URL", "json://{told.host}/two"]\n'})

        ran = repo.hookci("notify", "test", env={"CHAT_URL": f"json://{told.host}/one", **NO_PROXY})

    assert ran.stdout == "notify.urls[0] ($CHAT_URL): ok\nnotify.urls[1] (json://...): ok\n"
    assert sorted(told.paths) == ["/one", "/two"]
    assert {message["title"] for message in told.messages} == {"project: a test of hookci's notifications"}


def test_an_occasion_that_nobody_asked_for_is_no_reason_not_to_test(repo: Repo) -> None:
    with listener() as told:
        repo.write_files({"hookci.toml": f'{JOBS}[notify]\nurls = "json://{told.host}"\non = "stuck"\n'})

        repo.hookci("notify", "test", env=NO_PROXY)

    assert len(told.messages) == 1


def test_one_that_cannot_be_told_ends_in_status_3(repo: Repo) -> None:
    with listener() as told:
        urls = f'urls = ["json://{closed_door()}/a", "json://{told.host}"]\n'
        repo.write_files({"hookci.toml": f"{JOBS}[notify]\n{urls}"})

        ran = repo.hookci("notify", "test", check=False, env=NO_PROXY)

    assert ran.returncode == 3
    assert ran.stdout == "notify.urls[0] (json://...): could not be reached\nnotify.urls[1] (json://...): ok\n"
    assert len(told.messages) == 1


def test_a_config_that_names_nobody_is_a_usage_error(repo: Repo) -> None:
    repo.write_files({"hookci.toml": JOBS})

    ran = repo.hookci("notify", "test", check=False)

    assert ran.returncode == 2
    assert ran.stderr.splitlines()[0] == "error: hookci.toml has no [notify]"
