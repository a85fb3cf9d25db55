"""Questions to a catalogue in PostgreSQL: a role that may read one tenant's views, in a transaction that only reads.

For each question there are TEMP views with the tenant in them, which nothing that a question sets can change, and only
the role `codemode_asking` runs its text: inside of a function of its own, where PostgreSQL lets nobody become another
role (`set_config('role', …)`), and which stops at so many rows and bytes. Everything is rolled back afterwards.

What has an effect that no rollback takes back (a lock of the session's, a signal), or holds up others until then, is a
function that PostgreSQL calls volatile. Anybody may call most of those, so the server is asked what the text would
call, and read, before it runs: of a view of it. Those that tell of the server (`pg_stat_get_live_tuples`), or read
tables that no text names (`table_to_xml`), are known by their names.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Literal

import psycopg
from psycopg import errors, sql

from codemode.catalog.asking import Question, not_shown
from codemode.catalog.store import Row
from codemode.catalog.views import View, shown
from codemode.database.execute import Result, unique_names
from codemode.errors import (
    CodemodeError,
    NoSuchColumn,
    NoSuchFunction,
    NoSuchTable,
    ParametersInvalid,
    StatementFailed,
    StatementLimit,
    StatementSyntaxError,
    StatementTimeout,
    WorkerUnavailable,
)

ROLE = "codemode_asking"
_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name <> 'migrations'
"""
# A row at a time, so that neither many rows nor wide ones are held by the server or sent.
_ANSWERED = """
    CREATE FUNCTION pg_temp.answered(question text, most bigint, room bigint) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_temp, pg_catalog AS $answered$
    DECLARE found text;
    BEGIN
        FOR found IN EXECUTE 'SELECT row_to_json(asked)::text FROM (' || question || E'\\n) AS asked' LOOP
            RETURN NEXT found;
            most := most - 1;
            room := room - octet_length(found);
            EXIT WHEN most <= 0 OR room < 0;
        END LOOP;
    END $answered$
"""
# What PostgreSQL has understood of the text: in a view's rule stands the number of each function and table.
_AS_VIEW = 'CREATE TEMP VIEW "<asked>" AS SELECT FROM ({text}\n) AS asked'
_UNDERSTOOD = r"""
    WITH found AS (
        SELECT part[1] AS kind, part[2]::oid AS id
        FROM pg_rewrite, regexp_matches(ev_action::text, ':(funcid|aggfnoid|winfnoid|relid) (\d+)', 'g') AS part
        WHERE ev_class = 'pg_temp."<asked>"'::regclass
    )
    SELECT 'function ' || proname || '()' FROM found JOIN pg_proc ON pg_proc.oid = id
    WHERE kind <> 'relid' AND proname <> ALL ($1)
        AND (provolatile = 'v' OR proname LIKE ANY (ARRAY['pg\_%', 'txid\_%', '%\_to\_xml%']))
    UNION ALL SELECT relname FROM found JOIN pg_class ON pg_class.oid = id
    WHERE kind = 'relid' AND relnamespace <> pg_my_temp_schema()
    LIMIT 1
"""
_HARMLESS = ["clock_timestamp", "gen_random_uuid", "pg_typeof", "random", "random_normal", "uuidv4", "uuidv7"]
# What is no placeholder although it may look like one: text, names, comments, casts; then ?, ?1 and :name. What is open
# at the end goes to the end: else each of a thousand opening marks would be looked for a partner of, up to there.
_PARTS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?<![\w$])\$(\w*)\$.*?(?:\$\1\$|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|::"
    r"|\?(?P<number>\d*)|:(?P<name>[A-Za-z_]\w*)", re.DOTALL,
)  # fmt: skip


class PostgresAsking:
    """The wall around one question, on a connection that nobody else uses meanwhile."""

    dialect: Literal["postgres"] = "postgres"

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        tables: defaultdict[str, list[str]] = defaultdict(list)
        for table, column in connection.execute(_COLUMNS):
            tables[table].append(column)
        self.views: list[View] = shown(tables)

    def answer(self, question: Question, functions: Collection[str]) -> Result:
        """Its answer; see `Asking.answer`. Which functions it may call is what the role may."""
        connection, text = self._connection, _with_values(question, self._connection)
        try:
            with connection.transaction(force_rollback=True):
                self._show(question.tenant)
                milliseconds = max(1, int((question.until - time.monotonic()) * 1000))
                connection.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                columns = self._columns(text)
                self._check(text)
                connection.execute("SET TRANSACTION READ ONLY")
                found = connection.execute(
                    "SELECT pg_temp.answered($1, $2, $3)", (text, question.rows + 1, question.result_bytes)
                ).fetchall()
        except psycopg.Error as error:
            raise self._told(error) from None
        return _result(columns, [row[0] for row in found], question)

    def _show(self, tenant: str) -> None:
        """Make the views of `tenant`, and the function that reads them, and become who may do nothing else."""
        schema = self._one("SELECT current_schema()")
        connection = self._connection
        connection.execute("SELECT set_config('codemode.tenant', $1, true)", (tenant,))
        views = [
            f'CREATE TEMP VIEW "{view.name}" WITH (security_barrier) AS {view.select(tenant, schema)}'
            for view in self.views
        ]
        names = ", ".join(f'pg_temp."{view.name}"' for view in self.views)
        connection.execute("; ".join([*views, f"GRANT SELECT ON {names} TO {ROLE}"]), prepare=False)
        connection.execute(f"SET LOCAL ROLE {ROLE}")
        connection.execute(_ANSWERED)
        connection.execute("SET LOCAL search_path = pg_temp, pg_catalog")

    def _columns(self, text: str) -> tuple[str, ...]:
        """The names of what the question answers; one that is two statements is refused here, by the server."""
        connection = self._connection.pgconn
        _raise_for(connection.prepare(b"", text.encode()))
        described = connection.describe_prepared(b"")
        return tuple((described.fname(number) or b"").decode() for number in range(described.nfields))

    def _check(self, text: str) -> None:
        """Raise StatementRefused where it would call what acts, or read what is no view of the tenant's."""
        connection = self._connection.pgconn
        _raise_for(connection.prepare(b"", _AS_VIEW.format(text=text).encode()))  # which takes one statement alone
        _raise_for(connection.exec_prepared(b"", None))
        found = self._connection.execute(_UNDERSTOOD, (_HARMLESS,)).fetchone()
        if found is not None:
            raise not_shown(found[0], self.views)

    def _one(self, text: str) -> Any:
        row = self._connection.execute(text).fetchone()
        return None if row is None else row[0]

    def _told(self, error: psycopg.Error) -> CodemodeError:
        message = (error.diag.message_primary or str(error)).partition("\n")[0].removeprefix("ERROR:").strip()
        if isinstance(error, errors.QueryCanceled):
            return StatementTimeout("the question took longer than it may", hint="ask for less")
        if ROLE in message and isinstance(error, errors.UndefinedObject):
            return _no_role("which nobody has made", f"CREATE ROLE {ROLE} NOLOGIN; ")
        if ROLE in message and isinstance(error, errors.InsufficientPrivilege):
            return _no_role("which was not granted to the one that codemode connects as")
        if isinstance(error, errors.InsufficientPrivilege | errors.ReadOnlySqlTransaction):
            return not_shown(f"this ({message})", self.views)
        for kinds, made in _BY_KIND:
            if isinstance(error, kinds):
                return made(message)
        if isinstance(error, errors.UndefinedTable):
            return NoSuchTable(message, available=[view.name for view in self.views])
        if isinstance(error, errors.OperationalError) and not error.sqlstate:
            return WorkerUnavailable("the catalogue does not answer", hint="try again")  # no address in it
        return StatementFailed(message)


_BY_KIND: tuple[tuple[tuple[type[psycopg.Error], ...], type[CodemodeError]], ...] = (
    ((errors.UndefinedColumn,), NoSuchColumn),
    ((errors.UndefinedFunction,), NoSuchFunction),
    ((errors.SyntaxError,), StatementSyntaxError),
    ((errors.UndefinedParameter, errors.IndeterminateDatatype), ParametersInvalid),
    ((errors.ProgramLimitExceeded, errors.StatementTooComplex, errors.DiskFull, errors.OutOfMemory), StatementLimit),
)


def _no_role(why: str, first: str = "") -> WorkerUnavailable:
    """The error for a server whose operator has not let questions be asked yet."""
    return WorkerUnavailable(
        f"questions to a catalogue in PostgreSQL need the role {ROLE}, {why}",
        hint=f"as a superuser: {first}GRANT {ROLE} TO the role that codemode connects as",
    )


def _raise_for(result: psycopg.pq.abc.PGresult) -> None:
    if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b"XX000"
        raise errors.lookup(state.decode())(result.get_error_message())


def _with_values(question: Question, connection: psycopg.Connection[Row]) -> str:
    """The text with its parameters written as literals: a question is text inside of a function."""
    params = question.params
    if not params:
        return question.sql
    highest, used = 0, set()

    def value(found: re.Match[str]) -> str:
        nonlocal highest
        key: Any = found["name"]
        if found["number"] is not None:
            key = int(found["number"]) if found["number"] else highest + 1
            highest = max(highest, key)
            key -= 1
        elif key is None:
            return found[0]
        try:
            literal = params[key]
        except (LookupError, TypeError):
            raise ParametersInvalid(
                f"no value was given for {found[0]}", hint="give every placeholder a value"
            ) from None
        used.add(key)
        return sql.Literal(literal).as_string(connection)

    text = _PARTS.sub(value, question.sql)
    if isinstance(params, Sequence) and len(used) != len(params):
        raise ParametersInvalid(f"values and placeholders do not match: {len(params)} for {len(used)}")
    return text


def _result(columns: tuple[str, ...], rows: list[str], question: Question) -> Result:
    read = [[value for _, value in json.loads(row, object_pairs_hook=list)] for row in rows]
    room, kept = question.result_bytes, 0
    for row in rows[: question.rows]:
        room -= len(row.encode())
        if room < 0:
            break
        kept += 1
    values = [list(column) for column in zip(*read[:kept], strict=True)]
    return Result(kept, unique_names(columns), values, truncated=kept < len(rows))
