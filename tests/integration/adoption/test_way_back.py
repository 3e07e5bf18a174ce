"""The way back to the old backend, as docs/adopting.md has it."""

import os
import subprocess
from collections.abc import Generator

import psycopg
import pytest
from psycopg import sql

from postgres_testing import databases
from postgres_testing.embedded import Server
from tests.integration.adoption.conftest import Dump
from tests.support import adopted, drizzle
from tests.support.tables import Rows, Tables


@pytest.fixture
def new_old_url(postgres_server: Server) -> Generator[str]:
    """Give the URL of an empty database that the old backend's migrations have made."""
    with (
        databases.template(postgres_server.url, drizzle.make) as made,
        made.clone() as url,
    ):
        yield url


def go_back(server: Server, url: str, to: str) -> str:
    """Run the script, and give what it says."""
    return subprocess.run(
        [adopted.SCRIPTS / "back.sh", to],
        env={"PATH": f"{server.bin}:{os.defpath}", "DATABASE_URL": url},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def shared(before: Rows, after: Rows) -> Rows:
    """Give the rows of one database, with the columns of the other."""
    return {
        table: {
            row_id: {column: after[table][row_id][column] for column in row}
            for row_id, row in rows.items()
        }
        for table, rows in before.items()
    }


def read(url: str) -> Rows:
    """Read all rows, with their times as instants, or in UTC if without zone."""
    with psycopg.connect(url, options="-c TimeZone=UTC") as conn:
        rows = Tables(conn).read()
    for row in (row for each in rows.values() for row in each.values()):
        for column in row.keys() & {"created_at", "updated_at", "deleted_at"}:
            row[column] = row[column] and row[column].removesuffix("+00:00")
    return rows


def test_all_rows_go_back_and_can_be_adopted_again(
    old_url: str, new_old_url: str, postgres_server: Server
) -> None:
    """What was mended stays so; what has come since is there, too, times as in UTC."""
    adopted.adopt(old_url)
    for url in (old_url, new_old_url):
        with psycopg.connect(url) as conn:
            conn.execute(
                sql.SQL("ALTER DATABASE {} SET TimeZone = 'Asia/Tokyo'").format(
                    sql.Identifier(conn.info.dbname)
                )
            )
    with psycopg.connect(old_url) as conn:
        conn.execute(
            "INSERT INTO users (crossmint_user_id) VALUES ('google|new');"
            "INSERT INTO chat_messages (session_id, msg_id, role, parts)"
            " SELECT id, 'new', 'user', '[]' FROM chat_sessions;"
            "UPDATE orders SET status = 'cancelled' WHERE id::text LIKE '%1'"
        )
    here = read(old_url)
    told = go_back(postgres_server, old_url, new_old_url)
    assert "copied 5 rows of users" in told
    back = read(new_old_url)
    expected = shared(back, here)
    for row in expected["users"].values():
        row["email"] = row["email"] or ""
    assert back == expected
    found = adopted.adopt(new_old_url)
    again = read(new_old_url)
    assert {row.rule for row in found.mended} == {"empty_text"}
    assert shared(back, again) == shared(back, here)


def test_the_old_backend_goes_on_with_what_went_back(
    old_url: str, new_old_url: str, postgres_server: Server
) -> None:
    """Its statements meet the tables that they were written for."""
    adopted.adopt(old_url)
    go_back(postgres_server, old_url, new_old_url)
    if drizzle.INSTALLED:
        drizzle.write(new_old_url, drizzle.INSTALLED)
    with psycopg.connect(new_old_url) as conn:
        # What none of ours would take.
        conn.execute(
            "INSERT INTO users (crossmint_user_id, email, evm_address)"
            " VALUES ('google|eva', '', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed');"
            "INSERT INTO chat_messages (session_id, role, parts)"
            " SELECT id, 'user', '\"Hi\"' FROM chat_sessions LIMIT 1"
        )
    assert adopted.adopt(new_old_url).breaking == ()


def test_the_cursor_goes_back_to_redis(
    old_url: str, new_old_url: str, postgres_server: Server
) -> None:
    """The old indexer goes on where the mirror has stopped."""
    adopted.adopt(old_url)
    with psycopg.connect(old_url) as conn:
        conn.execute(
            "INSERT INTO chain_cursor (tx_digest, event_seq) VALUES ('x', '7')"
        )
    assert go_back(postgres_server, old_url, new_old_url).splitlines()[-1] == (
        """in Redis: SET sui:indexer:cursor '{"txDigest" : "x", "eventSeq" : "7"}'"""
    )


def test_a_backup_restores_the_old_database(
    old_url: str, postgres_server: Server, dump: Dump
) -> None:
    """Drizzle's ledger included."""
    # A pg_dump that is newer than the server sets what that does not know.
    backup = dump(old_url).replace("SET transaction_timeout = 0;\n", "")
    adopted.adopt(old_url)

    def restore(url: str) -> None:
        subprocess.run(
            [postgres_server.bin / "psql", "-qX", "-v", "ON_ERROR_STOP=1", url],
            input=backup,
            check=True,
            text=True,
            stdout=subprocess.DEVNULL,
        )

    with databases.template(postgres_server.url, restore) as made, made.clone() as url:
        restored = dump(url).replace("SET transaction_timeout = 0;\n", "")
        assert restored == backup
