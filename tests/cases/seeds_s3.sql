-- in order: the third source system, patterns for hosted SQLite; two of its examples answered wrongly.

-- case: tenants
-- allowed: create_table
CREATE TABLE tenants (id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), name TEXT NOT NULL, plan TEXT NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'pro', 'enterprise')), created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at TEXT NOT NULL DEFAULT (datetime('now')), deleted_at TEXT);

-- case: users
-- allowed: create_table
CREATE TABLE users (id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE, email TEXT NOT NULL COLLATE NOCASE, auth0_id TEXT UNIQUE, created_at TEXT DEFAULT CURRENT_TIMESTAMP, deleted_at TEXT, UNIQUE (tenant_id, email));

-- case: data items
-- allowed: create_table
CREATE TABLE data_items (id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT NOT NULL, content TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP, deleted_at TEXT, FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);

-- case: memories
-- allowed: create_table
CREATE TABLE memories (id TEXT PRIMARY KEY, content TEXT NOT NULL, tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)), metadata TEXT DEFAULT '{}', embedding BLOB, importance INTEGER DEFAULT 5 CHECK (importance BETWEEN 1 AND 10), access_scope TEXT DEFAULT 'private' CHECK (access_scope IN ('private', 'session', 'global')), source TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP, CHECK (access_scope <> 'global' OR source IS NOT NULL));

-- case: audit log
-- allowed: create_table
CREATE TABLE audit_logs (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id TEXT NOT NULL, user_id TEXT REFERENCES users (id) ON DELETE SET NULL, action TEXT NOT NULL, resource_type TEXT, resource_id TEXT, old_values TEXT, new_values TEXT, ip_address TEXT, user_agent TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP);

-- case: sessions
-- allowed: create_table
CREATE TABLE sessions (id TEXT PRIMARY KEY, tenant_id TEXT REFERENCES tenants (id) ON DELETE CASCADE, user_id TEXT REFERENCES users (id), mcp_client_id TEXT, connected_at TEXT, last_activity_at TEXT, metadata TEXT, expired_at TEXT);

-- case: only living rows of a tenant are indexed
-- allowed: create_index
CREATE INDEX idx_items_live ON data_items (tenant_id, created_at DESC) WHERE deleted_at IS NULL;

-- case: an index on a field of the JSON
-- allowed: create_index
CREATE INDEX idx_memories_lang ON memories (metadata ->> '$.lang');

-- case: one e-mail a tenant among the living
-- allowed: create_index
CREATE UNIQUE INDEX idx_users_email_live ON users (tenant_id, lower(email)) WHERE deleted_at IS NULL;

-- case: tenants are there
-- allowed: insert
INSERT INTO tenants (id, name, plan) VALUES ('acme', 'Acme', 'pro'), ('zeta', 'Zeta', 'free');

-- case: users are there
-- allowed: insert
INSERT INTO users (id, tenant_id, email, auth0_id) VALUES ('u1', 'acme', 'Ann@acme.test', 'auth0|1'), ('u2', 'acme', 'bob@acme.test', NULL), ('u3', 'zeta', 'ann@acme.test', NULL);

-- case: a plan that does not exist
-- error: sql.constraint, running
-- hint: CHECK
-- repair: UPDATE tenants SET plan = 'enterprise' WHERE id = 'acme'
UPDATE tenants SET plan = 'gold' WHERE id = 'acme'

-- case: the same e-mail in the same tenant, in other letters
-- error: sql.constraint, running
-- hint: ON CONFLICT
-- repair: INSERT INTO users (id, tenant_id, email) VALUES ('u4', 'acme', 'ANN@acme.test') ON CONFLICT DO NOTHING
INSERT INTO users (id, tenant_id, email) VALUES ('u4', 'acme', 'ANN@acme.test')

-- case: a global memory needs its source
-- error: sql.constraint, running
-- hint: CHECK
-- repair: INSERT INTO memories (id, content, access_scope, source) VALUES ('m0', 'x', 'global', 'import')
INSERT INTO memories (id, content, access_scope) VALUES ('m0', 'x', 'global')

-- case: importance has a range
-- error: sql.constraint, running
-- repair: INSERT INTO memories (id, content, importance) VALUES ('m9', 'x', 10)
-- repair: DELETE FROM memories WHERE id = 'm9'
INSERT INTO memories (id, content, importance) VALUES ('m9', 'x', 11)

-- case: every change of a tenant's plan is logged by a trigger
-- allowed: create_trigger
CREATE TRIGGER tenants_audit AFTER UPDATE OF plan ON tenants WHEN old.plan IS NOT new.plan BEGIN
    INSERT INTO audit_logs (tenant_id, action, resource_type, resource_id, old_values, new_values)
    VALUES (new.id, 'tenant.update', 'tenant', new.id, json_object('plan', old.plan), json_object('plan', new.plan));
END;

-- case: updated_at follows by a trigger
-- allowed: create_trigger
CREATE TRIGGER tenants_touch AFTER UPDATE OF name, plan ON tenants FOR EACH ROW BEGIN
    UPDATE tenants SET updated_at = '2031-01-01 00:00:00' WHERE id = new.id;
END

-- case: a plan changes
-- allowed: update
UPDATE tenants SET plan = 'pro' WHERE id = 'zeta'

-- case: the log has old and new
-- allowed: select
-- rows: [["zeta", "free", "pro"]]
SELECT resource_id, old_values ->> '$.plan', new_values ->> '$.plan' FROM audit_logs WHERE action = 'tenant.update' AND tenant_id = 'zeta'

-- case: and the time of the change
-- allowed: select
-- rows: [["2031-01-01 00:00:00"]]
SELECT updated_at FROM tenants WHERE id = 'zeta'

-- case: an action is logged with address and agent
-- allowed: insert
-- params: ["acme", "u1", "item.create", "10.0.0.1", "agent/1"]
INSERT INTO audit_logs (tenant_id, user_id, action, ip_address, user_agent) VALUES (?, ?, ?, ?, ?)

-- case: items
-- allowed: insert
INSERT INTO data_items (id, tenant_id, user_id, content, created_at) VALUES ('i1', 'acme', 'u1', 'one', '2025-01-01'), ('i2', 'acme', 'u1', 'two', '2025-01-02'), ('i3', 'acme', 'u2', 'three', '2025-01-03'), ('i4', 'zeta', 'u3', 'four', '2025-01-04');

-- case: soft delete
-- allowed: update
UPDATE data_items SET deleted_at = CURRENT_TIMESTAMP WHERE id = 'i2' AND tenant_id = 'acme' AND deleted_at IS NULL

-- case: living items as a view
-- allowed: create_view
CREATE VIEW live_items AS SELECT id, tenant_id, user_id, content, created_at FROM data_items WHERE deleted_at IS NULL;

-- case: the view shows the living ones of a tenant
-- allowed: select
-- rows: [["i3"], ["i1"]]
SELECT id FROM live_items WHERE tenant_id = 'acme' ORDER BY created_at DESC

-- case: deleting through the view marks the row
-- allowed: create_trigger
CREATE TRIGGER live_items_delete INSTEAD OF DELETE ON live_items BEGIN UPDATE data_items SET deleted_at = datetime('now') WHERE id = old.id; END

-- case: delete through the view
-- allowed: delete
DELETE FROM live_items WHERE id = 'i3'

-- case: it is marked, not gone
-- allowed: select
-- rows: [[3, 1]]
SELECT count(*), count(*) FILTER (WHERE deleted_at IS NULL) FROM data_items WHERE tenant_id = 'acme'

-- case: restore
-- allowed: update
UPDATE data_items SET deleted_at = NULL WHERE id IN ('i2', 'i3')

-- case: purge what was deleted long ago
-- allowed: delete
DELETE FROM data_items WHERE deleted_at < datetime('now', '-30 days')

-- case: full text over memories, whose id is a text: the index is linked by rowid
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE memories_fts USING fts5(content, tags, content = 'memories', content_rowid = 'rowid', tokenize = 'porter unicode61');

-- case: kept in step: insert
-- allowed: create_trigger
CREATE TRIGGER memories_ai AFTER INSERT ON memories BEGIN INSERT INTO memories_fts (rowid, content, tags) VALUES (new.rowid, new.content, new.tags); END;

-- case: kept in step: delete
-- allowed: create_trigger
CREATE TRIGGER memories_ad AFTER DELETE ON memories BEGIN INSERT INTO memories_fts (memories_fts, rowid, content, tags) VALUES ('delete', old.rowid, old.content, old.tags); END;

-- case: kept in step: update
-- allowed: create_trigger
CREATE TRIGGER memories_au AFTER UPDATE ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, tags) VALUES ('delete', old.rowid, old.content, old.tags);
    INSERT INTO memories_fts (rowid, content, tags) VALUES (new.rowid, new.content, new.tags);
END;

-- case: what was there before is indexed now
-- allowed: insert
INSERT INTO memories_fts (memories_fts) VALUES ('rebuild')

-- case: memories: rows
-- allowed: insert
INSERT INTO memories (id, content, tags, metadata, importance) VALUES ('a7', 'The client prefers tea', '["client","drinks"]', '{"lang":"en"}', 7), ('b2', 'Deploys run on Fridays', '["ops"]', '{"lang":"en"}', 9), ('c5', 'Kunden trinken Tee', '["client"]', '{"lang":"de"}', 3)

-- case: the join of the original compares a text id with a rowid and finds nothing, silently
-- allowed: select
-- rows: []
SELECT m.id FROM memories m JOIN memories_fts f ON m.id = f.rowid WHERE memories_fts MATCH 'tea'

-- case: the right join is by rowid
-- allowed: select
-- rows: [["a7"]]
SELECT m.id FROM memories_fts f JOIN memories m ON m.rowid = f.rowid WHERE memories_fts MATCH 'tea' ORDER BY f.rank

-- case: the same as a subquery
-- allowed: select
-- rows: [["a7"]]
SELECT id FROM memories WHERE rowid IN (SELECT rowid FROM memories_fts WHERE memories_fts MATCH 'prefer*')

-- case: REPLACE keeps the index in step
-- allowed: replace
REPLACE INTO memories (id, content, tags) VALUES ('b2', 'Deploys run on Mondays', '["ops"]')

-- case: the old words are gone from the index
-- allowed: select
-- rows: [[0, 1]]
SELECT (SELECT count(*) FROM memories_fts WHERE memories_fts MATCH 'fridays'), (SELECT count(*) FROM memories_fts WHERE memories_fts MATCH 'mondays')

-- case: the index agrees with its table
-- allowed: insert
INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)

-- case: a tag appended as the original did nests an array in an array
-- allowed: update
-- rows: [["[[\"client\"],\"urgent\"]"]]
-- after: CREATE TABLE nested (id TEXT, tags TEXT)
-- after: INSERT INTO nested VALUES ('c5', '["client"]')
UPDATE nested SET tags = json_array(json(tags), 'urgent') WHERE id = 'c5' RETURNING tags

-- case: which no longer finds the tag
-- allowed: select
-- rows: [[0]]
SELECT count(*) FROM nested, json_each(nested.tags) AS tag WHERE tag.value = 'client'

-- case: the right way appends to the array
-- allowed: update
-- rows: [["[\"client\",\"urgent\"]"]]
UPDATE memories SET tags = json_insert(tags, '$[#]', 'urgent') WHERE id = 'c5' RETURNING tags

-- case: appending once only
-- allowed: update
-- rows: []
UPDATE memories SET tags = json_insert(tags, '$[#]', 'urgent') WHERE id = 'c5' AND NOT EXISTS (SELECT 1 FROM json_each(tags) WHERE value = 'urgent') RETURNING tags

-- case: a tag taken away
-- allowed: update
-- rows: [["[\"urgent\"]"]]
UPDATE memories SET tags = (SELECT json_group_array(value) FROM json_each(tags) WHERE value <> 'client') WHERE id = 'c5' RETURNING tags

-- case: memories with a tag
-- allowed: select
-- rows: [["a7"]]
SELECT id FROM memories WHERE EXISTS (SELECT 1 FROM json_each(memories.tags) WHERE json_each.value = 'client')

-- case: a tag by LIKE finds part of words
-- allowed: select
-- rows: [["a7"]]
SELECT id FROM memories WHERE tags LIKE '%"drinks"%'

-- case: fields of the JSON
-- allowed: select
-- rows: [["a7", "en"], ["b2", null], ["c5", "de"]]
SELECT id, json_extract(metadata, '$.lang') FROM memories WHERE id <> 'm0' ORDER BY id

-- case: a field of the JSON is set
-- allowed: update
-- rows: [["{\"lang\":\"de\",\"seen\":2}"]]
UPDATE memories SET metadata = json_set(metadata, '$.seen', 2) WHERE id = 'c5' RETURNING metadata

-- case: scores and recency together
-- allowed: select
-- rows: [["a7"]]
SELECT id FROM memories WHERE importance >= 7 AND access_scope IN ('private', 'session') ORDER BY importance DESC, created_at DESC LIMIT 10

-- case: sessions with their last activity
-- allowed: insert
INSERT INTO sessions (id, tenant_id, user_id, mcp_client_id, connected_at, last_activity_at) VALUES ('s1', 'acme', 'u1', 'cli', '2025-01-01 10:00:00', '2025-01-01 11:30:00'), ('s2', 'acme', 'u2', 'web', '2025-01-01 10:00:00', datetime('now'))

-- case: idle sessions expire
-- allowed: update
-- rows: [["s1"]]
UPDATE sessions SET expired_at = datetime('now') WHERE expired_at IS NULL AND last_activity_at < datetime('now', '-24 hours') RETURNING id

-- case: how long it was, in minutes
-- allowed: select
-- rows: [[90]]
SELECT CAST(round((julianday(last_activity_at) - julianday(connected_at)) * 1440) AS INTEGER) AS minutes FROM sessions WHERE id = 's1'

-- case: pages by key, within a tenant
-- allowed: select
-- params: {"tenant": "acme", "at": "2025-01-03", "id": "i3"}
-- rows: [["i2"], ["i1"]]
SELECT id FROM data_items WHERE tenant_id = :tenant AND deleted_at IS NULL AND (created_at, id) < (:at, :id) ORDER BY created_at DESC, id DESC LIMIT 20

-- case: migrations have numbers
-- allowed: create_table
CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT DEFAULT CURRENT_TIMESTAMP)

-- case: and are written down once, however often they run
-- allowed: insert
-- after: INSERT INTO migrations (version, name) VALUES (1, 'start') ON CONFLICT (version) DO NOTHING
INSERT INTO migrations (version, name) VALUES (1, 'start') ON CONFLICT (version) DO NOTHING

-- case: a column that older code does not know
-- allowed: alter_table
ALTER TABLE data_items ADD COLUMN priority INTEGER NOT NULL DEFAULT 0

-- case: a computed default in ADD COLUMN
-- error: sql.runtime, running
-- hint: add it without a default
-- repair: ALTER TABLE data_items ADD COLUMN seen_at TEXT
-- repair: UPDATE data_items SET seen_at = datetime('now')
ALTER TABLE data_items ADD COLUMN seen_at TEXT DEFAULT CURRENT_TIMESTAMP

-- case: a column that is there is looked up first
-- allowed: select
-- rows: [[1]]
SELECT count(*) FROM pragma_table_info('data_items') WHERE name = 'priority'

-- case: foreign keys are enforced without the PRAGMA that the original sent
-- refused: pragma, keyword
-- hint: pragma_table_info
-- repair: SELECT "from", "table", "to" FROM pragma_foreign_key_list('users')
PRAGMA foreign_keys = ON

-- case: a user without a tenant
-- error: sql.constraint, running
-- hint: insert the row that it refers to first
-- repair: INSERT INTO tenants (id, name) VALUES ('nobody', 'n')
-- repair: INSERT INTO users (id, tenant_id, email) VALUES ('u8', 'nobody', 'x@y.test')
-- repair: DELETE FROM tenants WHERE id = 'nobody'
INSERT INTO users (id, tenant_id, email) VALUES ('u8', 'nobody', 'x@y.test')

-- case: a rule that asks other rows
-- error: sql.runtime, sqlite
-- hint: RAISE(ABORT
-- repair: CREATE TABLE seats (tenant_id TEXT REFERENCES tenants (id), seat INTEGER)
-- repair: CREATE TRIGGER seats_rule BEFORE INSERT ON seats BEGIN SELECT RAISE(ABORT, 'a tenant has three seats') WHERE (SELECT count(*) FROM seats WHERE tenant_id = new.tenant_id) >= 3; END
CREATE TABLE seats (tenant_id TEXT CHECK (tenant_id IN (SELECT id FROM tenants)), seat INTEGER)

-- case: a trigger that sets the new row, as elsewhere
-- error: sql.syntax, sqlite
-- hint: UPDATE t SET x = … WHERE id = new.id
-- repair: CREATE TRIGGER data_items_seen AFTER UPDATE OF content ON data_items BEGIN UPDATE data_items SET seen_at = datetime('now') WHERE id = new.id; END
CREATE TRIGGER data_items_seen BEFORE UPDATE ON data_items FOR EACH ROW BEGIN SET NEW.seen_at = datetime('now'); END

-- case: one trigger for several events
-- error: sql.syntax, sqlite
-- hint: one trigger for each
-- repair: CREATE TRIGGER users_inserted AFTER INSERT ON users BEGIN INSERT INTO audit_logs (tenant_id, action) VALUES (new.tenant_id, 'user.insert'); END
CREATE TRIGGER users_any AFTER INSERT OR UPDATE ON users BEGIN INSERT INTO audit_logs (tenant_id, action) VALUES (new.tenant_id, 'user'); END

-- case: a trigger's last semicolon
-- error: sql.syntax, sqlite
-- hint: ends with a semicolon
-- repair: CREATE TRIGGER users_gone AFTER DELETE ON users BEGIN INSERT INTO audit_logs (tenant_id, action) VALUES (old.tenant_id, 'user.delete'); END
CREATE TRIGGER users_gone AFTER DELETE ON users BEGIN INSERT INTO audit_logs (tenant_id, action) VALUES (old.tenant_id, 'user.delete') END

-- case: a rule that changes by itself
-- error: sql.runtime, running
-- hint: belongs elsewhere
-- after: CREATE TABLE booked (day TEXT CHECK (day <= date('now')))
-- repair: DROP TABLE booked
INSERT INTO booked VALUES ('2020-01-01')

-- case: full text over a table without rowid
-- error: sql.no_such_column, running
-- hint: needs a rowid
-- after: CREATE TABLE keyed (k TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID
-- after: CREATE VIRTUAL TABLE keyed_fts USING fts5(body, content='keyed')
-- repair: DROP TABLE keyed_fts
INSERT INTO keyed_fts (keyed_fts) VALUES ('rebuild')

-- case: a tenant goes with all of its own
-- allowed: delete
-- after: DELETE FROM sessions WHERE user_id = 'u1'
-- after: DELETE FROM sessions WHERE user_id = 'u2'
DELETE FROM tenants WHERE id = 'acme'

-- case: its users and items went, its log stayed without the user
-- allowed: select
-- rows: [[0, 0, 1]]
SELECT (SELECT count(*) FROM users WHERE tenant_id = 'acme'), (SELECT count(*) FROM data_items WHERE tenant_id = 'acme'), (SELECT count(*) FROM audit_logs WHERE action = 'item.create' AND user_id IS NULL)
