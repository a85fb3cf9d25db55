"""The one error tree of the worker.

    CodemodeError                     every error that this package raises on purpose
    ├── StatementError                a statement failed; nothing else of the session is harmed
    │   ├── StatementSyntaxError      sql.syntax               mend the statement
    │   ├── StatementRefused          sql.refused              use what the hint names instead
    │   ├── MultipleStatements        sql.multiple_statements  send one at a time, or use script()
    │   ├── NoSuchTable               sql.no_such_table        use one of `available`
    │   ├── NoSuchColumn              sql.no_such_column       use one of `available`
    │   ├── NoSuchFunction            sql.no_such_function     use SQLite's own
    │   ├── ConstraintFailed          sql.constraint           mend the row that the message names
    │   ├── AlreadyExists             sql.already_exists       drop it first, or IF NOT EXISTS
    │   ├── ParametersInvalid         sql.parameters           bind as many values as there are placeholders
    │   ├── ValueRefused              sql.value                store what SQLite can hold
    │   ├── StatementFailed           sql.runtime              read SQLite's message
    │   ├── StatementTimeout          sql.timeout              ask for less, or add an index
    │   ├── StatementLimit            sql.limit                keep within the limit that the message names
    │   └── DiskQuotaExceeded         sql.disk_quota           delete or compact, then try again
    ├── SnippetError                  a helper call that the snippet's own limits or state forbid
    │   ├── CallLimitExceeded         code.call_limit          batch the calls
    │   └── HostFunctionFailed        code.runtime             read the host's message
    ├── SessionError                  the session cannot be used as asked
    │   ├── SessionBusy               session.busy             try again later
    │   ├── SessionNotFound           session.not_found        create it, or name another
    │   ├── SessionExpired            session.expired          renew it on purpose; its data is gone
    │   ├── SessionDamaged            session.damaged          restore a copy; the file was set aside
    │   ├── SessionNewer              session.newer            upgrade codemode
    │   ├── SessionExists             session.exists           choose another id
    │   ├── NoSuchCheckpoint          session.no_such_checkpoint  use one of `available`
    │   ├── CheckpointExists          session.checkpoint_exists   choose another name, or replace it on purpose
    │   ├── CannotUndo                session.cannot_undo      restore a checkpoint
    │   └── CheckpointLimit           session.checkpoint_limit    delete checkpoints that are not needed
    ├── RequestError                  the request itself is wrong; nothing was done for it
    │   ├── RequestInvalid            request.invalid          mend the call
    │   ├── RequestTooLarge           request.too_large        send less, or stream it
    │   ├── RequestMediaType          request.media_type       send a type that is taken
    │   ├── NoSuchPath                request.path             look into /openapi.json
    │   ├── NoSuchMethod              request.method           use a method that the path has
    │   ├── RequestTimeout            request.timeout          send the body again, faster
    │   └── RequestIncomplete         request.incomplete       nobody reads it: the client went away
    ├── AuthError                     the caller may not do this
    │   ├── AuthMissing               auth.missing             send a token
    │   ├── AuthInvalid               auth.invalid             use a token that is valid
    │   └── AuthForbidden             auth.forbidden           use a token with the scope that is named
    ├── TokenNotFound                 token.not_found          ask for the list of tokens
    ├── ExecutionNotFound             execution.not_found      ask within an hour, with the id that was answered
    ├── RecordNotFound                record.not_found         list the records to see those there are
    ├── RecordExists                  record.exists            choose another id or name
    ├── QuotaError                    the tenant has what its quota allows
    │   ├── QuotaExceeded             quota.exceeded           delete what is not needed
    │   ├── TooManyAtOnce             quota.executions         try again after `retry_after` seconds
    │   └── TooManyListeners          quota.listeners          close a stream of events that nobody reads
    ├── BackupDamaged                 backup.damaged           use another backup
    ├── StorageFull                   storage.full             free space below the data directory
    └── WorkerError                   the worker cannot serve
        ├── IsolationMissing          worker.isolation         run `codemode doctor`
        ├── WorkerUnavailable         worker.unavailable       raise what the message names, or try again
        ├── WorkerUnreachable         worker.unreachable       check the address, or try again
        ├── CatalogDamaged            worker.catalog           restore catalog.db, or move it away
        ├── SecretMissing             worker.secret            name the file of keys in `secret_keys_file`
        ├── CatalogForm               worker.catalog_form      use the codemode that wrote it, or a backup
        ├── ExtraMissing              worker.extra             install the extra that the message names
        └── WorkerInternal            worker.internal          report the id

Snippets' own faults (`code.*`) are outcomes, not exceptions: see `codemode.values.Problem`.
Codes are stable; `docs/reference/errors.md` has a section for each, and a test that none is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

_MOST_CHARACTERS = 4_000  # of a message, a hint or a name: a name of SQLite's may have a megabyte


def _bounded(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


class CodemodeError(Exception):
    """The root of the tree; every instance has a stable `code`, a `message`, and where known a way out."""

    code: ClassVar[str] = "worker.internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        did_you_mean: Sequence[str] = (),
        available: Sequence[str] = (),
        sql: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        message = _bounded(message)
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is None else _bounded(hint)
        self.did_you_mean = tuple(map(_bounded, did_you_mean))
        self.available = tuple(map(_bounded, available))
        self.sql = sql
        self.suggestion = suggestion

    def __str__(self) -> str:
        way = self.hint or (f"did you mean {' or '.join(self.did_you_mean)}?" if self.did_you_mean else None)
        return f"{self.message} ({way})" if way else self.message


class StatementError(CodemodeError):
    """A statement failed; the session and its other statements are unharmed."""

    code = "sql.runtime"


class StatementSyntaxError(StatementError):
    """SQLite cannot read the statement; mend it where the message points."""

    code = "sql.syntax"


class StatementRefused(StatementError):
    """Policy does not allow the statement; the hint names what to use instead."""

    code = "sql.refused"


class MultipleStatements(StatementError):
    """The text holds more than one statement; send one at a time, or use `script`."""

    code = "sql.multiple_statements"


class NoSuchTable(StatementError):
    """The statement names a table that does not exist; `available` lists those that do."""

    code = "sql.no_such_table"


class NoSuchColumn(StatementError):
    """The statement names a column that does not exist; `available` lists those that do."""

    code = "sql.no_such_column"


class NoSuchFunction(StatementError):
    """SQLite has no such function; the hint names the one that does it."""

    code = "sql.no_such_function"


class ConstraintFailed(StatementError):
    """A row breaks a constraint; mend the row that the message names."""

    code = "sql.constraint"


class AlreadyExists(StatementError):
    """The object exists already; drop it first or say IF NOT EXISTS."""

    code = "sql.already_exists"


class ParametersInvalid(StatementError):
    """Parameters and placeholders do not match; bind one value to each placeholder."""

    code = "sql.parameters"


class ValueRefused(StatementError):
    """SQLite cannot hold the value; the message says what can be stored."""

    code = "sql.value"


class StatementFailed(StatementError):
    """SQLite could not finish the statement; its message says why."""

    code = "sql.runtime"


class StatementTimeout(StatementError):
    """The statement took longer than `query_seconds`; ask for less or add an index."""

    code = "sql.timeout"
    retryable = True


class StatementLimit(StatementError):
    """The statement is beyond a limit of the session; the message names it and its value."""

    code = "sql.limit"


class DiskQuotaExceeded(StatementError):
    """The session's database reached `database_bytes`; delete or compact, then try again."""

    code = "sql.disk_quota"


class SnippetError(CodemodeError):
    """A helper call that the snippet's own limits or state forbid."""

    code = "code.runtime"


class CallLimitExceeded(SnippetError):
    """The snippet made more helper calls than `helper_calls`; batch them."""

    code = "code.call_limit"


class HostFunctionFailed(SnippetError):
    """A function of the host raised; the message is the host's own."""

    code = "code.runtime"


class SessionError(CodemodeError):
    """The session cannot be used as asked."""

    code = "session.not_found"


class SessionBusy(SessionError):
    """Another execution or process has the session; try again later."""

    code = "session.busy"
    retryable = True


class SessionNotFound(SessionError):
    """There is no session of that id; create it or name another."""

    code = "session.not_found"


class SessionExpired(SessionError):
    """The session expired and its data is gone; renew it on purpose to use the id again."""

    code = "session.expired"


class SessionDamaged(SessionError):
    """The session's file cannot be read; it is kept, set aside, and never silently replaced."""

    code = "session.damaged"


class SessionNewer(SessionError):
    """The session was written by a newer codemode; upgrade this one."""

    code = "session.newer"


class SessionExists(SessionError):
    """There is a session of that id already; choose another."""

    code = "session.exists"


class NoSuchCheckpoint(SessionError):
    """The session has no checkpoint of that name; `available` lists those it has."""

    code = "session.no_such_checkpoint"


class CheckpointExists(SessionError):
    """The session has a checkpoint of that name already; choose another, or replace it on purpose."""

    code = "session.checkpoint_exists"


class CannotUndo(SessionError):
    """There is nothing to undo or redo, or not all of what that takes was kept; the message says why."""

    code = "session.cannot_undo"


class CheckpointLimit(SessionError):
    """The session's checkpoints reached `checkpoints` or `checkpoint_bytes`; delete some."""

    code = "session.checkpoint_limit"


class RequestError(CodemodeError):
    """The request itself is wrong; nothing was done for it."""

    code = "request.invalid"


class RequestInvalid(RequestError):
    """The call itself is wrong; mend it as the message says."""

    code = "request.invalid"


class RequestTooLarge(RequestError):
    """The body is larger than the service takes; send less, or stream it."""

    code = "request.too_large"


class RequestMediaType(RequestError):
    """The body has a media type that is not taken here; send one that is."""

    code = "request.media_type"


class NoSuchPath(RequestError):
    """There is nothing at this path; the OpenAPI document lists what there is."""

    code = "request.path"


class NoSuchMethod(RequestError):
    """The path does not have this method; the header Allow names those that it has."""

    code = "request.method"


class RequestTimeout(RequestError):
    """The body did not arrive in time; send it again."""

    code = "request.timeout"


class RequestIncomplete(RequestError):
    """The client went away before its request was whole; it stands in the audit log, nobody is answered."""

    code = "request.incomplete"


class AuthError(CodemodeError):
    """The caller may not do this."""

    code = "auth.invalid"


class AuthMissing(AuthError):
    """The service needs a token; send one."""

    code = "auth.missing"


class AuthInvalid(AuthError):
    """The token is unknown, revoked or expired; ask for another."""

    code = "auth.invalid"


class AuthForbidden(AuthError):
    """The token may not do this; use one with the scope that the message names."""

    code = "auth.forbidden"


class TokenNotFound(CodemodeError):
    """There is no such token in the tenant; the list of tokens names those there are."""

    code = "token.not_found"


class ExecutionNotFound(CodemodeError):
    """There is no such execution in the background; outcomes are kept for an hour."""

    code = "execution.not_found"


class RecordNotFound(CodemodeError):
    """The tenant has no such user, message, panel or other record; the list of them shows those there are."""

    code = "record.not_found"


class RecordExists(CodemodeError):
    """The tenant has a record of that id or name already; choose another."""

    code = "record.exists"


class QuotaError(CodemodeError):
    """The tenant has what its quota allows already."""

    code = "quota.exceeded"

    def __init__(self, message: str, *, retry_after: int = 60, **others: Any) -> None:
        super().__init__(message, **others)
        self.retry_after = retry_after  # seconds until it can go well: known where time alone makes room


class QuotaExceeded(QuotaError):
    """The tenant has as many sessions or bytes as its quota allows; delete what is not needed."""

    code = "quota.exceeded"


class TooManyAtOnce(QuotaError):
    """The tenant's executions are as many as its quota allows, at once or a minute; try again later."""

    code = "quota.executions"
    retryable = True


class TooManyListeners(QuotaError):
    """The tenant listens to as many streams of events as it may; close one that nobody reads."""

    code = "quota.listeners"
    retryable = True


class BackupDamaged(CodemodeError):
    """The file is no backup, or not all of what was written; nothing was restored from it. Use another one."""

    code = "backup.damaged"


class StorageFull(CodemodeError):
    """The data directory cannot be written; free space or mend its permissions."""

    code = "storage.full"
    retryable = True


class WorkerError(CodemodeError):
    """The worker cannot serve."""

    code = "worker.internal"


class IsolationMissing(WorkerError):
    """This host lacks a required layer of confinement; `codemode doctor` says which."""

    code = "worker.isolation"


class WorkerUnavailable(WorkerError):
    """The worker cannot do this now; raise the limit that the message names, or try again."""

    code = "worker.unavailable"
    retryable = True


class WorkerUnreachable(WorkerError):
    """No answer came of the service, or of its worker; check the address, and whether what was asked for was done."""

    code = "worker.unreachable"
    retryable = True


class CatalogDamaged(WorkerError):
    """The catalogue of sessions cannot be read; restore catalog.db from a copy, or move it away and start anew."""

    code = "worker.catalog"


class SecretMissing(WorkerError):
    """What is sensitive is sealed with a key, and the worker does not have it; name its file in `secret_keys_file`."""

    code = "worker.secret"


class CatalogForm(WorkerError):
    """The catalogue was changed in a way that this codemode does not know; use the one that wrote it, or a backup."""

    code = "worker.catalog_form"


class ExtraMissing(WorkerError, ImportError):
    """A package that this part of Codemode needs is not installed; install the extra that the message names."""

    code = "worker.extra"


class WorkerInternal(WorkerError):
    """A fault of the worker itself; the message carries an id that its log explains."""

    code = "worker.internal"
    retryable = True


def error_of(code: str) -> type[CodemodeError] | None:
    """The class that carries `code`; None for a code that this version does not know."""
    return next((kind for kind in every_error() if kind.code == code), None)


def every_error() -> list[type[CodemodeError]]:
    """Every class of the tree, deepest first: the first one of a code is the class that carries it."""
    found: list[type[CodemodeError]] = []
    pending: list[type[CodemodeError]] = [CodemodeError]
    while pending:
        kind = pending.pop()
        found.append(kind)
        pending += kind.__subclasses__()
    return sorted(found, key=lambda kind: -len(kind.__mro__))


def shown(value: object, most: int = 60) -> str:
    """The value for an error's words, cut short."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no integer of over 4,300 digits
        text = f"an {type(value).__name__} of very many digits"
    return text if len(text) <= most else text[: most - 3] + "…"
