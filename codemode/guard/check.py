"""Guard: a text goes through the layers in their order and comes out as a Statement, or is refused.

Text gate → first keyword → sqlglot's advice → prepared, never stepped, under the authorizer armed with the kind →
SQLite's own tail. The order and the reasons are in DESIGN.md.

apsw is imported here for its Connection and its errors: preparing is done by SQLite itself.
"""

from __future__ import annotations

from contextlib import suppress

import apsw

from codemode.database.connection import TRIGGER_DEPTH
from codemode.database.execute import Deadline, Meter
from codemode.database.names import quoted
from codemode.database.script import statements
from codemode.errors import CodemodeError, MultipleStatements, StatementRefused, StatementSyntaxError
from codemode.guard import lookup, policy, rules, scan, weight
from codemode.guard.authorizer import Authorizer, Event, action_code
from codemode.guard.gate import admit
from codemode.guard.parse import read
from codemode.guard.program import Program
from codemode.guard.refusals import DISAGREEMENT
from codemode.guard.remarks import remarks
from codemode.guard.repair import explain_error, explain_python_error, no_text, refusal, shortened, too_many_operations
from codemode.guard.schema import ReservedSchema
from codemode.guard.scratch import failure_on_a_copy
from codemode.guard.searches import searches
from codemode.guard.statement import READS, WRITES, Statement, decisive_action, tables, writes
from codemode.guard.virtual import VirtualTables
from codemode.limits import Limits
from codemode.patterns import pattern

# The text SQLite took for one statement, whether it only reads, whether it answers rows, its parameters' names.
Prepared = tuple[str, bool, bool, tuple[str | None, ...]]

_FUNCTION = action_code("FUNCTION")
_ROW_ID = "last_insert_rowid"
_RENAMES = frozenset({"sqlite_rename_table", "sqlite_rename_column"})  # what ALTER TABLE has rewrite each definition
_TABLES = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'table'"
_OR_FAIL = pattern(r"(?i)\bor\s+fail\b")
_STRICT = pattern(r"(?i)\bstrict\b")  # in the definition of a table; where it is only a name of one, nothing is lost
_SCHEMA_ENTRY = (action_code("INSERT"), "sqlite_master")
_KEPT_VERDICTS = 256  # with the bytes: at most 1 MB a session
_KEPT_BYTES = 4_000  # a longer text is checked anew each time: it costs little beside running it


class Guard:
    """The guard of one connection: it owns the connection's authorizer, which is closed unless a block opens it.

    `meter` is the connection's, where it has one: how long values may be decides whether it may listen. `deadline` is
    too: it ends what takes long to prepare.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        limits: Limits,
        meter: Meter | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._meter = meter
        self._verdicts: dict[str, Statement] = {}
        self._virtual = VirtualTables(connection, self.engine)
        self._schema_moves = False  # schema statements ran since the transaction began: a rollback would undo them
        self.prepared = False  # something new was, and may be kept so: whoever looks at its size sets it back
        self._unsure = False  # whether others may have changed the schema since it was looked at
        self._version: int | None = None  # of the schema, when it was
        self._strict: frozenset[str] | None = None  # the STRICT tables, once somebody asked
        self._schema = ReservedSchema(connection)
        modules = [row[0] for row in connection.execute("SELECT name FROM pragma_module_list", can_cache=False)]
        self.authorizer = Authorizer(modules, deadline.is_over) if deadline is not None else Authorizer(modules)
        self._preparing = connection.cursor()
        self._preparing.exec_trace = self._prepared
        self._seen: Prepared = ("", False, False, ())
        self._most_operations = connection.limit(apsw.SQLITE_LIMIT_VDBE_OP)
        self._expire_prepared()

    def close(self) -> None:
        """Let go of the statement that was prepared last: before its connection, which may have lost sight of it."""
        self._preparing.close(True)

    def check(self, sql: str) -> Statement:
        """The Statement that `sql` is; raises a StatementError that names the rule and the way out.

        Nothing is run. A verdict is kept by text until the schema changes, here or by others; it is never the last
        word: SQLite prepares a kept statement anew after such a change, and asks the authorizer that is then armed.
        """
        if (known := self.known(sql)) is not None:
            return known
        text = admit(sql, self._limits.sql_bytes)
        if self._unsure:
            self._look_again(text)
        heading = scan.heading(text)
        if heading.kind is None and not rules.is_known_verb(heading.verb):
            raise _no_statement(heading.verb, text, self._table_alone(text))
        reading = read(text)
        if (violation := rules.first_violation(rules.Candidate(heading, reading))) is not None:
            raise refusal(violation, text)
        if len(reading.roots) > 1 and heading.kind != "create_trigger":  # a trigger's body is statements to sqlglot
            raise _multiple(text)
        try:
            statement = self._prepare(text, heading)
        except StatementRefused:
            if not self._virtual.connect():
                raise
            statement = self._prepare(text, heading)
        if len(text) <= _KEPT_BYTES:
            if len(self._verdicts) >= _KEPT_VERDICTS:
                self._verdicts.clear()
            self._verdicts[text] = statement
        return statement

    def known(self, sql: str) -> Statement | None:
        """The Statement that `sql` was found to be, if that is kept; nothing is asked of SQLite."""
        if self._unsure or type(sql) is not str:  # another type may lie about what it equals
            return None
        return self._verdicts.get(sql)

    def doubt(self) -> None:
        """Another connection may have changed the schema: have the next check look at it before it judges.

        A verdict of before says how long values may be and how deep triggers may go, by programs that may be others
        now: another process's trigger would run a thousand levels of 6 MB. SQLite prepares such a statement anew by
        itself, but asks nobody about these. Whoever doubts keeps others from changing the schema until he is done, by
        the session's lock or by a transaction that reads.
        """
        self._unsure = True

    def _look_again(self, text: str) -> None:
        try:
            with self.engine():
                # What SQLite knows of the schema is compared with the file when a statement begins, not when it is
                # prepared: a text that is only prepared would be judged by the old one.
                self._connection.execute("SELECT 1 FROM main.sqlite_schema LIMIT 0", can_cache=False)
                version = int(self._connection.pragma("schema_version"))
        except apsw.Error as error:
            raise self._explained(error, text) from None
        if version != self._version:
            self._forget_schema()
        self._version, self._unsure = version, False

    def prepare_to_suggest(self) -> None:
        """Load what `suggest` reads statements with: the first time, that may take longer than a suggestion may."""
        with suppress(Exception):  # advice that fails must not hide the error that it was for
            from codemode.guard.mending.translate import load_dialects

            load_dialects()

    def suggest(self, error: CodemodeError, sql: str) -> None:
        """Give `error` a statement that SQLite prepares here in the place of `sql`, where one is found."""
        if error.suggestion is not None:
            return
        # Only where something fails: most processes never load what mends, nor the grammars that it reads.
        from codemode.guard.mending.suggest import suggested

        try:
            found = suggested(sql, error, self._connection, self._failure)
            if found is not None:
                error.suggestion = found
                error.did_you_mean = self._helper_for(found, sql) or error.did_you_mean
        except Exception:  # noqa: BLE001 - advice that fails must not hide the error that it was for
            error.suggestion = None

    def _helper_for(self, suggestion: str, sql: str) -> tuple[str, ...]:
        """The helper that takes `suggestion`, where it may not be the one that `sql` was given to."""
        if len(list(statements(suggestion))) > 1:
            return ("helpers.db.script",)
        asked = scan.heading(sql).kind in (None, "select") and not self.check(suggestion).returns_rows
        return ("helpers.db.exec",) if asked else ()

    def _failure(self, sql: str) -> CodemodeError | None:
        several = list(statements(sql))
        if len(several) > 1:
            with self.engine():
                return failure_on_a_copy(several, self._connection, self._limits, Guard)
        try:
            self.check(sql)
        except CodemodeError as error:
            return error
        return None

    def running(self, statement: Statement) -> Running:
        """While the block runs, the authorizer allows what `statement` needs: triggers and FTS5 prepare as they go."""
        return Running(self, statement)

    def arm(self, statement: Statement) -> str | None:
        """Begin what `running` is; answers what `disarm` needs, which must follow whatever happens."""
        if statement.changes_schema:
            with self.engine():
                self._schema.remember()
        before = self.authorizer.kind
        self.authorizer.arm(statement.explains or statement.kind)
        if statement.longest_value is not None:
            self._allow_length(statement.longest_value)
        if statement.trigger_depth is not None:
            self._connection.limit(apsw.SQLITE_LIMIT_TRIGGER_DEPTH, statement.trigger_depth)
        return before

    def disarm(self, statement: Statement, before: str | None, error: BaseException | None) -> None:
        """End it, by `error` where that is not None; raises the tree's error for one of Python's own."""
        self.authorizer.turn_to(before)
        if statement.longest_value is not None:
            self._allow_length(self._limits.value_bytes)
        if statement.trigger_depth is not None:
            self._connection.limit(apsw.SQLITE_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH)
        if statement.changes_schema or (error is not None and self._schema_moves):
            self._forget()
        if error is not None:
            self._verdicts.pop(statement.sql, None)  # another process may have changed the schema since
            if (explained := explain_python_error(error, statement)) is not None:
                raise explained from None

    def _allow_length(self, value_bytes: int) -> None:
        self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, value_bytes)
        if self._meter is not None:
            self._meter.heed_length()

    def _table_alone(self, text: str) -> str | None:
        """The table whose name is all that there is in `text`."""
        name = text.strip(' \t\r\n;"`[]').lower()
        with suppress(apsw.Error), self.engine():  # a look that fails must not hide what is wrong with the text
            return next((each for each in lookup.tables(self._connection) if each.lower() == name), None)
        return None

    def engine(self) -> EngineRights:
        """While the block runs, everything is allowed: only for the engine's own, fixed statements."""
        return EngineRights(self)

    def check_schema(self) -> None:
        """After a schema statement, in its transaction: raise StatementRefused if a reserved name was touched.

        The authorizer is not told a new name (ALTER TABLE … RENAME TO), nor what a foreign key refers to. The
        caller rolls the statement back.
        """
        with self.engine():
            violation = self._schema.violation()
        if violation is not None:
            raise refusal(violation)

    def _prepare(self, text: str, heading: scan.Heading) -> Statement:
        kind, self.prepared = heading.kind or "", True
        events, is_long = self._events(text, kind, can_cache=True)
        if not events:
            # Prepared before, perhaps under the engine's rights: the authorizer was not asked. Ask it.
            events, is_long = self._events(text, kind, can_cache=False)
        first, reads_only, returns_rows, parameters = self._seen
        changes = kind != "select" and not heading.explain
        if len(first) < len(text) and not scan.only_blanks(text[len(first) :]):
            raise _multiple(text)
        self._confirm(kind, heading, events, reads_only, text)
        self._confirm_rename(kind, events, text)
        program = None if heading.explain else self._program(text, kind, events, is_long)
        sizes = None if program is None else weight.sizes(program, self._limits.value_bytes)
        written = tables(events, WRITES) if changes else ()
        named = tables(events, READS)
        remarked = remarks(text, (*named, *written), self._connection)
        return Statement(
            sql=text,
            kind="explain" if heading.explain else kind,
            reads_only=heading.explain or kind == "select",
            returns_rows=returns_rows,
            changes_schema=kind in policy.SCHEMA_KINDS and not heading.explain,
            tables_written=written,
            writes=writes(events) if changes else (),
            tables_read=named,
            explains=kind if heading.explain else "",
            parameters=parameters,
            longest_value=self._below(sizes.value) if sizes else None,
            longest_parameter=self._below(sizes.parameter) if sizes else None,
            searches=searches(program, is_ranked=self._virtual.may_rank(text)) if program else (),
            asks_row_id=changes and any(event[0] == _FUNCTION and event[2] == _ROW_ID for event in events),
            may_leave_rows=self._may_leave_rows(text, returns_rows, written),
            remarks=remarked.words,
            text_parameters=remarked.text_parameters,
            trigger_depth=weight.SHORT_PROGRAM_DEPTH if changes and not (is_long or reads_only) else None,
        )

    def _may_leave_rows(self, text: str, returns_rows: bool, written: tuple[str, ...]) -> bool:
        """Whether a part of a write may stay where it fails, which is otherwise asked for by OR FAIL alone.

        A value that a STRICT table refuses ends a statement without what it did before being undone, and a row of
        RETURNING that cannot be read (bytes marked as text) is only seen when all changes are made.
        """
        if not written or _OR_FAIL.search(text):
            return False
        return returns_rows or not self._strict_tables().isdisjoint(written)

    def _strict_tables(self) -> frozenset[str]:
        if self._strict is None:
            with self.engine():
                found = self._connection.execute(_TABLES, can_cache=False).fetchall()
            self._strict = frozenset(str(name) for name, sql in found if _STRICT.search(str(sql)))
        return self._strict

    def _events(self, text: str, kind: str, *, can_cache: bool) -> tuple[list[Event], bool]:
        """Prepare `text` without stepping it: what the authorizer was asked, and whether the program is a long one."""
        for operations in (weight.SHORT_PROGRAM, self._most_operations):
            events: list[Event] = []
            self._connection.limit(apsw.SQLITE_LIMIT_VDBE_OP, operations)
            try:
                with Asking(self.authorizer, kind, events):
                    self._preparing.execute(text, apsw._null_bindings, can_cache=can_cache)  # type: ignore[attr-defined]
            except apsw.ExecTraceAbort:
                return events, operations != weight.SHORT_PROGRAM
            except apsw.NoMemError:  # SQLite's word for a program above the limit
                if operations == self._most_operations:
                    raise too_many_operations(text, operations) from None
            except apsw.Error as error:
                raise self._explained(error, text) from None
            finally:
                self._connection.limit(apsw.SQLITE_LIMIT_VDBE_OP, self._most_operations)
        raise AssertionError("the trace stops every statement before its first step")

    def _program(self, text: str, kind: str, events: list[Event], is_long: bool) -> Program | None:
        """The compiled statement; None where one row of it ends in time, whatever its values are."""
        called = {event[2] for event in events if event[0] == _FUNCTION}
        if not (is_long or weight.SLOW_FUNCTIONS & called or self._virtual.is_read(events)):
            return None
        try:
            with Asking(self.authorizer, kind, []):
                rows = self._connection.execute(text, apsw._null_bindings, can_cache=False, explain=1)  # type: ignore[attr-defined]
                return Program(rows)
        except apsw.Error as error:  # its time may be over
            raise self._explained(error, text) from None
        except UnicodeDecodeError:  # a constant that SQLite has computed: CAST(x'ff' AS TEXT)
            raise no_text(text) from None

    def _below(self, size: int) -> int | None:
        return size if size < self._limits.value_bytes else None

    def _prepared(self, cursor: apsw.Cursor, sql: str, _bindings: object) -> bool:
        """apsw's word that a statement is prepared; False stops it there."""
        names = cursor.bindings_names if cursor.bindings_count else ()
        self._seen = (sql, cursor.is_readonly, bool(cursor.get_description()), names)
        return False

    def _confirm(self, kind: str, heading: scan.Heading, events: list[Event], reads_only: bool, text: str) -> None:
        """SQLite's actions must be those of the kind that the text claims to be."""
        if not events or (kind == "create_virtual_table" and all(event[:2] == _SCHEMA_ENTRY for event in events)):
            # IF [NOT] EXISTS that finds nothing to do asks nothing. VACUUM asks nothing either: no other kind may.
            # Of a virtual table SQLite asks for the schema's entry first, and then sees that there is one.
            if heading.conditional and kind in policy.SCHEMA_KINDS:
                return
            raise refusal(DISAGREEMENT, text)
        if kind == "select" and not reads_only and not heading.explain:
            raise refusal(DISAGREEMENT, text)
        if decisive_action(events) not in policy.CONFIRMED_BY[kind]:
            raise refusal(DISAGREEMENT, text)

    def _confirm_rename(self, kind: str, events: list[Event], text: str) -> None:
        """A new name is written into every definition that has the old one: none may be too long for that."""
        if kind == "alter_table" and any(event[0] == _FUNCTION and event[2] in _RENAMES for event in events):
            with self.engine():
                violation = self._schema.too_long_to_rename()
            if violation is not None:
                raise refusal(violation, text)

    def _explained(self, error: apsw.Error, text: str) -> CodemodeError:
        return explain_error(error, text, self._connection)

    def _expire_prepared(self) -> None:
        """Assign the authorizer anew: SQLite then prepares every statement again before it runs it again (5 µs).

        A statement that was prepared under the engine's rights must never serve a user's text of the same letters:
        apsw finds it by text, and the authorizer is asked only when a statement is prepared.
        """
        self._connection.authorizer = self.authorizer.decide

    def _forget_schema(self) -> None:
        self._verdicts.clear()
        self._virtual.forget()
        self._strict = None

    def _forget(self) -> None:
        self._forget_schema()
        self._schema_moves = self._connection.in_transaction


class Running:
    """`with guard.running(statement):` arms the authorizer; afterwards it is as it was before."""

    __slots__ = ("_before", "_guard", "_statement")

    def __init__(self, guard: Guard, statement: Statement) -> None:
        self._guard, self._statement = guard, statement
        self._before: str | None = None

    def __enter__(self) -> None:
        self._before = self._guard.arm(self._statement)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._guard.disarm(self._statement, self._before, error)


class Asking:
    """While the block runs, the authorizer is armed with `kind` and writes what it is asked into `events`."""

    __slots__ = ("_authorizer", "_before", "_events", "_kind")

    def __init__(self, authorizer: Authorizer, kind: str, events: list[Event]) -> None:
        self._authorizer, self._kind, self._events = authorizer, kind, events
        self._before: str | None = None

    def __enter__(self) -> None:
        self._before = self._authorizer.kind
        self._authorizer.arm(self._kind)
        self._authorizer.events = self._events

    def __exit__(self, *_: object) -> None:
        self._authorizer.events = None
        self._authorizer.turn_to(self._before)


class EngineRights:
    """`with guard.engine():` allows everything; afterwards nothing that was prepared inside serves a user."""

    __slots__ = ("_before", "_guard")

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._before = False

    def __enter__(self) -> None:
        authorizer = self._guard.authorizer
        self._before, authorizer.engine = authorizer.engine, True

    def __exit__(self, *_: object) -> None:
        guard = self._guard
        guard.authorizer.engine = self._before
        if self._before:
            return
        if guard.authorizer.engine_asked:
            guard.authorizer.engine_asked = False
            guard._expire_prepared()
        if guard._schema_moves or guard.authorizer.engine_changed_schema:
            guard.authorizer.engine_changed_schema = False
            guard._forget()


_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "WITH", "VALUES", "EXPLAIN")


def _no_statement(verb: str, text: str, table: str | None) -> StatementSyntaxError:
    if not verb:
        return StatementSyntaxError("the text holds no statement", hint="send one statement", sql=shortened(text))
    from codemode.guard.ways import syntax_way

    near = [] if table else lookup.closest(verb, _VERBS)
    written = text.lstrip()[: len(verb)]
    hint = syntax_way(text) or (f"did you mean {near[0]}?" if near else "a statement begins with a verb such as SELECT")
    if not near and text.lstrip()[:5].upper() == "WITH ":
        hint = "commas stand between the tables of WITH, and none before SELECT: WITH a AS (…), b AS (…) SELECT …"
    if table is not None:
        hint = f"{table} is a table: write SELECT * FROM {quoted(table)}"  # noqa: S608 - words, which nobody runs
    return StatementSyntaxError(
        f'near "{(written if written.upper() == verb else verb)[:40]}": syntax error',
        hint=hint,
        did_you_mean=near[:1],
        sql=shortened(text),
    )


def _multiple(text: str) -> MultipleStatements:
    return MultipleStatements(
        "the text holds more than one statement",
        hint="send one at a time, or use helpers.db.script(sql)",
        sql=shortened(text),
    )
