"""Reading the machine once, and turning what goes wrong into one message and an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hookci
from hookci.errors import HookciError, InterruptedRunError, UsageError
from hookci.execute.schedule import Interrupts
from hookci.proc.find import find_program
from hookci.session import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import TextIO

    from hookci.git.ahead import Ahead

__all__ = ["guarded", "interrupts", "read_machine", "requested_skips", "say_error", "write_out"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130
_FULL = {errno.ENOSPC, errno.EDQUOT}


def read_machine(ahead: Ahead | None = None) -> Machine:
    """The machine as it is now; git may have been asked ``ahead`` of it."""
    env = dict(os.environ)
    home = env.get("HOME") or str(Path.home())
    umask = os.umask(0o077)
    os.umask(umask)
    try:
        cwd = Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current directory is gone", "change into a directory that exists") from error
    affinity = getattr(os, "sched_getaffinity", None)
    return Machine(
        env=env,
        cwd=cwd,
        cache_home=_absolute(env.get("XDG_CACHE_HOME"), Path(home, ".cache")),
        config_home=_absolute(env.get("XDG_CONFIG_HOME"), Path(home, ".config")),
        data_home=_absolute(env.get("XDG_DATA_HOME"), Path(home, ".local", "share")),
        clock=time.time,
        pid=os.getpid(),
        processors=len(affinity(0)) if affinity else os.cpu_count() or 1,
        python=sys.executable,
        installation=f"{hookci.__version__} {Path(hookci.__file__).parent} {sys.version} {sys.executable}",
        umask=umask,
        which=find_program,
        ahead=ahead,
    )


def _absolute(value: str | None, default: Path) -> Path:
    # XDG Base Directory Specification: a relative path is to be ignored
    return Path(value) if value and Path(value).is_absolute() else default


def requested_skips() -> tuple[str, ...]:
    """The jobs that HOOKCI_SKIP names."""
    return tuple(name.strip() for name in os.environ.get("HOOKCI_SKIP", "").split(",") if name.strip())


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Signals that end a run: told to the scheduler while one is going on, else `KeyboardInterrupt`."""
    asked = Interrupts()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not asked.interrupt(f"interrupted by {signal.Signals(number).name}"):
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_out(stream: TextIO, text: str) -> None:
    """Write ``text`` at once; that nobody reads any more changes no verdict and no exit status."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        # what is still buffered goes nowhere, instead of failing again at the exit
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def say_error(error: HookciError) -> int:
    """Show an error; the result is its exit status."""
    from hookci.report.terminal import wants_color  # noqa: PLC0415 (only when something is wrong)
    from hookci.report.text import render_error  # noqa: PLC0415

    color = wants_color("auto", is_tty=sys.stderr.isatty(), env=os.environ)
    sys.stderr.write(render_error(error, color=color))
    return error.exit_status


def guarded(action: Callable[[], int], tell: Callable[[HookciError], None] = lambda _error: None) -> int:
    """Run ``action``; whatever goes wrong ends in one message and a status that lets nothing through.

    ``tell`` gets the error too.
    """
    try:
        return action()
    except HookciError as error:
        tell(error)
        return say_error(error)
    except KeyboardInterrupt:
        tell(InterruptedRunError("interrupted"))
        sys.stderr.write("hookci: interrupted\n")
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 (a bug of ours must refuse a push, never let it through)
        unforeseen = _full_disk(error) or _bug(error)
        tell(unforeseen)
        return say_error(unforeseen)


def _full_disk(error: Exception) -> HookciError | None:
    if isinstance(error, OSError) and error.errno in _FULL:
        return HookciError(f"{error.filename or 'the output'} cannot be written: {(error.strerror or '').lower()}")
    return None


def _bug(error: Exception) -> HookciError:
    import traceback  # noqa: PLC0415 (dear, and hopefully never needed)

    sys.stderr.write("".join(traceback.format_exception(error)))
    hint = "this is a bug of hookci; please report it"
    return HookciError(f"internal error: {type(error).__name__}: {error}", hint)
