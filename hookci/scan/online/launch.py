"""Started as a program of its own: runs an installed package's command line, whatever lies in the directory.

``python -I`` leaves out the packages a user has installed for themselves, so the first argument is where the package
was found; it comes last on the path.  The second is the package, the others are its arguments.
"""

from __future__ import annotations

import runpy
import sys

__all__: list[str] = []


def _main() -> None:
    where, package, *arguments = sys.argv[1:]
    if where not in sys.path:
        sys.path.append(where)
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
