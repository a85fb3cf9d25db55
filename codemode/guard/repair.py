"""SQLite's errors in the words of this project: the class of the tree, a way out, and the names that would work.

apsw is imported for its error classes and codes; SQLite's messages tell what the codes do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import apsw

from codemode.database.connection import MOST_COLUMNS
from codemode.database.disk import disk_is_full
from codemode.database.schema import did_you_mean
from codemode.database.spill import KEPT
from codemode.database.temporary import spent_too_much
from codemode.errors import (
    AlreadyExists,
    CodemodeError,
    ConstraintFailed,
    DiskQuotaExceeded,
    NoSuchColumn,
    NoSuchFunction,
    NoSuchTable,
    ParametersInvalid,
    SessionBusy,
    SessionDamaged,
    StatementFailed,
    StatementLimit,
    StatementRefused,
    StatementSyntaxError,
    StatementTimeout,
    StorageFull,
)
from codemode.guard import lookup
from codemode.guard.authorizer import Authorizer
from codemode.guard.policy import FUNCTIONS, MODULE_WAY, is_reserved, reserved
from codemode.guard.refusals import REFUSED_FUNCTIONS, Violation
from codemode.guard.statement import Statement
from codemode.patterns import pattern

_LARGE_SQL = 20_000
_SEARCHED = 4_000  # characters of a statement in which something is looked for
SQL_SHOWN = 2_000  # characters of a statement that an error carries

_UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "weekday")  # DATEADD(month, 1, x)
_ALIAS = pattern(r"\bAS\s+([A-Za-z_]\w*)(?=\s*(?:,|\)|FROM\b))", re.IGNORECASE)
Repair = Callable[[re.Match[str], str, str, Any], CodemodeError]


def explain_error(
    error: apsw.Error, sql: str, connection: apsw.Connection, longest_value: int | None = None
) -> CodemodeError:
    """The error of our tree for one of SQLite's; never raises, whatever the message.

    `longest_value` is what the statement could handle, where that is less than the connection allows.
    SQLITE_CORRUPT is answered as StatementFailed: the caller checks the file's integrity and decides whether the
    session is damaged, since a broken view raises it on a sound file too.
    """
    # A name in it may have a megabyte, and what is looked for in it takes the square, with the interpreter's lock held.
    message = shortened(str(error), _SEARCHED)
    try:
        explained = (
            _denied(error, connection)
            or _too_long(message, connection, longest_value)
            or _by_message(message, sql, connection)
            or _by_class(error, message, sql, connection)
        )
    except Exception:  # noqa: BLE001 - a look-up that fails must not hide the error that it was to explain
        explained = StatementFailed(message)
    explained.sql = explained.sql or shortened(sql) or None
    return explained


def _ways() -> Any:
    """The module `ways`, whose hundred patterns take as long to make as ten modules: only where something fails."""
    from codemode.guard import ways

    return ways


def explain_python_error(error: BaseException, statement: Statement) -> CodemodeError | None:
    """Ours for what apsw raises as Python's own while a statement runs; None where it is somebody else's."""
    sql = shortened(statement.sql)
    if isinstance(error, KeyError) and error.args and error.args[0] in statement.parameters:
        return ParametersInvalid(f"no value was given for :{error.args[0]}", hint="give every :name a value", sql=sql)
    return no_text(statement.sql) if isinstance(error, UnicodeDecodeError) else None


def no_text(sql: str) -> StatementFailed:
    """The error for bytes that are no UTF-8, where SQLite has them marked as text."""
    message = "a value is marked as text and holds bytes that are none"
    return StatementFailed(message, hint="read it as CAST(x AS BLOB)", sql=shortened(sql))


def with_names_meant(error: ParametersInvalid, params: object) -> ParametersInvalid:
    """`error` with the given name that was meant for the :name without a value, where one is like it."""
    missing = re.fullmatch(r"no value was given for :(\w+)", error.message)
    if missing is None or not isinstance(params, Mapping):
        return error
    near = lookup.closest(missing[1], [name for name in params if isinstance(name, str)], most=1)
    if not near:
        return error
    message = f"no value was given for :{missing[1]}, and the statement has no :{near[0]}: {near[0]!r} is given"
    hint = f"write {missing[1]!r} for {near[0]!r}"
    return ParametersInvalid(message, hint=hint, did_you_mean=(missing[1],), sql=error.sql)


def too_many_operations(sql: str, most: int) -> StatementLimit:
    """The error for a statement that SQLite has no memory to prepare: mostly it is too long a program."""
    hint = "views that it reads, triggers, indexes and computed columns count too: use an intermediate table"
    if len(sql) > _LARGE_SQL:
        hint = "split it, or use helpers.db.batch_insert for many rows"
    message = f"the statement compiles to more than {most:,} operations, or to more than the worker has memory for"
    return StatementLimit(message, hint=hint, sql=shortened(sql))


def shortened(text: str, most: int = SQL_SHOWN) -> str:
    """`text` as an error carries it: bounded."""
    return text if len(text) <= most else f"{text[:most]}…"


def refusal(violation: Violation, sql: str = "") -> StatementRefused:
    """The error of a broken rule."""
    return StatementRefused(violation.message, hint=violation.hint, sql=shortened(sql) or None)


def _denied(error: apsw.Error, connection: apsw.Connection) -> CodemodeError | None:
    """The authorizer knows what it refused; SQLite only says "not authorized", or less from inside FTS5."""
    authorizer = getattr(connection.authorizer, "__self__", None)
    if not isinstance(authorizer, Authorizer):
        return None
    if authorizer.violation is not None:
        return refusal(authorizer.violation)
    return _timed_out() if authorizer.out_of_time and isinstance(error, apsw.AuthError) else None


def _timed_out(_: str = "") -> StatementTimeout:
    hint = "ask for less, or add an index for what it looks up"
    return StatementTimeout("the statement took longer than it may", hint=hint)


def _too_long(message: str, connection: apsw.Connection, longest_value: int | None) -> CodemodeError | None:
    if "string or blob" not in message:
        return None
    most = longest_value or connection.limit(apsw.SQLITE_LIMIT_LENGTH)
    hint = "value_bytes bounds it: store long data in several rows"
    if longest_value is not None:
        hint = "one row is so much work that values must be shorter: do it in steps"
    return StatementLimit(f"a text, a blob or a row of them is longer than it may be here ({most:,} bytes)", hint=hint)


def _by_message(message: str, sql: str, connection: apsw.Connection) -> CodemodeError | None:
    for shape, repair in _REPAIRS:
        if (found := shape.search(message)) is not None:
            return repair(found, message, sql, connection)
    return None


def _by_class(error: apsw.Error, message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    if isinstance(error, apsw.InterruptError) and spent_too_much(connection):
        return StatementLimit(
            "the statement needs more temporary disk space than a session may use",
            hint="sort or group fewer rows at a time: filter first, or keep an intermediate table",
        )
    if isinstance(error, apsw.FullError) and disk_is_full(connection):
        return StorageFull("the disk is full", hint="free space below the data directory, then run it again")
    if isinstance(error, apsw.FullError) and (table := lookup.out_of_numbers(sql, connection)) is not None:
        return StatementFailed(
            f"{table} has used the largest row id, 9223372036854775807, and AUTOINCREMENT only goes on from there",
            hint="copy the rows into a new table with id INTEGER PRIMARY KEY, which takes any number that is free",
        )
    if is_of_pages(error):
        return StatementFailed(
            message, hint="pages of the session's file are damaged: restore a checkpoint or a backup, or renew it"
        )
    if isinstance(error, apsw.BindingsError):
        return _bindings(message, sql)
    for classes, make in _BY_CLASS:
        if isinstance(error, classes):
            return make(message)
    return StatementFailed(message, hint=_ways().message_way(message))


def is_of_pages(error: Exception) -> bool:
    """Whether SQLite could not read its own pages: not what a virtual table says of data that it no longer fits."""
    return isinstance(error, apsw.CorruptError) and getattr(error, "extendedresult", 0) != apsw.SQLITE_CORRUPT_VTAB


def _no_such_table(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    name = found["name"].removeprefix("main.")
    available = lookup.tables(connection)
    near = lookup.closest(name, available)
    hint = did_you_mean(near) or ("the session has no tables yet" if not available else None)
    if name.lower().startswith("information_schema.columns"):
        hint = "use helpers.schema.get_columns('t'), or SELECT * FROM pragma_table_info('t')"
    elif name.lower().startswith(
        ("information_schema", "pg_catalog", "pg_tables", "sys.", "all_tables", "user_tables")
    ):
        hint = "use helpers.schema.get_tables(), or SELECT name FROM sqlite_schema WHERE type = 'table'"
    elif name.lower() in _ways().FUNCTION_WAYS:
        hint = _ways().FUNCTION_WAYS[name.lower()]
    elif "." in name and lookup.closest(name.rpartition(".")[2], available):
        hint = "a session has one database: leave the name before the table out"
    elif f"[{name}]" in sql and _ways().syntax_way(sql):
        hint = _ways().syntax_way(sql)  # IN ['a', 'b']: SQLite reads the name of a table
    elif name.lower() not in sql.lower():
        hint = "a foreign key, a view or a trigger of what the statement names refers to it: create it first"
    elif name.lower().startswith("_result_"):
        hint = f"a session keeps its last {KEPT} results: run the snippet that returned it again"
    return NoSuchTable(f"no such table: {name}", hint=hint, did_you_mean=near, available=available[: lookup.MOST_NAMES])


def _no_such_column(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    name = found["name"].strip('"').rpartition(".")[2]
    owner = found["name"].strip('"').rpartition(".")[0].lower()
    tables = [found["table"]] if found.groupdict().get("table") else lookup.tables_named_in(sql, connection)
    tables = [table for alias, table in lookup.aliases(sql, connection) if alias.lower() == owner] or tables
    available = list(dict.fromkeys(column for table in tables for column in lookup.columns(connection, table)))
    if not owner:
        available += [alias for alias in dict.fromkeys(_ALIAS.findall(sql[:_SEARCHED])) if alias not in available]
    near = list(dict.fromkeys([*lookup.keys_of(name, tables, connection), *lookup.closest(name, available)]))[:3]
    out_of_reach = not owner and name.lower() in (each.lower() for each in near)
    compared = _ways().comparison_way(name, available)
    is_unit = name.lower() in _UNITS and re.search(rf"\b(?:date|timestamp)\w+\s*\(\s*{name}\b", sql, re.IGNORECASE)
    near = [] if out_of_reach or compared or is_unit else near
    hint = compared or did_you_mean(near) or _ways().syntax_way(sql)
    if out_of_reach and hint is None:
        hint = f"no table that has {name} is read here: name it after FROM or JOIN"
    if name not in available and re.search(rf"\b{re.escape(name)}\s+MATCH\b", sql[:_SEARCHED], re.IGNORECASE):
        near = lookup.full_text_tables(name, sql, connection)
        hint = f"before MATCH stands a full-text table itself, no alias{f': {near[0]} MATCH …' if near else ''}"
    if hint is None and found["name"].startswith("T.") and "T." not in sql:  # FTS5's own reading of its content table
        hint = "the content table of a full-text index needs a rowid and the columns that the index names"
    if hint is None and "match" in sql.lower() and name not in available:
        hint = _ways().MATCH_WAY  # `MATCH 'state-of-the-art'`: to FTS5 the word before a sign is a column
    if hint is None and re.search(
        rf"(?:[=<>]|\bLIKE)\s*{re.escape(name)}\b(?!\s*[.(])", sql[:_SEARCHED], re.IGNORECASE
    ):
        hint = f"if {name} is a text and no column, bind it: x = ?"
    if name == "None":
        hint = "None was pasted in: write IS NULL, or bind it where a value stands"
    if not compared and "." not in found["name"] and re.search(f'"{re.escape(name)}"', sql):
        # Double quotes are for names: with SQLite's old leniency a misspelt column would silently be a text.
        quotes = f"for the text '{name}' use single quotes"
        hint = f"{hint}; {quotes}" if hint else quotes
    return NoSuchColumn(
        f"no such column: {found['name']}", hint=hint, did_you_mean=near, available=available[: lookup.MOST_NAMES]
    )


def _ambiguous(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    owners = lookup.owners(found["name"], sql, connection)
    names = [f"{owner}.{found['name']}" for owner in owners]
    hint = f"write the table before it: {' or '.join(names)}" if names else None
    hint = f"{hint}, as in t.column" if hint else "write the table before it: t.column"
    return StatementFailed(message, hint=hint, did_you_mean=names, available=names)


def _no_such_function(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    name = found["name"].lower()
    if name in REFUSED_FUNCTIONS:
        return refusal(REFUSED_FUNCTIONS[name])
    way = _ways().SCHEMA_MATCH_WAY if name == "match" else _ways().FUNCTION_WAYS.get(name)
    # Only a misspelling: SQLite prepares sin(x) for int(x) and count(x) for count_distinct(x), and both are wrong.
    near = [] if way else lookup.misspelt(name, FUNCTIONS)
    hint = way or did_you_mean(near) or "SQLite has none of that name: say it with others, or compute it in Python"
    return NoSuchFunction(f"no such function: {found['name']}", hint=hint, did_you_mean=near)


def _syntax(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    if message.startswith("fts5: "):
        return StatementSyntaxError(message, hint=_ways().MATCH_WAY)
    hint = _ways().syntax_way(sql)
    if hint is None and (clause := _ways().clause_meant(message, sql)) is not None:
        return StatementSyntaxError(message, hint=f"did you mean {clause[1]} by {clause[0]}?", did_you_mean=clause[1:])
    near = re.search(r'near "(\w+)"', message)
    if hint is None and near and _stands_for_a_name(near[1], sql):
        hint = f'if {near[1]} is meant as a name, write "{near[1]}"'
    if hint is None and near and re.search(rf"[=<>]\s*[A-Za-z]\w*\s+{near[1]}\b", sql[:_SEARCHED]):
        hint = "a text stands in single quotes; better, bind it: x = ?"
    if hint is None and "unrecognized token" in message:
        hint = "a text stands in single quotes; better, bind it as a parameter"
    if hint is None and "incomplete input" in message:
        hint = "the statement stops too early: a bracket or a clause is missing"
    return StatementSyntaxError(message, hint=hint)


def _stands_for_a_name(word: str, sql: str) -> bool:
    """Whether the keyword `word` stands somewhere where a name is usual."""
    if word.upper() not in apsw.keywords or word.upper() in ("SELECT", "WITH", "VALUES"):
        return False
    return re.search(rf"(?:\bAS\s+|[.,(]\s*){word}\b", sql[:_SEARCHED], re.IGNORECASE) is not None


def _already_exists(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    return AlreadyExists(message, hint="use IF NOT EXISTS, another name, or drop it first")


def _limit(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    hints = {
        "Expression tree": "at most 200 deep: use IN (…) instead of a chain of OR, or join a table of the values",
        "columns": f"at most {MOST_COLUMNS} columns: split the table, or select fewer",
        "compound": "at most 50 SELECTs joined by UNION: insert the parts into a table",
        "too large together": "do it in Python, or with shorter values",
        "many arguments": "a function takes at most 127 arguments: aggregate over rows, or use JSON",
        "trigger": "one trigger goes 1,000 deep, long or different ones 10: end it with WHEN, or begin at the leaves",
        "pattern": "at most 250 bytes: use instr(x, 'part') > 0 for a long text",
        "variable": "at most 32,766 parameters; use helpers.db.batch_insert for many rows",
        "recursion": "the statement nests too deep",
        "nested": "the statement nests too deep",
        "statement": "the statement is too large: split it, or use helpers.db.batch_insert",
    }
    lowered = message.lower()
    return StatementLimit(message, hint=next((hint for word, hint in hints.items() if word.lower() in lowered), None))


def _missing_module(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    return StatementRefused(f"virtual tables of {found['name']} are not available", hint=MODULE_WAY)


def _not_to_be_changed(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    return StatementRefused(message, hint=f"{found['name']} is SQLite's own: it can be read")


def _arguments(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    way = _ways().message_way(message)
    if way is not None:
        return StatementFailed(message, hint=way)
    counts = lookup.argument_counts(found["name"], connection)
    takes = f"{found['name'].lower()}() takes {' or '.join(map(str, counts))} arguments" if counts else None
    return StatementFailed(message, hint=takes)


def _out_of_step(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    return StatementFailed(
        message,
        hint="the full-text index is out of step with its table: INSERT INTO f(f) VALUES ('rebuild'), f being its name",
    )


def _duplicate_column(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    return AlreadyExists(
        message, hint="the table has this column already: leave the statement out, or add another name"
    )


def _view_is_read(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    if is_reserved(found["name"]):
        return refusal(reserved(found["name"]))
    return StatementFailed(message, hint="write to the tables below it, or create an INSTEAD OF trigger")


def _renamed_onto_a_view(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    """The new name of a table with a trigger is the log's: SQLite complains of the trigger before we see the name."""
    if is_reserved(found["name"]):
        return refusal(reserved(found["name"]))
    return StatementFailed(message, hint="a view has that name: choose another one")


def _value_count(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    if message[0].isdecimal():  # `1 values for 2 columns`: they were named
        return StatementFailed(message, hint="give each column that is named a value")
    return StatementFailed(message, hint="name the columns: INSERT INTO t (a, b) VALUES (?, ?)")


_USES_IT = {"view": "create it anew", "trigger": "create it anew", "index": "create it anew on what there is then"}


def _no_such_key(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    """ON CONFLICT with columns that are no key: what the table's keys are. A partial index has its WHERE in it."""
    table = next((name for _, name in lookup.aliases(sql, connection)), "")
    keys = lookup.conflict_targets(table, connection) if table else []
    make = "make a UNIQUE index on these columns first"
    hint = f"{make}, or use a key that {table} has, as it stands: {'; '.join(keys)}" if keys else make
    return StatementFailed(message, hint=hint, available=keys)


def _used_elsewhere(found: re.Match[str], message: str, sql: str, connection: apsw.Connection) -> CodemodeError:
    """ALTER TABLE reads every view and trigger: what names the column, or was broken before, is in its way."""
    kind, name = found["kind"], found["name"]
    if kind == "table":
        return StatementFailed(message, hint=f"the definition of {name} itself uses it: make a new table and copy")
    hint = f"the {kind} {name} is in the way: DROP {kind.upper()} {name} first, and {_USES_IT[kind]} afterwards"
    return StatementFailed(message, hint=hint)


def _bindings(message: str, sql: str) -> CodemodeError:
    counts = re.search(r"Current statement uses (\d+) and there are only (\d+)", message) or re.search(
        r"uses (\d+) and there are (\d+)", message
    )
    if "has no name" in message:
        hint = "write :name for each ?, or pass a list; on the command line a text that holds = is quoted: -p '\"a=b\"'"
        return ParametersInvalid("the values have names, and the placeholders have none", hint=hint)
    if counts is None:
        return ParametersInvalid(message, hint="bind one value to each placeholder")
    expected, given = counts.groups()
    hint = "bind one value to each ?, or pass a dict for :name"
    texts = re.findall(r"'(?:[^']|'')*'", sql[:_SEARCHED])
    if int(given) > int(expected) and any(re.search(r"\?|:[A-Za-z_]", text) for text in texts):
        hint = "in quotes ? is a text: write ? alone, or '%' || ? || '%'"
    return ParametersInvalid(f"values and placeholders do not match: {given} for {expected}", hint=hint)


_REPAIRS: tuple[tuple[re.Pattern[str], Repair], ...] = (
    (
        pattern(r"^error in (?P<kind>view|trigger|index|table) (?P<name>\w+)(?: after [^:]*)?: no such"),
        _used_elsewhere,
    ),
    (pattern(r"no such table: (?P<name>\S.*)$"), _no_such_table),
    (pattern(r"no such column: (?P<name>\S.*?)(?: - should this be a string literal.*)?$"), _no_such_column),
    (pattern(r"^table (?P<table>.+) has no column named (?P<name>.+)$"), _no_such_column),
    (pattern(r"^wrong number of arguments to function (?P<name>\w+)"), _arguments),
    (pattern(r"^fts5: (?:missing row|corruption)"), _out_of_step),
    (pattern(r"^duplicate column name: (?P<name>.+)$"), _duplicate_column),
    (pattern(r"^ON CONFLICT clause does not match"), _no_such_key),
    (pattern(r"^ambiguous column name: (?P<name>\w+)$"), _ambiguous),
    (pattern(r"no such function: (?P<name>\S+)"), _no_such_function),
    (pattern(r"no such module: (?P<name>\S+)"), _missing_module),
    (pattern(r"already exists|there is already another"), _already_exists),
    (pattern(r"table (?P<name>\S+) may not be (?:modified|dropped|altered|indexed)"), _not_to_be_changed),
    (pattern(r"cannot modify (?P<name>\S+) because it is a view"), _view_is_read),
    (pattern(r"after rename: cannot create \w+ trigger on view: (?P<name>\S+)$"), _renamed_onto_a_view),
    (pattern(r"^(?P<name>snippet|highlight)\(\) is not available"), _no_such_function),  # FTS5 found it in data
    (pattern(r"unsafe use of (?P<name>\w+)\(\)"), _no_such_function),
    (pattern(r"has \d+ columns? but \d+ values?|^\d+ values for \d+ columns"), _value_count),
    (
        pattern(
            r"too (?:large|many|deep|big|complex)|stack overflow|exceed"
            r"|LIKE or GLOB pattern too|too many levels|variable number must be|recursion limit|nested too deep",
            re.IGNORECASE,
        ),
        _limit,
    ),
    (pattern(r"syntax error|unrecognized token|incomplete input|near \""), _syntax),
)

_BY_CLASS: tuple[tuple[Any, Callable[[str], CodemodeError]], ...] = (
    (apsw.ConstraintError, lambda message: ConstraintFailed(message, hint=_constraint_hint(message))),
    (apsw.InterruptError, _timed_out),
    (apsw.TooBigError, lambda message: StatementLimit(
        message, hint="a value may have value_bytes; store long data in several rows"
    )),
    (apsw.NoMemError, lambda _: StatementLimit(
        "the statement needs more memory than the worker gives to SQLite",
        hint="aggregate less at a time; json_group_array and group_concat hold their whole answer in memory",
    )),
    (apsw.FullError, lambda _: DiskQuotaExceeded(
        "the session's database reached its size limit, database_bytes",
        hint="delete what is not needed; the space is used again",
    )),
    (apsw.MismatchError, lambda message: ConstraintFailed(
        message, hint="a value has the wrong type for its column: an INTEGER PRIMARY KEY takes whole numbers only"
    )),
    ((apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError), lambda message: StorageFull(
        f"the session's file cannot be written or read: {message}",
        hint="free space, mend the permissions, or raise the limit of open files",
    )),
    ((apsw.BusyError, apsw.LockedError), lambda message: SessionBusy(message, hint="try again")),
    (apsw.NotADBError, lambda message: SessionDamaged(message, hint="restore a copy of the session")),
    (apsw.AuthError, lambda _: StatementRefused("the statement is not available in a session")),
)  # fmt: skip


def _constraint_hint(message: str) -> str | None:
    kinds = {
        "UNIQUE": "a row with this key exists: use ON CONFLICT(…) DO UPDATE, or INSERT OR IGNORE",
        "NOT NULL": "give the column a value",
        "FOREIGN KEY": "insert the row that it refers to first, or delete the rows that refer to it",
        "CHECK": "the value breaks the rule of the table's CHECK",
        "cannot store": "a STRICT table takes only values of the column's type",
    }
    return next((hint for word, hint in kinds.items() if message.startswith(word)), None)
