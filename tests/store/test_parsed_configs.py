"""A config is read once: what it came to is kept by its bytes, and nothing else is ever made of a kept file."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hookci.config.load import parse
from hookci.store.parsed import ParsedConfigs

if TYPE_CHECKING:
    from hookci.model.pipeline import Pipeline

_CONFIG = b"""
[jobs.unit]
script = ["true"]
rules = [{ if = '$CI_COMMIT_BRANCH == "main"', changes = ["src/**"] }]
cache = [{ key.files = ["uv.lock"], paths = [".venv"] }]
image = { name = "python:3", memory = "1g" }
services = [{ image = "postgres:16", alias = "db", health = "pg_isready" }]

[jobs.code]
scan = "bandit"

[environments.staging]
branch = "main"
script = ["./deploy.sh"]
health = [{ url = "http://127.0.0.1:8000/", within = "30s" }]

[[suppressions]]
rule = "bandit/B101"
path = "tests/**"
reason = "asserts are what tests are made of"
expires = 2030-01-01
"""
_FILES = {"hookci.toml": _CONFIG}


class _Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(Path(os.environ["HARM"])),)


@pytest.fixture
def known(tmp_path: Path) -> ParsedConfigs:
    return ParsedConfigs(tmp_path / "pipelines", "hookci 1")


def _read() -> Pipeline:
    pipeline = parse(_FILES)
    assert pipeline is not None
    return pipeline


def test_what_was_kept_is_what_was_read(known: ParsedConfigs) -> None:
    known.put(_FILES, _read())

    assert known.get(_FILES) == _read()


def test_one_other_byte_is_another_config(known: ParsedConfigs) -> None:
    known.put(_FILES, _read())

    assert known.get({"hookci.toml": _CONFIG + b"\n"}) is None
    assert known.get({**_FILES, "pyproject.toml": b""}) is None


def test_another_hookci_reads_for_itself(known: ParsedConfigs) -> None:
    known.put(_FILES, _read())

    assert ParsedConfigs(known.directory, "hookci 2").get(_FILES) is None


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 200])
def test_a_torn_file_is_as_good_as_none(known: ParsedConfigs, length: int) -> None:
    known.put(_FILES, _read())
    (kept,) = known.directory.iterdir()
    kept.write_bytes(kept.read_bytes()[:length])

    assert known.get(_FILES) is None


def test_a_kept_file_can_do_nothing(known: ParsedConfigs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    known.put(_FILES, _read())
    (kept,) = known.directory.iterdir()
    kept.write_bytes(kept.read_bytes()[:32] + pickle.dumps(_Harm()))

    assert known.get(_FILES) is None
    assert not (tmp_path / "harm").exists()


def test_classes_of_another_shape_are_not_filled(known: ParsedConfigs) -> None:
    known.put(_FILES, _read())
    (kept,) = known.directory.iterdir()
    kept.write_bytes(bytes(32) + kept.read_bytes()[32:])

    assert known.get(_FILES) is None


def test_only_so_many_are_kept(known: ParsedConfigs) -> None:
    pipeline = _read()
    for number in range(120):
        known.put({"hookci.toml": f"# {number}".encode()}, pipeline)

    assert len(list(known.directory.iterdir())) == 100
    assert known.get({"hookci.toml": b"# 119"}) == pipeline


def test_a_known_config_costs_no_schema_library(known: ParsedConfigs) -> None:
    known.put(_FILES, _read())
    script = (
        "import sys; from pathlib import Path; from hookci.store.parsed import ParsedConfigs\n"
        "known = ParsedConfigs(Path(sys.argv[1]), 'hookci 1').get({'hookci.toml': Path(sys.argv[2]).read_bytes()})\n"
        "print(known is not None, 'pydantic' in sys.modules, 'tomli' in sys.modules)"
    )
    config = known.directory.parent / "hookci.toml"
    config.write_bytes(_CONFIG)

    done = subprocess.run(
        [sys.executable, "-c", script, str(known.directory), str(config)], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False", "False"]
