"""The check on foreign projects finds what it is there to find.

Each flaw is put into output of the real plugin, and must be told; the same output
without it must pass.
"""

import contextlib
import copy
import dataclasses
import datetime
import ipaddress
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.range import Range

from generator.tools import annotations
from generator.tools.corpus import (
    collect,
    databases,
    faults,
    fill,
    generate,
    origins,
    static,
)
from generator.tools.corpus.findings import TOLERATED, Findings, Kind
from generator.tools.corpus.generate import Generated, Query, Workshop
from postgres_testing.embedded import Server

ROOT = Path(__file__).parents[2]
SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'so-so');
CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL, mood mood);
CREATE TABLE items (
    id int PRIMARY KEY,
    owner_id int NOT NULL REFERENCES owners,
    label text NOT NULL CHECK (label IN ('new', 'used')),
    prices numeric(8, 2)[] NOT NULL,
    note text
);
CREATE TYPE spot AS (x int, y int);
CREATE TABLE places (id int PRIMARY KEY, spot spot NOT NULL, settings jsonb NOT NULL);
"""
QUERIES = """
-- name: ListItems :many
SELECT id, label, prices, note FROM items WHERE id < $1 OR note = sqlc.narg(note);
-- name: LabelsOfOwners :many
SELECT o.name, i.label FROM owners o LEFT JOIN items i ON i.owner_id = o.id;
-- name: AddOwner :one
INSERT INTO owners (id, name, mood) VALUES ($1, $2, $3) RETURNING *;
-- name: ClearNotes :execrows
UPDATE items SET note = NULL WHERE id = ANY($1::int[]);
"""
BULK = """
-- name: AddOwners :copyfrom
INSERT INTO owners (id, name) VALUES ($1, $2);
-- name: RenameOwners :batchexec
UPDATE owners SET name = $2 WHERE id = $1;
-- name: OwnerNames :batchone
SELECT name FROM owners WHERE id = $1;
-- name: ItemsOf :batchmany
SELECT id, label FROM items WHERE owner_id = $1;
-- name: SomeLabels :many
SELECT label FROM items WHERE id IN (sqlc.slice(ids)/* ids */);
-- name: ListPlaces :many
SELECT * FROM places WHERE spot = @spot OR settings = @settings OR true;
"""
REFUSED = """
-- name: NoSuch :exec
-- @defered
DELETE FROM items;
"""
CONFIG = """
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: query.sql
    gen: {go: {out: db, query_parameter_limit: 2, emit_json_tags: true}}
"""

Flawed: TypeAlias = Callable[..., Findings]


def write_case(checkout: Path, name: str, queries: str = QUERIES) -> None:
    """Write a case as sqlc's repository has them."""
    folder = checkout / "internal/endtoend/testdata" / name
    folder.mkdir(parents=True)
    (folder / "sqlc.yaml").write_text(CONFIG)
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "query.sql").write_text(queries)


class Original(NamedTuple):
    """A case's package without a flaw, and a database that its tables are filled in."""

    generated: Generated
    url: str
    filled: databases.Filled
    found: Findings


@pytest.fixture(scope="module")
def originals(
    postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Generator[dict[str, Original]]:
    """Give the packages of the two cases that flaws are put into."""
    with contextlib.ExitStack() as stack:
        made: dict[str, Original] = {}
        # The names are the seeds: with these each flaw is met in a few runs.
        for name, queries in (("shelf", QUERIES), ("crate", BULK)):
            generated = generated_of(tmp_path_factory.mktemp(name), queries)
            url = stack.enter_context(databases.database(postgres_server.url))
            found = Findings()
            filled = databases.fill_database(url, generated, found)
            made[queries] = Original(generated, url, filled, found)
        yield made


def generated_of(folder: Path, queries: str) -> Generated:
    """Generate the package of a case that is called after its folder."""
    write_case(folder, folder.name, queries)
    [case] = collect.cases(folder)
    made = Workshop(folder, "sqlc-gen-psycopg", Findings()).generate(case)
    assert made
    return made


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Generated]:
    """Give a maker of a small case's package; its name is the test's own."""

    def made_of(queries: str) -> Generated:
        made = generated_of(tmp_path, queries)
        monkeypatch.setattr(sys, "path", [str(made.package.parent), *sys.path])
        return made

    return made_of


@pytest.fixture
def found_with(
    originals: dict[str, Original], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Flawed:
    """Give a function that runs a package in which texts are replaced by others."""

    def run(
        *changes: tuple[str, str], queries: str = QUERIES, file: str = "query.py"
    ) -> Findings:
        original = originals[queries]
        package = tmp_path / f"flawed_{tmp_path.name}"
        shutil.copytree(original.generated.package, package)
        generated = dataclasses.replace(original.generated, package=package)
        module = package / file
        text = module.read_text()
        for right, wrong in changes:
            assert right in text
            text = text.replace(right, wrong)
        module.write_text(text)
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        found = copy.deepcopy(original.found)
        # Each test draws the same.
        filled = copy.deepcopy(original.filled)
        databases.run(original.url, filled, generated, found)
        return found

    return run


def details(found: Findings, kind: Kind) -> list[str]:
    """List what was found of a kind, by query."""
    return [f"{finding.query}: {finding.detail}" for finding in found.of(kind)]


def test_right_code_passes(found_with: Flawed) -> None:
    """Output without a flaw gives no failing finding, and every query gives rows."""
    found = found_with()
    assert [f for f in found.found if f.kind not in TOLERATED] == []
    assert found.of(Kind.UNPROVEN) == []
    assert found.of(Kind.UNFILLED) == []
    assert found.counts["columns NOT NULL"] == 6


def test_extra_optional_is_found(found_with: Flawed) -> None:
    """A NOT NULL column that is annotated Optional is a finding."""
    found = found_with(("label: str\n", "label: str | None\n"))
    assert details(found, Kind.OPTIONAL) == ["ListItems: .label: str | None"]


def test_wrong_annotation_is_found(found_with: Flawed) -> None:
    """A value that contradicts its annotation is a finding, deep inside a row too."""
    found = found_with(("prices: list[Decimal | None]", "prices: list[Decimal]"))
    told = details(found, Kind.VIOLATION)
    assert any(t.startswith("ListItems: [") for t in told)
    assert all(t.endswith(": Decimal, but NoneType came") for t in told)


def test_missing_optional_is_found(found_with: Flawed) -> None:
    """A column that an outer join makes NULL must be Optional."""
    found = found_with(("label: str | None\n", "label: str\n"))
    assert any("LabelsOfOwners" in t for t in details(found, Kind.VIOLATION))


def test_untyped_column_is_counted(found_with: Flawed) -> None:
    """A column annotated Any counts as untyped."""
    found = found_with(("label: str\n", "label: Any\n"))
    assert details(found, Kind.UNTYPED) == ["ListItems: .label: Any"]
    assert found.counts["columns untyped"] == 1


def test_wrong_arity_is_ours(found_with: Flawed) -> None:
    """An argument that is not sent is an error of the generated code's."""
    found = found_with(("(support.int4(id), note)", "(support.int4(id),)"))
    assert [t for t in details(found, Kind.ERROR) if t.startswith("ListItems: 08P01")]


def test_wrong_type_is_ours(found_with: Flawed) -> None:
    """An argument of a type that the statement does not take is one, too."""
    found = found_with(("(support.int4(id), note)", "([id], note)"))
    assert [t for t in details(found, Kind.ERROR) if t.startswith("ListItems: 42883")]


def test_list_for_what_is_no_array_is_ours(found_with: Flawed) -> None:
    """A list that the annotation asks for where the server takes a number is one, too.

    The server's complaint is about its text, as if the data were at fault.
    """
    found = found_with(("id: int,", "id: Sequence[str],"), ("support.int4(id)", "id"))
    assert [t for t in details(found, Kind.ERROR) if t.startswith("ListItems: 22P02")]


def test_right_bulk_code_passes(found_with: Flawed) -> None:
    """Batches, copies, slices and registered types pass, and every query gives rows."""
    found = found_with(queries=BULK)
    assert [f for f in found.found if f.kind not in TOLERATED] == []
    assert found.of(Kind.UNPROVEN) == []
    assert found.of(Kind.UNTYPED) == []
    assert found.counts["queries that ran"] == 6
    # Four of them have no twins, two are sent and streamed as well.
    assert found.counts["functions"] == 2 * (4 + 2 * 3)


@pytest.mark.parametrize(
    ("right", "wrong", "kind", "told"),
    [
        ("for _ in arguments:", "for _ in arguments[1:]:", Kind.ERROR,
         "ItemsOf: not one result for each row of arguments"),
        ("return cur.rowcount", "return cur.rowcount + 1", Kind.ERROR,
         "AddOwners: not one result for each row of arguments"),
        ("    id: int\n    label: str\n", "    id: int\n    label: int\n",
         Kind.VIOLATION, "ItemsOf: […][…].label: int, but str came"),
        ('("id", "name")', '("name", "id")', Kind.LOST, "AddOwners: functions none"),
        ('set_types(("int4", ', 'set_types(("int8", ', Kind.ERROR,
         "AddOwners: 22P03"),
        ("= ANY($1/", "<> ALL($1/", Kind.LOST, "SomeLabels: functions none"),
        ("return cur.fetchall\n", "return cur.fetchone\n", Kind.VIOLATION,
         "send_SomeLabels: the value: list[str], but str came"),
        ("RawServerCursor[str],", "RawServerCursor[int],", Kind.VIOLATION,
         "stream_SomeLabels: […]: int, but str came"),
        ("def send_some_labels", "def sent_some_labels", Kind.LOST,
         "SomeLabels: functions …, …, stream_…"),
        ("[(support.int4(row.id), row.name) for", "[(row.name,) for", Kind.STUCK,
         "RenameOwners: each run failed, but the query runs by hand"),
    ],
)  # fmt: skip
def test_flaw_in_bulk_code_is_found(
    found_with: Flawed, right: str, wrong: str, kind: Kind, told: str
) -> None:
    """Every way of calling a query is tried, and its result is judged."""
    found = found_with((right, wrong), queries=BULK)
    assert [t for t in details(found, kind) if t.startswith(told)], found.of(kind)


def test_unregistered_type_is_found(found_with: Flawed) -> None:
    """Types that are not registered are an error of the generated code's."""
    register = (
        "    register_spot_type(CompositeInfo",
        "    (lambda *_: None)(CompositeInfo",
    )
    found = found_with(register, queries=BULK, file="server_types.py")
    assert any("cannot adapt type 'Spot'" in t for t in details(found, Kind.ERROR))


def test_untyped_json_is_counted(found_with: Flawed) -> None:
    """JSON counts as typed by what type checkers see, and as untyped with an object."""
    change = ('dict[str, "JsonValue"]', "dict[str, object]")
    found = found_with(change, queries=BULK, file="json_types.py")
    assert found.counts["columns untyped"] == 1
    assert "ListPlaces: .settings" in details(found, Kind.UNTYPED)[0]


def test_wrong_json_is_found(found_with: Flawed) -> None:
    """JSON is compared with its type as deep as it goes."""
    change = ('| list["JsonValue"] | str |', "|")
    found = found_with(change, queries=BULK, file="json_types.py")
    assert any("settings" in told for told in details(found, Kind.VIOLATION))


def test_statement_that_cannot_run_is_not_ours(
    postgres_server: Server, make: Callable[[str], Generated]
) -> None:
    """A statement that PostgreSQL refuses by hand as well is none of the code's."""
    found = Findings()
    generated = make(
        "-- name: Impossible :exec\nINSERT INTO owners (name) VALUES ($1);"
    )
    databases.check(postgres_server.url, generated, found)
    assert (found.of(Kind.STUCK), found.counts["queries that cannot run"]) == ([], 1)


@pytest.mark.parametrize(
    ("query", "kind", "state"),
    [
        ("INSERT INTO items (id) VALUES (nothing())", Kind.REJECTED, "42883"),
        ("SELECT json_build_object('odd')", Kind.DATA, "22023"),
        ("SELECT pg_sleep(600)", Kind.DATA, "57014"),
    ],
)
def test_fault_of_the_statement_is_not_ours(
    postgres_server: Server,
    make: Callable[[str], Generated],
    query: str,
    kind: Kind,
    state: str,
) -> None:
    """What fails however it is sent is told, and is no failure of the code's."""
    command = ":exec" if query.startswith("INSERT") else ":one"
    found = Findings()
    generated = make(f"-- name: Strange {command}\n{query};\n")
    with databases.database(postgres_server.url, timeout="100ms") as url:
        filled = databases.fill_database(url, generated, found)
        databases.run(url, filled, generated, found)
    assert [told for told in details(found, kind) if f"Strange: {state}" in told]
    assert [f for f in found.found if f.kind not in TOLERATED] == []


def test_bug_in_reading_is_ours(found_with: Flawed) -> None:
    """What Python raises inside a generated function is one, too."""
    found = found_with(("ListItemsRow(*row)", "ListItemsRow(*row, 1)"))
    assert any("TypeError" in told for told in details(found, Kind.ERROR))


def test_broken_check_is_no_pass(found_with: Flawed) -> None:
    """Where the check itself cannot go on, the case is told, and has not passed."""
    found = found_with(("-> list[ListItemsRow]", "-> list['Nowhere']"))
    assert len(found.of(Kind.BROKEN)) == 1


def test_other_sql_is_found(found_with: Flawed) -> None:
    """A statement that is not what sqlc gave is a finding."""
    found = found_with(("id < $1", "id <= $1"))
    assert details(found, Kind.LOST)


def test_broken_module_is_found(found_with: Flawed) -> None:
    """A module that cannot be imported is a finding, and so are its lost queries."""
    found = found_with(("import Connection", "import Conection"))
    assert any("query.py" in told for told in details(found, Kind.IMPORT))
    assert len(details(found, Kind.LOST)) == 4


def test_unresolvable_hint_is_found(found_with: Flawed) -> None:
    """An annotation that pydantic could not resolve is a finding."""
    aside = "class Aside:\n    hidden: 'Nowhere'\n\n\nLIST_ITEMS: Final"
    found = found_with(("LIST_ITEMS: Final", aside))
    assert details(found, Kind.HINTS) == ["Aside: name 'Nowhere' is not defined"]


ANSWER = "# error generating code: process: sqlc-gen-psycopg refuses to generate:\n"
ASKED = (Query("Get", ":batchone", "SELECT 1", "query.sql"),)


@pytest.mark.parametrize(
    ("message", "lacking"),
    [
        ("  query.sql: Get: :batchone is not supported; use :one\n", []),
        ("  table t: column 'a' has no Python type; add an override\n", []),
        ("  query.sql: Get: :batchone is not supported\n", ["no remedy"]),
        ("  :batchone is not supported; use :one\n", ["no remedy"]),
        ("  query.sql: Other: is not supported; use :one\n", ["no query"]),
        ("  Get: :batchone is not supported; use :one\n", ["no query"]),
        ("", ["no problem named"]),
        ("Traceback (most recent call last):\nKeyError: 'x'\n", ["a traceback"]),
    ],
)
def test_unclear_refusal_is_found(message: str, lacking: list[str]) -> None:
    """A refusal names file, query and remedy; a traceback never does."""
    told = generate.unclear(ANSWER + message, ASKED)
    assert [complaint.split(":")[0] for complaint in told] == lacking


def test_refused_query_leaves_the_others(tmp_path: Path) -> None:
    """What is refused is told, and the case's other queries are checked without it."""
    write_case(tmp_path, "partly", QUERIES + REFUSED)
    found = Findings()
    [case] = collect.cases(tmp_path)
    made = Workshop(tmp_path, "sqlc-gen-psycopg", found).generate(case)
    assert made
    assert len(made.queries) == 4
    assert [f.detail.split(":")[0] for f in found.of(Kind.REFUSED)] == ["NoSuch"]
    assert found.of(Kind.CRASH) == []


def test_query_without_a_method_in_go(tmp_path: Path) -> None:
    """A query that sqlc's own output leaves out may be refused, no other one."""
    write_case(tmp_path, "small", REFUSED + "-- name: Other :execlastid\nSELECT 1;\n")
    go = tmp_path / "internal/endtoend/testdata/small/db/query.sql.go"
    go.parent.mkdir()
    go.write_text("func (q *Queries) NoSuch(ctx context.Context) error {\n")
    found = Findings()
    [case] = collect.cases(tmp_path)
    Workshop(tmp_path, "sqlc-gen-psycopg", found).generate(case)
    assert [f.detail.split(":")[0] for f in found.of(Kind.REFUSED)] == ["NoSuch"]
    assert [f.detail.split(":")[0] for f in found.of(Kind.REFUSED_TOO)] == ["Other"]


def test_case_that_sqlc_refuses_does_not_count(tmp_path: Path) -> None:
    """A case that sqlc itself does not accept is none of the plugin's."""
    write_case(tmp_path, "wrong", "-- name: A :one\nSELECT nothing FROM nowhere;")
    found = Findings()
    [case] = collect.cases(tmp_path)
    assert Workshop(tmp_path, "sqlc-gen-psycopg", found).generate(case) is None
    assert found.counts["cases"] == 0


def test_drivers_count_once(tmp_path: Path) -> None:
    """The same schema and queries below two drivers' folders are one case."""
    write_case(tmp_path, "same/pgx")
    write_case(tmp_path, "same/stdlib", QUERIES.replace("\n", " \n"))
    write_case(tmp_path, "other", QUERIES + "-- name: One :one\nSELECT 1;")
    names = [case.name for case in collect.cases(tmp_path)]
    assert names == ["case_other", "case_same_pgx"]


def test_options_are_passed_on(tmp_path: Path) -> None:
    """Options of sqlc's Go generator that are known here are the case's options."""
    write_case(tmp_path, "mine")
    [case] = collect.cases(tmp_path)
    assert case.options == {"query_parameter_limit": 2}


def test_equal_case_that_works_comes_first(tmp_path: Path) -> None:
    """Where one of two equal cases is to end with an error, the other one counts."""
    for name in ("a", "b"):
        write_case(tmp_path, name)
    (tmp_path / "internal/endtoend/testdata/a/stderr.txt").touch()
    assert [(c.name, c.is_of_error) for c in collect.cases(tmp_path)] == [
        ("case_b", False)
    ]


def test_other_engines_are_left_out(tmp_path: Path) -> None:
    """A part of a configuration for another engine is no case."""
    write_case(tmp_path, "mine")
    config = tmp_path / "internal/endtoend/testdata/mine/sqlc.yaml"
    config.write_text(config.read_text().replace("postgresql", "mysql"))
    assert collect.cases(tmp_path) == []


def test_the_way_back_is_left_out(tmp_path: Path) -> None:
    """What a migration would do on the way down is not applied."""
    write_case(tmp_path, "mine")
    schema = tmp_path / "internal/endtoend/testdata/mine/schema.sql"
    schema.write_text("\\set x\nSELECT 1;\n-- +goose Down\nDROP TABLE items;\n")
    [case] = collect.cases(tmp_path)
    assert [text.split() for text in case.schema_texts()] == [["SELECT", "1;"]]


def test_no_checkout_is_told(tmp_path: Path) -> None:
    """A folder that is no checkout is refused, not passed as an empty corpus."""
    with pytest.raises(FileNotFoundError, match="holds no sqlc"):
        collect.cases(tmp_path)


@pytest.mark.parametrize("schema", [".", "s*.sql", "schema.sql", "{}/s*.sql"])
def test_any_project_that_uses_sqlc_is_a_corpus(tmp_path: Path, schema: str) -> None:
    """Elsewhere than in sqlc's checkout the configurations may lie anywhere."""
    project = tmp_path / "app" / "db"
    (project / "queries").mkdir(parents=True)
    (project / "schema.sql").write_text(SCHEMA)
    (project / "queries" / "items.sql").write_text(QUERIES)
    named = schema.format(project)
    part = {"engine": "postgresql", "schema": named, "queries": "queries"}
    (project / "sqlc.dev.yaml").write_text(json.dumps({"sql": [part]}))
    [case] = collect.cases(tmp_path)
    assert case.name == "case_app_db"
    assert [file.name for file in case.files] == ["schema.sql", "items.sql"]


@dataclasses.dataclass(slots=True)
class Inner:
    """A nested row."""

    tags: list[str | None]


@dataclasses.dataclass(slots=True)
class Outer:
    """A row with a nested one."""

    id: int
    inner: Inner | None


Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | None
JSON = {"Json": Json}


class Keys(TypedDict):
    """What a JSON object has."""

    a: int
    b: list[str] | None


FITTING: list[Any] = [
    bool, int, float, str, bytes, Decimal, UUID, datetime.date, datetime.datetime,
    datetime.timedelta, ipaddress.IPv4Address, int | None, list[str | None],
    dict[str, int], tuple[int, str], tuple[int, ...], Inner, Outer, list[Outer] | None,
    Literal[1, "a"], Keys,
]  # fmt: skip


@settings(deadline=None)
@pytest.mark.parametrize("annotation", FITTING, ids=str)
@given(data=st.data())
def test_fitting_value_is_fine(
    annotation: annotations.Annotation, data: st.DataObject
) -> None:
    """Whatever a type checker would take for the annotation is no violation."""
    values: st.SearchStrategy[object] = st.from_type(annotation)
    assert annotations.violations(data.draw(values), annotation) == []


@pytest.mark.parametrize(
    ("value", "annotation", "path"),
    [
        (None, str, ""),
        ("a", int, ""),
        (True, int, ""),
        (1, float, ""),
        (1, bool, ""),
        (datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), datetime.date, ""),
        ("sad", UUID | None, ""),
        (["a", None], list[str], "[1]"),
        ([["a"], [1]], list[list[str | None]], "[1][0]"),
        ("{a,b}", list[str], ""),
        ((1, 2), tuple[int, str], "[1]"),
        ((1, 2), tuple[int], "[2]"),
        ({"a": "b"}, dict[str, int], "[value]"),
        ([Outer(1, Inner(["a", 2]))], list[Outer], "[0].inner.tags[1]"),  # type: ignore[list-item]  # the flaw
        (Outer(1, "x"), Outer | None, ".inner"),  # type: ignore[arg-type]  # the flaw
        (Range(1, 2), Range[Decimal], ".lower"),
        ({"a": [1, {"b": b"x"}]}, Json, ""),
        (True, Literal[1], ""),
        ("b", Literal["a"] | None, ""),
        ({"a": 1}, Keys, ""),
        ({"a": 1, "b": None, "c": 1}, Keys, ""),
        ([{"a": 1, "b": ["x", 1]}], list[Keys], "[0]['b'][1]"),
    ],
)
def test_value_against_its_annotation_is_found(
    value: object, annotation: object, path: str
) -> None:
    """What does not fit is told, with the way that leads to it."""
    [first, *_] = annotations.violations(value, annotation, JSON)
    assert first.path.startswith(path)


def test_unknown_annotation_is_no_pass() -> None:
    """An annotation that cannot be judged by is an error, not a fitting value."""
    with pytest.raises(TypeError, match="cannot judge"):
        annotations.violations(1, "int".join)


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT id, note, label || 'x' FROM i", [("i", 1), ("i", 3), None]),
        ("SELECT o.id, i.id FROM o LEFT JOIN i ON i.o_id = o.id", [("o", 1), None]),
        ("SELECT o.id, i.id FROM o RIGHT JOIN i ON i.o_id = o.id", [None, ("i", 1)]),
        ("SELECT id FROM o JOIN (SELECT id FROM i) AS s USING (id)", [("o", 1)]),
        ("WITH c AS (SELECT label FROM i) SELECT label FROM c", [("i", 2)]),
        ("SELECT s.id FROM o LEFT JOIN (SELECT id FROM i) s ON true", [None]),
        ("SELECT label, count(*) FROM i GROUP BY label", [("i", 2), None]),
        ("SELECT label, count(*) FROM i GROUP BY ROLLUP (label)", [None, None]),
        ("SELECT id FROM i UNION SELECT id FROM o", []),
        ("UPDATE i SET note = $1 WHERE id = $2 RETURNING label", [("i", 2)]),
        ("SELECT id AS \":x {\" FROM o WHERE 'a } :b (' = $1", [("o", 1)]),
    ],
)
def test_columns_come_from_tables(
    conn: psycopg.Connection, query: str, columns: list[tuple[str, int] | None]
) -> None:
    """A plain column is traced to its table, unless an outer join touches it."""
    conn.execute("CREATE TEMP TABLE o (id int PRIMARY KEY)")
    conn.execute("CREATE TEMP TABLE i (id int, label text, note text, o_id int)")
    row = conn.execute("SELECT 'o'::regclass::oid, 'i'::regclass::oid").fetchone()
    assert row
    names = {row[0]: "o", row[1]: "i"}
    found = origins.prepare(conn, query).origins
    assert [f and (names[f[0]], f[1]) for f in found] == columns


def test_tables_are_filled(conn: psycopg.Connection) -> None:
    """Rows fit keys and CHECKs; some have every column, some only what they must."""
    conn.execute("CREATE SCHEMA s")
    assert fill.apply_schema(conn, [f"SET search_path TO s; {SCHEMA}"]) == []
    empty = fill.Filler.of(conn, "seed", [SCHEMA]).fill()
    assert [told for told in empty if told.startswith("s.")] == []
    rows = conn.execute("SELECT label, note FROM s.items").fetchall()
    assert {row[0] for row in rows} == {"new", "used"}
    assert {row[1] is None for row in rows} == {True, False}


def test_foreign_keys_are_followed(conn: psycopg.Connection) -> None:
    """A key that chance would not hit refers to a row that is there."""
    names = "a, b, c, d, e, f, g, h, i, j, k, l"
    key = names.replace(",", " int NOT NULL,") + " int NOT NULL"
    conn.execute(f"CREATE TABLE kept ({key}, PRIMARY KEY ({names}))".encode())
    refers = f"FOREIGN KEY ({names}) REFERENCES kept"
    conn.execute(f"CREATE TABLE referring ({key}, {refers})".encode())
    fill.Filler.of(conn, "seed", []).fill()
    assert conn.execute("SELECT count(*) FROM referring").fetchone() != (0,)


def test_keys_of_generated_columns_are_left_alone(conn: psycopg.Connection) -> None:
    """A generated column may refer to another table: nothing is given for it."""
    conn.execute("CREATE TABLE kept (id int PRIMARY KEY)")
    conn.execute(
        "CREATE TABLE made (n int, id int GENERATED ALWAYS AS (nullif(n, n)) STORED "
        "REFERENCES kept)"
    )
    fill.Filler.of(conn, "seed", []).fill()
    assert conn.execute("SELECT count(*) FROM made").fetchone() != (0,)


def test_failing_statement_of_a_schema_is_told(conn: psycopg.Connection) -> None:
    """A statement that fails is told, and does not keep the others back."""
    failed = fill.apply_schema(conn, ["CREATE EXTENSION nowhere; CREATE TABLE x ()"])
    assert [told.split(":")[0] for told in failed] == ["CREATE EXTENSION nowhere"]
    assert conn.execute("SELECT to_regclass('x')").fetchone() == ("x",)


def test_a_dump_in_a_schema_keeps_its_settings(conn: psycopg.Connection) -> None:
    """The files after a dump find their tables as sqlc does."""
    dump = "SELECT set_config('search_path', '', false); CREATE TABLE public.x (i int)"
    assert fill.apply_schema(conn, [dump, "ALTER TABLE x ADD y int"]) == []


@pytest.mark.parametrize(
    ("statement", "ours"),
    [
        ("SELECT 1 / 0", False),
        ("INSERT INTO order_items (class) VALUES ('a')", False),
        ("SELECT 'x'::int", False),
        ("SELECT to_tsquery('a b')", False),
        ("SELECT 1 = ARRAY['x']", True),
        ("SELECT nowhere", True),
    ],
)
def test_blame(conn: psycopg.Connection, statement: str, ours: bool) -> None:
    """Values and rows are the data's fault, types and names are ours."""
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(statement.encode())
    assert faults.is_ours(caught.value) is ours


FLAWED_PLUGIN = f"""#!{sys.executable}
import base64, json, sys
from sqlc_gen_psycopg import plugin
answer = json.loads(plugin.answer(sys.stdin.buffer.read()))
for file in answer["files"]:
    text = base64.b64decode(file["contents"]).decode()
    text = text.replace("    label: str\\n", "    label: int\\n")
    file["contents"] = base64.b64encode(text.encode()).decode()
print(json.dumps(answer))
"""


def run(checkout: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Run the command line; give its exit code and its report."""
    file = checkout / "report.json"
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "generator.tools.corpus",
            checkout,
            "--json",
            file,
            *options,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), ran.stderr
    return ran.returncode, json.loads(file.read_text())


@pytest.mark.long
def test_whole_run(tmp_path: Path) -> None:
    """All targets hold for the plugin as it is: the command ends with 0."""
    write_case(tmp_path, "small")
    code, report = run(tmp_path)
    failing = {kind.name.lower() for kind in Kind if kind not in TOLERATED}
    assert {k: f for k, f in report["findings"].items() if f and k in failing} == {}
    assert (code, report["holds"], report["counts"]["cases"]) == (0, True, 1)


def test_run_in_which_all_is_refused(tmp_path: Path) -> None:
    """Clear refusals are no way out: more than one case in fifty misses the target."""
    write_case(tmp_path, "small", REFUSED)
    code, report = run(tmp_path, "--leave-out=static")
    assert (code, report["counts"]["refused"]) == (1, 1)


def test_refusal_where_an_error_is_expected(tmp_path: Path) -> None:
    """What is refused where sqlc's own tests expect an error is no refusal of ours."""
    write_case(tmp_path, "small", REFUSED)
    expected = tmp_path / "internal/endtoend/testdata/small/stderr.txt"
    expected.write_text("# package\nquery.sql:1:1: nonsense\n")
    code, report = run(tmp_path, "--leave-out=static")
    assert (code, report["counts"].get("cases")) == (0, None)
    assert report["findings"]["refused_too"]


def test_whole_run_with_a_flaw(tmp_path: Path) -> None:
    """A flawed plugin is told by its values: the command ends with 1."""
    write_case(tmp_path, "small")
    plugin = tmp_path / "plugin"
    plugin.write_text(FLAWED_PLUGIN)
    plugin.chmod(0o755)
    code, report = run(tmp_path, "--plugin", str(plugin), "--leave-out=static")
    assert (code, report["holds"]) == (1, False)
    assert report["findings"]["violation"]


def test_each_tool_is_heard(tmp_path: Path) -> None:
    """What ruff, its formatter, mypy and pyright object to is found, file by file."""
    (tmp_path / "case_x").mkdir()
    code = "import os\nx: int = 'a'\n"
    (tmp_path / "case_x" / "__init__.py").write_text(code)
    found = Findings()
    static.check(tmp_path, found)
    tools = {Kind.RUFF, Kind.FORMAT, Kind.MYPY, Kind.PYRIGHT}
    assert {finding.kind for finding in found.found} == tools
