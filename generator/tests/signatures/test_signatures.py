"""What functions take, and what comes: of statements that PostgreSQL reads its own way.

Each has a signature, and runs on rows that tell whether it is true.
"""

import datetime
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from generator.tests import running, sqlc
from generator.tests.signatures import domains, functions, parameters, queries, ranges
from generator.tests.signatures.cases import Case
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server

CASES = (
    domains.CASES | functions.CASES | parameters.CASES | queries.CASES | ranges.CASES
)
NAMES = {"len": "len_", "dataclass": "dataclass_", "GetUsersByIDs": "get_users_by_ids"}


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Generator[str]:
    """Give a database of the module's own."""
    with databases.database(postgres_server.url) as url:
        yield url


@contextmanager
def _running(
    folder: Path, url: str, name: str, case: Case
) -> Generator[tuple[ModuleType, dict[str, str], psycopg.Connection]]:
    """Give a case's module, its signatures, and a connection that knows its types."""
    texts = "\n".join(f"-- name: {n}\n{q};" for n, (q, _, _) in case.queries.items())
    with (
        running.project(folder, name, case.schema, texts) as (module, found),
        psycopg.connect(url, autocommit=True) as conn,
    ):
        running.fill(conn, case.schema, case.rows)
        if hasattr(module, "server_types"):
            module.server_types.register_types(conn)
        yield module, found, conn


@pytest.mark.parametrize("what", CASES)
def test_signatures_hold(what: str, url: str, tmp_path: Path) -> None:
    """A function takes what PostgreSQL takes, and gives what it is annotated with."""
    case = CASES[what]
    name = f"case_{[*CASES].index(what)}"
    with _running(tmp_path, url, name, case) as (module, found, conn):
        for query, (_, signature, calls) in case.queries.items():
            plain = query.partition(" ")[0]
            function = NAMES.get(plain, plain)
            assert found[function] == signature
            for given, expected in calls:
                _check(module, function, conn, given, expected)


def _check(
    module: ModuleType,
    function: str,
    conn: psycopg.Connection,
    given: dict[str, Any],
    expected: object,
) -> None:
    called = getattr(module, function)
    value = called(conn, **given)
    promised = annotations.hints(called)["return"]
    assert annotations.violations(value, promised) == []
    assert value == expected


def test_composites_come_as_their_attributes(url: str, tmp_path: Path) -> None:
    """Each attribute is of its domain's base type, in arrays and back, too."""
    case = CASES["domains in composites"]
    with _running(tmp_path, url, "composites", case) as (module, _, conn):
        [item] = module.items(conn)
        assert item == module.server_types.Item(
            1, Decimal("2.50"), False, {"a": 1}, [1, 2], Range(1, 3), b"\0",
            UUID(int=1),
        )  # fmt: skip
        promised = annotations.hints(module.items)["return"]
        assert annotations.violations([item], promised) == []
        module.put(conn, item=item, more=[item, None])
        assert module.count_like(conn, item=item, items=[]) == 2


def test_ranges_go_out_as_their_type(url: str, tmp_path: Path) -> None:
    """In a COPY and within composites, too; unregistered, they are told."""
    case = CASES["ranges of the schema"]
    with _running(tmp_path, url, "ranges", case) as (module, _, conn):
        rows = [
            module.LoadParams(Range(0.5, None, "(]"), Range(1, 9), [None]),
            module.LoadParams(Range(empty=True), None, []),
        ]
        assert module.load(conn, rows=rows) == 2
        stored = "SELECT span::text, prices::text, spans::text FROM t OFFSET 1"
        assert conn.execute(stored).fetchall() == [
            ("(0.5,)", "[1,9)", "{NULL}"),
            ("empty", None, "{}"),
        ]
        offer = module.server_types.Offer(Range(1, 2), Range(2.5, 3.5))
        conn.execute("UPDATE t SET offer = %s WHERE span = '[1.5,2)'", (offer,))
        assert offer in module.get_offers(conn)
    with (
        psycopg.connect(url) as conn,
        pytest.raises(TypeError, match="type span is not registered"),
    ):
        module.get_spans(conn, span=Range(1.0, 9.0), spans=[])


def test_ranges_are_sent_with_their_type(url: str, tmp_path: Path) -> None:
    """The server is told the type, be the range empty or of integers, and in a list."""
    case = CASES["ranges of the schema"]
    with _running(tmp_path, url, "ranges_sent", case) as (module, _, conn):
        for name, span in (("span", Range(1.0, 2.0)), ("prices", Range(1, 2))):
            made = getattr(module.server_types, f"as_{name}")
            for sent in (made(span), made(Range(empty=True)), made(Range())):
                told = conn.execute("SELECT pg_typeof(%s)::text", (sent,)).fetchone()
                assert told == (name,)
            told = conn.execute(
                "SELECT pg_typeof(%s)::text", ([made(span)],)
            ).fetchone()
            assert told == (f"{name}[]",)


def test_multiranges_go_out_as_their_type(url: str, tmp_path: Path) -> None:
    """In a COPY, in lists and within composites, too; unregistered, they are told."""
    case = CASES["multiranges of the schema"]
    with _running(tmp_path, url, "multiranges", case) as (module, _, conn):
        types = module.server_types
        several = Multirange([Range(1, 9), Range(10, 11)])
        rows = [
            module.LoadParams(Multirange([Range(0.5, None, "(]")]), several, [None]),
            module.LoadParams(Multirange[float](), None, [several]),
        ]
        assert module.load(conn, rows=rows) == 2
        stored = "SELECT spans::text, list::text, lists::text FROM t OFFSET 1"
        assert conn.execute(stored).fetchall() == [
            ("{(0.5,)}", "{[1,9),[10,11)}", "{NULL}"),
            ("{}", None, '{"{[1,9),[10,11)}"}'),
        ]
        told = "SELECT pg_typeof(%s)::text"
        for name, made in (
            ("span_multirange", types.as_span_multirange),
            ("price_list", types.as_price_list),
        ):
            for sent in (made(several), made(Multirange())):
                assert conn.execute(told, (sent,)).fetchone() == (name,)
            assert conn.execute(told, ([made(several)],)).fetchone() == (f"{name}[]",)
        offer = types.Offer(several, Multirange([Range(datetime.date(2024, 1, 1))]))
        conn.execute("UPDATE t SET offer = %s WHERE days = '{}'", (offer,))
        assert offer in module.get_offers(conn)
    with (
        psycopg.connect(url) as conn,
        pytest.raises(TypeError, match="type span_multirange is not registered"),
    ):
        module.get_spans(conn, spans=Multirange([Range(1.0, 9.0)]), several=[])


def test_a_composite_of_one_attribute_is_sent(url: str, tmp_path: Path) -> None:
    """It goes out as a row of one value."""
    case = CASES["a composite type of one attribute"]
    with _running(tmp_path, url, "alone", case) as (module, _, conn):
        assert module.get(conn, alone=module.server_types.Alone(1)) == [1]


def test_types_of_the_server_are_clean(tmp_path: Path) -> None:
    """Their module is as ruff formats it, and typed, whatever is within composites."""
    case = CASES["multiranges of the schema"]
    schema = f"{case.schema} CREATE TYPE one AS (a integer, offer offer);"
    schema += "CREATE TYPE alone AS (a integer); CREATE TYPE type_info AS (a hstore);"
    schema += "CREATE TABLE u (one one, alone alone, info type_info);"
    query = "-- name: get :many\nSELECT * FROM u;"
    sqlc.Project.write(tmp_path, schema, query, "{}").generated()
    for command in (
        ("ruff", "format", "--isolated", "--no-cache", "--diff"),
        ("ruff", "check", "--isolated", "--no-cache"),
        ("mypy", "--strict"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", *command, "out"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout


def test_what_no_server_takes_is_refused(tmp_path: Path) -> None:
    """`now() - @age` is a point in time, so that nothing is later than it."""
    schema = "CREATE TABLE t (id integer NOT NULL, at timestamptz NOT NULL);"
    query = "-- name: recent :many\nSELECT id FROM t WHERE at > now() - @age;"
    told = sqlc.Project.write(tmp_path, schema, query, "{}").refusal()
    assert "recent: timestamptz > interval is no operator" in told
