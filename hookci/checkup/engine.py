"""Which container engine jobs with an image would run on, and whether they can."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hookci.checkup.pipeline import pipeline_here
from hookci.config.settings import read_settings
from hookci.errors import ConfigError
from hookci.model.checkup import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hookci.checkup.patient import Patient
    from hookci.engine.calls import Engine

__all__ = ["examine_engine"]


def examine_engine(patient: Patient) -> Iterator[Finding]:
    """The engine; that there is none is a problem only where a job wants one."""
    from hookci.engine.calls import EngineError  # noqa: PLC0415 (no other check needs an engine)
    from hookci.engine.connect import connect  # noqa: PLC0415 (the same)
    from hookci.engine.endpoints import find_endpoints  # noqa: PLC0415 (the same)

    env = patient.machine.env
    jobs = _in_containers(patient)
    try:
        engine = connect(find_endpoints(_wanted(patient), env, Path(env.get("HOME", "/"))))
    except EngineError as error:
        if jobs:
            yield Finding("engine", Level.PROBLEM, f"{error.message}, and {jobs} in containers", error.hint)
        else:
            yield Finding("engine", Level.OK, f"{error.message}; no job here needs one")
        return
    yield Finding("engine", Level.OK, _told(engine))


def _wanted(patient: Patient) -> str | None:
    try:
        return read_settings(patient.repository.settings, patient.user_settings).engine
    except ConfigError:  # a check of its own tells of it
        return None


def _in_containers(patient: Patient) -> str:
    """The jobs that need an engine, as a clause; empty when there are none, or nobody can tell."""
    try:
        pipeline = pipeline_here(patient)
    except ConfigError:
        return ""
    names = [f"`{job.name}`" for job in pipeline.jobs.values() if job.contained] if pipeline else []
    more = len(names) - 1
    return names[0] + (f" and {more} more run" if more else " runs") if names else ""


def _told(engine: Engine) -> str:
    """Which engine it is: its name, product and version, and how it runs."""
    with engine.calling("say which it is") as api:
        version, info = api.version(), api.info()
    names = [str(part.get("Name", "")) for part in version.get("Components") or ()]
    product = "Podman" if any("podman" in name.lower() for name in names) else "Docker"
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    rootless = ", rootless" if any("rootless" in option for option in options) else ""
    return f"{engine.name}: {product} {version.get('Version')}{rootless}, {info.get('OperatingSystem')}"
