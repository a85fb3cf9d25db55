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
    _meant = {
        "tables": "get_tables",
        "list_tables": "get_tables",
        "columns": "get_columns",
        "list_columns": "get_columns",
        "table_info": "get_columns",
        "get_table_info": "describe_table",
        "get_schema": "describe_table",
        "get_table_schema": "describe_table",
    }

    def __init__(self, channel: Channel) -> None:
        object.__setattr__(self, "_channel", channel)

    @spelled()
    def get_tables(self) -> list[str]:
        """The names of tables and views."""
        return list(self._channel.call("schema.get_tables"))

    @spelled()
    def get_columns(self, table: str) -> list[Answer]:
        """The columns of a table: `[{"name", "type", "not_null", "default_value", "primary_key", "generated"}]`."""
        return [Answer(column) for column in self._channel.call("schema.get_columns", _text(table, "table"))]

    @spelled()
    def has_column(self, table: str, column: str) -> bool:
        """Whether a table has a column, without regard to upper and lower case."""
        return bool(self._channel.call("schema.has_column", _text(table, "table"), _text(column, "column")))

    @spelled()
    def describe_table(self, table: str) -> Answer:
        """A table: columns, indexes, foreign_keys, checks, triggers, row_count, sample_rows, candidate_keys, joins.

        Each of `columns` has what get_columns tells and what it holds: `stored` (type → share of the values), `nulls`,
        `distinct`, `min`, `max`, `frequent` (`[{"value", "share"}]`), and `estimated`, the names of those that are
        guesses from some of the rows. `joins` are columns of other tables that hold the same values:
        `[{"column", "table", "references", "overlap", "covered", "unique", "estimated"}]`. It takes five seconds at
        most: `profile` says how many rows were examined, and what was `left_out`.
        `checks` are `[{"name", "rule"}]`, what a row has to fulfil; an index says `on` which columns and rows it is.
        `provenance`: `{"created", "changes"}`, the execution that made it and the last five that changed it.
        """
        return Answer(self._channel.call("schema.describe_table", _text(table, "table")))

    @spelled()
    def find_column(self, table: str, meaning: str) -> Answer | None:
        """The column of a table that fits a meaning best: `{"table", "name", "score"}`, or None.

        Names, synonyms, types and the values themselves count; `because` says which did, `alternatives` which other
        columns fit.
        """
        found = self._channel.call("schema.find_column", _text(table, "table"), _text(meaning, "meaning"))
        return None if found is None else Answer(found)


def _text(value: Any, what: str) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise HelperError("request.invalid", f"{what} must be text, not {value!r}")
