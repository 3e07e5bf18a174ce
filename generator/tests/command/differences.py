"""Ways in which a server is otherwise than the schema files say."""

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
