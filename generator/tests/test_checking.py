"""`check` finds each way in which a server is otherwise than the schema files say."""

import contextlib
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from generator.tests.command_line import contents, run
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command import config, connecting, requests
from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.requests import Part

SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN order_status AS text CHECK (value IN ('open', 'paid'));
CREATE TYPE address AS (street text, zip integer);
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    mood mood,
    home address,
    tags text []
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    status order_status NOT NULL,
    total numeric NOT NULL,
    placed date NOT NULL,
    note text
);
CREATE VIEW open_orders AS SELECT id, total FROM orders WHERE status = 'open';
CREATE VIEW sized_orders AS
SELECT CASE WHEN total > 9 THEN 'big' ELSE 'small' END AS size FROM orders;
CREATE FUNCTION tax(amount numeric) RETURNS numeric
LANGUAGE sql AS 'SELECT amount * 0.2';
CREATE TABLE visits (at timestamptz NOT NULL, page text NOT NULL);
"""
CUSTOMERS = """
-- name: get_customer :one
SELECT * FROM customers WHERE id = @id;

-- name: list_moods :many
SELECT name, mood FROM customers;

-- name: list_visits :many
SELECT at, page FROM visits;
"""
ORDERS = """
-- name: list_orders :many
SELECT id, status, total, placed FROM orders WHERE placed = @placed;

-- name: list_open :many
SELECT id, total FROM open_orders;

-- name: list_taxes :many
SELECT id, tax(total) AS tax FROM orders;

-- name: add_order :one
INSERT INTO orders (customer_id, status, total, placed, note)
VALUES (@customer_id, @status, @total, current_date, @note) RETURNING id;

-- name: list_with_customers :many
SELECT sqlc.embed(customers), orders.id FROM orders
LEFT JOIN customers ON customers.id = orders.customer_id;

-- name: sum_totals :one
SELECT sum(total) AS total FROM orders GROUP BY customer_id LIMIT 1;

-- name: list_due :many
SELECT placed + 1 AS due FROM orders;

-- name: list_json :many
SELECT json_build_object('order', o.id, 'of', c) AS data
FROM orders AS o INNER JOIN customers AS c ON c.id = o.customer_id;

-- name: list_sizes :many
SELECT size FROM sized_orders;

-- name: list_notes :many
-- @notnull note
SELECT note, @mark::text AS mark FROM orders WHERE note IS NOT NULL;
"""
# What is done to the server; then places, what is said of them, what the server has.
LIES: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    "NOT NULL dropped inside of JSON": (
        "ALTER TABLE customers ALTER name DROP NOT NULL",
        [
            (
                "list_json: column 'data', key 'name'",
                "generated as str",
                "has str | None there",
            ),
        ],
    ),
    "a column added inside of JSON": (
        "ALTER TABLE customers ADD age integer",
        [
            (
                "list_json: column 'data', key 'age'",
                "generated without it",
                "has int | None there",
            ),
        ],
    ),
    "a label added inside of JSON": (
        "ALTER TYPE mood ADD VALUE 'glad'",
        [
            (
                "list_json: column 'data', key 'mood'",
                'generated as Literal["calm", "cross"] | None',
                'has Literal["calm", "cross", "glad"] | None there',
            ),
        ],
    ),
    "a view's constants": (
        """
        DROP VIEW sized_orders; CREATE VIEW sized_orders AS
        SELECT CASE WHEN total > 9 THEN 'large' ELSE 'small' END AS size FROM orders
        """,
        [
            (
                "list_sizes: column 'size'",
                'generated as Literal["big", "small"]',
                'has Literal["large", "small"] there',
            ),
        ],
    ),
    "a column of another type": (
        """
        DROP VIEW sized_orders, open_orders;
        ALTER TABLE orders ALTER total TYPE float8; CREATE
        VIEW open_orders AS SELECT id, total::numeric FROM orders
        """,
        [
            (
                "list_orders: column 'total'",
                "generated as Decimal, for numeric",
                "has float8",
            ),
            (
                "add_order: parameter 'total'",
                "generated as Decimal, for numeric",
                "has float8",
            ),
            (
                "sum_totals: column 'total'",
                "generated as Decimal, for numeric",
                "has float8",
            ),
        ],
    ),
    "NOT NULL dropped": (
        "ALTER TABLE customers ALTER name DROP NOT NULL",
        [
            (
                "get_customer: column 'name'",
                "generated as str, never None",
                "lets customers.name be NULL",
            ),
            (
                "list_moods: column 'name'",
                "generated as str, never None",
                "lets customers.name be NULL",
            ),
            (
                "list_with_customers: column 'customer.name'",
                "generated as str, never None",
                "lets customers.name be NULL",
            ),
        ],
    ),
    "NOT NULL dropped below an expression": (
        "ALTER TABLE orders ALTER placed DROP NOT NULL",
        [
            (
                "list_due: column 'due'",
                "generated as datetime.date, never None",
                "lets orders.placed be NULL",
            ),
        ],
    ),
    "NOT NULL added": (
        "ALTER TABLE orders ALTER note SET NOT NULL",
        [
            (
                "add_order: parameter 'note'",
                "takes None",
                "has orders.note as NOT NULL",
            ),
        ],
    ),
    "a renamed column": (
        "ALTER TABLE visits RENAME page TO path",
        [
            (
                "list_visits: at 'page'",
                "generated for the schema files",
                'says: column "page" does not exist',
            ),
        ],
    ),
    "a dropped table": (
        "DROP TABLE visits",
        [
            (
                "list_visits: at 'visits'",
                "generated for the schema files",
                'says: relation "visits" does not exist',
            ),
        ],
    ),
    "a dropped function": (
        "DROP FUNCTION tax",
        [
            (
                "list_taxes: at 'tax'",
                "generated for the schema files",
                "says: function tax(numeric) does not exist",
            ),
        ],
    ),
    "a function of another result": (
        """
        DROP FUNCTION tax; CREATE FUNCTION tax(amount numeric) RETURNS integer
        LANGUAGE sql AS 'SELECT 1'
        """,
        [
            (
                "list_taxes: column 'tax'",
                "generated as Decimal | None, for numeric",
                "has int4",
            ),
        ],
    ),
    "a label more": (
        "ALTER TYPE mood ADD VALUE 'glad'",
        [
            (
                "list_moods: column 'mood'",
                "generated as enums.Mood | None of 'calm', 'cross'",
                "has mood of 'calm', 'cross', 'glad'",
            ),
        ],
    ),
    "a label less": (
        "ALTER TYPE mood RENAME VALUE 'cross' TO 'angry'",
        [
            (
                "list_moods: column 'mood'",
                "generated as enums.Mood | None of 'calm', 'cross'",
                "has mood of 'calm', 'angry'",
            ),
        ],
    ),
    "a domain that allows more": (
        """
        ALTER DOMAIN order_status DROP CONSTRAINT order_status_check; ALTER DOMAIN
        order_status ADD CHECK (value = ANY (ARRAY['open', 'paid', 'lost']))
        """,
        [
            (
                "list_orders: column 'status'",
                "generated as enums.OrderStatus of 'open', 'paid'",
                "has order_status of 'open', 'paid', 'lost'",
            ),
            (
                "add_order: parameter 'status'",
                "generated as enums.OrderStatus of 'open', 'paid'",
                "has order_status of 'open', 'paid', 'lost'",
            ),
        ],
    ),
    "a domain that allows anything": (
        "ALTER DOMAIN order_status DROP CONSTRAINT order_status_check",
        [
            (
                "list_orders: column 'status'",
                "generated as enums.OrderStatus of 'open', 'paid'",
                "has order_status of any value",
            ),
        ],
    ),
    "a column without its domain": (
        """
        DROP VIEW open_orders; ALTER TABLE orders ALTER status TYPE text; CREATE
        VIEW open_orders AS SELECT id, total FROM orders
        """,
        [
            (
                "list_orders: column 'status'",
                "generated as enums.OrderStatus, for order_status",
                "has text",
            ),
        ],
    ),
    "a composite of another attribute": (
        """
        ALTER TYPE address DROP ATTRIBUTE zip; ALTER TYPE address ADD ATTRIBUTE zip
        text
        """,
        [
            (
                "get_customer: column 'home'",
                "generated as server_types.Address | None of (street text, zip int4)",
                "has address of (street text, zip text)",
            ),
        ],
    ),
    "a view of other columns": (
        """
        DROP VIEW open_orders; CREATE VIEW open_orders AS SELECT id, total::int AS
        total FROM orders
        """,
        [
            (
                "list_open: column 'total'",
                "generated as Decimal, for numeric",
                "has int4",
            ),
        ],
    ),
    "a view of other rows": (
        """
        CREATE OR REPLACE VIEW open_orders AS SELECT o.id, o.total FROM customers
        LEFT JOIN orders AS o ON o.customer_id = customers.id
        """,
        [
            (
                "list_open: column 'total'",
                "generated as Decimal, never None",
                "lets open_orders.total be NULL",
            ),
        ],
    ),
    "a column that became an array": (
        "ALTER TABLE visits ALTER page TYPE text [] USING ARRAY[page]",
        [
            ("list_visits: column 'page'", "generated as str, for text", "has text[]"),
        ],
    ),
    "an array that became a column": (
        "ALTER TABLE customers ALTER tags TYPE text USING ''",
        [
            (
                "get_customer: column 'tags'",
                "generated as list[str | None] | None, for text[]",
                "has text",
            ),
        ],
    ),
    "a parameter of another type": (
        "ALTER TABLE orders ALTER placed TYPE timestamptz",
        [
            (
                "list_orders: parameter 'placed'",
                "generated as datetime.date, for date",
                "has timestamptz",
            ),
        ],
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "queries").mkdir()
    files = {
        "sqlc.yaml": CONFIG,
        "schema.sql": SCHEMA,
        "queries/customers.sql": CUSTOMERS,
        "queries/orders.sql": ORDERS,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


CONFIG = """\
version: "2"
plugins:
  - name: psycopg
    process: {cmd: sqlc-gen-psycopg, format: json}
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries
    codegen:
      - {plugin: psycopg, out: app/db}
      - {plugin: psycopg, out: app/more, options: {emit_async: false}}
"""


@pytest.fixture(scope="module")
def parts(folder: Path) -> list[Part]:
    """Give what sqlc asks for the project."""
    with contextlib.chdir(folder):
        return requests.read(config.read(Path("sqlc.yaml")))


@pytest.fixture(scope="module")
def template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database with the project's schema."""
    with databases.template(
        postgres_server.url, lambda url: _execute(url, SCHEMA)
    ) as made:
        yield made


def _execute(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in text.split(";") if "'SELECT" not in text else [text]:
            conn.execute(statement.encode())


def _found(folder: Path, parts: list[Part], url: str) -> list[str]:
    with contextlib.chdir(folder):
        return [str(found) for found in connecting.check(url, parts).findings]


def test_a_matching_server_is_as_annotated(
    folder: Path, template: databases.Template
) -> None:
    """The real command counts what it compared, and writes nothing anywhere."""
    before = contents(folder)
    with template.clone() as url:
        ran = run("check", folder=folder, DATABASE_URL=url)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout == "26 queries, 14 parameters, 60 columns: as annotated\n"
    assert contents(folder) == before


@pytest.mark.parametrize("lie", LIES)
def test_each_difference_is_found(
    lie: str, folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """File, query, place, what was generated, what the server has, and a remedy."""
    done, expected = LIES[lie]
    with template.clone() as url:
        _execute(url, done)
        found = _found(folder, parts, url)
    told = "\n".join(found)
    for place, ours, theirs in expected:
        assert f".sql: {place}: {ours}, but the server {theirs}; migrate" in told
    for finding in found:
        assert finding.startswith("queries/")
        assert finding.endswith("correct the schema files and generate again")
    assert len(found) == len({*found})


def test_open_enums_may_lack_labels(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """Labels that the server has more are no finding, in JSON neither; fewer are."""
    options = {"emit_open_enums": True}
    opened = [p._replace(request=p.request._replace(options=options)) for p in parts]
    with template.clone() as url:
        _execute(url, "ALTER TYPE mood ADD VALUE 'glad'")
        assert _found(folder, opened, url) == []
        _execute(url, "ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'")
        assert any("has mood of 'quiet'" in one for one in _found(folder, opened, url))


def test_findings_end_with_1(folder: Path, template: databases.Template) -> None:
    """The real command prints each, and how many there are."""
    with template.clone() as url:
        _execute(url, "DROP TABLE visits")
        ran = run("check", url, folder=folder)
    *found, last = ran.stdout.splitlines()
    assert (ran.returncode, len(found)) == (1, 1)
    assert last == "26 queries, 14 parameters, 60 columns: 1 not as annotated"


def test_the_right_to_read_is_enough(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """A role that may SELECT alone checks all queries, those that write as well."""
    with template.clone() as url:
        _execute(
            url,
            "CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        )
        try:
            assert _found(folder, parts, f"{url}&options=-c%20role%3Dreader") == []
        finally:
            _execute(url, "DROP OWNED BY reader; DROP ROLE reader")


def test_another_search_path_is_followed(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """What the schema files leave unqualified is where the server looks for it."""
    with template.clone() as url:
        _execute(url, "ALTER SCHEMA public RENAME TO shop; CREATE SCHEMA public")
        there = f"{url}&options=-c%20search_path%3Dshop"
        assert _found(folder, parts, there) == []
        _execute(url, "ALTER TABLE shop.orders ALTER placed DROP NOT NULL")
        found = _found(folder, parts, there)
    assert [one.split(":")[1].strip() for one in found] == ["list_orders", "list_due"]


UNREADABLE = (
    "postgresql://me:geh@eim@localhost/x",
    "postgresql//me:geheim@localhost/x",
)


@pytest.mark.parametrize(
    "url", ["", *UNREADABLE, "postgresql://me:geheim@localhost:1/x"]
)
def test_a_server_that_cannot_be_asked(url: str, parts: list[Part]) -> None:
    """One sentence says so, without the password."""
    with pytest.raises(CannotRunError) as raised:
        connecting.check(url, parts)
    assert "\n" not in str(raised.value)
    assert "eim" not in str(raised.value)
