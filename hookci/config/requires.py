"""Whether a version of hookci is one that a config asks for."""

from __future__ import annotations

__all__ = ["is_met"]


def is_met(wanted: str, version: str) -> bool | None:
    """Whether ``wanted``, a version specifier (PEP 440), takes ``version``; None when it is no specifier."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 (few configs require a version)

    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return None
