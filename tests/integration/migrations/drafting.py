"""Drafting in a folder of one's own, and a look at the result that owes it nothing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from postgres_testing.embedded import Server
from store import migrations
from store.schema_tools import drafts, dumps, scratch
from store.settings import DatabaseSettings

__all__ = ["assert_reaches", "connected", "draft", "dumped", "migrated", "write_before"]


def write_before(folder: Path, before: str) -> None:
    """Make a schema by the only migration of a folder."""
    text = f"-- migrate:up\n{before}\n-- migrate:down\n"
    (folder / "0001_before.sql").write_text(text, encoding="utf-8")
    migrations.record(folder)


def draft(at: DatabaseSettings, folder: Path, before: str, after: str) -> drafts.Draft:
    """Draft in a folder from one schema to another."""
    write_before(folder, before)
    wished = folder / "schema.txt"
    wished.write_text(after, encoding="utf-8")
    return drafts.draft(at, directory=folder, schema=wished)


@contextmanager
def connected(database: DatabaseSettings) -> Generator[psycopg.Connection]:
    """Give an autocommit connection."""
    url = database.database_url.get_secret_value()
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


@contextmanager
def migrated(at: DatabaseSettings, folder: Path) -> Generator[DatabaseSettings]:
    """Have a database on which the folder's migrations ran."""
    migrations.record(folder)
    with scratch.database(at) as made:
        migrations.up(made, directory=folder)
        yield made


def assert_reaches(
    server: Server,
    at: DatabaseSettings,
    folder: Path,
    after: str,
    *,
    back_to: str,
    steps: int = 1,
) -> None:
    """Go up, down and up, and compare with schemas that were never migrated."""
    with ExitStack() as stack:
        wished, earlier = (stack.enter_context(scratch.database(at)) for _ in range(2))
        for database, schema in ((wished, after), (earlier, back_to)):
            with connected(database) as conn:
                conn.execute(schema.encode())
        made = stack.enter_context(migrated(at, folder))
        assert dumped(server, made) == dumped(server, wished)
        for _ in range(steps):
            migrations.rollback(made, directory=folder)
        assert dumped(server, made) == dumped(server, earlier)
        migrations.up(made, directory=folder)
        assert dumped(server, made) == dumped(server, wished)


def dumped(server: Server, database: DatabaseSettings) -> list[str]:
    """Give the lines of the server's own pg_dump.

    Sorted, as no migration moves a column, and with a list's casts in one place, which
    PostgreSQL puts elsewhere when it reads what it wrote.
    """
    url = database.database_url.get_secret_value()
    options = ["--schema-only", "--exclude-table=schema_migrations", f"--dbname={url}"]
    text = subprocess.run(
        [server.bin / "pg_dump", *options], check=True, capture_output=True, text=True
    ).stdout
    text = dumps.without_private_options(text)
    # A name that 18 gives, and that stays when the column is renamed.
    text = re.sub(r" CONSTRAINT \w+(?= NOT NULL,?$)", "", text, flags=re.MULTILINE)
    text = re.sub(r"\(('\w+')::character varying\)::text", r"\1", text)
    text = re.sub(r"\(ARRAY\[([^]]*)\]\)::text\[\]", r"ARRAY[\1]", text)
    text = re.sub(r"('\w+')::character varying(?=[,\]])", r"\1", text)
    lines = (line.removesuffix(",") for line in text.splitlines())
    return sorted(line for line in lines if not re.match(r"\\(un)?restrict ", line))
