"""What a job waits for.

Source: GitLab CI/CD YAML reference, "needs", "needs:artifacts", "needs:optional", "needs:parallel:matrix".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookci.config.gitlab.matrix import cell_names
from hookci.config.gitlab.shapes import flag, table, text
from hookci.config.words import show
from hookci.model.pipeline import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["MOST_NEEDS", "read_needs"]

MOST_NEEDS = 50
"""As many jobs as one job may need."""

_ELSEWHERE = ("project", "pipeline", "ref")


def read_needs(value: object, path: Path, ledger: Ledger) -> tuple[Need, ...]:
    """The needs at ``path``; those of other projects and pipelines are refused elsewhere and left out here.

    A need of some cells of a matrix is one need for each; ``$[[ matrix.NAME ]]`` is still in their names.
    """
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        ledger.problem(path, f"config can only be a hash or an array, saw {show(value)}")
        return ()
    needs = tuple(need for item, place in _items(value, path) for need in _need(item, place, ledger))
    doubled = sorted({need.job for index, need in enumerate(needs) if need.job in {one.job for one in needs[:index]}})
    if doubled:
        ledger.problem(path, f"has the following needs duplicated: {', '.join(doubled)}")
    return needs


def _items(value: list[object], path: Path) -> Iterator[tuple[object, Path]]:
    """The items of a list, those of lists in it (as ``!reference`` leaves them) in their place."""
    for index, item in enumerate(value):
        if isinstance(item, list):
            yield from _items(item, (*path, index))
        else:
            yield item, (*path, index)


def _need(value: object, path: Path, ledger: Ledger) -> Iterator[Need]:
    if isinstance(value, dict):
        yield from _table(value, path, ledger)
    elif isinstance(value, str):
        name = text(value, path, ledger)
        if name:
            yield Need(name)
    else:
        ledger.problem(path, f"need has an unsupported type, saw {show(value)}")


def _table(value: Mapping[str, object], path: Path, ledger: Ledger) -> Iterator[Need]:
    if any(key in value for key in _ELSEWHERE):
        return
    said = table(value, path, ledger, ("job", "artifacts", "optional", "parallel"))
    if "job" not in said:
        if not value.keys() - {"artifacts", "optional", "parallel"}:
            ledger.problem(path, "need has an unsupported type", "name a `job`")
        return
    name = text(said["job"], (*path, "job"), ledger)
    artifacts = flag(said.get("artifacts", True), (*path, "artifacts"), ledger)
    optional = flag(said.get("optional", False), (*path, "optional"), ledger)
    if name is None:
        return
    names: tuple[str, ...] = (name,)
    if "parallel" in said:
        names = cell_names(name, said["parallel"], (*path, "parallel"), ledger)
    for one in names:
        yield Need(one, artifacts=artifacts is not False, optional=optional is True)
