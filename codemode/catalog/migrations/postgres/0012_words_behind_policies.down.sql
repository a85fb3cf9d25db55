DROP TRIGGER message_is_indexed ON messages;
DROP FUNCTION message_is_indexed;
DROP TABLE message_words;
DROP FUNCTION sought;
DROP VIEW messages_as_indexed;
ALTER TABLE messages ADD COLUMN words TSVECTOR GENERATED ALWAYS AS (array_to_tsvector(ARRAY['t ' || tenant,
    's ' || session_id]) || to_tsvector('simple', left(content, 200000))) STORED;
CREATE INDEX messages_by_words ON messages USING gin (words);
