-- Everything in the schema that is first in the search path, as text that is the same
-- in any schema.
CREATE FUNCTION pg_temp.described() RETURNS TABLE (kind text, place text, name text, definition text)
LANGUAGE sql AS $$
    WITH tables AS (
        SELECT oid, relname
        FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    )

    SELECT 'column', tables.relname, attname, concat_ws(
        ' ',
        format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'NOT NULL' END,
        'DEFAULT ' || pg_get_expr(adbin, adrelid),
        CASE attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' END
    )
    FROM tables
    INNER JOIN pg_attribute ON tables.oid = attrelid
    LEFT JOIN pg_attrdef ON tables.oid = adrelid AND attnum = adnum
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'constraint', tables.relname, conname,
        regexp_replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID$', '')
    FROM tables
    INNER JOIN pg_constraint ON tables.oid = conrelid
    WHERE contype <> 'n'
    UNION ALL
    SELECT
        'index', tables.relname, indexes.relname,
        replace(pg_get_indexdef(indexrelid, 0, TRUE), format(' %I ON ', indexes.relname), ' ON ')
    FROM tables
    INNER JOIN pg_index ON tables.oid = indrelid
    INNER JOIN pg_class AS indexes ON indexrelid = indexes.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
    UNION ALL
    SELECT 'trigger', tables.relname, tgname, pg_get_triggerdef(pg_trigger.oid, TRUE)
    FROM tables
    INNER JOIN pg_trigger ON tables.oid = tgrelid
    WHERE NOT tgisinternal
    UNION ALL
    SELECT 'domain', NULL, typname, concat_ws(
        ' ',
        format_type(typbasetype, typtypmod),
        CASE WHEN typnotnull THEN 'NOT NULL' END,
        'DEFAULT ' || typdefault
    )
    FROM pg_type
    WHERE typnamespace = current_schema()::regnamespace AND typtype = 'd'
    UNION ALL
    SELECT 'rule', typname, conname,
        regexp_replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID$', '')
    FROM pg_constraint
    INNER JOIN pg_type ON contypid = pg_type.oid
    WHERE connamespace = current_schema()::regnamespace AND contype = 'c'
    UNION ALL
    SELECT 'function', NULL, oid::regprocedure::text,
        replace(pg_get_functiondef(oid), current_schema() || '.', '')
    FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'
    UNION ALL
    SELECT
        'comment', tables.relname, attname, format(
            'COMMENT ON %s %I%s IS %L',
            CASE WHEN attname IS NULL THEN 'TABLE' ELSE 'COLUMN' END,
            tables.relname,
            '.' || quote_ident(attname),
            description
        )
    FROM tables
    INNER JOIN pg_description ON tables.oid = objoid AND classoid = 'pg_class'::regclass
    LEFT JOIN pg_attribute ON tables.oid = attrelid AND objsubid = attnum AND objsubid > 0
$$;

CREATE TEMPORARY TABLE wished ON COMMIT DROP AS SELECT * FROM pg_temp.described();

-- What is new as a whole moves; domains without their rules, with which they would have
-- every row of their columns written again.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT format('ALTER DOMAIN %I DROP CONSTRAINT %I', place, name) AS statement
        FROM wished
        WHERE kind = 'rule'
        UNION ALL
        SELECT format('ALTER DOMAIN %I SET SCHEMA public', name) FROM wished WHERE kind = 'domain'
        UNION ALL
        SELECT format('ALTER FUNCTION %s SET SCHEMA public', name) FROM wished WHERE kind = 'function'
    LOOP
        EXECUTE item.statement;
    END LOOP;
END
$$;

SET LOCAL search_path = public;
