"""Django projects: those with a ``manage.py``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookci.config.detect.project import Project

__all__ = ["is_django", "required_variables"]

_REQUIRED = re.compile(r"""os\.environ\[["'](\w+)["']\]""")
_SET = re.compile(r"""os\.environ(?:\[["'](\w+)["']\]\s*=[^=]|\.setdefault\(\s*["'](\w+)["'])""")


def is_django(project: Project) -> bool:
    """Whether there is a ``manage.py`` of Django's here."""
    return "django" in (project.read("manage.py") or "").lower()


def required_variables(project: Project) -> tuple[str, ...]:
    """The environment variables without which the settings cannot be imported: ``os.environ["SECRET_KEY"]``."""
    texts = [project.read(path) or "" for path in sorted(project.files) if re.search(r"(^|/)settings[/\w]*\.py$", path)]
    needed = {name for text in texts for name in _REQUIRED.findall(text)}
    given = {name for text in texts for pair in _SET.findall(text) for name in pair}
    return tuple(sorted(needed - given))
