"""The policy as SQLite's own callback: the last word on every statement, and on whatever runs inside of it.

Deny by default, three times: an idle authorizer denies everything; an armed one denies each action that its kind of
statement has no need of; and each action that it has need of is checked for the table, function or module it names.
SQLite reports true names, whatever quotes, comments or U+FEFF the text used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import apsw

from codemode.guard import policy, refusals
from codemode.guard.policy import is_reserved, reserved
from codemode.guard.refusals import Violation

Check = Callable[[str, str, str | None, str | None], Violation | None]
Event = tuple[int, str | None, str | None, str | None, str | None]

_PREFIX = "SQLITE_"
_OK = apsw.SQLITE_OK
_DENY = apsw.SQLITE_DENY
_READ = apsw.SQLITE_READ
_SELECT = apsw.SQLITE_SELECT


_NAMES = {
    code: str(name).removeprefix(_PREFIX)
    for code, name in apsw.mapping_authorizer_function.items()
    if isinstance(code, int)
}


def action_name(code: int) -> str:
    """SQLite's name of an authorizer code, without its prefix: 18 is INSERT."""
    return _NAMES.get(code) or str(code)


def action_code(name: str) -> int:
    """The authorizer code of a name as the policy writes it."""
    return int(apsw.mapping_authorizer_function[_PREFIX + name])


_TRANSACTIONS = frozenset({action_code("TRANSACTION"), action_code("SAVEPOINT")})
_SCHEMA_CHANGES = frozenset(
    code for code, name in _NAMES.items() if name.startswith(("CREATE", "DROP", "ALTER", "ATTACH", "DETACH"))
)


class Authorizer:
    """Decides each action that SQLite is about to compile; assign `decide` to a connection.

    `violation` keeps the first refusal since the authorizer was last armed, because SQLite itself only says
    "not authorized". `events` collects the actions while it is a list.

    `is_over` says whether the time of what is prepared is over. SQLite heeds no interrupt once a text is read, and the
    views that it names may take it a minute to write out; but it asks for each of them, and ends where it is denied.
    """

    def __init__(self, modules: Iterable[str], is_over: Callable[[], bool] = lambda: False) -> None:
        self.violation: Violation | None = None
        self.out_of_time = False  # that is why the last SELECT was denied
        self._is_over = is_over
        self.events: list[Event] | None = None
        self.engine = False
        self.engine_asked = False  # something was prepared under the engine's rights
        self.engine_changed_schema = False
        self._kind: str | None = None
        self._checks: Mapping[int, Check] = {}
        self._readable: set[tuple[str | None, str | None]] = set()
        self._by_kind = _by_kind(policy.HIDDEN_TABLES | {module.lower() for module in modules} - policy.MODULES)

    @property
    def kind(self) -> str | None:
        """The kind of statement that it is armed for; None denies everything."""
        return self._kind

    def arm(self, kind: str) -> None:
        """Allow what `kind` needs from here on, and forget the last violation."""
        self.engine = False  # it is so, unless Ctrl-C came just before a block that has the engine's rights
        self.turn_to(kind)
        self.violation = None
        self.out_of_time = False

    def turn_to(self, kind: str | None) -> None:
        """Go back to `kind`; None allows nothing. What was refused last is kept for whoever explains the error."""
        self._kind = kind
        self._checks = self._by_kind[kind] if kind is not None else {}

    def decide(
        self, code: int, first: str | None, second: str | None, database: str | None, accessor: str | None
    ) -> int:
        """SQLite's callback: OK or DENY, never an exception."""
        if code == _SELECT and (accessor or not self.engine):  # of the engine's own those inside of a user's view
            self.out_of_time = self._is_over()
            if self.out_of_time:
                return _DENY
        if self.engine:
            return self._engine_does(code, first)
        if self.events is not None:
            self.events.append((code, first, second, database, accessor))
        if code == _READ and (first, database) in self._readable and self._kind is not None:
            return _OK  # by far the most frequent action, seen and allowed before whatever the kind
        check = self._checks.get(code)
        violation = check(first or "", second or "", database, accessor) if check else self._unlisted(code, first)
        if violation is None:
            if code == _READ and database == "main" and not (first or "").lower().startswith("pragma_"):
                self._remember(first, database)
            return _OK
        if self.violation is None:
            self.violation = violation
        return _DENY

    def _engine_does(self, code: int, first: str | None) -> int:
        # BEGIN, COMMIT and SAVEPOINT may stay prepared: users have no statement of those letters.
        if code not in _TRANSACTIONS:
            self.engine_asked = True
            if code in _SCHEMA_CHANGES:
                self.engine_changed_schema = True
        return _OK

    def _remember(self, table: str | None, database: str | None) -> None:
        if len(self._readable) >= 1_000:  # names come from users: a bounded memory
            self._readable.clear()
        self._readable.add((table, database))

    def _unlisted(self, code: int, first: str | None) -> Violation:
        name = action_name(code)
        if "TEMP" in name:
            return refusals.TEMP
        verb = first if name in ("TRANSACTION", "SAVEPOINT") else name
        if verb in refusals.REFUSED_VERBS:
            return refusals.REFUSED_VERBS[verb]
        if self._kind is None:
            return Violation("idle", "no statement is running", None)
        if name in ("CREATE_VTABLE", "DROP_VTABLE") or name in policy.WRITING:
            return refusals.DISAGREEMENT
        way = policy.WAYS_AROUND.get((self._kind, name))
        return Violation("action", f"{name.replace('_', ' ')} is not available in this statement", way)


@lru_cache(maxsize=8)
def _by_kind(hidden: frozenset[str]) -> Mapping[str, Mapping[int, Check]]:
    """What each kind of statement may do where tables of these names are hidden: made once for all connections."""
    return {kind: _checks_of(kind, hidden) for kind in policy.ACTIONS}


def _checks_of(kind: str, hidden: frozenset[str]) -> dict[int, Check]:
    checks = {
        "SELECT": _allowed,
        "RECURSIVE": _allowed,
        "READ": _read_in(kind, hidden),
        "FUNCTION": _function_in(kind),
        "PRAGMA": _pragma_in(kind),
        "INSERT": _write_in(kind),
        "UPDATE": _write_in(kind),
        "DELETE": _write_in(kind),
        "CREATE_TABLE": _own_name,
        "CREATE_VIEW": _own_name,
        "CREATE_INDEX": _own_names,
        "CREATE_TRIGGER": _own_names,
        "CREATE_VTABLE": _module,
        "DROP_TABLE": _own_name,
        "DROP_VTABLE": _own_name,
        "DROP_VIEW": _own_name,
        "DROP_INDEX": _own_names,
        "DROP_TRIGGER": _own_names,
        "ALTER_TABLE": _altered,
        "REINDEX": _own_name,
    }
    return {action_code(name): checks[name] for name in policy.ACTIONS[kind]}


def _read_in(kind: str, hidden: frozenset[str]) -> Check:
    schema_change = kind in policy.SCHEMA_KINDS
    pragmas = policy.PRAGMA_FUNCTIONS | policy.INNER_PRAGMAS.get(kind, frozenset())

    def read(table: str, column: str, database: str | None, accessor: str | None) -> Violation | None:
        lowered = table.lower()
        if database == policy.LOG_DATABASE:
            return _log_read(lowered, column, accessor)
        if database == "temp" and lowered != policy.LOG_VIEW:
            # ALTER and DROP look into temp's schema for triggers and views on the table.
            return None if schema_change and lowered in policy.SCHEMA_TABLES else refusals.TEMP
        if lowered.startswith("pragma_") and lowered.removeprefix("pragma_") not in pragmas:
            return _hidden(table)
        return _hidden(table) if lowered in hidden else None

    return read


def _allowed(first: str, second: str, database: str | None, accessor: str | None) -> Violation | None:
    return None


def _hidden(table: str) -> Violation:
    return Violation(
        "table", f"{table} is not available in a session",
        "of the built-in table functions there are json_each, json_tree and pragma_table_info with its relatives",
    )  # fmt: skip


def _log_read(table: str, column: str, accessor: str | None) -> Violation | None:
    # The accessor is the innermost view, or a common table expression of that name: both see this one table only.
    # Without a column SQLite counts rows, and names no accessor.
    if table == policy.LOG_VIEW and (column == "" or (accessor or "").lower() == policy.LOG_VIEW):
        return None
    return Violation("log", "the execution log is read as execution_logs", "use SELECT … FROM execution_logs")


def _elsewhere(database: str | None) -> Violation | None:
    if database in (None, "main"):
        return None
    if database == "temp":
        return refusals.TEMP
    return Violation("database", f"database {database} cannot be changed from a session", "write to your own tables")


def _own_name(name: str, table: str, database: str | None, accessor: str | None) -> Violation | None:
    return reserved(name) if is_reserved(name) else _elsewhere(database)


def _own_names(name: str, table: str, database: str | None, accessor: str | None) -> Violation | None:
    """Neither the object's own name nor the table it sits on may be the engine's."""
    return _own_name(name, "", database, accessor) or (reserved(table) if is_reserved(table) else None)


def _altered(database: str, table: str, column: str | None, accessor: str | None) -> Violation | None:
    return _own_name(table, "", database, accessor)


def _module(name: str, module: str, database: str | None, accessor: str | None) -> Violation | None:
    if module.lower() not in policy.MODULES:
        return Violation("module", f"virtual tables of {module} are not available", policy.MODULE_WAY)
    return _own_name(name, "", database, accessor)


def _write_in(kind: str) -> Check:
    schema_change = kind in policy.SCHEMA_KINDS

    def write(table: str, column: str, database: str | None, accessor: str | None) -> Violation | None:
        lowered = table.lower()
        if lowered.startswith("sqlite_"):
            # CREATE, DROP and ALTER keep SQLite's own tables; a user's write to sqlite_sequence could end the
            # numbers of an engine table for ever.
            # But a trigger stays the user's: DROP TABLE fires those of the rows that its foreign keys delete.
            return None if schema_change and accessor is None else _sqlite_own(table)
        return _own_name(table, "", database, accessor)

    return write


def _sqlite_own(table: str) -> Violation:
    return Violation("reserved", f"{table} is SQLite's own and cannot be written", "read it with SELECT")


def _function_in(kind: str) -> Check:
    altering = kind == "alter_table"

    def function(first: str, name: str, database: str | None, accessor: str | None) -> Violation | None:
        lowered = name.lower()
        if lowered in policy.FUNCTIONS:
            return None
        if lowered in refusals.REFUSED_FUNCTIONS:
            return refusals.REFUSED_FUNCTIONS[lowered]
        if altering and lowered.startswith(policy.ALTER_FUNCTION_PREFIX):
            return None
        from codemode.guard.ways import FUNCTION_WAYS  # only where one is refused

        way = FUNCTION_WAYS.get(lowered, "compute it in Python")  # DEFAULT (now()): SQLite does not look it up yet
        return Violation("function", f"function {name}() is not available in a session", way)

    return function


def _pragma_in(kind: str) -> Check:
    names = policy.PRAGMAS | policy.INNER_PRAGMAS.get(kind, frozenset())

    def pragma(name: str, argument: str, database: str | None, accessor: str | None) -> Violation | None:
        return None if name.lower() in names else refusals.REFUSED_VERBS["PRAGMA"]

    return pragma
