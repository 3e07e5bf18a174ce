-- Looks at old rows for the rules that have come in NOT VALID, and lists those that break
-- one: that rule stays NOT VALID until a later run finds none.
DO $$
DECLARE
    rule record;
    spot record;
    broken boolean;
BEGIN
    FOR rule IN
        SELECT
            pg_constraint.oid,
            conname,
            conrelid,
            contypid,
            CASE WHEN contypid <> 0
                THEN format('ALTER DOMAIN %s VALIDATE CONSTRAINT %I', contypid::regtype, conname)
                ELSE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', conrelid::regclass, conname)
            END AS statement
        FROM pg_constraint
        WHERE NOT convalidated AND connamespace = 'public'::regnamespace
        ORDER BY conname
    LOOP
        BEGIN
            PERFORM pg_temp.run(rule.statement);
        EXCEPTION WHEN check_violation OR foreign_key_violation THEN
            FOR spot IN
                SELECT
                    conrelid::regclass::text AS place,
                    CASE contype
                        WHEN 'c' THEN format('NOT (%s)', pg_get_expr(conbin, conrelid))
                        ELSE format(
                            '%1$I IS NOT NULL AND %1$I NOT IN (SELECT id FROM %2$s)',
                            (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]),
                            confrelid::regclass
                        )
                    END AS condition
                FROM pg_constraint
                WHERE pg_constraint.oid = rule.oid AND conrelid <> 0
                UNION ALL
                SELECT
                    attrelid::regclass::text,
                    format('NOT (%s)', regexp_replace(pg_get_expr(conbin, 0), '\mVALUE\M', quote_ident(attname), 'g'))
                FROM pg_constraint
                INNER JOIN pg_attribute ON contypid = atttypid
                INNER JOIN pg_class ON attrelid = pg_class.oid
                WHERE
                    pg_constraint.oid = rule.oid
                    AND relkind = 'r'
                    AND NOT attisdropped
                    -- Tables without such an id have come with their rules.
                    AND EXISTS (
                        SELECT FROM pg_attribute AS ids
                        WHERE ids.attrelid = pg_class.oid AND ids.attname = 'id' AND ids.atttypid = 'uuid'::regtype
                    )
                ORDER BY 1
            LOOP
                PERFORM pg_temp.tell(
                    '23514', spot.place, rule.conname, pg_temp.ids(spot.place, spot.condition), 'breaks the rule'
                );
            END LOOP;
        END;
    END LOOP;
END
$$;
