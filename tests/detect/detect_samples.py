"""Small projects to detect, and the jobs of what was written for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.detect import Detection, Project, detect
from hookci.config.load import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hookci.model.pipeline import Job

__all__ = ["job", "jobs", "look", "plant", "script_lines", "scripted"]

FLIT = '[build-system]\nrequires = ["flit_core<4"]\nbuild-backend = "flit_core.buildapi"\n[project]\nname = "thing"\n'


def plant(root: Path, files: Mapping[str, str]) -> Project:
    """Write ``files`` below ``root``: a work tree in which all of them are tracked."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Project(root, frozenset(files))


def look(root: Path, files: Mapping[str, str], *installed: str) -> Detection:
    """Detect what ``files`` are on a machine that has ``installed`` beside python3, node, make, go and cargo."""
    programs = {"python3", "node", "make", "go", "cargo", *installed}
    return detect(plant(root, files), lambda name: f"/usr/bin/{name}" if name in programs else None)


def jobs(detection: Detection) -> Mapping[str, Job]:
    """The jobs as hookci itself reads them."""
    pipeline = parse({"hookci.toml": detection.text.encode()})
    assert pipeline is not None
    assert not pipeline.warnings
    return pipeline.jobs


def scripted(detection: Detection) -> Mapping[str, Job]:
    """The jobs that are no scans."""
    return {name: job for name, job in jobs(detection).items() if job.scan is None}


def job(root: Path, files: Mapping[str, str], *installed: str) -> Job:
    """The job that tests."""
    return jobs(look(root, files, *installed))["test"]


def script_lines(root: Path, files: Mapping[str, str], *installed: str) -> list[str]:
    """The script of the job that tests, without the two lines that make a virtual environment."""
    environment = ("[ -x .venv/bin/python ] || python3 -m venv .venv", "source .venv/bin/activate")
    return [line for line in job(root, files, *installed).script if line not in environment]
