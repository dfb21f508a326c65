"""What a pipeline includes from elsewhere, pinned: addresses with the SHA-256 of what was there.

The pins are a file of the repository, so that every clone runs the same contents; these lie in the user's data home
under their digests.  ``hookci include fetch`` writes both, nothing else does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hookci.errors import ConfigError, ConfigProblem
from hookci.model.digests import sha256
from hookci.model.patterns import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["LOCK_FILE", "content_of", "digest_of", "fetched_from", "kept_in", "lock_text", "read_lock"]

LOCK_FILE = ".gitlab-ci.lock.toml"

_SHA256 = pattern(r"[0-9a-f]{64}")
_HEAD = (
    "# Written by `hookci include fetch`: what .gitlab-ci.yml includes from elsewhere, and the SHA-256 of each.\n"
    "# Commit it: a run takes these contents and no others.  `hookci include fetch --update` takes what is there now.\n"
)


def digest_of(content: bytes) -> str:
    """The SHA-256 of a file, in hex."""
    return sha256(content).hexdigest()


def kept_in(data_home: Path) -> Path:
    """The directory of what was fetched, one file for each digest; ``data_home`` is the user's."""
    return data_home / "hookci" / "includes"


def lock_text(pins: Mapping[str, str]) -> str:
    """The text of the lock file; the same for the same pins."""
    rows = (
        # a string of JSON is one of TOML
        f'\n[[include]]\naddress = {json.dumps(address, ensure_ascii=False)}\nsha256 = "{pins[address]}"\n'
        for address in sorted(pins)
    )
    return _HEAD + "".join(rows)


def read_lock(content: bytes | None) -> dict[str, str]:
    """The digests by address; none without a lock file.

    Raises:
        ConfigError: it is not what `lock_text` writes.
    """
    if content is None:
        return {}
    import tomli  # noqa: PLC0415 (only pipelines that include from elsewhere have a lock)

    try:
        rows = tomli.loads(content.decode())["include"]
        pins: dict[str, str] = {str(row["address"]): str(row["sha256"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(str(error)) from error
    broken = [address for address, digest in pins.items() if not _SHA256.fullmatch(digest)]
    if broken:
        raise _unreadable(f"the sha256 of {broken[0]} has no 64 hex digits")
    return pins


def _unreadable(why: str) -> ConfigError:
    hint = "remove it; `hookci include fetch` writes it anew"
    return ConfigError(LOCK_FILE, (ConfigProblem("", f"cannot be read: {why}", hint),))


def fetched_from(directory: Path, read: Callable[[str], bytes | None]) -> Callable[[str], bytes | None]:
    """What answers `hookci.config.surroundings.Surroundings.fetched` for a tree.

    Args:
        directory: see `kept_in`.
        read: the content of a file of the tree.
    """
    pins: dict[str, str] | None = None

    def fetched(address: str) -> bytes | None:
        nonlocal pins
        if pins is None:
            pins = read_lock(read(LOCK_FILE))
        digest = pins.get(address)
        return None if digest is None else content_of(directory, digest)

    return fetched


def content_of(directory: Path, digest: str) -> bytes | None:
    """What is kept under ``digest``; None also for a file that was changed."""
    try:
        content = (directory / digest).read_bytes()
    except OSError:
        return None
    return content if digest_of(content) == digest else None
