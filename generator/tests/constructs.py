"""Each construct of nullability: statements, and what their columns are."""

SCHEMA = """
CREATE DOMAIN state AS varchar(10) CHECK (value IN ('open', 'done'));
CREATE DOMAIN cents AS integer CHECK (value >= 0);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE items (
    id integer PRIMARY KEY,
    state state NOT NULL,
    old_state state,
    name text NOT NULL,
    note text,
    n integer,
    small smallint NOT NULL,
    big bigint NOT NULL,
    price cents NOT NULL,
    amount numeric NOT NULL,
    weight double precision NOT NULL,
    mood mood,
    tags text [] NOT NULL,
    states state [] NOT NULL,
    data jsonb NOT NULL,
    made timestamptz NOT NULL,
    day date,
    span int4range NOT NULL DEFAULT 'empty'
);
CREATE TABLE others (
    id integer PRIMARY KEY,
    item_id integer REFERENCES items (id),
    label text NOT NULL
);
CREATE TABLE bare (a text, b integer);
CREATE TABLE parents (key uuid PRIMARY KEY, title text NOT NULL, note text);
CREATE TABLE heirs (own text NOT NULL, note text NOT NULL) INHERITS (parents);
ALTER TABLE heirs ADD late text NOT NULL, ADD number serial;
CREATE TABLE numbered (number serial, loose serial, more int);
ALTER TABLE numbered ALTER COLUMN loose DROP NOT NULL, ADD COLUMN later bigserial;
CREATE VIEW totals AS
SELECT items.id, items.name, sum(others.id) AS total, count(others.id) AS number
FROM items LEFT JOIN others ON others.item_id = items.id
GROUP BY items.id;
CREATE TABLE copies AS SELECT id, name FROM items;
CREATE FUNCTION shout(words text) RETURNS text LANGUAGE sql AS 'SELECT upper(words)';
"""

ROWS = """
INSERT INTO items VALUES
(1, 'open', 'done', 'one', 'note', 1, 1, 1, 1, 1.5, 1.5, 'ok', '{a,NULL}',
 '{open,NULL}', '{"a": 1, "b": null}', now(), '2024-01-01', '[1,5)'),
(2, 'done', NULL, 'two', NULL, NULL, 2, 2, 2, 2, 2.5, NULL, '{}', '{}', 'null',
 now(), NULL, 'empty'),
(3, 'open', NULL, 'two', NULL, 3, 2, 2, 2, 2, 2.5, NULL, '{}', '{}', '[]', now(),
 NULL, '(,)');
INSERT INTO others VALUES (1, 1, 'x'), (2, NULL, 'y'), (3, 1, 'z');
INSERT INTO parents VALUES (gen_random_uuid(), 't', NULL);
INSERT INTO heirs VALUES (gen_random_uuid(), 't', 'n', 'o', 'l');
INSERT INTO numbered VALUES (1, NULL, NULL, 1);
INSERT INTO bare VALUES (NULL, NULL), ('a', 1);
INSERT INTO copies VALUES (NULL, NULL);
"""

# What follows SELECT, and the annotation of the one column that it gives.
SELECTS = {
    # Aggregates: NULL of no rows, unless each group has rows.
    "sum(n) FROM items": "int | None",
    "sum(big) FROM items": "Decimal | None",
    "sum(amount) FROM items": "Decimal | None",
    "sum(weight) FROM items": "float | None",
    "sum(price) FROM items": "int | None",
    "avg(n) FROM items": "Decimal | None",
    "avg(weight) FROM items": "float | None",
    "min(id) FROM items": "int | None",
    "max(state) FROM items": "str | None",
    "max(made) FROM items": "datetime.datetime | None",
    "max(mood) FROM items": "enums.Mood | None",
    "count(*) FROM items": "int",
    "count(note) FROM items": "int",
    "count(*) FILTER (WHERE n > 1) FROM items": "int",
    "string_agg(name, ',') FROM items": "str | None",
    "lag(state) OVER (ORDER BY id) FROM items": "enums.State | None",
    "array_agg(name) FROM items": "list[str | None] | None",
    "array_agg(state) FROM items": "list[enums.State | None] | None",
    "bool_and(n > 1) FROM items": "bool | None",
    "jsonb_agg(name) FROM items": "list[str] | None",
    "sum(id) FROM items GROUP BY name": "int",
    "max(n) FROM items GROUP BY name": "int | None",
    "max(amount) FILTER (WHERE id > 9) FROM items GROUP BY name": "Decimal | None",
    "array_agg(note) FROM items GROUP BY name": "list[str | None]",
    "max(id) FROM items GROUP BY ROLLUP (name)": "int | None",
    "name FROM items GROUP BY ROLLUP (name)": "str | None",
    "name FROM items GROUP BY name": "str",
    "coalesce(sum(n), 0) FROM items": "int",
    "stddev(id) FROM items GROUP BY name": "Decimal | None",
    "percentile_disc(0.5) WITHIN GROUP (ORDER BY name) FROM items": "str | None",
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM items GROUP BY name": "float",
    "mode() WITHIN GROUP (ORDER BY id) FROM items GROUP BY name": "int",
    "sum FROM (SELECT items.id + items.n AS sum FROM items) AS f": "int | None",
    "coalesce(sum(amount), 0) FROM items": "Decimal",
    # Operators.
    "id + 1 FROM items": "int",
    "n + 1 FROM items": "int | None",
    "id * 1.5 FROM items": "Decimal",
    "id * weight FROM items": "float",
    "id / 2 FROM items": "int",
    "small + small FROM items": "int",
    "-amount FROM items": "Decimal",
    "price + 1 FROM items": "int",
    "name || '!' FROM items": "str",
    "n || '!' FROM items": "str | None",
    "note || name FROM items": "str | None",
    "tags || tags FROM items": "list[str | None]",
    "made - made FROM items WHERE id < 3": "datetime.timedelta",
    "made + '1 day'::interval FROM items WHERE id < 3": "datetime.datetime",
    "day + 1 FROM items": "datetime.date | None",
    "day - day FROM items": "int | None",
    "data -> 'a' FROM items": "json_types.JsonValue | None",
    "data ->> 'a' FROM items": "str | None",
    "data #>> '{a}' FROM items": "str | None",
    "data @> '{}' FROM items": "bool",
    "name LIKE 'o%' FROM items": "bool",
    "note ILIKE 'o%' FROM items": "bool | None",
    "id BETWEEN 1 AND 2 FROM items": "bool",
    "n IN (1, 2) FROM items": "bool | None",
    "id IN (1, NULL) FROM items": "bool | None",
    "id = ANY (ARRAY[1, 2]) FROM items": "bool",
    "name = ANY (tags) FROM items": "bool | None",
    "n IS NULL FROM items": "bool",
    "n IS DISTINCT FROM 1 FROM items": "bool",
    "NOT (id > 1 AND name = 'one') FROM items": "bool",
    "n > 1 OR id > 1 FROM items": "bool | None",
    "state = 'open' FROM items": "bool",
    "(id, name) < (1, 'x') FROM items": "bool",
    # Choices.
    "CASE WHEN id > 1 THEN name END FROM items": "str | None",
    "CASE WHEN id > 1 THEN name ELSE 'x' END FROM items": "str",
    "CASE WHEN id > 1 THEN id ELSE 1.5 END FROM items": "Decimal",
    "CASE WHEN id > 1 THEN state ELSE old_state END FROM items": "enums.State | None",
    "CASE WHEN id > 1 THEN state ELSE 'open' END FROM items": "str",
    "coalesce(n, 0) FROM items": "int",
    "coalesce(note, mood::text) FROM items": "str | None",
    "coalesce(old_state, state) FROM items": "enums.State",
    "coalesce(mood, 'sad') FROM items": "enums.Mood",
    "nullif(id, 1) FROM items": "int | None",
    "greatest(id, n) FROM items": "int",
    "least(n, n) FROM items": "int | None",
    # Casts and literals.
    "state::text FROM items": "str",
    "n::text FROM items": "str | None",
    "'open'::state": "enums.State",
    "(data -> 'b')::text FROM items": "str | None",
    "(data ->> 'a')::integer FROM items": "int | None",
    "id::numeric(10, 2) FROM items": "Decimal",
    "tags::varchar[] FROM items": "list[str | None]",
    "'x'": 'Literal["x"]',
    "1": "Literal[1]",
    "'x'::text": 'Literal["x"]',
    "'x'::char(2)": "str",
    "'x'::varchar(1)": "str",
    "'x' || 'y'": "str",
    "CASE WHEN id > 1 THEN 'a' WHEN id > 2 THEN 'b' END FROM items": (
        'Literal["a", "b"] | None'
    ),
    "CASE id WHEN 1 THEN 10 ELSE 20 END FROM items": "Literal[10, 20]",
    "CASE WHEN id > 1 THEN 1 ELSE 2.5 END FROM items": "Decimal",
    "CASE WHEN id > 1 THEN 'sad' ELSE mood END FROM items": "enums.Mood | None",
    "CASE WHEN id > 1 THEN true ELSE false END FROM items": "bool",
    "coalesce(CASE WHEN id > 1 THEN 'a' END, 'b') FROM items": 'Literal["a", "b"]',
    "'a' FROM items UNION ALL SELECT NULL": 'Literal["a"] | None',
    "'a'::text FROM items UNION SELECT name FROM items": "str",
    "'sad'::mood": "enums.Mood",
    "99999999999": "int",
    "99999999999999999999": "Decimal",
    "1.5": "Decimal",
    "true": "Literal[True]",
    "NULL::integer": "int | None",
    "ARRAY[1, 2]": "list[int | None]",
    "ARRAY['x', 'y']": "list[str | None]",
    "ARRAY[ARRAY[1], ARRAY[2]]": "list[list[int | None]]",
    "tags[1] FROM items": "str | None",
    "states[1] FROM items": "enums.State | None",
    "states[1:1] FROM items": "list[enums.State | None] | None",
    "current_date": "datetime.date",
    "current_timestamp": "datetime.datetime",
    "localtime": "datetime.time",
    "current_user": "str",
    # Functions.
    "lower(name) FROM items": "str",
    "lower(span) FROM items": "int | None",
    "upper(note) FROM items": "str | None",
    "length(name) FROM items": "int",
    "round(amount, 2) FROM items": "Decimal",
    "round(weight) FROM items": "float",
    "abs(id) FROM items": "int",
    "ceil(amount) FROM items": "Decimal",
    "ceil(3.5)": "Decimal",
    "abs(-17.4)": "Decimal",
    "sqrt(2)": "float",
    "mod(9, 4)": "int",
    "div(9, 4)": "Decimal",
    "power(9.0, 3.0)": "Decimal",
    "date_trunc('day', made) FROM items": "datetime.datetime",
    "make_interval(secs => 1.5)": "datetime.timedelta",
    "make_interval(days => items.n) FROM items": "datetime.timedelta | None",
    "extract(year FROM made) FROM items": "Decimal | None",
    "to_char(made, 'YYYY') FROM items": "str | None",
    "now()": "datetime.datetime",
    "gen_random_uuid()": "UUID",
    "concat(note, name) FROM items": "str",
    "jsonb_build_object(name, note) FROM items": "json_types.JsonValue",
    "to_jsonb(name) FROM items": "str",
    "jsonb_typeof(data) FROM items": "str",
    "array_length(tags, 1) FROM items": "int | None",
    "cardinality(tags) FROM items": "int",
    "substring(name FROM 'o(.)') FROM items": "str | None",
    "shout(note) FROM items": "str | None",
    "made AT TIME ZONE 'utc' FROM items": "datetime.datetime",
    "split_part(name, 'n', 2) FROM items": "str",
    # Windows.
    "row_number() OVER (ORDER BY id) FROM items": "int",
    "lag(id) OVER (ORDER BY id) FROM items": "int | None",
    "lead(name) OVER (ORDER BY id) FROM items": "str | None",
    "first_value(name) OVER (ORDER BY id) FROM items": "str",
    "sum(id) OVER (ORDER BY id) FROM items": "int",
    "sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM items": (
        "int | None"
    ),
    "count(*) OVER () FROM items": "int",
    # Sets.
    "unnest(tags) FROM items": "str | None",
    "unnest(states) FROM items": "enums.State | None",
    "generate_series(1, 3)": "int",
    "generate_series(localtimestamp, localtimestamp, '10 hours')": "datetime.datetime",
    "day.day FROM generate_series(now(), now(), '1 day') AS day (day)": (
        "datetime.datetime"
    ),
    "x FROM unnest(ARRAY[1, NULL]) AS x": "int | None",
    "t.b FROM ROWS FROM (unnest(ARRAY[1, 2]), generate_series(1, 1)) AS t (a, b)": (
        "int | None"
    ),
    "t.place FROM items, unnest(tags) WITH ORDINALITY AS t (tag, place)": "int",
    "s.b FROM (SELECT generate_series(1, 3) AS a, generate_series(1, 2) AS b) AS s": (
        "int | None"
    ),
    "s.b FROM (SELECT coalesce((SELECT max(t) FROM generate_series(1, 3) t), 0) AS a,"
    " coalesce((SELECT max(t) FROM generate_series(1, 2) t), 0) AS b) AS s": "int",
    # Subselects.
    "(SELECT others.label FROM others LIMIT 1)": "str | None",
    "(SELECT count(*) FROM others)": "int",
    "(SELECT (SELECT count(*) FROM items) FROM others LIMIT 1)": "int | None",
    "(SELECT (SELECT count(*) FROM items) FROM others WHERE others.id < 0)": (
        "int | None"
    ),
    "(SELECT max(others.id) FROM others)": "int | None",
    "(SELECT count(*) FROM others GROUP BY others.label LIMIT 1)": "int | None",
    "EXISTS (SELECT FROM others)": "bool",
    "ARRAY(SELECT others.label FROM others)": "list[str | None]",
    "items.id IN (SELECT others.item_id FROM others) FROM items": "bool | None",
    "items.id IN (SELECT others.id FROM others) FROM items": "bool",
    # Joins.
    "others.label FROM items LEFT JOIN others ON others.item_id = items.id": (
        "str | None"
    ),
    "items.name FROM items LEFT JOIN others ON others.item_id = items.id": "str",
    "items.name FROM items RIGHT JOIN others ON others.item_id = items.id": (
        "str | None"
    ),
    "others.label FROM items RIGHT JOIN others ON others.item_id = items.id": "str",
    "others.label FROM items FULL JOIN others ON others.id = items.id": "str | None",
    "items.name FROM items FULL JOIN others ON others.id = items.id": "str | None",
    "items.id FROM items LEFT JOIN others USING (id)": "int",
    "others.id FROM items LEFT JOIN others USING (id)": "int | None",
    "others.label FROM items JOIN others ON others.item_id = items.id": "str",
    "o.label FROM items LEFT JOIN (items AS i JOIN others AS o ON o.id = i.id) "
    "ON i.id = items.id": "str | None",
    "l.m FROM items LEFT JOIN LATERAL "
    "(SELECT max(others.id) AS m FROM others) AS l ON true": "int | None",
    # Set operations.
    "name FROM items UNION ALL SELECT note FROM items": "str | None",
    "name FROM items UNION SELECT label FROM others": "str",
    "note FROM items INTERSECT SELECT name FROM items": "str",
    "name FROM items EXCEPT SELECT note FROM items": "str",
    "id FROM items UNION ALL SELECT 1.5": "Decimal",
    "tags FROM items UNION ALL SELECT ARRAY['a'::varchar]": "list[str | None]",
    "ARRAY[id] FROM items UNION ALL SELECT ARRAY[big] FROM items": "list[int | None]",
    "coalesce(array_agg(note::varchar), tags) FROM items GROUP BY items.id": (
        "list[str | None]"
    ),
    "state FROM items UNION ALL SELECT state FROM items": "enums.State",
    # Derived relations.
    "total FROM totals": "int | None",
    "number FROM totals": "int",
    "name FROM totals": "str",
    "name FROM copies": "str | None",
    # Inheritance, and types that imply NOT NULL.
    "key FROM heirs": "UUID",
    "title FROM heirs": "str",
    "note FROM heirs": "str",
    "own FROM heirs": "str",
    "late FROM heirs": "str",
    "heirs.number FROM heirs": "int",
    "note FROM parents": "str | None",
    "number FROM numbered": "int",
    "loose FROM numbered": "int | None",
    "later FROM numbered": "int",
    "s.state FROM (SELECT items.state FROM items) AS s": "enums.State",
}

# Whole statements.
STATEMENTS = {
    "WITH w AS (SELECT items.n AS x FROM items) SELECT w.x FROM w": "int | None",
    "WITH w (x) AS (SELECT items.name FROM items) SELECT w.x FROM w": "str",
    "WITH w AS (UPDATE items SET n = n RETURNING items.state, items.name) "
    "SELECT w.state FROM w": "enums.State",
    "WITH w AS (INSERT INTO bare (a) VALUES ('x') RETURNING bare.a, bare.b) "
    "SELECT w.b FROM w JOIN items ON items.id = 1": "int | None",
    "WITH w AS (UPDATE items SET n = 1 RETURNING items.id) "
    "SELECT items.name FROM items JOIN w ON w.id = items.id": "str",
    "WITH w AS (UPDATE items SET n = 1 WHERE items.id = 1 RETURNING items.id) "
    "SELECT w.id FROM items LEFT JOIN w ON w.id = items.id": "int | None",
    "WITH RECURSIVE up AS (SELECT 1 AS level, items.name AS name FROM items "
    "UNION ALL SELECT up.level + 1, NULL FROM up WHERE up.level < 3) "
    "SELECT up.name FROM up": "str | None",
    "WITH RECURSIVE up AS (SELECT 1 AS level, items.name AS name FROM items "
    "UNION ALL SELECT up.level + 1, NULL FROM up WHERE up.level < 3) "
    "SELECT up.level FROM up": "int",
    "WITH RECURSIVE two AS (SELECT 1 AS step, 1 AS a, 1 AS b "
    "UNION ALL SELECT two.step + 1, two.b, NULL FROM two WHERE two.step < 4) "
    "SELECT two.a FROM two": "Literal[1] | None",
    "WITH w AS (SELECT avg(items.amount) AS a FROM items) SELECT * FROM w": (
        "Decimal | None"
    ),
    "DELETE FROM bare RETURNING b": "int | None",
    "UPDATE items SET n = others.id FROM others WHERE others.id = items.id "
    "RETURNING others.label": "str",
    "UPDATE items SET n = o.id FROM items AS i LEFT JOIN others AS o ON o.id = i.id "
    "WHERE i.id = items.id RETURNING o.label": "str | None",
    "INSERT INTO others (id, label) VALUES (9, 'new') ON CONFLICT (id) DO UPDATE "
    "SET label = excluded.label RETURNING label": "str",
}

CASES = {**{f"SELECT {select}": SELECTS[select] for select in SELECTS}, **STATEMENTS}
NAMES = {statement: f"query_{number}" for number, statement in enumerate(CASES)}

EMBEDS = {
    "SELECT sqlc.embed(items), sqlc.embed(others) FROM items "
    "LEFT JOIN others ON others.item_id = items.id": (
        "models.Item",
        "models.Other | None",
    ),
    "SELECT sqlc.embed(items), sqlc.embed(others) FROM items "
    "JOIN others ON others.item_id = items.id": ("models.Item", "models.Other"),
    "SELECT sqlc.embed(items), sqlc.embed(bare) FROM items "
    "LEFT JOIN bare ON bare.b = items.id + 1": ("models.Item", "models.Bare | None"),
    "SELECT sqlc.embed(items), sqlc.embed(others) FROM items "
    "FULL JOIN others ON others.item_id = items.id": (
        "models.Item | None",
        "models.Other | None",
    ),
}
