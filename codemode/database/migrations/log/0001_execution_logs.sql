CREATE TABLE execution_logs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id TEXT NOT NULL,
    timestamp    TEXT NOT NULL,           -- ISO 8601 UTC, milliseconds, Z
    kind         TEXT NOT NULL,           -- execution, exec, query, batch_insert, …
    statement    TEXT NOT NULL,           -- the SQL or the snippet; cut ones end in their length and hash
    duration_ms  REAL NOT NULL,
    rows_read    INTEGER NOT NULL,
    rows_written INTEGER NOT NULL,
    size_bytes   INTEGER NOT NULL,        -- of the session's database, afterwards
    error_code   TEXT                     -- NULL when it went well
);
CREATE INDEX execution_logs_by_execution ON execution_logs (execution_id);
CREATE TABLE totals (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    executions   INTEGER NOT NULL,
    rows_read    INTEGER NOT NULL,
    rows_written INTEGER NOT NULL
);
INSERT INTO totals VALUES (1, 0, 0, 0);
