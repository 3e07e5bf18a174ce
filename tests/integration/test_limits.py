"""Nothing waits for ever: each limit ends what it is for, and says so."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from generated import users
from generated.internal import user_steps
from postgres_testing import proxy
from postgres_testing.proxy import Proxy
from store import AsyncStore, Store, errors
from store.limits import Limits
from store_testing import factories
from tests.support import gates, stores

# What is awaited may come so much later than its limit on a machine that is busy.
LATE = 4.0


@pytest.fixture
def tap(database_url: str) -> Generator[Proxy]:
    """Give a proxy before the database."""
    with proxy.before(database_url) as opened:
        yield opened


@contextmanager
def within(seconds: float) -> Generator[None]:
    """Fail if the block takes longer, give or take a busy machine."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds + LATE


@contextmanager
def user_locked(url: str, user_id: UUID) -> Generator[None]:
    """Hold the user's row, as somebody who is not the store."""
    with psycopg.connect(url) as outsider:
        user_steps.lock_user(outsider, id=user_id)
        yield


def running(conn: psycopg.Connection) -> int:
    """Count what goes on in the database, apart from this look at it."""
    conn.execute("SELECT pg_stat_clear_snapshot()")
    [(count,)] = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    return int(count)


# Statements, locks, transactions


def test_a_statement_has_a_limit(store: Store, conn: psycopg.Connection) -> None:
    """A statement that takes too long is ended; its connection goes on."""
    quick = store.limited(statement=0.3)
    with within(0.3), pytest.raises(errors.StatementTimeout), quick.connection() as one:
        one.execute("SELECT pg_sleep(60)")
    with store.connection() as again:
        assert again.info.backend_pid == one.info.backend_pid
        assert again.info.transaction_status == TransactionStatus.IDLE
    assert running(conn) == 0


def test_a_statement_of_a_transaction_has_a_limit(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The server is told the lower limit, and nothing is written."""

    def work(inside: psycopg.Connection) -> None:
        users.set_display_name(inside, id=user_id, display_name="Ada")
        inside.execute("SELECT pg_sleep(60)")

    with within(0.3), pytest.raises(errors.StatementTimeout) as ended:
        store.limited(statement=0.3).atomically(work)
    assert ended.value.sqlstate == "57014"
    assert running(conn) == 0
    user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name is None


@pytest.mark.parametrize("lowered", [False, True])
def test_a_lock_has_a_limit(database_url: str, user_id: UUID, *, lowered: bool) -> None:
    """A method that meets somebody's lock raises, and leaves the pool as it was."""
    seconds = 60 if lowered else 0.3
    with (
        stores.opened(database_url, database_lock_timeout=seconds) as store,
        user_locked(database_url, user_id),
    ):
        store_ = store.limited(lock=0.3) if lowered else store
        with within(0.3), pytest.raises(errors.LockTimeout) as ended:
            store_.cancel_order(user_id, user_id)
        assert ended.value.retryable
        assert store.statistics.idle == store.statistics.connections == 1


def test_single_statements_have_the_lock_limit(
    database_url: str, user_id: UUID
) -> None:
    """A query by itself that meets somebody's lock raises as soon."""
    with (
        stores.opened(database_url, database_lock_timeout=0.3) as store,
        user_locked(database_url, user_id),
        within(0.3),
        pytest.raises(errors.LockTimeout),
        store.connection() as conn,
    ):
        users.set_display_name(conn, id=user_id, display_name="Ada")


def test_a_transaction_has_a_limit(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """However short its statements are, all of it together has a limit."""
    short = store.limited(transaction=0.5)
    attempts: list[None] = []

    def work(inside: psycopg.Connection) -> None:
        attempts.append(None)
        users.set_display_name(inside, id=user_id, display_name="Ada")
        while True:
            inside.execute("SELECT pg_sleep(0.05)").fetchone()

    with within(0.5), pytest.raises(errors.TransactionTimeout):
        short.atomically(work)
    assert len(attempts) == 1
    assert running(conn) == 0
    user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name is None


def test_a_limit_that_is_reached_is_not_tried_again(store: Store) -> None:
    """Five attempts would take five times as long."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection) -> None:
        attempts.append(None)
        inside.execute("SELECT pg_sleep(60)").fetchone()

    with pytest.raises(errors.StatementTimeout):
        store.limited(statement=0.2).atomically(work)
    assert len(attempts) == 1


def test_the_server_has_the_limits(store: Store) -> None:
    """A session has the limits from its start, and a transaction says how it reads."""
    limits = {
        "statement_timeout": "10s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "10s",
        "default_transaction_isolation": "read committed",
    }
    with store.connection() as conn:
        for name, value in limits.items():
            assert conn.execute(f"SHOW {name}".encode()).fetchone() == (value,)
        if conn.info.server_version >= 170000:
            shown = conn.execute("SHOW transaction_timeout").fetchone()
            assert shown == ("30s",)


def test_read_committed_is_asked_for(
    database_url: str, conn: psycopg.Connection
) -> None:
    """A database whose default is another isolation changes nothing."""
    name = conn.info.dbname
    conn.execute(
        f'ALTER DATABASE "{name}" SET default_transaction_isolation'
        " = 'repeatable read'".encode()
    )
    with stores.opened(database_url) as store:
        with store.transaction() as inside:
            shown = inside.execute("SHOW transaction_isolation").fetchone()
        assert shown == ("read committed",)
        with store.connection() as single:
            shown = single.execute("SHOW transaction_isolation").fetchone()
            assert shown == ("read committed",)
            single.execute("SET default_transaction_isolation = 'serializable'")
        with store.transaction() as inside:
            shown = inside.execute("SHOW transaction_isolation").fetchone()
        assert shown == ("read committed",)


@pytest.mark.parametrize("limit", ["acquire", "statement", "lock", "transaction"])
def test_limits_are_lowered_only(limit: str) -> None:
    """A call can have less time than the settings give, never more, nor none."""
    limits = Limits()
    assert limits.lowered(**{limit: 1000}) == limits
    assert getattr(limits.lowered(**{limit: 0.5}), limit) == 0.5
    for bad in (0, -1, float("nan")):
        with pytest.raises(errors.InvalidValue, match=limit):
            limits.lowered(**{limit: bad})


# The network


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system knows no such limit"
)
def test_the_socket_has_the_limits_of_the_network(database_url: str) -> None:
    """The kernel ends a connection whose other end is gone; what the URL says wins."""
    url = database_url + ("&" if "?" in database_url else "?") + "keepalives_count=7"
    settings = stores.settings(url, database_network_timeout=9)
    with (
        Store(settings) as store,
        store.connection() as conn,
        socket.socket(fileno=os.dup(conn.fileno())) as same,
    ):
        limits = [
            same.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_USER_TIMEOUT,
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT,
            )
        ]
    assert limits == [9000, 3, 3, 7]


@pytest.mark.parametrize("times", [1, 3])
def test_a_silent_network_has_a_limit(tap: Proxy, user_id: UUID, times: int) -> None:
    """Where nothing comes back the client itself ends it, and connects anew later."""
    with stores.opened(
        tap.url, database_statement_timeout=0.5, database_connect_timeout=2
    ) as store:
        with ExitStack() as stack:
            for _ in range(times):
                stack.enter_context(store.connection())
        tap.silence()
        # The limit, 2 s for the server to say so first, 1 s for a cancellation.
        with (
            within(3.5),
            pytest.raises(errors.StatementTimeout),
            store.connection() as conn,
        ):
            users.get_user(conn, id=user_id)
        assert conn.closed
        tap.reset()
        with within(3.5 * times), store.connection() as conn:
            assert users.get_user(conn, id=user_id)


def test_a_write_into_silence_may_have_happened(tap: Proxy, user_id: UUID) -> None:
    """Where the client ends what commits by itself, nobody knows whether it did."""
    with stores.opened(tap.url, database_statement_timeout=0.5) as store:
        tap.silence()
        with pytest.raises(errors.OutcomeUnknown), store.connection() as conn:
            users.set_display_name(conn, id=user_id, display_name="Ada")


def test_a_commit_into_silence_may_have_happened(tap: Proxy, user_id: UUID) -> None:
    """So it is where COMMIT was sent."""

    def work(inside: psycopg.Connection) -> None:
        users.set_display_name(inside, id=user_id, display_name="Ada")
        tap.silence()

    with (
        stores.opened(tap.url, database_statement_timeout=0.5) as store,
        pytest.raises(errors.OutcomeUnknown),
    ):
        store.atomically(work)


def test_a_silent_server_is_told_at_the_start(tap: Proxy) -> None:
    """Opening a store that nobody answers has the limit of connecting."""
    tap.silence()
    settings = stores.settings(tap.url, database_connect_timeout=2)
    with within(2), pytest.raises(errors.ServerUnreachable, match="in time"):
        Store(settings).open()


def test_who_is_cancelled_need_not_wait_for_the_network(
    tap: Proxy, user_id: UUID
) -> None:
    """A task that gives up in a silent network is free 2 s later, with all it held."""

    async def work() -> None:
        async with AsyncStore(stores.settings(tap.url)) as store:
            tap.silence()
            with within(2.2), pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await store.cancel_order(user_id, user_id)
            tap.reset()
            assert store.statistics.connections == 0
            async with store.connection() as conn:
                await conn.execute("SELECT 1")

    asyncio.run(work())


# A frozen client

_CLIENT = """
import sys
from store import Settings, Store
from uuid import UUID
from generated import users
from generated.internal import user_steps
settings = Settings.load(database_url=sys.argv[1], database_idle_timeout=0.7)
with Store(settings) as store:
    print(flush=True)
    number = 0
    while True:
        number += 1
        with store.transaction() as conn:
            user_steps.lock_user(conn, id=UUID(sys.argv[2]))
            users.set_display_name(conn, id=UUID(sys.argv[2]), display_name=str(number))
            users.get_user(conn, id=UUID(sys.argv[2]))
"""


@pytest.mark.parametrize("milliseconds", [1, 4, 9, 17, 31])
def test_a_frozen_client_loses_its_locks(
    database_url: str, conn: psycopg.Connection, user_id: UUID, milliseconds: int
) -> None:
    """Wherever a client is stopped in its transactions, others get its locks soon."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, database_url, str(user_id)],
        stdout=subprocess.PIPE,
        env={**os.environ, "DATABASE_URL_DIRECT": database_url},
    ) as client:
        try:
            assert client.stdout
            client.stdout.readline()
            for _ in range(3):
                time.sleep(0.05 + milliseconds / 1000)
                client.send_signal(signal.SIGSTOP)
                with within(1):
                    user_steps.lock_user(conn, id=user_id)
                client.send_signal(signal.SIGCONT)
                if client.poll() is not None:
                    break
        finally:
            client.kill()


# Stops itself where a part of a round trip has left that no socket takes at once.
_CLIENT_WITH_MUCH = """
import os, signal, sys
from uuid import UUID
from generated.internal import user_steps
from store import Settings, Store
from store._sync import pipeline

send = pipeline.send

def send_a_part(pgconn):
    if pgconn.flush():
        print("frozen", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
    yield from send(pgconn)

pipeline.send = send_a_part
limits = {"database_idle_timeout": 3, "database_transaction_timeout": 4}
with Store(Settings.load(database_url=sys.argv[1], **limits)) as store:
    with store.transaction() as conn:
        user_steps.lock_user(conn, id=UUID(sys.argv[2]))
        conn.execute("SELECT length(%s)", ["x" * (64 << 20)]).fetchone()
"""
_HAS_TRANSACTION_TIMEOUT = 170000


def test_a_client_frozen_in_a_large_round_trip_loses_its_locks(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """`transaction` ends it from PostgreSQL 17 on; before, only its death does."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT_WITH_MUCH, database_url, str(user_id)],
        stdout=subprocess.PIPE,
    ) as client:
        try:
            assert client.stdout
            assert client.stdout.readline() == b"frozen\n"
            if conn.info.server_version >= _HAS_TRANSACTION_TIMEOUT:
                conn.execute("SET lock_timeout = '30s'")
                user_steps.lock_user(conn, id=user_id)
            else:
                conn.execute("SET lock_timeout = '6s'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    user_steps.lock_user(conn, id=user_id)
        finally:
            client.kill()
    user_steps.lock_user(conn, id=user_id)


def test_a_limit_frees_a_pool_that_an_outsider_blocks(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Five calls that wait for one row do not make the store unavailable for long."""
    other_id = factories.add_user(conn)

    async def work() -> None:
        settings = stores.settings(database_url, database_lock_timeout=0.3)
        async with AsyncStore(settings) as store:
            with user_locked(database_url, user_id):
                blocked = [
                    asyncio.ensure_future(store.cancel_order(user_id, user_id))
                    for _ in range(5)
                ]
                await asyncio.to_thread(gates.wait_until_waiting, conn, 5)
                with within(0.3), pytest.raises(errors.OrderNotFound):
                    await store.cancel_order(other_id, other_id)
                for each in blocked:
                    with pytest.raises(errors.LockTimeout):
                        await each

    asyncio.run(work())
