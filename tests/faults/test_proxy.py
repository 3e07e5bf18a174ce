"""The proxy counts what crosses the network, and cuts where it is told to."""

import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from postgres_testing import embedded, proxy, server_cache
from postgres_testing.proxy import Proxy, Sender


@pytest.fixture
def tap(conn: psycopg.Connection, database_url: str) -> Generator[Proxy]:
    """Give a proxy before a database with an empty table `mark`."""
    conn.execute("CREATE TABLE mark (number int)")
    with proxy.before(database_url) as opened:
        yield opened


@pytest.fixture
def tapped(tap: Proxy) -> Generator[psycopg.Connection]:
    """Give an autocommit connection through the proxy, which has counted nothing."""
    with psycopg.connect(tap.url, autocommit=True) as connection:
        tap.reset()
        yield connection


def marks(conn: psycopg.Connection) -> list[int]:
    """Read past the proxy what is stored."""
    rows = conn.execute("SELECT number FROM mark ORDER BY number")
    return [number for (number,) in rows]


def test_a_read_is_one_flight(tap: Proxy, tapped: psycopg.Connection) -> None:
    """A statement in autocommit crosses the network once, with or without arguments."""
    tapped.execute("SELECT 1")
    assert tap.flights == 1
    tapped.execute("SELECT %s", [1])
    assert tap.flights == 2


def test_a_transaction_block_is_three_flights(
    tap: Proxy, tapped: psycopg.Connection
) -> None:
    """BEGIN, the statement and COMMIT of a `transaction()` cross one by one."""
    with tapped.transaction():
        tapped.execute("SELECT 1")
    assert tap.flights == 3


def test_a_pipeline_is_one_flight(tap: Proxy, tapped: psycopg.Connection) -> None:
    """What a pipeline sends before it fetches crosses together."""
    with tapped.pipeline():
        tapped.execute("BEGIN")
        for number in range(100):
            tapped.execute("INSERT INTO mark VALUES (%s)", [number])
        tapped.execute("COMMIT")
    assert tap.flights == 1


def test_a_large_message_passes_whole(tap: Proxy, tapped: psycopg.Connection) -> None:
    """What takes many packets is still one flight, and arrives unchanged."""
    text = "x" * 3_000_000
    assert tapped.execute("SELECT %s", [text]).fetchone() == (text,)
    assert tap.flights == 1


def test_connections_pass_side_by_side(tap: Proxy, tapped: psycopg.Connection) -> None:
    """An open connection does not keep another one waiting."""
    with psycopg.connect(tap.url, connect_timeout=5, autocommit=True) as other:
        tap.reset()
        other.execute("SELECT 1")
        tapped.execute("SELECT 1")
    assert tap.flights == 2


def test_start_up_and_farewell_do_not_count(database_url: str) -> None:
    """A connection that asks for TLS, gets none and leaves has cost nothing."""
    with proxy.before(database_url) as opened:
        psycopg.connect(opened.url, sslmode="prefer", connect_timeout=5).close()
    assert (opened.flights, opened.messages) == (0, 0)


def test_a_unix_socket_is_reached_too() -> None:
    """A URL whose host is a folder leads to the socket in it."""
    with tempfile.TemporaryDirectory() as folder:
        server_cache.give(Path(folder))
        sockets = {"unix_socket_directories": folder}
        with embedded.start(settings={**embedded.FAST, **sockets}) as server:
            local = server.url.replace("@127.0.0.1:", "@:") + f"&host={quote(folder)}"
            with proxy.before(local) as tap, psycopg.connect(tap.url) as conn:
                reached = conn.execute("SELECT inet_server_addr()").fetchone()
    assert reached == (None,)


def test_a_proxy_that_closes_cuts_what_is_open(database_url: str) -> None:
    """The end of the block does not wait for clients to leave."""
    with proxy.before(database_url) as opened:
        conn = psycopg.connect(opened.url)
    with conn, pytest.raises(psycopg.OperationalError):
        conn.execute("SELECT 1")


def test_a_lost_reply_to_commit_has_committed(
    tap: Proxy, tapped: psycopg.Connection, conn: psycopg.Connection
) -> None:
    """The client loses its connection though its rows are stored."""
    tap.cut_reply_to(b"COMMIT")
    with pytest.raises(psycopg.OperationalError), tapped.transaction():
        tapped.execute("INSERT INTO mark VALUES (1)")
    assert marks(conn) == [1]


def test_a_cut_before_commit_has_not_committed(
    tap: Proxy, tapped: psycopg.Connection, conn: psycopg.Connection
) -> None:
    """Nothing is stored where the connection dies before COMMIT."""
    tap.cut_before(b"COMMIT")
    with pytest.raises(psycopg.OperationalError), tapped.transaction():
        tapped.execute("INSERT INTO mark VALUES (1)")
    assert marks(conn) == []


def test_a_prepared_statement_is_known_by_its_text(
    tap: Proxy, tapped: psycopg.Connection, conn: psycopg.Connection
) -> None:
    """A cut before a statement finds it though only its name crosses the network."""
    insert = "INSERT INTO mark VALUES (%s)"
    tapped.execute(insert, [1], prepare=True)
    tap.cut_before(b"INSERT")
    with pytest.raises(psycopg.OperationalError):
        tapped.execute(insert, [2], prepare=True)
    assert marks(conn) == [1]


def test_a_cut_at_any_message_leaves_all_or_nothing(
    tap: Proxy, conn: psycopg.Connection
) -> None:
    """A transaction cut at each message in turn is stored from one of them on."""
    outcomes: list[bool] = []
    for number in range(1, 1 + transfer_messages(tap)):
        for cut in (tap.cut_before_message, tap.cut_after_message):
            conn.execute("DELETE FROM mark")
            with psycopg.connect(tap.url, autocommit=True) as tapped:
                cut(number)
                with pytest.raises(psycopg.OperationalError):
                    transfer(tapped)
            assert marks(conn) in ([], [1, 2])
            outcomes.append(bool(marks(conn)))
    assert outcomes == sorted(outcomes)
    assert not outcomes[0]
    assert outcomes[-1]


@pytest.mark.parametrize("sender", ["client", "server"])
def test_a_cut_after_any_bytes_leaves_all_or_nothing(
    tap: Proxy, conn: psycopg.Connection, sender: Sender
) -> None:
    """Of a transaction cut after more and more bytes all is stored from one on.

    The server sends nothing before it has COMMIT: then all is stored at each.
    """
    with psycopg.connect(tap.url, autocommit=True) as tapped:
        tap.reset()
        transfer(tapped)
        size = tap.sent[sender]
    outcomes: list[bool] = []
    for number in (1, *range(2, size, size // 6), size):
        conn.execute("DELETE FROM mark")
        with psycopg.connect(tap.url, autocommit=True) as tapped:
            tap.cut_after_bytes(sender, number)
            with suppress(psycopg.OperationalError):
                transfer(tapped)
        assert not tap.is_armed
        assert marks(conn) in ([], [1, 2])
        outcomes.append(bool(marks(conn)))
    assert outcomes == sorted(outcomes)
    assert outcomes[0] == (sender == "server")
    assert outcomes[-1]


def test_a_fault_happens_once(tap: Proxy, tapped: psycopg.Connection) -> None:
    """After a cut the next connection passes unharmed."""
    tap.cut_before(b"SELECT")
    assert tap.is_armed
    with pytest.raises(psycopg.OperationalError):
        tapped.execute("SELECT 1")
    assert not tap.is_armed
    with psycopg.connect(tap.url) as another:
        another.execute("SELECT 1")


def test_a_reset_disarms(tap: Proxy, tapped: psycopg.Connection) -> None:
    """A fault that has not happened is forgotten by a reset."""
    tap.cut_before_message(1)
    tap.reset()
    tapped.execute("SELECT 1")
    assert tap.messages == 1


def transfer(conn: psycopg.Connection) -> None:
    """Store two rows in one transaction and one flight."""
    with conn.pipeline():
        conn.execute("BEGIN")
        conn.execute("INSERT INTO mark VALUES (1)")
        conn.execute("INSERT INTO mark VALUES (2)")
        conn.execute("COMMIT")


def transfer_messages(tap: Proxy) -> int:
    """Count the messages of a transfer."""
    with psycopg.connect(tap.url, autocommit=True) as conn:
        tap.reset()
        transfer(conn)
        return tap.messages
