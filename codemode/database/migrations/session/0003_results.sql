CREATE TABLE _codemode_results (
    number       INTEGER PRIMARY KEY,     -- the table is _result_<number>
    execution_id TEXT NOT NULL,
    created_at   TEXT NOT NULL,           -- ISO 8601 UTC, milliseconds, Z
    kind         TEXT NOT NULL,           -- rows, or json: parts of one JSON text
    row_count    INTEGER NOT NULL,
    bytes        INTEGER NOT NULL         -- of the pages that it took
);
