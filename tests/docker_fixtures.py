"""Tests that need a container engine, and tests of jobs that run alike on this machine and in a container.

``@pytest.mark.docker`` needs an engine with the images of ``scripts/engine``; names of images can be given that are
needed beside the plain one.  ``@pytest.mark.executors`` runs a test that takes ``repo`` once for each executor.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from images import BUSYBOX, OLD_PYTHON, PYTHON

if TYPE_CHECKING:
    from collections.abc import Generator

    from hookci.engine.calls import Engine

_EXECUTORS = {
    "local": pytest.param(None, id="local"),
    "container": pytest.param(PYTHON, id="container", marks=pytest.mark.docker(PYTHON)),
}


@functools.cache
def _engine() -> Engine | str:
    """The engine, or why there is none."""
    from hookci.engine.connect import connect  # noqa: PLC0415 (a test run without such tests does not need it)
    from hookci.engine.endpoints import find_endpoints  # noqa: PLC0415
    from hookci.errors import HookciError  # noqa: PLC0415

    try:
        return connect(find_endpoints(None, os.environ, Path.home()))
    except HookciError as error:
        return error.message


@functools.cache
def _lacking(image: str) -> str | None:
    """Why a test that needs ``image`` cannot run."""
    from docker.errors import ImageNotFound  # noqa: PLC0415

    engine = _engine()
    if isinstance(engine, str):
        return f"{engine} (scripts/engine makes one ready)"
    try:
        engine.api.inspect_image(image)  # type: ignore[no-untyped-call]  # the stubs have no types for it
    except ImageNotFound:
        return f"no image {image} (scripts/engine makes it)"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("docker"):
        for image in (BUSYBOX, *marker.args):
            lacking = _lacking(image)
            if lacking:
                # Python 3.6 is not to be had everywhere
                must = os.environ.get("TEST_HOOKCI_COMPLETE") == "1" and image != OLD_PYTHON
                (pytest.fail if must else pytest.skip)(lacking)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all is to run, a test that needs an engine and is skipped has failed, whatever it was skipped for."""
    report = yield
    markers = [*item.iter_markers("docker")]
    may = any(OLD_PYTHON in marker.args for marker in markers)
    if report.skipped and markers and not may and os.environ.get("TEST_HOOKCI_COMPLETE") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing that needs an engine may be: {report.longrepr}"
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("executors")
    if marker and "executor" in metafunc.fixturenames:
        names = marker.args or tuple(_EXECUTORS)
        metafunc.parametrize("executor", [_EXECUTORS[name] for name in names], indirect=True)


def pytest_sessionfinish() -> None:
    if _engine.cache_info().currsize and not isinstance(reached := _engine(), str):
        reached.api.close()


@pytest.fixture
def executor(request: pytest.FixtureRequest) -> str | None:
    """The image that the jobs of ``repo`` run in, None for this machine; see ``@pytest.mark.executors``."""
    image: str | None = getattr(request, "param", None)
    return image


@pytest.fixture
def engine() -> Engine:
    """The engine; only for tests that are marked with ``docker``."""
    reached = _engine()
    assert not isinstance(reached, str), reached
    return reached
