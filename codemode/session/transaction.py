"""The transaction of one execution: all or nothing, unless it was asked for otherwise.

It opens at the first write and ends when the execution ends. What happens in between:

    begin ──▶ statement                    one plain write
          ──▶ mark ──▶ … ──▶ keep          a unit (a batch, a change of the schema) that went well
                       └───▶ undo          a unit that failed: exactly as before its mark
    commit                                 helpers.db.commit(): what was done so far stays
    finish(keep=True | False)              the end

Some statements end the transaction by themselves (OR ROLLBACK, RAISE(ROLLBACK), an interrupted write). SQLite is
then in autocommit mode, and the next write of the snippet would be permanent at once, although what came before
it is gone. So `in_transaction` is looked at after every unit, and a transaction that ended by itself dooms the
execution: nothing further runs, and its outcome is an error even when the snippet caught the exception.

Each mark remembers which tables were changed before it, so whatever is undone is told as no change either.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

from codemode.database.execute import DatabaseError
from codemode.errors import (
    CodemodeError,
    ConstraintFailed,
    RequestInvalid,
    StatementFailed,
    StatementRefused,
    StatementTimeout,
)
from codemode.session.opened import ADVICE_SECONDS, Guarded, OpenSession
from codemode.session.provenance import HOST, Provenance
from codemode.session.references import unmet

_LEAST_SECONDS = 1.0  # for a commit, which waits for the disk, however little time a statement has
Mode = Literal["atomic", "each", "dry_run", "read_only"]


def _nothing() -> None:
    """What there is to do first where nobody said otherwise."""


class Transaction:
    """One execution's transaction on an open session."""

    def __init__(self, opened: Guarded, mode: Mode, execution_id: str = HOST) -> None:
        self.mode: Mode = mode
        self.provenance = Provenance(opened, execution_id)
        self.committed = False  # by commit(), or unit by unit where mode is "each"
        self.rolled_back = False
        self.doomed: str | None = None
        self.before_write = _nothing
        self.before_commit = _nothing  # what it writes commits with the data, or not at all
        self._opened, self._connection, self._guard = opened, opened.connection, opened.guard
        self._history = opened.history if isinstance(opened, OpenSession) else None
        self._open = False
        self._changed: dict[str, None] = {}  # a set that keeps its order
        self._permanent: dict[str, None] = {}  # those of them that no rollback takes back
        self._marks: list[dict[str, None]] = []  # what was changed before each

    @property
    def changed(self) -> tuple[str, ...]:
        """The tables that were changed, or in a dry run would be, in the order of their first change."""
        return tuple(self._changed)

    def note(self, tables: Iterable[str]) -> None:
        """These tables were changed."""
        self._changed |= dict.fromkeys(tables)

    @property
    def depth(self) -> int:
        """How many units are open."""
        return len(self._marks)

    @property
    def pending(self) -> bool:
        """Whether ending well will commit something."""
        return self._open and self.doomed is None and self.mode != "dry_run"

    def check_alive(self) -> None:
        """Raise when the transaction ended by itself, now or earlier: nothing may run after that."""
        if self._open and not self._connection.in_transaction:
            self._doom()
        if self.doomed:
            raise StatementFailed(self.doomed, hint="let the execution fail, and run it again without that statement")

    def begin(self) -> None:
        """Open the transaction if it is not open yet; raises when nothing may be written."""
        self.check_alive()
        self.expect_writable()
        self.before_write()
        if not self._open:
            if self._history is not None:
                self._history.expect_room()
                self._history.unhurried()
            self._engine("BEGIN IMMEDIATE")
            self._open = True

    def expect_writable(self) -> None:
        """Raise where nothing may be written, whatever the statement."""
        if self.mode == "read_only":
            hint = (
                "write in an execution that is not read_only: `codemode run`, or execute_code over MCP, "
                "which a server with --read-only refuses too"
            )
            raise StatementRefused("this execution is read-only", hint=hint)

    def mark(self) -> int:
        """Begin a unit of writes; `keep` or `undo` ends it. Units nest, last in first out."""
        self.begin()
        with self._in_time():
            self._engine(f"SAVEPOINT unit_{self.depth + 1}")
        self._marks.append(self._changed.copy())
        self.provenance.mark()
        return self.depth

    def keep(self, mark: int) -> None:
        """The unit went well; raises when the transaction ended under it."""
        self.check_alive()
        with self._in_time():
            self._engine(f"RELEASE unit_{mark}")
        del self._marks[mark - 1 :]
        self.provenance.keep()
        if self.mode == "each" and not self._marks:
            self._commit()

    def undo(self, mark: int) -> None:
        """The unit failed: put everything back as it was at its mark."""
        if not self._connection.in_transaction:  # and no mark is left: the transaction may have ended long ago
            self._doom()
            return
        self._changed = self._marks[mark - 1]
        del self._marks[mark - 1 :]
        self.provenance.undo(mark)
        self._engine(f"ROLLBACK TO unit_{mark}")
        self._engine(f"RELEASE unit_{mark}")
        if self.mode == "each" and not self._marks:
            self._rollback()

    @contextmanager
    def unit(self) -> Iterator[None]:
        """A unit as a block: kept when it ends well, undone when it raises."""
        mark = self.mark()
        try:
            yield
            self.check_alive()
        except BaseException:
            self.undo(mark)
            raise
        self.keep(mark)

    def whole(self) -> AbstractContextManager[None]:
        """One plain write of which SQLite may leave a part where it fails."""
        return self.statement() if self.mode == "each" and not self._marks else self.unit()

    @contextmanager
    def statement(self) -> Iterator[None]:
        """One plain write: SQLite itself undoes a statement that fails, so it needs no mark of its own."""
        self.begin()
        try:
            yield
        except BaseException:
            if not self._connection.in_transaction:
                self._doom()
            elif self.mode == "each" and not self._marks:
                self._rollback()
            raise
        self.check_alive()
        if self.mode == "each" and not self._marks:
            self._commit()

    def commit(self) -> None:
        """Make everything so far permanent."""
        self.check_alive()
        if self.mode == "dry_run":
            raise RequestInvalid("commit() is not available in a dry run", hint="a dry run changes nothing")
        if self._marks:
            raise RequestInvalid("commit() is not available inside a batch", hint="call it before or after the batch")
        if self._open:
            self._commit()
        self.committed = True

    def finish(self, *, keep: bool) -> None:
        """End the execution: commit when `keep` and nothing speaks against it, otherwise roll back.

        Raises what the commit raised (a deferred foreign key, a full disk); everything is rolled back then.
        """
        self.before_write = _nothing  # it leads to what has this transaction: a circle would wait for the collector
        if keep and self.doomed is None and self.mode != "dry_run":
            if self._marks:
                self.undo(1)  # a unit that nobody ended is none: only a child that lies leaves one open
            if self._open:
                self._commit()
            self.committed = True
            if self.mode == "each":
                self.rolled_back = False  # a call that failed, and was caught, undid no writes but its own
            return
        if self._open:
            changed = self._changed
            self._rollback()
            if self.mode == "dry_run":
                self._changed = changed

    def _commit(self) -> None:
        try:
            with self._in_time():
                self.before_commit()
                self.provenance.write()
                self._name_state()
                self._engine("COMMIT")
        except CodemodeError as error:
            if isinstance(error, ConstraintFailed):
                error.hint = self._unmet() or error.hint
            self._rollback()
            raise
        self.provenance.forget()
        self._open = False
        self._permanent = self._changed.copy()
        self.committed = True
        if self._history is not None:
            self._history.settle()

    def _unmet(self) -> str | None:
        try:
            with self._guard.engine(), self._opened.deadline.until(time.monotonic() + ADVICE_SECONDS):
                return unmet(self._connection)
        except DatabaseError:
            return None  # it took too long: what is known without it has to do

    def _name_state(self) -> None:
        if self._history is not None:
            try:
                self._history.mark()
            except DatabaseError as error:
                raise self._opened.explained(error, "COMMIT") from None

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._engine("ROLLBACK")
        if self._history is not None:
            self._history.unmark()
        self._ended()

    def _doom(self) -> None:
        undone = (
            "what it wrote since it last committed" if self.committed else "everything that this execution had written"
        )
        self.doomed = f"the statement ended the transaction, so {undone} is undone"
        self._ended()

    def _ended(self) -> None:
        self._open, self._marks, self.rolled_back = False, [], True
        self._changed = self._permanent.copy()
        self.provenance.forget()

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """The time of a statement for what has FTS5 write its words: minutes, where 'secure-delete' is on.

        An interrupt that comes when they are written changes nothing any more.
        """
        most = self._opened.limits.query_seconds
        begun = self._opened.deadline.begin(time.monotonic() + max(most, _LEAST_SECONDS))
        try:
            yield
        except StatementTimeout as error:
            error.message = f"full-text tables took longer than query_seconds ({most:g} s) to write what was changed"
            error.hint = "change less before helpers.db.commit(); 'secure-delete' of a full-text table makes it slow"
            raise
        finally:
            self._opened.deadline.end(begun)

    def _engine(self, sql: str) -> None:
        with self._guard.engine():
            try:
                self._connection.execute(sql, can_cache=False)
            except DatabaseError as error:
                raise self._opened.explained(error, sql) from None
