"""What belongs to a clone or a person: git's own config, and a file of the person's that it beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hookci.config.settings import Settings, read_settings
from hookci.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def written(directory: Path, text: str) -> Path:
    (directory / "config.toml").write_text(text)
    return directory / "config.toml"


def test_a_clone_without_settings_deploys_nothing_by_itself(tmp_path: Path) -> None:
    settings = read_settings({"user.name": ["A"]}, tmp_path / "config.toml")

    assert settings == Settings(allow_unconfigured=False, jobs=None, deploys=(), remote=None)


def test_of_a_list_every_value_counts_and_of_all_else_the_last(tmp_path: Path) -> None:
    git_config = {
        "hookci.deploys": ["staging", "development", "staging"],
        "hookci.remote": ["origin", "company"],
        "hookci.jobs": ["1", "2"],
        "hookci.unconfigured": ["refuse", "allow"],
    }

    settings = read_settings(git_config, tmp_path / "config.toml")

    assert settings == Settings(allow_unconfigured=True, jobs=2, deploys=("staging", "development"), remote="company")


@pytest.mark.parametrize("value", ['["staging"]', '"staging"'])
def test_the_file_of_a_person_has_lists_as_toml_writes_them(tmp_path: Path, value: str) -> None:
    file = written(tmp_path, f'deploys = {value}\nremote = "company"\n')

    settings = read_settings({}, file)

    assert settings == Settings(deploys=("staging",), remote="company")


def test_the_list_of_a_clone_takes_the_place_of_a_persons(tmp_path: Path) -> None:
    file = written(tmp_path, 'deploys = ["production", "staging"]')

    settings = read_settings({"hookci.deploys": ["development"]}, file)

    assert settings.deploys == ("development",)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("deploys", "3", "expected names of environments, saw `3`"),
        ("deploys", '["a", 3]', "expected names of environments, saw `['a', 3]`"),
        ("deploys", '["a", ""]', "expected names of environments, saw `['a', '']`"),
        ("remote", "true", "expected the name of a remote, saw `True`"),
        ("remote", '"--mirror"', "expected the name of a remote, saw `--mirror`"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(tmp_path: Path, key: str, value: str, message: str) -> None:
    file = written(tmp_path, f"{key} = {value}")

    with pytest.raises(ConfigError) as caught:
        read_settings({}, file)

    assert [(problem.path, problem.message) for problem in caught.value.problems] == [(f"hookci.{key}", message)]


def test_a_mistyped_setting_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({"hookci.deploy": ["staging"]}, tmp_path / "config.toml")

    assert caught.value.problems[0].hint == "did you mean `deploys`?"
