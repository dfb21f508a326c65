"""Names in the form that hosts and addresses take, as GitLab makes them."""

from __future__ import annotations

import re

from hookci.model.digests import sha256

__all__ = ["environment_slug", "slug"]

_LONGEST = 63
_LONGEST_ENVIRONMENT = 24
_SUFFIX = 6
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def slug(name: str) -> str:
    """GitLab's CI_COMMIT_REF_SLUG: lower case, 63 bytes, everything but a-z and 0-9 a dash, none at the ends."""
    return re.sub(r"[^a-z0-9]", "-", name.lower())[:_LONGEST].strip("-")


def environment_slug(name: str) -> str:
    """GitLab's CI_ENVIRONMENT_SLUG: 24 characters; one that is not the name itself ends in a digest of it.

    Source: ``Gitlab::Slug::Environment``.
    """
    text = re.sub(r"[^a-z0-9]", "-", name.lower())
    if not re.match(r"[a-z]", text):
        text = f"env-{text}"
    text = re.sub(r"-+", "-", text)
    if len(text) <= _LONGEST_ENVIRONMENT and text == name:
        return text
    kept = text[: _LONGEST_ENVIRONMENT - _SUFFIX - 1]
    return f"{kept}{'' if kept.endswith('-') else '-'}{_base36(sha256(name.encode()).hexdigest())[-_SUFFIX:]}"


def _base36(digest: str) -> str:
    number, digits = int(digest, 16), ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits
