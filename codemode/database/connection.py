"""Open a session's file the safe way: a tuple of small settings, each with its reason.

These are SQLite's own walls. They hold without the guard, and the guard holds without them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import apsw

from codemode.database.fulltext import PATTERN_BYTES, refuse_unstoppable
from codemode.database.functions import register_functions
from codemode.database.journal import LEFT_BYTES, length
from codemode.database.percentiles import register_percentiles
from codemode.database.temporary import bound_temporary_files
from codemode.errors import CodemodeError, SessionBusy, SessionDamaged, StorageFull
from codemode.limits import Limits

BUSY_MS = 5_000  # another process (the command line beside a worker) holds the file for milliseconds
JOURNAL_BYTES = 16 * 1024 * 1024  # what the WAL may keep on disk after a checkpoint
MOST_COLUMNS = 200  # of a table, an index or a result
TRIGGER_DEPTH = 10  # each level keeps a copy of all registers: 6 MB for the largest trigger that is compiled
HEAP_BYTES = 512 * 1024 * 1024  # SQLite's memory in the whole process; json_group_array and its like stop here

_log = logging.getLogger("codemode")
Setting = Callable[[apsw.Connection, Limits], None]


def _set(connection: apsw.Connection, pragma: str) -> None:
    connection.execute(pragma, can_cache=False)  # once: kept prepared, each costs an open session 2 KB


def wait_for_others(connection: apsw.Connection, limits: Limits) -> None:
    """A moment's lock of another process is waited out instead of failing the statement."""
    connection.set_busy_timeout(BUSY_MS)


def refuse_tricks(connection: apsw.Connection, limits: Limits) -> None:
    """Defensive: no writes to shadow tables or to the schema. Nothing attached can be made or written."""
    for option, value in (
        (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
        (apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, 0),
        (apsw.SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, 0),
    ):
        connection.config(option, value)


def texts_in_single_quotes(connection: apsw.Connection, limits: Limits) -> None:
    """A misspelt "column" is an error: as a text it would answer wrongly and silently."""
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)


def distrust_the_schema(connection: apsw.Connection, limits: Limits) -> None:
    """Views, triggers and defaults come from users: in them only functions marked innocuous may run."""
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)


def bound_statements(connection: apsw.Connection, limits: Limits) -> None:
    """The sizes of what a statement may be and hold: they refuse bombs, and no analyst's statement we know of."""
    for limit, value in (
        (apsw.SQLITE_LIMIT_LENGTH, limits.value_bytes),
        (apsw.SQLITE_LIMIT_SQL_LENGTH, limits.sql_bytes),
        (apsw.SQLITE_LIMIT_COLUMN, MOST_COLUMNS),
        (apsw.SQLITE_LIMIT_EXPR_DEPTH, 200),
        (apsw.SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (apsw.SQLITE_LIMIT_VDBE_OP, 250_000),
        (apsw.SQLITE_LIMIT_FUNCTION_ARG, 127),
        (apsw.SQLITE_LIMIT_ATTACHED, 0),
        (apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES),
        (apsw.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
        (apsw.SQLITE_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH),
        (apsw.SQLITE_LIMIT_WORKER_THREADS, 0),
    ):
        connection.limit(limit, value)


def keep_a_journal(connection: apsw.Connection, limits: Limits) -> None:
    """WAL: readers never wait for the writer; NORMAL: a commit survives the process, and the file any power cut."""
    _set(connection, "PRAGMA journal_mode = wal")
    _set(connection, "PRAGMA synchronous = normal")
    _set(connection, f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    connection.wal_autocheckpoint(1000)


def bound_the_file(connection: apsw.Connection, limits: Limits) -> None:
    """The disk quota: SQLite itself refuses the page above it, and the statement is undone."""
    page_size = int(connection.pragma("page_size"))
    _set(connection, f"PRAGMA max_page_count = {max(1, limits.database_bytes // page_size)}")


def keep_references(connection: apsw.Connection, limits: Limits) -> None:
    """Foreign keys are enforced, and REPLACE fires delete triggers: without, full-text tables fall out of step."""
    _set(connection, "PRAGMA foreign_keys = on")
    _set(connection, "PRAGMA recursive_triggers = on")


def read_with_care(connection: apsw.Connection, limits: Limits) -> None:
    """Damaged pages are noticed when read; no memory map, through which a damaged file would crash the worker."""
    _set(connection, "PRAGMA cell_size_check = on")
    _set(connection, "PRAGMA mmap_size = 0")


def sort_in_bounded_files(connection: apsw.Connection, limits: Limits) -> None:
    """Large sorts use files, which can be interrupted and measured; sorting in memory can be neither."""
    _set(connection, "PRAGMA temp_store = file")
    bound_temporary_files(connection, 2 * limits.database_bytes)


def replace_functions(connection: apsw.Connection, limits: Limits) -> None:
    """The built-in functions that nothing can interrupt, by bounded ones of the same answers."""
    register_functions(connection, limits.value_bytes)
    register_percentiles(connection)
    refuse_unstoppable(connection)


SETTINGS: tuple[Setting, ...] = (
    refuse_tricks,
    texts_in_single_quotes,
    distrust_the_schema,
    keep_a_journal,
    bound_the_file,
    keep_references,
    read_with_care,
    sort_in_bounded_files,
    replace_functions,
    bound_statements,
)
READ_ONLY_SETTINGS: tuple[Setting, ...] = (
    refuse_tricks,
    texts_in_single_quotes,
    distrust_the_schema,
    read_with_care,
    sort_in_bounded_files,
    replace_functions,
    bound_statements,
)


# What a copy in memory has of them: no file to bound or to keep a journal for.
SCRATCH_SETTINGS: tuple[Setting, ...] = (
    refuse_tricks,
    texts_in_single_quotes,
    distrust_the_schema,
    keep_references,
    sort_in_bounded_files,
    replace_functions,
    bound_statements,
)


def open_scratch(limits: Limits) -> apsw.Connection:
    """An empty database in memory with the functions, the walls and the limits of a session."""
    _bound_the_heap()
    connection = apsw.Connection(":memory:")
    for setting in SCRATCH_SETTINGS:
        setting(connection, limits)
    return connection


def open_session(path: Path, limits: Limits, *, read_only: bool = False, own: bool = False) -> apsw.Connection:
    """Open the session's file at `path` with every setting above; a new or empty file becomes a database.

    With `own` it must be one that this engine made: a file cut to nothing, or a database of somebody else's, is damage,
    and never an empty session. Raises SessionDamaged for a file that is not a database, StorageFull where the disk is
    full or not writable, and SessionBusy where another process holds the file for too long.
    """
    _bound_the_heap()
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection: apsw.Connection | None = None
    try:
        connection = apsw.Connection(str(path), flags=flags)
        wait_for_others(connection, limits)  # already for the first look: whoever closes last holds the file shortly
        form = connection.pragma("user_version")  # reads the header: is this a database?
        if own and form == 0:
            raise apsw.NotADBError("the file is empty, or no session's database")
        for setting in READ_ONLY_SETTINGS if read_only else SETTINGS:
            setting(connection, limits)
    except apsw.Error as error:
        if connection is not None:
            connection.close(True)
        raise opening_failed(error, path) from error
    return connection


def allow_any_length(connection: apsw.Connection) -> None:
    """Read and write what is longer than `value_bytes` too: rows of before a session's limit was lowered."""
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, 2**30)


def leave_short_log(connection: apsw.Connection) -> None:
    """Have the close leave a short write-ahead log beside the file, as `Journal` does, for who opens it next.

    To put it away waits for the disk three times, and deletes two files that the next opening makes. What is left is
    what a process that was killed leaves.
    """
    with suppress(apsw.ConnectionClosedError):
        if length(Path(f"{connection.filename}-wal")) <= LEFT_BYTES:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)


def sqlite_version() -> str:
    """The version of the SQLite that stores sessions."""
    return apsw.sqlite_lib_version()


@contextmanager
def closed_if_it_fails(connection: apsw.Connection) -> Iterator[None]:
    """What is done to `connection` before somebody has it: closed, where the block raises."""
    try:
        yield
    except BaseException:
        connection.close(True)
        raise


def open_frozen(path: Path, limits: Limits) -> apsw.Connection:
    """Open a session's file that nobody changes, to read it with the walls of a session's own connection.

    Raises apsw's errors as they come.
    """
    _bound_the_heap()
    connection = frozen(path)
    with closed_if_it_fails(connection):
        for setting in READ_ONLY_SETTINGS:
            setting(connection, limits)
    return connection


def frozen(path: Path) -> apsw.Connection:
    """A read-only connection on a file that nobody changes: without locks, and without files beside it."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"file:{quote(str(path))}?immutable=1", flags=flags)


def _bound_the_heap() -> None:
    """Once a process, unless the host chose a bound of its own."""
    if apsw.hard_heap_limit(-1) == 0:
        apsw.hard_heap_limit(HEAP_BYTES)


def opening_failed(error: apsw.Error, path: Path) -> CodemodeError:
    """The tree's error for one of SQLite's that came up while the session's file at `path` was opened."""
    for place in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if place.is_dir():
            return SessionDamaged(f"a directory stands where a file should be: {place}", hint="move it away")
    if isinstance(error, apsw.NotADBError | apsw.CorruptError | apsw.FormatError):
        _log.error("the session's file %s cannot be read, and is kept as it is: %s", path, error)
        return SessionDamaged(
            f"the session's file cannot be read: {error}",
            hint=f"restore it from a copy, or renew the session, which sets it aside; it is kept as it is ({path})",
        )
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return SessionBusy("another process holds the session's file", hint="try again")
    if isinstance(error, apsw.CantOpenError) and not path.parent.is_dir():
        return StorageFull(
            f"the directory of the session does not exist: {path.parent}", hint="create the session anew"
        )
    return StorageFull(
        f"the session's file cannot be opened or written: {error}",
        hint="free space in the data directory, mend its permissions, or raise the limit of open files",
    )
