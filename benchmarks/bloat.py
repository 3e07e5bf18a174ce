"""What is left of updated rows after many checkouts, with other settings of the tables.

    python -m benchmarks.bloat [CHECKOUTS [VARIANT…]]

Each item is added, ordered, and has two events applied and announced. Rows come to be
and are updated as with a checkout for each of them, but 50 go into a transaction: a
million take minutes. As they come much faster than in a shop, autovacuum looks each
second, not each minute.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg

from generated import orders
from generated.internal import cart_steps, order_steps
from postgres_testing import databases, embedded
from postgres_testing.schemas import apply_migrations
from store_testing import factories

CHECKOUTS = 100_000
MIGRATIONS = Path("db/migrations")
TABLES = ["cart_items", "orders", "order_items", "order_events"]
# What is set on each of the tables.
VARIANTS: dict[str, LiteralString] = {
    "as it is": "",
    "fillfactor 80": "fillfactor = 80",
    "vacuum at 2 %": "autovacuum_vacuum_scale_factor = 0.02",
}
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "autovacuum_naptime": "1s",
    "max_wal_size": "4GB",
}
_IN_ONE = 50
_EACH = 10_000
_SIZES = """
SELECT
    c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid),
    s.n_live_tup, s.n_dead_tup, s.n_tup_upd, s.n_tup_hot_upd,
    s.autovacuum_count
FROM pg_class AS c
INNER JOIN pg_stat_user_tables AS s ON s.relid = c.oid
WHERE c.relname = ANY (%s)
ORDER BY array_position(%s, c.relname::text)
"""


def main(arguments: list[str]) -> None:
    """Have variants work at once, each on its own database; print what is left."""
    checkouts = int(arguments[0]) if arguments else CHECKOUTS
    variants = arguments[1:] or [*VARIANTS]
    with embedded.start(settings=SETTINGS) as server:
        workers = [
            multiprocessing.Process(target=_work, args=(server.url, name, checkouts))
            for name in variants
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def _work(url: str, variant: str, checkouts: int) -> None:
    with databases.database(url) as own:
        apply_migrations(own, MIGRATIONS)
        with psycopg.connect(own, autocommit=True) as conn:
            if VARIANTS[variant]:
                for name in TABLES:
                    conn.execute(
                        f"ALTER TABLE {name} SET ({VARIANTS[variant]})".encode()
                    )
            user_id = factories.add_user(conn)
            for done in range(0, checkouts, _IN_ONE):
                if done % _EACH == 0:
                    sys.stderr.write(
                        f"{variant}: {done:,} of {checkouts:,} checkouts\n"
                    )
                    user_id = factories.add_user(conn)
                buy(conn, user_id, range(done, min(done + _IN_ONE, checkouts)))
            conn.execute("SELECT pg_stat_force_next_flush()")
            told = table(conn, f"{variant}, {checkouts:,} checkouts")
            conn.execute("VACUUM FULL")
            told += table(conn, f"{variant}, written anew")
            sys.stdout.write(told)
            sys.stdout.flush()


def buy(conn: psycopg.Connection[Any], user_id: UUID, numbers: range) -> None:
    """Add items, order them, and apply and announce the events of their orders."""
    items, ids = ([uuid4() for _ in numbers] for _ in range(2))
    crossmint = [f"crossmint-{number}" for number in numbers]
    nothing = [None] * len(numbers)
    cursor = psycopg.RawCursor(conn)
    with conn.pipeline():
        for item_id, number in zip(items, numbers, strict=True):
            cart_steps.send_add_cart_item(
                conn,
                id=item_id,
                user_id=user_id,
                product_id=f"B{number}",
                product_name="Squared notebook",
                price=1490,
                max_items=_IN_ONE,
            )
    with conn.transaction():
        order_steps.create_orders(
            conn,
            checkout_id=uuid4(),
            eventless=True,
            ids=ids,
            crossmint_order_ids=crossmint,
            amounts_usdc=nothing,
            user_id=user_id,
        )
        cart_steps.claim_cart_items_by_id(
            conn,
            order_ids=ids,
            cart_item_ids=items,
            expected_prices=nothing,
            user_id=user_id,
        )
    for kind in ("payment.succeeded", "delivery.completed"):
        ending = (f"orders.{kind}", *[None] * 6, True, b'{"type": "orders"}')
        events = [(f"{kind}-{name}", name, *ending) for name in crossmint]
        with conn.transaction():
            cursor.executemany(order_steps.INSERT_ORDER_EVENT, events)
            order_steps.recompute_orders(conn, ids=ids)
        cursor.executemany(orders.MARK_EVENT_ANNOUNCED, [event[:1] for event in events])


def table(conn: psycopg.Connection[Any], title: str) -> str:
    """Return the figures of the tables, in lines of Markdown; sizes are in MB."""
    lines = [title]
    for row in conn.execute(_SIZES, [TABLES, TABLES]):
        name, size, indexes, live, dead, updated, hot, vacuums = row
        share = hot / updated if updated else 0
        lines.append(
            f"| `{name}` | {size / 1e6:.1f} | {indexes / 1e6:.1f} | {live:,} |"
            f" {dead:,} | {share:.0%} | {vacuums} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main(sys.argv[1:])
