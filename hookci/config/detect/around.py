"""What stands around the code: pre-commit's hooks, a Dockerfile, another pipeline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hookci.config.detect.parts import CacheDraft, Found, JobDraft, Line, Part

if TYPE_CHECKING:
    from hookci.config.detect.project import Project, Which

__all__ = ["detect_docker", "detect_gitlab", "detect_precommit"]


def detect_precommit(project: Project, _which: Which) -> Part | None:
    """The hooks of the pre-commit framework, as one job with a pre-commit of its own."""
    path = project.first(".pre-commit-config.yaml")
    if path is None:
        return None
    script = (
        Line("[ -x .pre-commit/bin/python ] || python3 -m venv .pre-commit"),
        Line(".pre-commit/bin/pip install -q pre-commit"),
        Line(".pre-commit/bin/python -m pre_commit run --all-files"),
    )
    job = JobDraft(
        name="pre-commit",
        script=script,
        comments=("The hooks of .pre-commit-config.yaml, on all files.",),
        cache=CacheDraft((path,), (".pre-commit",)),
        allow_failure="drop this once it is green: from then on it stops a push",
    )
    why = "its hooks run as one job, which may fail until you say otherwise"
    return Part(Found("pre-commit hooks (.pre-commit-config.yaml)", why), (job,))


def detect_docker(project: Project, _which: Which) -> Part | None:
    """A Dockerfile: only a suggestion."""
    path = project.first("Dockerfile", "Containerfile", "docker/Dockerfile")
    if path is None:
        return None
    name = re.sub(r"[^a-z0-9_-]+", "-", project.root.name.lower()).strip("-_") or "app"
    option = "" if path == "Dockerfile" else f" -f {path}"
    text = (
        f"There is a {path}. A job that builds the image, where docker is installed:\n"
        f'[jobs.image]\nstage = "build"\nscript = ["docker build -t {name}{option} ."]'
    )
    return Part(Found(f"Dockerfile ({path})", "a job that builds the image is there, commented out"), (), (text,))


def detect_gitlab(project: Project, _which: Which) -> Part | None:
    """A pipeline for GitLab, which this file does not replace there."""
    path = project.first(".gitlab-ci.yml", ".gitlab-ci.yaml")
    if path is None:
        return None
    text = f"{path} is here too. hookci goes by this file; the words are the same, so jobs are easily copied."
    return Part(Found(f"GitLab pipeline ({path})", "left as it is"), (), (text,))
