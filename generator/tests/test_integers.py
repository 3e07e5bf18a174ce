"""Integers that are none of their type's range never reach the server."""

from collections.abc import Generator, Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, cast

import psycopg
import pytest
from psycopg import errors

from generator.tests import running
from postgres_testing import databases
from postgres_testing.embedded import Server

SCHEMA = """
CREATE DOMAIN cents AS integer CHECK (value <> 13);
CREATE DOMAIN place AS cents;
CREATE TYPE pair AS (small smallint, cents cents);
CREATE TABLE t (
    small smallint, mid integer, big bigint, oid oid, cents cents, place place,
    ints integer [], grid bigint [], cents_list cents [], pair pair, txt text
);
"""
# By the end of a parameter's name: its type's least value, and the end of its range.
RANGES = {
    "small": (-(2**15), 2**15),
    "mid": (-(2**31), 2**31),
    "big": (-(2**63), 2**63),
    "oid": (0, 2**32),
    "cents": (-(2**31), 2**31),
    "place": (-(2**31), 2**31),
}
COLUMNS = [*RANGES]
SENT = ", ".join(f"@{name}" for name in COLUMNS)
LISTED = ", ".join(COLUMNS)
QUERIES = f"""
-- name: put :exec
INSERT INTO t ({LISTED}) VALUES ({SENT});
-- name: put_all :batchexec
INSERT INTO t ({LISTED}) VALUES ({SENT});
-- name: put_each :batchone
INSERT INTO t ({LISTED}) VALUES ({SENT}) RETURNING txt;
-- name: load :copyfrom
INSERT INTO t ({LISTED}) VALUES ({SENT});
-- name: load_as_text :copyfrom
INSERT INTO t ({LISTED}, pair) VALUES ({SENT}, @pair);
-- name: put_ints :exec
UPDATE t SET ints = @ints, cents_list = @cents;
-- name: put_grid :exec
UPDATE t SET grid = @grid::bigint[][];
-- name: load_ints :copyfrom
INSERT INTO t (ints) VALUES (@ints);
-- name: among :many
SELECT txt FROM t WHERE mid = ANY(@ints) OR cents IN (sqlc.slice(cents));
-- name: filtered :many
SELECT txt FROM t WHERE sqlc.narg(mid) IS NULL OR mid = sqlc.narg(mid)
LIMIT @big OFFSET @big_2;
-- name: shifted :one
SELECT mod(7, @mid) + sqlc.arg(small)::smallint AS n;
"""  # noqa: S608 - columns of this file
# What is no int, whatever its range.
NO_INTS: list[object] = [True, False, 1.0, "7", Decimal(7), b"7", 7j, [7]]


# Stands for the value that is tried.
TRIED = object()


class Sent(NamedTuple):
    """A call of a function: where its tried value is, and the class of its rows."""

    function: str
    kind: str
    given: Mapping[str, object]
    row_class: str = ""

    def call(
        self, module: ModuleType, conn: psycopg.Connection, value: object
    ) -> object:
        """Call the function with a value in its place."""
        given = {name: _put(part, value) for name, part in self.given.items()}
        if isinstance(pair := given.get("pair"), tuple):
            given["pair"] = module.server_types.Pair(*cast("tuple[object, ...]", pair))
        if self.row_class:
            made = getattr(module, self.row_class)
            # One that is right before the one that may be wrong.
            right = {name: None if name in COLUMNS else v for name, v in given.items()}
            given = {"rows": [made(**right), made(**given)]}
        return getattr(module, self.function)(conn, **given)


def _put(part: object, value: object) -> object:
    if isinstance(part, list):
        return [_put(one, value) for one in cast("list[object]", part)]
    if isinstance(part, tuple):
        return tuple(_put(one, value) for one in cast("tuple[object, ...]", part))
    return value if part is TRIED else part


NONE: Mapping[str, object] = dict.fromkeys(COLUMNS)
SENDING = [
    *(Sent("put", kind, {**NONE, kind: TRIED}) for kind in COLUMNS),
    *(
        Sent(function, kind, {**NONE, **more, kind: TRIED}, row_class)
        for function, row_class, more in (
            ("put_all", "PutAllParams", NONE),
            ("put_each", "PutEachParams", NONE),
            ("load", "LoadParams", NONE),
            ("load_as_text", "LoadAsTextParams", {"pair": None}),
        )
        for kind in COLUMNS
    ),
    Sent("put_ints", "mid", {"ints": [1, TRIED], "cents": None}),
    Sent("put_ints", "cents", {"ints": None, "cents": [None, TRIED]}),
    Sent("put_grid", "big", {"grid": [[1, 2], [3, TRIED]]}),
    Sent("load_ints", "mid", {"rows": [[1], [1, TRIED]]}),
    Sent("among", "mid", {"ints": [TRIED], "cents": []}),
    Sent("among", "cents", {"ints": [], "cents": [1, TRIED]}),
    Sent("filtered", "mid", {"mid": TRIED, "big": 1, "big_2": 0}),
    Sent("filtered", "big", {"mid": 1, "big": 1, "big_2": TRIED}),
    Sent("shifted", "small", {"small": TRIED, "mid": 2}),
    Sent("shifted", "mid", {"small": 1, "mid": TRIED}),
    Sent("load_as_text", "small", {**NONE, "pair": (TRIED, 1)}, "LoadAsTextParams"),
    Sent("load_as_text", "cents", {**NONE, "pair": (1, TRIED)}, "LoadAsTextParams"),
]


def _build(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute(SCHEMA.encode())


@pytest.fixture(scope="module")
def conn(postgres_server: Server) -> Generator[psycopg.Connection]:
    """Give a connection to a database with the schema."""
    with (
        databases.template(postgres_server.url, _build) as made,
        made.clone() as url,
        psycopg.connect(url) as connection,
    ):
        yield connection


@pytest.fixture(scope="module")
def module(
    tmp_path_factory: pytest.TempPathFactory, conn: psycopg.Connection
) -> Generator[ModuleType]:
    """Give the module of the queries, whose types the connection knows."""
    folder: Path = tmp_path_factory.mktemp("integers")
    with running.project(folder, "integers", SCHEMA, QUERIES) as (made, _):
        made.server_types.register_types(conn)
        conn.commit()
        yield made


@pytest.mark.parametrize(
    "sent", SENDING, ids=[f"{one.function}-{one.kind}" for one in SENDING]
)
def test_what_is_no_integer_of_the_range_is_refused(
    sent: Sent, module: ModuleType, conn: psycopg.Connection
) -> None:
    """A typed error says what is taken, and not what was given; the ends are taken."""
    least, end = RANGES[sent.kind]
    for wrong in (least - 1, end, end + 1, 2**64 + 1, -(10**40), *NO_INTS):
        with conn.transaction(force_rollback=True):
            with pytest.raises(psycopg.DataError) as raised:
                sent.call(module, conn, wrong)
            assert type(raised.value) is errors.NumericValueOutOfRange
            assert raised.value.sqlstate == "22003"
            assert "takes an int from" in str(raised.value)
            assert repr(wrong) not in str(raised.value).replace(f"{end}", "")
    right = [1] if sent.function in ("filtered", "shifted") else [least, end - 1, 0]
    for value in right:
        with conn.transaction(force_rollback=True):
            sent.call(module, conn, value)


class Colour(int):
    """An int with a name, as an IntEnum's members are."""


def test_integers_of_a_subclass_are_integers(
    module: ModuleType, conn: psycopg.Connection
) -> None:
    """What is an int by its class goes out as one."""
    with conn.transaction(force_rollback=True):
        module.put(conn, **{**NONE, "mid": Colour(7)})
        [found] = conn.execute("SELECT mid FROM t").fetchone() or ("",)
        assert found == 7
