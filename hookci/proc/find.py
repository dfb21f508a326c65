"""Where a program is."""

from __future__ import annotations

import os

__all__ = ["find_program"]


def find_program(name: str, path: str) -> str | None:
    """The file that ``name`` starts with the PATH ``path``, as `shutil.which` says; that is dear to import.

    A name with a directory in it stands for itself.
    """
    if os.path.dirname(name):  # noqa: PTH120 (text)
        return name if _can_start(name) else None
    places = (os.path.join(directory, name) for directory in dict.fromkeys(path.split(os.pathsep)) if path)  # noqa: PTH118
    return next((place for place in places if _can_start(place)), None)


def _can_start(place: str) -> bool:
    return os.path.isfile(place) and os.access(place, os.X_OK)  # noqa: PTH113 (text)
