-- Mends what the old schema let in and can be mended without a loss.

-- Messages in the order of their times. Those of one turn share it: they lie in the table
-- as they were inserted, until they are updated below.
SELECT pg_temp.run('ALTER TABLE chat_messages ADD COLUMN position bigint');
SELECT pg_temp.run($$
    UPDATE chat_messages
    SET position = numbered.position
    FROM (
        SELECT id, row_number() OVER (ORDER BY created_at, ctid) AS position FROM chat_messages
    ) AS numbered
    WHERE chat_messages.id = numbered.id
$$);

-- Of live twins, which a NULL size or colour made possible, the newest stays in the cart.
DO $$
DECLARE
    twins uuid [];
BEGIN
    WITH twins AS (
        UPDATE cart_items
        SET deleted_at = now()
        FROM (
            SELECT
                id,
                row_number() OVER (
                    PARTITION BY user_id, product_id, size, color
                    ORDER BY created_at DESC NULLS LAST, id DESC
                ) AS place
            FROM cart_items
            WHERE deleted_at IS NULL
        ) AS ranked
        WHERE cart_items.id = ranked.id AND ranked.place > 1
        RETURNING cart_items.id
    )

    SELECT array_agg(id ORDER BY id) INTO twins FROM twins;
    PERFORM pg_temp.tell(
        '01000', 'cart_items', 'cart_items_active_variant_key', twins,
        'taken out of the cart, which holds a newer one of its kind'
    );
END
$$;

-- Addresses, object ids and hashes in their one form, unless two rows would then be one.
DO $$
DECLARE
    item record;
    changed uuid [];
BEGIN
    FOR item IN
        SELECT *
        FROM (
            VALUES
            ('users', 'wallet_address', 'sui_address_is_normalised', 1, 64),
            ('users', 'evm_address', 'evm_address_is_normalised', 40, 40),
            ('cart_items', 'on_chain_object_id', 'sui_object_id_is_normalised', 1, 64),
            ('order_items', 'on_chain_object_id', 'sui_object_id_is_normalised', 1, 64),
            ('orders', 'tx_hash', 'transaction_hash_is_of_a_chain', 64, 64)
        ) AS items (place, name, rule, fewest, most)
    LOOP
        EXECUTE format(
            $sql$
            WITH forms AS (
                SELECT id, %2$I AS old, '0x' || lpad(lower(substr(%2$I, 3)), %4$s, '0') AS new
                FROM %1$I
                WHERE %2$I ~ '^0[xX][0-9a-fA-F]{%3$s,%4$s}$'
            ),

            counted AS (SELECT forms.*, count(*) OVER (PARTITION BY new) AS sharers FROM forms),

            changed AS (
                UPDATE %1$I
                SET %2$I = counted.new
                FROM counted
                WHERE
                    %1$I.id = counted.id
                    AND counted.old <> counted.new
                    AND (
                        counted.sharers = 1
                        OR NOT EXISTS (
                            SELECT FROM pg_index
                            INNER JOIN pg_attribute
                                ON pg_index.indrelid = pg_attribute.attrelid
                                AND pg_attribute.attnum = ANY(pg_index.indkey)
                            WHERE
                                pg_index.indrelid = %1$L::regclass
                                AND pg_index.indisunique
                                AND pg_attribute.attname = %2$L
                        )
                    )
                RETURNING %1$I.id
            )

            SELECT array_agg(id ORDER BY id) FROM changed
            $sql$,
            item.place, item.name, item.fewest, item.most
        ) INTO changed;
        PERFORM pg_temp.tell('01000', item.place, item.rule, changed, 'brought into its one form');
    END LOOP;
END
$$;

-- Releases of Drizzle before 0.39 wrote jsonb through postgres.js as a JSON string.
CREATE FUNCTION pg_temp.unwrapped(value jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN jsonb_typeof((value #>> '{}')::jsonb) = 'array' THEN (value #>> '{}')::jsonb ELSE value END;
EXCEPTION WHEN data_exception THEN
    RETURN value;
END
$$;

DO $$
DECLARE
    changed uuid [];
BEGIN
    WITH changed AS (
        UPDATE chat_messages
        SET parts = pg_temp.unwrapped(parts)
        WHERE jsonb_typeof(parts) = 'string' AND parts <> pg_temp.unwrapped(parts)
        RETURNING id
    )

    SELECT array_agg(id ORDER BY id) INTO changed FROM changed;
    PERFORM pg_temp.tell(
        '01000', 'chat_messages', 'chat_messages_parts_is_array', changed,
        'taken out of the JSON string that held its parts'
    );
END
$$;
