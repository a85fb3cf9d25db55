"""The same session for programs that do not block: calls are awaited, pages and events come by `async for`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from anyio import sleep, to_thread

from codemode.asked import page_size
from codemode.client import calls, executions, files, history
from codemode.client.calls import Place
from codemode.client.connection import AsyncConnection
from codemode.client.executions import Events, ExecutionEvent
from codemode.client.handles import AsyncBackgroundExecution
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


class AsyncRemoteSession:
    """A tenant's named working memory in a service; made by `AsyncClient.session`, safe to use from several threads."""

    def __init__(self, connection: AsyncConnection, tenant: str, place: Place) -> None:
        self.id, self.tenant, self.limits = place.session_id, tenant, place.limits
        self._connection, self._place = connection, place

    def __repr__(self) -> str:
        return f"<AsyncRemoteSession {self.id}>"

    async def run(self, code: str, **options: Unpack[RunOptions]) -> Outcome:
        """Run a snippet and answer with its outcome: all or nothing, unless `atomic` is False.

        `options` are those of `codemode.Session.run`, but for `functions`, which cannot be lent over HTTP. A connection
        that breaks is no reason to run twice: see `AsyncClient`.
        """
        if executions.listens(options):
            return await self._heard(self._execution(code, options, "stream"), executions.Listener(options))
        return await self._connection.send(executions.outcome_call(self._execution(code, options, "sync")))

    run_async = run

    def follow(self, code: str, **options: Unpack[RunOptions]) -> AsyncIterator[ExecutionEvent]:
        """Run a snippet and tell what happens while it runs; the last event is its outcome.

        Closing the iterator before its end cancels the execution.
        """
        return self._events(self._execution(code, options, "stream"))

    async def background(self, code: str, **options: Unpack[RunOptions]) -> AsyncBackgroundExecution:
        """Run a snippet in the background of the service: its handle at once, its outcome for an hour after its end."""
        begun = await self._connection.send(executions.background_call(self._execution(code, options, "background")))
        return AsyncBackgroundExecution(self._connection, begun)

    async def cancel(self) -> bool:
        """End the running execution, from another thread; whether it ends cancelled: one that commits already stays."""
        return await self._connection.send(executions.cancel(self._place))

    async def exec(self, sql: str, params: Any = ()) -> dict[str, Any]:
        """Run one statement; see helpers.db.exec.

        `warnings` beside its answer: values that were not stored as they came, and what the statement can hardly mean.
        """
        return await self._connection.send(calls.execute(self._place, sql, params))

    async def query(self, sql: str, params: Any = (), *, read_only: bool = False) -> Rows:
        """Rows of one statement; with `read_only` on a connection of its own that never waits for a writer.

        `.warnings` of the rows: values that were not bound as they came, and what the statement can hardly mean.
        """
        return await self._connection.send(calls.query(self._place, sql, params, read_only=read_only))

    async def query_one(self, sql: str, params: Any = ()) -> dict[str, Any] | None:
        """The first row or None."""
        return await self._connection.send(calls.query_one(self._place, sql, params))

    async def value(self, sql: str, params: Any = ()) -> Any:
        """The first cell or None."""
        return await self._connection.send(calls.value(self._place, sql, params))

    async def batch(self, items: Iterable[Any]) -> list[dict[str, Any]]:
        """Several statements, all or nothing."""
        return await self._connection.send(calls.batch(self._place, items))

    async def script(self, sql: str) -> list[dict[str, Any]]:
        """Many statements in one text, all or nothing."""
        return await self._connection.send(calls.script(self._place, sql))

    async def batch_insert(
        self, table: str, records: Iterable[Any] | AsyncIterable[Any], **options: Any
    ) -> dict[str, Any]:
        """Insert records; see helpers.db.batch_insert for `columns`, `on_conflict`, `key` and `create`.

        They are sent as they come, in constant memory. An open file of NDJSON does too.
        """
        return await self._connection.send(calls.batch_insert(self._place, table, records, **options))

    async def create_table(
        self, name: str, schema: str | Mapping[str, str], if_not_exists: bool = False
    ) -> dict[str, Any]:
        """Create a table from the text between its parentheses, or from a dict of column → type."""
        return await self._connection.send(calls.create_table(self._place, name, schema, if_not_exists))

    async def save_state(self, key: str, value: Any) -> None:
        """Keep a JSON value under `key`."""
        await self._connection.send(calls.save_state(self._place, key, value))

    async def get_state(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`."""
        return await self._connection.send(calls.get_state(self._place, key, default))

    async def delete_state(self, key: str) -> bool:
        """Forget `key`; whether it was there."""
        return await self._connection.send(calls.delete_state(self._place, key))

    async def list_state(self) -> list[str]:
        """All keys of the state, sorted."""
        return await self._connection.send(calls.list_state(self._place))

    async def commit(self) -> None:
        """Nothing is left to do: each call is a transaction of its own, committed when it returns."""

    async def explain(self, sql: str, params: Any = ()) -> dict[str, Any]:
        """The plan of a statement in words, and an index that was tried; see helpers.db.explain."""
        return await self._connection.send(calls.explain(self._place, sql, params))

    async def metrics(self) -> dict[str, Any]:
        """Sizes, counters, limits and expiry of the session."""
        return await self._connection.send(calls.metrics(self._place))

    get_metrics = metrics

    async def get_tables(self) -> list[str]:
        """Names of the session's tables and views."""
        return await self._connection.send(calls.get_tables(self._place))

    async def get_columns(self, table: str) -> list[dict[str, Any]]:
        """The columns of `table`."""
        return await self._connection.send(calls.get_columns(self._place, table))

    async def has_column(self, table: str, column: str) -> bool:
        """Whether `table` has `column`."""
        return await self._connection.send(calls.has_column(self._place, table, column))

    async def describe_table(self, table: str) -> dict[str, Any]:
        """What `table` was declared as and what it holds; see helpers.schema.describe_table."""
        return await self._connection.send(calls.describe_table(self._place, table))

    async def find_column(self, table: str, meaning: str) -> dict[str, Any] | None:
        """The column of `table` that `meaning` fits best; see helpers.schema.find_column."""
        return await self._connection.send(calls.find_column(self._place, table, meaning))

    async def pages(self, sql: str, params: Any = (), size: int = 1000) -> AsyncIterator[list[dict[str, Any]]]:
        """The whole result in pages, as of its start, in constant memory; no turn is held."""
        size = page_size(size, self.limits.rows)
        columns, found = await self._stream(sql, params)
        pages = Pages(columns, size)
        async with aclosing(found):
            async for row in found:
                if (page := pages.add(row)) is not None:
                    yield page
        if rest := pages.rest():
            yield rest

    async def stream(self, sql: str, params: Any = ()) -> tuple[list[str], AsyncIterator[Row]]:
        """Column names and an iterator of rows over the whole result, in constant memory."""
        return await self._stream(sql, params)

    async def import_file(
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
            return await self._connection.send(files.import_call(self._place, asked, file))

    async def export(
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
        tables = await self.get_tables() if transfer.may_be_table(what) else ()
        plan = files.export_plan(what, tables, path, file_format, null, force)
        columns, found = await self._stream(plan.sql, params)
        async with aclosing(found):
            return await files.written(plan, columns, found)

    async def export_file(self, path: str | Path, *, force: bool = False) -> int:
        """Write the session as it is committed now to one plain SQLite file of this machine; its size in bytes."""
        with files.written_whole(path, force) as file:
            return sum([await to_thread.run_sync(file.write, piece) async for piece in self._database()])

    async def checkpoint(self, name: str, *, replace: bool = False) -> Checkpoint:
        """Keep a copy of the data as it is now under `name`: 1 to 64 letters, digits, `_ . : @ -`."""
        return await self._connection.send(history.checkpoint(self._place, name, replace))

    async def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints of the session, the oldest first."""
        return await self._connection.send(history.checkpoints(self._place))

    async def list_checkpoints(self) -> list[Checkpoint]:
        """The same as `checkpoints`: the name that snippets know."""
        return await self.checkpoints()

    async def delete_checkpoint(self, name: str) -> None:
        """Delete a checkpoint; raises NoSuchCheckpoint."""
        await self._connection.send(history.delete_checkpoint(self._place, name))

    async def restore(self, name: str) -> Checkpoint:
        """Make the data what it was at the checkpoint `name`, wholly or not at all; the checkpoint stays."""
        return await self._connection.send(history.restore(self._place, name))

    async def undo(self) -> Undone:
        """Take the last change back: the last execution that wrote, call of the host, import or restore."""
        return await self._connection.send(history.undo(self._place))

    async def redo(self) -> Undone:
        """Do again what was undone last, where nothing was written since; raises CannotUndo."""
        return await self._connection.send(history.redo(self._place))

    async def fork(self, new_session_id: str | None = None, *, checkpoint: str | None = None) -> AsyncRemoteSession:
        """A new session with this one's data as it is now, or as it was at `checkpoint`; with the same limits."""
        made = await self._connection.send(history.fork(self._place, new_session_id, checkpoint))
        return AsyncRemoteSession(self._connection, made.tenant, Place(made.id, self.limits))

    async def diff(self, a: str | None, b: str | None = None, *, sample: int = 5) -> Differences:
        """What leads from the checkpoint `a` to `b`; None is the data as it is now. `sample`: rows of each kind."""
        return await self._connection.send(history.diff(self._place, a, b, sample))

    async def compact(self) -> dict[str, int]:
        """Give free pages back to the disk; answers the size in bytes `before` and `after`."""
        return await self._connection.send(history.compact(self._place))

    async def logs(self, limit: int = 100, *, kind: str | None = None, errors: bool = False) -> list[LogEntry]:
        """The newest entries of the execution log, newest first; never waits for a running execution."""
        return await self._connection.send(history.logs(self._place, limit, kind, errors))

    async def table_changes(self, table: str | None = None, limit: int = 100) -> list[TableChange]:
        """Which executions made or changed which table, the newest first; what was rolled back is not among them."""
        return await self._connection.send(history.table_changes(self._place, table, limit))

    async def slow_statements(self, limit: int = 100) -> list[SlowStatement]:
        """The newest statements that took longer than the setting `slow_statement_ms`, newest first, with plans."""
        return await self._connection.send(history.slow_statements(self._place, limit))

    async def usage_by_day(self) -> list[Day]:
        """What the session cost, by day (UTC), oldest first; the last 400 days."""
        return await self._connection.send(history.usage_by_day(self._place))

    async def size_history(self) -> list[SizeAt]:
        """The size of the database since the session was made, at most 256 points, the recent ones closer together."""
        return await self._connection.send(history.size_history(self._place))

    async def _stream(self, sql: str, params: Any) -> tuple[list[str], AsyncGenerator[Row, None]]:
        lines, reader = self._connection.lines(rows(self._place, sql, params)), RowLines()
        columns = reader.begin(await anext(lines, b""))

        async def each() -> AsyncGenerator[Row, None]:
            async with aclosing(lines):
                async for line in lines:
                    if (row := reader.row(line)) is not None:
                        yield row
                reader.end()

        return columns, each()

    def _database(self) -> AsyncIterator[bytes]:
        return self._connection.pieces(files.database(self._place))

    def _execution(self, code: str, options: Any, mode: executions.Mode) -> Ask:
        retried = self._connection.terms.retries > 0
        return executions.execute(self._place, code, options, mode, retried=retried)

    async def _events(self, ask: Ask) -> AsyncGenerator[ExecutionEvent, None]:
        events = Events()
        async with aclosing(self._connection.lines(ask)) as lines:
            async for line in lines:
                for event in events.feed(line):
                    yield event
        events.end()

    async def _heard(self, ask: Ask, listener: executions.Listener) -> Outcome:
        """Follow the execution; where the connection breaks, begin again and skip what was printed before."""
        attempts = self._connection.terms.attempts(ask)
        while True:
            try:
                async with aclosing(self._events(ask)) as events:
                    async for event in events:
                        listener.take(event)
                return listener.outcome()
            except WorkerUnreachable as error:
                await sleep(attempts.after_loss(error))
