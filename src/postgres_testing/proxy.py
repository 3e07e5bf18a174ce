"""A proxy before the server that counts flights and cuts connections on demand.

    with proxy.before(database_url) as tap, psycopg.connect(tap.url) as conn:
        tap.reset()
        conn.execute("SELECT 1")
        assert tap.flights == 1

It follows PostgreSQL's protocol message by message; both ends speak it without TLS. A
connection's start-up and farewell pass freely: they are neither counted nor cut.
"""

import select
import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Literal, TypeAlias
from urllib.parse import quote, urlencode

from psycopg import conninfo

__all__ = ["Proxy", "Sender", "before"]

Sender: TypeAlias = Literal["client", "server"]

# Replies are held back until the client has been silent for so long. What it sends in
# that time it sends without having seen them: that belongs to the same flight.
_SILENCE_SECONDS = 0.01
_ENCRYPTION_CODES = {80877103, 80877104}  # asks for TLS, for GSSAPI
_CHUNK_BYTES = 1 << 16


class Proxy:
    """What has passed since the last reset, and the one fault that is armed, if any.

    `url` leads through the proxy. `flights` counts how often a client sent something
    after a reply (or first): how often somebody had to wait for the network.
    `messages` counts the protocol's messages from clients: Parse, Bind, Sync, Query …
    `sent` counts the bytes that each end has sent.

    `silence` has it take everything, and pass on nothing, until `reset`: as a network
    does that loses what is sent.

    A fault happens once, on the first connection that meets its condition. The server
    has done what reached it, and has closed its end, before the client notices.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.flights = 0
        self.messages = 0
        self.sent = Counter[Sender]()
        self._lock = threading.Lock()
        self._cut_before: Callable[[bytes], bool] = _never
        self._cut_after: Callable[[bytes], bool] = _never
        self._lost_reply: bytes | None = None
        self._last_byte: tuple[Sender, int] | None = None
        self._speaks = threading.Event()
        self._speaks.set()

    def reset(self) -> None:
        """Count from zero again, and disarm."""
        with self._lock:
            self.flights = self.messages = 0
            self.sent.clear()
            self._disarm()
        self._speaks.set()

    def silence(self) -> None:
        """Pass on nothing from now on."""
        self._speaks.clear()

    def wait_while_silent(self) -> None:
        """Return as soon as something may be passed on."""
        self._speaks.wait()

    @property
    def is_armed(self) -> bool:
        """Say whether a fault still waits for its condition."""
        waiting = self._cut_before, self._cut_after, self._lost_reply, self._last_byte
        return waiting != (_never, _never, None, None)

    def cut_before_message(self, number: int) -> None:
        """Cut before the number-th message from now on (1 is the next)."""
        self._cut_before = self._is_message(number)

    def cut_after_message(self, number: int) -> None:
        """Cut when the number-th message from now on has gone out; lose its reply."""
        self._cut_after = self._is_message(number)

    def cut_before(self, statement: bytes) -> None:
        """Cut before a statement runs whose text begins like this."""
        self._cut_before = lambda text: text.startswith(statement)

    def cut_reply_to(self, command: bytes) -> None:
        """Cut when the server has done a command, such as COMMIT; lose its reply."""
        self._lost_reply = command

    def cut_after_bytes(self, sender: Sender, number: int) -> None:
        """Cut when so many bytes more have gone out from one end, mid-message or not.

        What the server sends after it has done all that reached it counts, too.
        """
        with self._lock:
            self._last_byte = sender, self.sent[sender] + number

    def note_bytes(self, sender: Sender, number: int) -> int | None:
        """Count what an end sends; say after how much of it to cut, if at all."""
        with self._lock:
            before = self.sent[sender]
            self.sent[sender] += number
            if self._last_byte is None:
                return None
            cut_by, last = self._last_byte
            if cut_by != sender or last > self.sent[sender]:
                return None
            self._disarm()
            return last - before

    def note_message(
        self, statement: bytes, *, starts_flight: bool
    ) -> tuple[bool, bool]:
        """Count a client's message; say whether to cut before it, and after it."""
        with self._lock:
            self.messages += 1
            self.flights += starts_flight
            verdict = self._cut_before(statement), self._cut_after(statement)
            if any(verdict):
                self._disarm()
            return verdict

    def note_reply(self, command: bytes) -> bool:
        """Say whether to cut before this reply reaches the client."""
        with self._lock:
            is_lost = self._lost_reply is not None and command == self._lost_reply
            if is_lost:
                self._disarm()
            return is_lost

    def _is_message(self, number: int) -> Callable[[bytes], bool]:
        wanted = self.messages + number
        return lambda _: self.messages == wanted

    def _disarm(self) -> None:
        self._cut_before = self._cut_after = _never
        self._lost_reply = self._last_byte = None


def _never(_statement: bytes) -> bool:
    return False


@contextmanager
def before(url: str) -> Generator[Proxy]:
    """Put a proxy before the server of this URL until the block ends.

    The server is reached without TLS, over TCP or its Unix socket.
    """
    parameters = {
        key: str(value) for key, value in conninfo.conninfo_to_dict(url).items()
    }

    ends: list[socket.socket] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # Where one end vanishes, the other is closed.
            with suppress(ConnectionError), _connected(parameters) as server:
                ends.extend((self.request, server))
                _Relay(proxy, self.request, server).run()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        proxy = Proxy(_url_through(listener.server_address[1], parameters))
        accepting = threading.Thread(target=listener.serve_forever, args=(0.01,))
        accepting.start()
        try:
            yield proxy
        finally:
            proxy.reset()
            listener.shutdown()
            accepting.join()
            for end in ends:
                with suppress(OSError):  # closed long ago
                    end.shutdown(socket.SHUT_RDWR)


class _Relay:
    """One connection: passes on what arrives at either end, message by message."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._from_client = bytearray()
        self._from_server = bytearray()
        self._prepared: dict[bytes, bytes] = {}
        self._was_answered = True

    def run(self) -> None:
        """Relay until an end closes or a fault cuts."""
        self._proxy.wait_while_silent()
        self._ask_for_no_encryption()
        self._start_up()
        while True:
            ready, _, _ = select.select([self._client, self._server], [], [])
            self._proxy.wait_while_silent()
            if self._client not in ready:
                ready, _, _ = select.select([self._client], [], [], _SILENCE_SECONDS)
            relay = (
                self._relay_messages if self._client in ready else self._relay_replies
            )
            if not relay():
                break

    def _ask_for_no_encryption(self) -> None:
        """Refuse encryption, and pass on the first message that asks for a database."""
        while True:
            size = self._client.recv(4, socket.MSG_WAITALL)
            if len(size) < 4:
                raise ConnectionError("the client left during start-up")
            rest = self._client.recv(int.from_bytes(size) - 4, socket.MSG_WAITALL)
            if int.from_bytes(rest[:4]) not in _ENCRYPTION_CODES:
                self._server.sendall(size + rest)
                return
            self._client.sendall(b"N")

    def _start_up(self) -> None:
        """Pass on everything until the server is first ready for a query."""
        while True:
            ready, _, _ = select.select([self._client, self._server], [], [])
            if self._server in ready:
                chunk = _receive(self._server)
                self._client.sendall(chunk)
                self._from_server += chunk
                if any(kind == b"Z" for kind, _ in _split(self._from_server)):
                    return
            else:
                self._server.sendall(_receive(self._client))

    def _relay_messages(self) -> bool:
        """Pass on what the client sent; False ends the connection."""
        chunk = _receive(self._client)
        last = self._proxy.note_bytes("client", len(chunk))
        if last is not None:
            self._server.sendall(self._from_client + chunk[:last])
            self._cut()
            return False
        self._from_client += chunk
        for kind, body in _split(self._from_client):
            before, after = False, False
            if kind != b"X":
                before, after = self._proxy.note_message(
                    self._statement(kind, body), starts_flight=self._was_answered
                )
                self._was_answered = False
            if not before:
                self._pass_on(_join(kind, body))
            if before or after:
                self._cut()
                return False
        return True

    def _pass_on(self, message: bytes) -> None:
        """Send the server a message; if it has closed, its last words still arrive."""
        try:
            self._server.sendall(message)
        except ConnectionError:
            with suppress(ConnectionError):
                while said := self._server.recv(_CHUNK_BYTES):
                    self._client.sendall(said)
            raise

    def _relay_replies(self) -> bool:
        """Pass on what the server sent; False ends the connection."""
        chunk = _receive(self._server)
        last = self._proxy.note_bytes("server", len(chunk))
        if last is not None:
            self._client.sendall(self._from_server + chunk[:last])
            self._cut()
            return False
        self._from_server += chunk
        self._was_answered = True
        for kind, body in _split(self._from_server):
            if kind == b"C" and self._proxy.note_reply(body.rstrip(b"\0")):
                self._cut()
                return False
            self._client.sendall(_join(kind, body))
        return True

    def _statement(self, kind: bytes, body: bytes) -> bytes:
        """Give the text of the statement that a message runs, else nothing."""
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._prepared[name] = text
        elif kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            return self._prepared[name]
        elif kind == b"Q":
            return body.rstrip(b"\0")
        return b""

    def _cut(self) -> None:
        """Let the server finish, and see it close, before the client's end closes."""
        self._server.shutdown(socket.SHUT_WR)
        while self._server.recv(_CHUNK_BYTES):
            pass


def _receive(end: socket.socket) -> bytes:
    chunk = end.recv(_CHUNK_BYTES)
    if not chunk:
        raise ConnectionError("this end has closed")
    return chunk


def _split(buffer: bytearray) -> list[tuple[bytes, bytes]]:
    """Take the complete messages from the buffer, as pairs of kind and body."""
    messages: list[tuple[bytes, bytes]] = []
    start = 0
    while len(buffer) >= start + 5:
        (size,) = struct.unpack_from("!i", buffer, start + 1)
        end = start + 1 + size
        if len(buffer) < end:
            break
        messages.append(
            (bytes(buffer[start : start + 1]), bytes(buffer[start + 5 : end]))
        )
        start = end
    del buffer[:start]
    return messages


def _join(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


@contextmanager
def _connected(parameters: dict[str, str]) -> Generator[socket.socket]:
    """Connect to the server, through its Unix socket where `host` is a folder."""
    host, port = parameters["host"], parameters.get("port", "5432")
    if host.startswith("/"):
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(f"{host}/.s.PGSQL.{port}")
            yield server
    else:
        with socket.create_connection((host, int(port))) as server:
            yield server


def _url_through(port: int, parameters: dict[str, str]) -> str:
    user, password = (quote(parameters.get(key, "")) for key in ("user", "password"))
    named = {"host", "port", "user", "password", "dbname", "sslmode"}
    others = {key: value for key, value in parameters.items() if key not in named}
    query = urlencode({**others, "sslmode": "disable"}, quote_via=quote)
    database = quote(parameters["dbname"])
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}?{query}"
