-- The schema that db/migrations make, written by `make schema-dump`. To change it,
-- edit it and run `make migrate-draft name=what_it_does`, or write a migration by hand.

CREATE DOMAIN public.chain_event_type AS character varying(20)
	CONSTRAINT chain_event_type_is_known CHECK (((VALUE)::text = ANY ((ARRAY['added'::character varying, 'removed'::character varying, 'checked_out'::character varying])::text[])));

COMMENT ON DOMAIN public.chain_event_type IS 'What happened to a cart object on Sui.';

CREATE DOMAIN public.country_code AS character varying(2)
	CONSTRAINT country_code_is_two_letters CHECK (((VALUE)::text ~ '^[A-Z]{2}$'::text));

COMMENT ON DOMAIN public.country_code IS 'A country: ISO 3166-1 alpha-2, in capitals.';

CREATE DOMAIN public.crossmint_id AS character varying(255)
	CONSTRAINT crossmint_id_is_not_empty CHECK (((VALUE)::text <> ''::text));

COMMENT ON DOMAIN public.crossmint_id IS 'An identifier that Crossmint assigned; opaque.';

CREATE DOMAIN public.email_address AS character varying(320)
	CONSTRAINT email_address_is_not_empty CHECK (((VALUE)::text <> ''::text));

COMMENT ON DOMAIN public.email_address IS 'An e-mail address, as the identity provider spells it.';

CREATE DOMAIN public.encrypted_key AS text
	CONSTRAINT encrypted_key_is_not_plain CHECK (((VALUE !~* '(suiprivkey|737569707269766b6579)'::text) AND (VALUE !~ '^\s*c3VpcHJpdmtleT'::text) AND (VALUE !~* '^\s*(0x)?([0-9a-f]{64}|[0-9a-f]{66})\s*$'::text) AND (VALUE !~ '^\s*[A-Za-z0-9+/_-]{43,44}=?\s*$'::text) AND (VALUE !~* '^\s*([a-z]+\s+){11,}[a-z]+\s*$'::text)));

COMMENT ON DOMAIN public.encrypted_key IS 'A Sui private key, encrypted.';

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
	CONSTRAINT sui_object_id_is_normalised CHECK (((VALUE)::text ~ '^(0x[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$'::text));

COMMENT ON DOMAIN public.sui_object_id IS 'The name of an item on Sui: a lower-case UUID, or 0x and 64 lower-case hex digits.';

CREATE DOMAIN public.title_source AS character varying(20)
	CONSTRAINT title_source_is_known CHECK (((VALUE)::text = ANY ((ARRAY['chosen'::character varying, 'made'::character varying, 'model'::character varying])::text[])));

COMMENT ON DOMAIN public.title_source IS 'Who made a conversation''s title.';

COMMENT ON CONSTRAINT title_source_is_known ON DOMAIN public.title_source IS 'Chosen by somebody, made of the first text by the store, or by a model.';

CREATE DOMAIN public.transaction_hash AS character varying(255)
	CONSTRAINT transaction_hash_is_of_a_chain CHECK (((VALUE)::text ~ '^([1-9A-HJ-NP-Za-km-z]{32,44}|0x[0-9a-f]{64})$'::text));

COMMENT ON DOMAIN public.transaction_hash IS 'A Sui digest (base58) or an EVM transaction hash (0x and 64 lower-case hex digits).';

CREATE DOMAIN public.usd_cents AS integer
	CONSTRAINT usd_cents_is_not_negative CHECK ((VALUE >= 0));

COMMENT ON DOMAIN public.usd_cents IS 'Money in USD cents.';

CREATE DOMAIN public.usdc_amount AS numeric
	CONSTRAINT usdc_amount_has_6_decimals CHECK ((VALUE = round(VALUE, 6)))
	CONSTRAINT usdc_amount_is_finite CHECK ((VALUE < 'Infinity'::numeric))
	CONSTRAINT usdc_amount_is_not_negative CHECK ((VALUE >= (0)::numeric));

COMMENT ON DOMAIN public.usdc_amount IS 'Money in USDC, with at most 6 decimals.';

CREATE DOMAIN public.wallet_status AS character varying(20)
	CONSTRAINT wallet_status_is_known CHECK (((VALUE)::text = ANY ((ARRAY['none'::character varying, 'pending'::character varying, 'active'::character varying, 'failed'::character varying])::text[])));

COMMENT ON DOMAIN public.wallet_status IS 'How far the provisioning of a user''s wallet is.';

CREATE FUNCTION public.forget_chain_events() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE wallet_address = OLD.wallet_address) THEN
        DELETE FROM chain_events WHERE wallet_address = OLD.wallet_address;
        DELETE FROM set_aside_chain_events WHERE wallet_address = OLD.wallet_address;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.forget_message_digest() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.digest := NULL;
    RETURN NEW;
END
$$;

CREATE FUNCTION public.jsonb_or_null(body bytea) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

CREATE TABLE public.chat_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    title character varying(100),
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    title_source public.title_source,
    version bigint DEFAULT 0 NOT NULL,
    last_save uuid,
    CONSTRAINT chat_sessions_source_needs_title CHECK (((title IS NOT NULL) OR (title_source IS NULL))),
    CONSTRAINT chat_sessions_updated_after_created CHECK ((updated_at >= created_at))
);

COMMENT ON TABLE public.chat_sessions IS 'Conversation threads.';

COMMENT ON COLUMN public.chat_sessions.title IS 'The name shown; made from the first exchange.';

COMMENT ON COLUMN public.chat_sessions.title_source IS 'Empty where there is no title, or one from before this column: that counts as chosen.';

COMMENT ON COLUMN public.chat_sessions.version IS 'Grows by one at each save of messages; a save that names an older one is refused.';

COMMENT ON COLUMN public.chat_sessions.last_save IS 'Of what the last save said, if it named a version: tells its repetition from another save.';

COMMENT ON CONSTRAINT chat_sessions_source_needs_title ON public.chat_sessions IS 'What is not there was made by nobody.';

CREATE FUNCTION public.next_chat_session_time(owner_id uuid) RETURNS timestamp with time zone
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT GREATEST(now(), clock_timestamp(), (max(chat_sessions.updated_at) + '00:00:00.000001'::interval)) AS "greatest"
    FROM public.chat_sessions
   WHERE (chat_sessions.user_id = next_chat_session_time.owner_id);
END;

CREATE FUNCTION public.note_item_on_chain() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    UPDATE orders SET on_chain = TRUE WHERE id = NEW.order_id AND NOT on_chain;
    RETURN NULL;
END
$$;

CREATE FUNCTION public.order_event_has_effect(event_type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((event_type = ANY (ARRAY['orders.payment.succeeded'::text, 'orders.payment.failed'::text, 'orders.delivery.initiated'::text, 'orders.delivery.completed'::text, 'orders.delivery.failed'::text, 'user.cancelled'::text, 'store.given_up'::text])), false);

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

CREATE FUNCTION public.set_wallet_status_since() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.wallet_status_since := greatest(now(), OLD.wallet_status_since);
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
        NEW.raw := NULL;
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
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT cart_items_ended_is_out_of_cart CHECK (((ended_at IS NULL) OR (num_nulls(on_chain_object_id, deleted_at) = 0))),
    CONSTRAINT cart_items_variant_has_no_empty_text CHECK ((((size)::text <> ''::text) AND ((color)::text <> ''::text)))
);

COMMENT ON TABLE public.cart_items IS 'Items in carts, and those that were in one.';

COMMENT ON COLUMN public.cart_items.product_id IS 'The retailer''s product id.';

COMMENT ON COLUMN public.cart_items.price IS 'In USD cents.';

COMMENT ON COLUMN public.cart_items.size IS 'NULL if the product has none.';

COMMENT ON COLUMN public.cart_items.color IS 'NULL if the product has none.';

COMMENT ON COLUMN public.cart_items.tx_digest IS 'The Sui transaction that added the item (onchain mode).';

COMMENT ON COLUMN public.cart_items.on_chain_object_id IS 'The Sui object of the item (onchain mode).';

COMMENT ON COLUMN public.cart_items.deleted_at IS 'Soft delete: NULL while the item is in the cart.';

COMMENT ON COLUMN public.cart_items.ended_at IS 'When the item left the contract''s cart, by its first CartItemRemoved or OrderCreated (onchain mode): NULL while the contract holds it.';

COMMENT ON CONSTRAINT cart_items_ended_is_out_of_cart ON public.cart_items IS 'Only what is on chain ends there, and what has ended is out of the cart.';

COMMENT ON CONSTRAINT cart_items_variant_has_no_empty_text ON public.cart_items IS 'An absent size or colour is NULL: an empty text would be another variant.';

CREATE TABLE public.chain_cursor (
    id boolean DEFAULT true NOT NULL,
    tx_digest character varying(255) NOT NULL,
    event_seq character varying(255) NOT NULL,
    CONSTRAINT chain_cursor_is_not_empty CHECK ((((tx_digest)::text <> ''::text) AND ((event_seq)::text <> ''::text))),
    CONSTRAINT chain_cursor_is_one_row CHECK (id)
);

COMMENT ON TABLE public.chain_cursor IS 'How far the events of Sui are recorded, in one row: it moves with them or not at all. No row: nothing is.';

COMMENT ON COLUMN public.chain_cursor.tx_digest IS 'The nextCursor of the last page, as the node gave it: its txDigest.';

COMMENT ON COLUMN public.chain_cursor.event_seq IS 'Its eventSeq.';

COMMENT ON CONSTRAINT chain_cursor_is_not_empty ON public.chain_cursor IS 'A cursor is both of its texts.';

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
    crossmint_order_id public.crossmint_id,
    time_is_of_receipt boolean DEFAULT false NOT NULL,
    CONSTRAINT chain_events_added_names_product CHECK ((((type)::text <> 'added'::text) OR (num_nulls(product_id, product_name, price) = 0))),
    CONSTRAINT chain_events_order_names_product CHECK (((crossmint_order_id IS NULL) OR (((type)::text = 'checked_out'::text) AND (num_nulls(product_id, product_name, price) = 0)))),
    CONSTRAINT chain_events_sequence_is_not_negative CHECK ((event_sequence >= 0))
);

COMMENT ON TABLE public.chain_events IS 'What happened to cart objects on Sui, each event once, so that carts are the same however often and in whichever order events arrive.';

COMMENT ON COLUMN public.chain_events.event_sequence IS 'The event''s number in its transaction.';

COMMENT ON COLUMN public.chain_events.type IS 'CartItemAdded is added, CartItemRemoved removed, OrderCreated checked_out.';

COMMENT ON COLUMN public.chain_events.object_id IS 'The contract''s item_id.';

COMMENT ON COLUMN public.chain_events.wallet_address IS 'Whose cart it is. No foreign key: several users may have the wallet.';

COMMENT ON COLUMN public.chain_events.occurred_at IS 'The chain''s time; where an event came without, our time of receipt.';

COMMENT ON COLUMN public.chain_events.product_id IS 'Set in `added` and in `checked_out`, with the other details.';

COMMENT ON COLUMN public.chain_events.price IS 'In USD cents.';

COMMENT ON COLUMN public.chain_events.crossmint_order_id IS 'The order of `checked_out`; no foreign key, as the order may be gone or refused.';

COMMENT ON COLUMN public.chain_events.time_is_of_receipt IS 'Whether the event came without its time.';

COMMENT ON CONSTRAINT chain_events_order_names_product ON public.chain_events IS 'An order that is made of an event has its snapshot from it.';

CREATE TABLE public.chat_messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    session_id uuid NOT NULL,
    msg_id character varying(100) NOT NULL,
    role public.message_role NOT NULL,
    parts jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    "position" bigint NOT NULL,
    metadata jsonb,
    has_metadata boolean DEFAULT false NOT NULL,
    digest uuid,
    CONSTRAINT chat_messages_has_metadata_is_true CHECK ((has_metadata = (metadata IS NOT NULL))),
    CONSTRAINT chat_messages_parts_is_array CHECK ((jsonb_typeof(parts) = 'array'::text))
);

COMMENT ON TABLE public.chat_messages IS 'The messages of a session.';

COMMENT ON COLUMN public.chat_messages.msg_id IS 'UIMessage.id of the AI SDK; opaque.';

COMMENT ON COLUMN public.chat_messages.parts IS 'UIMessage.parts of the AI SDK: text, tool calls and so on.';

COMMENT ON COLUMN public.chat_messages."position" IS 'Orders a session''s messages; those of one turn share created_at.';

COMMENT ON COLUMN public.chat_messages.metadata IS 'UIMessage.metadata of the AI SDK; NULL if it is absent, the JSON null if it is null.';

COMMENT ON COLUMN public.chat_messages.has_metadata IS 'Tells metadata that are null from absent ones, which drivers read alike.';

COMMENT ON COLUMN public.chat_messages.digest IS 'Of the message as it was saved: one that comes again is told without a look into its parts.';

COMMENT ON CONSTRAINT chat_messages_has_metadata_is_true ON public.chat_messages IS 'Metadata are there if the row says so.';

ALTER TABLE public.chat_messages ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.chat_messages_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.mutexes (
    id bigint NOT NULL
);

COMMENT ON TABLE public.mutexes IS 'Rows to lock for what has no row of its own, or not yet: a Crossmint order by the hash of its id (0 to 4095), and recording the chain''s events (-1).';

COMMENT ON COLUMN public.mutexes.id IS 'Made by who locks it first; never changed and never deleted.';

CREATE TABLE public.order_events (
    id character varying(255) NOT NULL,
    crossmint_order_id public.crossmint_id,
    order_id uuid,
    type character varying(100),
    payment_hash character varying(255),
    amount_usdc public.usdc_amount,
    payload jsonb,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    raw bytea,
    quoted_usdc public.usdc_amount,
    received_usdc public.usdc_amount,
    amount numeric,
    currency character varying(50),
    applied_at timestamp with time zone,
    status_before public.order_status,
    status_after public.order_status,
    announced_at timestamp with time zone,
    CONSTRAINT order_events_amount_is_finite CHECK (((amount >= (0)::numeric) AND (amount < 'Infinity'::numeric))),
    CONSTRAINT order_events_concerns_one_order CHECK ((num_nonnulls(crossmint_order_id, order_id) <= 1)),
    CONSTRAINT order_events_payload_is_kept_once CHECK ((num_nonnulls(payload, raw) <= 1)),
    CONSTRAINT order_events_raw_is_bounded CHECK ((octet_length(raw) <= 1048576))
);

COMMENT ON TABLE public.order_events IS 'What happened to an order, each event once, so that its status is the same however often and in whichever order events arrive.';

COMMENT ON COLUMN public.order_events.id IS 'Of a Crossmint event its svix-id.';

COMMENT ON COLUMN public.order_events.crossmint_order_id IS 'The order of a Crossmint event, NULL if it names none; no foreign key, as the event may come before the order.';

COMMENT ON COLUMN public.order_events.order_id IS 'The order of an event of our own.';

COMMENT ON COLUMN public.order_events.type IS 'NULL if the event names none.';

COMMENT ON COLUMN public.order_events.amount_usdc IS 'What the event says that the order costs, if that is in USDC (or its test token).';

COMMENT ON COLUMN public.order_events.payload IS 'A Crossmint event as it came, where jsonb can hold it.';

COMMENT ON COLUMN public.order_events.raw IS 'A Crossmint event as it came, where jsonb cannot hold it; at most 1 MiB.';

COMMENT ON COLUMN public.order_events.quoted_usdc IS 'The total price that the event quotes, in USDC.';

COMMENT ON COLUMN public.order_events.received_usdc IS 'What the event says was paid, in USDC.';

COMMENT ON COLUMN public.order_events.amount IS 'What the event says that the order costs, as it says it, in currency.';

COMMENT ON COLUMN public.order_events.currency IS 'Of amount, as the event spells it; NULL if it names none.';

COMMENT ON COLUMN public.order_events.applied_at IS 'When it was counted for its order, which was here by then.';

COMMENT ON COLUMN public.order_events.status_before IS 'The order''s status when it was applied.';

COMMENT ON COLUMN public.order_events.status_after IS 'The order''s status once it was applied.';

COMMENT ON COLUMN public.order_events.announced_at IS 'When the API said that it has told whom it concerns.';

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
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT order_items_variant_has_no_empty_text CHECK ((((size)::text <> ''::text) AND ((color)::text <> ''::text)))
);

COMMENT ON TABLE public.order_items IS 'The product of an order, as it was at checkout.';

COMMENT ON COLUMN public.order_items.price IS 'In USD cents, at the time of checkout.';

COMMENT ON CONSTRAINT order_items_variant_has_no_empty_text ON public.order_items IS 'An absent size or colour is NULL, as in the cart.';

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
    quoted_usdc public.usdc_amount,
    received_usdc public.usdc_amount,
    settled_at timestamp with time zone,
    on_chain boolean DEFAULT false NOT NULL,
    paid_late boolean DEFAULT false NOT NULL,
    CONSTRAINT orders_checkout_id_is_a_checkouts CHECK ((((type)::text = 'checkout'::text) OR (checkout_id IS NULL))),
    CONSTRAINT orders_deposit_has_tx_hash CHECK ((((type)::text <> 'deposit'::text) OR (tx_hash IS NOT NULL))),
    CONSTRAINT orders_settled_is_a_deposit CHECK ((((type)::text = 'deposit'::text) OR (settled_at IS NULL)))
);

COMMENT ON TABLE public.orders IS 'Payment orders: checkouts and deposits.';

COMMENT ON COLUMN public.orders.status IS 'Of a checkout: what order_status_of() says of its events.';

COMMENT ON COLUMN public.orders.amount_usdc IS 'The total charge in USDC.';

COMMENT ON COLUMN public.orders.tx_hash IS 'The Sui digest of an on-chain checkout, or the deposit''s transaction.';

COMMENT ON COLUMN public.orders.payment_hash IS 'The payment''s transaction, from Crossmint''s webhook.';

COMMENT ON COLUMN public.orders.checkout_id IS 'Shared by the orders of one checkout, so that a repeated call finds them all.';

COMMENT ON COLUMN public.orders.quoted_usdc IS 'What the order was to cost: said at checkout, then by the payment''s event.';

COMMENT ON COLUMN public.orders.received_usdc IS 'What was paid, from Crossmint''s webhook.';

COMMENT ON COLUMN public.orders.settled_at IS 'When a deposit was credited, or taken over as one that may be: it is never credited after.';

COMMENT ON COLUMN public.orders.on_chain IS 'Whether the item is an object of the chain; set by a trigger on the snapshot.';

COMMENT ON COLUMN public.orders.paid_late IS 'Whether it was paid after it was cancelled, or while another paid order had its item: what may be paid twice.';

CREATE TABLE public.retired_orders (
    id uuid NOT NULL,
    crossmint_order_id public.crossmint_id,
    tx_hash public.transaction_hash
);

COMMENT ON TABLE public.retired_orders IS 'What the orders of deleted users have used up, so that no transaction pays again for somebody else, and no event that comes later brings personal data back.';

COMMENT ON COLUMN public.retired_orders.id IS 'The id that the order had.';

CREATE TABLE public.set_aside_chain_events (
    id uuid NOT NULL,
    reason character varying(500) NOT NULL,
    event text NOT NULL,
    is_whole boolean NOT NULL,
    wallet_address public.sui_address,
    set_aside_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT set_aside_chain_events_is_bounded CHECK ((octet_length(event) <= 1048576))
);

COMMENT ON TABLE public.set_aside_chain_events IS 'Events that could not be recorded, or whose order could not be made, with the reason: they hold nothing up, and wait to be looked at.';

COMMENT ON COLUMN public.set_aside_chain_events.id IS 'Made of the event''s id, else of the whole event: set aside again, it is one row.';

COMMENT ON COLUMN public.set_aside_chain_events.reason IS 'Names fields and rules, never values.';

COMMENT ON COLUMN public.set_aside_chain_events.event IS 'The event as it came, as JSON in ASCII; its first MiB.';

COMMENT ON COLUMN public.set_aside_chain_events.is_whole IS 'Whether that is all of it, which can be tried again.';

COMMENT ON COLUMN public.set_aside_chain_events.wallet_address IS 'Whose cart it is, where that can be read.';

COMMENT ON CONSTRAINT set_aside_chain_events_is_bounded ON public.set_aside_chain_events IS 'Nobody fills the table with one event.';

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
    street character varying(200),
    apt character varying(50),
    city character varying(100),
    state character varying(100),
    zip character varying(20),
    country public.country_code,
    tops_size character varying(10),
    bottoms_size character varying(10),
    footwear_size character varying(10),
    evm_address public.evm_address,
    sui_private_key_encrypted public.encrypted_key,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    wallet_status_since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_updated_after_created CHECK ((updated_at >= created_at))
);

COMMENT ON TABLE public.users IS 'User profiles, wallet addresses and onboarding progress.';

COMMENT ON COLUMN public.users.crossmint_user_id IS 'The Crossmint identity; one user each.';

COMMENT ON COLUMN public.users.wallet_address IS 'The Sui wallet.';

COMMENT ON COLUMN public.users.crossmint_wallet_id IS 'Crossmint''s reference of the wallet.';

COMMENT ON COLUMN public.users.onboarding_step IS 'The last finished onboarding step, 0 to 3.';

COMMENT ON COLUMN public.users.display_name IS 'Set in onboarding step 1.';

COMMENT ON COLUMN public.users.first_name IS 'Set in onboarding step 2, with last_name and the shipping address.';

COMMENT ON COLUMN public.users.state IS 'Of the shipping address; many countries have none.';

COMMENT ON COLUMN public.users.tops_size IS 'Set in onboarding step 3, with the other sizes.';

COMMENT ON COLUMN public.users.evm_address IS 'The EVM wallet that Crossmint provisioned.';

COMMENT ON COLUMN public.users.sui_private_key_encrypted IS 'The Sui private key, encrypted before it came here.';

COMMENT ON COLUMN public.users.wallet_status_since IS 'When the wallet came to its status.';

CREATE VIEW public.user_profiles AS
 SELECT id,
    crossmint_user_id,
    email,
    wallet_address,
    crossmint_wallet_id,
    wallet_status,
    wallet_status_since,
    onboarding_step,
    display_name,
    first_name,
    last_name,
    street,
    apt,
    city,
    state,
    zip,
    country,
    tops_size,
    bottoms_size,
    footwear_size,
    evm_address,
    created_at,
    updated_at,
    (sui_private_key_encrypted IS NOT NULL) AS has_sui_private_key
   FROM public.users;

COMMENT ON VIEW public.user_profiles IS 'The users, without their encrypted keys.';

COMMENT ON COLUMN public.user_profiles.crossmint_user_id IS 'The Crossmint identity; one user each.';

COMMENT ON COLUMN public.user_profiles.wallet_address IS 'The Sui wallet.';

COMMENT ON COLUMN public.user_profiles.crossmint_wallet_id IS 'Crossmint''s reference of the wallet.';

COMMENT ON COLUMN public.user_profiles.wallet_status_since IS 'When the wallet came to its status.';

COMMENT ON COLUMN public.user_profiles.onboarding_step IS 'The last finished onboarding step, 0 to 3.';

COMMENT ON COLUMN public.user_profiles.display_name IS 'Set in onboarding step 1.';

COMMENT ON COLUMN public.user_profiles.first_name IS 'Set in onboarding step 2, with last_name and the shipping address.';

COMMENT ON COLUMN public.user_profiles.state IS 'Of the shipping address; many countries have none.';

COMMENT ON COLUMN public.user_profiles.tops_size IS 'Set in onboarding step 3, with the other sizes.';

COMMENT ON COLUMN public.user_profiles.evm_address IS 'The EVM wallet that Crossmint provisioned.';

COMMENT ON COLUMN public.user_profiles.has_sui_private_key IS 'Whether the store keeps the wallet''s key.';

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

ALTER TABLE ONLY public.mutexes
    ADD CONSTRAINT mutexes_pkey PRIMARY KEY (id);

COMMENT ON CONSTRAINT mutexes_pkey ON public.mutexes IS 'One row to lock.';

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

ALTER TABLE ONLY public.set_aside_chain_events
    ADD CONSTRAINT set_aside_chain_events_pkey PRIMARY KEY (id);

COMMENT ON CONSTRAINT set_aside_chain_events_pkey ON public.set_aside_chain_events IS 'An event is set aside once.';

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_crossmint_user_id_key UNIQUE (crossmint_user_id);

COMMENT ON CONSTRAINT users_crossmint_user_id_key ON public.users IS 'One user for each Crossmint identity.';

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE UNIQUE INDEX cart_items_active_variant_key ON public.cart_items USING btree (user_id, product_id, size, color) NULLS NOT DISTINCT WHERE (deleted_at IS NULL);

COMMENT ON INDEX public.cart_items_active_variant_key IS 'Prevents duplicates in the active cart, an absent size or colour included, and lets an item be added again.';

CREATE INDEX cart_items_held_by_contract_idx ON public.cart_items USING btree (user_id, product_id, COALESCE(size, ''::character varying), COALESCE(color, ''::character varying), on_chain_object_id COLLATE "C") WHERE ((on_chain_object_id IS NOT NULL) AND (ended_at IS NULL));

COMMENT ON INDEX public.cart_items_held_by_contract_idx IS 'What the contract holds of a user: how many, and the smallest of a variant.';

CREATE INDEX cart_items_user_id_idx ON public.cart_items USING btree (user_id);

COMMENT ON INDEX public.cart_items_user_id_idx IS 'All that was ever in a user''s cart; serves the foreign key.';

CREATE INDEX chain_events_object_id_idx ON public.chain_events USING btree (object_id);

COMMENT ON INDEX public.chain_events_object_id_idx IS 'What happened to an object.';

CREATE INDEX chain_events_wallet_address_idx ON public.chain_events USING btree (wallet_address);

COMMENT ON INDEX public.chain_events_wallet_address_idx IS 'The events of a wallet, which go with its last user.';

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

CREATE INDEX order_events_to_announce_idx ON public.order_events USING btree (applied_at, received_at, id) WHERE ((applied_at IS NOT NULL) AND (announced_at IS NULL));

COMMENT ON INDEX public.order_events_to_announce_idx IS 'The events that wait to be announced, the oldest first.';

CREATE INDEX order_events_to_forget_idx ON public.order_events USING btree (received_at, id) WHERE ((payload IS NOT NULL) OR (raw IS NOT NULL) OR (NOT public.order_event_has_effect((type)::text)));

COMMENT ON INDEX public.order_events_to_forget_idx IS 'The events that retention has something to take from, the oldest first.';

CREATE INDEX order_events_unmatched_payment_idx ON public.order_events USING btree (received_at, id) WHERE ((applied_at IS NULL) AND ((type)::text = 'orders.payment.succeeded'::text));

COMMENT ON INDEX public.order_events_unmatched_payment_idx IS 'The payments whose order is not here, the oldest first.';

CREATE INDEX order_items_cart_item_id_idx ON public.order_items USING btree (cart_item_id);

COMMENT ON INDEX public.order_items_cart_item_id_idx IS 'The orders that hold a cart item; serves the foreign key.';

CREATE INDEX order_items_without_cart_item_idx ON public.order_items USING btree (on_chain_object_id) WHERE ((cart_item_id IS NULL) AND (on_chain_object_id IS NOT NULL));

COMMENT ON INDEX public.order_items_without_cart_item_idx IS 'Snapshots whose item is not here yet, by its name on chain.';

CREATE INDEX orders_awaiting_approval_idx ON public.orders USING btree (created_at, id) WHERE (((type)::text = 'checkout'::text) AND ((status)::text = 'awaiting_approval'::text) AND (tx_hash IS NULL));

COMMENT ON INDEX public.orders_awaiting_approval_idx IS 'The checkouts that may be given up, the oldest first.';

CREATE INDEX orders_open_deposit_idx ON public.orders USING btree (created_at, id) WHERE (((type)::text = 'deposit'::text) AND (settled_at IS NULL) AND ((status)::text = ANY ((ARRAY['awaiting_approval'::character varying, 'payment_confirmed'::character varying])::text[])));

COMMENT ON INDEX public.orders_open_deposit_idx IS 'The deposits that wait for the chain or to be credited, the oldest first.';

CREATE INDEX orders_paid_late_idx ON public.orders USING btree (created_at, id) WHERE paid_late;

COMMENT ON INDEX public.orders_paid_late_idx IS 'The orders that may be paid twice, the oldest first.';

CREATE INDEX orders_payment_differs_idx ON public.orders USING btree (created_at, id) WHERE ((quoted_usdc)::numeric <> (received_usdc)::numeric);

COMMENT ON INDEX public.orders_payment_differs_idx IS 'The orders that were paid too little or too much, the oldest first.';

CREATE INDEX orders_user_id_created_at_idx ON public.orders USING btree (user_id, created_at, id);

COMMENT ON INDEX public.orders_user_id_created_at_idx IS 'A user''s orders, newest first; serves the foreign key.';

CREATE INDEX orders_without_digest_idx ON public.orders USING btree (created_at, id) WHERE (on_chain AND (tx_hash IS NULL) AND ((status)::text = ANY ((ARRAY['payment_confirmed'::character varying, 'in_progress'::character varying, 'delivered'::character varying])::text[])));

COMMENT ON INDEX public.orders_without_digest_idx IS 'The paid orders that are to be checked out on chain, the oldest first.';

CREATE INDEX set_aside_chain_events_time_idx ON public.set_aside_chain_events USING btree (set_aside_at, id);

COMMENT ON INDEX public.set_aside_chain_events_time_idx IS 'Events set aside, oldest first.';

CREATE INDEX set_aside_chain_events_wallet_address_idx ON public.set_aside_chain_events USING btree (wallet_address);

COMMENT ON INDEX public.set_aside_chain_events_wallet_address_idx IS 'Those of a wallet, which go with its last user.';

CREATE INDEX users_email_idx ON public.users USING btree (email);

COMMENT ON INDEX public.users_email_idx IS 'Finds users by e-mail address.';

CREATE INDEX users_evm_address_idx ON public.users USING btree (evm_address);

COMMENT ON INDEX public.users_evm_address_idx IS 'Finds the users of an EVM wallet.';

CREATE INDEX users_pending_wallets_idx ON public.users USING btree (wallet_status_since, id) WHERE ((wallet_status)::text = 'pending'::text);

COMMENT ON INDEX public.users_pending_wallets_idx IS 'Finds the wallets whose provisioning hangs, the longest first.';

CREATE INDEX users_wallet_address_idx ON public.users USING btree (wallet_address);

COMMENT ON INDEX public.users_wallet_address_idx IS 'Finds the users of a Sui wallet.';

CREATE TRIGGER chat_messages_forget_digest BEFORE UPDATE ON public.chat_messages FOR EACH ROW WHEN (((old.digest = new.digest) AND (((((old.msg_id)::text IS DISTINCT FROM (new.msg_id)::text) OR ((old.role)::text IS DISTINCT FROM (new.role)::text)) OR (old.parts IS DISTINCT FROM new.parts)) OR (old.metadata IS DISTINCT FROM new.metadata)))) EXECUTE FUNCTION public.forget_message_digest();

CREATE TRIGGER chat_sessions_touch BEFORE UPDATE ON public.chat_sessions FOR EACH ROW EXECUTE FUNCTION public.touch_chat_session();

CREATE TRIGGER order_events_strip_retired BEFORE INSERT ON public.order_events FOR EACH ROW WHEN ((new.crossmint_order_id IS NOT NULL)) EXECUTE FUNCTION public.strip_event_of_retired_order();

CREATE TRIGGER order_items_note_on_chain AFTER INSERT OR UPDATE OF on_chain_object_id ON public.order_items FOR EACH ROW WHEN ((new.on_chain_object_id IS NOT NULL)) EXECUTE FUNCTION public.note_item_on_chain();

CREATE TRIGGER orders_refuse_retired AFTER INSERT OR UPDATE OF crossmint_order_id, tx_hash ON public.orders FOR EACH ROW WHEN (((new.crossmint_order_id IS NOT NULL) OR (new.tx_hash IS NOT NULL))) EXECUTE FUNCTION public.refuse_retired_order();

CREATE TRIGGER users_forget_chain_events AFTER DELETE ON public.users FOR EACH ROW WHEN ((old.wallet_address IS NOT NULL)) EXECUTE FUNCTION public.forget_chain_events();

CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON public.users FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION public.set_updated_at();

CREATE TRIGGER users_set_wallet_status_since BEFORE UPDATE OF wallet_status ON public.users FOR EACH ROW WHEN (((old.wallet_status)::text IS DISTINCT FROM (new.wallet_status)::text)) EXECUTE FUNCTION public.set_wallet_status_since();

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
