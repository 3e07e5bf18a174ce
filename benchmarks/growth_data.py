"""Rows of any number, spread as those of a shop that has run for three years.

A size is the number of cart items, orders and chat messages. One user, the eldest, has
a fifth of the orders, at most 20,000, and one conversation of half the messages, at
most 10,000; of the others the more have the fewer. What waits for a worker is a
hundredth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

OWN_ROWS = 20_000
_ROWS = Path(__file__).with_name("growth_data.sql")


def fill(
    conn: psycopg.Connection[Any], rows: int, progress: Callable[[str], None]
) -> None:
    """Fill an empty database with so many rows, and have the server look at them."""
    values = {"rows": rows, "users": rows // 10, "own": min(OWN_ROWS, rows // 5)}
    # Several statements at once take no parameters on the server.
    cur = psycopg.ClientCursor(conn)
    # What triggers and foreign keys would check is made right.
    cur.execute("SET session_replication_role = replica")
    _, *parts = _ROWS.read_text(encoding="utf-8").split("-- table: ")
    for part in parts:
        table, _, statements = part.partition("\n")
        progress(f"{rows:,} rows: {table}")
        cur.execute(statements.encode(), values)
    cur.execute("RESET session_replication_role")
    progress(f"{rows:,} rows: VACUUM ANALYZE")
    cur.execute("VACUUM (ANALYZE)")
