"""Sessions to look through, which neither change anything nor last.

Each look is one transaction that only reads, with limits that end with it: behind a
pooler nothing is left on a session that others share.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, conninfo

from generated.internal import server as queries

from .. import constraints, errors
from .findings import Finding, notice, ok, wrong

__all__ = ["LOOK_SECONDS", "connect", "look"]

CONNECT_SECONDS = 5
LOOK_SECONDS = 5.0
_LOCK_SECONDS = 1.0
# The server ends what takes too long; a network that loses everything needs more.
_GRACE_SECONDS = 2.0

_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (
        errors.ServerUnreachable,
        "see that it runs there, and that no firewall or allow list stands between",
    ),
    (errors.ServerNotReady, "wait until it has started, or let fewer clients connect"),
    (
        Exception,
        "compare user, password and database with the server's; its log says more",
    ),
)
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


class _Session(Connection[Any]):
    """A session, and the schema that each look is to tell it."""

    schema: str | None = None


def connect(
    variable: str, url: str, schema: str | None = None
) -> tuple[Connection[Any] | None, list[Finding]]:
    """Connect by a variable's URL; give the session, if any, and what was seen.

    The caller closes it.
    """
    parts = conninfo.conninfo_to_dict(url)
    hosts = [] if "hostaddr" in parts else str(parts.get("host", "")).split(",")
    unknown = [f for host in hosts if (f := _unknown(variable, host))]
    if len(unknown) == len(hosts) and unknown:
        return None, unknown
    ours: dict[str, Any] = {
        "application_name": "store doctor",
        "connect_timeout": parts.get("connect_timeout", CONNECT_SECONDS),
    }
    try:
        conn = _Session.connect(
            conninfo.make_conninfo(url, **ours), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        return None, [*unknown, _refused(variable, error)]
    conn.read_only = True
    conn.schema = schema
    return conn, [*unknown, _encryption(variable, conn)]


@contextmanager
def look(conn: Connection[Any]) -> Generator[Connection[Any]]:
    """Have a transaction that only reads, and that ends soon whatever happens."""
    limit = LOOK_SECONDS + _GRACE_SECONDS
    watch = threading.Timer(limit, _hang_up, [conn.fileno()])
    watch.daemon = True
    watch.start()
    try:
        with conn.transaction(force_rollback=True):
            queries.limit_look(
                conn,
                statement_timeout=round(LOOK_SECONDS * 1000),
                lock_timeout=round(_LOCK_SECONDS * 1000),
                search_path=conn.schema if isinstance(conn, _Session) else None,
            )
            yield conn
    finally:
        watch.cancel()


def _hang_up(descriptor: int) -> None:
    """Close the line, on which the other thread waits."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _unknown(variable: str, host: str) -> Finding | None:
    """Look a host's name up, in another thread: the resolver itself has no limit."""
    if host.startswith(("/", "@")) or not host:
        return None
    found: list[object] = []

    def resolve() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(socket.getaddrinfo(host, None))

    asking = threading.Thread(target=resolve, daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS)
    if found:
        return None
    how = "has no answer" if asking.is_alive() else "is not known"
    return wrong(
        variable,
        f"host {host}: its name {how} here",
        "look for a slip in the name, and at this machine's DNS",
    )


def _refused(variable: str, error: psycopg.Error) -> Finding:
    """Explain a refusal by its kind: its text may have the URL's parts in it."""
    text = str(error)
    if "SSL" in text or "certificate" in text:
        return wrong(
            variable,
            "TLS could not be agreed on with the server",
            "compare sslmode and sslrootcert in the URL with what the server offers",
        )
    reason = constraints.refused(error)
    [remedy] = [words for kind, words in _REMEDIES if isinstance(reason, kind)][:1]
    words = re.sub(r"\bDATABASE_URL\b", variable, str(reason))
    return wrong(variable, f"no connection: {words}", remedy)


def _encryption(variable: str, conn: Connection[Any]) -> Finding:
    host = conn.info.host
    encrypted = conn.pgconn.ssl_in_use
    if encrypted or host.startswith(("/", "@")) or host in _LOCAL:
        how = "encrypted" if encrypted else "not encrypted, on this machine"
        return ok(variable, f"connects as {conn.info.user}, {how}")
    return notice(
        variable,
        f"connects as {conn.info.user}, not encrypted",
        "add sslmode=verify-full, with sslrootcert, to the URL",
    )
