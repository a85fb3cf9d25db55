"""The helper calls of one execution: a method and its arguments from a child that nobody trusts, and their answer.

Arguments are checked for number and type here, because they come from the frame protocol and not from the
helpers: a hostile child speaks to this file directly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import NoneType
from typing import Any

import msgspec

from codemode import tracing
from codemode.asked import is_text
from codemode.database import copies, schema, state
from codemode.database.names import quoted
from codemode.database.script import statements as cut
from codemode.errors import AlreadyExists, CodemodeError, RequestInvalid, SessionError, StatementTimeout, StorageFull
from codemode.moments import ulid
from codemode.session.batches import Batches
from codemode.session.checkpoints import Checkpoints
from codemode.session.host import HostFunctions
from codemode.session.pages import Pages
from codemode.session.spills import Spill
from codemode.session.statements import Statements
from codemode.tracing import span
from sandbox.errors import HelperFailed, OutOfTime, ProtocolViolation

_log = logging.getLogger("codemode")


class Calls:
    """Serves `(method, args)`; raises HelperFailed, whose fields cross to the snippet."""

    def __init__(self, statements: Statements, host: HostFunctions, metrics: Callable[[], dict[str, Any]]) -> None:
        self.statements, self._host, self._metrics = statements, host, metrics
        self._opened, self._transaction = statements.opened, statements.transaction
        self.pages, self._batches = Pages(statements), Batches(statements)
        self.spill = Spill(statements, self.pages.close_all)
        self._transaction.before_write = self.pages.drain

    def __call__(self, method: str, args: list[Any]) -> Any:
        """The answer to one call."""
        try:
            if not tracing.is_on():
                return self.answer(method, args)
            known = method in _METHODS or method in _RESULT_METHODS
            with span(f"helpers.{method}" if known else "helpers.host", {}):
                return self.answer(method, args)
        except CodemodeError as error:
            if isinstance(error, StatementTimeout) and time.monotonic() >= self.statements.ends_at:
                # The statement was ended because the execution's time is over: that is what the outcome must say,
                # and the snippet may not catch it and go on.
                raise OutOfTime from None
            message = error.message
            if (
                isinstance(error, StorageFull | SessionError)
                and (place := f"{self._opened.files.directory}/") in message
            ):
                _log.error("%s", message)  # a snippet need not know where
                message = message.replace(place, "")
            raise HelperFailed(
                error.code, message, hint=error.hint, did_you_mean=error.did_you_mean,
                available=error.available, sql=error.sql, suggestion=error.suggestion,
            ) from None  # fmt: skip
        except ProtocolViolation:
            raise  # ends the child
        except Exception:  # noqa: BLE001 - see below
            # A fault of ours must not tell the snippet about our insides, and must not be lost either.
            incident = ulid()
            _log.exception("helper call %s failed, incident %s", method, incident)
            raise HelperFailed("worker.internal", f"internal error {incident}", hint="report this id") from None

    def answer(self, method: str, args: list[Any]) -> Any:
        """The same, raising the worker's own errors: what the host's calls use."""
        served = _METHODS.get(method)
        if served is None and method.startswith("result."):
            return self._result(method, args)
        if self.spill.begun:
            raise ProtocolViolation("a helper call after the snippet's end")
        if served is None:
            if method.startswith("host."):
                return self._host(method.removeprefix("host."), *_typed(method, args, (str,)))
            raise RequestInvalid(f"there is no helper call {method[:80]!r}")
        function, kinds = served
        return function(self, *_typed(method, args, kinds))

    def _result(self, method: str, args: list[Any]) -> Any:
        if (served := _RESULT_METHODS.get(method)) is None:
            raise ProtocolViolation("a result is not handed over like this")
        function, kinds = served
        try:
            typed = _typed(method, args, kinds)
        except RequestInvalid as error:  # no snippet's mistake: it knows nothing of these calls
            raise ProtocolViolation(error.message) from None
        return function(self.spill, *typed)

    def _batch(self, items: list[Any]) -> Any:
        for item in items:
            if not (type(item) is list and len(item) == 2 and type(item[0]) is str):
                raise RequestInvalid("batch() takes a list of (sql, params)")
        return self.statements.batch([(sql, params) for sql, params in items])

    def _script(self, sql: str) -> Any:
        return self.statements.batch((statement, ()) for statement in cut(sql))

    def _batch_begin(self, table: str, columns: Any, options: dict[str, Any]) -> Any:
        key, types = options.get("key"), options.get("types")
        plain = type(options.get("on_conflict", "error")) is str and (types is None or _are_types(types))
        if not (_are_names(columns) and _are_names(key) and plain):
            raise RequestInvalid("batch_insert: columns and key are lists of names, on_conflict is a word")
        return self._batches.begin(table, columns, options)

    def _batch_rows(self, number: int, chunks: list[Any], columns: Any) -> None:
        if not _are_names(columns):
            raise RequestInvalid("batch_insert: columns is a list of names")
        self._batches.rows(number, chunks, columns)

    def _create_table(self, name: str, columns: Any, if_not_exists: bool) -> Any:
        if type(columns) is dict:
            if not columns or not all(type(c) is str and type(kind) is str for c, kind in columns.items()):
                raise RequestInvalid("a schema is the text between the parentheses, or a dict of column → type")
            columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
        exists = "IF NOT EXISTS " if if_not_exists else ""
        try:
            self.statements.exec(f"CREATE TABLE {exists}{quoted(name)} ({columns})")
        except AlreadyExists as error:  # of a statement that the snippet has not written
            hint = "say if_not_exists=True, use another name, or drop it first"
            raise AlreadyExists(error.message, hint=hint) from None
        return {"success": True}

    def _save_state(self, key: str, text: str) -> None:
        with self.statements.logged("save_state", key), self._transaction.statement(), self.statements.as_engine():
            size = state.save(self._opened.connection, key, text, self._opened.limits.state_bytes)
        tally = self.statements.tally
        tally.largest_state = max(tally.largest_state, size)

    def _get_state(self, key: str) -> Any:
        with self.statements.as_engine():
            return state.load(self._opened.connection, key)

    def _delete_state(self, key: str) -> Any:
        with self.statements.logged("delete_state", key), self._transaction.statement(), self.statements.as_engine():
            return state.delete(self._opened.connection, key)

    def _list_state(self) -> Any:
        with self.statements.as_engine():
            return state.keys(self._opened.connection)

    def _commit(self) -> None:
        if self.pages.open:
            raise RequestInvalid(
                "commit() is not available while a page iterator is open", hint="finish or close() the iterator first"
            )
        with self.statements.logged("commit", "commit()"):
            self._transaction.commit()

    def _checkpoint(self, name: str, replace: bool | None) -> Any:
        if self._transaction.mode in ("dry_run", "read_only"):
            raise RequestInvalid(
                f"checkpoint() is not available in a {self._transaction.mode.replace('_', ' ')} execution",
                hint="it would stay: leave it out, or run the snippet for good",
            )
        if self._transaction.pending:
            raise RequestInvalid(
                "checkpoint() keeps what is committed, and this execution has written something that is not",
                hint="call helpers.db.commit() first, or make the checkpoint before the first write",
            )
        opened = self._opened
        with self.statements.logged("checkpoint", name), opened.deadline.until(self.statements.until):
            found = self._checkpoints.take(name, copies.unless(opened.deadline.is_over), replace=bool(replace))
        return msgspec.to_builtins(found)

    def _list_checkpoints(self) -> Any:
        return msgspec.to_builtins(self._checkpoints.all())

    def _diff(self, before: str | None, after: str | None, sample: int) -> Any:
        opened = self._opened
        with self.statements.logged("diff", f"{before} {after}"), opened.deadline.until(self.statements.until):
            return msgspec.to_builtins(self._checkpoints.diff(before, after, opened.deadline.is_over, sample))

    @property
    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self._opened.files, self._opened.limits)

    def _explain(self, sql: str, params: Any) -> Any:
        from codemode.session import advice  # most executions ask for none, and it is a tenth of what a session loads

        return advice.explain(self.statements, sql, params)

    def _describe(self, *args: str) -> Any:
        from codemode.session import profiles

        return profiles.describe(self.statements, *args)

    def _find_column(self, *args: str) -> Any:
        from codemode.session import profiles

        return profiles.find_column(self.statements, *args)

    def _get_metrics(self) -> Any:
        with self.statements.logged("get_metrics", "get_metrics()"), self.statements.as_engine():
            return self._metrics()

    def _schema(self, function: Callable[..., Any], *args: Any) -> Any:
        with self.statements.as_engine():
            return function(self._opened.connection, *args)


def _typed(method: str, args: list[Any], kinds: tuple[Any, ...]) -> list[Any]:
    """`args` with None for the optional ones left out; raises RequestInvalid when a type is wrong."""
    if len(args) > len(kinds):
        raise RequestInvalid(f"{method} takes {len(kinds)} values, not {len(args)}")
    padded = args if len(args) == len(kinds) else [*args, *[None] * (len(kinds) - len(args))]
    for value, kind in zip(padded, kinds):  # noqa: B905 - as many of both
        if kind is Any or (kind is str and type(value) is str and value.isascii()):
            continue
        if not isinstance(value, kind):
            wanted = " | ".join("None" if each is NoneType else each.__name__ for each in _each(kind))
            raise RequestInvalid(f"{method}: {wanted} expected, not {type(value).__name__}")
        if kind is str and not is_text(value):
            raise RequestInvalid(f"{method}: the text holds a lone surrogate, which is no character")
    return padded


def _each(kind: type | tuple[type, ...]) -> tuple[type, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _are_names(value: Any) -> bool:
    """Whether `value` is left out, or at least one name."""
    return value is None or (type(value) is list and value != [] and all(map(_is_name, value)))


def _are_types(value: Any) -> bool:
    return type(value) is dict and all(_is_name(name) and type(kind) is str for name, kind in value.items())


def _is_name(value: Any) -> bool:
    return type(value) is str and is_text(value)


# Several types are a tuple: isinstance takes three times as long for a union.
_STRINGS = (list, NoneType)
_METHODS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "db.exec": (lambda calls, *args: calls.statements.exec(*args), (str, Any)),
    "db.query": (lambda calls, *args: calls.statements.query(*args), (str, Any, (int, NoneType))),
    "db.value": (lambda calls, sql, params: calls.statements.value(sql, params), (str, Any)),
    "db.pages_open": (lambda calls, *args: calls.pages.start(*args), (str, Any, int)),
    "db.pages_next": (lambda calls, *args: calls.pages.next(*args), (int,)),
    "db.pages_close": (lambda calls, *args: calls.pages.close(*args), (int,)),
    "db.batch": (Calls._batch, (list,)),
    "db.script": (Calls._script, (str,)),
    "db.batch_begin": (Calls._batch_begin, (str, _STRINGS, dict)),
    "db.batch_rows": (Calls._batch_rows, (int, list, _STRINGS)),
    "db.batch_end": (lambda calls, *args: calls._batches.end(*args), (int,)),
    "db.batch_abort": (lambda calls, *args: calls._batches.abort(*args), (int,)),
    "db.create_table": (Calls._create_table, (str, (str, dict), bool)),
    "db.save_state": (Calls._save_state, (str, str)),
    "db.get_state": (Calls._get_state, (str,)),
    "db.delete_state": (Calls._delete_state, (str,)),
    "db.list_state": (Calls._list_state, ()),
    "db.commit": (Calls._commit, ()),
    "db.checkpoint": (Calls._checkpoint, (str, (bool, NoneType))),
    "db.list_checkpoints": (Calls._list_checkpoints, ()),
    "db.diff": (Calls._diff, ((str, NoneType), (str, NoneType), int)),
    "db.explain": (Calls._explain, (str, Any)),
    "db.get_metrics": (Calls._get_metrics, ()),
    "schema.get_tables": (lambda calls: calls._schema(schema.tables), ()),
    "schema.get_columns": (lambda calls, *args: calls._schema(schema.columns, *args), (str,)),
    "schema.has_column": (lambda calls, *args: calls._schema(schema.has_column, *args), (str, str)),
    "schema.describe_table": (Calls._describe, (str,)),
    "schema.find_column": (Calls._find_column, (str, str)),
}
_RESULT_METHODS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "result.begin": (Spill.begin, (str, list, list)),
    "result.rows": (Spill.rows, (int, list)),
    "result.json": (Spill.json, (str,)),
    "result.end": (Spill.end, ()),
    "result.query": (Spill.query, (str, Any, int, int)),
}
