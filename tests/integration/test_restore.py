"""A dump comes back whole: functions and triggers need nobody's search path."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from generated import chats
from postgres_testing import databases
from postgres_testing.databases import Template
from postgres_testing.embedded import Server
from store_testing import factories
from tests.support import stores

_SCHEMA = Path(__file__).parents[2] / "db/schema.sql"


def _counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as conn:
        tables = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        counts: dict[str, int] = {}
        for (table,) in tables:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            [(counts[table],)] = conn.execute(query).fetchall()
        return counts


@pytest.fixture
def filled_url(database_url: str) -> str:
    """Give a database with a user, a chat, an item, an order and its event."""
    with stores.opened(database_url) as store:
        with store.connection() as conn:
            user_id = factories.add_user(conn)
            item = factories.add_item(conn, user_id)
            session = chats.create_chat_session(conn, user_id=user_id, title=None)
        assert session is not None
        message = {"id": "1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}
        store.save_turn(user_id, session.id, [message])
        store.checkout(user_id, [factories.line(item, "crossmint-1", Decimal(1))])
        event = factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
        store.record_order_event(event)
    return database_url


def test_a_dump_of_the_rows_comes_back_into_a_migrated_database(
    filled_url: str, postgres_template: Template, postgres_server: Server
) -> None:
    """No row is refused by a trigger that looks for a table in an empty path."""
    dump = subprocess.run(
        [
            postgres_server.bin / "pg_dump",
            "--data-only",
            "--exclude-table=schema_migrations",
            filled_url,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # A pg_dump that is newer than the server sets what that does not know.
    dump = dump.replace("SET transaction_timeout = 0;\n", "")
    with postgres_template.clone() as restored:
        done = subprocess.run(
            [
                postgres_server.bin / "psql",
                "-qX",
                "-o/dev/null",
                "-vON_ERROR_STOP=1",
                restored,
            ],
            input=dump,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert _counts(restored) == _counts(filled_url)


@pytest.mark.parametrize("path", ["''", "elsewhere", "pg_temp, public"])
def test_another_search_path_changes_nothing(database_url: str, path: str) -> None:
    """Triggers find their tables, not those of the same name in a caller's path."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA elsewhere")
        for schema in ("elsewhere", "pg_temp"):
            for table in ("retired_orders", "chat_sessions"):
                conn.execute(
                    f"CREATE TABLE {schema}.{table}"
                    f" (LIKE public.{table} INCLUDING ALL)".encode()
                )
        conn.execute(
            "INSERT INTO public.retired_orders (id, tx_hash)"
            " VALUES (gen_random_uuid(), '0x' || repeat('ab', 32))"
        )
        conn.execute(f"SET search_path = {path}".encode())
        [user] = conn.execute(
            "INSERT INTO public.users (crossmint_user_id) VALUES ('x') RETURNING id"
        ).fetchall()
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute(
                "INSERT INTO public.orders (user_id, type, tx_hash)"
                " VALUES (%s, 'deposit', '0x' || repeat('ab', 32))",
                user,
            )
        conn.execute(
            "INSERT INTO public.order_events (id, crossmint_order_id, type)"
            " VALUES ('1', 'c', 'orders.payment.succeeded')"
        )
        conn.execute("INSERT INTO public.chat_sessions (user_id) VALUES (%s)", user)
        conn.execute("UPDATE public.chat_sessions SET title = 'x'")
        [status] = conn.execute(
            "SELECT public.order_status_of('{orders.payment.succeeded}')"
        ).fetchall()
        assert status == ("payment_confirmed",)


@pytest.mark.parametrize("path", ["''", "elsewhere", "pg_temp, public"])
def test_functions_work_where_they_were_made(database_url: str, path: str) -> None:
    """What they read and write beside the row is in their schema, not in the path."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA elsewhere")
        for schema in ("elsewhere", "pg_temp"):
            for table in ("users", "orders", "chat_sessions", "chain_events"):
                conn.execute(
                    f"CREATE TABLE {schema}.{table}"
                    f" (LIKE public.{table} INCLUDING ALL)".encode()
                )
        conn.execute(f"SET search_path = {path}".encode())
        [(user_id,)] = conn.execute(
            "INSERT INTO public.users (crossmint_user_id, wallet_address)"
            " VALUES ('x', '0x' || repeat('ab', 32)) RETURNING id"
        )
        conn.execute(
            "INSERT INTO public.chat_sessions (user_id, updated_at)"
            " VALUES (%s, '2999-01-01Z')",
            [user_id],
        )
        later = conn.execute(
            "SELECT public.next_chat_session_time(%s) > '2999-01-01Z'", [user_id]
        )
        assert later.fetchone() == (True,)
        [(order_id,)] = conn.execute(
            "INSERT INTO public.orders (user_id, type) VALUES (%s, 'checkout')"
            " RETURNING id",
            [user_id],
        )
        conn.execute(
            "INSERT INTO public.order_items (order_id, product_id, product_name, price,"
            " on_chain_object_id) VALUES (%s, 'B01', 'Notebook', 1490, %s)",
            [order_id, "0x" + "cd" * 32],
        )
        orders = conn.execute("SELECT on_chain FROM public.orders").fetchall()
        assert orders == [(True,)]
        conn.execute(
            "INSERT INTO public.chain_events (tx_digest, event_sequence, type,"
            " object_id, wallet_address, occurred_at)"
            " SELECT repeat('1', 32), 0, 'removed', %s, wallet_address, now()"
            " FROM public.users",
            ["0x" + "cd" * 32],
        )
        conn.execute("DELETE FROM public.users")
        left = conn.execute("SELECT count(*) FROM public.chain_events")
        assert left.fetchone() == (0,)


def test_the_committed_schema_loads_into_an_empty_database(
    postgres_server: Server,
) -> None:
    """By psql alone, with no setting that a dump would bring along."""
    load = ("-qX", "--output=/dev/null", "--set=ON_ERROR_STOP=1", f"--file={_SCHEMA}")
    with (
        databases.database(postgres_server.url) as url,
    ):
        done = subprocess.run(
            [postgres_server.bin / "psql", *load, url],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
