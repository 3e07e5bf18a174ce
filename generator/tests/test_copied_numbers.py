"""Numbers of a binary COPY, which go out without psycopg's classes for their types."""

from collections.abc import Generator
from decimal import Decimal
from enum import IntEnum
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from generator.tests import running
from postgres_testing import databases
from postgres_testing.embedded import Server

SCHEMA = """
CREATE DOMAIN cents AS integer;
CREATE TABLE t (
    small smallint, mid integer, big bigint, oid oid, cents cents,
    single float4, double float8, ints bigint [], reals float4 []
);
"""
COLUMNS = ("small", "mid", "big", "oid", "cents", "single", "double", "ints", "reals")
SENT = ", ".join(f"@{name}" for name in COLUMNS)
INSERT = f"INSERT INTO t ({', '.join(COLUMNS)}) VALUES ({SENT});"  # noqa: S608 - ours
QUERIES = f"""
-- name: put :batchexec
{INSERT}
-- name: load :copyfrom
{INSERT}
-- name: load_one :copyfrom
INSERT INTO t (big) VALUES (@big);
"""  # noqa: S608 - columns of this file
NONE: dict[str, None] = dict.fromkeys(COLUMNS)


class Size(IntEnum):
    """An int with a name."""

    SMALL = 7


def _integers(least: int, end: int) -> st.SearchStrategy[int | None]:
    ranged = st.integers(least, end - 1)
    return st.none() | st.just(Size.SMALL) | ranged


FLOATS = st.none() | st.floats(width=32) | st.integers(-9, 9) | st.just(Decimal("0.1"))
ROWS = st.lists(
    st.tuples(
        _integers(-(2**15), 2**15),
        _integers(-(2**31), 2**31),
        _integers(-(2**63), 2**63),
        _integers(0, 2**32),
        _integers(-(2**31), 2**31),
        FLOATS,
        FLOATS,
        st.none() | st.lists(_integers(-(2**63), 2**63)),
        st.none() | st.lists(FLOATS),
    ),
    max_size=5,
)


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Generator[str]:
    """Give the URL of a database with the schema."""

    def build(url: str) -> None:
        with psycopg.connect(url) as conn:
            conn.execute(SCHEMA.encode())

    with (
        databases.template(postgres_server.url, build) as made,
        made.clone() as cloned,
    ):
        yield cloned


def test_a_copy_leaves_what_a_statement_does(tmp_path: Path, url: str) -> None:
    """Numbers of each type, NULLs, subclasses and arrays arrive as if one by one."""
    with (
        running.project(tmp_path, "copied_numbers", SCHEMA, QUERIES) as (module, texts),
        psycopg.connect(url) as conn,
    ):
        assert texts["load_one"] == "(rows: Iterable[int | None]) -> int"

        def left(rows: list[object], function: str) -> list[str]:
            with conn.transaction(force_rollback=True):
                getattr(module, function)(conn, rows=rows)
                found = conn.execute("SELECT t::text FROM t").fetchall()
            return sorted(map(str, found))  # into whatever place was free

        @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(rows=ROWS)
        @example(
            rows=[(None, None, None, None, None, None, None, [1, 2**40], [None, 1])]
        )
        def check(rows: list[tuple[object, ...]]) -> None:
            put = left([module.PutParams(*row) for row in rows], "put")
            assert left([module.LoadParams(*row) for row in rows], "load") == put
            alone = [module.PutParams(**NONE | {"big": row[2]}) for row in rows]
            assert left([row[2] for row in rows], "load_one") == left(alone, "put")

        check()
