"""From the reports that a GitLab job writes to findings; nothing in them is trusted.

Source: GitLab CI/CD artifacts reports types, and of each kind the page that is named where it is read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hookci.scan.adapter import Scanned
from hookci.scan.gitlab.codequality import read_codequality
from hookci.scan.gitlab.security import read_security
from hookci.scan.sarif.places import Places, Sources
from hookci.scan.sarif.reader import read_sarif

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["read_written"]


def read_written(kind: str, data: bytes, *, known: Callable[[str], str | None], top: str) -> Scanned:
    """Read a report, whatever its shape: what is wrong with it is a reason in ``unscanned``.

    Args:
        kind: GitLab's word for it, such as ``codequality`` or ``sast``.
        data: the report; its size is for the caller to bound.
        known: the text of a file of the tree by its path, None when there is none.
        top: the directory in which the job saw the tree.
    """
    if kind == "sarif":
        return read_sarif(data, known=known, top=top)
    try:
        report = json.loads(data)
    except json.JSONDecodeError as error:
        return Scanned(unscanned=(f"the report is not json: line {error.lineno}: {error.msg.lower()}",))
    except (ValueError, RecursionError):
        return Scanned(unscanned=("the report is not json that can be read",))
    places = Places({"columnKind": "unicodeCodePoints"}, Sources(known, top))
    return read_codequality(report, places) if kind == "codequality" else read_security(kind, report, places)
