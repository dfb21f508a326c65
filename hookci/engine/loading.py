"""How the `docker` package is loaded: without what it takes along where that is installed, and hookci never uses."""

from __future__ import annotations

import contextlib
import sys
import warnings

__all__ = ["load"]

_NEEDLESS = ("chardet", "charset_normalizer", "docker.transport.sshconn", "urllib3.contrib.socks")
"""Two that guess the encoding of texts (an engine's are JSON, which is UTF-8), ways by SSH and SOCKS: ours is `ssh`."""
_MISSED = "Unable to find acceptable character detection"


def load() -> None:
    """Import the `docker` package as if some others were not there, which it can do without.

    They would be an eighth of the time that all of it takes, and more where `paramiko` is installed, which comes along.
    """
    hidden = [name for name in _NEEDLESS if name not in sys.modules]
    # "the import is not to succeed" (Python reference, 5.3.1, "The module cache")
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    warnings.filterwarnings("ignore", _MISSED)
    try:
        with contextlib.suppress(ImportError):  # `requests` before 2.32 insists, and gets all when it is asked for next
            import docker  # noqa: F401, PLC0415 (what follows finds it)
    finally:
        for name in hidden:
            del sys.modules[name]
