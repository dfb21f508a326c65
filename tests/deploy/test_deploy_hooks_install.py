"""`hookci install --deploys`: which environments a clone deploys to is its own business."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moving_branches import JOBS, STAGING

from hookci.git.installation import HOOKS, JUDGING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Repo

CONFIG = JOBS + STAGING.format(log="/dev/null", more="true")
FOLLOWING = ("post-merge", "post-commit", "post-rewrite")
MANUAL = '\n[environments.production]\nbranch = "main"\nscript = ["true"]\n'


def deploys(repo: Repo) -> list[str]:
    return repo.git("config", "--local", "--get-all", "hookci.deploys", check=False).stdout.split()


def hooks_of(repo: Repo) -> list[str]:
    return [name for name in HOOKS if (repo.path / ".git/hooks" / name).exists()]


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


def test_it_is_taken_back_and_with_it_the_hooks_that_deployed(configured: Repo) -> None:
    configured.hookci("install", "--deploys", "staging", "--deploys", "production")
    there = hooks_of(configured)

    ran = configured.hookci("install", "--no-deploys")
    again = configured.hookci("install", "--no-deploys")

    assert there == [*JUDGING, *FOLLOWING]
    assert ran.stdout.startswith("the hooks deploy nothing any more\n")
    assert ran.stdout.endswith(f"removed {', '.join(FOLLOWING)}: nothing is to be done after a commit or merge here\n")
    assert again.stdout.startswith("the hooks did not deploy anything\n")
    assert deploys(configured) == []
    assert hooks_of(configured) == list(JUDGING)


def test_what_ran_after_a_commit_before_does_so_again(configured: Repo) -> None:
    script = configured.path / ".git/hooks/post-commit"
    text = '#!/bin/sh\necho mine >>"$(git rev-parse --show-toplevel)/../ran"\n'
    script.write_text(text)
    script.chmod(0o755)

    configured.hookci("install")
    untouched = script.read_text()
    configured.hookci("install", "--deploys", "staging")
    replaced = script.read_text()
    configured.hookci("install", "--no-deploys")
    put_back = script.read_text()
    configured.git("commit", "-q", "--allow-empty", "--no-verify", "-m", "one")
    configured.hookci("install", "--deploys", "staging")

    assert (untouched, put_back) == (text, text)
    assert replaced != text
    assert (configured.path.parent / "ran").read_text() == "mine\n"
    assert (script.parent / "before-hookci/post-commit").read_text() == text
    assert not (script.parent / "before-hookci/post-commit.legacy").exists()


def test_it_is_enough_that_the_user_deploys_everywhere(configured: Repo) -> None:
    settings = Path(configured.env["HOME"], ".config", "hookci", "config.toml")
    settings.parent.mkdir(parents=True)
    settings.write_text('deploys = ["staging"]\n')

    configured.hookci("install")

    assert hooks_of(configured) == [*JUDGING, *FOLLOWING]


def test_worktrees_with_settings_of_their_own_leave_each_other_the_hooks(configured: Repo, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    configured.git("config", "extensions.worktreeConfig", "true")
    configured.git("worktree", "add", "-q", "-b", "other", str(beside))
    configured.run("git", "config", "--worktree", "hookci.deploys", "staging", cwd=beside)

    configured.hookci("install")

    assert hooks_of(configured) == [*JUDGING, *FOLLOWING]


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
