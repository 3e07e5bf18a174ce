-- Constraints and indexes, known by what they say: what is there takes its new name.
CREATE TEMPORARY TABLE present ON COMMIT DROP AS SELECT * FROM pg_temp.described();

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        -- Superseded: what the old schema indexes, and foreign keys that do otherwise.
        SELECT 1 AS step, present.name, CASE present.kind
            WHEN 'index' THEN format('DROP INDEX %I', present.name)
            ELSE format('ALTER TABLE %I DROP CONSTRAINT %I', present.place, present.name)
        END AS statement
        FROM present
        WHERE
            NOT EXISTS (
                SELECT FROM base
                WHERE (base.kind, base.place, base.definition) = (present.kind, present.place, present.definition)
            )
            AND CASE present.kind
                WHEN 'index' THEN EXISTS (
                    -- A later migration makes it, under a name of its own.
                    SELECT FROM target
                    WHERE (target.kind, target.place, target.definition) = ('index', present.place, present.definition)
                ) OR regexp_replace(
                    present.definition, '^CREATE (UNIQUE )?INDEX ON | USING btree| (ASC|DESC)\y| NULLS (FIRST|LAST)', '', 'g'
                ) IN (
                    'chat_sessions (user_id)', 'chat_sessions (created_at)', 'chat_sessions (updated_at)',
                    'chat_sessions (user_id, created_at)', 'chat_sessions (user_id, updated_at)',
                    'chat_messages (session_id)', 'chat_messages (session_id, created_at)',
                    'cart_items (user_id)', 'cart_items (deleted_at)',
                    'cart_items (deleted_at) WHERE deleted_at IS NOT NULL',
                    'cart_items (user_id, product_id, size, color) WHERE deleted_at IS NULL',
                    'orders (user_id)', 'orders (user_id, created_at)', 'order_items (order_id)'
                )
                WHEN 'constraint' THEN EXISTS (
                    SELECT FROM base
                    WHERE
                        base.place = present.place
                        AND starts_with(base.definition, 'FOREIGN KEY')
                        AND split_part(base.definition, ' ON ', 1) = split_part(present.definition, ' ON ', 1)
                )
            END
        UNION ALL
        SELECT 2, base.name, CASE
            WHEN present.name IS NOT NULL AND base.kind = 'index'
                THEN format('ALTER INDEX %I RENAME TO %I', present.name, base.name)
            WHEN present.name IS NOT NULL
                THEN format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', base.place, present.name, base.name)
            WHEN base.kind = 'index'
                THEN regexp_replace(base.definition, ' INDEX ', format(' INDEX %I ', base.name))
            WHEN ready.name IS NOT NULL THEN format(
                'ALTER TABLE %I ADD CONSTRAINT %I UNIQUE USING INDEX %I', base.place, base.name, ready.name
            )
            ELSE format(
                'ALTER TABLE %I ADD CONSTRAINT %I %s%s', base.place, base.name, base.definition,
                CASE WHEN base.definition ~ '^(CHECK|FOREIGN KEY)' THEN ' NOT VALID' END
            )
        END
        FROM base
        LEFT JOIN LATERAL (
            SELECT present.name
            FROM present
            WHERE (present.kind, present.place, present.definition) = (base.kind, base.place, base.definition)
            ORDER BY present.name <> base.name, present.name
            LIMIT 1
        ) AS present ON TRUE
        LEFT JOIN LATERAL (
            SELECT ready.name
            FROM present AS ready
            WHERE
                ready.kind = 'index'
                AND base.kind = 'constraint'
                AND ready.definition = regexp_replace(
                    base.definition, '^UNIQUE ', format('CREATE UNIQUE INDEX ON %I USING btree ', base.place)
                )
            LIMIT 1
        ) AS ready ON TRUE
        WHERE
            base.kind IN ('constraint', 'index')
            AND EXISTS (SELECT FROM present AS old WHERE old.place = base.place)
            AND present.name IS DISTINCT FROM base.name
        ORDER BY 1, 2
    LOOP
        PERFORM pg_temp.run(item.statement);
    END LOOP;
END
$$;
