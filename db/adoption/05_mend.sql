-- Mends what the old schema let in and can be mended without a loss, and tells it.

-- The server's zone, in which DEFAULT now() wrote `timestamp` columns; what the backend
-- wrote itself is UTC. Only updated_at is of both kinds: of a row that was never updated
-- it is the default's, and equals created_at.
DO $$
DECLARE
    item record;
    changed bigint;
BEGIN
    FOR item IN
        WITH columns AS (
            SELECT
                relname AS place,
                bool_or(attname = 'created_at' AND atttypid = 'timestamp'::regtype) AS has_created,
                bool_or(attname = 'updated_at' AND atttypid = 'timestamp'::regtype) AS has_updated
            FROM pg_attribute
            INNER JOIN pg_class ON attrelid = pg_class.oid
            WHERE
                relnamespace = 'public'::regnamespace
                AND relname IN (SELECT base.place FROM base)
                AND relkind = 'r'
            GROUP BY relname
        ),

        expressions AS (
            SELECT
                columns.*,
                format('created_at AT TIME ZONE %L', zone) AS other_created,
                format('created_at AT TIME ZONE %L AT TIME ZONE ''UTC''', zone) AS utc_created,
                format('updated_at AT TIME ZONE %L AT TIME ZONE ''UTC''', zone) AS utc_updated
            FROM columns, current_setting('adoption.time_zone') AS zone
            WHERE has_created OR has_updated
        )

        SELECT
            place,
            format(
                'UPDATE %I SET %s WHERE FALSE%s%s',
                place,
                concat_ws(
                    ', ',
                    CASE WHEN has_created THEN format('created_at = %s', utc_created) END,
                    CASE
                        WHEN has_updated THEN format(
                            'updated_at = CASE WHEN updated_at = %s THEN %s ELSE updated_at END',
                            CASE WHEN has_created THEN 'created_at' ELSE other_created END,
                            utc_updated
                        )
                    END
                ),
                CASE WHEN has_created THEN format(' OR created_at <> %s', utc_created) END,
                CASE
                    WHEN has_updated AND NOT has_created
                        THEN format(' OR updated_at = %s AND updated_at <> %s', other_created, utc_updated)
                END
            ) AS statement
        FROM expressions
        ORDER BY place
    LOOP
        EXECUTE item.statement;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed > 0 THEN
            RAISE INFO '-- % rows of % have a time by default, which was in % and is in UTC now',
                changed, item.place, current_setting('adoption.time_zone');
        END IF;
    END LOOP;
END
$$;

-- The clock of the backend that updated a row may have been behind the database's.
DO $$
DECLARE
    item text;
    changed uuid [];
BEGIN
    FOREACH item IN ARRAY ARRAY ['chat_sessions', 'users'] LOOP
        EXECUTE format(
            $sql$
            WITH changed AS (
                UPDATE %I SET updated_at = created_at WHERE updated_at < created_at RETURNING id
            )

            SELECT array_agg(id ORDER BY id) FROM changed
            $sql$,
            item
        ) INTO changed;
        PERFORM pg_temp.tell(
            '01000', item, item || '_updated_after_created', changed,
            'was updated before it was created, and counts as updated then'
        );
    END LOOP;
END
$$;

-- Nothing was said in different ways: '' by the site, NULL by the chain.
DO $$
DECLARE
    item record;
    changed uuid [];
BEGIN
    FOR item IN
        SELECT
            old_table.relname AS place,
            string_agg(format('%1$I = nullif(%1$I, '''')', old.attname), ', ' ORDER BY old.attnum) AS assignments,
            string_agg(quote_ident(old.attname), ', ' ORDER BY old.attnum) AS columns,
            string_agg(format('ALTER COLUMN %I DROP NOT NULL', old.attname), ', ' ORDER BY old.attnum)
            FILTER (WHERE old.attnotnull) AS loosening
        FROM pg_class AS old_table
        INNER JOIN pg_class AS new_table ON old_table.relname = new_table.relname
        INNER JOIN pg_attribute AS old ON old_table.oid = old.attrelid
        INNER JOIN pg_attribute AS new ON new_table.oid = new.attrelid AND old.attname = new.attname
        WHERE
            old_table.relnamespace = 'public'::regnamespace
            AND new_table.relnamespace = 'adoption'::regnamespace
            AND new_table.relkind = 'r'
            AND old.atttypid IN ('varchar'::regtype, 'text'::regtype)
            AND NOT new.attnotnull
        GROUP BY old_table.relname
        ORDER BY old_table.relname
    LOOP
        IF item.loosening IS NOT NULL THEN
            PERFORM pg_temp.run(format('ALTER TABLE %I %s', item.place, item.loosening));
        END IF;
        EXECUTE format(
            $sql$
            WITH changed AS (UPDATE %I SET %s WHERE '' IN (%s) RETURNING id)

            SELECT array_agg(id ORDER BY id) FROM changed
            $sql$,
            item.place, item.assignments, item.columns
        ) INTO changed;
        PERFORM pg_temp.tell(
            '01000', item.place, 'empty_text', changed, 'had empty texts, which are NULL now'
        );
    END LOOP;
END
$$;

-- Messages in the order of their times. Those of one turn share it: they lie in the table
-- as they were inserted, until they are updated below.
SELECT pg_temp.run('ALTER TABLE chat_messages ADD COLUMN position bigint');

-- What is no part becomes the text that the old backend showed for it.
CREATE FUNCTION pg_temp.part(value jsonb) RETURNS jsonb
LANGUAGE sql AS $$
    SELECT CASE
        WHEN jsonb_typeof(value) = 'object' AND jsonb_typeof(value -> 'type') = 'string' THEN value
        WHEN jsonb_typeof(value) = 'string' THEN jsonb_build_object('type', 'text', 'text', value)
        ELSE jsonb_build_object('type', 'text', 'text', value::text)
    END
$$;

-- An array of parts. Drizzle read a JSON string as the JSON in it, if there was any, since
-- it once wrote all JSON so.
CREATE FUNCTION pg_temp.parts(value jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    inner_value jsonb := value;
BEGIN
    IF jsonb_typeof(value) = 'string' THEN
        BEGIN
            inner_value := (value #>> '{}')::jsonb;
        EXCEPTION WHEN data_exception THEN
            NULL;
        END;
    END IF;
    IF jsonb_typeof(inner_value) <> 'array' THEN
        RETURN jsonb_build_array(pg_temp.part(inner_value));
    END IF;
    RETURN (
        SELECT coalesce(jsonb_agg(pg_temp.part(element) ORDER BY place), '[]')
        FROM jsonb_array_elements(inner_value) WITH ORDINALITY AS elements (element, place)
    );
END
$$;

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        WITH numbered AS (
            SELECT
                id,
                row_number() OVER (ORDER BY created_at, ctid) AS position,
                coalesce(msg_id, '') = '' AS is_nameless,
                msg_id <> '' AND lead(id) OVER (
                    PARTITION BY session_id, msg_id ORDER BY created_at, ctid
                ) IS NOT NULL AS is_overtaken,
                jsonb_typeof(parts) <> 'array' OR EXISTS (
                    SELECT FROM jsonb_array_elements(CASE jsonb_typeof(parts) WHEN 'array' THEN parts END) AS element
                    WHERE jsonb_typeof(element -> 'type') IS DISTINCT FROM 'string'
                ) AS is_wrapped
            FROM chat_messages
        ),

        changed AS (
            UPDATE chat_messages
            SET
                position = numbered.position,
                msg_id = CASE
                    WHEN is_nameless OR is_overtaken THEN chat_messages.id::text ELSE chat_messages.msg_id
                END,
                parts = CASE WHEN is_wrapped THEN pg_temp.parts(parts) ELSE parts END
            FROM numbered
            WHERE chat_messages.id = numbered.id
            RETURNING chat_messages.id, is_nameless, is_overtaken, is_wrapped
        ),

        told AS (
            SELECT
                array_agg(id ORDER BY id) FILTER (WHERE is_nameless) AS nameless,
                array_agg(id ORDER BY id) FILTER (WHERE is_overtaken) AS overtaken,
                array_agg(id ORDER BY id) FILTER (WHERE is_wrapped) AS wrapped
            FROM changed
        )

        SELECT 1 AS step, 'msg_id' AS rule, nameless AS ids, 'had no msg_id, and has its id as one now' AS what
        FROM told
        UNION ALL
        SELECT
            2, 'chat_messages_session_id_msg_id_key', overtaken,
            'shared its msg_id with a later message, and has its id as one now'
        FROM told
        UNION ALL
        SELECT
            3, 'chat_messages_parts_is_array', wrapped,
            'had parts that were no array of parts, and has what they say in one now'
        FROM told
        ORDER BY 1
    LOOP
        PERFORM pg_temp.tell('01000', 'chat_messages', item.rule, item.ids, item.what);
    END LOOP;
END
$$;

-- Addresses, object ids and hashes in their one form, unless two rows would then be one.
DO $$
DECLARE
    item record;
    changed uuid [];
BEGIN
    FOR item IN
        WITH items (place, name, rule, pattern, digits) AS (
            VALUES
            ('users', 'wallet_address', 'sui_address_is_normalised', '^0[xX][0-9a-fA-F]{1,64}$', 64),
            ('users', 'evm_address', 'evm_address_is_normalised', '^0[xX][0-9a-fA-F]{40}$', 40),
            ('orders', 'tx_hash', 'transaction_hash_is_of_a_chain', '^0[xX][0-9a-fA-F]{64}$', 64),
            ('cart_items', 'on_chain_object_id', NULL, '^0[xX][0-9a-fA-F]{1,64}$', 64),
            ('order_items', 'on_chain_object_id', NULL, '^0[xX][0-9a-fA-F]{1,64}$', 64)
        )

        SELECT
            items.place,
            items.name,
            items.pattern,
            items.digits,
            coalesce(
                items.rule,
                -- Whichever the target's domain of these ids has.
                (
                    SELECT min(target.name)
                    FROM target
                    INNER JOIN pg_type ON target.place = pg_type.typname
                    INNER JOIN pg_attribute ON pg_type.oid = atttypid
                    WHERE
                        target.kind = 'rule'
                        AND attrelid = format('adoption.%I', items.place)::regclass
                        AND attname = items.name
                )
            ) AS rule
        FROM items
    LOOP
        EXECUTE format(
            $sql$
            WITH forms AS (
                SELECT
                    id,
                    %2$I AS old,
                    CASE
                        WHEN %2$I ~ %3$L THEN '0x' || lpad(lower(substr(%2$I, 3)), %4$s, '0')
                        -- What the contract calls an item: a UUID.
                        WHEN
                            %2$L = 'on_chain_object_id'
                            AND %2$I ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                            THEN lower(%2$I)
                        ELSE %2$I
                    END AS new
                FROM %1$I
                WHERE %2$I IS NOT NULL
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
            item.place, item.name, item.pattern, item.digits
        ) INTO changed;
        PERFORM pg_temp.tell('01000', item.place, item.rule, changed, 'brought into its one form');
    END LOOP;
END
$$;

-- Anybody may have put an item on chain under any text. Such an item cannot be named in a
-- call that removes it or pays for it, and the mirror has none like it.
DO $$
DECLARE
    item text;
    changed uuid [];
BEGIN
    FOREACH item IN ARRAY ARRAY ['cart_items', 'order_items'] LOOP
        EXECUTE format(
            $sql$
            WITH changed AS (
                UPDATE %I
                SET on_chain_object_id = NULL %s
                WHERE on_chain_object_id !~* '^(0x[0-9a-f]{1,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$'
                RETURNING id
            )

            SELECT array_agg(id ORDER BY id) FROM changed
            $sql$,
            item,
            CASE item WHEN 'cart_items' THEN ', deleted_at = coalesce(deleted_at, now())' END
        ) INTO changed;
        PERFORM pg_temp.tell(
            '01000', item, 'on_chain_object_id', changed,
            'had a name on chain that is none, and is out of the cart without it'
        );
    END LOOP;
END
$$;

-- Crossmint's amounts of other currencies have more decimals than USDC.
DO $$
DECLARE
    changed uuid [];
BEGIN
    WITH changed AS (
        UPDATE orders
        SET amount_usdc = round(amount_usdc, 6)
        WHERE amount_usdc <> round(amount_usdc, 6)
        RETURNING id
    )

    SELECT array_agg(id ORDER BY id) INTO changed FROM changed;
    PERFORM pg_temp.tell(
        '01000', 'orders', 'usdc_amount_has_6_decimals', changed, 'had more than 6 decimals, and is rounded'
    );
END
$$;

-- What is paid is not in the cart any more, whatever a later failure of another order for
-- the same item has made of it.
DO $$
DECLARE
    changed uuid [];
BEGIN
    WITH changed AS (
        UPDATE cart_items
        SET deleted_at = now()
        WHERE
            deleted_at IS NULL
            AND id IN (
                SELECT order_items.cart_item_id
                FROM order_items
                INNER JOIN orders ON order_items.order_id = orders.id
                WHERE orders.type = 'checkout' AND orders.status IN ('payment_confirmed', 'in_progress', 'delivered')
            )
        RETURNING id
    )

    SELECT array_agg(id ORDER BY id) INTO changed FROM changed;
    PERFORM pg_temp.tell(
        '01000', 'cart_items', 'order_holds_item', changed, 'taken out of the cart, since it is paid'
    );
END
$$;

-- Of live duplicate variants, which an absent size or colour made possible, the newest
-- stays in the cart; of those on chain that which the mirror has there.
DO $$
DECLARE
    changed uuid [];
BEGIN
    WITH changed AS (
        UPDATE cart_items
        SET deleted_at = now()
        FROM (
            SELECT
                id,
                row_number() OVER (
                    PARTITION BY user_id, product_id, size, color
                    ORDER BY
                        on_chain_object_id COLLATE "C" NULLS LAST, created_at DESC NULLS LAST, id DESC
                ) AS place
            FROM cart_items
            WHERE deleted_at IS NULL
        ) AS ranked
        WHERE cart_items.id = ranked.id AND ranked.place > 1
        RETURNING cart_items.id
    )

    SELECT array_agg(id ORDER BY id) INTO changed FROM changed;
    PERFORM pg_temp.tell(
        '01000', 'cart_items', 'cart_items_active_variant_key', changed,
        'taken out of the cart, which holds another one of its kind'
    );
END
$$;
