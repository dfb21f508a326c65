"""Finds the config among a snapshot's files and reads it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from hookci import __version__
from hookci.config.requires import is_met
from hookci.config.surroundings import Surroundings
from hookci.config.words import show
from hookci.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.model.pipeline import Pipeline

__all__ = ["CONFIG_FILES", "GITLAB_FILE", "PIPELINE_FILES", "alone", "files_of", "parse"]

CONFIG_FILES = ("hookci.toml", "pyproject.toml")
"""Where a config of hookci's own may stand, from a repository's root."""

GITLAB_FILE = ".gitlab-ci.yml"
"""The pipeline of a repository that has no config of hookci's own."""

PIPELINE_FILES = (*CONFIG_FILES, GITLAB_FILE)
"""All that a pipeline may start in."""

_OWN, _SHARED = CONFIG_FILES
_SECTION = f"{_SHARED} [tool.hookci]"


def files_of(top: Path) -> dict[str, bytes]:
    """The contents of those of `PIPELINE_FILES` that are in the work tree at ``top``."""
    return {name: (top / name).read_bytes() for name in PIPELINE_FILES if (top / name).is_file()}


def alone(files: Mapping[str, bytes]) -> Surroundings:
    """What a config knows that is all there is."""
    return Surroundings(
        read=files.get, paths=lambda: files, facts=dict, changed=lambda: None, fetched=lambda _address: None
    )


def parse(files: Mapping[str, bytes], surroundings: Surroundings | None = None) -> Pipeline | None:
    """The pipeline that the files of one snapshot define, or None when they define none.

    Args:
        files: the contents of those of `PIPELINE_FILES` that are there.
        surroundings: the tree around them, for a pipeline that includes files; without it there is nothing else.

    Raises:
        ConfigError: the config is wrong; it carries every problem found.
    """
    found = _find(files)
    if found is None:
        return _gitlab(surroundings or alone(files)) if GITLAB_FILE in files else None
    source, raw = found
    if not isinstance(raw, dict):
        raise _wrong(source, f"expected a table, saw {show(raw)}")
    _check_requires(source, raw)
    if isinstance(raw.get("pipeline"), str):
        from hookci.config.beside import read_beside  # noqa: PLC0415 (pydantic only when there is a config to read)

        return read_beside(source, raw, surroundings or alone(files))
    from hookci.config.pipeline import read_pipeline  # noqa: PLC0415 (as above)

    return read_pipeline(source, raw)


def _gitlab(surroundings: Surroundings) -> Pipeline:
    from hookci.config.gitlab.pipeline import read_gitlab  # noqa: PLC0415 (yaml only when there is YAML to read)

    return read_gitlab(GITLAB_FILE, surroundings)


def _find(files: Mapping[str, bytes]) -> tuple[str, Any] | None:
    """The source and contents of a config of hookci's own; one that is broken beside it is not ours to judge."""
    if _OWN not in files:
        return (_SECTION, _section(files)) if _has_section(files) else None
    own = _toml(_OWN, files[_OWN])
    try:
        both = _has_section(files)
    except ConfigError:
        both = False
    if both:
        raise _wrong(_OWN, f"{_OWN} and {_SECTION} both define a pipeline", "keep one of them")
    return _OWN, own


def _has_section(files: Mapping[str, bytes]) -> bool:
    return _section(files) is not None


def _section(files: Mapping[str, bytes]) -> Any:  # noqa: ANN401 (any TOML value)
    tool = _toml(_SHARED, files[_SHARED]).get("tool") if _SHARED in files else None
    return tool.get("hookci") if isinstance(tool, dict) else None


def _toml(source: str, content: bytes) -> dict[str, Any]:
    import tomli  # noqa: PLC0415 (only when there is a config to read)

    try:
        return tomli.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _wrong(source, f"line {line}: not UTF-8: byte 0x{content[error.start]:02x}") from error
    except tomli.TOMLDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _wrong(source, f"{place}: {error.msg[:1].lower()}{error.msg[1:]}") from error
    except (RecursionError, ValueError) as error:  # tomli's limits of depth, Python's of digits
        raise _wrong(source, f"cannot be read: {error}") from error


def _wrong(source: str, message: str, hint: str | None = None) -> ConfigError:
    return ConfigError(source, (ConfigProblem("", message, hint),))


def _check_requires(source: str, raw: Mapping[str, Any]) -> None:
    """Refuse a config for another version before its keys are looked at, which this one may not know."""
    wanted = raw.get("requires")
    if not isinstance(wanted, str):
        return
    if is_met(wanted, __version__) is False:
        hint = f"pip install --upgrade {shlex.quote('hookci' + wanted.replace(' ', ''))}"
        message = f"this is hookci {__version__}, the pipeline requires {wanted}"
        raise ConfigError(source, (ConfigProblem("requires", message, hint),))
