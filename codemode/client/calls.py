"""Every call of a session on its data, as a request and what its answer means: statements, records, state, schema."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from codemode import cells
from codemode.client.ask import Ask, Call, document, query_of
from codemode.client.asked import Asked, asked
from codemode.client.records import upload_of
from codemode.limits import Limits
from sandbox.helpers import Answer, Rows

_log = logging.getLogger("codemode")
_MOST_WARNINGS = 50  # as many as the engine's own


class Place(NamedTuple):
    """Which session is meant, and its limits, which bound how long its answers may take."""

    session_id: str
    limits: Limits

    @property
    def path(self) -> str:
        """Where the session is; an id holds nothing that a path could not."""
        return f"/v1/sessions/{self.session_id}"

    @property
    def seconds(self) -> float:
        """How long a call may take: the wait for the session's turn, then as long as a snippet may run."""
        return self.limits.queue_seconds + self.limits.execution_seconds

    def get(self, what: str, read: Callable[[Any], Any], **query: Any) -> Call[Any]:
        """A call that only reads."""
        ask = Ask(method="GET", path=f"{self.path}/{what}", query=query_of(**query), safe=True, seconds=self.seconds)
        return Call(ask, read)

    def post(self, what: str, read: Callable[[Any], Any], *, safe: bool = False, **fields: Any) -> Call[Any]:
        """A call with a body."""
        body = document(**fields)
        return Call(Ask(method="POST", path=f"{self.path}/{what}", body=body, safe=safe, seconds=self.seconds), read)

    def warned(self, warnings: Iterable[str]) -> None:
        """Log what was not stored as it came, as the embedded session does."""
        for text in warnings:
            _log.warning("session %s: %s", self.session_id, text)


def execute(place: Place, sql: Any, params: Any) -> Call[dict[str, Any]]:
    """One statement; what it changed."""
    statement, warnings = asked(lambda helpers: helpers.db.exec(sql, params))

    def read(found: dict[str, Any]) -> dict[str, Any]:
        place.warned(warnings)
        return _with_warnings(_executed(found, statement), warnings)

    return place.post("exec", read, **_statement(statement))


def query(place: Place, sql: Any, params: Any, *, read_only: bool) -> Call[Rows]:
    """The rows of one statement."""
    statement, warnings = asked(lambda helpers: helpers.db.query(sql, params))

    def read(found: dict[str, Any]) -> Rows:
        place.warned(() if read_only else warnings)
        truncated = found["result_info"]["truncated"]
        rows = _rows(found["columns"], found["result"], truncated, found["rows_read"], statement)
        rows.warnings.extend(_with_warnings(found, warnings).get("warnings", ()))
        return rows

    return place.post("query", read, safe=bool(read_only), read_only=bool(read_only), **_statement(statement))


def query_one(place: Place, sql: Any, params: Any) -> Call[dict[str, Any] | None]:
    """The first row, or None."""
    return _first(place, asked(lambda helpers: helpers.db.query_one(sql, params)))


def value(place: Place, sql: Any, params: Any) -> Call[Any]:
    """The first cell of the first row, or None."""
    first = _first(place, asked(lambda helpers: helpers.db.value(sql, params)))
    return Call(first.ask, lambda found: next(iter((first.read(found) or {"": None}).values())))


def _first(place: Place, statement: Asked) -> Call[dict[str, Any] | None]:
    def read(found: dict[str, Any]) -> dict[str, Any] | None:
        place.warned(statement.warnings)
        return cells.row_from_json(found["result"][0]) if found["result"] else None

    return place.post("query", read, read_only=False, first=True, **_statement(statement.arguments[:2]))


def batch(place: Place, items: Iterable[Any]) -> Call[list[dict[str, Any]]]:
    """Several statements, all or nothing."""
    (statements,), warnings = asked(lambda helpers: helpers.db.batch(items))

    def read(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        place.warned(warnings)
        return [_executed(each) for each in found]

    return place.post("batch", read, statements=[_statement(each) for each in statements])


def script(place: Place, sql: Any) -> Call[list[dict[str, Any]]]:
    """Many statements in one text."""
    (text,), _ = asked(lambda helpers: helpers.db.script(sql))
    return place.post("script", lambda found: [_executed(each) for each in found], sql=text)


def batch_insert(place: Place, table: str, records: Any, **options: Any) -> Call[dict[str, Any]]:
    """Records into a table, streamed into one transaction."""
    create = bool(options.pop("create", False))
    (name, columns, checked), _ = asked(lambda helpers: helpers.db.batch_insert(table, (), **options))
    warnings: list[str] = []

    def read(found: dict[str, Any]) -> dict[str, Any]:
        place.warned(warnings)
        return _with_warnings(found, warnings)

    def warn(text: str) -> None:
        if text not in warnings and len(warnings) < _MOST_WARNINGS:
            warnings.append(text)

    query = query_of(table=name, columns=columns, on_conflict=checked["on_conflict"], key=checked["key"], create=create)
    upload = upload_of(records, columns, warn)
    # Sending takes as long as the records take to come: it is the silence after them that is bounded.
    ask = Ask(method="POST", path=f"{place.path}/batch_insert", query=query, upload=upload, seconds=place.seconds)
    return Call(ask, read)


def create_table(place: Place, table: str, schema: Any, if_not_exists: bool) -> Call[dict[str, Any]]:
    """A new table."""
    (name, columns, quietly), _ = asked(
        lambda helpers: helpers.db.create_table(table, schema, if_not_exists=if_not_exists)
    )
    return place.post("create_table", dict, name=name, columns=columns, if_not_exists=quietly)


def explain(place: Place, sql: Any, params: Any) -> Call[dict[str, Any]]:
    """The plan of a statement."""
    statement, _ = asked(lambda helpers: helpers.db.explain(sql, params))
    return place.post("explain", dict, safe=True, **_statement(statement))


def save_state(place: Place, key: str, value: Any) -> Call[None]:
    """A value under a key."""
    (name, text), warnings = asked(lambda helpers: helpers.db.save_state(key, value))
    ask = Ask(
        method="PUT", path=f"{place.path}/state/value", query=query_of(key=name), safe=True, seconds=place.seconds,
        body=document(value=msgspec.Raw(text.encode())),
    )  # fmt: skip
    return Call(ask, lambda _: place.warned(warnings))


def get_state(place: Place, key: str, default: Any) -> Call[Any]:
    """The value under a key."""
    (name,), _ = asked(lambda helpers: helpers.db.get_state(key, default))
    return place.get("state/value", lambda found: found["value"] if found["found"] else default, key=name)


def delete_state(place: Place, key: str) -> Call[bool]:
    """Whether a key was there; it is not any longer."""
    (name,), _ = asked(lambda helpers: helpers.db.delete_state(key))
    ask = Ask(method="DELETE", path=f"{place.path}/state/value", query=query_of(key=name), seconds=place.seconds)
    return Call(ask, lambda found: bool(found["deleted"]))


def list_state(place: Place) -> Call[list[str]]:
    """The keys."""
    return place.get("state", lambda found: list(found["keys"]))


def metrics(place: Place) -> Call[dict[str, Any]]:
    """Sizes, counters, limits and expiry."""
    return place.get("metrics", dict)


def get_tables(place: Place) -> Call[list[str]]:
    """Names of tables."""
    return place.get("schema", lambda found: [each["name"] for each in found["tables"]])


def get_columns(place: Place, table: str) -> Call[list[dict[str, Any]]]:
    """The columns of a table."""
    (name,), _ = asked(lambda helpers: helpers.schema.get_columns(table))
    return place.get("schema", lambda found: [Answer(each) for each in found["tables"][0]["columns"]], table=name)


def has_column(place: Place, table: str, column: str) -> Call[bool]:
    """Whether a table has a column."""
    (name, wanted), _ = asked(lambda helpers: helpers.schema.has_column(table, column))
    return place.get("has_column", lambda found: bool(found["found"]), table=name, column=wanted)


def describe_table(place: Place, table: str) -> Call[dict[str, Any]]:
    """What a table is and holds."""
    (name,), _ = asked(lambda helpers: helpers.schema.describe_table(table))
    return place.get("describe", lambda found: cells.all_from_json(found, ("sample_rows",)), table=name)


def find_column(place: Place, table: str, meaning: str) -> Call[dict[str, Any] | None]:
    """The column that a meaning fits best."""
    (name, words), _ = asked(lambda helpers: helpers.schema.find_column(table, meaning))
    return place.get("find_column", lambda found: found["found"] and Answer(found["found"]), table=name, meaning=words)


def statement_body(sql: Any, params: Any) -> bytes:
    """One statement as a body."""
    return document(**_statement(asked(lambda helpers: helpers.db.pages(sql, params)).arguments[:2]))


def _statement(arguments: Iterable[Any]) -> dict[str, Any]:
    sql, params = arguments
    if isinstance(params, dict):
        return {"sql": sql, "params": {name: cells.to_json(value) for name, value in params.items()}}
    return {"sql": sql, "params": [cells.to_json(value) for value in params]}


def _executed(found: dict[str, Any], statement: tuple[Any, ...] | None = None) -> Answer:
    if "rows" not in found:
        return Answer(found)
    rows = _rows(found["columns"], found["rows"], found.get("truncated", False), found.get("rows_read", 0), statement)
    return Answer({**found, "rows": rows})


def _rows(columns: list[str], found: list[Any], truncated: bool, rows_read: int, source: Any) -> Rows:
    listed = [[cells.from_json(cell) for cell in row.values()] for row in found]
    return Rows(columns, listed, truncated=truncated, rows_read=rows_read, source=source)


def _with_warnings(found: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    both = [*warnings, *(text for text in found.get("warnings", ()) if text not in warnings)]
    rest = {name: value for name, value in found.items() if name != "warnings"}
    return {**rest, "warnings": both} if both else rest
