DROP TRIGGER message_is_told;
DROP TRIGGER message_is_edited;
DROP TRIGGER message_is_indexed_anew;
DROP TRIGGER message_is_removed;
DROP TRIGGER tenant_has_a_range;
DROP TABLE messages_vocabulary;
DROP TABLE messages_text;
DROP VIEW messages_as_indexed;
DROP TABLE search_ranges;
CREATE VIEW messages_as_indexed AS
    SELECT position, 't' || hex(tenant) || ' s' || hex(session_id) AS scope, content FROM messages;
CREATE VIRTUAL TABLE messages_text USING fts5(
    scope, content, content = 'messages_as_indexed', content_rowid = 'position',
    tokenize = 'unicode61 remove_diacritics 2', columnsize = 0);
INSERT INTO messages_text (messages_text, rank) VALUES ('pgsz', 1000);
INSERT INTO messages_text (messages_text) VALUES ('rebuild');
CREATE TRIGGER message_is_told AFTER INSERT ON messages BEGIN
    INSERT INTO messages_text (rowid, scope, content) VALUES (NEW.position,
        't' || hex(NEW.tenant) || ' s' || hex(NEW.session_id), NEW.content);
    UPDATE counters SET messages = messages + 1, events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'message', NEW.id, '{}', NEW.created_at
        FROM counters WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER message_is_edited AFTER UPDATE OF content ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, scope, content) VALUES ('delete', OLD.position,
        't' || hex(OLD.tenant) || ' s' || hex(OLD.session_id), OLD.content);
    INSERT INTO messages_text (rowid, scope, content) VALUES (NEW.position,
        't' || hex(NEW.tenant) || ' s' || hex(NEW.session_id), NEW.content);
END;
CREATE TRIGGER message_is_removed AFTER DELETE ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, scope, content) VALUES ('delete', OLD.position,
        't' || hex(OLD.tenant) || ' s' || hex(OLD.session_id), OLD.content);
    UPDATE counters SET messages = messages - 1 WHERE tenant = OLD.tenant;
END;
