"""Files into a session and out of it, as calls of a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codemode.loading import loading_late

if TYPE_CHECKING:  # loaded by the calls: most sessions never see a file
    from codemode.database.readers import Reader
    from codemode.database.sources import Source
    from codemode.database.transfer import Exported, Profile


class FileCalls:
    """The calls; a subclass says how rows come in and out."""

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
            from codemode.database import transfer
            from codemode.database.sources import Source, check_readable

        check_readable(Path(path))
        kind = transfer.format_of(str(path), transfer.IMPORT_FORMATS, file_format)
        reader = transfer.reader_for(kind, [null] if isinstance(null, str) else null, delimiter)
        with Source(Path(path), encoding=encoding) as source:
            return self.import_source(source, reader, table or transfer.table_of(str(path)), if_exists)

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

        kind = transfer.format_of(str(path), transfer.EXPORT_FORMATS, file_format)
        transfer.check_target(Path(path), force)
        columns, rows = self.stream(transfer.statement_of(what), params)
        return transfer.export_rows(columns, rows, Path(path), kind, null=null, force=force)

    def import_source(
        self,
        source: Source,
        reader: Reader,
        table: str,
        if_exists: str = "error",
        progress: Callable[[int], None] | None = None,
    ) -> Profile:
        """Read a source into a table."""
        raise AssertionError("a session provides this")

    def stream(self, sql: str, params: Any = ()) -> tuple[list[str], Iterator[Sequence[Any]]]:
        """Column names and rows."""
        raise AssertionError("a session provides this")
