"""A session of a service, as the embedded one is seen: the same calls, the same answers, the same errors."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, Unpack

from codemode.asked import page_size
from codemode.client import calls, executions, files, history
from codemode.client.async_session import AsyncRemoteSession
from codemode.client.calls import Place
from codemode.client.connection import AsyncConnection, Connection
from codemode.client.executions import Events, ExecutionEvent
from codemode.client.handles import BackgroundExecution
from codemode.client.rows import Pages, Row, RowLines, rows
from codemode.database import transfer
from codemode.errors import WorkerUnreachable
from codemode.values import (
    Checkpoint,
    Day,
    Differences,
    LogEntry,
    Outcome,
    SizeAt,
    SlowStatement,
    TableChange,
    Undone,
)
from sandbox.helpers import Rows

if TYPE_CHECKING:
    from codemode.client.ask import Ask
    from codemode.database.transfer import Exported, Profile
    from codemode.session.request import RunOptions


class RemoteSession:
    """A tenant's named working memory in a service; made by `Client.session`, safe to use from several threads."""

    def __init__(self, connection: Connection, tenant: str, place: Place) -> None:
        self.id, self.tenant, self.limits = place.session_id, tenant, place.limits
        self._connection, self._place = connection, place

    def __repr__(self) -> str:
        return f"<RemoteSession {self.id}>"

    def run(self, code: str, **options: Unpack[RunOptions]) -> Outcome:
        """Run a snippet and answer with its outcome: all or nothing, unless `atomic` is False.

        `options` are those of `codemode.Session.run`, but for `functions`, which cannot be lent over HTTP. A connection
        that breaks is no reason to run twice: see `Client`.
        """
        if executions.listens(options):
            return self._heard(self._execution(code, options, "stream"), executions.Listener(options))
        return self._connection.send(executions.outcome_call(self._execution(code, options, "sync")))

    async def run_async(self, code: str, **options: Unpack[RunOptions]) -> Outcome:
        """The same as `run` without blocking the event loop; cancelling the task cancels the execution."""
        connection = AsyncConnection(self._connection.terms)
        try:
            return await AsyncRemoteSession(connection, self.tenant, self._place).run(code, **options)
        finally:
            await connection.close()

    def follow(self, code: str, **options: Unpack[RunOptions]) -> Iterator[ExecutionEvent]:
        """Run a snippet and tell what happens while it runs; the last event is its outcome.

        Closing the iterator before its end cancels the execution.
        """
        ask = self._execution(code, options, "stream")
        return self._events(ask)

    def background(self, code: str, **options: Unpack[RunOptions]) -> BackgroundExecution:
        """Run a snippet in the background of the service: its handle at once, its outcome for an hour after its end."""
        begun = self._connection.send(executions.background_call(self._execution(code, options, "background")))
        return BackgroundExecution(self._connection, begun)

    def cancel(self) -> bool:
        """End the running execution, from another thread; whether it ends cancelled: one that commits already stays."""
        return self._connection.send(executions.cancel(self._place))

    def exec(self, sql: str, params: Any = ()) -> dict[str, Any]:
        """Run one statement; see helpers.db.exec.

        `warnings` beside its answer: values that were not stored as they came, and what the statement can hardly mean.
        """
        return self._connection.send(calls.execute(self._place, sql, params))

    def query(self, sql: str, params: Any = (), *, read_only: bool = False) -> Rows:
        """Rows of one statement; with `read_only` on a connection of its own that never waits for a writer.

        `.warnings` of the rows: values that were not bound as they came, and what the statement can hardly mean.
        """
        return self._connection.send(calls.query(self._place, sql, params, read_only=read_only))

    def query_one(self, sql: str, params: Any = ()) -> dict[str, Any] | None:
        """The first row or None."""
        return self._connection.send(calls.query_one(self._place, sql, params))

    def value(self, sql: str, params: Any = ()) -> Any:
        """The first cell or None."""
        return self._connection.send(calls.value(self._place, sql, params))

    def batch(self, items: Iterable[Any]) -> list[dict[str, Any]]:
        """Several statements, all or nothing."""
        return self._connection.send(calls.batch(self._place, items))

    def script(self, sql: str) -> list[dict[str, Any]]:
        """Many statements in one text, all or nothing."""
        return self._connection.send(calls.script(self._place, sql))

    def batch_insert(self, table: str, records: Iterable[Any], **options: Any) -> dict[str, Any]:
        """Insert records; see helpers.db.batch_insert for `columns`, `on_conflict`, `key` and `create`.

        They are sent as they come, in constant memory. An open file of NDJSON does too.
        """
        return self._connection.send(calls.batch_insert(self._place, table, records, **options))

    def create_table(self, name: str, schema: str | Mapping[str, str], if_not_exists: bool = False) -> dict[str, Any]:
        """Create a table from the text between its parentheses, or from a dict of column → type."""
        return self._connection.send(calls.create_table(self._place, name, schema, if_not_exists))

    def save_state(self, key: str, value: Any) -> None:
        """Keep a JSON value under `key`."""
        self._connection.send(calls.save_state(self._place, key, value))

    def get_state(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`."""
        return self._connection.send(calls.get_state(self._place, key, default))

    def delete_state(self, key: str) -> bool:
        """Forget `key`; whether it was there."""
        return self._connection.send(calls.delete_state(self._place, key))

    def list_state(self) -> list[str]:
        """All keys of the state, sorted."""
        return self._connection.send(calls.list_state(self._place))

    def commit(self) -> None:
        """Nothing is left to do: each call is a transaction of its own, committed when it returns."""

    def explain(self, sql: str, params: Any = ()) -> dict[str, Any]:
        """The plan of a statement in words, and an index that was tried; see helpers.db.explain."""
        return self._connection.send(calls.explain(self._place, sql, params))

    def metrics(self) -> dict[str, Any]:
        """Sizes, counters, limits and expiry of the session."""
        return self._connection.send(calls.metrics(self._place))

    get_metrics = metrics

    def get_tables(self) -> list[str]:
        """Names of the session's tables and views."""
        return self._connection.send(calls.get_tables(self._place))

    def get_columns(self, table: str) -> list[dict[str, Any]]:
        """The columns of `table`."""
        return self._connection.send(calls.get_columns(self._place, table))

    def has_column(self, table: str, column: str) -> bool:
        """Whether `table` has `column`."""
        return self._connection.send(calls.has_column(self._place, table, column))

    def describe_table(self, table: str) -> dict[str, Any]:
        """What `table` was declared as and what it holds; see helpers.schema.describe_table."""
        return self._connection.send(calls.describe_table(self._place, table))

    def find_column(self, table: str, meaning: str) -> dict[str, Any] | None:
        """The column of `table` that `meaning` fits best; see helpers.schema.find_column."""
        return self._connection.send(calls.find_column(self._place, table, meaning))

    def pages(self, sql: str, params: Any = (), size: int = 1000) -> Iterator[list[dict[str, Any]]]:
        """The whole result in pages, as of its start, in constant memory; no turn is held."""
        size = page_size(size, self.limits.rows)
        columns, found = self.stream(sql, params)
        pages = Pages(columns, size)
        for row in found:
            if (page := pages.add(row)) is not None:
                yield page
        yield from filter(None, [pages.rest()])

    def stream(self, sql: str, params: Any = ()) -> tuple[list[str], Iterator[Row]]:
        """Column names and an iterator of rows over the whole result, in constant memory."""
        lines, reader = self._connection.lines(rows(self._place, sql, params)), RowLines()
        columns = reader.begin(next(lines, b""))

        def each() -> Iterator[Row]:
            with closing(lines):
                for line in lines:
                    if (row := reader.row(line)) is not None:
                        yield row
                reader.end()

        return columns, each()

    def import_file(
        self,
        path: str | Path,
        table: str | None = None,
        *,
        file_format: str | None = None,
        null: str | Sequence[str] = (),
        delimiter: str | None = None,
        encoding: str = "utf-8",
        if_exists: str = "error",
    ) -> Profile:
        """Read a file of this machine into a table with inferred types, in one transaction; see Session.import_file."""
        asked = transfer.import_asked(
            path, table, file_format=file_format, null=null, delimiter=delimiter, encoding=encoding,
            if_exists=if_exists,
        )  # fmt: skip
        with asked.path.open("rb") as file:
            return self._connection.send(files.import_call(self._place, asked, file))

    def export(
        self,
        what: str,
        path: str | Path,
        params: Any = (),
        *,
        file_format: str | None = None,
        null: str = "",
        force: bool = False,
    ) -> Exported:
        """Write all rows of a table or statement to a file of this machine; see Session.export."""
        tables = self.get_tables() if transfer.may_be_table(what) else ()
        plan = files.export_plan(what, tables, path, file_format, null, force)
        return plan.write(*self.stream(plan.sql, params))

    def export_file(self, path: str | Path, *, force: bool = False) -> int:
        """Write the session as it is committed now to one plain SQLite file of this machine; its size in bytes."""
        with files.written_whole(path, force) as file:
            return sum(map(file.write, self._connection.pieces(files.database(self._place))))

    def checkpoint(self, name: str, *, replace: bool = False) -> Checkpoint:
        """Keep a copy of the data as it is now under `name`: 1 to 64 letters, digits, `_ . : @ -`."""
        return self._connection.send(history.checkpoint(self._place, name, replace))

    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints of the session, the oldest first."""
        return self._connection.send(history.checkpoints(self._place))

    def list_checkpoints(self) -> list[Checkpoint]:
        """The same as `checkpoints`: the name that snippets know."""
        return self.checkpoints()

    def delete_checkpoint(self, name: str) -> None:
        """Delete a checkpoint; raises NoSuchCheckpoint."""
        self._connection.send(history.delete_checkpoint(self._place, name))

    def restore(self, name: str) -> Checkpoint:
        """Make the data what it was at the checkpoint `name`, wholly or not at all; the checkpoint stays."""
        return self._connection.send(history.restore(self._place, name))

    def undo(self) -> Undone:
        """Take the last change back: the last execution that wrote, call of the host, import or restore."""
        return self._connection.send(history.undo(self._place))

    def redo(self) -> Undone:
        """Do again what was undone last, where nothing was written since; raises CannotUndo."""
        return self._connection.send(history.redo(self._place))

    def fork(self, new_session_id: str | None = None, *, checkpoint: str | None = None) -> RemoteSession:
        """A new session with this one's data as it is now, or as it was at `checkpoint`; with the same limits."""
        made = self._connection.send(history.fork(self._place, new_session_id, checkpoint))
        return RemoteSession(self._connection, made.tenant, Place(made.id, self.limits))

    def diff(self, a: str | None, b: str | None = None, *, sample: int = 5) -> Differences:
        """What leads from the checkpoint `a` to `b`; None is the data as it is now. `sample`: rows of each kind."""
        return self._connection.send(history.diff(self._place, a, b, sample))

    def compact(self) -> dict[str, int]:
        """Give free pages back to the disk; answers the size in bytes `before` and `after`."""
        return self._connection.send(history.compact(self._place))

    def logs(self, limit: int = 100, *, kind: str | None = None, errors: bool = False) -> list[LogEntry]:
        """The newest entries of the execution log, newest first; never waits for a running execution."""
        return self._connection.send(history.logs(self._place, limit, kind, errors))

    def table_changes(self, table: str | None = None, limit: int = 100) -> list[TableChange]:
        """Which executions made or changed which table, the newest first; what was rolled back is not among them."""
        return self._connection.send(history.table_changes(self._place, table, limit))

    def slow_statements(self, limit: int = 100) -> list[SlowStatement]:
        """The newest statements that took longer than the setting `slow_statement_ms`, newest first, with plans."""
        return self._connection.send(history.slow_statements(self._place, limit))

    def usage_by_day(self) -> list[Day]:
        """What the session cost, by day (UTC), oldest first; the last 400 days."""
        return self._connection.send(history.usage_by_day(self._place))

    def size_history(self) -> list[SizeAt]:
        """The size of the database since the session was made, at most 256 points, the recent ones closer together."""
        return self._connection.send(history.size_history(self._place))

    def _execution(self, code: str, options: Any, mode: executions.Mode) -> Ask:
        retried = self._connection.terms.retries > 0
        return executions.execute(self._place, code, options, mode, retried=retried)

    def _events(self, ask: Ask) -> Generator[ExecutionEvent, None, None]:
        events = Events()
        with closing(self._connection.lines(ask)) as lines:
            for line in lines:
                yield from events.feed(line)
        events.end()

    def _heard(self, ask: Ask, listener: executions.Listener) -> Outcome:
        """Follow the execution; where the connection breaks, begin again and skip what was printed before."""
        attempts = self._connection.terms.attempts(ask)
        while True:
            try:
                for event in self._events(ask):
                    listener.take(event)
                return listener.outcome()
            except WorkerUnreachable as error:
                sleep(attempts.after_loss(error))
