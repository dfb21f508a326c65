"""A proxy that is never restarted: `proxy.py PORT FILE` passes every connection on to the port that FILE holds.

FILE is read for each connection. Rename another one over it, or the symlink on its path, and new connections go there;
those that are open stay where they are.
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
            return await asyncio.open_connection("127.0.0.1", int(TARGET.read_text()))
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
        from_app, to_app = await connect()
        with contextlib.closing(to_app):
            sending = asyncio.create_task(copy(reader, to_app))
            await copy(from_app, writer)
            sending.cancel()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=128)
    await server.serve_forever()


asyncio.run(main())
