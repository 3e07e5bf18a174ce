"""The relay through which dbmate reaches the server.

dbmate's driver drops what a migration says by RAISE NOTICE or WARNING; here it is read
as it comes by. And dbmate has no other way to the server: when this process is killed,
the transaction that it had open ends with it.

dbmate comes through a socket in a folder that only this user may enter. The relay goes
on as our own connection went: to the same address, and with TLS if that has it. It
knows no password, and alters no message.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from ..errors import MigrationError
from . import tls
from .tls import Tls

__all__ = ["between", "mark", "notice"]

_SOCKET = ".s.PGSQL.5432"  # libpq and dbmate's driver look for it in a folder
_CHUNK_BYTES = 1 << 16
_WANTS_TLS = struct.pack("!ii", 8, 80877103)

_MARK = "/* migration {} */ "
# A query begins with the line of `-- migrate:up`, and that of the comment.
_MARKED = re.compile(rb"Q.{4}[^\n]*\n/\* migration (\S+) \*/ ", re.DOTALL)


def mark(name: str) -> str:
    """Give the comment that begins a file's SQL, so that its notices are known."""
    return _MARK.format(name)


def notice(name: str, severity: str, message: str, *more: str | None) -> str:
    """Give what the server said during a migration as one line."""
    told = "; ".join([f"{severity}: {name}: {message}", *filter(None, more)])
    return " ".join(told.split())


@contextmanager
def between(
    conn: Connection[Any], folder: Path, heard: Callable[[str], object]
) -> Generator[dict[str, Any]]:
    """Lead to the server of a connection until the block ends; give the way's keywords.

    `heard` is called with each notice of a file whose SQL is marked, from a thread.

    Raises:
        MigrationError: the socket, or what TLS needs, cannot be had.
    """
    way = _Way(conn.info.hostaddr or conn.info.host, conn.info.port, tls.of(conn))
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(folder / _SOCKET))
        listener.listen()
    except OSError as error:
        listener.close()
        raise MigrationError(
            f"cannot make a socket in {folder}: {error.strerror or error}; set TMPDIR "
            "to a folder with a shorter name"
        ) from None
    stopped, stop = socket.socketpair()
    stopped.setblocking(False)
    serving = _serve(listener, stopped, way, heard)
    thread = threading.Thread(target=asyncio.run, args=[serving], daemon=True)
    thread.start()
    try:
        yield {
            "host": str(folder),
            "port": 5432,
            "sslmode": "disable",
            "user": conn.info.user,
            "password": conn.info.password,
            "dbname": conn.info.dbname,
        }
    finally:
        stop.close()
        thread.join()


@dataclass(frozen=True, slots=True)
class _Way:
    """The way to the server: an address, or the folder of a socket, and TLS if any."""

    host: str
    port: int
    tls: Tls | None

    async def open(self) -> tuple[StreamReader, StreamWriter]:
        if self.host.startswith("/"):
            return await asyncio.open_unix_connection(
                f"{self.host}/.s.PGSQL.{self.port}"
            )
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            if self.tls:
                await _encrypt(self.tls, reader, writer)
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer


async def _encrypt(tls: Tls, reader: StreamReader, writer: StreamWriter) -> None:
    if not tls.is_direct:
        writer.write(_WANTS_TLS)
        if await reader.readexactly(1) != b"S":
            raise ConnectionError("the server has no TLS any more")
    await writer.start_tls(tls.context, server_hostname=tls.name)


async def _serve(
    listener: socket.socket,
    stopped: socket.socket,
    way: _Way,
    heard: Callable[[str], object],
) -> None:
    """Take connections until the other end of `stopped` is closed; then cut them."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        # What breaks here breaks for dbmate, too, which tells it.
        with suppress(OSError, asyncio.CancelledError), closing(writer):
            try:
                there, here = await way.open()
            except (OSError, EOFError) as error:
                writer.write(_refusal(f"cannot connect: {error}"))
                return
            talk = _Talk(heard)
            try:
                await asyncio.gather(talk.ask(reader, here), talk.answer(there, writer))
            finally:
                here.transport.abort()

    server = await asyncio.start_unix_server(connected, sock=listener)
    with stopped:
        await asyncio.get_running_loop().sock_recv(stopped, 1)
    server.close()


@dataclass(slots=True)
class _Talk:
    """One connection's messages; `file` is the migration that it is at."""

    heard: Callable[[str], object]
    file: str = ""

    async def ask(self, client: StreamReader, server: StreamWriter) -> None:
        while data := await client.read(_CHUNK_BYTES):
            # A question begins a chunk, as dbmate waits for each answer.
            if marked := _MARKED.match(data):
                self.file = marked[1].decode()
            server.write(data)
            await server.drain()
        server.close()

    async def answer(self, server: StreamReader, client: StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await server.readexactly(5):
                length = int.from_bytes(head[1:]) - 4
                client.write(head)
                if head[:1] == b"N" and self.file:
                    body = await server.readexactly(length)
                    self.heard(_read(body, self.file))
                    client.write(body)
                    length = 0
                while length:
                    data = await server.read(min(length, _CHUNK_BYTES))
                    if not data:
                        break
                    length -= len(data)
                    client.write(data)
                    await client.drain()
        client.close()


def _refusal(message: str) -> bytes:
    body = f"SFATAL\0C08001\0M{message}\0\0".encode()
    return b"E" + struct.pack("!i", len(body) + 4) + body


def _read(body: bytes, file: str) -> str:
    """Read a NoticeResponse: fields that begin with a letter and end with a zero."""
    said = body.decode(errors="replace").split("\0")
    fields = {field[:1]: field[1:] for field in said}
    return notice(
        file,
        fields.get("V") or fields.get("S", "NOTICE"),
        fields.get("M", ""),
        fields.get("D"),
        fields.get("H"),
    )
