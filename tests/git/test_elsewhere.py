"""Where other projects are, told from the address of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hookci.git.elsewhere import ElsewhereError, Place, host_of, project_url

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("remote", "host", "other"),
    [
        ("git@gitlab.example.com:group/a.git", "gitlab.example.com", "git@gitlab.example.com:x/y.git"),
        ("https://gitlab.example.com/group/sub/a.git", "gitlab.example.com", "https://gitlab.example.com/x/y.git"),
        ("ssh://git@example.com:2222/group/a.git", "example.com", "ssh://git@example.com:2222/x/y.git"),
        ("https://ana@example.com:8443/g/a", "example.com", "https://ana@example.com:8443/x/y.git"),
    ],
)
def test_another_project_is_at_the_same_host(remote: str, host: str, other: str) -> None:
    assert host_of(remote) == host
    assert project_url(remote, "/x/y") == other


def test_another_project_on_this_machine_is_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x" / "y.git").mkdir(parents=True)
    remote = str(tmp_path / "group" / "deep" / "a.git")

    assert host_of(remote) is None
    assert project_url(remote, "x/y") == str(tmp_path / "x" / "y.git")
    assert project_url(f"file://{remote}", "x/y") == str(tmp_path / "x" / "y.git")


def test_a_project_that_is_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ElsewhereError, match="there is no project `x/y`"):
        project_url(str(tmp_path / "group" / "a.git"), "x/y")


def test_a_ref_is_never_an_option() -> None:
    with pytest.raises(ElsewhereError, match="names no branch"):
        Place("https://example.com/x/y.git", {}).file("--upload-pack=touch", ["a.yml"])
