"""The committed baseline: findings that a team has decided to live with for now, in ``hookci-baseline.json``.

Secrets are never in it: one that is known has to go, or to be suppressed by its hash.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from hookci.errors import ConfigError, ConfigProblem
from hookci.model.scan import BASELINE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hookci.model.finding import Finding

__all__ = ["baseline_text", "read_baseline"]

_VERSION = 1


def baseline_text(findings: Iterable[tuple[Finding, str]]) -> str:
    """The content of the file for findings and their identities, in an order that keeps diffs small."""
    counted = Counter(
        (finding.path, finding.rule, finding.tool, identity) for finding, identity in findings if not finding.secret
    )
    rows = [
        {"path": path, "rule": rule, "tool": tool, "fingerprint": identity, "count": count}
        for (path, rule, tool, identity), count in sorted(counted.items())
    ]
    return json.dumps({"version": _VERSION, "findings": rows}, indent=1, ensure_ascii=True) + "\n"


def read_baseline(data: bytes | None) -> Mapping[str, int]:
    """How many findings of each identity there may be; none without a file.

    Raises:
        ConfigError: the file is not what `baseline_text` writes.
    """
    if data is None:
        return {}
    try:
        document = json.loads(data)
        if document["version"] != _VERSION:
            raise _broken(f"is of version {document['version']!r}, and this hookci reads version {_VERSION}")
        return {str(row["fingerprint"]): int(row["count"]) for row in document["findings"]}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _broken("is not a baseline that hookci wrote") from error


def _broken(what: str) -> ConfigError:
    hint = "write it anew with `hookci scan --baseline write`"
    return ConfigError(BASELINE_FILE, (ConfigProblem("", what, hint),))
