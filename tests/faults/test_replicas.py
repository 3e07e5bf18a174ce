"""A replica shows what a bookmark names, or says that it does not.

Replay is paused wherever a test needs a standby that is behind: nothing is left to how
fast the machine is. docs/replicas.md tells how to set this up.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generated import users
from generated.aio import users as aio_users
from postgres_testing import clusters, pooler
from store import AsyncReplica, Product, Replica, RoundTrip, Settings, Store, errors
from store.bookmarks import Position
from tests.support import standbys
from tests.support.standbys import Servers, read, rename

PEN = Product(product_id="B02", product_name="Pen", price=250)


@pytest.fixture(scope="module")
def servers() -> Generator[Servers]:
    """Give a primary and a standby for which it does not wait."""
    if "TEST_DATABASE_URL" in os.environ:
        pytest.skip("the server of TEST_DATABASE_URL has no standby of ours")
    with standbys.start() as started:
        yield started


@pytest.fixture
def store(servers: Servers) -> Generator[Store]:
    """Give a store on the primary."""
    servers.be_synchronous(yes=False)
    with Store(servers.settings) as opened:
        yield opened


@pytest.fixture
def replica(servers: Servers) -> Generator[Replica]:
    """Give the replica."""
    with Replica(servers.settings) as opened:
        yield opened


@pytest.fixture
def user_id(store: Store, replica: Replica) -> UUID:
    """Give a user that the replica has, too."""
    user_id = standbys.add_user(store)
    assert read(replica.at_least(store.bookmark()), user_id) is None
    return user_id


def test_only_a_bookmark_keeps_a_read_from_being_stale(
    servers: Servers, store: Store, replica: Replica, user_id: UUID
) -> None:
    """Without one the replica shows what was before; with it, nothing until it can."""
    with servers.paused():
        bookmark = rename(store, user_id, "Ada")
        assert read(replica, user_id) is None
        with pytest.raises(errors.ReplicaBehind) as refused:
            read(replica.at_least(bookmark, within=0), user_id)
        assert refused.value.behind
        assert refused.value.behind > 0
        assert refused.value.retryable
    assert read(replica.at_least(bookmark), user_id) == "Ada"


class Looks:
    """An observer that tells when the replica was asked for the second time."""

    def __init__(self) -> None:
        self.count = 0
        self.twice = threading.Event()

    def __call__(self, ended: RoundTrip) -> None:
        """Count."""
        self.count += ended.query == "sessions.get_wal_position"
        if self.count >= 2:
            self.twice.set()


@pytest.mark.parametrize("awaits", [False, True])
def test_a_read_waits_until_the_replica_shows_the_write(
    servers: Servers, store: Store, user_id: UUID, *, awaits: bool
) -> None:
    """It holds no connection meanwhile, and goes on by itself."""
    looks = Looks()
    settings = servers.settings.model_copy(update={"database_pool_size": 1})
    found: list[str | None] = []

    def block(bookmark: str) -> None:
        with Replica(settings, observer=looks) as replica:
            waiting = threading.Thread(
                target=lambda: found.append(
                    read(replica.at_least(bookmark, within=60), user_id)
                )
            )
            waiting.start()
            assert looks.twice.wait(30)
            assert read(replica, user_id) is None  # by the only connection
            go_on()
            waiting.join()

    async def await_it(bookmark: str) -> None:
        async def read_it(replica: AsyncReplica) -> str | None:
            async with replica.connection() as conn:
                user = await aio_users.get_user(conn, id=user_id)
            return user.display_name if user else None

        async with AsyncReplica(settings, observer=looks) as replica:
            reading = replica.at_least(bookmark, within=60)
            waiting = asyncio.ensure_future(read_it(reading))
            assert await asyncio.to_thread(looks.twice.wait, 30)
            assert await read_it(replica) is None
            go_on()
            found.append(await waiting)

    with servers.paused() as go_on:
        bookmark = rename(store, user_id, "Ada")
        if awaits:
            asyncio.run(await_it(bookmark))
        else:
            block(bookmark)
    assert found == ["Ada"]


def rename_alone(store: Store, user_id: UUID, name: str) -> None:
    """Write it by a single query, which commits by itself."""
    with store.connection() as conn:
        users.set_display_name(conn, id=user_id, display_name=name)


def rename_within(store: Store, user_id: UUID, name: str) -> None:
    """Write it in a transaction together with a method."""
    with store.transaction() as conn:
        store.within(conn).add_cart_item(user_id, PEN)
        users.set_display_name(conn, id=user_id, display_name=name)


def rename_untracked_within(store: Store, user_id: UUID, name: str) -> None:
    """Write it by a tracked store within the transaction of another one."""
    other = store._copied()  # pyright: ignore[reportPrivateUsage]  # without memory
    other._writes = None  # pyright: ignore[reportPrivateUsage]  # as above
    with other.transaction() as conn, store.within(conn).transaction() as inside:
        users.set_display_name(inside, id=user_id, display_name=name)


WAYS: dict[str, Callable[[Store, UUID, str], object]] = {
    "transaction": rename,
    "atomically": lambda store, user_id, name: store.atomically(
        lambda conn: users.set_display_name(conn, id=user_id, display_name=name)
    ),
    "alone": rename_alone,
    "within": rename_within,
    "untracked": rename_untracked_within,
}
STEPS = st.lists(st.sampled_from(["pause", "resume", "read", *WAYS]), max_size=12)


@pytest.mark.parametrize(
    ("is_synchronous", "mode"),
    [(False, "off"), (False, "on"), (True, "on"), (True, "remote_apply")],
)
@settings(max_examples=8)
@given(steps=STEPS)
@example(steps=[step for way in WAYS for step in ("pause", way, "read", "resume")])
def test_no_read_with_a_bookmark_is_stale(
    servers: Servers, mode: str, steps: list[str], *, is_synchronous: bool
) -> None:
    """Whatever was written how, with replay going on or not: it is seen, or refused.

    Also where COMMIT waits for no disk, or for the standby: then replay is not paused.
    """
    given_ = servers.committing(mode)
    servers.be_synchronous(yes=is_synchronous)
    with Store(given_) as plain, Replica(given_) as replica, ExitStack() as pausing:
        user_id = standbys.add_user(plain)
        store, expected, is_paused = plain.tracked(), None, False
        bookmark = plain.bookmark()
        for number, step in enumerate([*steps, "resume", "read"]):
            if step == "pause" and mode != "remote_apply":
                pausing.enter_context(servers.paused())
                is_paused = True
            elif step == "resume":
                pausing.close()
                is_paused = False
            elif step in WAYS:
                expected = f"name {number}"
                WAYS[step](store, user_id, expected)
                bookmark = store.bookmark() or bookmark
            elif step == "read":
                within = 0 if is_paused else 10
                try:
                    found = read(replica.at_least(bookmark, within=within), user_id)
                except errors.ReplicaBehind:
                    assert is_paused
                else:
                    assert found == expected


def test_a_bookmark_at_a_beginning_is_reached(
    servers: Servers, store: Store, replica: Replica, user_id: UUID
) -> None:
    """The log's end may be behind the header of a page, or of a segment's first page.

    No record ends there, so a standby would never say that it has come so far. Others
    may write to the log, too, and move it on: so it is tried until it has been there.
    """
    for header, size, fill in ((24, 8192, fill_page), (40, 2**24, fill_segment)):
        was_there = False
        while not was_there:
            with psycopg.connect(servers.primary.url, autocommit=True) as conn:
                fill(conn)
                end = log_end(conn)
                bookmark = store.bookmark()
            assert bookmark
            lsn = Position.parse(bookmark).lsn
            was_there = end % size == header and end - header <= lsn <= end
            assert lsn % size == 0 or not was_there
            assert read(replica.at_least(bookmark), user_id) is None


def log_end(conn: psycopg.Connection) -> int:
    """Give where the next record begins."""
    row = conn.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
    assert row
    return int(row[0])


def fill_segment(conn: psycopg.Connection) -> None:
    """Have the log end where a segment does."""
    conn.execute("SELECT pg_logical_emit_message(FALSE, '', 'x'), pg_switch_wal()")


def fill_page(conn: psycopg.Connection) -> None:
    """Have the log end where a page does."""
    emit = "SELECT pg_logical_emit_message(FALSE, '', repeat('x', %s))"
    start = log_end(conn)
    conn.execute(emit, [800])
    around = log_end(conn) - start - 800
    left = 8192 - log_end(conn) % 8192 - around
    if left > 300:  # shorter ones have less around them
        conn.execute(emit, [left])


def test_what_another_session_did_not_wait_for_is_named(
    store: Store, replica: Replica, user_id: UUID
) -> None:
    """A bookmark of an untracked store names what is committed, flushed or not."""
    for number in range(20):
        with store.transaction() as conn:
            conn.execute("SET LOCAL synchronous_commit TO off")
            users.set_display_name(conn, id=user_id, display_name=f"{number}")
        assert read(replica.at_least(store.bookmark()), user_id) == f"{number}"


def test_a_bookmark_is_reached_beside_a_transaction_that_goes_on(
    servers: Servers, store: Store, replica: Replica, user_id: UUID
) -> None:
    """What nobody has committed is not waited for, though it is written to the log.

    Without a word to it the primary would flush that within 15 seconds, in which it
    logs what transactions are running.
    """
    url = clusters.urls_of("shop", servers.primary)
    with psycopg.connect(url) as open_:
        users.set_display_name(open_, id=user_id, display_name="Ada")
        for _ in range(2):
            bookmark = store.bookmark()
            assert read(replica.at_least(bookmark, within=6), user_id) is None
            users.set_display_name(open_, id=user_id, display_name="Bob")
        open_.rollback()


def test_the_primary_is_read_otherwise(
    servers: Servers, store: Store, replica: Replica, user_id: UUID
) -> None:
    """Where the replica does not come so far in time, a given store is read.

    It writes nothing then, and what belongs into a transaction of it may be there.
    """
    with servers.paused():
        bookmark = rename(store, user_id, "Ada")
        reading = replica.at_least(bookmark, within=0, otherwise=store)
        assert read(reading, user_id) == "Ada"
        assert reading.list_orders(user_id).rows == []
        with pytest.raises(errors.ReplicaWritten):
            reading.clear_cart(user_id)
        with pytest.raises(errors.ReplicaWritten), reading.connection() as conn:
            users.set_display_name(conn, id=user_id, display_name="Bob")
        with reading.transaction() as conn:
            assert reading.within(conn).list_orders(user_id).rows == []
    rename(store, user_id, "Eve")  # the store itself still writes
    assert read(reading, user_id) in {"Ada", "Eve"}


def test_a_replica_that_goes_away(
    servers: Servers, store: Store, replica: Replica, user_id: UUID
) -> None:
    """Reads fail, or go to the primary where they may, and succeed when it is back."""
    bookmark = rename(store, user_id, "Ada")
    hurried = replica.limited(acquire=0.5)
    assert read(hurried.at_least(bookmark), user_id) == "Ada"
    servers.standby.kill()
    try:
        with pytest.raises((errors.Unavailable, errors.ConnectionLost)):
            read(hurried.at_least(bookmark), user_id)
        assert read(hurried.at_least(bookmark, otherwise=store), user_id) == "Ada"
        assert read(hurried.at_least(None, otherwise=store), user_id) == "Ada"
    finally:
        servers.standby.start()
    assert read(replica.at_least(bookmark), user_id) == "Ada"


def test_a_read_that_replay_has_cancelled_is_made_again(
    servers: Servers, store: Store, replica: Replica, user_id: UUID
) -> None:
    """A standby that may not wait for a reader ends it, which is a passing reason."""
    attempts: list[int] = []

    def work(conn: psycopg.Connection) -> int:
        attempts.append(conn.info.backend_pid)
        if len(attempts) > 1:
            return len(attempts)
        conn.execute("SELECT count(*) FROM users").fetchone()  # or it is kept back
        # Replay waits for this lock, and is told not to: no sleep is waited for.
        changing = threading.Thread(
            target=lambda: servers.run("BEGIN; LOCK TABLE users; COMMIT")
        )
        changing.start()
        conn.execute("SELECT pg_sleep(60)").fetchone()
        changing.join()
        return 0

    with psycopg.connect(servers.standby.url, autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        conn.execute("SELECT pg_reload_conf()")
        shown = "SHOW max_standby_streaming_delay"
        while conn.execute(shown).fetchone() != ("0",):
            time.sleep(0.005)  # until this session has read it
        try:
            assert replica.atomically(work) == 2
        finally:
            conn.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
            conn.execute("SELECT pg_reload_conf()")
    assert read(replica.at_least(store.bookmark()), user_id) is None


@pytest.mark.skipif(
    pooler.program() is None, reason="TEST_PGBOUNCER names no PgBouncer"
)
def test_through_a_pooler_each_block_asks_anew(
    servers: Servers, store: Store, user_id: UUID
) -> None:
    """The next transaction may go to another standby, so nothing is remembered."""
    program = pooler.program()
    assert program
    url = clusters.urls_of("shop", servers.standby)
    with pooler.start(program, url) as between, ExitStack() as stack:
        pooled = Settings.load(database_url=url, database_url_replica=between.url(url))
        looks = Looks()
        replica = stack.enter_context(Replica(pooled, observer=looks))
        bookmark = rename(store, user_id, "Ada")
        for count in (1, 2):
            before = looks.count
            assert read(replica.at_least(bookmark), user_id) == "Ada"
            assert looks.count > before, count
        with servers.paused():
            bookmark = rename(store, user_id, "Bob")
            with pytest.raises(errors.ReplicaBehind):
                read(replica.at_least(bookmark, within=0), user_id)
        assert read(replica.at_least(bookmark), user_id) == "Bob"
        with pytest.raises(errors.ReplicaWritten):
            replica.clear_cart(user_id)
