"""Which commits may be deployed at all: pushed ones, signed ones, those of the branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Repo

CONFIG = """\
[jobs.unit]
script = ["true"]

[environments.staging]
script = ["true"]
{more}
"""


def configured(repo: Repo, more: str) -> str:
    return repo.commit({"hookci.toml": CONFIG.format(more=more)})


def test_only_what_the_remotes_branch_has_where_that_is_asked_for(repo: Repo) -> None:
    configured(repo, "pushed = true")
    repo.git("push", "-q", "origin", "main")
    repo.commit({"a": "local only"})

    early = repo.hookci("deploy", check=False)
    repo.git("push", "-q", "origin", "main")
    ran = repo.hookci("deploy", check=False)

    assert early.returncode == 2
    assert "is not on origin's `main` yet" in early.stderr
    assert ran.returncode == 0, ran.output


@pytest.fixture
def key(repo: Repo, tmp_path: Path) -> Path:
    """A key that signs, and beside it the file of those who may."""
    path = tmp_path / "key"
    repo.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path), cwd=tmp_path)
    public = path.with_suffix(".pub").read_text().split()
    (tmp_path / "signers").write_text(f"ana@example.com {public[0]} {public[1]}\n")
    return path


def test_only_commits_that_a_listed_key_has_signed_where_that_is_asked_for(
    repo: Repo, key: Path, tmp_path: Path
) -> None:
    configured(repo, f'signers = "{tmp_path / "signers"}"')
    unsigned = repo.hookci("deploy", check=False)
    sign = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
    repo.git(*sign, "commit", "-q", "--allow-empty", "-S", "-m", "signed")

    ran = repo.hookci("deploy", check=False)

    assert unsigned.returncode == 2
    assert "is not signed by a key in" in unsigned.stderr
    assert ran.returncode == 0, ran.output


def test_a_commit_of_another_branch_is_refused(repo: Repo) -> None:
    configured(repo, "")
    repo.git("checkout", "-q", "-b", "topic")
    other = repo.commit({"a": "topic"})
    repo.git("checkout", "-q", "main")

    ran = repo.hookci("deploy", "staging", other, check=False)

    assert ran.returncode == 2
    assert "is not on `main`" in ran.stderr


def test_several_environments_are_listed_when_none_is_named(repo: Repo) -> None:
    configured(repo, '[environments.testing]\nscript = ["true"]')

    ran = repo.hookci("deploy", check=False)

    assert ran.returncode == 2
    assert "staging, testing" in ran.stderr


def test_what_fills_the_disk_in_the_middle_is_made_whole_by_the_next_deployment(repo: Repo, tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = repo.run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place), check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system takes root: {mounted.stderr.strip()}")
    try:
        repo.run("git", "clone", "-q", str(repo.path), str(place / "clone"), check=False)
        small = type(repo)(place / "clone", repo.env)
        script = f"dd if=/dev/zero of={place}/full bs=1M 2>/dev/null || true"
        job, _, environment = CONFIG.format(more="").rpartition('"true"')
        small.commit({"hookci.toml": f'{job}"{script}"{environment}'})
        small.git("branch", "-q", "-M", "main")
        small.git("config", "hookci.remote", "origin")

        full = small.hookci("deploy", "--local", check=False)
        (place / "full").unlink()
        small.commit({"hookci.toml": CONFIG.format(more="")})
        small.hookci("trust", "staging", "--yes", check=False)
        ran = small.hookci("deploy", "--local", check=False)
    finally:
        repo.run("umount", "-l", str(place), check=False)

    assert full.returncode not in {0, 1}, full.output
    assert "Traceback" not in full.output
    assert ran.returncode == 0, ran.output
