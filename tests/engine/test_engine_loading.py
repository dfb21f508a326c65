"""How the `docker` package is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interpreters import python

if TYPE_CHECKING:
    from pathlib import Path

LOAD = "from hookci.engine.loading import load; load(encrypted=False)"
LOAD_FOR_TLS = "from hookci.engine.loading import load; load(encrypted=True)"


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


def test_others_speak_tls_afterwards_though_the_engine_is_not_spoken_to_so() -> None:
    said = python(
        f"""
        {LOAD}
        import http.client, ssl, urllib.request
        import requests, urllib3.util.ssl_

        for ask in (http.client.HTTPSConnection("127.0.0.1", 1).connect, lambda: urllib.request.urlopen("https://127.0.0.1:1")):
            try:
                ask()
            except OSError as error:
                print("refused" in str(error))
        print(ssl.create_default_context().check_hostname, urllib3.util.ssl_.SSLContext)
        """
    )

    assert said == "True\nTrue\nTrue None\n"


def test_an_engine_can_be_spoken_to_by_tls() -> None:
    said = python(
        f"""
        {LOAD_FOR_TLS}
        import requests, urllib3.util.ssl_
        from pathlib import Path

        print(urllib3.util.ssl_.SSLContext.__name__, Path(requests.certs.where()).exists())
        """
    )

    assert said == "SSLContext True\n"


def test_what_was_put_off_is_there_for_whoever_asks() -> None:
    said = python(
        f"""
        {LOAD}
        import calendar, importlib.metadata, ipaddress, mimetypes, random, tarfile, tempfile, traceback, zipfile
        import docker, requests.utils, urllib.request

        print(docker.from_env.__name__, docker.DockerClient(base_url="unix:///nowhere", version="1.41").api.base_url)
        print(requests.utils.zipfile.is_zipfile(__import__("sys").executable), requests.utils.getproxies is not None)
        print(importlib.metadata.version("docker") == docker.__version__, calendar.isleap(2024))
        print(random.Random(1).random() < 1, tarfile.open.__name__, mimetypes.guess_type("a.txt")[0])
        """
    )

    assert said == ("call http+docker://localhost\nFalse True\nTrue True\nTrue open text/plain\n")
