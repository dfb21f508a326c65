"""Many requests at once for some seconds; fails when too many go wrong, or the slowest of them are too slow."""

import argparse
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def ask(url: str) -> tuple[float, str]:
    """One request by a connection of its own: its milliseconds, and what went wrong."""
    begun, wrong = time.monotonic(), ""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        response.read()
        wrong = "" if response.status < 400 else f"status {response.status}"
    except (OSError, HTTPException) as error:
        wrong = repr(error)
    finally:
        connection.close()
    return (time.monotonic() - begun) * 1000, wrong


def ask_until(url: str, end: float) -> list[tuple[float, str]]:
    asked = []
    while time.monotonic() < end:
        asked.append(ask(url))
    return asked


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("url")
    options.add_argument("--users", type=int, default=8, help="how many ask at the same time")
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--p95", type=float, default=250, help="milliseconds that 95 of 100 requests may take")
    options.add_argument("--errors", type=float, default=0, help="per cent of requests that may go wrong")
    chosen = options.parse_args()

    with ThreadPoolExecutor(chosen.users) as users:
        end = time.monotonic() + chosen.seconds
        asking = [users.submit(ask_until, chosen.url, end) for _ in range(chosen.users)]
    asked = [one for user in asking for one in user.result()]
    wrong = [why for _, why in asked if why]
    errors = 100 * len(wrong) / len(asked)
    p95 = statistics.quantiles([taken for taken, _ in asked], n=20)[-1]

    print(
        f"{len(asked)} requests, {len(asked) / chosen.seconds:.0f} per second; {errors:.2f} % wrong; p95 {p95:.0f} ms"
    )
    for why in sorted(set(wrong)):
        print(f"  {wrong.count(why)} times {why}")
    if errors > chosen.errors or p95 > chosen.p95:
        sys.exit(f"too much: {chosen.errors:g} % may go wrong, p95 may be {chosen.p95:g} ms")


if __name__ == "__main__":
    main()
