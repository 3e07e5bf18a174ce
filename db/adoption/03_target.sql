-- Everything in the schema that is first in the search path, as text that is the same
-- in any schema.
CREATE FUNCTION pg_temp.described() RETURNS TABLE (kind text, place text, name text, definition text)
LANGUAGE sql AS $$
    WITH relations AS (
        SELECT oid, relname, relkind
        FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')
    )

    SELECT 'column', relations.relname, attname, concat_ws(
        ' ',
        format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN 'NOT NULL' END,
        'DEFAULT ' || pg_get_expr(adbin, adrelid),
        CASE attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY' END
    )
    FROM relations
    INNER JOIN pg_attribute ON relations.oid = attrelid
    LEFT JOIN pg_attrdef ON relations.oid = adrelid AND attnum = adnum
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 'view', relname, relname, pg_get_viewdef(oid)
    FROM relations
    WHERE relkind = 'v'
    UNION ALL
    SELECT 'constraint', relations.relname, conname,
        regexp_replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID$', '')
    FROM relations
    INNER JOIN pg_constraint ON relations.oid = conrelid
    WHERE contype <> 'n'
    UNION ALL
    SELECT
        'index', relations.relname, indexes.relname,
        replace(pg_get_indexdef(indexrelid, 0, TRUE), format(' %I ON ', indexes.relname), ' ON ')
    FROM relations
    INNER JOIN pg_index ON relations.oid = indrelid
    INNER JOIN pg_class AS indexes ON indexrelid = indexes.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
    UNION ALL
    SELECT 'trigger', relations.relname, tgname, pg_get_triggerdef(pg_trigger.oid, TRUE)
    FROM relations
    INNER JOIN pg_trigger ON relations.oid = tgrelid
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
    -- Some keep the search path that they were made with, which names the schema.
    SELECT 'function', NULL, oid::regprocedure::text, replace(
        replace(pg_get_functiondef(oid), current_schema() || '.', ''),
        quote_literal(current_schema()),
        '''the schema'''
    )
    FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'
    UNION ALL
    SELECT
        'comment', relations.relname, attname, format(
            'COMMENT ON %s %I%s IS %L',
            CASE WHEN attname IS NOT NULL THEN 'COLUMN' WHEN relkind = 'v' THEN 'VIEW' ELSE 'TABLE' END,
            relations.relname,
            '.' || quote_ident(attname),
            description
        )
    FROM relations
    INNER JOIN pg_description ON relations.oid = objoid AND classoid = 'pg_class'::regclass
    LEFT JOIN pg_attribute ON relations.oid = attrelid AND objsubid = attnum AND objsubid > 0
    UNION ALL
    -- Of anything else: indexes, constraints, domains, functions, triggers.
    SELECT 'remark', NULL, replace(identity, current_schema() || '.', ''), description
    FROM pg_description
    CROSS JOIN LATERAL pg_identify_object(classoid, objoid, objsubid)
    WHERE
        (schema = current_schema() OR strpos(identity, ' on ' || current_schema() || '.') > 0)
        AND objoid NOT IN (SELECT oid FROM relations)
$$;

CREATE TEMPORARY TABLE base ON COMMIT DROP AS SELECT * FROM pg_temp.described();

-- The later migrations are run here next, to see what all of them make. On the tables
-- themselves they are run after 11_take_over.sql, with their changes to rows.
