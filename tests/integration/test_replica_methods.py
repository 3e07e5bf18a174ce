"""What a replica does with every method, and what a bookmark costs.

The replica here is the primary itself, as in development: what refuses to write is the
session or the transaction, and not the server. tests/faults has real standbys.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr

from generated import users
from generated.aio import users as aio_users
from postgres_testing import proxy
from store import (
    AsyncReplica,
    AsyncStore,
    Replica,
    RoundTrip,
    Settings,
    Store,
    errors,
)
from store._sync.connection import StoreConnection
from store.bookmarks import Position
from tests.integration.test_within import METHODS, ONCHAIN, PEN, Shop, shop
from tests.support import stores

__all__ = ["shop"]

# Those that only read: the documents name them.
READING = {
    "atomically",
    "bookmark",
    "get_cart_item",
    "get_chain_cursor",
    "get_sui_private_key",
    "list_chat_sessions",
    "list_items_paid_twice",
    "list_orders",
    "list_orders_without_digest",
    "list_payments_that_differ",
    "list_payments_without_order",
    "list_set_aside_chain_events",
    "page_chat_sessions",
    "page_orders",
    "ping",
    "retry_chain_event",  # as long as there is none
}


def settings_of(url: str, name: str = "") -> Settings:
    """Give settings whose replica is the primary."""
    return stores.settings(
        url,
        cart_service="onchain" if name in ONCHAIN else "db",
        wallet_encryption_keys="0f" * 32,
        database_url_replica=stores.settings(url).database_url,
    )


def content(conn: psycopg.Connection) -> list[tuple[object, ...]]:
    """Give all rows that methods write, as hashes."""
    tables = ("users", "orders", "order_events", "cart_items", "chain_events")
    text = "SELECT coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {} t"
    return [
        row for table in tables for row in conn.execute(text.format(table).encode())
    ]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_reads_or_is_refused(
    database_url: str, conn: psycopg.Connection, shop: Shop, name: str
) -> None:
    """What only reads gives what the store gives; the server refuses all else."""
    before = content(conn)
    with Replica(settings_of(database_url, name)) as replica:
        if name in READING:
            METHODS[name](replica, shop)
        else:
            with pytest.raises(errors.ReplicaWritten) as refused:
                METHODS[name](replica, shop)
            assert not refused.value.retryable
            assert refused.value.sqlstate == "25006"
    assert content(conn) == before


def test_single_queries_and_locks_are_refused(database_url: str, user_id: UUID) -> None:
    """In both kinds of blocks, and on both faces."""
    with Replica(settings_of(database_url)) as replica:
        for lend in (replica.connection, replica.transaction):
            with pytest.raises(errors.ReplicaWritten), lend() as conn:
                users.set_display_name(conn, id=user_id, display_name="Ada")
            with pytest.raises(errors.ReplicaWritten), lend() as conn:
                conn.execute("SELECT FROM users FOR UPDATE")

    async def await_it() -> None:
        async with AsyncReplica(settings_of(database_url)) as replica:
            for lend in (replica.connection, replica.transaction):
                with pytest.raises(errors.ReplicaWritten):
                    async with lend() as conn:
                        await aio_users.set_display_name(
                            conn, id=user_id, display_name="Ada"
                        )

    asyncio.run(await_it())


def test_the_primary_shows_every_bookmark(database_url: str, user_id: UUID) -> None:
    """On a single machine a replica waits for nothing; both faces give bookmarks."""
    settings = settings_of(database_url)
    with Store(settings) as store, Replica(settings) as replica:
        tracked = store.tracked()
        assert tracked.bookmark() is None
        tracked.add_cart_item(user_id, PEN)
        bookmark = tracked.bookmark()
        reading = replica.at_least(bookmark, within=0)
        assert reading.list_orders(user_id).rows == []
        assert reading.at_least(store.bookmark(), within=0).ping()

    async def await_it() -> None:
        async with AsyncStore(settings) as store, AsyncReplica(settings) as replica:
            tracked = store.tracked()
            await tracked.clear_cart(user_id)
            bookmark = await tracked.bookmark()
            assert bookmark is not None
            async with replica.at_least(bookmark, within=0).connection() as conn:
                assert await aio_users.get_user(conn, id=user_id)

    asyncio.run(await_it())


@pytest.mark.parametrize(
    ("has_replica", "is_tracked"), [(True, True), (True, False), (False, True)]
)
def test_a_commit_is_one_round_trip(
    database_url: str,
    tmp_path: Path,
    *,
    has_replica: bool,
    is_tracked: bool,
) -> None:
    """With a look at the log where there is a replica and somebody tracks, too.

    Else nothing is sent for it; and a bookmark that was told needs no round trip.
    """
    plain = stores.settings(database_url)
    settings = settings_of(database_url) if has_replica else plain
    with Store(settings) as store, (tmp_path / "trace").open("w+") as trace:
        used = store.tracked() if is_tracked else store
        with used.transaction() as conn:
            conn.pgconn.trace(trace.fileno())
            conn.execute("UPDATE users SET display_name = 'Ada'")
        told = used.bookmark() if is_tracked else None
        sent = Path(trace.name).read_text()
    assert "COMMIT" in sent
    assert sent.count("Sync\n") == 1
    assert ("pg_current_wal" in sent) == (has_replica and is_tracked)
    assert (told is None) == (not has_replica or not is_tracked)


def test_what_is_committed_stays_so_if_its_position_is_refused(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The write succeeds, and only the bookmark fails, which a retry may then get."""
    control = "FUNCTION pg_control_system()"
    conn.execute("CREATE ROLE uninformed IN ROLE pg_read_all_data, pg_write_all_data")
    conn.execute(f"REVOKE EXECUTE ON {control} FROM PUBLIC".encode())
    try:
        mark = "&" if "?" in database_url else "?"
        url = f"{database_url}{mark}options=-crole%3Duninformed"
        # Past a pooler, which takes no options.
        own = Settings.load(database_url=url, database_url_replica=url)
        with Store(own) as store:
            tracked = store.tracked()
            with tracked.transaction() as writing:
                users.set_display_name(writing, id=user_id, display_name="Ada")
            with pytest.raises(errors.DatabaseError, match="InsufficientPrivilege"):
                tracked.bookmark()
            conn.execute(f"GRANT EXECUTE ON {control} TO PUBLIC".encode())
            assert tracked.bookmark()
    finally:
        conn.execute(f"GRANT EXECUTE ON {control} TO PUBLIC".encode())
        conn.execute("DROP ROLE uninformed")
    user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name == "Ada"


def test_two_who_ask_at_once_get_all_that_is_committed(
    database_url: str, user_id: UUID
) -> None:
    """Who comes while another is being answered does not get what was before."""
    answered, asked_again = threading.Event(), threading.Event()

    def observe(ended: RoundTrip) -> None:
        if ended.query == "sessions.get_wal_position" and not answered.is_set():
            answered.set()  # and not yet noted
            assert asked_again.wait(30)

    with Store(settings_of(database_url), observer=observe) as store:
        tracked = store.tracked()
        with tracked.connection() as conn:
            users.set_display_name(conn, id=user_id, display_name="Ada")
        with ThreadPoolExecutor(1) as other:
            first = other.submit(tracked.bookmark)
            assert answered.wait(30)
            try:
                second = tracked.bookmark()
            finally:
                asked_again.set()
            assert first.result()
        assert second


def test_a_block_that_goes_on_is_asked_for(database_url: str, user_id: UUID) -> None:
    """What its statements have committed is named before it ends, to other threads."""
    with Store(settings_of(database_url)) as store, ThreadPoolExecutor(1) as other:
        tracked = store.tracked()
        with tracked.connection() as conn:
            assert other.submit(tracked.bookmark).result()
            users.set_display_name(conn, id=user_id, display_name="Ada")
            end = conn.execute("SELECT pg_current_wal_flush_lsn() - '0/0'").fetchone()
            bookmark = other.submit(tracked.bookmark).result()
            assert bookmark
            assert end
            assert Position.parse(bookmark).lsn >= end[0]


def test_a_pooler_may_be_turned_to_another_system(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Through one, the system is asked with each COMMIT; straight to it, once."""
    database = f'ALTER DATABASE "{conn.info.dbname}" SET synchronous_commit = on'
    conn.execute(database.encode())  # or the bookmark would be asked for anyway
    given = settings_of(database_url).model_copy(
        update={"database_pooler": "yes", "database_pool_size": 1}
    )
    with Store(given) as store:
        tracked = store.tracked()
        with tracked.transaction() as lent:
            users.set_display_name(lent, id=user_id, display_name="Ada")
        assert isinstance(lent, StoreConnection)
        before = lent.position
        assert before
        lent.position = replace(before, system_id=1)  # as if it had been turned since
        with tracked.transaction() as again:
            users.set_display_name(again, id=user_id, display_name="Bob")
        assert again is lent
        bookmark = tracked.bookmark()
    assert bookmark
    assert Position.parse(bookmark).system_id == before.system_id


def test_a_read_whose_end_was_lost_has_written_nothing(database_url: str) -> None:
    """It is `ConnectionLost`, which is repeated, also in COMMIT and after a WITH."""
    with proxy.before(database_url) as tap:
        given = settings_of(database_url).model_copy(
            update={"database_url_replica": SecretStr(tap.url)}
        )
        with Replica(given) as replica:
            tap.cut_reply_to(b"COMMIT")
            with pytest.raises(errors.ConnectionLost), replica.transaction() as conn:
                conn.execute("SELECT 1")
            tap.cut_reply_to(b"SELECT 2")
            with pytest.raises(errors.ConnectionLost), replica.connection() as conn:
                conn.execute("WITH two AS (VALUES (1), (2)) SELECT FROM two")
            attempts: list[int] = []

            def work(conn: psycopg.Connection) -> None:
                attempts.append(conn.info.backend_pid)
                conn.execute("SELECT 1")

            tap.cut_reply_to(b"COMMIT")
            replica.atomically(work)
            assert len(attempts) == 2


def test_a_bookmark_of_another_system_is_refused(database_url: str) -> None:
    """A foreign one is told as such as it is read with, a forged one at once."""
    foreign = Position(system_id=1, timeline=1, lsn=0).bookmark()
    with Replica(settings_of(database_url)) as replica:
        with pytest.raises(errors.InvalidValue, match="bookmark"):
            replica.at_least(foreign).ping()
        with pytest.raises(errors.InvalidValue, match="bookmark"):
            replica.at_least("forged")
        with pytest.raises(errors.InvalidValue, match="within"):
            replica.at_least(None, within=-1)
        with pytest.raises(errors.InvalidValue, match="otherwise"):
            replica.at_least(None, otherwise=replica)


def test_a_replica_needs_its_url(database_url: str) -> None:
    """Without DATABASE_URL_REPLICA there is none, and the error names the variable."""
    with pytest.raises(errors.ConfigurationError, match="DATABASE_URL_REPLICA"):
        Replica(stores.settings(database_url))


def test_what_cannot_be_reached_is_named(database_url: str) -> None:
    """A replica that is not there is told by its own variable."""
    nowhere = stores.settings(
        database_url, database_url_replica="postgresql://u@127.0.0.1:1/d"
    )
    with pytest.raises(errors.ServerUnreachable, match="DATABASE_URL_REPLICA"):
        Replica(nowhere).open()


def test_a_standby_that_is_none_is_named(database_url: str) -> None:
    """Where the URL asks for a standby, the primary is refused, which is said."""
    mark = "&" if "?" in database_url else "?"
    url = f"{database_url}{mark}target_session_attrs=standby"
    with pytest.raises(errors.ServerUnreachable, match="prefer-standby"):
        Replica(stores.settings(database_url, database_url_replica=url)).open()
