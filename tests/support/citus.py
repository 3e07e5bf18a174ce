"""The tests' stores in a distributed schema of the Citus that TEST_CITUS_URL names.

It is so where TEST_DATABASE_SCHEMA names a schema, too, or a test makes one of its own.
No database is cloned there, as Citus keeps a session on each that has it: a run has one
schema, which is emptied for each test, and made anew where a test has changed it.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from store import migrations
from store.settings import DatabaseSettings
from store_testing.schema import MIGRATIONS

__all__ = ["URL", "OneSchema", "in_schema", "make", "node", "schema", "with_options"]

URL = os.environ.get("TEST_CITUS_URL", "")

# The ledger holds what the migrations have written.
_TABLES = """
SELECT relname FROM pg_class
WHERE
    relnamespace = %s::regnamespace AND relkind = 'r'
    AND relname <> 'schema_migrations'
ORDER BY relname <> 'users', relname = 'retired_orders', relname"""

# What a test may have added to the schema, taken from it, or altered there.
_SHAPE = """
SELECT
    (SELECT array_agg((oid, relname) ORDER BY oid) FROM pg_class
     WHERE relnamespace = given.oid)::text,
    (SELECT array_agg((oid, xmin) ORDER BY oid) FROM pg_proc
     WHERE pronamespace = given.oid)::text,
    (SELECT array_agg((oid, convalidated) ORDER BY oid) FROM pg_constraint
     WHERE connamespace = given.oid)::text,
    (SELECT array_agg((pg_trigger.oid, tgenabled) ORDER BY pg_trigger.oid)
     FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
     WHERE relnamespace = given.oid AND NOT tgisinternal)::text
FROM (SELECT %s::regnamespace::oid) AS given (oid)"""

_NODE = """
SELECT nodename, nodeport FROM citus_shards
JOIN pg_class ON pg_class.oid = table_name
WHERE relnamespace = %s::regnamespace
LIMIT 1"""


_WORKERS = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0"


def with_options(*options: str) -> str:
    """Give the URL of the coordinator with settings for each session."""
    parts = urlsplit(URL)
    given = quote(" ".join(f"-c{option}" for option in options))
    query = f"{parts.query}&options={given}".removeprefix("&")
    return parts._replace(query=query).geturl()


def in_schema(name: str) -> str:
    """Give the URL by which a test finds a schema, and may do there what it likes."""
    return with_options(
        f"search_path={name}",
        "citus.enable_unsafe_triggers=on",
        # Else a SET LOCAL would not reach the node.
        "citus.propagate_set_commands=local",
    )


def make(name: str) -> None:
    """Make a distributed schema that has the migrations."""
    url = with_options("citus.enable_schema_based_sharding=on")
    given = DatabaseSettings.load(database_url=url, database_schema=name)
    migrations.up(given, directory=MIGRATIONS, unrecorded_allowed=True)


def drop(name: str) -> None:
    """Drop a schema, if it is there."""
    with psycopg.connect(URL, autocommit=True) as conn:
        drop_it = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
        conn.execute(drop_it.format(sql.Identifier(name)))


@contextmanager
def schema() -> Generator[str]:
    """Have a distributed schema of a name of its own until the block ends."""
    name = f"test_{secrets.token_hex(4)}"
    try:
        make(name)
        yield name
    finally:
        drop(name)


def node(name: str, *, another: bool = False) -> str:
    """Give the URL of the node that has a schema, locks and all, or another's."""
    with psycopg.connect(URL) as conn:
        [own] = conn.execute(_NODE, [name])
        others = conn.execute(_WORKERS).fetchall()
    host, port = next(each for each in others if (each != own) == another)
    parts = urlsplit(URL)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{host}:{port}").geturl()


@dataclass(slots=True)
class OneSchema:
    """In place of a template of databases, a schema that each test has in its turn."""

    name: str
    is_made: bool = False

    def __post_init__(self) -> None:
        """Refuse a schema that may be somebody's: it is dropped."""
        if not self.name.startswith("test_"):
            raise ValueError(
                "TEST_DATABASE_SCHEMA: tests drop that schema of the Citus that "
                "TEST_CITUS_URL names; give a name that begins with test_"
            )

    @contextmanager
    def clone(self) -> Generator[str]:
        """Give the URL of the schema, as the migrations leave it."""
        if not self.is_made:
            drop(self.name)
            make(self.name)
            self.is_made = True
        with psycopg.connect(in_schema(self.name), autocommit=True) as conn:
            before = conn.execute(_SHAPE, [self.name]).fetchone()
            yield in_schema(self.name)
            self.is_made = conn.execute(_SHAPE, [self.name]).fetchone() == before
            if self.is_made:
                for (table,) in conn.execute(_TABLES, [self.name]).fetchall():
                    empty = sql.SQL("DELETE FROM {}")
                    conn.execute(empty.format(sql.Identifier(table)))

    def keep(self, url: str, reason: str) -> None:
        """Stay as it is: there is one, of which the next test needs the name."""
