"""A proxy that is never restarted: `proxy.py PORT FILE` passes every connection on to the port that FILE holds.

FILE is read for each connection. Rename another one over it, or the symlink on its path, and new connections go there;
those that are open stay where they are. What may be asked twice (GET, HEAD) and was not answered is asked once more.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

TARGET = Path(sys.argv[2])


async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to what is live; when that is just being replaced, to what comes after it."""
    for _ in range(20):
        with contextlib.suppress(OSError, ValueError):
            port = TARGET.read_text()
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            if TARGET.read_text() == port:
                return reader, writer
            writer.close()  # it was replaced just now: whoever has no connection yet may be asked to end
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
    from_app, to_app = await connect()
    with contextlib.closing(to_app):
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
