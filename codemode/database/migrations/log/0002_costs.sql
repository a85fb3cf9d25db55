-- SQLite keeps the text of each CREATE, and reads it again under the session's own sql_bytes: comments stand outside.

-- What the session cost: one row a day (ISO date, UTC), and '' for its whole life. cpu_ms is that of the children,
-- worker_cpu_ms that of the worker for them, peak_memory_bytes the largest of one execution, size_bytes that of the
-- session's database at the end, warnings JSON: kind -> how often.
CREATE TABLE usage (
    day TEXT PRIMARY KEY NOT NULL, size_bytes INTEGER, warnings TEXT NOT NULL DEFAULT '{}',
    executions INTEGER, failed INTEGER, rows_read INTEGER, rows_written INTEGER,
    vm_steps INTEGER, scan_steps INTEGER, sorts INTEGER, auto_indexes INTEGER, helper_calls INTEGER,
    duration_ms REAL, cpu_ms REAL, worker_cpu_ms REAL, result_bytes INTEGER, stdout_bytes INTEGER,
    slow_statements INTEGER, peak_memory_bytes INTEGER
) WITHOUT ROWID;
INSERT INTO usage
    SELECT '', 0, '{}', executions, 0, rows_read, rows_written, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0, 0, 0, 0 FROM totals;
DROP TABLE totals;

-- The database's size whenever it changed, thinned as it grows.
CREATE TABLE sizes (
    id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, size_bytes INTEGER NOT NULL
);

-- plan: JSON, its lines.
CREATE TABLE slow_statements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, execution_id TEXT NOT NULL, timestamp TEXT NOT NULL, statement TEXT NOT NULL,
    duration_ms REAL NOT NULL, vm_steps INTEGER NOT NULL, scan_steps INTEGER NOT NULL, sorts INTEGER NOT NULL,
    auto_indexes INTEGER NOT NULL, plan TEXT NOT NULL
);
