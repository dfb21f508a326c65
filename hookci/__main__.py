"""Where hookci starts: by ``python -m hookci``, by the ``hookci`` command, and by path from a git hook."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import NoReturn, TextIO

    from hookci.git.ahead import Ahead

__all__ = ["main", "start"]

_UNWRITTEN = 3
"""The exit status of a machine that hookci cannot work on."""
_RUNS, _JUDGED = (["run"], ["plan"]), (["pre-commit"], ["pre-merge-commit"], ["pre-push"])
"""Commands and hooks that look at the repository in any case."""
_MADE = 100_000
"""Objects that are made before garbage is looked for; the usual number is 700."""


def _find_ourselves() -> None:
    """Make the package, and what it needs, importable when this file was started by its path.

    The shim does so with ``python -I -S``: ``-I`` keeps a ``tomllib.py`` in the repository from being imported, and
    ``-S`` the start from looking for all that is installed, which takes longer than any other part of it.
    """
    ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 (pathlib comes later)
    if ours not in sys.path:
        sys.path.append(ours)
    if sys.flags.no_site:
        sys.meta_path.append(_Elsewhere())


class _Elsewhere:
    """Finds what is not beside us: by then all that is installed is looked for, as without ``-S``."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if name in sys.stdlib_module_names:  # that of another system
            return None
        sys.meta_path.remove(self)
        import site  # noqa: PLC0415 (the very point)
        from importlib.machinery import PathFinder  # noqa: PLC0415 (only when something is elsewhere)

        site.main()
        return PathFinder.find_spec(name, path, target)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 (as above)


def main() -> int:
    """Run the command line in `sys.argv`; the result is the exit status."""
    # Python leaves out what was closed (`hookci run >&-`); nothing that is told depends on a reader.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    # imports leave no garbage: looking for it would be a tenth of the start
    gc.set_threshold(_MADE)
    from hookci.straight import find_straight  # noqa: PLC0415 (the package is found only now)

    find_straight()
    from hookci.spared import import_command_line, import_paths, import_processes, import_values  # noqa: PLC0415 (the package is found only now)

    import_paths()
    import_values()
    import_processes()
    ahead = _ask_ahead(sys.argv[1:])
    if sys.argv[1:2] == ["hook"]:
        from hookci.cli.hook import run_hook  # noqa: PLC0415 (what a hook does not need is not imported)

        return run_hook(sys.argv[2:], ahead)
    import_command_line()
    from hookci.cli.commands import run_command  # noqa: PLC0415 (as above)

    return run_command(sys.argv[1:], ahead)


def _ask_ahead(argv: Sequence[str]) -> Ahead | None:
    """Have git work while the rest is imported, for what judges."""
    runs = argv[:1] in _RUNS
    if not runs and not (argv[:1] == ["hook"] and argv[1:2] in _JUDGED):
        return None
    from pathlib import Path  # noqa: PLC0415 (not before `import_paths`)

    from hookci.config.load import PIPELINE_FILES  # noqa: PLC0415 (the package is found only now)
    from hookci.git.ahead import Ahead, names_of_head  # noqa: PLC0415 (as above)

    try:
        return Ahead.ask(Path.cwd(), os.environ, names_of_head(PIPELINE_FILES) if runs else (), time.time())
    except OSError:  # of the current directory, which is told in its time
        return None


def _leave(status: int) -> NoReturn:
    """End at once: nobody waits for what a process that ends anyway puts in order, which takes as long as git does."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:  # that nobody reads any more changes no verdict
            pass
        except OSError as error:
            status = status or _UNWRITTEN
            with contextlib.suppress(OSError):
                os.write(2, f"error: the output cannot be written: {(error.strerror or '').lower()}\n".encode())
    atexit._run_exitfuncs()  # noqa: SLF001 (temporary directories, and what libraries have to do)
    os._exit(status)


def start() -> NoReturn:
    """What the ``hookci`` command does: `main`, and the end of the process."""
    _leave(main())


if __name__ == "__main__":
    _find_ourselves()
    start()
