-- Constraints and indexes, known by what they say: what is there takes its new name.
CREATE TEMPORARY TABLE present ON COMMIT DROP AS SELECT * FROM pg_temp.described();

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        -- Superseded: what the seed's documents index, and foreign keys that do otherwise.
        SELECT 1 AS step, present.name, CASE present.kind
            WHEN 'index' THEN format('DROP INDEX %I', present.name)
            ELSE format('ALTER TABLE %I DROP CONSTRAINT %I', present.place, present.name)
        END AS statement
        FROM present
        WHERE
            NOT EXISTS (
                SELECT FROM wished
                WHERE (wished.kind, wished.place, wished.definition) = (present.kind, present.place, present.definition)
            )
            AND CASE present.kind
                WHEN 'index' THEN regexp_replace(
                    present.definition, '^CREATE (UNIQUE )?INDEX ON | USING btree| (ASC|DESC)\y| NULLS (FIRST|LAST)', '', 'g'
                ) IN (
                    'chat_sessions (user_id)', 'chat_sessions (created_at)', 'chat_sessions (updated_at)',
                    'chat_sessions (user_id, created_at)', 'chat_sessions (user_id, updated_at)',
                    'chat_messages (session_id)', 'chat_messages (session_id, created_at)',
                    'cart_items (user_id)',
                    'cart_items (user_id, product_id, size, color) WHERE deleted_at IS NULL',
                    'orders (user_id)', 'orders (user_id, created_at)', 'order_items (order_id)'
                )
                WHEN 'constraint' THEN EXISTS (
                    SELECT FROM wished
                    WHERE
                        wished.place = present.place
                        AND starts_with(wished.definition, 'FOREIGN KEY')
                        AND split_part(wished.definition, ' ON ', 1) = split_part(present.definition, ' ON ', 1)
                )
            END
        UNION ALL
        SELECT 2, wished.name, CASE
            WHEN present.name IS NOT NULL AND wished.kind = 'index'
                THEN format('ALTER INDEX %I RENAME TO %I', present.name, wished.name)
            WHEN present.name IS NOT NULL
                THEN format('ALTER TABLE %I RENAME CONSTRAINT %I TO %I', wished.place, present.name, wished.name)
            WHEN wished.kind = 'index'
                THEN regexp_replace(wished.definition, ' INDEX ', format(' INDEX %I ', wished.name))
            WHEN ready.name IS NOT NULL THEN format(
                'ALTER TABLE %I ADD CONSTRAINT %I UNIQUE USING INDEX %I', wished.place, wished.name, ready.name
            )
            ELSE format(
                'ALTER TABLE %I ADD CONSTRAINT %I %s%s', wished.place, wished.name, wished.definition,
                CASE WHEN wished.definition ~ '^(CHECK|FOREIGN KEY)' THEN ' NOT VALID' END
            )
        END
        FROM wished
        LEFT JOIN LATERAL (
            SELECT present.name
            FROM present
            WHERE (present.kind, present.place, present.definition) = (wished.kind, wished.place, wished.definition)
            ORDER BY present.name <> wished.name, present.name
            LIMIT 1
        ) AS present ON TRUE
        LEFT JOIN LATERAL (
            SELECT ready.name
            FROM present AS ready
            WHERE
                ready.kind = 'index'
                AND wished.kind = 'constraint'
                AND ready.definition = regexp_replace(
                    wished.definition, '^UNIQUE ', format('CREATE UNIQUE INDEX ON %I USING btree ', wished.place)
                )
            LIMIT 1
        ) AS ready ON TRUE
        WHERE
            wished.kind IN ('constraint', 'index')
            AND EXISTS (SELECT FROM present AS old WHERE old.place = wished.place)
            AND present.name IS DISTINCT FROM wished.name
        ORDER BY 1, 2
    LOOP
        PERFORM pg_temp.run(item.statement);
    END LOOP;
END
$$;
