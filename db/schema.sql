-- The schema that db/migrations make, written by `make schema`. To change it, edit it
-- and run `make migration-draft name=what_it_does`, or write a migration by hand.

CREATE DOMAIN public.chain_event_type AS character varying(20)
	CONSTRAINT chain_event_type_is_known CHECK (((VALUE)::text = ANY ((ARRAY['added'::character varying, 'removed'::character varying, 'checked_out'::character varying])::text[])));

COMMENT ON DOMAIN public.chain_event_type IS 'What happened to a cart object on Sui.';

CREATE DOMAIN public.crossmint_id AS character varying(255)
	CONSTRAINT crossmint_id_is_not_empty CHECK (((VALUE)::text <> ''::text));

COMMENT ON DOMAIN public.crossmint_id IS 'An identifier that Crossmint assigned; opaque.';

CREATE DOMAIN public.email_address AS character varying(320)
	CONSTRAINT email_address_has_two_sides CHECK (((VALUE)::text ~ '^[^@\s]+@[^@\s]+$'::text));

COMMENT ON DOMAIN public.email_address IS 'An e-mail address, as the identity provider spells it.';

CREATE DOMAIN public.evm_address AS character varying(42)
	CONSTRAINT evm_address_is_normalised CHECK (((VALUE)::text ~ '^0x[0-9a-f]{40}$'::text));

COMMENT ON DOMAIN public.evm_address IS 'An EVM address: 0x and 40 lower-case hex digits.';

CREATE DOMAIN public.message_role AS character varying(20)
	CONSTRAINT message_role_is_known CHECK (((VALUE)::text = ANY ((ARRAY['user'::character varying, 'assistant'::character varying, 'system'::character varying, 'tool'::character varying])::text[])));

COMMENT ON DOMAIN public.message_role IS 'Who speaks in a chat message.';

CREATE DOMAIN public.onboarding_step AS integer
	CONSTRAINT onboarding_step_is_0_to_3 CHECK (((VALUE >= 0) AND (VALUE <= 3)));

COMMENT ON DOMAIN public.onboarding_step IS 'The last finished onboarding step; 0 is none.';

CREATE DOMAIN public.order_status AS character varying(50)
	CONSTRAINT order_status_is_known CHECK (((VALUE)::text = ANY ((ARRAY['awaiting_approval'::character varying, 'payment_confirmed'::character varying, 'in_progress'::character varying, 'delivered'::character varying, 'cancelled'::character varying])::text[])));

COMMENT ON DOMAIN public.order_status IS 'How far an order is.';

CREATE DOMAIN public.order_type AS character varying(20)
	CONSTRAINT order_type_is_known CHECK (((VALUE)::text = ANY ((ARRAY['checkout'::character varying, 'deposit'::character varying])::text[])));

COMMENT ON DOMAIN public.order_type IS 'What an order pays for.';

CREATE DOMAIN public.sui_address AS character varying(66)
	CONSTRAINT sui_address_is_normalised CHECK (((VALUE)::text ~ '^0x[0-9a-f]{64}$'::text));

COMMENT ON DOMAIN public.sui_address IS 'A Sui address: 0x and 64 lower-case hex digits.';

CREATE DOMAIN public.sui_digest AS character varying(255)
	CONSTRAINT sui_digest_is_base58 CHECK (((VALUE)::text ~ '^[1-9A-HJ-NP-Za-km-z]{32,44}$'::text));

COMMENT ON DOMAIN public.sui_digest IS 'A Sui transaction digest: base58 of 32 bytes, case-sensitive.';

CREATE DOMAIN public.sui_object_id AS character varying(255)
	CONSTRAINT sui_object_id_is_normalised CHECK (((VALUE)::text ~ '^0x[0-9a-f]{64}$'::text));

COMMENT ON DOMAIN public.sui_object_id IS 'A Sui object id: 0x and 64 lower-case hex digits.';

CREATE DOMAIN public.transaction_hash AS character varying(255)
	CONSTRAINT transaction_hash_is_of_a_chain CHECK (((VALUE)::text ~ '^([1-9A-HJ-NP-Za-km-z]{32,44}|0x[0-9a-f]{64})$'::text));

COMMENT ON DOMAIN public.transaction_hash IS 'A Sui digest (base58) or an EVM transaction hash (0x and 64 lower-case hex digits).';

CREATE DOMAIN public.usd_cents AS integer
	CONSTRAINT usd_cents_is_not_negative CHECK ((VALUE >= 0));

COMMENT ON DOMAIN public.usd_cents IS 'Money in USD cents.';

CREATE DOMAIN public.usdc_amount AS numeric
	CONSTRAINT usdc_amount_has_6_decimals CHECK ((VALUE = round(VALUE, 6)))
	CONSTRAINT usdc_amount_is_finite CHECK ((VALUE < 'Infinity'::numeric))
	CONSTRAINT usdc_amount_is_positive CHECK ((VALUE > (0)::numeric));

COMMENT ON DOMAIN public.usdc_amount IS 'Money in USDC, with at most 6 decimals.';

CREATE DOMAIN public.wallet_status AS character varying(20)
	CONSTRAINT wallet_status_is_known CHECK (((VALUE)::text = ANY ((ARRAY['none'::character varying, 'pending'::character varying, 'active'::character varying, 'failed'::character varying])::text[])));

COMMENT ON DOMAIN public.wallet_status IS 'How far the provisioning of a user''s wallet is.';

CREATE TABLE public.chat_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    title character varying(100),
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT chat_sessions_updated_after_created CHECK ((updated_at >= created_at))
);

COMMENT ON TABLE public.chat_sessions IS 'Conversation threads.';

COMMENT ON COLUMN public.chat_sessions.title IS 'The name shown; made from the first exchange.';

CREATE FUNCTION public.next_chat_session_time(owner_id uuid) RETURNS timestamp with time zone
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT GREATEST(now(), clock_timestamp(), (max(chat_sessions.updated_at) + '00:00:00.000001'::interval)) AS "greatest"
    FROM public.chat_sessions
   WHERE (chat_sessions.user_id = next_chat_session_time.owner_id);
END;

CREATE FUNCTION public.order_holds_item(status public.order_status, checkout_id uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((status)::text = ANY ((ARRAY['payment_confirmed'::character varying, 'in_progress'::character varying, 'delivered'::character varying])::text[])) OR (((status)::text = 'awaiting_approval'::text) AND (checkout_id IS NOT NULL)));

CREATE FUNCTION public.order_status_of(event_types text[]) RETURNS public.order_status
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (CASE WHEN ('orders.delivery.completed'::text = ANY (event_types)) THEN 'delivered'::text WHEN ('orders.delivery.failed'::text = ANY (event_types)) THEN 'cancelled'::text WHEN ('orders.delivery.initiated'::text = ANY (event_types)) THEN 'in_progress'::text WHEN ('orders.payment.succeeded'::text = ANY (event_types)) THEN 'payment_confirmed'::text WHEN ('orders.payment.failed'::text = ANY (event_types)) THEN 'cancelled'::text WHEN ('user.cancelled'::text = ANY (event_types)) THEN 'cancelled'::text WHEN ('store.given_up'::text = ANY (event_types)) THEN 'cancelled'::text ELSE 'awaiting_approval'::text END)::public.order_status;

CREATE FUNCTION public.refuse_retired_order() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    used text;
BEGIN
    SELECT CASE WHEN tx_hash = NEW.tx_hash THEN 'tx_hash' ELSE 'crossmint_order_id' END
    INTO used
    FROM retired_orders
    WHERE crossmint_order_id = NEW.crossmint_order_id OR tx_hash = NEW.tx_hash
    LIMIT 1;
    IF FOUND THEN
        RAISE unique_violation USING
            MESSAGE = 'a deleted user''s order has used this ' || used,
            TABLE = 'orders',
            CONSTRAINT = 'orders_' || used || '_key';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := greatest(now(), OLD.updated_at);
    RETURN NEW;
END
$$;

CREATE FUNCTION public.strip_event_of_retired_order() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF EXISTS (SELECT FROM retired_orders WHERE crossmint_order_id = NEW.crossmint_order_id) THEN
        NEW.payload := NULL;
        NEW.payment_hash := NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.touch_chat_session() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    NEW.updated_at := next_chat_session_time(NEW.user_id);
    RETURN NEW;
END
$$;

CREATE TABLE public.cart_items (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    product_id character varying(255) NOT NULL,
    product_name character varying(500) NOT NULL,
    price public.usd_cents NOT NULL,
    image character varying(2048),
    product_url character varying(2048),
    size character varying(50),
    color character varying(50),
    retailer character varying(255),
    tx_digest public.sui_digest,
    on_chain_object_id public.sui_object_id,
    deleted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.cart_items IS 'Items in carts, and those that were in one.';

COMMENT ON COLUMN public.cart_items.product_id IS 'The retailer''s product id.';

COMMENT ON COLUMN public.cart_items.price IS 'In USD cents.';

COMMENT ON COLUMN public.cart_items.tx_digest IS 'The Sui transaction that added the item (onchain mode).';

COMMENT ON COLUMN public.cart_items.on_chain_object_id IS 'The Sui object of the item (onchain mode).';

COMMENT ON COLUMN public.cart_items.deleted_at IS 'Soft delete: NULL while the item is in the cart.';

CREATE TABLE public.chain_cursor (
    id boolean DEFAULT true NOT NULL,
    checkpoint bigint NOT NULL,
    CONSTRAINT chain_cursor_is_not_negative CHECK ((checkpoint >= 0)),
    CONSTRAINT chain_cursor_is_one_row CHECK (id)
);

COMMENT ON TABLE public.chain_cursor IS 'How far the events of Sui are recorded, in one row: it moves with them or not at all.';

COMMENT ON COLUMN public.chain_cursor.checkpoint IS 'The last Sui checkpoint of which all events are recorded.';

CREATE TABLE public.chain_events (
    tx_digest public.sui_digest NOT NULL,
    event_sequence bigint NOT NULL,
    type public.chain_event_type NOT NULL,
    object_id public.sui_object_id NOT NULL,
    wallet_address public.sui_address NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    product_id character varying(255),
    product_name character varying(500),
    price public.usd_cents,
    image character varying(2048),
    product_url character varying(2048),
    size character varying(50),
    color character varying(50),
    retailer character varying(255),
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT chain_events_added_names_product CHECK ((((type)::text <> 'added'::text) OR (num_nulls(product_id, product_name, price) = 0))),
    CONSTRAINT chain_events_sequence_is_not_negative CHECK ((event_sequence >= 0))
);

COMMENT ON TABLE public.chain_events IS 'What happened to cart objects on Sui, each event once, so that carts are the same however often and in whichever order events arrive.';

COMMENT ON COLUMN public.chain_events.event_sequence IS 'The event''s number in its transaction.';

COMMENT ON COLUMN public.chain_events.wallet_address IS 'Whose cart it is; no foreign key, as the event may come before the user, or of a stranger.';

COMMENT ON COLUMN public.chain_events.occurred_at IS 'The chain''s time.';

COMMENT ON COLUMN public.chain_events.product_id IS 'Set in `added`, with the other details.';

COMMENT ON COLUMN public.chain_events.price IS 'In USD cents.';

CREATE TABLE public.chat_messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    session_id uuid NOT NULL,
    msg_id character varying(100) NOT NULL,
    role public.message_role NOT NULL,
    parts jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    "position" bigint NOT NULL,
    CONSTRAINT chat_messages_parts_is_array CHECK ((jsonb_typeof(parts) = 'array'::text))
);

COMMENT ON TABLE public.chat_messages IS 'The messages of a session.';

COMMENT ON COLUMN public.chat_messages.msg_id IS 'UIMessage.id of the AI SDK; opaque.';

COMMENT ON COLUMN public.chat_messages.parts IS 'UIMessage.parts of the AI SDK: text, tool calls and so on.';

COMMENT ON COLUMN public.chat_messages."position" IS 'Orders a session''s messages; those of one turn share created_at.';

ALTER TABLE public.chat_messages ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.chat_messages_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.order_events (
    id character varying(255) NOT NULL,
    crossmint_order_id public.crossmint_id,
    order_id uuid,
    type character varying(100) NOT NULL,
    payment_hash character varying(255),
    amount_usdc public.usdc_amount,
    payload jsonb,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT order_events_concerns_one_order CHECK ((num_nonnulls(crossmint_order_id, order_id) = 1))
);

COMMENT ON TABLE public.order_events IS 'What happened to an order, each event once, so that its status is the same however often and in whichever order events arrive.';

COMMENT ON COLUMN public.order_events.id IS 'Of a Crossmint event its svix-id.';

COMMENT ON COLUMN public.order_events.crossmint_order_id IS 'The order of a Crossmint event; no foreign key, as the event may come before the order.';

COMMENT ON COLUMN public.order_events.order_id IS 'The order of an event of our own.';

COMMENT ON COLUMN public.order_events.payload IS 'A Crossmint event as it came.';

CREATE TABLE public.order_items (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    order_id uuid NOT NULL,
    cart_item_id uuid,
    product_id character varying(255) NOT NULL,
    product_name character varying(500) NOT NULL,
    price public.usd_cents NOT NULL,
    image character varying(2048),
    product_url character varying(2048),
    size character varying(50),
    color character varying(50),
    retailer character varying(255),
    on_chain_object_id public.sui_object_id,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.order_items IS 'The product of an order, as it was at checkout.';

COMMENT ON COLUMN public.order_items.price IS 'In USD cents, at the time of checkout.';

CREATE TABLE public.orders (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    type public.order_type NOT NULL,
    crossmint_order_id public.crossmint_id,
    status public.order_status DEFAULT 'awaiting_approval'::character varying NOT NULL,
    amount_usdc public.usdc_amount,
    tx_hash public.transaction_hash,
    payment_hash character varying(255),
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    checkout_id uuid,
    CONSTRAINT orders_checkout_id_is_a_checkouts CHECK ((((type)::text = 'checkout'::text) OR (checkout_id IS NULL))),
    CONSTRAINT orders_deposit_has_tx_hash CHECK ((((type)::text <> 'deposit'::text) OR (tx_hash IS NOT NULL)))
);

COMMENT ON TABLE public.orders IS 'Payment orders: checkouts and deposits.';

COMMENT ON COLUMN public.orders.status IS 'Of a checkout: what order_status_of() says of its events.';

COMMENT ON COLUMN public.orders.amount_usdc IS 'The total charge in USDC.';

COMMENT ON COLUMN public.orders.tx_hash IS 'The Sui digest of an on-chain checkout, or the deposit''s transaction.';

COMMENT ON COLUMN public.orders.payment_hash IS 'The payment''s transaction, from Crossmint''s webhook.';

COMMENT ON COLUMN public.orders.checkout_id IS 'Shared by the orders of one checkout, so that a repeated call finds them all.';

CREATE TABLE public.retired_orders (
    id uuid NOT NULL,
    crossmint_order_id public.crossmint_id,
    tx_hash public.transaction_hash
);

COMMENT ON TABLE public.retired_orders IS 'What the orders of deleted users have used up, so that no transaction pays again for somebody else, and no event that comes later brings personal data back.';

COMMENT ON COLUMN public.retired_orders.id IS 'The id that the order had.';

CREATE TABLE public.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    crossmint_user_id public.crossmint_id NOT NULL,
    email public.email_address,
    wallet_address public.sui_address,
    crossmint_wallet_id public.crossmint_id,
    wallet_status public.wallet_status DEFAULT 'none'::character varying NOT NULL,
    onboarding_step public.onboarding_step DEFAULT 0 NOT NULL,
    display_name character varying(100),
    first_name character varying(50),
    last_name character varying(50),
    street character varying(255),
    apt character varying(50),
    city character varying(100),
    state character varying(100),
    zip character varying(20),
    country character varying(100),
    tops_size character varying(10),
    bottoms_size character varying(10),
    footwear_size character varying(10),
    evm_address public.evm_address,
    sui_private_key_encrypted text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_updated_after_created CHECK ((updated_at >= created_at))
);

COMMENT ON TABLE public.users IS 'User profiles, wallet addresses and onboarding progress.';

COMMENT ON COLUMN public.users.crossmint_user_id IS 'The Crossmint identity; one user each.';

COMMENT ON COLUMN public.users.wallet_address IS 'The Sui wallet.';

COMMENT ON COLUMN public.users.crossmint_wallet_id IS 'Crossmint''s reference of the wallet.';

COMMENT ON COLUMN public.users.onboarding_step IS 'The last finished onboarding step, 0 to 3.';

COMMENT ON COLUMN public.users.display_name IS 'Set in onboarding step 1.';

COMMENT ON COLUMN public.users.first_name IS 'Set in onboarding step 2, with last_name and the shipping address.';

COMMENT ON COLUMN public.users.tops_size IS 'Set in onboarding step 3, with the other sizes.';

COMMENT ON COLUMN public.users.evm_address IS 'The EVM wallet that Crossmint provisioned.';

COMMENT ON COLUMN public.users.sui_private_key_encrypted IS 'The Sui private key, encrypted before it came here.';

ALTER TABLE ONLY public.cart_items
    ADD CONSTRAINT cart_items_on_chain_object_id_key UNIQUE (on_chain_object_id);

COMMENT ON CONSTRAINT cart_items_on_chain_object_id_key ON public.cart_items IS 'One item for each Sui object.';

ALTER TABLE ONLY public.cart_items
    ADD CONSTRAINT cart_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.chain_cursor
    ADD CONSTRAINT chain_cursor_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.chain_events
    ADD CONSTRAINT chain_events_pkey PRIMARY KEY (tx_digest, event_sequence);

ALTER TABLE ONLY public.chat_messages
    ADD CONSTRAINT chat_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.chat_messages
    ADD CONSTRAINT chat_messages_session_id_msg_id_key UNIQUE (session_id, msg_id);

COMMENT ON CONSTRAINT chat_messages_session_id_msg_id_key ON public.chat_messages IS 'Saving a message again updates it.';

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_order_id_key UNIQUE (order_id);

COMMENT ON CONSTRAINT order_items_order_id_key ON public.order_items IS 'One snapshot for each order.';

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_crossmint_order_id_key UNIQUE (crossmint_order_id);

COMMENT ON CONSTRAINT orders_crossmint_order_id_key ON public.orders IS 'One order for each of Crossmint''s.';

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_tx_hash_key UNIQUE (tx_hash);

COMMENT ON CONSTRAINT orders_tx_hash_key ON public.orders IS 'One transaction pays once, whoever claims it.';

ALTER TABLE ONLY public.retired_orders
    ADD CONSTRAINT retired_orders_crossmint_order_id_key UNIQUE (crossmint_order_id);

COMMENT ON CONSTRAINT retired_orders_crossmint_order_id_key ON public.retired_orders IS 'Finds late events of retired orders.';

ALTER TABLE ONLY public.retired_orders
    ADD CONSTRAINT retired_orders_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.retired_orders
    ADD CONSTRAINT retired_orders_tx_hash_key UNIQUE (tx_hash);

COMMENT ON CONSTRAINT retired_orders_tx_hash_key ON public.retired_orders IS 'No transaction pays again for somebody else.';

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_crossmint_user_id_key UNIQUE (crossmint_user_id);

COMMENT ON CONSTRAINT users_crossmint_user_id_key ON public.users IS 'One user for each Crossmint identity.';

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE UNIQUE INDEX cart_items_active_variant_key ON public.cart_items USING btree (user_id, product_id, size, color) NULLS NOT DISTINCT WHERE (deleted_at IS NULL);

COMMENT ON INDEX public.cart_items_active_variant_key IS 'Prevents duplicates in the active cart, an absent size or colour included, and lets an item be added again.';

CREATE INDEX cart_items_user_id_created_at_idx ON public.cart_items USING btree (user_id, created_at, id);

COMMENT ON INDEX public.cart_items_user_id_created_at_idx IS 'A user''s items, oldest first; serves the foreign key.';

CREATE INDEX chain_events_object_id_idx ON public.chain_events USING btree (object_id);

COMMENT ON INDEX public.chain_events_object_id_idx IS 'What happened to an object.';

CREATE INDEX chain_events_wallet_address_idx ON public.chain_events USING btree (wallet_address) WHERE ((type)::text = 'added'::text);

COMMENT ON INDEX public.chain_events_wallet_address_idx IS 'What was added to the cart of a wallet.';

CREATE UNIQUE INDEX chat_messages_session_id_position_key ON public.chat_messages USING btree (session_id, "position");

COMMENT ON INDEX public.chat_messages_session_id_position_key IS 'Two messages never share a place in their session; serves paging by position.';

CREATE INDEX chat_sessions_user_id_created_at_idx ON public.chat_sessions USING btree (user_id, created_at, id);

COMMENT ON INDEX public.chat_sessions_user_id_created_at_idx IS 'A user''s sessions by creation, newest first; serves the foreign key.';

CREATE INDEX chat_sessions_user_id_updated_at_idx ON public.chat_sessions USING btree (user_id, updated_at, id);

COMMENT ON INDEX public.chat_sessions_user_id_updated_at_idx IS 'A user''s sessions by last change, newest first.';

CREATE INDEX order_events_crossmint_order_id_idx ON public.order_events USING btree (crossmint_order_id);

COMMENT ON INDEX public.order_events_crossmint_order_id_idx IS 'The events of a Crossmint order.';

CREATE INDEX order_events_order_id_idx ON public.order_events USING btree (order_id);

COMMENT ON INDEX public.order_events_order_id_idx IS 'The events of our own for an order; serves the foreign key.';

CREATE INDEX order_items_cart_item_id_idx ON public.order_items USING btree (cart_item_id);

COMMENT ON INDEX public.order_items_cart_item_id_idx IS 'The orders that hold a cart item; serves the foreign key.';

CREATE INDEX orders_user_id_created_at_idx ON public.orders USING btree (user_id, created_at, id);

COMMENT ON INDEX public.orders_user_id_created_at_idx IS 'A user''s orders, newest first; serves the foreign key.';

CREATE INDEX users_email_idx ON public.users USING btree (email);

COMMENT ON INDEX public.users_email_idx IS 'Finds users by e-mail address.';

CREATE INDEX users_wallet_address_idx ON public.users USING btree (wallet_address);

COMMENT ON INDEX public.users_wallet_address_idx IS 'Finds the users of a Sui wallet.';

CREATE TRIGGER chat_sessions_touch BEFORE UPDATE ON public.chat_sessions FOR EACH ROW EXECUTE FUNCTION public.touch_chat_session();

CREATE TRIGGER order_events_strip_retired BEFORE INSERT ON public.order_events FOR EACH ROW WHEN ((new.crossmint_order_id IS NOT NULL)) EXECUTE FUNCTION public.strip_event_of_retired_order();

CREATE TRIGGER orders_refuse_retired AFTER INSERT OR UPDATE OF crossmint_order_id, tx_hash ON public.orders FOR EACH ROW WHEN (((new.crossmint_order_id IS NOT NULL) OR (new.tx_hash IS NOT NULL))) EXECUTE FUNCTION public.refuse_retired_order();

CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON public.users FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION public.set_updated_at();

ALTER TABLE ONLY public.cart_items
    ADD CONSTRAINT cart_items_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chat_messages
    ADD CONSTRAINT chat_messages_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.chat_sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chat_sessions
    ADD CONSTRAINT chat_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.order_events
    ADD CONSTRAINT order_events_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_cart_item_id_fkey FOREIGN KEY (cart_item_id) REFERENCES public.cart_items(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.order_items
    ADD CONSTRAINT order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
