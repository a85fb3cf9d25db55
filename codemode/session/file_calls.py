"""Files into a session and out of it, as calls of a host."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codemode.asked import path_of
from codemode.database.names import folded
from codemode.errors import RequestInvalid, SessionBusy, SessionDamaged, StorageFull
from codemode.loading import loading_late
from codemode.session.calls import Calls
from codemode.session.files import beside, storage_errors
from codemode.session.host_calls import HostCalls
from codemode.session.registry import Registry, missing
from codemode.session.slots import Key

if TYPE_CHECKING:  # loaded by the calls: most sessions never see a file
    from codemode.database.readers import Reader
    from codemode.database.sources import Source
    from codemode.database.transfer import Exported, Profile
    from codemode.session.tally import Tally


class FileCalls(HostCalls):
    """The calls; a subclass says which session of which registry is meant, and how to take a turn of it."""

    _registry: Registry
    _key: Key

    def _turn(self) -> AbstractContextManager[Calls]:
        raise AssertionError("a session provides this")

    def _tell(self, warnings: list[str], tally: Tally) -> None:
        raise AssertionError("a session provides this")

    def import_file(
        self,
        path: str | Path,
        table: str | None = None,
        *,
        file_format: str | None = None,
        null: str | Sequence[str] = (),
        delimiter: str | None = None,
        encoding: str = "utf-8",
        if_exists: str = "error",
    ) -> Profile:
        """Read a file (CSV, TSV, JSON, NDJSON, plain or gzip) into a table with inferred types, in one transaction.

        Without `table` it has the file's name. `null`: what stands for NULL, instead of the empty field. `if_exists`:
        error, append or replace. Answers what came in: `file`, `table`, `rows`, `columns`, `notes`.
        """
        with loading_late():
            from codemode.database.sources import Source
            from codemode.database.transfer import import_asked

        asked = import_asked(
            path, table, file_format=file_format, null=null, delimiter=delimiter, encoding=encoding,
            if_exists=if_exists,
        )  # fmt: skip
        with Source(asked.path, encoding=asked.encoding) as source:
            return self.import_source(source, asked.reader(), asked.table, asked.if_exists)

    def import_source(
        self,
        source: Source,
        reader: Reader,
        table: str,
        if_exists: str = "error",
        progress: Callable[[int], None] | None = None,
    ) -> Profile:
        """Read a file into `table` with inferred types, in one transaction, and say what came in.

        `if_exists` as in `load`. `progress` gets the bytes consumed so far, of twice the source's size.
        """
        with loading_late():
            from codemode.database.transfer import import_file
            from codemode.session.loading import load

        existing = {}
        if if_exists == "append" and folded(table) in map(folded, self.get_tables()):
            existing = {column["name"]: column["type"] for column in self.get_columns(table)}

        def into(name: str, columns: list[tuple[str, str]], chunks: Iterable[Sequence[Any]]) -> int:
            with self._turn() as calls:
                return load(calls.statements, name, columns, chunks, if_exists=if_exists, progress=None)

        return import_file(source, reader, table, into, existing=existing, progress=progress or (lambda _: None))

    def load(
        self,
        table: str,
        columns: Sequence[tuple[str, str]],
        rows: Iterable[Sequence[Any]],
        *,
        if_exists: str = "error",
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Insert `rows` into `table`, made of `columns` (name, type), in one transaction; the number of rows.

        `if_exists`: error, append (to the columns of these names) or replace. `progress` gets the rows done so far.
        Values are what SQLite has: None, bool, int, float, str, bytes; lists and dicts become JSON text. NaN is stored
        as NULL, which the log tells.
        """
        with loading_late():
            from codemode.session.loading import in_chunks, load

        with self._turn() as calls:
            tally = calls.statements.tally
            chunks = in_chunks(rows, [name for name, _ in columns], lambda text: self._tell([text], tally))
            return load(calls.statements, table, columns, chunks, if_exists=if_exists, progress=progress)

    def export(
        self,
        what: str,
        path: str | Path,
        params: Any = (),
        *,
        file_format: str | None = None,
        null: str = "",
        force: bool = False,
    ) -> Exported:
        """Write all rows of a table or of a statement that only reads to a file, in constant memory.

        CSV, TSV, JSON, NDJSON or Markdown by the file's extension, compressed where it ends in .gz. The file appears
        whole or not at all; an existing one is replaced only with `force`. Answers `rows`, `bytes` and `notes`.
        """
        with loading_late():
            from codemode.database import transfer

        target = path_of(path)
        kind = transfer.format_of(str(target), transfer.EXPORT_FORMATS, file_format)
        transfer.check_target(target, force)
        tables = self.get_tables() if transfer.may_be_table(what) else ()
        columns, rows = self.stream(transfer.statement_of(what, tables), params)
        return transfer.export_rows(columns, rows, target, kind, null=null, force=force)

    def export_file(self, path: str | Path, *, force: bool = False) -> int:
        """Write the session as it is committed now to one plain SQLite file; its size in bytes.

        Tables, indexes, views, triggers, state and kept results, without the engine's bookkeeping. Waits for no
        execution. The file appears whole or not at all; an existing one is replaced only with `force`. Raises
        RequestInvalid for a path that cannot be used, StatementTimeout after `execution_seconds`, StorageFull.
        """
        with loading_late():
            from codemode.database.transfer import check_target, give_name

        target = path_of(path).absolute()
        check_target(target, force)
        if target.exists() and not target.is_file():  # a device would lose its name to the file
            raise RequestInvalid(f"{target} is a device or pipe", hint="name a file: a database is made as a whole")
        target = Path(os.path.realpath(target))  # a link stays, and what it leads to is replaced
        with beside(target) as place:
            made = self.portable(place)
            with storage_errors(target):
                size = made.stat().st_size
                give_name(made, target, force)
        return size

    def portable(self, place: Path) -> Path:
        """The same as a new file in the directory `place`, which the caller deletes."""
        with loading_late():
            from codemode.database.portable import write_portable

        record = self._registry.record(self._key)
        limits = self._registry.limits(record)
        files = self._registry.files(self._key)
        try:
            if not files.database.exists():
                self._registry.record(self._key)  # no removal waits for a copy
                raise missing(files)
            made = write_portable(files.database, place, limits, time.monotonic() + limits.execution_seconds)
        except (SessionDamaged, StorageFull):
            if self._registry.record(self._key).created_at == record.created_at:
                raise
            message = f"session {self._key[1]} was made anew while it was copied"
            raise SessionBusy(message, hint="try again") from None
        self._used()
        return made
