"""Findings as they may be kept and shown: no source that has a secret in it, whichever scanner shows it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookci.scan.identity import normalized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hookci.model.finding import Finding

__all__ = ["veiled"]

_MASK = b"****"


def veiled(findings: Iterable[Finding], check: Callable[[], None]) -> tuple[Finding, ...]:
    """``findings`` with a digest for their code, and without the secrets that stand in what is shown of the source.

    ``check`` is called between them.
    """
    return tuple(
        replace(
            finding,
            text=_without_secrets(finding.text, finding.path, check),
            message=_without_secrets(finding.message, finding.path, check),
            code=hashlib.sha256(normalized(finding.code, finding.path).encode(errors="surrogatepass")).hexdigest(),
        )
        for finding in findings
    )


def _without_secrets(text: str, path: str, check: Callable[[], None]) -> str:
    from hookci.scan.secrets.detector import find_secrets  # noqa: PLC0415 (only when something was found)

    raw = text.encode(errors="surrogatepass")
    for hit in find_secrets(raw, path, check):
        raw = raw.replace(hit.secret, _MASK)
    return raw.decode(errors="replace")
