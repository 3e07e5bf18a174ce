-- migrate:up

-- Until now functions found tables and types by the caller's search_path, which is empty
-- while a dump is restored, and another one for whoever set it so. A body that is parsed
-- at once (BEGIN ATOMIC, RETURN) keeps what it found; PL/pgSQL has no such bodies, so its
-- functions keep the path. It names the schema that they are created in, and no other.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);

-- The status rule: the first line that holds for the types of an order's events. Money
-- that moved wins over an earlier failure, cancellation or giving up.
CREATE OR REPLACE FUNCTION order_status_of(event_types text []) RETURNS order_status
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN 'orders.delivery.completed' = ANY (event_types) THEN 'delivered'
    WHEN 'orders.delivery.failed' = ANY (event_types) THEN 'cancelled'
    WHEN 'orders.delivery.initiated' = ANY (event_types) THEN 'in_progress'
    WHEN 'orders.payment.succeeded' = ANY (event_types) THEN 'payment_confirmed'
    WHEN 'orders.payment.failed' = ANY (event_types) THEN 'cancelled'
    WHEN 'user.cancelled' = ANY (event_types) THEN 'cancelled'
    WHEN 'store.given_up' = ANY (event_types) THEN 'cancelled'
    ELSE 'awaiting_approval'
END::order_status;

-- Whether an order keeps its item out of the cart: once it is paid, and before that if
-- it was made by our checkout, which takes the item at once. Orders that were adopted, or
-- came from the chain alone, have no checkout_id: those leave it there until the payment.
CREATE FUNCTION order_holds_item(status order_status, checkout_id uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status IN ('payment_confirmed', 'in_progress', 'delivered')
    OR (status = 'awaiting_approval' AND checkout_id IS NOT NULL);

CREATE OR REPLACE FUNCTION next_chat_session_time(owner_id uuid) RETURNS timestamptz
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT greatest(now(), clock_timestamp(), max(chat_sessions.updated_at) + interval '1 microsecond')
    FROM chat_sessions
    WHERE chat_sessions.user_id = owner_id;
END;

ALTER FUNCTION touch_chat_session() SET search_path FROM CURRENT;
ALTER FUNCTION refuse_retired_order() SET search_path FROM CURRENT;
ALTER FUNCTION strip_event_of_retired_order() SET search_path FROM CURRENT;

-- migrate:down

ALTER FUNCTION strip_event_of_retired_order() RESET search_path;
ALTER FUNCTION refuse_retired_order() RESET search_path;
ALTER FUNCTION touch_chat_session() RESET search_path;

CREATE OR REPLACE FUNCTION next_chat_session_time(owner_id uuid) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT greatest(now(), clock_timestamp(), max(updated_at) + interval '1 microsecond')
    FROM chat_sessions
    WHERE user_id = owner_id
$$;

DROP FUNCTION order_holds_item(order_status, uuid);

CREATE OR REPLACE FUNCTION order_status_of(event_types text []) RETURNS order_status
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN 'orders.delivery.completed' = ANY (event_types) THEN 'delivered'
        WHEN 'orders.delivery.failed' = ANY (event_types) THEN 'cancelled'
        WHEN 'orders.delivery.initiated' = ANY (event_types) THEN 'in_progress'
        WHEN 'orders.payment.succeeded' = ANY (event_types) THEN 'payment_confirmed'
        WHEN 'orders.payment.failed' = ANY (event_types) THEN 'cancelled'
        WHEN 'user.cancelled' = ANY (event_types) THEN 'cancelled'
        ELSE 'awaiting_approval'
    END::order_status
$$;
