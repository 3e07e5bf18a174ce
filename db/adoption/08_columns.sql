-- The columns, one pass a table: no table is written again for that.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        WITH new AS (
            SELECT new_table.relname AS place, pg_attribute.*, pg_get_expr(adbin, adrelid) AS expression
            FROM pg_class AS new_table
            INNER JOIN pg_class AS old_table ON new_table.relname = old_table.relname
            INNER JOIN pg_attribute ON new_table.oid = attrelid
            LEFT JOIN pg_attrdef ON new_table.oid = adrelid AND attnum = adnum
            WHERE
                new_table.relnamespace = 'adoption'::regnamespace
                AND old_table.relnamespace = 'public'::regnamespace
                AND new_table.relkind = 'r'
                AND attnum > 0
        ),

        clauses AS (
            SELECT
                new.place,
                new.attnum,
                concat_ws(
                    ', ',
                    CASE
                        WHEN old.attname IS NULL
                            THEN format('ADD COLUMN %I %s', new.attname, format_type(new.atttypid, new.atttypmod))
                        WHEN (old.atttypid, old.atttypmod) <> (new.atttypid, new.atttypmod)
                            THEN format(
                                'ALTER COLUMN %I TYPE %s', new.attname, format_type(new.atttypid, new.atttypmod)
                            )
                    END,
                    CASE
                        WHEN new.expression IS NOT NULL
                            THEN format('ALTER COLUMN %I SET DEFAULT %s', new.attname, new.expression)
                        WHEN old.atthasdef THEN format('ALTER COLUMN %I DROP DEFAULT', new.attname)
                    END,
                    CASE
                        WHEN new.attnotnull AND NOT coalesce(old.attnotnull, FALSE)
                            THEN format('ALTER COLUMN %I SET NOT NULL', new.attname)
                        WHEN old.attnotnull AND NOT new.attnotnull
                            THEN format('ALTER COLUMN %I DROP NOT NULL', new.attname)
                    END,
                    CASE
                        WHEN new.attidentity = 'a'
                            THEN format('ALTER COLUMN %I ADD GENERATED ALWAYS AS IDENTITY', new.attname)
                    END
                ) AS clause
            FROM new
            LEFT JOIN pg_attribute AS old
                ON
                    to_regclass('public.' || quote_ident(new.place)) = old.attrelid
                    AND new.attname = old.attname
        )

        SELECT format('ALTER TABLE %I %s', place, string_agg(clause, ', ' ORDER BY attnum)) AS statement
        FROM clauses
        WHERE clause <> ''
        GROUP BY place
        ORDER BY place
    LOOP
        PERFORM pg_temp.run(item.statement);
    END LOOP;
END
$$;

SELECT pg_temp.run($$
    SELECT setval(pg_get_serial_sequence('chat_messages', 'position'), max(position))
    FROM chat_messages
    HAVING count(*) > 0
$$);
