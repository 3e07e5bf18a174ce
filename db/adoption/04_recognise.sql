SET LOCAL search_path = adoption;
CREATE TEMPORARY TABLE target ON COMMIT DROP AS SELECT * FROM pg_temp.described();
SET LOCAL search_path = public;

DO $$
BEGIN
    IF to_regclass('schema_migrations') IS NOT NULL THEN
        IF (SELECT count(*) FROM schema_migrations) > 0 THEN
            RAISE 'there is a ledger of Drizzle beside one of dbmate with migrations in it: '
                'if Drizzle was run after the adoption, drop its schema'
            USING ERRCODE = '55000';
        END IF;
    END IF;
END
$$;

-- Stops, with a list of what is not as the replaced system has it. NOT NULL, defaults,
-- lengths and the names of constraints and indexes may be any.
DO $$
DECLARE
    difference text;
    differences integer := 0;
BEGIN
    FOR difference IN
        WITH wanted (place, type, names) AS (
            VALUES
            ('users', 'uuid', 'id'),
            (
                'users', 'varchar',
                'crossmint_user_id email wallet_address crossmint_wallet_id wallet_status '
                'display_name first_name last_name street apt city state zip country '
                'tops_size bottoms_size footwear_size evm_address sui_private_key_encrypted'
            ),
            ('users', 'int4', 'onboarding_step'),
            ('users', 'timestamp', 'created_at updated_at'),
            ('chat_sessions', 'uuid', 'id user_id'),
            ('chat_sessions', 'varchar', 'title'),
            ('chat_sessions', 'timestamp', 'created_at updated_at'),
            ('chat_messages', 'uuid', 'id session_id'),
            ('chat_messages', 'varchar', 'msg_id role'),
            ('chat_messages', 'jsonb', 'parts'),
            ('chat_messages', 'timestamp', 'created_at'),
            ('cart_items', 'uuid', 'id user_id'),
            (
                'cart_items', 'varchar',
                'product_id product_name image product_url size color retailer tx_digest '
                'on_chain_object_id'
            ),
            ('cart_items', 'int4', 'price'),
            ('cart_items', 'timestamp', 'created_at deleted_at'),
            ('orders', 'uuid', 'id user_id'),
            -- payment_hash is missing where Drizzle stopped before: two entries of the
            -- journal have one time, and it took the second for done.
            ('orders', 'varchar', 'type crossmint_order_id status tx_hash payment_hash'),
            ('orders', 'numeric', 'amount_usdc'),
            ('orders', 'timestamp', 'created_at'),
            ('order_items', 'uuid', 'id order_id cart_item_id'),
            (
                'order_items', 'varchar',
                'product_id product_name image product_url size color retailer '
                'on_chain_object_id'
            ),
            ('order_items', 'int4', 'price'),
            ('order_items', 'timestamp', 'created_at')
        ),

        columns AS (
            SELECT
                wanted.place,
                wanted.type,
                named.name
            FROM wanted, string_to_table(wanted.names, ' ') AS named (name)
        ),

        actual AS (
            SELECT
                pg_class.relname AS place,
                pg_attribute.attname AS name,
                CASE pg_type.typname
                    WHEN 'text' THEN 'varchar' WHEN 'timestamptz' THEN 'timestamp' ELSE pg_type.typname
                END AS type
            FROM pg_attribute
            INNER JOIN pg_class ON pg_attribute.attrelid = pg_class.oid
            INNER JOIN pg_type ON pg_attribute.atttypid = pg_type.oid
            WHERE
                pg_class.relnamespace = 'public'::regnamespace
                AND pg_class.relkind = 'r'
                AND pg_attribute.attnum > 0
                AND NOT pg_attribute.attisdropped
        )

        SELECT
            format(
                '%s.%s is %s, not %s',
                columns.place, columns.name, coalesce(actual.type, 'missing'), columns.type
            )
        FROM columns
        LEFT JOIN actual ON columns.place = actual.place AND columns.name = actual.name
        WHERE
            columns.type IS DISTINCT FROM actual.type
            AND (columns.name <> 'payment_hash' OR actual.type IS NOT NULL)
        UNION ALL
        SELECT format('%s has no primary key of id alone', tables.place)
        FROM (SELECT DISTINCT columns.place FROM columns) AS tables
        WHERE
            to_regclass(tables.place) IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM pg_constraint
                WHERE
                    pg_constraint.conrelid = to_regclass(tables.place)
                    AND pg_constraint.contype = 'p'
                    AND pg_get_constraintdef(pg_constraint.oid) = 'PRIMARY KEY (id)'
            )
        UNION ALL
        SELECT format('%s would come in the way', pg_class.relname)
        FROM pg_class
        WHERE
            pg_class.relnamespace = 'public'::regnamespace
            AND pg_class.relname IN (
                SELECT made.relname
                FROM pg_class AS made
                WHERE made.relnamespace = 'adoption'::regnamespace AND made.relkind IN ('r', 'v')
                EXCEPT SELECT columns.place FROM columns
            )
        UNION ALL
        SELECT format('the type %s would come in the way', pg_type.typname)
        FROM pg_type
        WHERE
            pg_type.typnamespace = 'public'::regnamespace
            AND pg_type.typrelid = 0
            AND pg_type.typname IN (SELECT target.name FROM target WHERE target.kind = 'domain')
        UNION ALL
        SELECT format('the function %s would come in the way', pg_proc.oid::regprocedure)
        FROM pg_proc
        WHERE
            pg_proc.pronamespace = 'public'::regnamespace
            AND pg_proc.oid::regprocedure::text IN (
                SELECT target.name FROM target WHERE target.kind = 'function'
            )
        ORDER BY 1
    LOOP
        RAISE INFO USING MESSAGE = difference, ERRCODE = '42P17';
        differences := differences + 1;
    END LOOP;
    IF differences > 0 THEN
        RAISE 'this is not a database that the replaced system had (% differences)', differences
        USING ERRCODE = '55000';
    END IF;
END
$$;

-- Early, and all at once: whoever still works with the database shows here.
LOCK TABLE users, chat_sessions, chat_messages, cart_items, orders, order_items
IN ACCESS EXCLUSIVE MODE;
