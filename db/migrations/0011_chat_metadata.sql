-- migrate:up

CREATE DOMAIN title_source AS varchar(20)
    CONSTRAINT title_source_is_known CHECK (VALUE IN ('chosen', 'made', 'model'));
COMMENT ON DOMAIN title_source IS 'Who made a conversation''s title.';
COMMENT ON CONSTRAINT title_source_is_known ON DOMAIN title_source IS
    'Chosen by somebody, made of the first text by the store, or by a model.';

-- Titles from before this have no source: they count as chosen, which nothing replaces.
ALTER TABLE chat_sessions
    ADD COLUMN title_source title_source,
    ADD COLUMN version bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_save uuid,
    ADD CONSTRAINT chat_sessions_source_needs_title CHECK (title IS NOT NULL OR title_source IS NULL) NOT VALID;
COMMENT ON COLUMN chat_sessions.title_source IS
    'Empty where there is no title, or one from before this column: that counts as chosen.';
COMMENT ON COLUMN chat_sessions.version IS
    'Grows by one at each save of messages; a save that names an older one is refused.';
COMMENT ON COLUMN chat_sessions.last_save IS
    'Of what the last save said, if it named a version: tells its repetition from another save.';
COMMENT ON CONSTRAINT chat_sessions_source_needs_title ON chat_sessions IS
    'What is not there was made by nobody.';

ALTER TABLE chat_messages
    ADD COLUMN metadata jsonb,
    ADD COLUMN has_metadata boolean NOT NULL DEFAULT FALSE,
    ADD COLUMN digest uuid,
    ADD CONSTRAINT chat_messages_has_metadata_is_true CHECK (has_metadata = (metadata IS NOT NULL)) NOT VALID;
COMMENT ON COLUMN chat_messages.metadata IS
    'UIMessage.metadata of the AI SDK; NULL if it is absent, the JSON null if it is null.';
COMMENT ON COLUMN chat_messages.has_metadata IS
    'Tells metadata that are null from absent ones, which drivers read alike.';
COMMENT ON COLUMN chat_messages.digest IS
    'Of the message as it was saved: one that comes again is told without a look into its parts.';
COMMENT ON CONSTRAINT chat_messages_has_metadata_is_true ON chat_messages IS
    'Metadata are there if the row says so.';

-- A save writes the digest of what it writes. Whoever else changes a message makes it
-- unknown, lest the next save believe that what it brings is there.
CREATE FUNCTION forget_message_digest() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.digest := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER chat_messages_forget_digest
    BEFORE UPDATE ON chat_messages
    FOR EACH ROW WHEN (
        OLD.digest = NEW.digest
        AND (OLD.msg_id, OLD.role, OLD.parts, OLD.metadata)
        IS DISTINCT FROM (NEW.msg_id, NEW.role, NEW.parts, NEW.metadata)
    )
    EXECUTE FUNCTION forget_message_digest();

-- migrate:down

DROP TRIGGER chat_messages_forget_digest ON chat_messages;
DROP FUNCTION forget_message_digest();
ALTER TABLE chat_messages
    DROP COLUMN digest,
    DROP COLUMN has_metadata,
    DROP COLUMN metadata;
ALTER TABLE chat_sessions
    DROP COLUMN last_save,
    DROP COLUMN version,
    DROP COLUMN title_source;
DROP DOMAIN title_source;
