"""Started as a program of its own: sends one message to several addresses with apprise, all at the same time.

The arguments are the directory that apprise is imported from, which comes last on the path since ``python -I`` leaves
out the packages a user has installed for themselves, and how many seconds there are.  The standard input holds JSON:
``urls``, ``title``, ``body`` and ``type``.  For each address that is done with, a line ``[index, why]`` goes to the
standard output, where ``why`` is empty when the message was sent.  It holds only words of our own: those of apprise
may hold a token.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apprise import Apprise

__all__: list[str] = []

_STATUS = re.compile(r"\berror=(\d{3})\b")
_UNREACHABLE = re.compile(r"\bconnection error\b", re.IGNORECASE)


def _main() -> None:
    where, seconds = sys.argv[1:]
    # whatever hangs, in a thread or not, ends with the process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, float(seconds))
    output = _only_output()
    order = json.load(sys.stdin)
    if where not in sys.path:
        sys.path.append(where)
    threads = [
        threading.Thread(target=_work, args=(output, index, service, order))
        for index, service in enumerate(map(_service, order["urls"]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)  # not waiting for what apprise may have left running


def _only_output() -> int:
    """A descriptor of the standard output; what apprise and others write goes nowhere from now on."""
    output, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    logging.disable(logging.INFO)  # apprise's debug log has passwords in the clear
    return output


def _service(url: str) -> Apprise | None:
    """What apprise makes of an address; None if it makes nothing."""
    import apprise  # noqa: PLC0415 (found only now)

    asset = apprise.AppriseAsset(app_id="hookci", app_desc="hookci", storage_mode="memory", service_timeout=0)
    plugin = apprise.Apprise.instantiate(url, asset=asset)
    return None if plugin is None else apprise.Apprise(plugin, asset=asset)


def _work(output: int, index: int, service: Apprise | None, order: Mapping[str, str]) -> None:
    os.write(output, f"{json.dumps([index, _why(service, order)])}\n".encode())


def _why(service: Apprise | None, order: Mapping[str, str]) -> str:
    if service is None:
        return "apprise knows no such address"
    try:
        result = service.notify(title=order["title"], body=order["body"], body_format="text", notify_type=order["type"])
    except Exception as error:  # noqa: BLE001 (a plugin may raise anything; the other addresses are told all the same)
        return f"apprise failed with {type(error).__name__}"
    return "" if result else _reason("\n".join(entry.message for entry in result.logs()))


def _reason(said: str) -> str:
    if status := _STATUS.search(said):
        return f"answered with status {status[1]}"
    return "could not be reached" if _UNREACHABLE.search(said) else "did not take the message"


if __name__ == "__main__":
    _main()
