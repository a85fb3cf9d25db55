"""What statements may do, as data: kinds, actions, functions, tables and modules.

Nothing here decides; `scan`, `rules` and `authorizer` read these tables. Everything that is not listed is refused.
"""

from __future__ import annotations

from codemode.guard.refusals import Violation

# What each kind of statement may make SQLite do. SELECT, READ, FUNCTION and RECURSIVE are reading; PRAGMA is here
# because FTS5 asks `PRAGMA data_version` and the table-valued pragma functions run their pragma (names: PRAGMAS).
READING = frozenset({"SELECT", "READ", "FUNCTION", "RECURSIVE", "PRAGMA"})
WRITING = READING | {"INSERT", "UPDATE", "DELETE"}

ACTIONS: dict[str, frozenset[str]] = {
    "select": READING,
    "insert": WRITING,
    "replace": WRITING,
    "update": WRITING,
    "delete": WRITING,
    "create_table": WRITING | {"CREATE_TABLE", "CREATE_INDEX"},  # UNIQUE and PRIMARY KEY make indexes
    "create_index": WRITING | {"CREATE_INDEX", "REINDEX"},  # SQLite fills a new index by reindexing it
    "create_view": WRITING | {"CREATE_VIEW"},
    "create_trigger": WRITING | {"CREATE_TRIGGER"},
    "create_virtual_table": WRITING | {"CREATE_VTABLE", "CREATE_TABLE", "CREATE_INDEX"},  # shadow tables
    "drop_table": WRITING | {"DROP_TABLE", "DROP_VTABLE", "DROP_TRIGGER"},  # its triggers go with it
    "drop_index": WRITING | {"DROP_INDEX"},
    "drop_view": WRITING | {"DROP_VIEW", "DROP_TRIGGER"},
    "drop_trigger": WRITING | {"DROP_TRIGGER"},
    "alter_table": WRITING | {"ALTER_TABLE"},
}

# Where SQLite would do a thing on the way that the kind may not: how to do the two one after the other.
WAYS_AROUND = {("alter_table", "CREATE_INDEX"): "add the column, then CREATE UNIQUE INDEX i ON t (x)"}

# The first decisive action SQLite must report before a statement is taken for that kind.
CONFIRMED_BY: dict[str, frozenset[str]] = {
    "select": frozenset({"SELECT"}),
    "insert": frozenset({"INSERT"}),
    "replace": frozenset({"INSERT"}),
    "update": frozenset({"UPDATE"}),
    "delete": frozenset({"DELETE"}),
    "create_table": frozenset({"CREATE_TABLE"}),
    "create_index": frozenset({"CREATE_INDEX"}),
    "create_view": frozenset({"CREATE_VIEW"}),
    "create_trigger": frozenset({"CREATE_TRIGGER"}),
    "create_virtual_table": frozenset({"CREATE_VTABLE"}),
    "drop_table": frozenset({"DROP_TABLE", "DROP_VTABLE"}),
    "drop_index": frozenset({"DROP_INDEX"}),
    "drop_view": frozenset({"DROP_VIEW"}),
    "drop_trigger": frozenset({"DROP_TRIGGER"}),
    "alter_table": frozenset({"ALTER_TABLE"}),
}

SCHEMA_KINDS = frozenset(kind for kind in ACTIONS if kind.startswith(("create_", "drop_", "alter_")))

RESERVED_NAMES = frozenset({"session_state", "execution_logs"})
RESERVED_PREFIXES = ("_result_", "_codemode_")
SCHEMA_TABLES = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"})
LOG_DATABASE = "log"  # the engine attaches the execution log under this name, read-only
LOG_VIEW = "execution_logs"  # and shows it through a TEMP VIEW of this name

# Virtual tables that anyone can name without creating them. They are refused by name, and any module that the
# connection knows and MODULES does not list is added to them.
TABLE_FUNCTIONS = frozenset({"json_each", "json_tree", "jsonb_each", "jsonb_tree", "generate_series"})
HIDDEN_TABLES = frozenset({"carray", "dbstat", "sqlite_dbpage", "sqlite_stmt", "bytecode", "tables_used"})
PRAGMA_FUNCTIONS = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list"}
)
PRAGMAS = PRAGMA_FUNCTIONS | {"data_version"}
# What SQLite asks of itself inside one kind of statement; a user's own PRAGMA never gets as far as the authorizer.
INNER_PRAGMAS: dict[str, frozenset[str]] = {
    "alter_table": frozenset({"quick_check"}),  # the rows under a new constraint
    "create_virtual_table": frozenset({"page_size"}),  # rtree fits its nodes to a page
}
MODULES = frozenset({"fts5", "fts5vocab", "rtree", "rtree_i32"})
MODULE_WAY = f"use one of: {', '.join(sorted(MODULES))}"

# SQLite's own, by name. Never: load_extension (code), fts3_tokenizer (pointers), sqlite_log (the host's log),
# snippet and highlight (quadratic and not interruptible on long documents), rtreecheck, and what we do not know.
_TEXT_AND_VALUES = frozenset(
    {
        "changes", "char", "coalesce", "concat", "concat_ws", "format", "glob", "hex", "if", "ifnull", "iif", "instr",
        "last_insert_rowid", "length", "like", "likelihood", "likely", "lower", "ltrim", "nullif", "octet_length",
        "printf", "quote", "random", "randomblob", "replace", "rtrim", "sqlite_compileoption_get",
        "sqlite_compileoption_used", "sqlite_source_id", "sqlite_version", "substr", "substring", "total_changes",
        "trim", "typeof", "unhex", "unicode", "unistr", "unistr_quote", "unlikely", "upper", "zeroblob",
    }
)  # fmt: skip
_MATH = frozenset(
    {
        "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees",
        "exp", "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "round", "sign", "sin",
        "sinh", "sqrt", "tan", "tanh", "trunc",
    }
)  # fmt: skip
_DATES = frozenset(
    {
        "current_date", "current_time", "current_timestamp", "date", "datetime", "julianday", "strftime", "time",
        "timediff", "unixepoch",
    }
)  # fmt: skip
_AGGREGATES_AND_WINDOWS = frozenset(
    {
        "avg", "count", "cume_dist", "dense_rank", "first_value", "group_concat", "lag", "last_value", "lead", "max",
        "median", "min", "nth_value", "ntile", "percent_rank", "percentile", "percentile_cont", "percentile_disc",
        "rank", "row_number", "string_agg", "sum", "total",
    }
)  # fmt: skip
_JSON = frozenset(
    {
        "->", "->>", "json", "json_array", "json_array_insert", "json_array_length", "json_error_position",
        "json_extract", "json_group_array", "json_group_object", "json_insert", "json_object", "json_patch",
        "json_pretty", "json_quote", "json_remove", "json_replace", "json_set", "json_type", "json_valid", "jsonb",
        "jsonb_array", "jsonb_array_insert", "jsonb_extract", "jsonb_group_array", "jsonb_group_object", "jsonb_insert",
        "jsonb_object", "jsonb_patch", "jsonb_remove", "jsonb_replace", "jsonb_set", "subtype",
    }
)  # fmt: skip
_FULL_TEXT = frozenset(
    {
        "bm25", "fts5_get_locale", "fts5_insttoken", "fts5_locale", "match",
    }
)  # fmt: skip
FUNCTIONS = _TEXT_AND_VALUES | _MATH | _DATES | _AGGREGATES_AND_WINDOWS | _JSON | _FULL_TEXT
ALTER_FUNCTION_PREFIX = "sqlite_"  # sqlite_rename_table and its like: marked internal, callable by SQLite alone


_KEPT_NAMES = RESERVED_NAMES | TABLE_FUNCTIONS | HIDDEN_TABLES
_KEPT_PREFIXES = (*RESERVED_PREFIXES, "pragma_")


def is_reserved(name: str) -> bool:
    """Whether users may make nothing of this name; names compare without case, as in SQLite.

    Besides the engine's own these are SQLite's table functions: a table called pragma_foreign_key_list would stand
    before the function wherever the engine looks at the schema.
    """
    lowered = name.lower()
    return lowered in _KEPT_NAMES or lowered.startswith(_KEPT_PREFIXES)


def reserved(name: str) -> Violation:
    """Someone tries to change or take a name that the engine keeps for itself."""
    if name.lower() not in RESERVED_NAMES and not name.lower().startswith(RESERVED_PREFIXES):
        return Violation("reserved", f"{name} is one of SQLite's table functions", "use another name")
    return Violation(
        "reserved",
        f"{name} belongs to the engine: it can be read, and changed only by helpers",
        "use another name; for state use helpers.db.save_state and helpers.db.delete_state",
    )
