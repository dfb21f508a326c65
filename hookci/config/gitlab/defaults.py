"""What jobs have if they do not say it: the keys below ``default``, which hold whoever takes them.

Source: GitLab CI/CD YAML reference, "default".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.gitlab.endings import read_retry
from hookci.config.gitlab.files import read_artifacts, read_caches
from hookci.config.gitlab.images import read_image, read_services
from hookci.config.gitlab.inert import check_tags
from hookci.config.gitlab.keywords import words
from hookci.config.gitlab.ledger import Ledger
from hookci.config.gitlab.shapes import commands, flag, seconds, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hookci.config.words import Path

__all__ = ["INHERITED", "check_defaults", "read_hooks"]

INHERITED = words(
    "after_script artifacts before_script cache hooks id_tokens identity image interruptible retry services tags "
    "timeout"
)
"""What a job has from ``default`` if it does not say it."""


def read_hooks(value: object, path: Path, ledger: Ledger) -> tuple[str, ...]:
    """``hooks``: the commands before the checkout."""
    said = table(value, path, ledger, ("pre_get_sources_script",))
    key = "pre_get_sources_script"
    return commands(said[key], (*path, key), ledger) if key in said else ()


_READERS: Mapping[str, Callable[[object, Path, Ledger], object]] = {
    "after_script": commands,
    "artifacts": read_artifacts,
    "before_script": commands,
    "cache": read_caches,
    "hooks": read_hooks,
    "image": read_image,
    "interruptible": flag,
    "retry": read_retry,
    "services": read_services,
    "tags": check_tags,
    "timeout": seconds,
}


def check_defaults(defaults: Mapping[str, object], places: Mapping[str, Path], ledger: Ledger) -> None:
    """Tell what is wrong with ``defaults``, also if no job takes them; a job that does tells the same, which is one."""
    aside = Ledger()
    for key, value in defaults.items():
        if key in _READERS:
            _READERS[key](value, places[key], aside)
    ledger.problems += aside.problems
