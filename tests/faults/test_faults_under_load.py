"""Whatever fails under eight workers, nothing acknowledged is lost.

After each fault every call has an explanation, the rows included
(`store_testing.history`), and each pool gives answers again within a second.
docs/faults.md lists these tests.
FAULT_CALLS is how many calls are made before and after the fault (default 30). Tests
that have to wait for the client's own limits, some seconds, run where it is given.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from generated import carts
from postgres_testing import databases, embedded, pooler, proxy, server_cache
from postgres_testing.clusters import Cluster
from postgres_testing.proxy import Sender
from store import Store
from store_testing.history.farm import Farm, Running
from tests.faults.load import CALLS, LIMITS, Aftermath, under_load
from tests.support import stores

TIMES = max(3, CALLS // 12)
LONGEST = LIMITS["statement"] + 4 + 2 * LIMITS["connect"] + 1
"""So many seconds a call takes at most where nobody answers."""
CHANCE = random.Random()  # noqa: S311 - no secret

END_ONE = """
SELECT pg_terminate_backend(pid) FROM (
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'chat-commerce-store'
    ORDER BY random() LIMIT 1
) AS one
"""


def harmed(
    workers: Farm,
    url: str,
    fault: Callable[[Running], None],
    *,
    through: str | None = None,
    limits: dict[str, float] | None = None,
    pool: int = 2,
) -> Aftermath:
    """Have a fault under load; afterwards each pool gives answers soon."""
    after = under_load(workers, url, fault, through=through, limits=limits, pool=pool)
    print(dict(after.failed), f"{after.recovered:.2f} s", f"{len(after.calls)} calls")
    assert after.soon, f"{after.recovered:.2f} s, and {after.calm:.2f} s before"
    return after


def test_backends_ended_at_random_statements(workers: Farm, shop: str) -> None:
    """A session that the server ends costs at most a call, which says what it wrote."""

    def fault(_: Running) -> None:
        with psycopg.connect(shop, autocommit=True) as conn:
            for _number in range(TIMES * 3):
                conn.execute(END_ONE)
                time.sleep(CHANCE.uniform(0.005, 0.05))

    after = harmed(workers, shop, fault)
    assert after.only("ConnectionLost", "OutcomeUnknown")
    lost = {call.name for call in after.calls if call.error == "ConnectionLost"}
    assert not lost & {"checkout", "save", "clear", "delete", "page"}, "not repeated"


def test_replies_to_commit_lost(workers: Farm, shop: str) -> None:
    """What was committed unseen is `OutcomeUnknown`, and there as a whole."""
    with proxy.before(shop) as tap:

        def fault(running: Running) -> None:
            for _ in range(TIMES):
                tap.cut_reply_to(b"COMMIT")
                wait_until(lambda: not tap.is_armed)
                running.wait_for_calls(4)

        after = harmed(workers, shop, fault, through=tap.url)
    assert after.only("OutcomeUnknown", "ConnectionLost")
    assert after.failed["OutcomeUnknown"]


def test_connections_cut_anywhere(workers: Farm, shop: str) -> None:
    """A connection cut at any message, or after any byte, costs at most the call."""
    with proxy.before(shop) as tap:

        def fault(running: Running) -> None:
            for number in range(TIMES * 4):
                sender: Sender = "client" if number % 2 else "server"
                if number % 4 < 2:
                    tap.cut_after_bytes(sender, CHANCE.randrange(1, 9000))
                elif sender == "client":
                    tap.cut_before_message(CHANCE.randrange(1, 30))
                else:
                    tap.cut_after_message(CHANCE.randrange(1, 30))
                wait_until(lambda: not tap.is_armed)
                running.wait_for_calls(2)

        after = harmed(workers, shop, fault, through=tap.url)
    assert after.only("OutcomeUnknown", "ConnectionLost")


@pytest.mark.long
def test_packets_swallowed(workers: Farm, shop: str) -> None:
    """A network that swallows everything makes calls fail in time."""
    with proxy.before(shop) as tap:

        def fault(_: Running) -> None:
            tap.silence()
            time.sleep(LONGEST + 1)
            tap.reset()

        after = harmed(workers, shop, fault, through=tap.url)
    assert after.failed.total()
    assert after.longest < LONGEST
    assert after.only(
        "OutcomeUnknown",
        *("StatementTimeout", "TransactionTimeout", "ConnectionLost"),
        *("ServerUnreachable", "PoolExhausted"),
    )


def test_server_killed(workers: Farm, cluster: Cluster, shop: str) -> None:
    """The server is killed and started again: what it acknowledged is there."""

    def fault(_: Running) -> None:
        cluster.kill()
        cluster.start()

    after = harmed(workers, shop, fault)
    assert after.only(
        *("ConnectionLost", "OutcomeUnknown", "ServerUnreachable", "ServerNotReady")
    )


@pytest.mark.long
def test_server_frozen(workers: Farm, cluster: Cluster, shop: str) -> None:
    """A server that stands still for seconds makes calls fail in time."""

    def fault(_: Running) -> None:
        cluster.freeze()
        time.sleep(LONGEST + 1)
        cluster.thaw()

    after = harmed(workers, shop, fault)
    assert after.failed.total()
    assert after.longest < LONGEST
    assert after.only(
        "OutcomeUnknown",
        *("StatementTimeout", "TransactionTimeout", "LockTimeout", "ConnectionLost"),
        *("ServerUnreachable", "ServerNotReady", "PoolExhausted"),
    )


def test_disk_full(workers: Farm, cluster: Cluster) -> None:
    """A full disk refuses writes with a name of its own, and harms nothing else."""
    with small_disk() as folder, psycopg.connect(cluster.url, autocommit=True) as conn:
        made = sql.SQL("CREATE TABLESPACE small LOCATION {}")
        conn.execute(made.format(sql.Literal(str(folder))))
        copying = sql.SQL("TEMPLATE shop TABLESPACE small STRATEGY file_copy")
        url = databases.create(cluster.url, "full_shop", copying)
        try:

            def fault(running: Running) -> None:
                with psycopg.connect(url, autocommit=True) as filling:
                    filling.execute("CREATE TABLE filler (line text)")
                    for lines in (1000, 100, 10):
                        with suppress(psycopg.errors.DiskFull):
                            while True:
                                filling.execute(
                                    "INSERT INTO filler SELECT repeat('x', 900)"
                                    " FROM generate_series(1, %s)",
                                    [lines],
                                )
                    # Rows that are short find room for a while.
                    deadline = time.monotonic() + 30
                    while time.monotonic() < deadline:
                        running.wait_for_calls(CALLS * 3)
                        if any(call.error == "DiskFull" for call in running.calls()):
                            break
                    filling.execute("DROP TABLE filler")
                    filling.execute("CHECKPOINT")

            after = harmed(workers, url, fault)
        finally:
            databases.drop(cluster.url, "full_shop")
            conn.execute("DROP TABLESPACE small")
    assert after.failed["DiskFull"]
    assert after.only("DiskFull")


def test_max_connections_exhausted(workers: Farm, cluster: Cluster, shop: str) -> None:
    """A server without room for connections is `ServerNotReady` meanwhile."""

    def fault(running: Running) -> None:
        with ExitStack() as stack:
            held = [stack.enter_context(psycopg.connect(cluster.url, autocommit=True))]
            while True:
                with suppress(psycopg.OperationalError):
                    while True:
                        connected = psycopg.connect(cluster.url, autocommit=True)
                        held.append(stack.enter_context(connected))
                ended = held[0].execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'chat-commerce-store'"
                )
                if not ended.rowcount:
                    break
            del running
            time.sleep(1)  # longer than `acquire`

    after = harmed(workers, shop, fault, limits={"acquire": 0.5})
    refused = [call for call in after.calls if call.error == "ServerNotReady"]
    assert refused
    assert (
        min(call.end - call.begin for call in refused) > 0.15
    )  # `acquire` less a pause
    assert after.only(
        "ServerNotReady", "PoolExhausted", "ConnectionLost", "OutcomeUnknown"
    )


def test_pool_exhausted(workers: Farm, shop: str) -> None:
    """Where all connections are lent and stay so, the others are told in time."""

    def fault(_: Running) -> None:
        with rows_locked(shop):
            time.sleep(0.7)

    limits = {"acquire": 0.2, "lock": 0.5}
    after = harmed(workers, shop, fault, limits=limits, pool=1)
    assert after.failed["PoolExhausted"]
    assert after.only("PoolExhausted", "LockTimeout", "StatementTimeout")


def test_rows_locked_by_an_outsider(workers: Farm, shop: str) -> None:
    """Somebody else's lock ends in `LockTimeout`, with nothing written."""

    def fault(_: Running) -> None:
        with rows_locked(shop):
            time.sleep(0.7)

    after = harmed(workers, shop, fault, limits={"lock": 0.3})
    assert after.failed["LockTimeout"]
    assert after.only("LockTimeout", "StatementTimeout", "TransactionTimeout")


@pytest.mark.skipif(pooler.program() is None, reason="TEST_PGBOUNCER names none")
def test_pooler_restarted(
    workers: Farm, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PgBouncer is killed and started again: the pool finds it."""
    program = pooler.program()
    assert program

    with ExitStack() as first:
        running_pooler = first.enter_context(pooler.start(program, shop))
        port = running_pooler.port

        def fault(_: Running) -> None:
            first.close()
            with monkeypatch.context() as patched:
                patched.setattr(embedded, "free_port", lambda: port)
                second.enter_context(pooler.start(program, shop))

        with ExitStack() as second:
            after = harmed(workers, shop, fault, through=running_pooler.url(shop))
    assert after.only(
        *("ConnectionLost", "OutcomeUnknown", "ServerUnreachable", "ServerNotReady")
    )


def test_columns_changed(workers: Farm, cluster: Cluster, shop: str) -> None:
    """Columns are added, dropped and widened under prepared statements, unseen."""

    def outdated() -> int:
        log = (cluster.folder / "log").read_text(errors="replace")
        return log.count("cached plan must not change result type")

    before = outdated()

    def read(store: Store) -> None:
        with store.connection() as conn:
            carts.list_cart_items(conn, user_id=uuid4(), max_rows=1)

    def fault(running: Running) -> None:
        with (
            psycopg.connect(shop, autocommit=True) as conn,
            stores.opened(shop, database_pool_size=1) as reader,
        ):
            conn.execute("SET lock_timeout = '300ms'")
            for wide in range(600, 600 + TIMES):
                running.wait_for_calls(CALLS // 5)
                for _ in range(6):  # after five the driver prepares it
                    read(reader)
                for change in (
                    "ALTER TABLE cart_items ADD COLUMN later integer",
                    "ALTER TABLE orders ADD COLUMN later integer",
                    f"ALTER TABLE cart_items ALTER product_name TYPE varchar({wide})",
                    f"ALTER TABLE order_items ALTER retailer TYPE varchar({wide})",
                    "ALTER TABLE cart_items DROP COLUMN later",
                    "ALTER TABLE orders DROP COLUMN later",
                ):
                    until_it_works(conn, change)
                    read(reader)
                    running.wait_for_calls(2)

    after = harmed(workers, shop, fault, pool=1)
    # While a change waits for the table, which it does anew after each 300 ms.
    assert after.only("LockTimeout", "TransactionTimeout")
    assert outdated() >= before + TIMES, "plans were not outdated"


def test_worker_killed(workers: Farm, shop: str) -> None:
    """What a killed process had begun is there as a whole or not; no lock is held."""

    def fault(running: Running) -> None:
        process = running.processes[0]

        def is_in_a_call() -> bool:
            process.send_signal(signal.SIGSTOP)  # what it is in now, it stays in
            begun = [call for call in running.calls() if call.error == "never returned"]
            if any(call.worker.startswith("sync-0.") for call in begun):
                return True
            process.send_signal(signal.SIGCONT)
            return False

        with in_transaction(shop):
            wait_until(is_in_a_call)
            workers.kill(0)

    after = harmed(workers, shop, fault)
    assert after.only("LockTimeout", "PoolExhausted")
    assert after.failed["never returned"]


def test_worker_frozen(workers: Farm, shop: str) -> None:
    """A process frozen in its transactions holds locks no longer than `idle`."""
    idle = 0.5

    def fault(running: Running) -> None:
        process = running.processes[0]
        with in_transaction(shop):
            process.send_signal(signal.SIGSTOP)
        time.sleep(idle + 0.5)
        with psycopg.connect(shop, autocommit=True) as conn:
            held = conn.execute(
                "SELECT state FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'chat-commerce-store'"
                " AND xact_start < now() - interval '0.9 s'"
            ).fetchall()
        process.send_signal(signal.SIGCONT)
        assert held == []

    after = harmed(workers, shop, fault, limits={"idle": idle})
    assert after.only(
        *("LockTimeout", "PoolExhausted", "ConnectionLost", "OutcomeUnknown"),
        *("StatementTimeout", "TransactionTimeout"),
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until it is so, for 20 s at most."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def until_it_works(conn: psycopg.Connection, change: str) -> None:
    """Change a table that is in use, as soon as it can be had."""
    while True:
        with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            conn.execute(change.encode())
            return


@contextmanager
def rows_locked(url: str) -> Generator[None]:
    """Lock the rows of all users, as somebody at a prompt might."""
    with psycopg.connect(url) as conn:
        conn.execute("SELECT FROM users FOR UPDATE")
        yield
        conn.rollback()


@contextmanager
def in_transaction(url: str) -> Generator[None]:
    """Have sessions wait in their transactions, for a lock that goes with the block."""
    with psycopg.connect(url) as conn, psycopg.connect(url, autocommit=True) as watch:
        conn.execute("SELECT FROM users FOR UPDATE")
        waiting = (
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        wait_until(lambda: watch.execute(waiting).rowcount >= 4)
        yield
        conn.rollback()


@contextmanager
def small_disk() -> Generator[Path]:
    """Mount a small file system of memory; only root may."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", folder],
            check=False,
            capture_output=True,
            text=True,
        )
        if mounted.returncode:
            pytest.skip(f"no small disk can be mounted: {mounted.stderr.strip()}")
        server_cache.give(folder)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=False, capture_output=True)
        folder.rmdir()
