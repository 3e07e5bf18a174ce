"""A network that is some way off: a proxy on the loopback interface that waits.

It runs as a process of its own, so as not to take time from the one that is measured.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit


@contextmanager
def delayed(url: str, delay: float) -> Generator[str]:
    """Give a URL of the same server, `delay` seconds further away each way."""
    if not delay:
        yield url
        return
    parts = urlsplit(url)
    arguments = [str(parts.hostname), str(parts.port), str(delay)]
    with subprocess.Popen(
        [sys.executable, "-m", __name__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as proxy:
        assert proxy.stdin is not None
        assert proxy.stdout is not None
        port = int(proxy.stdout.readline())
        login = parts.netloc.rpartition("@")[0]
        try:
            yield parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        finally:
            proxy.stdin.close()


class _End(asyncio.Protocol):
    """One end of a connection: what comes in goes out at the other end, later."""

    def __init__(self, delay: float, other: asyncio.Transport | None = None) -> None:
        self.delay = delay
        self.other = other

    def data_received(self, data: bytes) -> None:
        assert self.other is not None, "a PostgreSQL server does not speak first"
        asyncio.get_running_loop().call_later(self.delay, self.other.write, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - inherited
        if self.other is not None:
            asyncio.get_running_loop().call_later(self.delay, self.other.close)


async def _serve(listener: socket.socket, host: str, port: int, delay: float) -> None:
    """Print the port, then pass bytes on until standard input ends."""
    print(listener.getsockname()[1], flush=True)
    accepting = asyncio.ensure_future(_accept(listener, host, port, delay))
    reading = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({accepting, reading}, return_when=asyncio.FIRST_COMPLETED)


async def _accept(listener: socket.socket, host: str, port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        client, _ = await loop.sock_accept(listener)
        server, far = await loop.create_connection(lambda: _End(delay), host, port)
        far.other, _ = await loop.connect_accepted_socket(
            functools.partial(_End, delay, server), client
        )


def _precise_loop() -> asyncio.AbstractEventLoop:
    # The default selector rounds waits up to whole milliseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    _host, _port, _delay = sys.argv[1:]
    with (
        socket.create_server(("127.0.0.1", 0)) as _listener,
        asyncio.Runner(loop_factory=_precise_loop) as runner,
    ):
        _listener.setblocking(False)
        runner.run(_serve(_listener, _host, int(_port), float(_delay)))
