"""What was cleared away, as text and for programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hookci.model.size import size_text
from hookci.model.text import plain
from hookci.report.documents import GcDocument
from hookci.report.entries_gc import EngineEntry, RemovedEntry, TidiedEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookci.engine.leftovers import Swept
    from hookci.model.housekeeping import Tidied

__all__ = ["gc_document", "render_tidied"]


def render_tidied(cleared: Sequence[Tidied], *, dry_run: bool) -> str:
    """A line for each kind that went from a repository and for each problem, and how much is left where."""
    act = "would remove" if dry_run else "removed"
    lines = []
    for each in cleared:
        name = f"{os.path.basename(each.place)}: " if len(cleared) > 1 else ""  # noqa: PTH119 (text)
        lines += [f"{name}{act} {one.kind.counted(one.count)}, {size_text(one.size)}" for one in each.removed]
        lines += [f"{name}{problem}" for problem in each.problems]
        if each.used:
            lines.append(f"{size_text(each.used)} {'would be' if dry_run else 'are'} left in {each.place}")
    return "".join(f"{plain(line)}\n" for line in lines)


def gc_document(cleared: Sequence[Tidied], swept: Swept | None, *, dry_run: bool) -> GcDocument:
    """What ``hookci gc --json`` writes; ``swept`` is what was removed from the engine, None when there is none."""
    places = tuple(
        TidiedEntry(
            directory=each.place,
            removed=tuple(RemovedEntry(kind=one.kind, count=one.count, bytes=one.size) for one in each.removed),
            bytes_left=each.used,
            problems=each.problems,
        )
        for each in cleared
    )
    engine = None
    if swept is not None:
        engine = EngineEntry(
            containers=swept.containers, networks=swept.networks, volumes=swept.volumes, images=swept.images
        )
    return GcDocument(dry_run=dry_run, repositories=places, engine=engine)
