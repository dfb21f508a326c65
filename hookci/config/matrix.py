"""From a job with a matrix to one job for every combination of its variables."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.config.problems import Problem
from hookci.config.values import check_name, check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hookci.config.words import Path
    from hookci.model.pipeline import Job

__all__ = ["cells"]

# GitLab's limit too ("parallel:matrix"): a slip in a matrix must not start ten thousand jobs.
_MOST_CELLS = 200


def cells(
    job: Job, matrix: Sequence[Mapping[str, Sequence[str]]] | None, path: Path, problems: list[Problem]
) -> tuple[Job, ...]:
    """The job itself, or its cells: ``unit: [1, py]`` for the values ``1`` and ``py``, as GitLab names them."""
    if not matrix:
        return (job,)
    for index, table in enumerate(matrix):
        check_names(dict.fromkeys(table, ""), (*path, index), problems)
    count = sum(math.prod(map(len, table.values())) for table in matrix)
    if count > _MOST_CELLS:
        problems.append(Problem(path, f"makes {count} jobs, at most {_MOST_CELLS} are allowed"))
        return ()
    found = tuple(_cell(job, values) for values in _combinations(matrix))
    for cell in found:
        check_name(cell.name, "cell", path, problems)
    return found


def _combinations(matrix: Sequence[Mapping[str, Sequence[str]]]) -> Iterator[dict[str, str]]:
    for table in matrix:
        for values in itertools.product(*table.values()):
            yield dict(zip(table, values, strict=True))


def _cell(job: Job, values: Mapping[str, str]) -> Job:
    name = f"{job.name}: [{', '.join(values.values())}]"
    return replace(job, name=name, variables={**job.variables, **values})
