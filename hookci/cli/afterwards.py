"""What is left to do when all was said: once a day, cleaning up begins in the background."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from hookci.git.nearby import common_directory

__all__ = ["HOUSEKEEPING", "tidy_up_later"]

HOUSEKEEPING = "housekeeping"
"""Not git's: what a run starts in the background when it is over."""

_FILE = "housekeeping.log"
"""Its time says when cleaning up was last begun, its content what came of it."""
_DAY = 86400.0


def tidy_up_later() -> None:
    """Start cleaning up if a day has passed since the last time; else this looks at one file.

    A clone that is new has nothing to clean up: its first day begins now.
    """
    with contextlib.suppress(OSError):
        common = common_directory(Path.cwd(), os.environ)
        if common is None or not (state := common / "hookci").is_dir():
            return
        log = state / _FILE
        try:
            if time.time() - log.stat().st_mtime < _DAY:
                return
        except FileNotFoundError:
            log.touch(mode=0o600)
            return
        _start(common.resolve(), log)


def _start(common: Path, log: Path) -> None:
    from hookci.errors import HookciError  # noqa: PLC0415 (once a day)
    from hookci.git.environment import for_own_git  # noqa: PLC0415 (as above)
    from hookci.proc.run import start_detached  # noqa: PLC0415 (as above)
    from hookci.store.private import private_file  # noqa: PLC0415 (as above)

    with contextlib.suppress(HookciError):  # it changes no verdict, and tomorrow is another day
        output = private_file(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        try:
            os.utime(output)
            program = [sys.executable, "-I", str(Path(__file__).resolve().parents[1] / "__main__.py")]
            env = {**for_own_git(os.environ), "GIT_DIR": str(common)}
            start_detached([*program, "hook", HOUSEKEEPING], cwd=common, env=env, output=output)
        finally:
            os.close(output)
