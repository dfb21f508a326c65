"""The hooks that were there before: kept byte for byte in ``before-hookci/``, run from there, and put back.

``before-hookci/`` looks like the directory it stands in, because hooks look around: at their own name, and
at what lies beside them (``. "$(dirname "$0")/lib.sh"``; pre-commit looks for ``pre-push.legacy``).  So a kept hook has
its old name, and every other file of the directory is there as a link ``../NAME``.

Whatever happens in the middle of any function here, each hook is in its old place or kept, and calling it
again finishes the work.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from typing import TYPE_CHECKING

from hookci.errors import StateError
from hookci.git.shims import find_shim
from hookci.model.snapshot import HookName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "BEFORE",
    "is_kept_as",
    "is_shims",
    "keep",
    "link_surroundings",
    "put_back",
    "put_back_rest",
    "sweep",
    "write",
    "writing",
]

BEFORE = "before-hookci"
_TEMPORARY = ".hookci-"


@contextlib.contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Say which directory it was when the machine refuses to write.

    Raises:
        StateError: it did.
    """
    try:
        yield
    except OSError as error:
        raise StateError(f"{directory} cannot be written to: {error.strerror or error}") from error


def write(path: Path, data: bytes, mode: int) -> None:
    """Put a file in its place in one step; it is on the disk before it is there (an empty hook would let all pass)."""
    descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    with open(descriptor, "wb") as file:  # noqa: PTH123 (a descriptor has no path)
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105 (a name from mkstemp)


def sweep(directory: Path) -> None:
    """Remove what an interrupted call left behind."""
    for place in (directory, directory / BEFORE):
        for path in place.glob(f"{_TEMPORARY}*"):
            path.unlink(missing_ok=True)


def is_shims(path: Path) -> bool:
    """Whether ``path`` is a shim, and so nobody's hook."""
    return find_shim(path) is not None


def keep(directory: Path, name: str) -> bool:
    """Keep the hook ``name``, if there is one that is not ours; it also stays where it is.

    Returns:
        Whether there is one.

    Raises:
        StateError: there is no way to keep it.
    """
    place, kept = directory / name, directory / BEFORE / name
    if not os.path.lexists(place) or is_shims(place):
        return False
    if _is_link_beside(kept):  # it was not hookci's to keep before
        kept.unlink()
    if place.is_dir():
        raise StateError(f"{place} is a directory, so there is no room for a hook")
    if is_kept_as(place, kept):
        return True
    kept.parent.mkdir(exist_ok=True)
    if os.path.lexists(kept):
        _set_aside(directory, name)
    if place.is_symlink():
        _link(_from_before(_target(place)), kept)
    else:
        _same_file(place, kept)
    return True


def is_kept_as(place: Path, kept: Path) -> bool:
    """Whether ``kept`` holds what is at ``place``: the same link, or the same bytes and mode."""
    if place.is_symlink() or kept.is_symlink():
        links = place.is_symlink() and kept.is_symlink()
        return links and _from_beside(_target(kept)) == _target(place)
    if not (place.is_file() and kept.is_file()):
        return False
    same_mode = stat.S_IMODE(place.stat().st_mode) == stat.S_IMODE(kept.stat().st_mode)
    return place.samefile(kept) or (same_mode and place.read_bytes() == kept.read_bytes())


def put_back(kept: Path, place: Path) -> None:
    """Give a kept hook its place back, over whatever is there."""
    if kept.is_symlink():
        _link(_from_beside(_target(kept)), place)
        kept.unlink()
    else:
        kept.replace(place)


def link_surroundings(directory: Path) -> None:
    """Show kept hooks what lies beside their old place."""
    before = directory / BEFORE
    if not before.is_dir():
        return
    _unlink_surroundings(before)
    for path in directory.iterdir():
        link = before / path.name
        if _is_surrounding(path) and not os.path.lexists(link):
            link.symlink_to(f"../{path.name}")


def put_back_rest(directory: Path) -> tuple[list[str], list[str]]:
    """Empty ``before-hookci/`` of all whose old place is free.

    Returns:
        The names of what was put back, and of what stays because somebody else took its place.
    """
    before, restored, left = directory / BEFORE, list[str](), list[str]()
    if not before.is_dir():
        return restored, left
    _unlink_surroundings(before)
    for kept in sorted(before.iterdir()):
        place = directory / kept.name
        if not os.path.lexists(place):
            put_back(kept, place)
            restored.append(kept.name)
        elif is_kept_as(place, kept):
            kept.unlink()
        else:
            left.append(kept.name)
    with contextlib.suppress(OSError):
        before.rmdir()
    return restored, left


def _set_aside(directory: Path, name: str) -> None:
    # The place was taken by a hook installed after ours.  Under this name pre-commit and prek still run
    # the older one, and `put_back_rest` brings both back.
    older, aside = directory / BEFORE / name, directory / BEFORE / f"{name}.legacy"
    if _is_link_beside(aside) and is_shims(directory / aside.name):
        aside.unlink()
    if os.path.lexists(aside):
        raise StateError(f"{directory / name} is new, and {older} and {aside} are kept already", f"move {aside} away")
    older.rename(aside)


def _same_file(place: Path, kept: Path) -> None:
    try:
        os.link(place, kept)
    except OSError:  # a file system without hard links, or another user's file
        descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=kept.parent)
        os.close(descriptor)
        shutil.copy2(place, temporary)
        os.replace(temporary, kept)  # noqa: PTH105 (a name from mkstemp)


def _link(target: str, path: Path) -> None:
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)


def _target(link: Path) -> str:
    return os.readlink(link)  # noqa: PTH115 (a Path would not give back every byte: it drops `./` and `//`)


def _from_before(target: str) -> str:
    """A link's text, seen from one directory deeper; links between hooks stay as they are, both are kept."""
    beside = os.path.normpath(target) in set(HookName) and not target.startswith("../")
    return target if beside or os.path.isabs(target) else f"../{target}"  # noqa: PTH117 (text, not a path)


def _from_beside(target: str) -> str:
    return target.removeprefix("../")


def _is_link_beside(path: Path) -> bool:
    return path.is_symlink() and _target(path) == f"../{path.name}"


def _unlink_surroundings(before: Path) -> None:
    for path in list(before.iterdir()):
        if _is_link_beside(path):
            path.unlink()


def _is_surrounding(path: Path) -> bool:
    ours = path.name == BEFORE or path.name.startswith(_TEMPORARY)
    return not ours and path.suffix != ".sample" and not is_shims(path)
