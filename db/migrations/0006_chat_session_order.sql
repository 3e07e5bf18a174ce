-- migrate:up

-- Later than all of the user's sessions, whatever the clock does. Volatile, so that it
-- sees what was committed while its statement waited for the user's lock: under that
-- lock, a session becomes visible in the place that no reader has passed yet.
CREATE FUNCTION next_chat_session_time(owner_id uuid) RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT greatest(now(), clock_timestamp(), max(updated_at) + interval '1 microsecond')
    FROM chat_sessions
    WHERE user_id = owner_id
$$;

CREATE FUNCTION touch_chat_session() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := next_chat_session_time(NEW.user_id);
    RETURN NEW;
END
$$;

-- Sessions are paged by updated_at, so every update makes one its user's newest. The
-- start of the transaction, which set_updated_at takes, may lie before an update that
-- was committed and read already.
DROP TRIGGER chat_sessions_set_updated_at ON chat_sessions;
CREATE TRIGGER chat_sessions_touch
    BEFORE UPDATE ON chat_sessions
    FOR EACH ROW EXECUTE FUNCTION touch_chat_session();

-- migrate:down

DROP TRIGGER chat_sessions_touch ON chat_sessions;
CREATE TRIGGER chat_sessions_set_updated_at
    BEFORE UPDATE ON chat_sessions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();
DROP FUNCTION touch_chat_session();
DROP FUNCTION next_chat_session_time(uuid);
