"""A channel in memory, which writes every call down as the wire would, and real SQLite for what builders build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import apsw
import msgpack
import pytest

from sandbox.helpers import HelperError, Helpers, Query


class RecordingChannel:
    """Answers each method from `answers`: a value, an exception to raise, or a function of the arguments."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {name.replace("__", "."): answer for name, answer in answers.items()}
        self.calls: list[tuple[Any, ...]] = []
        self.owed: HelperError | None = None

    def call(self, method: str, *args: Any) -> Any:
        answer = self._answer(*self._sent(method, args))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, method: str, *args: Any) -> None:
        answer = self._answer(*self._sent(method, args))
        self.owed = answer if isinstance(answer, HelperError) else None

    def _sent(self, method: str, args: tuple[Any, ...]) -> list[Any]:
        try:
            packed = msgpack.packb([method, *args], strict_types=True)
        except (TypeError, ValueError, OverflowError) as error:
            raise HelperError("sql.value", f"{method}: a value cannot be sent ({error})") from None
        if self.owed is not None:
            owed, self.owed = self.owed, None
            raise owed
        sent: list[Any] = msgpack.unpackb(packed, strict_map_key=False)
        self.calls.append(tuple(sent))
        return sent

    def _answer(self, method: str, *args: Any) -> Any:
        answer = self.answers.get(method)
        return answer(*args) if callable(answer) else answer

    def named(self, method: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of `method`."""
        return [arguments for name, *arguments in map(list, self.calls) if name == method]


@pytest.fixture
def channel() -> RecordingChannel:
    return RecordingChannel(
        db__exec={"success": True, "rows_read": 0, "rows_written": 1, "changes": 1, "last_row_id": 7},
        db__query={"columns": ["a", "b"], "values": [[1, 2], ["x", "y"]], "truncated": False, "rows_read": 2},
        db__batch=lambda items: [{"success": True, "changes": 0} for _ in items],
        db__script=[{"success": True}],
        db__batch_begin=lambda table, columns, options: {
            "batch": 1,
            "columns": columns or ["id", "name", "price"],
            "chunk_rows": 500,
            "types": [],
            "defaults": ["price"],
        },
        db__batch_end={"success": True, "rows_written": 0, "chunks": 0, "columns": []},
        db__create_table={"success": True},
        db__pages_open={"cursor": 5, "columns": ["n"]},
        db__list_state=["a", "b"],
        db__delete_state=True,
        db__explain={"plan": ["scan t"], "scans": 1, "sorts": 0, "advice": []},
        db__get_metrics={"session_id": "s", "database_size": 4096},
        schema__get_tables=["t"],
        schema__get_columns=[{"name": "a", "type": "TEXT"}],
        schema__has_column=True,
        schema__describe_table={"table": "t", "columns": []},
    )


@pytest.fixture
def helpers(channel: RecordingChannel) -> Helpers:
    return Helpers(channel, ["lookup_price", "sendMail"])


@pytest.fixture
def refused() -> Callable[..., HelperError]:
    """Call something that must raise HelperError, and answer the error."""

    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> HelperError:
        with pytest.raises(HelperError) as caught:
            function(*args, **kwargs)
        return caught.value

    return call


class Engine:
    """Real SQLite with the worker's own reading of names: quoted text is never a string."""

    def __init__(self) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
        self.connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
        self.connection.limit(apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table without declared types: values stay as they are given."""
        quoted = ['"' + column.replace('"', '""') + '"' for column in columns]
        table = '"' + name.replace('"', '""') + '"'
        self.connection.execute(f"DROP TABLE IF EXISTS {table}")
        self.connection.execute(f"CREATE TABLE {table} ({', '.join(quoted)})")
        self.connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(quoted))})", map(tuple, rows))

    def rows(self, query: Query | str) -> list[dict[str, Any]]:
        """What a query answers, one dict a row."""
        cursor = self.connection.cursor()
        cursor.execute(query, getattr(query, "params", ()))
        found = cursor.fetchall()
        if not found:
            return []
        names = [column[0] for column in self.columns(query)]
        return [dict(zip(names, row, strict=True)) for row in found]

    def columns(self, query: Query | str) -> list[tuple[str]]:
        """The columns that a query answers, also where it answers no rows."""
        names: list[Any] = []
        cursor = self.connection.cursor()
        cursor.exec_trace = lambda cursor, sql, bindings: names.extend(cursor.get_description()) or True
        cursor.execute(query, getattr(query, "params", ()))
        cursor.close(True)
        return names


@pytest.fixture
def engine() -> Engine:
    return Engine()
