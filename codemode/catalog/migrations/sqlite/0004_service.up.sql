-- additive
-- Sessions belong to one user of their tenant, where a token that is bound to one made them.
ALTER TABLE sessions ADD COLUMN owner TEXT;
CREATE INDEX sessions_by_owner ON sessions (tenant, owner);
CREATE TABLE tokens (
    id           TEXT PRIMARY KEY NOT NULL,
    hash         BLOB NOT NULL UNIQUE,    -- SHA-256 of the secret
    tenant       TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name         TEXT NOT NULL DEFAULT '',
    scopes       TEXT NOT NULL,           -- JSON array: read, execute, admin
    user_id      TEXT,                    -- reaches only what this user owns or takes part in
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) WITHOUT ROWID;
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    tenant   TEXT NOT NULL,
    actor    TEXT NOT NULL,               -- a token's id, or "local"
    action   TEXT NOT NULL,               -- execute, session.create, token.revoke, …
    resource TEXT NOT NULL DEFAULT '',
    outcome  TEXT NOT NULL DEFAULT 'ok',  -- or an error code
    address  TEXT,
    agent    TEXT
);
CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
-- Outcomes of executions that run in the background, kept for an hour after they ended.
CREATE TABLE background (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    session_id  TEXT NOT NULL,
    user_id     TEXT,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,                  -- NULL while it waits or runs
    outcome     BLOB                      -- the envelope as JSON
) WITHOUT ROWID;
CREATE INDEX background_by_end ON background (finished_at);
