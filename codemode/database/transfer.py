"""Import a file into a table and export rows to a file, through functions that the caller gives.

import_file   source → reader (one pass or two) → `load`, which keeps all of the rows or none
export_rows   rows → writer → a file beside the target, renamed over it when it is whole
"""

from __future__ import annotations

import gzip
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

import msgspec

from codemode.asked import IF_EXISTS, one_of, path_of, text_of, text_or_none
from codemode.database.appended import Appended, text_columns
from codemode.database.names import quoted
from codemode.database.onepass import Contradicted
from codemode.database.readers import Column, Delimited, Progress, Reader, changed
from codemode.database.records import Records
from codemode.database.sources import Source, check_readable
from codemode.database.writers import DelimitedWriter, Written, write_json, write_markdown, write_ndjson
from codemode.errors import RequestInvalid, StorageFull, shown

IMPORT_FORMATS = ("csv", "tsv", "json", "ndjson")
EXPORT_FORMATS = (*IMPORT_FORMATS, "markdown")
EXTENSIONS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".json": "json",
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".md": "markdown",
}  # fmt: skip
_REPLACE = "replace it on purpose (force=True, --force), or name another file"


class Load(Protocol):
    """Puts rows into a table in one transaction and answers their number; `columns` are (name, type) pairs.

    `chunks` are values of one row after another, however many rows at a time.
    """

    def __call__(self, table: str, columns: list[tuple[str, str]], chunks: Iterable[Sequence[Any]], /) -> int:
        """Load all rows or none."""
        ...


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What an import brought: where it came from, where it went, and what each column holds."""

    file: str
    table: str
    rows: int
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()


class Exported(NamedTuple):
    """What an export wrote; `bytes` as they are in the file, compressed where that is."""

    rows: int
    bytes: int
    notes: tuple[str, ...]


class ImportAsked(NamedTuple):
    """A file that is to be read, and how, as far as it can be judged without looking into it."""

    path: Path
    kind: str
    table: str
    nulls: list[str]
    delimiter: str | None
    encoding: str
    if_exists: str

    def reader(self) -> Reader:
        """What reads it."""
        return reader_for(self.kind, self.nulls, self.delimiter)


def import_asked(
    path: str | Path,
    table: str | None,
    *,
    file_format: str | None,
    null: str | Sequence[str],
    delimiter: str | None,
    encoding: str,
    if_exists: str,
) -> ImportAsked:
    """The arguments of an import, checked; without `table` it has the file's name. Raises RequestInvalid."""
    place = path_of(path)
    check_readable(place)
    listed = [null] if isinstance(null, str) else null
    if not isinstance(listed, (list, tuple)):
        raise RequestInvalid(f"null must be a text or a list of them, not {type(null).__name__}")
    return ImportAsked(
        place,
        format_of(str(place), IMPORT_FORMATS, file_format),
        text_or_none("table", table) or table_of(str(place)),
        [text_of("null", each) for each in listed],
        text_or_none("delimiter", delimiter),
        text_of("encoding", encoding),
        one_of("if_exists", if_exists, IF_EXISTS),
    )


def format_of(name: str, formats: Sequence[str], given: str | None = None) -> str:
    """The format given, else the one that the file's extension names (before a .gz); raises RequestInvalid."""
    if given in formats:
        return str(given)
    if given is not None:
        hint = f"say one of: {', '.join(formats)}"
        raise RequestInvalid(f"there is no format {shown(given)} here", hint=hint, available=formats)
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    found = EXTENSIONS.get(suffix)
    if found in formats:
        return str(found)
    known = [extension for extension, name in EXTENSIONS.items() if name in formats]
    message = (
        f"{name}: cannot tell the format from its extension"
        if not suffix
        else f"{name}: {suffix} files are not read or written"
    )
    hint = f"say which (file_format, --format), one of: {', '.join(formats)}"
    raise RequestInvalid(message, hint=hint, available=known)


def table_of(name: str) -> str:
    """A table's name from a file's: `2013 flights.csv.gz` becomes `t_2013_flights`."""
    file = Path(name)
    if file.suffix.lower() == ".gz":
        file = file.with_suffix("")
    known = file.suffix.lower() in (*EXTENSIONS, ".txt")
    base = file.stem if known else file.name
    table = re.sub(r"\W+", "_", base).strip("_") or "data"
    return f"t_{table}" if table[0].isdigit() else table


def may_be_table(what: str) -> bool:
    """Whether this is a statement, or the name of a table with blanks in it: only the session's tables tell."""
    return isinstance(what, str) and len(what.split()) > 1


def statement_of(what: str, tables: Collection[str]) -> str:
    """What is exported: the statement itself, or the one that reads the table of this name: a word, or of `tables`."""
    if not isinstance(what, str) or not what.strip():
        raise RequestInvalid("nothing to export", hint="name a table, or give a SELECT")
    name = what.strip()
    if may_be_table(name) and name not in tables:
        return what
    return f"SELECT * FROM {quoted(name)}"  # noqa: S608 - read-only for the guard in any case


def reader_for(kind: str, nulls: Sequence[str] = (), delimiter: str | None = None) -> Reader:
    """The reader of a format; `nulls` are the texts that a delimited file has for NULL (by default the empty field)."""
    if kind in ("csv", "tsv"):
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise RequestInvalid(f"a delimiter is one character, not {delimiter!r}", hint="for example ';' or '|'")
        return Delimited(delimiter or {"csv": ",", "tsv": "\t"}[kind], nulls or ("",))
    if delimiter is not None or any(nulls):
        what = "a delimiter" if delimiter is not None else "a text for NULL"
        raise RequestInvalid(
            f"{what} is for CSV and TSV, and this is {kind}", hint="leave it out: JSON has its own null"
        )
    return Records(lines=kind == "ndjson")


def import_file(
    source: Source,
    reader: Reader,
    table: str,
    load: Load,
    *,
    existing: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
) -> Profile:
    """Read `source` into `table` through `load`.

    `existing` are the columns of the table that is appended to, with their declared types: what goes into a text
    column stays text as the file has it. `progress` gets the bytes consumed so far, of twice the source's size.
    """
    appended, text, told = Appended(existing or {}), text_columns(existing or {}), _forward(progress)
    once = reader.once(source, text=text, progress=told)
    try:
        if once is None:
            raise Contradicted
        rows = load(table, once.columns, _whole(source, appended.seen(once.columns, once.chunks()), None))
        reading = once.learned()
    except Contradicted:  # a first pass through the whole file has to decide
        reading = reader(source, text=text, progress=told)
        columns = [(column.name, column.type) for column in reading.columns]
        chunks = appended.seen(columns, reading.chunks())
        rows = load(table, columns, _whole(source, chunks, reading.rows * len(columns)))
    notes = reading.notes + appended.notes
    return Profile(file=source.name, table=table, rows=rows, columns=reading.columns, notes=notes)


def _forward(progress: Progress) -> Progress:
    """`progress` that never goes back, where a file has to be read again."""
    farthest = 0

    def told(consumed: int) -> None:
        nonlocal farthest
        farthest = max(farthest, consumed)
        progress(farthest)

    return told


def _whole(source: Source, chunks: Iterable[Sequence[Any]], expected: int | None) -> Iterator[Sequence[Any]]:
    """The chunks, of so many values together where that is known, of a file that nobody writes to meanwhile."""
    count = 0
    try:
        for chunk in chunks:
            count += len(chunk)
            yield chunk
    except (ValueError, KeyError) as error:
        if isinstance(error, UnicodeError):
            raise
        raise changed(source) from None  # a value that the first pass did not see
    if not source.is_unchanged() or expected not in (None, count):
        raise changed(source)


def writer_for(kind: str, null: str = "") -> Callable[[Sequence[str], Iterable[Sequence[Any]], Written], Iterator[str]]:
    """The writer of a format; `null` is what NULL is written as in a delimited file."""
    if kind in ("csv", "tsv"):
        return DelimitedWriter({"csv": ",", "tsv": "\t"}[kind], null)
    return {"json": write_json, "ndjson": write_ndjson, "markdown": write_markdown}[kind]


def export_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    target: Path | BinaryIO,
    kind: str,
    *,
    null: str = "",
    force: bool = False,
) -> Exported:
    """Write rows to a file (compressed if its name ends in .gz) or to an open binary stream.

    The file appears whole or not at all; an existing one is replaced only with `force`.
    """
    written, size = Written(), 0
    with _sink(target, force) as sink:
        for text in writer_for(kind, null)(columns, rows, written):
            size += sink.write(text.encode())
    if isinstance(target, Path):
        size = target.stat().st_size
    return Exported(written.rows, size, written.notes(null))


def check_target(target: Path, force: bool) -> None:
    """Refuse a target that cannot or may not be written, before any work is done for it."""
    try:
        if target.is_dir():
            raise RequestInvalid(f"{target} is a directory", hint="name a file in it")
        if target.is_file() and not force:
            raise RequestInvalid(f"{target} exists", hint=_REPLACE)
        if not target.parent.is_dir():
            raise RequestInvalid(f"no such directory: {target.parent}", hint="create it first")
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise RequestInvalid(f"{shown(str(target))}: {error.strerror}", hint="name another file") from None


@contextmanager
def _sink(target: Path | BinaryIO, force: bool) -> Iterator[BinaryIO]:
    if not isinstance(target, Path):
        yield target
        return
    check_target(target, force)
    with whole_file(target, force) as file:
        if not target.name.lower().endswith(".gz"):
            yield file
            return
        # No name and no time in the header: the same rows give the same bytes.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            yield cast(BinaryIO, packed)


@contextmanager
def whole_file(target: Path, force: bool) -> Iterator[BinaryIO]:
    """A file that takes the target's name when the block ends well, and is removed when it does not."""
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        with target.open("wb") as device:  # /dev/stdout or a pipe: nothing to rename
            yield device
        return
    target = Path(os.path.realpath(target))  # pathlib raises for links that lead to themselves
    beside = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.tmp")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        give_name(beside, target, force)
    except OSError as error:
        raise StorageFull(
            f"cannot write {target}: {error.strerror}", hint="free space, or mend its permissions"
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def give_name(beside: Path, target: Path, force: bool, otherwise: str = _REPLACE) -> None:
    """Give a whole file the name that it is made for; without `force` never that of another one."""
    if not force:
        # A hard link fails where a file has appeared meanwhile; a rename would replace it.
        try:
            target.hardlink_to(beside)
        except FileExistsError:
            raise RequestInvalid(f"{target} exists", hint=otherwise) from None
        except OSError:
            pass  # a file system without links: the check before the work has to do
        else:
            return
    beside.replace(target)
