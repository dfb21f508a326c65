"""One job for several: ``parallel``, and ``parallel:matrix`` with a job for every combination of its variables.

Source: GitLab CI/CD YAML reference, "parallel", "parallel:matrix", "needs:parallel:matrix".
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

from hookci.config.gitlab.shapes import as_list, ruby_text, table, whole
from hookci.config.words import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hookci.config.gitlab.ledger import Ledger
    from hookci.config.words import Path

__all__ = ["Cell", "cell_names", "read_cells", "with_matrix_values"]

_MOST = 200
_EXPRESSION = re.compile(r"\$\[\[\s*matrix\.([A-Za-z0-9_]+)\s*\]\]")

_Table = dict[str, tuple[str, ...]]


class Cell(Struct, frozen=True):
    """One of the jobs that a job stands for: its name, and the variables it has more than the others."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)


def read_cells(group: str, value: object, path: Path, ledger: Ledger) -> tuple[Cell, ...]:
    """The jobs that ``parallel`` makes of a job: ``unit 1/3``, or ``unit: [a, b]`` in the order of the file.

    Combinations of equal values are one job, the last of them: they have one name.
    """
    if not isinstance(value, dict):
        count = whole(value, path, ledger, least=1, most=_MOST) or 0
        return tuple(Cell(f"{group} {index}/{count}", _node(index, count)) for index in range(1, count + 1))
    found = list(_combinations(_tables(value, path, ledger)))
    cells = {
        cell.name: cell
        for index, values in enumerate(found, start=1)
        for cell in [Cell(_name(group, values), {**_node(index, len(found)), **values})]
    }
    return tuple(cells.values())


def cell_names(group: str, value: object, path: Path, ledger: Ledger) -> tuple[str, ...]:
    """The names of the cells of another job that ``needs:parallel:matrix`` chooses."""
    return tuple(dict.fromkeys(_name(group, values) for values in _combinations(_tables(value, path, ledger))))


def with_matrix_values(name: str, variables: Mapping[str, str]) -> str:
    """A need's name with the values of the job that needs it in place of ``$[[ matrix.NAME ]]``."""
    return _EXPRESSION.sub(lambda found: variables.get(found[1], found[0]), name)


def _node(index: int, total: int) -> dict[str, str]:
    return {"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(total)}


def _name(group: str, values: Mapping[str, str]) -> str:
    return f"{group}: [{', '.join(values.values())}]"


def _combinations(tables: list[_Table]) -> Iterator[dict[str, str]]:
    for values in tables:
        for combination in itertools.product(*values.values()):
            yield dict(zip(values, combination, strict=True))


def _tables(value: object, path: Path, ledger: Ledger) -> list[_Table]:
    said = table(value, path, ledger, ("matrix",))
    place = (*path, "matrix")
    matrix = said.get("matrix")
    if not isinstance(matrix, list) or not all(isinstance(item, dict) for item in matrix):
        ledger.problem(place, f"config should be an array of hashes, saw {show(matrix)}")
        return []
    for index, item in enumerate(matrix):
        if not item:
            ledger.problem((*place, index), "config requires at least 1 items", "name a variable with its values")
    tables = [_table(item, (*place, index), ledger) for index, item in enumerate(matrix) if isinstance(item, dict)]
    count = sum(math.prod(map(len, values.values())) for values in tables)
    if count > _MOST:
        ledger.problem(place, f"config generates too many jobs (maximum is {_MOST}), saw {count}")
        return []
    if not count:
        ledger.problem(place, "config generates no job")
    return [values for values in tables if values]


def _table(value: Mapping[str, object], path: Path, ledger: Ledger) -> _Table:
    found: _Table = {}
    for name, item in value.items():
        texts = [ruby_text(one) for one in as_list(item)]
        if any(one is None for one in texts) or not texts:
            ledger.problem((*path, name), f"config should be a string or an array of strings, saw {show(item)}")
        found[name] = tuple(one for one in texts if one is not None)
    return found
