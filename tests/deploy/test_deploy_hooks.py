"""Whether a clone deploys from its hooks, what they say, and what they leave alone."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moving_branches import JOBS, STAGING, Clones, Here, deploy_from_hooks, make_clones

if TYPE_CHECKING:
    from conftest import Sealed

GONE = Path("/gone/python")
TWO = (
    STAGING
    + """
[environments.production]
deploy = "on-merge"
after = "staging"
script = ["echo production-$HOOKCI_COMMIT >>'{log}'"]
"""
)
WAITS = "touch '{log}.began'; while [ ! -e '{log}.go' ]; do sleep 0.05; done"


@pytest.fixture
def clones(tmp_path: Path, sealed: Sealed) -> Clones:
    return make_clones(tmp_path, dict(sealed.env))


@pytest.fixture
def here(clones: Clones) -> Here:
    return clones.here


def moved(here: Here) -> str:
    """Commit on main; what git and its hooks said."""
    return here.git("commit", "-q", "--allow-empty", "-m", "moved").stderr


# -- whether a clone deploys


@pytest.mark.parametrize("hook", ["post-merge", "post-commit", "post-rewrite"])
def test_a_clone_that_deploys_nothing_does_not_start_python(here: Here, hook: str) -> None:
    here.git("config", "--unset-all", "hookci.deploys")
    deploy_from_hooks(here, python=GONE)

    ran = here.run(f".git/hooks/{hook}", "0", check=False)

    assert (ran.returncode, ran.output) == (0, "")


@pytest.mark.parametrize("hook", ["post-merge", "post-commit", "post-rewrite"])
def test_a_clone_that_deploys_says_so_when_hookci_is_gone(here: Here, hook: str) -> None:
    deploy_from_hooks(here, python=GONE)

    ran = here.run(f".git/hooks/{hook}", "0", check=False)

    assert ran.returncode == 3
    assert ran.stderr.startswith(f"hookci: {hook} deployed nothing: {GONE} is gone; run `hookci install` again")


def test_on_no_branch_python_is_not_started(here: Here) -> None:
    deploy_from_hooks(here, python=GONE)
    here.git("switch", "-q", "--detach")

    ran = here.run(".git/hooks/post-commit", check=False)

    assert (ran.returncode, ran.output) == (0, "")


def test_the_next_commit_on_a_branch_that_nothing_follows_does_not_start_python(here: Here) -> None:
    here.git("switch", "-qc", "feat")
    here.run(".git/hooks/post-commit")
    deploy_from_hooks(here, python=GONE)

    again = here.run(".git/hooks/post-commit", check=False)
    here.quietly("hookci.toml", JOBS)
    other_config = here.run(".git/hooks/post-commit", check=False)
    here.git("switch", "-qC", "feat", "main")
    here.git("config", "--add", "hookci.deploys", "production")
    other_names = here.run(".git/hooks/post-commit", check=False)

    assert (again.returncode, other_config.returncode, other_names.returncode) == (0, 3, 3)


def test_what_the_users_own_file_names_is_deployed_too(here: Here) -> None:
    here.git("config", "--unset-all", "hookci.deploys")
    settings = Path(here.env["HOME"], ".config", "hookci", "config.toml")
    settings.parent.mkdir(parents=True)
    settings.write_text('deploys = ["staging"]\n')

    moved(here)

    assert here.deployed == [here.head]


def test_hooks_that_were_there_before_run_first_and_decide(here: Here) -> None:
    kept = here.path / ".git" / "hooks" / "before-hookci" / "post-commit"
    kept.parent.mkdir()
    kept.write_text("#!/bin/sh\necho kept >&2\n[ ! -e refuses ] || exit 7\n")
    kept.chmod(0o755)

    said = moved(here)
    (here.path / "refuses").touch()
    refused = here.run(".git/hooks/post-commit", check=False)

    assert said.startswith("kept\nhookci: ")
    assert (refused.returncode, refused.stderr) == (7, "kept\n")
    assert len(here.deployed) == 1


@pytest.mark.parametrize(
    "config",
    [
        STAGING.replace('"on-merge"', '"manual"'),
        STAGING.replace("[environments.staging]", '[environments.staging]\nbranch = "release"'),
        STAGING.replace("staging", "production"),
        "# no environments: {log} {more}",
    ],
    ids=["deployed by hand", "another branch", "not of this clone", "no environments"],
)
def test_only_what_is_to_follow_the_branch_is_deployed(here: Here, config: str) -> None:
    here.quietly("hookci.toml", JOBS + config.format(log=here.log, more="true"))

    said = moved(here)

    assert (here.deployed, said) == ([], "")


def test_a_commit_without_a_config_is_followed_by_nothing(here: Here) -> None:
    here.git("rm", "-q", "hookci.toml")
    here.quietly("other")

    ran = here.run(".git/hooks/post-commit")

    assert ran.output == ""


def test_an_environment_follows_its_own_branch(here: Here) -> None:
    here.git("switch", "-qc", "release")
    here.configure(config=STAGING.replace("[environments.staging]", '[environments.staging]\nbranch = "release"'))

    moved(here)

    assert here.deployed == [here.head]


# -- what is said


def test_it_says_what_is_live_and_shares_the_tag(clones: Clones) -> None:
    here = clones.here
    here.git("config", "hookci.remote", "upstream")
    clones.push()

    said = here.git("pull", "-q").stderr

    assert f"hookci: staging: release 1 is live: {here.head[:8]}" in said
    assert "refs/tags/deploy/staging/1" in here.remote_refs()


def test_what_nobody_has_looked_at_is_not_run(clones: Clones) -> None:
    changed = JOBS + STAGING.format(log=clones.here.log, more="echo more")
    clones.push("hookci.toml", changed)

    pulled = clones.here.git("pull", "-q")
    clones.here.hookci("trust", "--yes", "staging")
    clones.here.hookci("deploy", "staging")

    assert "error: what a deployment to staging executes has changed since somebody looked at it" in pulled.stderr
    assert "`hookci trust staging`" in pulled.stderr
    assert "hookci: not deployed to staging, where nothing that is known here is live\n" in pulled.stderr
    assert clones.here.deployed == [clones.here.head]


def test_a_failure_cannot_fail_the_merge_so_it_is_said_loudly(clones: Clones) -> None:
    here = clones.here
    moved(here)
    good = here.head
    here.git("push", "-q", "--no-verify", "upstream", "main")
    clones.there.git("pull", "-q", "upstream", "main")
    here.configure(more="! ls | grep -q rott")
    here.git("push", "-q", "--no-verify", "upstream", "main")
    clones.there.git("pull", "-q", "upstream", "main")
    clones.push("rotten")

    pulled = here.git("pull", "-q")
    status = here.hookci("status").output

    tip = here.head
    assert pulled.returncode == 0
    assert here.deployed == [good, tip, good]
    assert f"error: {tip[:8]} is not live on staging: the script failed in `! ls | grep -q rott`" in pulled.stderr
    last = f"hookci: not deployed to staging, where release 1 ({good[:8]}) is live; `hookci deploy staging` tries again"
    assert pulled.stderr.splitlines()[-1] == last
    assert f"{tip[:8]} is not live on staging" in status


def test_the_hook_itself_ends_with_the_status_of_what_went_wrong(here: Here) -> None:
    here.configure(more="false")

    stuck = here.run(".git/hooks/post-commit", check=False)
    again = here.run(".git/hooks/post-commit", check=False)

    assert stuck.returncode == 5
    assert again.returncode == 0
    assert "was tried already" in again.stderr
    assert len(here.deployed) == 1


def test_a_red_commit_is_not_deployed(here: Here) -> None:
    here.quietly("hookci.toml", JOBS.replace("true", "false") + STAGING.format(log=here.log, more="true"))
    here.trust()

    ran = here.run(".git/hooks/post-commit", check=False)

    assert ran.returncode == 1
    assert f"{here.head[:8]} is not green, so it is not deployed to staging" in ran.stderr
    assert here.deployed == []


@pytest.mark.parametrize(
    ("config", "says"),
    [("[environments.staging]\nscripts = 1\n", "environments.staging.scripts"), ("[", "hookci.toml")],
)
def test_a_config_that_is_wrong_is_told_in_one_block(here: Here, config: str, says: str) -> None:
    here.quietly("hookci.toml", config)

    ran = here.run(".git/hooks/post-commit", check=False)

    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


# -- several environments


def two(here: Here, config: str = TWO, more: str = "true") -> str:
    """Two environments, the second after the first; the commit that is live on the first, and deployed by hand."""
    here.git("config", "--add", "hookci.deploys", "production")
    here.configure(more, config)
    here.hookci("deploy", "staging")
    here.trust("production")
    return here.head


def test_what_comes_after_follows_once_the_one_before_is_verified(here: Here) -> None:
    first = two(here)

    moved(here)

    assert here.deployed == [first, here.head, f"production-{here.head}"]
    assert here.tags == ["deploy/production/1", "deploy/staging/1", "deploy/staging/2"]


def test_what_comes_after_is_left_alone_where_the_one_before_failed(here: Here) -> None:
    good = two(here, more="! ls | grep -q rott")
    here.quietly("rotten")

    moved(here)

    assert here.deployed == [good, here.head, good]
    assert here.tags == ["deploy/staging/1"]


def test_what_another_clone_has_verified_is_promoted_here_but_never_again_after_going_back(here: Here) -> None:
    first = two(here)
    here.git("config", "--replace-all", "hookci.deploys", "production")

    moved(here)
    here.hookci("deploy", "staging")
    second = here.head
    moved(here)
    here.hookci("rollback", "production")
    moved(here)

    wanted = [first, f"production-{first}", second, f"production-{second}", f"production-{first}"]
    assert here.deployed == wanted


def test_with_approval_it_asks_for_it_and_says_so(here: Here) -> None:
    two(here, TWO.replace('after = "staging"', 'after = "staging"\napproval = true'))

    said = moved(here)
    here.hookci("approve", "production")
    here.hookci("deploy", "production")

    assert f"{here.head[:8]} waits for approval on production" in said
    assert "hookci: not deployed to production, where nothing that is known here is live\n" in said
    assert here.deployed[1:] == [here.head, f"production-{here.head}"]


# -- in the background


@pytest.fixture
def waiting(here: Here) -> Here:
    """A clone that deploys in the background, with a script that waits for a file."""
    config = STAGING.replace("script", "background = true\nscript")
    here.configure(more=WAITS.format(log=here.log), config=config)
    return here


def go(here: Here) -> None:
    Path(f"{here.log}.go").touch()


def began(here: Here) -> bool:
    return here.until(Path(f"{here.log}.began").exists)


def test_in_the_background_git_returns_at_once_also_to_those_who_read_all_it_says(waiting: Here) -> None:
    said = moved(waiting)
    tip = waiting.head
    begun, over = began(waiting), bool(waiting.tags)
    go(waiting)

    log = waiting.path / ".git" / "hookci" / "deploy" / "staging.background.log"
    assert said == f"hookci: staging: deploying in the background, see {log}\n"
    assert begun
    assert not over
    assert waiting.until(lambda: "staging: release 1 is live" in log.read_text())
    assert waiting.deployed == [tip]


def test_commits_made_meanwhile_are_deployed_once_and_the_last_one_stays(waiting: Here) -> None:
    moved(waiting)
    first = waiting.head
    begun = began(waiting)
    for _ in range(3):
        moved(waiting)
    last = waiting.head
    log = waiting.path / ".git" / "hookci" / "deploy" / "staging.background.log"
    told = waiting.until(lambda: log.read_text().count("takes this commit along") == 2)
    go(waiting)

    assert begun
    assert told
    assert waiting.until(lambda: waiting.tags == ["deploy/staging/1", "deploy/staging/2"])
    assert waiting.deployed == [first, last]


def test_what_comes_after_follows_in_the_background(here: Here) -> None:
    two(here, TWO.replace("script", "background = true\nscript", 1))

    moved(here)

    assert here.until(lambda: "deploy/production/1" in here.tags)
    assert here.deployed[1:] == [here.head, f"production-{here.head}"]


def test_the_branch_need_not_be_checked_out_any_more(waiting: Here) -> None:
    moved(waiting)
    tip = waiting.head
    waiting.git("switch", "-qc", "feat")
    waiting.quietly("feat")
    go(waiting)

    assert waiting.until(lambda: waiting.tags == ["deploy/staging/1"])
    assert waiting.deployed == [tip]


# -- one at a time, and cut short


def commit_in_another_process(here: Here) -> subprocess.Popen[bytes]:
    argv = ["git", "commit", "-q", "--allow-empty", "-m", "moved"]
    return in_another_process(here, argv)


def in_another_process(here: Here, argv: list[str], said: Path | None = None) -> subprocess.Popen[bytes]:
    """Start git as a terminal would: a process group of its own."""
    with (said or Path(os.devnull)).open("wb") as stderr:
        return subprocess.Popen(argv, cwd=here.path, env=here.env, start_new_session=True, stderr=stderr)


def test_a_hook_whose_turn_it_is_not_says_so_and_the_commit_is_not_lost(here: Here) -> None:
    here.configure(more=WAITS.format(log=here.log))

    with commit_in_another_process(here) as first:
        begun = began(here)
        said = moved(here)
        go(here)
    here.hookci("deploy", "staging")

    assert begun
    assert first.returncode == 0
    assert "error: another hook of this repository is deploying to staging" in said
    assert here.deployed == [here.out("rev-parse", "HEAD~1"), here.head]


def test_after_ctrl_c_in_the_hook_the_commit_stands_and_the_next_command_deploys(here: Here) -> None:
    here.configure(more=WAITS.format(log=here.log))
    hooks_dir = here.path / ".git" / "hookci" / "deploy"

    with commit_in_another_process(here) as interrupted:
        begun = began(here)
        os.killpg(interrupted.pid, signal.SIGINT)
    settled = here.until(lambda: not (hooks_dir / "staging.holder").exists())
    go(here)
    here.hookci("deploy", "staging")

    assert begun
    assert settled
    assert here.deployed == [here.head, here.head]
    assert here.tags == ["deploy/staging/1"]


@pytest.mark.parametrize("act", ["merge", "rebase"])
def test_after_ctrl_c_it_says_how_to_get_git_out_of_the_middle(here: Here, tmp_path: Path, act: str) -> None:
    here.configure(more=WAITS.format(log=here.log))
    here.git("switch", "-qc", "feat")
    here.quietly("feat")
    here.git("switch", "-q", "main")
    here.quietly("ours")
    said = tmp_path / "said"

    with in_another_process(here, ["git", act, "-q", "feat"], said) as interrupted:
        begun = began(here)
        os.killpg(interrupted.pid, signal.SIGINT)
    told = here.until(lambda: f"`git {act} --quit` ends that" in said.read_text())
    before = here.out("status")
    here.git(act, "--quit")
    after = here.out("status")
    commits = here.out("rev-list", "HEAD").split()

    assert begun
    assert told
    assert "merging" in before or "rebasing" in before
    assert "merging" not in after
    assert "rebasing" not in after
    assert after.startswith("On branch main\n")
    assert len(commits) == {"merge": 5, "rebase": 4}[act]
