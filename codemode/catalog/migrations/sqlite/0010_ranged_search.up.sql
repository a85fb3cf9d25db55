-- additive
-- The full-text index gives each tenant a range of numbers, so that a search reads what is the tenant's own and passes
-- over all others in one step for each word. Only codemode of forms 7 to 9, which was never released, searches otherwise.
CREATE TABLE search_ranges (
    number    INTEGER PRIMARY KEY,        -- the tenant's messages are indexed from number << 40 on, the newest first
    tenant    TEXT NOT NULL UNIQUE,       -- of no reference: it is needed until the tenant's last message is gone
    newest_at INTEGER NOT NULL DEFAULT 0, -- the time of the tenant's newest message
    late_ms   INTEGER NOT NULL DEFAULT 0  -- at most so much older is a message than one that came before it
);
INSERT INTO search_ranges (tenant) SELECT id FROM tenants ORDER BY id;
WITH came AS (SELECT tenant, created_at, max(created_at) OVER (PARTITION BY tenant ORDER BY position) AS newest
        FROM messages),
    late AS (SELECT tenant, max(created_at) AS newest_at, max(newest - created_at) AS late_ms FROM came GROUP BY tenant)
    UPDATE search_ranges SET newest_at = late.newest_at, late_ms = late.late_ms FROM late
    WHERE late.tenant = search_ranges.tenant;
CREATE TRIGGER tenant_has_a_range AFTER INSERT ON tenants BEGIN
    INSERT INTO search_ranges (tenant) VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;

DROP TRIGGER message_is_told;
DROP TRIGGER message_is_edited;
DROP TRIGGER message_is_removed;
DROP TABLE messages_text;
DROP VIEW messages_as_indexed;
-- Before the words of the text stand those for what a search is limited to: the tenant, the session, the type, the
-- author. They begin with @, which no word of a text does: it is a space there, as all that is no letter and no digit.
-- Places go down where positions go up: FTS5 reads a list forwards in half the time, and passes over what is before
-- another tenant's in a twentieth.
CREATE VIEW messages_as_indexed AS SELECT m.position, (r.number + 1 << 40) - m.position AS place,
    '@' || r.number || ' @' || r.number || 's' || hex(m.session_id) || ' @' || r.number || 'k' || hex(m.message_type)
        || coalesce(' @' || r.number || 'u' || hex(m.user_id), '') || ' ' || replace(m.content, '@', ' ') AS words
    FROM messages AS m JOIN search_ranges AS r ON r.tenant = m.tenant;
CREATE VIRTUAL TABLE messages_text USING fts5(
    words, content = 'messages_as_indexed', content_rowid = 'place',
    tokenize = "unicode61 remove_diacritics 2 tokenchars '@'", columnsize = 0);
CREATE VIRTUAL TABLE messages_vocabulary USING fts5vocab(messages_text, instance);
INSERT INTO messages_text (messages_text) VALUES ('rebuild');

CREATE TRIGGER message_is_told AFTER INSERT ON messages BEGIN
    UPDATE search_ranges SET newest_at = max(newest_at, NEW.created_at),
        late_ms = max(late_ms, newest_at - NEW.created_at) WHERE tenant = NEW.tenant;
    INSERT INTO messages_text (rowid, words)
        SELECT place, words FROM messages_as_indexed WHERE position = NEW.position;
    UPDATE counters SET messages = messages + 1, events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'message', NEW.id, '{}', NEW.created_at
        FROM counters WHERE tenant = NEW.tenant;
END;
-- The index is told of a row while it is as it was indexed: before it changes, or goes.
CREATE TRIGGER message_is_edited BEFORE UPDATE OF content, user_id ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, words)
        SELECT 'delete', place, words FROM messages_as_indexed WHERE position = OLD.position;
END;
CREATE TRIGGER message_is_indexed_anew AFTER UPDATE OF content, user_id ON messages BEGIN
    INSERT INTO messages_text (rowid, words)
        SELECT place, words FROM messages_as_indexed WHERE position = NEW.position;
END;
CREATE TRIGGER message_is_removed BEFORE DELETE ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, words)
        SELECT 'delete', place, words FROM messages_as_indexed WHERE position = OLD.position;
    UPDATE counters SET messages = messages - 1 WHERE tenant = OLD.tenant;
END;
