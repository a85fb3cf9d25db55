-- additive
CREATE TABLE tenants (
    id         TEXT PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL           -- milliseconds since 1970, UTC; so are all times of this file
) WITHOUT ROWID;
INSERT INTO tenants VALUES ('local', CAST(unixepoch('subsec') * 1000 AS INTEGER));
CREATE TABLE sessions (
    tenant        TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id            TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    idle_ms       INTEGER NOT NULL,       -- expires this long after last_activity
    pinned        INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    limits        TEXT NOT NULL DEFAULT '{}',   -- JSON: what the session itself lowered
    expired_at    INTEGER,                -- not NULL: its data is gone, and the id answers session.expired
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (last_activity) WHERE expired_at IS NULL AND pinned = 0;
