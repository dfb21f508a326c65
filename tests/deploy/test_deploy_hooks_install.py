"""`hookci install --deploys`: which environments a clone deploys to is its own business."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moving_branches import JOBS, STAGING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

CONFIG = JOBS + STAGING.format(log="/dev/null", more="true")
MANUAL = '\n[environments.production]\nbranch = "main"\nscript = ["true"]\n'


def deploys(repo: Repo) -> list[str]:
    return repo.git("config", "--local", "--get-all", "hookci.deploys", check=False).stdout.split()


@pytest.fixture
def configured(repo: Repo) -> Repo:
    repo.commit({"hookci.toml": CONFIG + MANUAL})
    return repo


def test_it_is_written_into_the_clones_own_settings_once(configured: Repo) -> None:
    first = configured.hookci("install", "--deploys", "staging")
    configured.hookci("install", "--deploys", "staging", "--deploys", "production", "--deploys", "staging")

    assert "when `main` moves here, it is deployed to staging\n" in first.stdout
    assert "next: `hookci trust staging`" in first.stdout
    assert deploys(configured) == ["staging", "production"]


def test_it_takes_names_of_the_config_that_is_not_committed_yet(repo: Repo) -> None:
    repo.write_files({"hookci.toml": CONFIG})

    repo.hookci("install", "--deploys", "staging")

    assert deploys(repo) == ["staging"]


def test_it_takes_names_of_the_config_at_head(configured: Repo) -> None:
    (configured.path / "hookci.toml").unlink()

    configured.hookci("install", "--deploys", "staging")

    assert deploys(configured) == ["staging"]


def test_a_name_that_is_none_changes_nothing(configured: Repo) -> None:
    ran = configured.hookci("install", "--deploys", "staging", "--deploys", "stagin", check=False)

    assert ran.returncode == 2
    assert ran.stderr == "error: there is no environment `stagin`\nhint: known: staging, production\n"
    assert deploys(configured) == []
    assert not (configured.path / ".git" / "hooks" / "post-merge").exists()


def test_without_environments_it_says_so(repo: Repo) -> None:
    ran = repo.hookci("install", "--deploys", "staging", check=False)

    assert (ran.returncode, deploys(repo)) == (2, [])
    assert "hint: hookci.toml has no [environments] yet\n" in ran.stderr


def test_an_environment_that_is_deployed_by_hand_is_warned_about(configured: Repo) -> None:
    ran = configured.hookci("install", "--deploys", "production")

    assert 'warning: production has `deploy = "manual"`, so no hook deploys to it\n' in ran.stderr
    assert deploys(configured) == ["production"]


def test_it_is_taken_back_and_the_hooks_stay(configured: Repo) -> None:
    configured.hookci("install", "--deploys", "staging", "--deploys", "production")

    ran = configured.hookci("install", "--no-deploys")
    again = configured.hookci("install", "--no-deploys")

    assert ran.stdout.endswith("the hooks deploy nothing any more\n")
    assert again.stdout.endswith("the hooks did not deploy anything\n")
    assert deploys(configured) == []
    assert (configured.path / ".git" / "hooks" / "post-merge").exists()


def test_both_at_once_are_refused(configured: Repo) -> None:
    ran = configured.hookci("install", "--deploys", "staging", "--no-deploys", check=False)

    assert ran.returncode == 2
    assert deploys(configured) == []


def test_installing_again_leaves_the_choice_alone(configured: Repo) -> None:
    configured.hookci("install", "--deploys", "staging")

    configured.hookci("install")

    assert deploys(configured) == ["staging"]


def test_a_bare_repository_has_no_hooks_that_see_a_branch_move(make_repo: Callable[..., Repo]) -> None:
    repo = make_repo("bare", remote=False)
    repo.git("config", "core.bare", "true")

    ran = repo.hookci("install", "--deploys", "staging", check=False)

    assert ran.returncode == 2
    assert "has no work tree" in ran.stderr
