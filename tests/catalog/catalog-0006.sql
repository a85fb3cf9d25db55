-- What codemode 0.1.0 left in catalog.db, as `.dump` tells it: before migrations were recorded in a table.
PRAGMA user_version = 6;
BEGIN TRANSACTION;
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
INSERT INTO "audit" VALUES(1,1790000000000,'acme','tok_5f843d39b08f99e0','execute','chat','ok','127.0.0.1','curl');
CREATE TABLE audit_horizon (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    before INTEGER NOT NULL
);
INSERT INTO "audit_horizon" VALUES(1,0);
CREATE TABLE background (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    session_id  TEXT NOT NULL,
    user_id     TEXT,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,                  -- NULL while it waits or runs
    outcome     BLOB                      -- the envelope as JSON
, service TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1))) WITHOUT ROWID;
INSERT INTO "background" VALUES('x1','acme','chat','ann',1790000000000,1790000000001,X'7B22737461747573223A22636F6D706C65746564227D','0',0);
INSERT INTO "background" VALUES('x2','acme','chat',NULL,1790000000000,NULL,NULL,'0',0);
CREATE TABLE participants (
    tenant     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
    joined_at  INTEGER NOT NULL,
    left_at    INTEGER,                   -- not NULL: reaches the session no more
    metadata   TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    PRIMARY KEY (tenant, session_id, user_id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO "participants" VALUES('acme','chat','ann','owner',1795939621640,NULL,'{}');
INSERT INTO "participants" VALUES('acme','chat','bob','viewer',1790000000000,NULL,'{}');
INSERT INTO "participants" VALUES('acme','chat','eve','member',1790000000000,1790000000005,'{}');
CREATE TABLE rates (
    tenant TEXT PRIMARY KEY NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    level  REAL NOT NULL,
    at     INTEGER NOT NULL               -- milliseconds since the machine started: no clock that is set moves it
) WITHOUT ROWID;
INSERT INTO "rates" VALUES('acme',4.0,1000);
CREATE TABLE sessions (
    tenant        TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id            TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_activity INTEGER NOT NULL,
    idle_ms       INTEGER NOT NULL,       -- expires this long after last_activity
    pinned        INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    limits        TEXT NOT NULL DEFAULT '{}',   -- JSON: what the session itself lowered
    expired_at    INTEGER, stateful INTEGER NOT NULL DEFAULT 0 CHECK (stateful IN (0, 1)), owner TEXT,                -- not NULL: its data is gone, and the id answers session.expired
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
INSERT INTO "sessions" VALUES('acme','chat',1795939621640,1795939621640,86400000,0,'{}',NULL,0,'ann');
INSERT INTO "sessions" VALUES('local','gone',1795939621805,1795939621805,86400000,0,'{}',1790000000000,0,NULL);
INSERT INTO "sessions" VALUES('local','plain',1795939621801,1795939621801,86400000,1,'{}',NULL,0,NULL);
CREATE TABLE tenants (
    id         TEXT PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL           -- milliseconds since 1970, UTC; so are all times of this file
, quotas TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(quotas))) WITHOUT ROWID;
INSERT INTO "tenants" VALUES('acme',1790000000000,'{"sessions": 5}');
INSERT INTO "tenants" VALUES('local',1795939621618,'{}');
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
INSERT INTO "tokens" VALUES('tok_5f843d39b08f99e0',X'38BAEA35305D8BC00E154D5CB20E903FED1D271D9B98983EDBF4B47F008A74C3','local','old','["admin"]',NULL,1790000000000,2790000000000,1790000000001,NULL);
INSERT INTO "tokens" VALUES('tok_c59ac71410908345',X'CB0BF70970CC742035340DD4F5404D8A9C83D6E6F49A1BF6420BE2AB49D02399','acme','ci','["read", "execute"]','ann',1790000000000,NULL,NULL,NULL);
CREATE TABLE usage_by_day (
    tenant TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day    TEXT NOT NULL,                 -- ISO date, UTC
    totals TEXT NOT NULL,                 -- JSON: codemode.values.Day
    PRIMARY KEY (tenant, day)
) WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (last_activity) WHERE expired_at IS NULL AND pinned = 0;
CREATE INDEX sessions_by_owner ON sessions (tenant, owner);
CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE INDEX background_by_end ON background (finished_at);
CREATE INDEX participants_by_user ON participants (tenant, user_id, session_id) WHERE left_at IS NULL;
CREATE TRIGGER session_begins_with_its_owner AFTER INSERT ON sessions WHEN NEW.owner IS NOT NULL BEGIN
    INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
        VALUES (NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at);
END;
CREATE TRIGGER session_begins_anew AFTER UPDATE OF created_at, owner ON sessions BEGIN
    DELETE FROM participants WHERE tenant = NEW.tenant AND session_id = NEW.id;
    INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
        SELECT NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at WHERE NEW.owner IS NOT NULL;
END;
CREATE TRIGGER audit_is_removed_by_its_retention BEFORE DELETE ON audit
WHEN OLD.at >= (SELECT before FROM audit_horizon) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX background_unfinished ON background (service) WHERE finished_at IS NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',1);
COMMIT;
