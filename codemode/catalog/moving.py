"""Move all of a catalogue: into another store, or into one file and back. All of it, compared row by row, or nothing.

An export is gzip of lines of JSON. The first names the format, the form of the catalogue and its tables; for each table
follow its rows, as arrays, and one line with their number and SHA-256; the last says that it is whole. Bytes are an
object with `base64`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from codemode import __version__
from codemode.catalog import contents
from codemode.catalog.contents import Table
from codemode.catalog.migrating import migrate, standing
from codemode.catalog.opening import connect
from codemode.catalog.store import Row, Store
from codemode.database.clock import iso, now_ms
from codemode.database.transfer import give_name
from codemode.errors import BackupDamaged, CatalogForm, RequestInvalid, SessionNewer, StorageFull

FORMAT = 1
_LONGEST = 64 * 1024 * 1024  # of a line: far above what any row may hold
Progress = Callable[[int, int], None]  # rows done, and rows in all


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    catalogue: int
    codemode: str
    created_at: str
    form: int
    rows: int
    tables: dict[str, list[str]]


class _Foot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    table: str
    rows: int
    sha256: str


class _End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    whole: bool


def copy(source: Store, target: Store, *, replace: bool = False, progress: Progress = lambda done, all_: None) -> int:
    """Copy all rows from one store to another, both of the newest form; how many there were.

    One transaction of the target, in which both are then compared in order: an error, a difference or a crash leaves it
    as it was. Raises RequestInvalid where the target is in use, unless it is to be replaced, and CatalogForm.
    """
    if standing(source).form != standing(target).form:
        raise CatalogForm(
            f"the catalogues are of different forms ({source.where}: {standing(source).form},"
            f" {target.where}: {standing(target).form})",
            hint="bring both to the newest one: codemode db migrate",
        )
    with source.snapshot() as look, target.loading(contents.TABLES):
        contents.check_may_be_filled(target, replace=replace)
        contents.clear(target)
        found = contents.tables(target)
        total, done = sum(contents.count(look, table) for table in found), 0
        for table in found:
            for some in contents.fill(target, table, contents.rows(look, table)):
                done += some
                progress(done, 2 * total)
        for table in found:
            seen = _told(contents.rows(target.run, table), lambda part: progress(total + part, 2 * total))
            _expect_same(table, contents.rows(look, table), seen)
    return total


def _told(rows: Iterator[Row], tell: Callable[[int], None]) -> Iterator[Row]:
    for place, row in enumerate(rows, 1):
        if place % 1_000 == 0:
            tell(place)
        yield row


def _expect_same(table: Table, expected: Iterator[Row], found: Iterator[Row]) -> None:
    for place, (left, right) in enumerate(zip_longest(expected, found), 1):
        if left != right:
            raise BackupDamaged(
                f"row {place:,} of {table.name} is not the same afterwards: nothing was kept",
                hint="report it, with what this table holds",
            )


def export(store: Store, path: Path, *, progress: Progress = lambda done, all_: None) -> int:
    """Write all of a catalogue, as of one moment, to the new file `path`; how many rows. Its owner alone may read it.

    Raises RequestInvalid where there is such a file, or no folder for it, and StorageFull.
    """
    if path.exists():
        raise RequestInvalid(f"{path} exists", hint="name a new file")
    if not path.parent.is_dir():
        raise RequestInvalid(f"no such directory: {path.parent}", hint="create it first")
    part = path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.part")
    try:
        with _storage(path):
            # For its owner alone, as the catalogue itself is: what people said is in it, and hashes of tokens.
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as written:
                with gzip.open(written, "wb", compresslevel=4) as file:
                    total = _write(store, file, progress)
                written.flush()
                os.fsync(written.fileno())
            give_name(part, path, force=False, otherwise="name a new file")
    finally:
        part.unlink(missing_ok=True)
    return total


def _write(store: Store, file: gzip.GzipFile, progress: Progress) -> int:
    tables, done = contents.tables(store), 0
    with store.snapshot() as look:
        total = sum(contents.count(look, table) for table in tables)
        head = _Head(
            catalogue=FORMAT, codemode=__version__, created_at=iso(now_ms()), form=standing(store).form, rows=total,
            tables={table.name: list(table.columns) for table in tables},
        )  # fmt: skip
        _put(file, head)
        for table in tables:
            digest, count = hashlib.sha256(), 0
            for row in contents.rows(look, table):
                digest.update(_put(file, [_plain(value) for value in row]))
                count += 1
                if count % 1_000 == 0:
                    progress(done + count, total)
            done += count
            _put(file, _Foot(table=table.name, rows=count, sha256=digest.hexdigest()))
        _put(file, _End(whole=True))
    return total


def _put(file: gzip.GzipFile, value: Any) -> bytes:
    line = msgspec.json.encode(value) + b"\n"
    file.write(line)
    return line


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def bring_in(store: Store, path: Path, *, replace: bool = False, progress: Progress = lambda done, all_: None) -> int:
    """Fill a catalogue with what an export holds; how many rows.

    One transaction, in which the file is then read once more and compared with what is there. Raises BackupDamaged,
    SessionNewer for an export of a later form, and RequestInvalid where the catalogue is in use.
    """
    with _Reading(path) as reading:
        _check_form(reading.head, store)
        older = reading.head.form < standing(store).form
    return (_bring_up if older else _bring_in)(store, path, replace, progress)


def _bring_up(store: Store, path: Path, replace: bool, progress: Progress) -> int:
    """The same for an export of an earlier form: what migrations make of its rows, they make in a file of that form."""
    contents.check_may_be_filled(store, replace=replace)
    with tempfile.TemporaryDirectory(prefix="codemode-import-") as folder, closing(connect("", Path(folder))) as older:
        with _Reading(path) as reading:
            migrate(older, reading.head.form)
        # Its words are not indexed, as only codemode of its own form could: the copy does that in the target.
        _bring_in(older, path, False, lambda done, all_: progress(done, 2 * all_), indexed=())
        migrate(older)
        return copy(older, store, replace=replace, progress=lambda done, all_: progress(all_ + done, 2 * all_))


def _bring_in(
    store: Store, path: Path, replace: bool, progress: Progress, indexed: Collection[str] = tuple(contents.TABLES)
) -> int:
    with _Reading(path) as reading, store.loading(indexed):
        _check_tables(reading.head, store)
        contents.check_may_be_filled(store, replace=replace)
        contents.clear(store)
        total: int = reading.head.rows
        done = 0
        for table in reading.tables:
            for some in contents.fill(store, table, reading.rows(table)):
                done += some
                progress(done, 2 * total)
        reading.expect_end()
        with _Reading(path) as again:
            for table in again.tables:
                seen = _told(contents.rows(store.run, table), lambda part: progress(total + part, 2 * total))
                _expect_same(table, again.rows(table), seen)
    return total


def _check_form(head: _Head, store: Store) -> None:
    here = standing(store).form
    if head.catalogue > FORMAT:
        raise SessionNewer(
            f"the export has format {head.catalogue}, and this codemode reads formats up to {FORMAT}",
            hint=f"upgrade codemode: {head.codemode} wrote it",
        )
    if head.form > here:
        raise SessionNewer(
            f"the export has form {head.form}, and the catalogue has {here} ({store.where})",
            hint="bring the catalogue to the newest form (codemode db migrate), or upgrade codemode",
        )


def _check_tables(head: _Head, store: Store) -> None:
    known = {table.name: set(table.columns) for table in contents.tables(store)}
    if any(not known.get(name, set()).issuperset(columns) for name, columns in head.tables.items()):
        raise _damaged("it has tables or columns that no catalogue has")


class _Reading:
    """An export that is read from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise RequestInvalid(f"there is no file {path}", hint="name an export: codemode db export FILE")
        with _storage(path):
            self._file = gzip.open(path, "rb")  # noqa: SIM115 - closed by __exit__
        try:
            self.head = self._decoded(self._line(), _Head)
        except BaseException:
            self._file.close()
            raise

    @property
    def tables(self) -> list[Table]:
        """Those that it holds, in its order."""
        return [Table(name, tuple(columns)) for name, columns in self.head.tables.items()]

    def __enter__(self) -> _Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of the table that comes next; raises BackupDamaged where they are not those that were written."""
        digest, count = hashlib.sha256(), 0
        while (line := self._line()).startswith(b"["):
            digest.update(line)
            count += 1
            row = self._decoded(line, list[Any])
            if len(row) != len(table.columns):
                raise _damaged(f"a row of {table.name} has another number of columns")
            yield tuple(_value(each) for each in row)
        if self._decoded(line, _Foot) != _Foot(table=table.name, rows=count, sha256=digest.hexdigest()):
            raise _damaged(f"the rows of {table.name} are not those that were written")

    def expect_end(self) -> None:
        """Raise BackupDamaged unless nothing is left but the last line."""
        if not self._decoded(self._line(), _End).whole or self._file.read(1):
            raise _damaged("it does not end where it should")

    def _line(self) -> bytes:
        try:
            line = self._file.readline(_LONGEST)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(str(error)) from None
        if not line.endswith(b"\n"):
            raise _damaged("it is cut off")
        return line

    def _decoded(self, line: bytes, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _damaged("it is no export of a catalogue") from None


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        return base64.b64decode(value["base64"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise _damaged("a value is neither plain nor bytes") from None


def _damaged(why: str) -> BackupDamaged:
    return BackupDamaged(f"the export cannot be read: {why}", hint="use another export")


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFull(f"{path}: {error.strerror or error}", hint="free space, or name another place") from None
