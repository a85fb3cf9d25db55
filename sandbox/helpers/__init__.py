"""What is injected into a snippet as `helpers`: proxies for the database, and pure query builders.

Every call is answered by the worker through a `Channel`; the same objects serve a host's own `Session` through a
local one. Only the standard library is used here.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.helpers.channel import Channel
from sandbox.helpers.db import Database
from sandbox.helpers.error import HelperError, UnknownHelper, UnknownKey
from sandbox.helpers.host import HostFunctions, lend
from sandbox.helpers.quoting import Query
from sandbox.helpers.rows import Answer, Rows
from sandbox.helpers.schema import Schema
from sandbox.helpers.spelling import Spelled, snake
from sandbox.helpers.sql import Builders

__all__ = [
    "MEMBERS",
    "Answer",
    "Builders",
    "Channel",
    "Database",
    "HelperError",
    "Helpers",
    "HostFunctions",
    "Query",
    "Rows",
    "Schema",
    "UnknownHelper",
    "UnknownKey",
    "renew",
]

_MOST_WARNINGS = 50
_INSTEAD = {
    "there is no network: data comes in as inputs, or through functions of the host": (
        "http https fetch request requests get post url web browser search download api"
    ),
    "there are no files: keep data in helpers.db": "file files fs open read write read_file write_file",
    "no process can be started": "shell bash subprocess run_command",
    "use print(...)": "print log logger console output",
    "functions of the host are in helpers.host": "call tool tools call_tool functions llm ai",
}
_PLACES = (("schema", Schema), ("sql", Builders), ("db", Database))
MEMBERS = {name: f"{place}.{name}" for place, members in _PLACES for name in vars(members) if not name.startswith("_")}
for _, _members in _PLACES:  # `helpers.db.count_by` is helpers.sql.count_by
    elsewhere = {name: f"helpers.{path}" for name, path in MEMBERS.items() if name not in vars(_members)}
    _members._meant = {**elsewhere, **_members._meant}


class Helpers(Spelled):
    """The `helpers` of one snippet: `db`, `sql`, `schema`, `host` and `Error`."""

    __slots__ = ("_db", "_host", "_schema", "_sql", "_warnings")
    _label = "helpers"
    _meant = {"database": "db"} | MEMBERS
    _instead = {name: hint for hint, names in _INSTEAD.items() for name in names.split()}
    Error = HelperError

    def __init__(self, channel: Channel, functions: Iterable[str] = ()) -> None:
        fill = object.__setattr__
        fill(self, "_warnings", {})
        fill(self, "_db", Database(channel, self._warn))
        fill(self, "_sql", Builders())
        fill(self, "_schema", Schema(channel))
        fill(self, "_host", HostFunctions(channel, functions, self._warn))

    @property
    def db(self) -> Database:
        """The session's database."""
        db: Database = self._db
        return db

    @property
    def sql(self) -> Builders:
        """Query builders."""
        sql: Builders = self._sql
        return sql

    @property
    def schema(self) -> Schema:
        """The session's tables and columns."""
        schema: Schema = self._schema
        return schema

    @property
    def host(self) -> HostFunctions:
        """The functions that the host lends."""
        host: HostFunctions = self._host
        return host

    @property
    def warnings(self) -> list[str]:
        """What was not done quite as asked, each once: the first fifty."""
        return list(self._warnings)

    def _alike(self, alias: str) -> list[str]:
        lent = [f"host.{name}" for name in dir(self.host) if snake(name) == alias]
        return lent or super()._alike(alias)

    def _warn(self, text: str) -> None:
        if len(self._warnings) < _MOST_WARNINGS:
            self._warnings[text] = None


def renew(helpers: Helpers, functions: Iterable[str]) -> None:
    """Make the helpers of a kept child ready for its next snippet; the objects stay, a snippet may hold them."""
    helpers._warnings.clear()
    lend(helpers.host, functions)
