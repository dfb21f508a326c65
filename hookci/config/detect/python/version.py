"""Versions that come from git's tags: what to do where there are none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookci.config.detect.project import Project
    from hookci.config.detect.python.metadata import Metadata

__all__ = ["told_version"]

_FROM_TAGS = re.compile(r"setuptools[-_]scm|vcs[-_]versioning|hatch-vcs|pbr|pdm")


def told_version(project: Project, metadata: Metadata) -> str:
    """What goes before a command that installs the project, in a repository made of a source distribution.

    Such a repository has a ``PKG-INFO`` and no tags.  Without this the version becomes 0.1.dev0, which other
    packages in the same environment may refuse as too old.  The tests themselves must not see the variable.
    """
    match = re.search(r"^Version: *(\S+)$", project.read("PKG-INFO") or "", re.MULTILINE)
    setup = project.read("setup.py") or ""
    backend = _FROM_TAGS.search(metadata.build) or re.search(r"use_scm_version|pbr", setup)
    if match is None or backend is None:
        return ""
    name = {"pbr": "PBR_VERSION", "pdm": "PDM_BUILD_SCM_VERSION"}.get(backend[0], "SETUPTOOLS_SCM_PRETEND_VERSION")
    return f"{name}={match[1]} "
