"""Batches, COPY, streams and exact results against a real PostgreSQL."""

import asyncio
import datetime
import itertools
from collections import UserString
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from psycopg.rows import tuple_row

from generator.tests.golden.bulk.expected import enums, parcels
from generator.tests.golden.bulk.expected.aio import parcels as aio_parcels
from generator.tests.golden.bulk.expected.parcels import (
    AddParcelsParams,
    AnnotateParams,
    CopyLoadsParams,
    CopyParcelsParams,
)

NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
FULL = CopyParcelsParams(
    id=1,
    to="Ada\t\\N\n",
    note="",
    colour=enums.Colour.GREEN,
    shade=enums.Shade.DARK,
    weight=Decimal("1.50"),
    size=1 << 40,
    parts={"a": [1, None]},
    sent=NOON,
    labels=("x", None, "{}"),
    ref=UUID(int=5),
    blob=b"\x00\xff",
    code="ab ",
)
BARE = CopyParcelsParams(
    id=2,
    to="",
    note=None,
    colour=None,
    shade=None,
    weight=None,
    size=None,
    parts=None,
    sent=None,
    labels=None,
    ref=None,
    blob=None,
    code=None,
)


def fill(conn: psycopg.Connection[Any], *to: str) -> None:
    """Add a parcel for each addressee, numbered from 1."""
    rows = [AddParcelsParams(id=n, rcpt=name) for n, name in enumerate(to, 1)]
    parcels.add_parcels(conn, rows=rows)


def test_copy_carries_every_value(bulk: psycopg.Connection[Any]) -> None:
    """Rows of a binary COPY come back as they were given, enums and NULLs included."""
    assert parcels.copy_parcels(bulk, rows=(row for row in (FULL, BARE))) == 2
    full, bare = parcels.all_parcels(bulk)
    names = CopyParcelsParams.__dataclass_fields__
    sent = {name: getattr(FULL, name) for name in names} | {"labels": ["x", None, "{}"]}
    assert {name: getattr(full, name) for name in names} == sent
    assert {getattr(bare, name) for name in names} == {2, "", None}
    assert type(full.shade) is enums.Shade


def test_copy_of_nothing(bulk: psycopg.Connection[Any]) -> None:
    """No rows are zero rows, of either format."""
    assert parcels.copy_parcels(bulk, rows=[]) == 0
    assert parcels.copy_loads(bulk, rows=[]) == 0


def test_copy_as_text(bulk: psycopg.Connection[Any]) -> None:
    """Arrays of enums, of domains, other types and overrides go out as text."""
    row = CopyLoadsParams(
        search="a:1 'b\\\\c':2",
        shades=[enums.Shade.LIGHT, None],
        colours=(enums.Colour.RED,),
        code=UserString("tab\there"),
    )
    nothing = CopyLoadsParams(search=None, shades=None, colours=[], code=None)
    assert parcels.copy_loads(bulk, rows=[row, nothing]) == 2
    assert parcels.copy_codes(bulk, rows=[UserString("\\.")]) == 1
    query = "SELECT code, colours::text, shades::text, search::text FROM loads"
    assert bulk.execute(query).fetchall() == [
        ("tab\there", "{red}", "{light,NULL}", r"'a':1 'b\\c':2"),
        (None, "{}", None, None),
        ("\\.", None, None, None),
    ]


def test_a_failing_copy_writes_nothing(bulk: psycopg.Connection[Any]) -> None:
    """An error of one row is the error of all of them."""
    with pytest.raises(errors.UniqueViolation):
        parcels.copy_parcels(bulk, rows=[FULL, FULL])
    assert parcels.count_parcels(bulk) == 0


def test_batches_give_results_in_order(bulk: psycopg.Connection[Any]) -> None:
    """Each row of arguments has its result, in its place."""
    fill(bulk, "Ada", "Bob", "Ada")
    noted = [AnnotateParams(note="first", id=1), AnnotateParams(note="last", id=3)]
    parcels.annotate(bulk, rows=noted)
    row = parcels.ListToRow
    assert parcels.list_to(bulk, rows=iter(["Ada", "Cleo", "Bob"])) == [
        [row(1, "first"), row(3, "last")],
        [],
        [row(2, None)],
    ]
    assert parcels.take(bulk, rows=[3, 9, 1]) == ["last", None, "first"]


def test_batches_of_nothing(bulk: psycopg.Connection[Any]) -> None:
    """No rows of arguments give no results."""
    assert parcels.add_parcels(bulk, rows=[]) == []
    assert parcels.list_to(bulk, rows=[]) == []
    parcels.annotate(bulk, rows=[])


def test_batches_in_a_pipeline(bulk: psycopg.Connection[Any]) -> None:
    """Within a pipeline a batch joins it, and its results are its own."""
    with bulk.pipeline():
        count = parcels.send_count_parcels(bulk)
        added = parcels.add_parcels(
            bulk, rows=[AddParcelsParams(1, "Ada"), AddParcelsParams(2, "Bob")]
        )
        parcels.annotate(bulk, rows=[AnnotateParams("n", 1)])
        after = parcels.send_count_parcels(bulk)
        found = parcels.list_to(bulk, rows=["Bob", "Ada"])
    assert (count(), after()) == (0, 2)
    assert [parcel.to for parcel in added] == ["Ada", "Bob"]
    assert found == [[parcels.ListToRow(2, None)], [parcels.ListToRow(1, "n")]]


def test_a_batch_is_one_flight(bulk: psycopg.Connection[Any], tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """The client waits for the server once, not once a row."""
    rows = [AnnotateParams(note=str(n), id=n) for n in range(20)]
    parcels.annotate(bulk, rows=rows)
    trace = tmp_path / "trace"
    with trace.open("w+b") as file:
        bulk.pgconn.trace(file.fileno())
        parcels.annotate(bulk, rows=rows)
        bulk.pgconn.untrace()
    lines = trace.read_text().splitlines()
    sides = [line.split("\t")[1] for line in lines]
    turns = sum(a != b for a, b in itertools.pairwise(sides))
    assert sum("Sync" in line for line in lines) == 1
    assert turns == 1


def test_execresult_gives_the_cursor(bulk: psycopg.Connection[Any]) -> None:
    """It has the count, the server's status, and typed rows where there are any."""
    fill(bulk, "Ada", "Ada", "Bob")
    cur = parcels.address(bulk, rcpt="Cleo", ids=[1, 3, 9])
    assert (cur.rowcount, cur.statusmessage) == (2, "UPDATE 2")
    assert [*parcels.readdress(bulk, rcpt="Dan", old="Cleo")] == [1, 3]


def test_slices_are_lists_of_any_length(bulk: psycopg.Connection[Any]) -> None:
    """IN and NOT IN take a list, the empty one included, whatever stands around."""
    fill(bulk, "Ada", "Bob", "Cleo")
    among = parcels.among
    none: list[str] = []
    assert among(bulk, ids=[1, 2, 9], others=none, notes=["x"]) == [1, 2]
    assert among(bulk, ids=[1, 2, 9], others=["Bob"], notes=["x"]) == [1]
    assert among(bulk, ids=[], others=none, notes=["x"]) == []
    assert among(bulk, ids=[], others=none, notes=none) == [1, 2, 3]


def test_a_stream_reads_in_steps(bulk: psycopg.Connection[Any]) -> None:
    """Rows come typed, as many at a time as asked for, and the cursor is closed."""
    fill(bulk, *("Ada" for _ in range(5)))
    with bulk.transaction():
        with parcels.stream_all_parcels(bulk, fetch_size=2) as found:
            assert found.itersize == 2
            assert [parcel.id for parcel in found] == [1, 2, 3, 4, 5]
        with parcels.stream_notes_to(bulk, rcpt="Ada", fetch_size_2=3) as notes:
            assert notes.fetchmany(9) == [None, None]
        count = "SELECT count(*) FROM pg_cursors"
        assert bulk.cursor(row_factory=tuple_row).execute(count).fetchone() == (0,)


def test_a_stream_ends_with_its_transaction(bulk: psycopg.Connection[Any]) -> None:
    """It is refused outside of one, and cut off, not silently ended, after one."""
    fill(bulk, "Ada", "Bob")
    refused = pytest.raises(errors.NoActiveSqlTransaction)
    with refused, parcels.stream_all_parcels(bulk) as found:
        next(iter(found))
    bulk.execute("BEGIN")
    with parcels.stream_all_parcels(bulk, fetch_size=1) as found:
        rows = iter(found)
        assert next(rows).id == 1
        bulk.execute("COMMIT")
        with pytest.raises(errors.InvalidCursorName):
            next(rows)


def test_two_streams_at_once(bulk: psycopg.Connection[Any]) -> None:
    """Each has a name of its own, so neither reads the other's rows."""
    fill(bulk, "Ada", "Bob", "Cleo")
    stream = parcels.stream_all_parcels
    with (
        bulk.transaction(),
        stream(bulk, fetch_size=1) as one,
        stream(bulk, fetch_size=1) as other,
    ):
        assert [(a.id, b.id) for a, b in zip(one, other, strict=True)] == [
            (1, 1),
            (2, 2),
            (3, 3),
        ]


def test_exactly_one(bulk: psycopg.Connection[Any]) -> None:
    """No row and several rows are errors of their own; NULL is a value."""
    fill(bulk, "Ada", "Ada", "Bob")
    assert parcels.the_parcel_to(bulk, rcpt="Bob").id == 3
    assert parcels.note_of(bulk, id=3) is None
    with pytest.raises(errors.NoDataFound, match="no row"):
        parcels.note_of(bulk, id=9)
    with pytest.raises(errors.TooManyRows, match="several rows"):
        parcels.the_parcel_to(bulk, rcpt="Ada")


def test_proven_results_are_there(bulk: psycopg.Connection[Any]) -> None:
    """Aggregates, EXISTS and inserted rows need no check for None."""
    assert parcels.heaviest(bulk) == parcels.HeaviestRow(most=None, bare=0)
    assert parcels.has_parcel(bulk, id=1) is False
    arg = parcels.AddParcelParams(id=1, rcpt="Ada", note=None, labels=())
    assert parcels.add_parcel(bulk, arg=arg).labels == []


def test_the_asynchronous_face(bulk_url: str) -> None:
    """Every command does the same through an asynchronous connection."""

    async def check() -> None:
        connected = psycopg.AsyncConnection.connect(bulk_url, autocommit=True)
        async with await connected as conn:
            assert await aio_parcels.copy_parcels(conn, rows=[FULL, BARE]) == 2
            assert await aio_parcels.copy_codes(conn, rows=[None]) == 1
            added = await aio_parcels.add_parcels(
                conn, rows=[AddParcelsParams(3, "Bob"), AddParcelsParams(4, "Bob")]
            )
            assert [parcel.id for parcel in added] == [3, 4]
            await aio_parcels.annotate(conn, rows=[AnnotateParams("n", 3)])
            assert await aio_parcels.take(conn, rows=[9, 3]) == [None, "n"]
            assert await aio_parcels.list_to(conn, rows=["Bob"]) == [
                [parcels.ListToRow(4, None)]
            ]
            cur = await aio_parcels.address(conn, rcpt="Cleo", ids=[4])
            assert cur.rowcount == 1
            async with conn.pipeline():
                count = await aio_parcels.send_count_parcels(conn)
            assert await count() == 3
            stream = aio_parcels.stream_all_parcels(conn, fetch_size=1)
            async with conn.transaction(), stream as found:
                assert [parcel.id async for parcel in found] == [1, 2, 4]
            with pytest.raises(errors.NoDataFound):
                await aio_parcels.note_of(conn, id=9)

    asyncio.run(check())
