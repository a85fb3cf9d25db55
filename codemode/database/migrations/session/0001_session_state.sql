CREATE TABLE session_state (
    key        TEXT PRIMARY KEY NOT NULL,
    value      TEXT NOT NULL CHECK (json_valid (value)),
    updated_at TEXT NOT NULL              -- ISO 8601 UTC, milliseconds, Z
) WITHOUT ROWID;
