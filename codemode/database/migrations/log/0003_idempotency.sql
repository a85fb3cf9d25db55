CREATE TABLE _codemode_idempotency (
    key          TEXT PRIMARY KEY NOT NULL,
    request      TEXT NOT NULL,           -- SHA-256 of the code, the inputs and the options that matter
    execution_id TEXT NOT NULL,
    started_at   INTEGER NOT NULL,        -- milliseconds since 1970, UTC
    body_bytes   INTEGER NOT NULL,
    outcome      TEXT,                    -- JSON, without what is in body; NULL: committed in part, not ended
    body         TEXT                     -- JSON: what can be long; NULL: let go of to make room
);
CREATE INDEX _codemode_idempotency_by_age ON _codemode_idempotency (started_at, body_bytes);
