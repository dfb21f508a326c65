"""From staging to production: the very same, after somebody agreed; and what never gets out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran, Repo

CONFIG = """\
[jobs.build]
stage = "build"
script = ["date +%s%N > built.txt"]
artifacts = ["built.txt"]
memory = false

[environments.staging]
needs = ["build"]
script = ["./deploy.sh {live}/staging"]
irreversible = ["migrations/**"]
keep = 2

[environments.production]
after = "staging"
approval = {{ not_author = {not_author} }}
needs = ["build"]
script = ["./deploy.sh {live}/production"]
secrets = ["SENTINEL"]
health = [{{ command = 'test -n "$SENTINEL"' }}]
keep = 2
"""
SCRIPT = """\
#!/bin/sh
set -ex
echo "here it is: $SENTINEL"
mkdir -p "$1"
cp built.txt app.txt "$1/"
[ ! -e FAILS ] || exit 9
"""
SENTINEL = "s3ntinel-5b1f0c77-value"


class Two:
    """A repository with staging and production."""

    def __init__(self, repo: Repo, live: Path) -> None:
        self.repo, self.live = repo, live
        repo.env["SENTINEL"] = SENTINEL
        self.commit("one")
        repo.git("push", "-q", "origin", "main")

    def commit(self, app: str, *, not_author: bool = False, **files: str) -> str:
        config = CONFIG.format(live=self.live, not_author=str(not_author).lower())
        self.repo.write_files({"hookci.toml": config, "deploy.sh": SCRIPT, "app.txt": app})
        (self.repo.path / "deploy.sh").chmod(0o755)
        (self.repo.path / "FAILS").unlink(missing_ok=True)
        return self.repo.commit({name.replace("__", "/"): text for name, text in files.items()}, app)

    def hookci(self, *arguments: str) -> Ran:
        return self.repo.hookci(*arguments, check=False)

    def served(self, environment: str, name: str = "app.txt") -> str:
        path = self.live / environment / name
        return path.read_text() if path.exists() else ""

    def requested(self) -> str:
        """The one request that waits."""
        return self.repo.out("for-each-ref", "--format=%(refname:lstrip=4)", "refs/hookci/request/").split()[-1]


@pytest.fixture
def two(repo: Repo, tmp_path: Path) -> Two:
    return Two(repo, tmp_path / "live")


def test_production_gets_what_staging_verified_after_somebody_agreed(two: Two) -> None:
    early = two.hookci("deploy", "production")
    two.hookci("deploy")
    waiting = two.hookci("deploy", "production")
    nothing_yet = two.served("production")
    two.hookci("approve", "production", two.requested(), "--reason", "looked at it")
    ran = two.hookci("deploy", "production")

    assert early.returncode == 2
    assert waiting.returncode == 6, waiting.output
    assert nothing_yet == ""
    assert ran.returncode == 0, ran.output
    assert two.served("production", "built.txt") == two.served("staging", "built.txt") != ""
    message = two.repo.out("cat-file", "tag", "deploy/production/1")
    assert "Kind: promotion" in message
    assert "Approver: " in message


def test_an_approval_from_another_clone_counts(two: Two, make_repo: Callable[..., Repo]) -> None:
    other = make_repo("colleague", remote=False)
    shutil.rmtree(other.path)
    other.run("git", "clone", "-q", str(two.repo.remote), str(other.path), cwd=other.path.parent)
    two.hookci("deploy", "staging")
    two.hookci("deploy", "production")
    other.env.update(GIT_COMMITTER_NAME="Ben", GIT_COMMITTER_EMAIL="ben@example.com")

    approved = other.hookci("approve", "production", check=False)
    ran = two.hookci("deploy", "production")

    assert approved.returncode == 0, approved.output
    assert ran.returncode == 0, ran.output
    assert "Approver: Ben <ben@example.com>" in two.repo.out("cat-file", "tag", "deploy/production/1")


def test_the_author_may_not_approve_where_that_is_asked_for(two: Two) -> None:
    two.commit("strict", not_author=True)
    two.repo.git("config", "user.name", "Ana")
    two.repo.git("config", "user.email", "ana@example.com")
    two.hookci("deploy", "staging")
    two.hookci("deploy", "production")
    two.hookci("approve", "production", two.requested())

    ran = two.hookci("deploy", "production")

    assert ran.returncode == 6, ran.output
    assert two.served("production") == ""


def test_an_approval_is_void_when_something_else_would_be_deployed(two: Two) -> None:
    two.hookci("deploy", "staging")
    two.hookci("deploy", "production")
    request = two.requested()
    two.commit("two")
    two.hookci("deploy", "staging")

    refused = two.hookci("approve", "production", request)
    ran = two.hookci("deploy", "production")

    assert refused.returncode == 2
    assert "is void" in refused.stderr
    assert ran.returncode == 6
    assert two.served("production") == ""


def test_artifacts_that_are_gone_or_changed_are_refused_before_anything_is_touched(two: Two) -> None:
    two.hookci("deploy", "staging")
    two.hookci("deploy", "production")
    two.hookci("approve", "production")
    kept = next((two.repo.path.parent / "home" / ".local/share/hookci/releases").rglob("artifacts/1/*/data/built.txt"))

    kept.write_text("tampered")
    changed = two.hookci("deploy", "production")
    shutil.rmtree(kept.parents[3])
    gone = two.hookci("deploy", "production")

    assert (changed.returncode, gone.returncode) == (3, 3)
    assert "are not those that were verified" in changed.stderr
    assert "are not on this machine" in gone.stderr
    assert two.served("production") == ""


def test_only_the_last_verified_releases_are_kept_and_failures_do_not_count(two: Two) -> None:
    two.hookci("deploy", "staging")
    for name in ("bad", "worse", "worst"):
        two.commit(name, FAILS="x")
        two.hookci("deploy", "staging")
    two.commit("two")
    two.hookci("deploy", "staging")

    back = two.hookci("rollback", "staging")

    assert back.returncode == 0, back.output
    assert two.served("staging") == "one"


def test_what_cannot_be_taken_back_stops_and_asks(two: Two) -> None:
    two.hookci("deploy", "staging")
    two.commit("two", migrations__2="drop")
    two.hookci("deploy", "staging")

    asked = two.hookci("rollback", "staging")
    served = two.served("staging")
    meant = two.hookci("rollback", "staging", "--irreversible")

    assert (asked.returncode, served) == (6, "two"), asked.output
    assert (meant.returncode, two.served("staging")) == (0, "one"), meant.output


def test_what_cannot_be_taken_back_is_not_rolled_back_by_itself(two: Two) -> None:
    two.hookci("deploy", "staging")
    two.commit("two", migrations__2="drop", FAILS="x")

    ran = two.hookci("deploy", "staging")

    assert ran.returncode == 5, ran.output
    assert "irreversible" in ran.stderr


def test_a_secret_is_in_no_byte_that_is_written_anywhere(two: Two, tmp_path: Path) -> None:
    two.hookci("deploy", "staging")
    two.hookci("deploy", "production")
    two.hookci("approve", "production")

    ran = two.hookci("deploy", "production")
    two.commit("two", FAILS="x")
    two.hookci("deploy", "staging")
    said = "".join(
        two.hookci(*line.split()).output for line in ("status", "releases --json", "deploy production --dry-run")
    )

    assert ran.returncode == 0, ran.output
    assert "here it is: [MASKED]" in ran.output
    written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in written if SENTINEL.encode() in path.read_bytes()] == []
    assert SENTINEL not in ran.output + said
