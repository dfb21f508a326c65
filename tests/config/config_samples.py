"""Reads a config from text, or the problems with it, one line each."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from hookci.config.load import parse
from hookci.errors import ConfigError

if TYPE_CHECKING:
    from hookci.model.pipeline import Pipeline


def read(text: str) -> Pipeline:
    pipeline = parse({"hookci.toml": textwrap.dedent(text).encode()})
    assert pipeline is not None
    return pipeline


def problems_in(files: dict[str, bytes]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(files)
    return caught.value


def problems(text: str) -> list[str]:
    """Every problem as ``path: message (hint)``."""
    error = problems_in({"hookci.toml": textwrap.dedent(text).encode()})
    assert error.source == "hookci.toml"
    return told(error)


def told(error: ConfigError) -> list[str]:
    return [
        f"{problem.path}: {problem.message}" + (f" ({problem.hint})" if problem.hint else "")
        for problem in error.problems
    ]


def in_job(line: str) -> str:
    """A job that is fine but for ``line``."""
    return f'[jobs.a]\nscript = "x"\n{line}\n'


def in_environment(line: str) -> str:
    """A pipeline with the environment ``x``, which is fine but for ``line``."""
    return f'jobs.a.script = "x"\n[environments.x]\nscript = "x"\n{line}\n'
