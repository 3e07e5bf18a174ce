"""`plans` finds the queries that slow down as tables grow, without a row in them."""

from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from generator.tests.command_line import run
from postgres_testing import databases, embedded
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command import config, connecting, requests
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.plans import settings
from sqlc_gen_psycopg.command.plans.report import Report

SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    mood mood NOT NULL
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    placed_at timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL,
    note text
);
CREATE INDEX orders_customer_idx ON orders (customer_id, placed_at, id);
CREATE INDEX orders_open_idx ON orders (placed_at, id) WHERE status = 'open';
CREATE TABLE visits (customer_id bigint NOT NULL REFERENCES customers (id));
"""
# A query with a finding of each kind, and one that is as it should be.
QUERIES: dict[str, tuple[str, str]] = {
    "sequential scan": (":one", "SELECT * FROM orders WHERE note = @note LIMIT 1"),
    "no limit": (":many", "SELECT id FROM orders WHERE customer_id = @customer_id"),
    "offset": (
        ":many",
        """
SELECT id FROM orders WHERE customer_id = @customer_id
ORDER BY placed_at, id LIMIT 10 OFFSET @skipped""",
    ),
    "sort": (
        ":many",
        "SELECT id FROM orders WHERE status = 'open' ORDER BY note LIMIT @max_rows",
    ),
    "hash": (
        ":many",
        """
SELECT o.id FROM orders AS o INNER JOIN customers AS c ON c.id = o.customer_id
WHERE c.mood = 'calm' AND o.note = c.email LIMIT @max_rows""",
    ),
    "aggregate": (
        ":many",
        "SELECT note, count(*) FROM orders GROUP BY note LIMIT @max_rows",
    ),
    "read": (":one", "SELECT count(*) FROM orders WHERE status = 'open'"),
    "passes over": (
        ":many",
        """
SELECT id FROM orders
WHERE status = 'open' AND (
    sqlc.narg(after)::timestamptz IS NULL
    OR (placed_at, id) > (sqlc.narg(after)::timestamptz, sqlc.narg(id)::bigint)
)
ORDER BY placed_at, id LIMIT @max_rows""",
    ),
    "result": (":many", "SELECT id FROM orders WHERE customer_id > 0 LIMIT 5000"),
    "without statistics": (
        ":many",
        """
SELECT given.email FROM unnest((SELECT @emails::text[])) AS given (email)
WHERE EXISTS (SELECT FROM customers AS c WHERE c.email = given.email) LIMIT 10""",
    ),
    "": (":one", "SELECT * FROM customers WHERE email = @email"),
}
SETTINGS = """
[tables.orders.columns]
status = { values = { open = 0.01, paid = 0.99 } }
"""


class Project:
    """A project with a database, and what is said of its plans."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def write(self, queries: str, said: str = SETTINGS) -> None:
        """Write the queries, and what the tables hold."""
        (self.folder / "queries.sql").write_text(queries)
        (self.folder / "plans.toml").write_text(said)

    def report(self) -> Report:
        """Plan the queries."""
        parts = requests.read(config.read(Path("sqlc.yaml")))
        report, _ = connecting.plans(self.url, parts, settings.read(""))
        return report


@pytest.fixture
def url(postgres_server: Server) -> Generator[str]:
    """Give a database with the schema, where statistics can be set."""
    if int(postgres_server.version.split(".")[0]) < 18:
        pytest.skip("statistics can be set on PostgreSQL 18 and newer")
    with databases.database(postgres_server.url) as made:
        with psycopg.connect(made, autocommit=True) as conn:
            conn.execute(SCHEMA.encode())
        yield made


@pytest.fixture
def project(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project without queries."""
    monkeypatch.chdir(tmp_path)
    run("init", ".", folder=tmp_path)
    (tmp_path / "queries/notes.sql").unlink()
    written = (tmp_path / "sqlc.yaml").read_text()
    (tmp_path / "sqlc.yaml").write_text(
        written.replace("queries: queries", "queries: queries.sql")
    )
    (tmp_path / "schema.sql").write_text(SCHEMA)
    return Project(tmp_path, url)


def name_of(kind: str) -> str:
    """Return the name of the query that has a finding of a kind."""
    return kind.replace(" ", "_") or "fine"


def test_each_kind_is_found(project: Project) -> None:
    """A query that grows is found, with its way to grow; one that does not is not."""
    project.write(
        "".join(
            f"-- name: {name_of(kind)} {command}\n{text};\n"
            for kind, (command, text) in QUERIES.items()
        )
    )
    found = {(one.name, one.kind) for one in project.report().findings}
    assert {(name_of(kind), kind) for kind in QUERIES if kind} <= found
    assert "fine" not in {name for name, _ in found}


def test_a_foreign_key_without_an_index_is_found(project: Project) -> None:
    """What refers to a row is looked for when that row goes."""
    project.write("-- name: one :one\nSELECT 1 AS one;\n")
    [finding] = project.report().findings
    assert (finding.name, finding.kind) == ("visits_customer_id_fkey", "foreign key")


def test_a_table_that_stays_small_may_be_read_whole(project: Project) -> None:
    """What has so many rows, whatever the size, is read in order unfound."""
    project.write(
        "-- name: list_visits :many\nSELECT * FROM visits;\n",
        "[tables.visits]\nrows = 50\n",
    )
    assert not project.report().findings


def test_a_table_of_another_schema_is_named_with_it(project: Project) -> None:
    """What is said of it counts for it alone, wherever names are looked for."""
    with psycopg.connect(project.url, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA audit CREATE TABLE visits (note text)")
        name = sql.Identifier(conn.info.dbname)
        path = "ALTER DATABASE {} SET search_path = audit, public"
        conn.execute(sql.SQL(path).format(name))
    project.write(
        "-- name: one :one\nSELECT 1 AS one;\n",
        '[tables."audit.visits"]\nrows = 50\n'
        '[statements]\nlist_notes = "SELECT note FROM audit.visits"\n',
    )
    assert {one.kind for one in project.report().findings} == {"foreign key"}


def test_the_database_is_as_it_was(project: Project) -> None:
    """Rows, statistics and files are those from before."""
    state = """
    SELECT relname, relfilenode, relpages, reltuples, pg_relation_size(oid)
    FROM pg_class WHERE relname ~ '^(customers|orders|visits)' ORDER BY 1
    """
    with psycopg.connect(project.url, autocommit=True) as conn:
        conn.execute("INSERT INTO customers (email, mood) VALUES ('a', 'calm')")
        conn.execute("ANALYZE customers")
        before = conn.execute(state).fetchall()
        project.write("-- name: list_all :many\nSELECT * FROM customers;\n")
        assert project.report().findings
        assert conn.execute(state).fetchall() == before
        assert conn.execute("SELECT count(*) FROM customers").fetchone() == (1,)
        columns = "SELECT count(*) FROM pg_stats WHERE tablename = 'customers'"
        assert conn.execute(columns).fetchone() == (3,)


def test_what_has_a_reason_is_accepted_as_long_as_it_is_found(project: Project) -> None:
    """A reason silences one kind of one query; once that is gone it must go."""
    said = '[tables.visits]\nrows = 50\n[accepted.it]\n"no limit" = "few have many"\n'
    text = f"-- name: it :many\n{QUERIES['no limit'][1]}"
    project.write(f"{text};\n", said)
    report = project.report()
    assert (report.findings, report.accepted) == ([], 1)
    project.write(f"{text} LIMIT 5;\n", said)
    [finding] = project.report().findings
    assert str(finding) == (
        "plans.toml: it: no limit: accepted, but not found; remove it there"
    )


def test_statements_of_functions_are_planned_too(project: Project) -> None:
    """What no query shows can be named in the settings."""
    project.write(
        "-- name: one :one\nSELECT 1 AS one;\n",
        "[tables.visits]\nrows = 50\n"
        '[statements]\npurge = "DELETE FROM orders WHERE note = $1"\n',
    )
    [finding] = project.report().findings
    assert (finding.name, finding.kind) == ("purge", "sequential scan")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM orders; COMMIT", "purge: is 2 statements; write one"),
        ("CALL purge()", "purge: is not planned"),
        ("SELEC 1", "purge: syntax error"),
        ("", "purge: is 0 statements"),
    ],
)
def test_what_would_be_executed_is_refused(
    project: Project, statement: str, told: str
) -> None:
    """All but the first of several statements would be: a COMMIT would empty tables."""
    with psycopg.connect(project.url, autocommit=True) as conn:
        conn.execute("INSERT INTO customers (email, mood) VALUES ('a', 'calm')")
        project.write(
            "-- name: one :one\nSELECT 1 AS one;\n",
            f'[statements]\npurge = "{statement}"\n',
        )
        with pytest.raises(CannotRunError, match=told):
            project.report()
        assert conn.execute("SELECT count(*) FROM customers").fetchone() == (1,)


def test_settings_of_what_is_not_there_are_found(project: Project) -> None:
    """A table or column that was renamed would be planned as nothing is said of it."""
    project.write(
        "-- name: one :one\nSELECT 1 AS one;\n",
        "[tables.visits]\nrows = 50\n[tables.visit]\nrows = 50\n"
        "[tables.orders.columns]\nstate = { nulls = 0.5 }\n",
    )
    assert {(one.name, one.kind) for one in project.report().findings} == {
        ("visit", "table"),
        ("orders", "column state"),
    }


def test_a_key_to_a_partitioned_table_is_found_once(project: Project) -> None:
    """To the server it is one for each part, too; of a part's own it is the part's."""
    with psycopg.connect(project.url, autocommit=True) as conn:
        for statement in (
            "CREATE TABLE days (day int PRIMARY KEY) PARTITION BY RANGE (day)",
            "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (0) TO (9)",
            "CREATE TABLE sales (day int REFERENCES days) PARTITION BY LIST (day)",
            "CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1)",
            "CREATE TABLE notes (day int REFERENCES days)",
        ):
            conn.execute(statement.encode())
    project.write(
        "-- name: one :one\nSELECT 1 AS one;\n", "[tables.visits]\nrows = 50\n"
    )
    found = sorted((one.where, one.kind) for one in project.report().findings)
    assert found == [("notes", "foreign key"), ("sales_1", "foreign key")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("size = [1]", "unknown key 'size'"),
        ("sizes = []", "sizes: write a list"),
        ('sizes = ["a"]', "sizes: 'a' is not a whole number of 1 or more"),
        ("page = 0", "page: 0 is not"),
        ("large = true", "large: True is not"),
        ("tables.t = 3", "tables.t: 3 is no table of TOML"),
        ("tables.t.rows = -1", "tables.t.rows: -1 is not a whole number of 0 or more"),
        ("tables.t.share = '1'", "tables.t.share: '1' is not a number"),
        ("tables.t.columns.a.nulls = 1.5", "a.nulls: 1.5 is not a number of 0 to 1"),
        ("tables.t.columns.a.repeats = 0", "a.repeats: 0 is not"),
        ("tables.t.columns.a.values.x = 'y'", "a.values.x: 'y' is not"),
        ("tables.t.columns.a.values = { x = 0.6, y = 0.6 }", "more than 1 together"),
        ("statements.a = 3", "statements.a: 3 is not text"),
        ("accepted.q.sort = 3", "accepted.q: 'sort': 3 is not text"),
        ("[tables.t.columns]\na = { null = 1 }", "tables.t.a: unknown key|columns.t.a"),
        ('[accepted.q]\nsort = " "', "accepted.q: 'sort' has no reason"),
        ("sizes = ", "cannot be read"),
    ],
)
def test_settings_without_meaning_are_refused(
    tmp_path: Path, said: str, told: str
) -> None:
    """A mistake in plans.toml is told, not passed over."""
    file = tmp_path / "plans.toml"
    file.write_text(said)
    with pytest.raises(CannotRunError, match=told):
        settings.read(str(file))


def test_a_role_that_may_not_is_told_what_is_missing(project: Project) -> None:
    """Making files long takes a superuser."""
    with psycopg.connect(project.url, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS planner_without_rights")
        conn.execute("CREATE ROLE planner_without_rights LOGIN PASSWORD 'x'")
    parts = urlsplit(project.url)
    address = f"planner_without_rights:x@{parts.netloc.rpartition('@')[2]}"
    project.write("-- name: one :one\nSELECT 1 AS one;\n")
    try:
        project.url = parts._replace(netloc=address).geturl()
        with pytest.raises(CannotRunError, match="takes a superuser"):
            project.report()
    finally:
        with psycopg.connect(urlunsplit(parts), autocommit=True) as conn:
            conn.execute("DROP ROLE planner_without_rights")


def test_an_older_server_is_told_what_is_missing(tmp_path: Path) -> None:
    """Before PostgreSQL 18 statistics cannot be set."""
    [*older] = Path("/usr/lib/postgresql").glob("1[0-7]/bin")
    if not older:
        pytest.skip("no PostgreSQL older than 18 is installed here")
    run("init", ".", folder=tmp_path)
    with embedded.start(older[0]) as server:
        told = run("plans", server.url, folder=tmp_path)
    assert told.returncode == 2
    assert "needs PostgreSQL 18 or newer" in told.stderr
