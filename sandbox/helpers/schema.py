"""`helpers.schema`: what the session's tables look like."""

from __future__ import annotations

from typing import Any

from sandbox.helpers.channel import Channel
from sandbox.helpers.error import HelperError
from sandbox.helpers.rows import Answer
from sandbox.helpers.spelling import Spelled, spelled


class Schema(Spelled):
    """The tables of the session and their columns; the engine's own tables are not listed."""

    __slots__ = ("_channel",)
    _label = "helpers.schema"

    def __init__(self, channel: Channel) -> None:
        object.__setattr__(self, "_channel", channel)

    @spelled()
    def get_tables(self) -> list[str]:
        """The names of the tables."""
        return list(self._channel.call("schema.get_tables"))

    @spelled()
    def get_columns(self, table: str) -> list[Answer]:
        """The columns of a table: `[{"name", "type", "not_null", "default_value", "primary_key"}]`."""
        return [Answer(column) for column in self._channel.call("schema.get_columns", _text(table, "table"))]

    @spelled()
    def has_column(self, table: str, column: str) -> bool:
        """Whether a table has a column, without regard to upper and lower case."""
        return bool(self._channel.call("schema.has_column", _text(table, "table"), _text(column, "column")))

    @spelled()
    def describe_table(self, table: str) -> Answer:
        """Everything about a table: `{"table", "columns", "indexes", "foreign_keys", "row_count", "sample_rows"}`.

        And `"provenance"`: `{"created", "changes"}`, the execution that made it and the last five that changed it.
        """
        return Answer(self._channel.call("schema.describe_table", _text(table, "table")))

    @spelled()
    def find_column(self, table: str, meaning: str) -> Answer | None:
        """The column of a table whose name comes closest to a meaning: `{"table", "name", "score"}`, or None."""
        found = self._channel.call("schema.find_column", _text(table, "table"), _text(meaning, "meaning"))
        return None if found is None else Answer(found)


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise HelperError("request.invalid", f"{what} must be text, not {value!r}")
