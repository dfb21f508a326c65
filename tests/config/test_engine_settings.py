"""The settings about containers, which only a clone or a person has: the engine, and what containers may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hookci.config.settings import Mount, Settings, read_settings
from hookci.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_clone_names_its_engine_and_what_it_allows(tmp_path: Path) -> None:
    git_config = {
        "hookci.engine": ["near", "far"],
        "hookci.privileged": ["docker:*dind*", "kind:*"],
        "hookci.socket": ["docker:cli"],
        "hookci.mount": ["/cache:/cache", "/data:/srv/data:ro", "/x:/y:rw"],
    }

    settings = read_settings(git_config, tmp_path / "config.toml")

    assert settings == Settings(
        engine="far",
        privileged=("docker:*dind*", "kind:*"),
        socket=("docker:cli",),
        mounts=(Mount("/cache", "/cache"), Mount("/data", "/srv/data", read_only=True), Mount("/x", "/y")),
    )


def test_the_file_of_a_person_holds_the_same(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('engine = "unix:///run/one.sock"\nprivileged = ["a"]\nmount = "/a:/b"\n')

    settings = read_settings({}, file)

    assert settings == Settings(engine="unix:///run/one.sock", privileged=("a",), mounts=(Mount("/a", "/b"),))


def test_without_settings_containers_are_allowed_nothing(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path / "config.toml")

    assert (settings.engine, settings.privileged, settings.socket, settings.mounts) == (None, (), (), ())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("engine", " ", "expected a URL such as `unix:///var/run/docker.sock`, or the name of a docker context"),
        ("privileged", "", "expected names of images, such as `docker:*dind*`"),
        ("socket", "", "expected names of images, such as `docker:*dind*`"),
        ("mount", "/only", "expected `/path/here:/path/there`"),
        ("mount", "here:/there", "expected `/path/here:/path/there`"),
        ("mount", "/here:there", "expected `/path/here:/path/there`"),
        ("mount", "/here:/there:rx", "expected `/path/here:/path/there`"),
        ("mount", "/here:/", "nothing can be put in place of a container's `/`"),
        ("mounts", "/a:/b", "unknown setting"),
    ],
)
def test_a_setting_that_makes_no_sense_is_an_error_with_what_is_expected(
    tmp_path: Path, key: str, value: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({f"hookci.{key}": [value]}, tmp_path / "config.toml")

    [problem] = caught.value.problems
    assert problem.path == f"hookci.{key}"
    assert message in problem.message
