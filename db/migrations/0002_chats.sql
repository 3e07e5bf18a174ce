-- migrate:up

CREATE DOMAIN message_role AS varchar(20)
    CONSTRAINT message_role_is_known
    CHECK (VALUE IN ('user', 'assistant', 'system', 'tool'));
COMMENT ON DOMAIN message_role IS 'Who speaks in a chat message.';

CREATE TABLE chat_sessions (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT chat_sessions_pkey PRIMARY KEY,
    user_id uuid NOT NULL
        CONSTRAINT chat_sessions_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    title varchar(100),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chat_sessions_updated_after_created CHECK (updated_at >= created_at)
);
COMMENT ON TABLE chat_sessions IS 'Conversation threads.';
COMMENT ON COLUMN chat_sessions.title IS 'The name shown; made from the first exchange.';

-- A user's sessions, newest first, by either time; they also serve the foreign key.
CREATE INDEX chat_sessions_user_id_created_at_idx ON chat_sessions (user_id, created_at, id);
CREATE INDEX chat_sessions_user_id_updated_at_idx ON chat_sessions (user_id, updated_at, id);

CREATE TRIGGER chat_sessions_set_updated_at
    BEFORE UPDATE ON chat_sessions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

CREATE TABLE chat_messages (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT chat_messages_pkey PRIMARY KEY,
    session_id uuid NOT NULL
        CONSTRAINT chat_messages_session_id_fkey REFERENCES chat_sessions (id) ON DELETE CASCADE,
    msg_id varchar(100) NOT NULL,
    role message_role NOT NULL,
    parts jsonb NOT NULL
        CONSTRAINT chat_messages_parts_is_array CHECK (jsonb_typeof(parts) = 'array'),
    created_at timestamptz NOT NULL DEFAULT now(),
    position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- A message that is saved again replaces itself: one row per message of a session.
    CONSTRAINT chat_messages_session_id_msg_id_key UNIQUE (session_id, msg_id)
);
COMMENT ON TABLE chat_messages IS 'The messages of a session.';
COMMENT ON COLUMN chat_messages.msg_id IS 'UIMessage.id of the AI SDK; opaque.';
COMMENT ON COLUMN chat_messages.parts IS 'UIMessage.parts of the AI SDK: text, tool calls and so on.';
COMMENT ON COLUMN chat_messages.position IS 'Orders a session''s messages; those of one turn share created_at.';

-- Two messages never share a place in their session; serves paging by position.
CREATE UNIQUE INDEX chat_messages_session_id_position_key ON chat_messages (session_id, position);

-- migrate:down

DROP TABLE chat_messages, chat_sessions;
DROP DOMAIN message_role;
