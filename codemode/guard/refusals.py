"""The refusals, as data: each names its rule, what is not available and why, and the way out."""

from __future__ import annotations

import msgspec


class Violation(msgspec.Struct, frozen=True):
    """One broken rule: its name, what is not available and why, and what to use instead."""

    rule: str
    message: str
    hint: str | None = None


REFUSED_FUNCTIONS: dict[str, Violation] = {
    "load_extension": Violation(
        "function", "load_extension() is not available: a session runs no foreign code",
        "give the session a Python function from the host instead: helpers.host.NAME(...)",
    ),
    "fts3_tokenizer": Violation("function", "fts3_tokenizer() is not available", "use fts5 with tokenize = '…'"),
    "sqlite_log": Violation("function", "sqlite_log() is not available", "use print in the snippet"),
    "snippet": Violation(
        "function", "snippet() is not available: on long documents it cannot be stopped",
        "use substr(column, max(1, instr(lower(column), lower('term')) - 40), 120)",
    ),
    "highlight": Violation(
        "function", "highlight() is not available: on long documents it cannot be stopped",
        "use replace(column, 'term', '<b>term</b>')",
    ),
    "readfile": Violation("function", "readfile() is not available: a session sees no files", "pass data as inputs"),
    "writefile": Violation("function", "writefile() is not available: a session sees no files", "return the data"),
    "edit": Violation("function", "edit() is not available: a session starts no programs", None),
}  # fmt: skip

_ATOMIC = "executions are atomic: leave it out; helpers.db.commit() keeps what was done so far"
_ENGINE = "the engine does this itself: analysis after large loads, compaction on request"

REFUSED_VERBS: dict[str, Violation] = {
    "ATTACH": Violation(
        "attach", "ATTACH is not available: a session has one database",
        "use helpers.db.batch_insert to bring data in",
    ),
    "DETACH": Violation("attach", "DETACH is not available: a session has one database", "leave it out"),
    "PRAGMA": Violation(
        "pragma", "PRAGMA is not available: the engine sets the connection up",
        "foreign keys are enforced: leave settings out; for columns use helpers.schema.get_columns('t'), "
        "or SELECT * FROM pragma_table_info('t')",
    ),
    "BEGIN": Violation("transaction", "BEGIN is not available", _ATOMIC),
    "COMMIT": Violation("transaction", "COMMIT is not available", _ATOMIC),
    "END": Violation("transaction", "END is not available", _ATOMIC),
    "ROLLBACK": Violation(
        "transaction", "ROLLBACK is not available", "executions are atomic: raise an error and nothing of it remains",
    ),
    "START": Violation("transaction", "START TRANSACTION is not available", _ATOMIC),
    "SAVEPOINT": Violation(
        "transaction", "SAVEPOINT is not available", "use helpers.db.batch([...]): all of it or nothing",
    ),
    "RELEASE": Violation(
        "transaction", "RELEASE is not available", "use helpers.db.batch([...]): all of it or nothing",
    ),
    "VACUUM": Violation(
        "maintenance", "VACUUM is not available",
        f"{_ENGINE}; for a copy of a table use CREATE TABLE b AS SELECT * FROM a",  # noqa: S608 - words for people
    ),
    "ANALYZE": Violation("maintenance", "ANALYZE is not available", _ENGINE),
    "ANALYSE": Violation("maintenance", "ANALYSE is not available", _ENGINE),
    "REINDEX": Violation("maintenance", "REINDEX is not available", f"{_ENGINE}; or drop the index and create it anew"),
    "OPTIMIZE": Violation("maintenance", "OPTIMIZE is not available", _ENGINE),
}  # fmt: skip

EXPLAIN_ANALYZE = Violation(
    "maintenance", "EXPLAIN ANALYZE is not available",
    "use helpers.db.explain(sql), or EXPLAIN QUERY PLAN; the outcome reports the steps that a statement took",
)  # fmt: skip

# Verbs of other databases: SQLite would only say "syntax error", so the way out is named here.
FOREIGN_VERBS: dict[str, str] = {
    "TRUNCATE": "use DELETE FROM t",
    "MERGE": "use INSERT … ON CONFLICT(key) DO UPDATE SET …",
    "UPSERT": "use INSERT … ON CONFLICT(key) DO UPDATE SET …",
    "SHOW": "use helpers.schema.get_tables(), or SELECT name FROM sqlite_schema WHERE type = 'table'",
    "DESCRIBE": "use helpers.schema.describe_table('t')",
    "DESC": "use helpers.schema.describe_table('t')",
    "SUMMARIZE": "use helpers.schema.describe_table('t')",
    "USE": "a session has one database; leave it out",
    "SET": "a session has no variables; use Python's, and bind them as parameters",
    "DECLARE": "a session has no variables; use Python's, and bind them as parameters",
    "CALL": "SQLite has no procedures; write Python in the snippet",
    "EXEC": "SQLite has no procedures; write Python in the snippet",
    "EXECUTE": "SQLite has no procedures; write Python in the snippet",
    "COPY": "use helpers.db.batch_insert to bring data in",
    "LOAD": "use helpers.db.batch_insert to bring data in",
    "GRANT": "a session has no users; leave it out",
    "REVOKE": "a session has no users; leave it out",
    "RENAME": "use ALTER TABLE a RENAME TO b",
    "COMMENT": "SQLite keeps no comments on objects; leave it out",
    "LOCK": "a session runs one execution at a time; leave it out",
    "FROM": "begin with SELECT",
    "REFRESH": "DROP TABLE and CREATE TABLE t AS SELECT … make it anew",
    "DO": "SQLite has no blocks; write Python in the snippet",
    "IF": "SQLite has no blocks; write Python in the snippet",
    "WHILE": "SQLite has no blocks; write Python in the snippet",
    "PRINT": "use print in the snippet",
    "PREPARE": "bind values as parameters; statements are prepared and kept by themselves",
    "LISTEN": "a session sends no events; leave it out",
    "NOTIFY": "a session sends no events; leave it out",
}

# What other databases CREATE, DROP or ALTER, by the word that follows the verb.
FOREIGN_OBJECTS: dict[str, str] = {
    "OR": "DROP VIEW IF EXISTS v first, then CREATE VIEW v AS …; a function is Python in the snippet",  # OR REPLACE
    "MATERIALIZED": "use CREATE TABLE t AS SELECT …; drop it and create it anew to refresh it",
    "TYPE": "use TEXT CHECK (x IN ('a', 'b')) in the table",
    "DOMAIN": "use CHECK (…) in the table",
    "FUNCTION": "SQLite has no functions of its own making; write Python in the snippet",
    "PROCEDURE": "SQLite has no procedures; write Python in the snippet",
    "SEQUENCE": "use id INTEGER PRIMARY KEY, which counts up",
    "EXTENSION": "a session runs no foreign code; leave it out",
    "SCHEMA": "a session has one database; leave it out, and the name before the table's too",
    "DATABASE": "a session has one database; leave it out",
    "USER": "a session has no users; leave it out",
    "ROLE": "a session has no users; leave it out",
    "POLICY": "a session belongs to one tenant; leave it out",
    "FULLTEXT": "use CREATE VIRTUAL TABLE f USING fts5(…)",
    "UNLOGGED": "use CREATE TABLE",
    "EXTERNAL": "use helpers.db.batch_insert to bring data in",
}

TEMP = Violation(
    "temp", "TEMP objects are not available: they could shadow the session's own tables",
    "create an ordinary table and drop it when done",
)  # fmt: skip
DISAGREEMENT = Violation(
    "disagreement", "the statement reads as one kind and SQLite takes it for another", "write it in the usual form"
)
