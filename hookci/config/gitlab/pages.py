"""The directory that a job publishes with GitLab Pages, which is an artifact of it.

Source: GitLab CI/CD YAML reference, "pages", "pages.publish": "automatically appended to artifacts:paths".
"""

from __future__ import annotations

from posixpath import normpath
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookci.model.pipeline import Artifacts

__all__ = ["with_published"]


def with_published(artifacts: Artifacts, name: str, said: Mapping[str, object]) -> Artifacts:
    """``artifacts`` of the job ``name``, which has the keys ``said``, with the directory that it publishes, if any."""
    pages = said.get("pages", name == "pages")
    if pages is not True and not isinstance(pages, dict):
        return artifacts
    of_pages = pages.get("publish") if isinstance(pages, dict) else None
    publish = of_pages or said.get("publish") or "public"
    if not isinstance(publish, str) or normpath(publish) in map(normpath, artifacts.paths):
        return artifacts
    return replace(artifacts, paths=(*artifacts.paths, publish))
