"""How severe an advisory says it is, in hookci's four words.

Source: CVSS v3.1 specification, FIRST, https://www.first.org/cvss/v3.1/specification-document, sections 5 (severity
ratings), 7.1 (base equations) and 7.4 (metric values); appendix A has ``Roundup``.
"""

from __future__ import annotations

import math

from hookci.model.finding import Severity

__all__ = ["cvss_severity", "named_severity"]

_IMPACT = {"H": 0.56, "L": 0.22, "N": 0.0}
_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": _IMPACT,
    "I": _IMPACT,
    "A": _IMPACT,
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_RATINGS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.0, Severity.LOW))
_WORDS = {
    "LOW": Severity.LOW,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
}


def named_severity(word: str) -> Severity | None:
    """The severity that a database states in a word (``MODERATE``); None when it is not one we know."""
    return _WORDS.get(word.upper())


def cvss_severity(vector: str) -> Severity | None:
    """The rating of the base score of a vector such as ``CVSS:3.1/AV:N/AC:L/...``.

    None when it is not a whole vector of CVSS 3.0 or 3.1; other versions count otherwise.
    """
    version, *parts = vector.strip().split("/")
    if version not in {"CVSS:3.0", "CVSS:3.1"}:
        return None
    metrics = dict(part.partition(":")[::2] for part in parts)
    try:
        score = _base_score(metrics)
    except KeyError:
        return None
    return next(severity for least, severity in _RATINGS if score >= least)


def _base_score(metrics: dict[str, str]) -> float:
    """From 0.0 to 10.0; KeyError when a metric is missing or has another value."""
    weight = {name: values[metrics[name]] for name, values in _WEIGHTS.items()}
    scope = metrics["S"]
    exploitability = 8.22 * weight["AV"] * weight["AC"] * _PRIVILEGES[scope][metrics["PR"]] * weight["UI"]
    loss = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    if scope == "U":
        impact, factor = 6.42 * loss, 1.0
    else:
        impact, factor = 7.52 * (loss - 0.029) - 3.25 * (loss - 0.02) ** 15, 1.08
    return _round_up(min(factor * (impact + exploitability), 10.0)) if impact > 0 else 0.0


def _round_up(value: float) -> float:
    """To the next tenth, in whole numbers: 4.000000001, that binary fractions make of 4.0, must stay 4.0."""
    return math.ceil(round(value * 100_000) / 10_000) / 10
