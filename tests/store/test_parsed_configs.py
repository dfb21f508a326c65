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
from hookci.store.parsed import Needed, ParsedConfigs

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


def _always(_needed: Needed) -> bool:
    return True


def _read() -> Pipeline:
    pipeline = parse(_FILES)
    assert pipeline is not None
    return pipeline


def test_what_was_kept_is_what_was_read(known: ParsedConfigs) -> None:
    known.put(_FILES, _read(), Needed())

    assert known.get(_FILES, _always) == _read()


def test_one_other_byte_is_another_config(known: ParsedConfigs) -> None:
    known.put(_FILES, _read(), Needed())

    assert known.get({"hookci.toml": _CONFIG + b"\n"}, _always) is None
    assert known.get({**_FILES, "pyproject.toml": b""}, _always) is None


def test_what_it_needs_beside_is_asked_for(known: ParsedConfigs) -> None:
    needed = Needed(files={"ci/lint.yml": "5f", "ci/none.yml": None}, facts={"CI_COMMIT_BRANCH": "main"})
    known.put(_FILES, _read(), needed)
    asked: list[Needed] = []

    def differs(needed: Needed) -> bool:
        asked.append(needed)
        return False

    assert known.get(_FILES, differs) is None
    assert asked == [needed]


def test_another_hookci_reads_for_itself(known: ParsedConfigs) -> None:
    known.put(_FILES, _read(), Needed())

    assert ParsedConfigs(known.directory, "hookci 2").get(_FILES, _always) is None


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 200])
def test_a_torn_file_is_as_good_as_none(known: ParsedConfigs, length: int) -> None:
    known.put(_FILES, _read(), Needed())
    (kept,) = known.directory.iterdir()
    kept.write_bytes(kept.read_bytes()[:length])

    assert known.get(_FILES, _always) is None


def test_a_kept_file_can_do_nothing(known: ParsedConfigs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    known.put(_FILES, _read(), Needed())
    (kept,) = known.directory.iterdir()
    kept.write_bytes(kept.read_bytes()[:32] + pickle.dumps(_Harm()))

    assert known.get(_FILES, _always) is None
    assert not (tmp_path / "harm").exists()


def test_classes_of_another_shape_are_not_filled(known: ParsedConfigs) -> None:
    known.put(_FILES, _read(), Needed())
    (kept,) = known.directory.iterdir()
    kept.write_bytes(bytes(32) + kept.read_bytes()[32:])

    assert known.get(_FILES, _always) is None


def test_only_so_many_are_kept(known: ParsedConfigs) -> None:
    pipeline = _read()
    for number in range(120):
        known.put({"hookci.toml": f"# {number}".encode()}, pipeline, Needed())

    assert len(list(known.directory.iterdir())) == 100
    assert known.get({"hookci.toml": b"# 119"}, _always) == pipeline


def test_a_known_config_costs_no_schema_library(known: ParsedConfigs) -> None:
    known.put(_FILES, _read(), Needed())
    script = (
        "import sys; from pathlib import Path; from hookci.store.parsed import ParsedConfigs\n"
        "files = {'hookci.toml': Path(sys.argv[2]).read_bytes()}\n"
        "known = ParsedConfigs(Path(sys.argv[1]), 'hookci 1').get(files, lambda needed: True)\n"
        "print(known is not None, 'pydantic' in sys.modules, 'tomli' in sys.modules)"
    )
    config = known.directory.parent / "hookci.toml"
    config.write_bytes(_CONFIG)

    done = subprocess.run(
        [sys.executable, "-c", script, str(known.directory), str(config)], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False", "False"]
