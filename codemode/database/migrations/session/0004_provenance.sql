-- Which execution (or "host") made or changed which table: the engine's own, committed and undone with the data.
-- SQLite keeps the text of each CREATE, and reads it again under the session's own sql_bytes: comments stand outside.
-- uncounted: triggers or foreign keys may have changed rows that SQLite does not tell apart.
CREATE TABLE _codemode_changes (
    table_name TEXT NOT NULL COLLATE NOCASE, execution_id TEXT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL,
    inserted INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL, upserted INTEGER NOT NULL,
    uncounted INTEGER NOT NULL, created_at TEXT, altered_at TEXT, dropped_at TEXT,
    PRIMARY KEY (table_name, execution_id)
) WITHOUT ROWID;
