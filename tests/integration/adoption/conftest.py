"""A database as the replaced backend leaves it, with rows, for each test."""

import re
import subprocess
from collections.abc import Callable, Generator
from typing import TypeAlias

import psycopg
import pytest

from postgres_testing import databases
from postgres_testing.databases import Template
from postgres_testing.embedded import Server
from store.schema_tools import dumps
from tests.support import drizzle

Dump: TypeAlias = Callable[..., str]


@pytest.fixture(scope="session")
def old_template(postgres_server: Server) -> Generator[Template]:
    """Give the old database, to be cloned."""

    def build(url: str) -> None:
        drizzle.make(url)
        drizzle.fill(url)

    with databases.template(postgres_server.url, build) as made:
        yield made


@pytest.fixture
def old_url(old_template: Template) -> Generator[str]:
    """Give the URL of an old database."""
    with old_template.clone() as url:
        yield url


@pytest.fixture
def old(old_url: str) -> Generator[psycopg.Connection]:
    """Give an autocommit connection to it."""
    with psycopg.connect(old_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def dump(postgres_server: Server) -> Dump:
    """Give a function that dumps a database, by its URL, as SQL.

    With `data=False` the schema alone, in the order of names: an old table keeps the
    order of its columns, as it is not written again.
    """

    def run(url: str, *, data: bool = True) -> str:
        what = [] if data else ["--schema-only"]
        dumped = subprocess.run(
            [postgres_server.bin / "pg_dump", "--inserts", *what, f"--dbname={url}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        # pg_dump guards its output with a key, which is a new one each time.
        dumped = re.sub(r"^\\(un)?restrict .*$", "", dumped, flags=re.MULTILINE)
        dumped = dumps.without_private_options(dumped)
        return dumped if data else _in_order(dumped)

    return run


_TABLE = re.compile(
    r"(?<=^CREATE TABLE )(\S+ \()\n(.*?)\n\);$", re.MULTILINE | re.DOTALL
)


def _in_order(schema: str) -> str:
    by_name = _TABLE.sub(_with_columns_in_order, schema)
    return "\n\n\n".join(sorted(by_name.split("\n\n\n")))


def _with_columns_in_order(table: re.Match[str]) -> str:
    columns = sorted(line.removesuffix(",") for line in table[2].splitlines())
    return "\n".join([table[1], *columns, ");"])
