-- Stops, with a list of rows, where the new schema could not hold them. Rules of domains
-- that no later migration changes are none of this: they come in NOT VALID. A later
-- migration runs on the rows as they are, so what it makes a rule they have to keep, and
-- the rules of a table in any case, as it may update the row.
SET LOCAL search_path = public, adoption;

DO $$
DECLARE
    item record;
    ids uuid [];
    obstacles integer := 0;
BEGIN
    FOR item IN
        WITH columns AS (
            SELECT
                old_table.relname AS place,
                old.attname AS name,
                new.attnotnull AND NOT old.attnotnull AS becomes_not_null,
                new.atttypid AS new_type,
                CASE WHEN base_type.typname = 'varchar' THEN
                    CASE new_type.typtype WHEN 'd' THEN new_type.typtypmod ELSE new.atttypmod END - 4
                END AS length
            FROM pg_class AS new_table
            INNER JOIN pg_class AS old_table ON new_table.relname = old_table.relname
            INNER JOIN pg_attribute AS new ON new_table.oid = new.attrelid
            INNER JOIN pg_attribute AS old ON old_table.oid = old.attrelid AND new.attname = old.attname
            INNER JOIN pg_type AS new_type ON new.atttypid = new_type.oid
            INNER JOIN pg_type AS base_type
                ON base_type.oid = CASE new_type.typtype WHEN 'd' THEN new_type.typbasetype ELSE new_type.oid END
            WHERE
                new_table.relnamespace = 'adoption'::regnamespace
                AND old_table.relnamespace = 'public'::regnamespace
                AND new_table.relkind = 'r'
                AND new.attnum > 0
        ),

        keys AS (
            SELECT
                pg_class.relname AS place,
                keys.relname AS name,
                (
                    SELECT string_agg(pg_get_indexdef(indexrelid, number, TRUE), ', ' ORDER BY number)
                    FROM generate_series(1, indnkeyatts) AS number
                ) AS columns,
                indnullsnotdistinct,
                pg_get_expr(indpred, indrelid) AS predicate
            FROM pg_index
            INNER JOIN pg_class ON indrelid = pg_class.oid
            INNER JOIN pg_class AS keys ON indexrelid = keys.oid
            WHERE
                indisunique
                AND NOT indisprimary
                AND pg_class.relnamespace = 'adoption'::regnamespace
                AND to_regclass('public.' || quote_ident(pg_class.relname)) IS NOT NULL
        ),

        rules AS (
            SELECT
                columns.place,
                conname AS name,
                format('NOT (%s)', regexp_replace(pg_get_expr(conbin, 0), '\mVALUE\M', quote_ident(columns.name), 'g'))
                    AS condition,
                EXISTS (
                    SELECT FROM base
                    WHERE
                        (base.kind, base.place, base.name, base.definition)
                        = ('rule', typname, conname, pg_get_constraintdef(pg_constraint.oid))
                ) AS may_be_broken
            FROM columns
            INNER JOIN pg_type ON columns.new_type = pg_type.oid
            INNER JOIN pg_constraint ON pg_type.oid = contypid
            UNION ALL
            SELECT
                relname,
                conname,
                format('NOT (%s)', pg_get_expr(conbin, conrelid)),
                FALSE
            FROM pg_constraint
            INNER JOIN pg_class ON conrelid = pg_class.oid
            WHERE
                contype = 'c'
                AND connamespace = 'adoption'::regnamespace
                AND to_regclass('public.' || quote_ident(relname)) IS NOT NULL
            UNION ALL
            SELECT
                pg_class.relname,
                conname,
                format('%1$I IS NOT NULL AND %1$I NOT IN (SELECT id FROM %2$I)', attname, referenced.relname),
                FALSE
            FROM pg_constraint
            INNER JOIN pg_class ON conrelid = pg_class.oid
            INNER JOIN pg_class AS referenced ON confrelid = referenced.oid
            INNER JOIN pg_attribute ON conrelid = attrelid AND attnum = conkey[1]
            WHERE
                contype = 'f'
                AND connamespace = 'adoption'::regnamespace
                AND to_regclass('public.' || quote_ident(pg_class.relname)) IS NOT NULL
        )

        SELECT
            1 AS step,
            place,
            name,
            '23502' AS code,
            format('has no %s', name) AS what,
            format('%I IS NULL', name) AS condition
        FROM columns
        WHERE becomes_not_null
        UNION ALL
        SELECT
            1,
            place,
            name,
            '22001',
            format('has a %s of more than %s characters', name, length),
            format('length(%I) > %s', name, length)
        FROM columns
        WHERE length > 0
        UNION ALL
        SELECT
            1,
            place,
            name,
            '23505',
            format('shares %s with another', columns),
            format(
                'id IN (SELECT id FROM (SELECT id, count(*) OVER (PARTITION BY %s) AS sharers'
                ' FROM %I WHERE %s AND %s) AS counted WHERE sharers > 1)',
                columns,
                place,
                coalesce(predicate, 'TRUE'),
                CASE WHEN indnullsnotdistinct THEN 'TRUE' ELSE format('num_nulls(%s) = 0', columns) END
            )
        FROM keys
        UNION ALL
        SELECT
            CASE WHEN may_be_broken THEN 2 ELSE 1 END,
            place,
            name,
            '23514',
            CASE WHEN may_be_broken THEN 'breaks the rule' ELSE 'breaks the rule, which it has to keep' END,
            condition
        FROM rules
        ORDER BY 1, 2, 3
    LOOP
        -- If all rows fit, 13_validate.sql tells of those that only break a rule.
        EXIT WHEN item.step = 2 AND obstacles = 0;
        BEGIN
            ids := pg_temp.ids(item.place, item.condition);
        EXCEPTION WHEN undefined_column THEN
            CONTINUE; -- it is new, and the migration that adds it knows what it holds
        END;
        PERFORM pg_temp.tell(item.code, item.place, item.name, ids, item.what);
        obstacles := obstacles + CASE item.step WHEN 1 THEN cardinality(ids) ELSE 0 END;
    END LOOP;
    IF obstacles > 0 THEN
        RAISE '% rows do not fit: mend them where they are; nothing was changed', obstacles
        USING ERRCODE = '55000';
    END IF;
END
$$;

-- Once more, for what of it becomes the tables' own.
DROP SCHEMA adoption CASCADE;
CREATE SCHEMA adoption;
SET LOCAL search_path = adoption;
