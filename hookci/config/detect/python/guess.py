"""What tests need that nothing declares: guessed from what they import and how pytest is configured.

Only names of this list are ever installed by a guess: the name of an import is no proof of who owns
the distribution of that name.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hookci.config.detect.project import Project
    from hookci.config.detect.python.suite import Scan

__all__ = ["distributions", "plugins", "unknown_imports"]

_SAME = """
    aiohttp aiosqlite anyio attrs babel bottle celery chardet click cloudpickle coverage cryptography ddt django
    docutils fastapi flask freezegun gevent httpx hypothesis jinja2 jsonschema lxml markdown markupsafe mock moto
    msgpack nose2 numpy packaging pandas parameterized pexpect pluggy pretend psutil pydantic pygments pympler pytest
    pytz redis requests respx responses scipy simplejson six sphinx sqlalchemy starlette sybil tabulate testfixtures
    testtools toml tomli tomlkit tornado tqdm trio trustme twisted tzdata ujson uvicorn werkzeug wrapt
"""
_OTHER = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "django_filters": "django-filter",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "factory": "factory-boy",
    "faker": "Faker",
    "flask_sqlalchemy": "Flask-SQLAlchemy",
    "jwt": "PyJWT",
    "model_bakery": "model-bakery",
    "more_itertools": "more-itertools",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "pkg_resources": "setuptools<81",
    "pytest_asyncio": "pytest-asyncio",
    "pytest_django": "pytest-django",
    "pytest_httpserver": "pytest-httpserver",
    "pytest_mock": "pytest-mock",
    "pytest_trio": "pytest-trio",
    "requests_mock": "requests-mock",
    "rest_framework": "djangorestframework",
    "setuptools": "setuptools",
    "sklearn": "scikit-learn",
    "time_machine": "time-machine",
    "tomli_w": "tomli-w",
    "typing_extensions": "typing-extensions",
    "vcr": "vcrpy",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
KNOWN = {**{name: name for name in _SAME.split()}, **_OTHER}

# what in the tests' source or in pytest's configuration only works with a plugin
_IN_TESTS = {
    "pytest-asyncio": r"pytest\.mark\.asyncio\b",
    "pytest-benchmark": r"def test\w*\([^)]*\bbenchmark\b",
    "pytest-freezer": r"def test\w*\([^)]*\bfreezer\b",
    "pytest-httpserver": r"def test\w*\([^)]*\bhttpserver\b",
    "pytest-httpx": r"def test\w*\([^)]*\bhttpx_mock\b",
    "pytest-mock": r"def test\w*\([^)]*\bmocker\b",
    "pytest-timeout": r"pytest\.mark\.timeout\b",
    "pytest-trio": r"pytest\.mark\.trio\b",
    "requests-mock": r"def test\w*\([^)]*\brequests_mock\b",
}
_IN_OPTIONS = {
    "pytest-asyncio": r"^asyncio_\w+ =|--asyncio-mode",
    "pytest-benchmark": r"--benchmark",
    "pytest-cov": r"--(no-)?cov\b",
    "pytest-django": r"^DJANGO_\w+ =|--ds\b|--reuse-db|--nomigrations",
    "pytest-randomly": r"-p[ =]no:randomly|--randomly",
    "pytest-rerunfailures": r"--reruns",
    "pytest-timeout": r"^timeout\w* =|--timeout",
    "pytest-trio": r"^trio_mode =",
    "pytest-xdist": r"(?<!\S)['\"\[]*-n[ =]?(auto|logical|\d)|--dist\b|--numprocesses",
}


def distributions(imports: Iterable[str]) -> set[str]:
    """The distributions of those imports that are well known."""
    return {KNOWN[name] for name in imports if name in KNOWN}


def plugins(seen: Scan, options: str) -> set[str]:
    """The plugins that the tests, or pytest's own configuration, cannot do without."""
    found = {name for name, pattern in _IN_TESTS.items() if re.search(pattern, seen.text)}
    return found | {name for name, pattern in _IN_OPTIONS.items() if re.search(pattern, options, re.MULTILINE)}


def unknown_imports(project: Project, imports: Iterable[str]) -> list[str]:
    """Imports that are neither the standard library's, nor the project's own, nor well known."""
    own = {part.removesuffix(".py") for path in project.files for part in path.split("/") if "." not in part[:-3]}
    return sorted(set(imports) - own - KNOWN.keys() - sys.stdlib_module_names - {"__future__"})
