"""How the `docker` package is loaded."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOAD = "from hookci.engine.loading import load; load()"


def python(code: str, *packages: Path) -> str:
    """What a new interpreter says that finds ``packages`` before all others."""
    begin = f"import sys; sys.path[:0] = {[str(path) for path in packages]!r}"
    argv = [sys.executable, "-I", "-c", f"{begin}\n{textwrap.dedent(code)}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def package(top: Path, name: str, text: str) -> None:
    (top / name).mkdir()
    (top / name / "__init__.py").write_text(text)


def test_what_is_needless_is_not_loaded_and_nobody_is_warned(tmp_path: Path) -> None:
    package(tmp_path, "chardet", "")
    package(tmp_path, "paramiko", "")
    package(tmp_path, "socks", "")

    said = python(
        f"""
        {LOAD}
        import hookci.engine.connect
        print({{"chardet", "charset_normalizer", "paramiko", "socks"}} & {{*sys.modules}})
        """,
        tmp_path,
    )

    assert said == "set()\n"


def test_it_can_be_loaded_by_others_afterwards() -> None:
    said = python(f"{LOAD}; import charset_normalizer; print(charset_normalizer.detect(b'abc')['encoding'])")

    assert said == "ascii\n"


def test_a_package_that_insists_on_it_gets_it(tmp_path: Path) -> None:
    package(tmp_path, "docker", "import requests")
    package(tmp_path, "requests", "import charset_normalizer; from requests.inside import found")
    (tmp_path / "requests" / "inside.py").write_text("found = True")

    said = python(f"{LOAD}; import docker; print(docker.requests.found)", tmp_path)

    assert said == "True\n"
