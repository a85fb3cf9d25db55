"""Files of the caller's machine into a session and out of it: sent as they are, written as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from anyio import from_thread, to_thread

from codemode.asked import path_of
from codemode.client.ask import Ask, Call, converted, query_of
from codemode.client.calls import Place
from codemode.client.records import file_upload
from codemode.database import transfer

if TYPE_CHECKING:
    from codemode.database.transfer import Exported, ImportAsked, Profile

_MEDIA = "application/octet-stream"
_ROWS_AT_ONCE = 500


def import_call(
    place: Place,
    asked: ImportAsked,
    file: IO[bytes],
) -> Call[Profile]:
    """A file into a table."""
    asked.reader()  # which refuses a delimiter of two characters, and the like
    query = query_of(
        table=asked.table, format=asked.kind, null=asked.nulls, delimiter=asked.delimiter, encoding=asked.encoding,
        if_exists=asked.if_exists, name=str(asked.path),
    )  # fmt: skip
    # Its rows are read twice after the last byte has come, which takes as long as they are many.
    ask = Ask(method="POST", path=f"{place.path}/import", query=query, upload=file_upload(file, _MEDIA), seconds=None)
    return Call(ask, converted(transfer.Profile))


def database(place: Place) -> Ask:
    """The request for a session as one database file."""
    query = query_of(format="sqlite")
    return Ask(method="GET", path=f"{place.path}/export", query=query, safe=True, seconds=place.seconds)


@contextmanager
def written_whole(path: str | Path, force: bool) -> Iterator[IO[bytes]]:
    """A file that appears when the block ends well; raises RequestInvalid where it cannot."""
    target = path_of(path).absolute()
    transfer.check_target(target, force)
    with transfer.whole_file(target, force) as file:
        yield file


class ExportPlan(NamedTuple):
    """A statement and the file that its rows go to, checked before anything is asked."""

    sql: str
    path: Path
    kind: str
    null: str
    force: bool

    def write(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Exported:
        """Write the rows as they come; the file appears whole or not at all."""
        return transfer.export_rows(columns, rows, self.path, self.kind, null=self.null, force=self.force)


async def written(plan: ExportPlan, columns: Sequence[str], rows: AsyncIterator[Sequence[Any]]) -> Exported:
    """Write rows that come asynchronously: a thread writes, and asks the event loop for each piece."""

    def waiting() -> Iterator[Sequence[Any]]:
        while some := from_thread.run(_some, rows):
            yield from some

    return await to_thread.run_sync(lambda: plan.write(columns, waiting()))


async def _some(rows: AsyncIterator[Sequence[Any]]) -> list[Sequence[Any]]:
    found: list[Sequence[Any]] = []
    async for row in rows:
        found.append(row)
        if len(found) >= _ROWS_AT_ONCE:
            break
    return found


def export_plan(
    what: str, tables: Collection[str], path: str | Path, file_format: str | None, null: str, force: bool
) -> ExportPlan:
    """The plan for an export, with the tables where `what` may be one; raises RequestInvalid for the file."""
    target = path_of(path)
    kind = transfer.format_of(str(target), transfer.EXPORT_FORMATS, file_format)
    transfer.check_target(target, force)
    return ExportPlan(transfer.statement_of(what, tables), target, kind, null, force)
