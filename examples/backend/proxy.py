"""A proxy that is never restarted: `proxy.py PORT FILE` passes every connection on to the port that FILE holds.

FILE is read for each connection. Rename another one over it, or the symlink on its path, and new connections go there;
those that are open stay where they are, and until the last has ended the FILE they were passed on by is locked
(flock(2), shared). What may be asked twice (GET, HEAD) and was not answered is asked once more.
"""

import asyncio
import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(sys.argv[2])


@contextlib.contextmanager
def looked_up() -> Iterator[int]:
    """The port of what is live; FILE is locked until the end of this."""
    with TARGET.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        # locked before this look: whoever replaces it from now on finds the lock
        if not os.path.samestat(os.fstat(file.fileno()), TARGET.stat()):
            raise BlockingIOError(f"{TARGET} is another one by now")
        yield int(file.read())


async def connect(held: contextlib.ExitStack) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to what is live, and ``held`` its lock; when that is just being replaced, to what comes after it."""
    for _ in range(20):
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as tried:
            streams = await asyncio.open_connection("127.0.0.1", tried.enter_context(looked_up()))
            held.enter_context(tried.pop_all())
            return streams
        await asyncio.sleep(0.1)
    raise ConnectionError(f"nothing answers at the port in {TARGET}")


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError), contextlib.closing(writer):
        begun = await reader.read(65536)
        for _ in range(3):
            if await answered(begun, reader, writer):
                break


async def answered(begun: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Pass one connection on, of which something was read already; False when it may be, and has to be, tried again."""
    with contextlib.ExitStack() as held:
        from_app, to_app = await connect(held)
        held.enter_context(contextlib.closing(to_app))
        to_app.write(begun)
        sending = asyncio.create_task(copy(reader, to_app))
        first = b""
        with contextlib.suppress(OSError):
            first = await from_app.read(65536)
        if first:
            writer.write(first)
            await copy(from_app, writer)
        sending.cancel()
    return bool(first) or not begun.startswith((b"GET ", b"HEAD "))


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=128)
    await server.serve_forever()


asyncio.run(main())
