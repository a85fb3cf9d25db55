"""`helpers.db`: the session's database, as calls that the worker answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from sandbox.helpers.batch import Load, iterator_of
from sandbox.helpers.channel import Channel
from sandbox.helpers.definition import definition
from sandbox.helpers.error import HelperError
from sandbox.helpers.jsontext import Unfit, json_text
from sandbox.helpers.pages import Pages, Tidy
from sandbox.helpers.quoting import Query
from sandbox.helpers.rows import Answer, Rows, exec_answer
from sandbox.helpers.spelling import Spelled, closest, did_you_mean, spelled
from sandbox.helpers.values import Warn, wire_params

_PARAMS = (list, tuple, dict)  # what under "params" shows that a dict holds keywords, not named parameters
_MOST_STATEMENTS = 10_000  # far below what a frame may hold
_ON_CONFLICT = ("error", "ignore", "replace", "update")


OPEN = "the database is open: helpers.db.query(sql, params) answers rows, helpers.db.exec(sql, params) changes"
_ATOMIC = "leave it out: a snippet is one transaction, and an exception that it raises undoes all of it"
_INSTEAD = {
    **dict.fromkeys(("connect", "connection", "cursor", "conn", "session", "engine"), OPEN),
    **dict.fromkeys(("begin", "rollback", "transaction", "atomic"), _ATOMIC),
    **dict.fromkeys(("insert", "upsert"), "write helpers.db.batch_insert(table, [record])"),
    "close": "leave it out: the database is closed after the snippet",
    **dict.fromkeys(
        ("executemany", "exec_many", "execute_many"), "write helpers.db.batch([(sql, params) for params in rows])"
    ),
}


class Database(Spelled):
    """The session's own SQLite database. Everything a snippet does is kept if it ends well, and undone if it fails."""

    __slots__ = ("_channel", "_warn")
    _label = "helpers.db"
    _meant = {
        "execute": "exec",
        "run": "exec",
        "select": "query",
        "fetch_all": "query",
        "fetchall": "query",
        "fetch_one": "query_one",
        "fetchone": "query_one",
        "scalar": "value",
        "query_value": "value",
        "query_scalar": "value",
        "fetch_value": "value",
        "fetchval": "value",
        "query_all": "query",
        "query_many": "query",
        "get_all": "query",
        "first": "query_one",
        "set": "save_state",
        "get": "get_state",
        "set_state": "save_state",
        "put_state": "save_state",
        "load_state": "get_state",
        "remove_state": "delete_state",
        "insert": "batch_insert",
        "upsert": "batch_insert",
        "update": "exec",
        "delete": "exec",
        "insert_many": "batch_insert",
        "bulk_insert": "batch_insert",
        "executescript": "script",
        "tables": "helpers.schema.get_tables",
        "list_tables": "helpers.schema.get_tables",
        "get_schema": "helpers.schema.describe_table",
        "savepoint": "checkpoint",
        "snapshot": "checkpoint",
        "checkpoints": "list_checkpoints",
    }
    _instead = _INSTEAD

    def __init__(self, channel: Channel, warn: Warn) -> None:
        fill = object.__setattr__
        fill(self, "_channel", Tidy(channel))
        fill(self, "_warn", warn)

    @spelled(params=_PARAMS)
    def exec(self, sql: str, params: Any = ()) -> Answer:
        """Run one statement and answer what it changed.

        Answers `{"success", "rows_read", "rows_written", "changes", "last_row_id"}`, and `"columns"` and `"rows"`
        where the statement returns rows, `"warnings"` where it can hardly be meant. `last_row_id` is 0 where it
        inserted no row.
        `params`: a list for `?`, a dict for `:name`.
        """
        statement = self._statement(sql, params)
        return exec_answer(self._channel.call("db.exec", *statement), statement)

    @spelled(params=_PARAMS)
    def query(self, sql: str, params: Any = ()) -> Rows:
        """Run one SELECT (or a write with RETURNING) and answer its rows, a list of dicts.

        The list also has `.columns .row_count .truncated .rows_read`, and `.warnings` of what the statement can hardly
        mean. At most `limits.rows` rows come back; when there are more, `.truncated` is True: aggregate in SQL, or read
        all of them with `pages`. Returned as the result as they are, all of them are kept as a table.
        """
        return self._rows(*self._statement(sql, params))

    @spelled(params=_PARAMS)
    def query_one(self, sql: str, params: Any = ()) -> dict[str, Any] | None:
        """The first row as a dict, or None where there is none."""
        rows = self._rows(*self._statement(sql, params), 1)
        return rows[0] if rows else None

    @spelled(params=_PARAMS)
    def value(self, sql: str, params: Any = ()) -> Any:
        """The first column of the first row, or None where there is none."""
        return self._channel.call("db.value", *self._statement(sql, params))

    @spelled(params=_PARAMS)
    def pages(self, sql: str, params: Any = (), size: int = 1000) -> Pages:
        """Iterate over a whole result in lists of at most `size` rows, in constant memory.

        The rows are those of the moment of this call, also when the tables are written to meanwhile.
        """
        if type(params) is int and not re.search(r"[?:@$]", sql if isinstance(sql, str) else ""):
            raise HelperError("request.invalid", "params are values to bind", hint=f"write pages(sql, size={params})")
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise HelperError("request.invalid", f"size must be a whole number above zero, not {size!r}")
        answer = self._channel.call("db.pages_open", *self._statement(sql, params), int(size))
        return Pages(self._channel, answer["cursor"], answer["columns"])

    @spelled()
    def batch(self, statements: Iterable[Any]) -> list[Answer]:
        """Run several statements, `[(sql, params), ...]`, all or nothing; a list of what `exec` answers for each."""
        if isinstance(statements, (str, bytes)) or not isinstance(statements, Iterable):
            kind = type(statements).__name__
            raise HelperError("request.invalid", f"batch takes a list of (sql, params), not {kind}")
        items = [self._item(item, number) for number, item in enumerate(statements, 1)]
        if len(items) > _MOST_STATEMENTS:
            raise HelperError(
                "request.invalid",
                f"batch takes at most {_MOST_STATEMENTS:,} statements, not {len(items):,}",
                hint="use batch_insert for many records, or one statement over a table",
            )
        return [exec_answer(answer) for answer in self._channel.call("db.batch", items)]

    @spelled()
    def script(self, sql: str) -> list[Answer]:
        """Run many statements from one text, without parameters, all or nothing; what `exec` answers for each."""
        return [exec_answer(answer) for answer in self._channel.call("db.script", _sql(sql))]

    @spelled(records=(object,))
    def batch_insert(
        self,
        table: str,
        records: Iterable[Any],
        columns: Iterable[str] | None = None,
        on_conflict: str = "error",
        key: Any = None,
        create: bool = False,
    ) -> Answer:
        """Insert many records, all or nothing; answers `{"success", "rows_written", "chunks", "columns"}`.

        `records`: a list or generator of dicts, or of sequences with `columns`; generators are streamed. A missing
        key is NULL, with "update" also in a row that is there, which is warned of; a column that no record names
        keeps its default; an unknown key is an error.
        `on_conflict`: error, ignore, replace, or update (with `key`: the column or columns that identify a record).
        `create=True` makes the table, its types inferred from the first 500 records, unless it exists; a
        warning says where a column changes values that come later.
        """
        names = None if columns is None else _names(columns, "columns")
        options = {
            "on_conflict": _conflict(on_conflict),
            "key": None if key is None else _names(key, "key"),
            "create": bool(create),
            "types": None,
        }
        name = _name(table, "table", "the table comes first: batch_insert(table, records)")
        load = Load(self._channel, name, names, options, self._warn)
        return Answer(load.run(iterator_of(records)))

    @spelled(schema=(dict, list))
    def create_table(self, name: str, schema: Any, if_not_exists: bool = False) -> Answer:
        """Create a table; `schema` is the text between the brackets, or a dict of column → type."""
        wire = (_name(name, "name"), definition(schema), bool(if_not_exists))
        return Answer(self._channel.call("db.create_table", *wire))

    @spelled(value=())
    def save_state(self, key: str, value: Any) -> None:
        """Keep a value under a key for later snippets of this session; numbers, text, lists, dicts, dates."""
        place = f"state {key!r}"
        try:
            text = json_text(value, lambda path: self._warn(f"{place}: NaN or infinity at {path} is stored as null"))
        except Unfit as unfit:
            raise HelperError("sql.value", f"{place}: {unfit.reason}", hint=unfit.hint) from None
        self._channel.call("db.save_state", _name(key, "key"), text)

    @spelled(default=())
    def get_state(self, key: str, default: Any = None) -> Any:
        """The value kept under a key, or `default`."""
        text = self._channel.call("db.get_state", _name(key, "key"))
        return default if text is None else json.loads(text)

    @spelled()
    def delete_state(self, key: str) -> bool:
        """Forget a key; whether there was one."""
        return bool(self._channel.call("db.delete_state", _name(key, "key")))

    @spelled()
    def list_state(self) -> list[str]:
        """The keys that hold a value, sorted."""
        return list(self._channel.call("db.list_state"))

    @spelled()
    def commit(self) -> None:
        """Make everything done so far permanent, also if the snippet fails later; for long loads."""
        self._channel.call("db.commit")

    @spelled()
    def checkpoint(self, name: str, replace: bool = False) -> Answer:
        """Keep a copy of everything under a name.

        It holds what is committed: make it before the first write, or after `commit()`. A name that is taken is an
        error unless `replace` is True. Only the host can restore one. Answers `{"name", "created_at", "size_bytes"}`.
        """
        return Answer(self._channel.call("db.checkpoint", _name(name, "name"), bool(replace)))

    @spelled()
    def list_checkpoints(self) -> list[dict[str, Any]]:
        """The session's checkpoints.

        The oldest first: `[{"name", "created_at", "size_bytes"}]`.
        """
        return list(self._channel.call("db.list_checkpoints"))

    @spelled()
    def diff(self, a: str | None, b: str | None = None, sample: int = 5) -> Answer:
        """What changed between two checkpoints, or since one.

        Answers `{"tables", "schema", "complete"}`: for each table that differs its name, `added`, `removed` and
        `changed` rows, and a few of them; the schema objects that differ; and whether there was time for everything.
        Without `b` it compares with what is committed now.
        """
        names = [None if name is None else _name(name, "a checkpoint") for name in (a, b)]
        if isinstance(sample, bool) or not isinstance(sample, int):
            raise HelperError("request.invalid", f"sample must be a whole number, not {sample!r}")
        return Answer(self._channel.call("db.diff", *names, int(sample)))

    @spelled(params=_PARAMS)
    def explain(self, sql: str, params: Any = ()) -> Answer:
        """How SQLite would run a statement, and a tried index: `{"plan": [words], "scans", "sorts", "advice"}`.

        Nothing of the session is changed.

        `advice` names the index that makes it faster, as a CREATE INDEX to run. It was tried before: `checked` has the
        VM steps and milliseconds without it (`before`) and with it (`after`), measured on a copy of the data, and
        `create_index`, the statements. `indexes` and `estimated_rows` say what is used and how many rows are expected.
        """
        return Answer(self._channel.call("db.explain", *self._statement(sql, params)))

    @spelled()
    def get_metrics(self) -> Answer:
        """What the session holds and has used: size, tables with rows and bytes, rows read and written, limits.

        Answers `{"session_id", "database_size", "last_activity", "expires_at", "tables", "execution_logs", "rows_read",
        "rows_written", "usage", "size_history", "limits", "warnings"}`; `usage` adds up what everything cost.
        The rows of views are not counted: None.
        """
        return Answer(self._channel.call("db.get_metrics"))

    @spelled()
    def metrics(self) -> Answer:
        """The same as `get_metrics`."""
        return self.get_metrics()

    def _rows(self, *args: Any) -> Rows:
        answer = self._channel.call("db.query", *args)
        rows, truncated, read = zip(*answer["values"], strict=True), answer["truncated"], answer["rows_read"]
        source, said = (args[0], args[1]), answer.get("warnings", ())
        return Rows(answer["columns"], rows, truncated=truncated, rows_read=read, source=source, warnings=said)

    def _statement(self, sql: Any, params: Any, place: str = "parameter") -> tuple[str, Any]:
        return wire_statement(sql, params, self._warn, place)

    def _item(self, item: Any, number: int) -> list[Any]:
        sql, params = item, ()
        if isinstance(item, dict):
            sql, params = item.get("sql"), item.get("params", ())
        elif isinstance(item, (tuple, list)) and 1 <= len(item) <= 2:
            sql, params = item[0], item[1] if len(item) == 2 else ()
        if not isinstance(sql, str):
            raise HelperError("request.invalid", f"statement {number} must be (sql, params), not {item!r}")
        return list(self._statement(sql, params, f"statement {number}, parameter"))


def wire_statement(sql: Any, params: Any, warn: Warn, place: str = "parameter") -> tuple[str, Any]:
    """A statement and its parameters as the worker takes them; raises HelperError."""
    if isinstance(sql, Query) and (params is None or (isinstance(params, (tuple, list, dict)) and not params)):
        params = sql.params
    text = _sql(sql)
    if _holds_list(params) and _ONE_OF.search(text):
        warn("a list is bound as one JSON text, which IN (?) hardly finds; write IN (SELECT value FROM json_each(?))")
    return text, wire_params(params, warn, place)


_ONE_OF = re.compile(r"\bIN\s*\(\s*[?:@$]\w*\s*\)", re.IGNORECASE)


def _holds_list(params: Any) -> bool:
    values = params.values() if isinstance(params, dict) else params if isinstance(params, (list, tuple)) else ()
    return any(isinstance(value, (list, tuple)) for value in values)


def _sql(sql: Any) -> str:
    if type(sql) is str:
        return sql
    if isinstance(sql, str):
        return str.__str__(sql)
    raise HelperError("request.invalid", f"the statement must be text, not {type(sql).__name__}")


def _name(name: Any, what: str, hint: str | None = None) -> str:
    if isinstance(name, str) and name:
        return str.__str__(name)
    raise HelperError("request.invalid", f"{what} must be text, not {name!r}", hint=hint)


def _names(names: Any, what: str) -> list[str]:
    if not isinstance(names, Iterable):
        raise HelperError("request.invalid", f"{what} must be a list of names, not {type(names).__name__}")
    listed = [names] if isinstance(names, str) else list(names)
    if not listed:
        raise HelperError("request.invalid", f"{what} is empty")
    return [_name(name, f"each of {what}") for name in listed]


def _conflict(given: Any) -> str:
    if not isinstance(given, str):
        kind = type(given).__name__
        raise HelperError("request.invalid", f"on_conflict must be text, not {kind}", available=_ON_CONFLICT)
    known = given.lower()
    if known in _ON_CONFLICT:
        return str(known)
    meant = ["update"] if known in {"upsert", "merge"} else closest(given, _ON_CONFLICT)
    hint = did_you_mean(meant) or f"use one of {', '.join(_ON_CONFLICT)}"
    message = f"on_conflict cannot be {given!r}"
    raise HelperError("request.invalid", message, hint=hint, did_you_mean=meant, available=_ON_CONFLICT)
