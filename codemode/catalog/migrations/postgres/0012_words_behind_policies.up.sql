-- additive
-- The words of messages in a table of their own, whose policy is the search itself: of what is not known to keep to itself
-- what it sees, as @@, only a policy's own condition is asked of an index. A search names its words by `codemode.sought`
-- and finds those of its tenant, whatever else it says; where it names none, it finds all of its tenant. Only codemode of
-- forms 8 to 11, which was never released, searches otherwise.
CREATE FUNCTION sought() RETURNS TSQUERY LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('codemode.tenant', true) = '*' THEN '!'' '''::tsquery  -- no word is a blank
            ELSE ('''t ' || current_setting('codemode.tenant', true) || '''')::tsquery END
        && coalesce(nullif(current_setting('codemode.sought', true), ''), '!'' ''')::tsquery;
CREATE TABLE message_words (
    position BIGINT PRIMARY KEY REFERENCES messages (position) ON DELETE CASCADE,
    words    TSVECTOR NOT NULL
);
-- A tsvector takes a mebibyte at most: the beginning of a longer text is found.
CREATE VIEW messages_as_indexed WITH (security_invoker = true) AS SELECT position,
    array_to_tsvector(ARRAY['t ' || tenant, 's ' || session_id]) || to_tsvector('simple', left(content, 200000)) AS words
    FROM messages;
INSERT INTO message_words SELECT position, words FROM messages_as_indexed;
CREATE INDEX message_words_by_word ON message_words USING gin (words);
ALTER TABLE message_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_words FORCE ROW LEVEL SECURITY;
CREATE POLICY one_search ON message_words USING (words @@ sought());
CREATE FUNCTION message_is_indexed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM message_words WHERE position = NEW.position;
    INSERT INTO message_words SELECT position, words FROM messages_as_indexed WHERE position = NEW.position;
    RETURN NULL;
END $$;
CREATE TRIGGER message_is_indexed AFTER INSERT OR UPDATE OF content ON messages
    FOR EACH ROW EXECUTE FUNCTION message_is_indexed();
ALTER TABLE messages DROP COLUMN words;
