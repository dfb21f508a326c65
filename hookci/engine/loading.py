"""How the `docker` package is loaded: without what it needs for nothing that an engine says."""

from __future__ import annotations

import contextlib
import sys
import warnings

__all__ = ["load"]

_GUESSING = ("chardet", "charset_normalizer")
_MISSED = "Unable to find acceptable character detection"


def load() -> None:
    """Import `requests`, on which the `docker` package stands, without what guesses the encoding of texts.

    Since 2.32 that does without where neither of two packages is installed, and takes UTF-8 for what nobody says more
    of; JSON, which is what an engine answers in, is that.  The import of them would be an eighth of it all.
    """
    hidden = [name for name in _GUESSING if name not in sys.modules]
    # "the import is not to succeed" (Python reference, 5.3.1, "The module cache")
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    warnings.filterwarnings("ignore", _MISSED)
    try:
        with contextlib.suppress(ImportError):  # an older one insists, and is imported with it afterwards
            import requests  # noqa: F401, PLC0415 (what follows finds it)
    finally:
        for name in hidden:
            del sys.modules[name]
