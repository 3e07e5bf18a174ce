-- Begins a transaction of `python -m store adopt`: these files, in order and in
-- one transaction, adopt a database that Drizzle made; 13_validate.sql has one of its own.
-- What happens is told as messages of level INFO: a statement as it stands, a row by table,
-- rule and id (in the fields for them), never by its values.

SET LOCAL TimeZone = 'UTC';
SET LOCAL client_min_messages = 'warning';
SET LOCAL search_path = public;

-- Whoever has a reason to wait longer for the old backend's locks says so in the URL.
SELECT set_config('lock_timeout', '5s', TRUE) WHERE current_setting('lock_timeout') = '0';

-- Runs a statement, and tells it.
CREATE OR REPLACE FUNCTION pg_temp.run(statement text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE INFO '%', statement;
    EXECUTE statement;
END
$$;

-- Tells of rows: `code` is 01000 where they were mended, else the SQLSTATE of the error that
-- a new row of their kind would get. These can be looked up later, so 100 are enough.
CREATE OR REPLACE FUNCTION pg_temp.tell(code text, place text, rule text, ids uuid [], what text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    row_id uuid;
    told integer := CASE code WHEN '01000' THEN cardinality(ids) ELSE 100 END;
BEGIN
    FOREACH row_id IN ARRAY coalesce(ids[:told], '{}') LOOP
        RAISE INFO USING
            MESSAGE = what, ERRCODE = code, TABLE = place, CONSTRAINT = rule, DETAIL = row_id;
    END LOOP;
    IF cardinality(ids) > told THEN
        RAISE INFO USING
            MESSAGE = what, ERRCODE = code, TABLE = place, CONSTRAINT = rule,
            DETAIL = format('and %s more', cardinality(ids) - told);
    END IF;
END
$$;

-- Gives the ids of the rows of a table for which a condition holds.
CREATE OR REPLACE FUNCTION pg_temp.ids(place text, condition text) RETURNS uuid []
LANGUAGE plpgsql AS $$
DECLARE
    found uuid [];
BEGIN
    EXECUTE format(
        'SELECT coalesce(array_agg(id ORDER BY id), ''{}'') FROM %I WHERE %s', place, condition
    ) INTO found;
    RETURN found;
END
$$;
