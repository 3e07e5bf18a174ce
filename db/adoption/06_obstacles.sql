-- Stops, with a list of rows, where the new schema could not hold them: nothing of this is
-- a rule that may come in NOT VALID.
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
                old.atttypmod AS old_typmod,
                CASE new_type.typtype WHEN 'd' THEN new_type.typtypmod ELSE new.atttypmod END AS new_typmod
            FROM pg_class AS new_table
            INNER JOIN pg_class AS old_table ON new_table.relname = old_table.relname
            INNER JOIN pg_attribute AS new ON new_table.oid = new.attrelid
            INNER JOIN pg_attribute AS old ON old_table.oid = old.attrelid AND new.attname = old.attname
            INNER JOIN pg_type AS new_type ON new.atttypid = new_type.oid
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
                    SELECT string_agg(quote_ident(attname), ', ' ORDER BY array_position(indkey::int2 [], attnum))
                    FROM pg_attribute
                    WHERE attrelid = indrelid AND attnum = ANY(indkey)
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
        )

        SELECT
            place,
            name,
            '23502' AS code,
            format('has no %s', name) AS what,
            format('%I IS NULL', name) AS condition
        FROM columns
        WHERE becomes_not_null
        UNION ALL
        SELECT
            place,
            name,
            '22001',
            format('has a %s of more than %s characters', name, new_typmod - 4),
            format('length(%I) > %s', name, new_typmod - 4)
        FROM columns
        WHERE new_typmod > 0 AND (old_typmod < 0 OR old_typmod > new_typmod)
        UNION ALL
        SELECT
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
        ORDER BY 1, 2
    LOOP
        ids := pg_temp.ids(item.place, item.condition);
        PERFORM pg_temp.tell(item.code, item.place, item.name, ids, item.what);
        obstacles := obstacles + cardinality(ids);
    END LOOP;
    IF obstacles > 0 THEN
        RAISE '% rows do not fit: mend them where they are; nothing was changed', obstacles
        USING ERRCODE = '55000';
    END IF;
END
$$;
