-- The third source system as one script for helpers.db.script; tests/session/test_hosted.py fills and asks it.

CREATE TABLE IF NOT EXISTS tenants (
    id TEXT PRIMARY KEY, name TEXT NOT NULL,
    plan TEXT NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'pro', 'team')),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, deleted_at TEXT);

CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email TEXT NOT NULL COLLATE NOCASE, auth0_id TEXT UNIQUE,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, deleted_at TEXT,
    UNIQUE (tenant_id, id));
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (tenant_id, email) WHERE deleted_at IS NULL;

CREATE TABLE IF NOT EXISTS data_items (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT NOT NULL, content TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, deleted_at TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE);
CREATE INDEX IF NOT EXISTS data_items_live ON data_items (tenant_id, created_at DESC) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS data_items_user ON data_items (tenant_id, user_id, created_at);

CREATE TABLE IF NOT EXISTS memories (
    id INTEGER PRIMARY KEY,  -- the original's text id was compared with a rowid, and found nothing
    content TEXT NOT NULL, tags TEXT NOT NULL DEFAULT '[]' CHECK (json_type(tags) = 'array'),
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_type(metadata) = 'object'), embedding BLOB,
    importance INTEGER NOT NULL DEFAULT 5 CHECK (importance BETWEEN 1 AND 10),
    access_scope TEXT NOT NULL DEFAULT 'private' CHECK (access_scope IN ('private', 'session', 'global')),
    source TEXT, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT global_has_a_source CHECK (access_scope <> 'global' OR source IS NOT NULL));
CREATE INDEX IF NOT EXISTS memories_lang ON memories (metadata ->> '$.lang');
CREATE INDEX IF NOT EXISTS memories_source ON memories (lower(source));
CREATE VIRTUAL TABLE IF NOT EXISTS memories_fts
    USING fts5(content, tags, content = 'memories', content_rowid = 'id', tokenize = 'porter unicode61');
CREATE TRIGGER IF NOT EXISTS memories_insert AFTER INSERT ON memories BEGIN
    INSERT INTO memories_fts (rowid, content, tags) VALUES (new.id, new.content, new.tags);
END;
CREATE TRIGGER IF NOT EXISTS memories_delete AFTER DELETE ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, tags) VALUES ('delete', old.id, old.content, old.tags);
END;
CREATE TRIGGER IF NOT EXISTS memories_update AFTER UPDATE ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, content, tags) VALUES ('delete', old.id, old.content, old.tags);
    INSERT INTO memories_fts (rowid, content, tags) VALUES (new.id, new.content, new.tags);
END;

CREATE TABLE IF NOT EXISTS audit_logs (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT REFERENCES users (id) ON DELETE SET NULL,
    action TEXT NOT NULL, resource_type TEXT, resource_id TEXT,
    old_values TEXT CHECK (json_valid(old_values)), new_values TEXT CHECK (json_valid(new_values)),
    ip_address TEXT, user_agent TEXT, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS acting (
    one INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1), user_id TEXT, ip_address TEXT, user_agent TEXT);
INSERT INTO acting (one) VALUES (1) ON CONFLICT DO NOTHING;
CREATE TRIGGER IF NOT EXISTS users_audit AFTER UPDATE ON users BEGIN
    INSERT INTO audit_logs
        (tenant_id, user_id, action, resource_type, resource_id, old_values, new_values, ip_address, user_agent)
    SELECT new.tenant_id, user_id, iif(new.deleted_at IS NULL, 'update', 'delete'), 'user', new.id,
        json_object('email', old.email, 'deleted_at', old.deleted_at),
        json_object('email', new.email, 'deleted_at', new.deleted_at), ip_address, user_agent FROM acting;
END;

CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT NOT NULL, mcp_client_id TEXT,
    connected_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, last_activity_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)), expired_at TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
    CHECK (last_activity_at >= connected_at));
CREATE INDEX IF NOT EXISTS sessions_active ON sessions (tenant_id, last_activity_at) WHERE expired_at IS NULL;

CREATE VIEW IF NOT EXISTS live_users AS SELECT * FROM users WHERE deleted_at IS NULL;
CREATE VIEW IF NOT EXISTS live_items AS
    SELECT d.* FROM data_items AS d JOIN live_users AS u ON u.tenant_id = d.tenant_id AND u.id = d.user_id
    WHERE d.deleted_at IS NULL;
