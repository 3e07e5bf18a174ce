-- Tables that are new as a whole, the triggers of the old ones, the rules of the domains.
-- Rules come in NOT VALID: for new rows they hold at once, for old ones when
-- 13_validate.sql has looked.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        WITH new AS (
            SELECT DISTINCT base.place
            FROM base
            WHERE base.kind = 'column' AND base.place NOT IN (SELECT place FROM present WHERE kind = 'column')
        )

        SELECT 1 AS step, place AS name, format('ALTER TABLE adoption.%I SET SCHEMA public', place) AS statement
        FROM new
        UNION ALL
        SELECT 2, base.name, format(
            'ALTER TABLE %1$I DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I %3$s', base.place, base.name, base.definition
        )
        FROM base
        INNER JOIN new ON base.place = new.place
        WHERE base.kind = 'constraint' AND starts_with(base.definition, 'FOREIGN KEY')
        UNION ALL
        SELECT 3, base.name, base.definition
        FROM base
        WHERE
            base.kind IN ('trigger', 'comment')
            AND base.place NOT IN (SELECT place FROM new)
        UNION ALL
        -- The server spells IN such that it would read something else from it.
        SELECT 4, name, format(
            'ALTER DOMAIN %I ADD CONSTRAINT %I %s NOT VALID', place, name, regexp_replace(
                definition, '\(VALUE\)::text = ANY \(\(ARRAY\[(.*)\]\)::text\[\]\)', 'VALUE IN (\1)'
            )
        )
        FROM base
        WHERE kind = 'rule'
        ORDER BY 1, 2
    LOOP
        IF starts_with(item.statement, 'COMMENT') THEN
            EXECUTE item.statement;
        ELSE
            PERFORM pg_temp.run(item.statement);
        END IF;
    END LOOP;
END
$$;

DROP SCHEMA adoption CASCADE;

-- The proof that the later migrations find what they were written for.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN TABLE base EXCEPT SELECT * FROM pg_temp.described() LOOP
        RAISE 'this was not reached: % % %', item.kind, item.place, item.name;
    END LOOP;
END
$$;
