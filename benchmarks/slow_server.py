"""A server on loopback that takes its time: token endpoint and data source of the network cases.

    python slow_server.py SECONDS

prints its port. Every POST gets an access token after SECONDS; every GET a small JSON document at once.
"""

import asyncio
import sys

TOKEN = b'{"access_token": "made-up", "token_type": "Bearer", "expires_in": 3600}'
DATA = b'{"contacts": [{"name": "Ada"}]}'


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Answer the requests of one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            await reader.readexactly(length)
            posted = head.startswith(b"POST")
            if posted:
                await asyncio.sleep(seconds)
            body = TOKEN if posted else DATA
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until the process ends."""
    seconds = float(sys.argv[1])
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, seconds), "127.0.0.1", 0, backlog=512
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
