-- Tables that are new as a whole, the triggers of the old ones, the rules of the domains.
-- Rules come in NOT VALID: for new rows they hold at once, for old ones when
-- 11_validate.sql has looked.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        WITH new AS (
            SELECT DISTINCT wished.place
            FROM wished
            WHERE wished.kind = 'column' AND wished.place NOT IN (SELECT place FROM present WHERE kind = 'column')
        )

        SELECT 1 AS step, place AS name, format('ALTER TABLE adoption.%I SET SCHEMA public', place) AS statement
        FROM new
        UNION ALL
        SELECT 2, wished.name, format(
            'ALTER TABLE %1$I DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I %3$s', wished.place, wished.name, wished.definition
        )
        FROM wished
        INNER JOIN new ON wished.place = new.place
        WHERE wished.kind = 'constraint' AND starts_with(wished.definition, 'FOREIGN KEY')
        UNION ALL
        SELECT 3, wished.name, wished.definition
        FROM wished
        WHERE
            wished.kind IN ('trigger', 'comment')
            AND wished.place NOT IN (SELECT place FROM new)
        UNION ALL
        -- The server spells IN such that it would read something else from it.
        SELECT 4, name, format(
            'ALTER DOMAIN %I ADD CONSTRAINT %I %s NOT VALID', place, name, regexp_replace(
                definition, '\(VALUE\)::text = ANY \(\(ARRAY\[(.*)\]\)::text\[\]\)', 'VALUE IN (\1)'
            )
        )
        FROM wished
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

-- The proof: everything that the migrations make is there. What is there beside it stays.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN TABLE wished EXCEPT SELECT * FROM pg_temp.described() LOOP
        RAISE 'this was not reached: % % %', item.kind, item.place, item.name;
    END LOOP;
    FOR item IN
        SELECT * FROM pg_temp.described() EXCEPT TABLE wished ORDER BY 1, 2, 3
    LOOP
        IF item.place IN (SELECT place FROM wished) THEN
            RAISE INFO '-- stays, though no migration makes it: % % of %', item.kind, item.name, item.place;
        END IF;
    END LOOP;
END
$$;
