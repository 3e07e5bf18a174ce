"""Parameters and results are of the types that PREPARE says."""

import ast
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from generator.tests import sqlc
from generator.tests.resolution import drawing
from generator.tools import prepared
from generator.tools.prepared import Comparison, Verdict
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command.server import Types
from sqlc_gen_psycopg.inference.analyzer import Analyzer
from sqlc_gen_psycopg.problems import Problems
from sqlc_gen_psycopg.schema import load
from sqlc_gen_psycopg.sql import parameters as sql_parameters
from sqlc_gen_psycopg.sql import tree

# Of statements that the server takes.
ENOUGH = 5_000
MOST_REFUSED = 0.05
MOST_CAST = 0.4


@pytest.fixture(scope="module")
def conn(postgres_server: Server) -> Generator[psycopg.Connection]:
    """Give a connection to a database with the schema that statements are drawn of."""
    with (
        databases.database(postgres_server.url) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        connection.execute(drawing.DDL.encode())
        yield connection


@pytest.fixture(scope="module")
def analyzer(conn: psycopg.Connection) -> Analyzer:
    """Give the inference for that schema."""
    return prepared.analyzer_of(conn, prepared.schema_of(drawing.DDL))


@pytest.fixture(scope="module")
def types(conn: psycopg.Connection) -> Types:
    """Give the types of that database."""
    return Types(conn)


def _wrong(found: list[tuple[str, Comparison]]) -> list[tuple[str, str]]:
    return [(text, one.why) for text, one in found if one.verdict is Verdict.WRONG]


def test_drawn_predicates(
    conn: psycopg.Connection, analyzer: Analyzer, types: Types
) -> None:
    """Of what the server takes nothing gets another type, and hardly any is refused."""
    drawn = drawing.Drawing(2026)
    found: list[tuple[str, Comparison]] = []
    taken = casts = parameters = 0
    while taken < ENOUGH:
        text = drawn.predicate()
        try:
            one = prepared.compare(conn, analyzer, types, text)
        except tree.InvalidSqlError:
            continue
        found.append((text, one))
        if one.verdict in (Verdict.SAME, Verdict.WRONG, Verdict.REFUSED):
            taken += 1
            parameters += one.parameters
            casts += text.count(")::")
    verdicts = prepared.tally(found)
    assert _wrong(found) == []
    assert parameters > ENOUGH / 2
    assert casts <= MOST_CAST * parameters
    assert verdicts[Verdict.REFUSED] <= MOST_REFUSED * taken, [
        (text, one.why) for text, one in found if one.verdict is Verdict.REFUSED
    ][:10]


@pytest.mark.parametrize("what", ["operators", "functions"])
def test_every_row_of_the_catalog(
    what: str, conn: psycopg.Connection, analyzer: Analyzer, types: Types
) -> None:
    """Each operator and function, given parameters, literals and typed NULLs."""
    found: list[tuple[str, Comparison]] = []
    for seed in range(2):
        drawn = drawing.Drawing(seed)
        found += [
            (text, prepared.compare(conn, analyzer, types, text))
            for text in drawn.each(what)
        ]
    assert _wrong(found) == []
    refused = [(t, c.why) for t, c in found if c.verdict is Verdict.REFUSED]
    assert len(refused) <= MOST_REFUSED * len(found), refused[:10]


# Statements that the drawing has not: clauses in their order, and what is open.
FILE = Path(__file__).with_name("statements.sql")
STATEMENTS = FILE.read_text(encoding="utf-8").splitlines()[1:]


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(
    text: str, conn: psycopg.Connection, analyzer: Analyzer, types: Types
) -> None:
    """Each clause is looked at in PostgreSQL's order."""
    found = prepared.compare(conn, analyzer, types, text)
    assert (found.verdict, found.why) == (Verdict.SAME, "")


# What gets no type of its own first: sent along, it is of the type of a later use.
COLUMNS = sorted({name for names in drawing.COLUMNS.values() for name in names})
_WITHOUT_EQUALITY = {"j", "xm", "p", "bx", "pl", "ci2", "jp"}


@pytest.mark.parametrize("column", [c for c in COLUMNS if c not in _WITHOUT_EQUALITY])
def test_optional_filters(
    column: str, conn: psycopg.Connection, analyzer: Analyzer
) -> None:
    """A filter that NULL switches off runs, with a value and with None."""
    text = f"SELECT id FROM t WHERE $1 IS NULL OR {column} = $1"  # noqa: S608
    analysis = prepared.analyze(analyzer, text)
    assert analysis.problem is None
    assert analysis.declared == {1}
    [statement] = tree.parse(text)
    sent = sql_parameters.cast(text, statement, analysis.casts)
    conn.execute("TRUNCATE t")
    cursor = psycopg.RawCursor(conn)
    assert cursor.execute(sent.encode(), (None,)).fetchall() == []
    row = _VALUES.get(column, "x")
    names = "id" if column == "id" else f"id, {column}"
    values = "1" if column == "id" else f"1, $${row}$$"
    conn.execute(f"INSERT INTO t ({names}) VALUES ({values})".encode())  # noqa: S608
    assert cursor.execute(sent.encode(), (None,)).fetchall() == [(1,)]
    assert cursor.execute(sent.encode(), (row,)).fetchall() == [(1,)]


_VALUES = {
    "id": "1", "small": "1", "big": "1", "num": "1", "f4": "1", "f8": "1", "b": "t",
    "by": r"\x00", "jb": "{}", "u": "00000000-0000-0000-0000-000000000001",
    "d": "2024-01-01", "tm": "01:00", "tz": "01:00+00", "ts": "2024-01-01",
    "at": "2024-01-01", "iv": "1 day", "ip": "10.0.0.1", "ci": "10.0.0.0/8", "o": "1",
    "r": "[1,2)", "nr": "[1,2)", "tr": "empty", "mr": "{}", "bt": "101", "vb": "1",
    "m": "00:00:00:00:00:01", "mon": "1", "mood": "ok", "state": "open", "price": "1",
    "units": "1", "seen": "2024-01-01", "spot": "(1,1,x)", "span": "[1,2)",
    "ids": "{1}", "names": "{x}", "nums": "{1}", "moods": "{ok}", "states": "{open}",
    "prices": "{1}", "labels": "{x}", "jbs": '{"{}"}', "days": "{2024-01-01}",
    "spots": '{"(1,1,x)"}',
}  # fmt: skip

REFUSED = {
    "SELECT id FROM t WHERE at > now() - $1": "timestamptz > interval is no operator",
    "SELECT unnest($1)": "unnest(unknown) is not unique",
    "SELECT array_agg($1)": "array_agg(unknown) is not unique",
    "SELECT NULL UNION SELECT $1 UNION SELECT 1": "cannot be of the types",
    "WITH q AS (SELECT $1 AS a) SELECT a FROM q WHERE a = 1": "text = int4",
    "SELECT id FROM t WHERE num = ANY (txt)": "want an array",
    "UPDATE t SET id = $1, u = $1": "int4 does not become uuid here",
    "SELECT id FROM t WHERE b = (id AND b)": "int4 does not become bool here",
    "SELECT ARRAY[]": "ARRAY[] has no type",
    "SELECT id[1] FROM t": "int4 has no subscripts",
    "SELECT abs(txt) FROM t": "abs(text) is no function",
    "SELECT first_of($1)": "of any type cannot be told",
    "SELECT $1 + $2": "unknown + unknown is not unique",
    "SELECT - txt FROM t": "- text is no operator",
    "SELECT ARRAY[pg_sleep(0)]": "there are no arrays of void",
    "SELECT t.nothing FROM t": "there is no column t.nothing",
    "SELECT count(nothing) FROM t": "there is no column nothing",
    "SELECT id + nothing FROM t": "there is no column nothing",
    "SELECT (SELECT max(t.id + nothing) FROM t AS o) FROM t": "no column nothing",
    "INSERT INTO t (id, nothing) VALUES ($1, 2)": "there is no column t.nothing",
    "UPDATE t SET nothing = 1 WHERE id = $1": "there is no column t.nothing",
    "SELECT t.id FROM t JOIN t AS o ON s.x = t.id": "there is no s in FROM for s.x",
}


@pytest.mark.parametrize(("text", "why"), REFUSED.items())
def test_what_cannot_run_is_refused(
    text: str, why: str, conn: psycopg.Connection, analyzer: Analyzer
) -> None:
    """What no server takes is refused, with the reason."""
    problem = prepared.analyze(analyzer, text).problem
    assert problem is not None
    assert why in problem.what
    with pytest.raises(psycopg.Error):
        conn.execute(f"PREPARE p AS {text}".encode())


def test_a_newer_server_s_catalogs_have_more_columns(
    conn: psycopg.Connection, analyzer: Analyzer
) -> None:
    """What sqlc does not know of them is not refused."""
    columns = "abs(relallfrozen), abs(relpages)"  # the first one is of PostgreSQL 18
    text = f"SELECT {columns} FROM pg_catalog.pg_class"  # noqa: S608 - ours
    analysis = prepared.analyze(analyzer, text)
    assert analysis.problem is None
    if conn.info.server_version >= 180000:
        conn.execute(f"PREPARE p AS {text}".encode())


# What has no type, or none of Python's, though it breaks no rule of conversion, and
# what the server says, if it does not take it either.
WITHOUT_TYPE = {
    "SELECT id FROM t WHERE $1 IS NULL": ("the type of parameter", "42P18"),
    "SELECT count($1) FROM t": ("the type of parameter", "42P18"),
    "SELECT no_such_function($1) FROM t": ("the type of parameter", "42883"),
    "SELECT no_such_function(id) FROM t": ("the type of column", "42883"),
    "SELECT ROW(id, txt) FROM t": ("has the type 'record'", ""),
    "SELECT ARRAY[bx] FROM t": ("has the type 'box[]'", ""),
}


def test_what_has_no_type_is_refused(conn: psycopg.Connection, tmp_path: Path) -> None:
    """Parameters that the server has no type for, results without a Python type."""
    queries = [
        f"-- name: q{number} :many\n{text};" for number, text in enumerate(WITHOUT_TYPE)
    ]
    made = sqlc.Project.write(tmp_path, drawing.DDL, "\n".join(queries), "{}")
    refusals = made.refusal().splitlines()
    for number, (text, (why, state)) in enumerate(WITHOUT_TYPE.items()):
        refusal, *_ = [line for line in refusals if f"queries.sql: q{number}: " in line]
        assert why in refusal
        result = conn.pgconn.prepare(b"", text.encode())
        said = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        assert said.decode() == state


def test_nothing_is_exponential(analyzer: Analyzer) -> None:
    """What nests does not double the work: 40 levels are as many evaluations."""
    nested = "id"
    for _ in range(40):
        nested = f"CASE WHEN {nested} IN (1, 2) AND txt LIKE $1 THEN 1 ELSE 2 END"
    analysis = prepared.analyze(analyzer, f"SELECT {nested} FROM t")  # noqa: S608
    assert analysis.problem is None


@pytest.mark.parametrize("arms", [3_000])
def test_long_chains(arms: int, analyzer: Analyzer) -> None:
    """Thousands of operators and of arms of a UNION are no problem."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)  # as the plugin does in its own process
    try:
        for text in (
            f"SELECT {' + '.join(['id'] * arms)} FROM t",  # noqa: S608
            f"SELECT id FROM t WHERE {' OR '.join(['id = $1'] * arms)}",  # noqa: S608
            " UNION ALL ".join(["SELECT id FROM t"] * arms),
        ):
            assert prepared.analyze(analyzer, text).problem is None
    finally:
        sys.setrecursionlimit(before)


def _sent(project: str) -> list[str]:
    """Return the statements that a golden project sends."""
    found: list[str] = []
    for file in sorted((sqlc.GOLDEN / project / "expected").glob("*.py")):
        found += [
            str(node.value.value)
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant)
        ]
    return [text for text in found if not text.startswith("COPY")]


@pytest.mark.parametrize("project", ["bulk", "python", "shop"])
def test_golden_projects(project: str, request: pytest.FixtureRequest) -> None:
    """Every statement of the golden projects is as PREPARE says."""
    names = {"python": "authors_url"}
    url = request.getfixturevalue(names.get(project, f"{project}_url"))
    problems = Problems()
    folder = sqlc.GOLDEN / project / "migrations"
    schema = load.read((str(folder),), "public", problems)
    texts = _sent(project)
    assert len(texts) > 3
    with psycopg.connect(url, autocommit=True) as database:
        analyzer = prepared.analyzer_of(database, schema)
        types = Types(database)
        found = [(t, prepared.compare(database, analyzer, types, t)) for t in texts]
    different = [(t, c) for t, c in found if c.verdict is not Verdict.SAME]
    assert different == []


def test_verdicts_are_all_counted() -> None:
    """A comparison is of one verdict."""
    found = [("", Comparison(Verdict.SAME)), ("", Comparison(Verdict.WRONG))]
    assert prepared.tally(found) == Counter({Verdict.SAME: 1, Verdict.WRONG: 1})
