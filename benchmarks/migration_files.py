"""Migrations as a shop would have written them over the years, as many as one likes.

Every sixth makes a table with rows; the others go on with it: columns and their rules,
a domain, an index, a trigger, data that are corrected, a view.
"""

from __future__ import annotations

from pathlib import Path

from store import migrations

__all__ = ["write"]

_ROWS = 100

_TABLE = """\
-- migrate:up
CREATE TABLE {table} (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT {table}_pkey PRIMARY KEY,
    parent_id uuid CONSTRAINT {table}_parent_id_fkey REFERENCES {parent} (id),
    number integer NOT NULL CONSTRAINT {table}_number_is_positive CHECK (number > 0),
    name varchar(100) NOT NULL,
    price numeric(12, 2) NOT NULL DEFAULT 0,
    details jsonb NOT NULL DEFAULT '{{}}'
        CONSTRAINT {table}_details_is_object CHECK (jsonb_typeof(details) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT {table}_parent_id_number_key UNIQUE (parent_id, number)
);
COMMENT ON TABLE {table} IS 'What a customer sees as an entry of {parent}.';
COMMENT ON COLUMN {table}.price IS 'In USD.';
CREATE INDEX {table}_created_at_idx ON {table} (created_at, id);
INSERT INTO {table} (number, name, price)
SELECT n, 'entry ' || n, n * 1.5 FROM generate_series(1, {rows}) AS n;

-- migrate:down
DROP TABLE {table};
"""

_COLUMN = """\
-- migrate:up
ALTER TABLE {table} ADD COLUMN currency char(3) NOT NULL DEFAULT 'USD'
    CONSTRAINT {table}_currency_is_code CHECK (currency ~ '^[A-Z]{{3}}$');
COMMENT ON COLUMN {table}.currency IS 'As of ISO 4217.';
ALTER TABLE {table} ADD COLUMN note text;

-- migrate:down
ALTER TABLE {table} DROP COLUMN note, DROP COLUMN currency;
"""

_DOMAIN = """\
-- migrate:up
CREATE DOMAIN {table}_status AS varchar(20)
    CONSTRAINT {table}_status_is_known CHECK (VALUE IN ('draft', 'listed', 'gone'));
ALTER TABLE {table} ADD COLUMN status {table}_status NOT NULL DEFAULT 'draft';
CREATE INDEX {table}_listed_idx ON {table} (number) WHERE status = 'listed';

-- migrate:down
ALTER TABLE {table} DROP COLUMN status;
DROP DOMAIN {table}_status;
"""

_TRIGGER = """\
-- migrate:up
CREATE FUNCTION set_{table}_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER {table}_set_updated_at BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION set_{table}_updated_at();

-- migrate:down
DROP TRIGGER {table}_set_updated_at ON {table};
DROP FUNCTION set_{table}_updated_at();
"""

_DATA = """\
-- migrate:up
UPDATE {table} SET note = name WHERE note IS NULL;
ALTER TABLE {table} ADD CONSTRAINT {table}_note_is_short
    CHECK (length(note) < 1000) NOT VALID;
ALTER TABLE {table} VALIDATE CONSTRAINT {table}_note_is_short;

-- migrate:down
ALTER TABLE {table} DROP CONSTRAINT {table}_note_is_short;
"""

_VIEW = """\
-- migrate:up
CREATE VIEW listed_{table} AS
SELECT id, name, price, currency FROM {table} WHERE status = 'listed';
COMMENT ON VIEW listed_{table} IS 'What the search shows.';

-- migrate:down
DROP VIEW listed_{table};
"""

_CONCURRENT = """\
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY {table}_name_idx ON {table} (name, id);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY {table}_name_idx;
"""

_KINDS = (_TABLE, _COLUMN, _DOMAIN, _TRIGGER, _DATA, _VIEW)


def write(directory: Path, count: int, *, concurrent: int = 0) -> int:
    """Write `count` migrations and their journal; give how many run CONCURRENTLY.

    That is, outside of a transaction: an index in place of each `concurrent`th view.
    """
    directory.mkdir(parents=True)
    outside = 0
    for position in range(count):
        age, kind = divmod(position, len(_KINDS))
        text = _KINDS[kind]
        if text == _VIEW and concurrent and age % concurrent == 0:
            text = _CONCURRENT
            outside += 1
        table = f"catalog_{age:03}"
        parent = f"catalog_{max(age - 1, 0):03}"
        file = directory / f"{position + 1:04}_step.sql"
        file.write_text(text.format(table=table, parent=parent, rows=_ROWS))
    migrations.record(directory)
    return outside
