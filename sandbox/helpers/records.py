"""Records of any shape → rows of values in one order of columns.

A record is a dict (any mapping), a named tuple, a dataclass instance, or a sequence whose columns are known.
The columns of a stream are those that its records name: they grow when a later record names a further one, so
that a column which no record names keeps its DEFAULT, and one that a record leaves out is NULL in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from operator import itemgetter
from typing import Any

from sandbox.helpers.error import HelperError
from sandbox.helpers.jsontext import is_record
from sandbox.helpers.spelling import closest, did_you_mean
from sandbox.pieces import MOST_COLUMNS, folded

ENOUGH = object()  # among records: those before it are as many as should be held together
_ABSENT = object()  # a key that no record has: `record.get` answers None for it
_NEVER = -1  # the length of no record
_SHAPES = 256  # shapes remembered; records with ever new sets of keys must not fill the memory


class Columns:
    """The columns of one stream of records, and how each shape of record is laid onto them.

    `names` are the columns in use so far. `known`: the only columns allowed (the table's, or those the caller
    listed), or None while the table is still to be made from the records. `fixed`: the caller listed them.
    """

    def __init__(self, known: Sequence[str] | None, *, fixed: bool = False) -> None:
        self.names: list[str] = list(known) if fixed and known else []
        self.known = known
        self.fixed = fixed
        self.lacking: dict[str, None] = {}  # columns that some record lacks, and that are NULL in it
        self._by_folded = {folded(name): name for name in known or ()}
        self._shapes: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        # How many keys most records have, and what takes the values of such a dict out in the order of `names`: the
        # two make the loop over a million records short.
        self._usual = _NEVER
        self._pick: Callable[[dict[Any, Any]], Iterable[Any]] = dict.values

    def take(self, records: Iterator[Any], flat: list[Any], most: int, first: int) -> bool:
        """Lay up to `most` records behind the rows in `flat`; `first` is the index of the first row there.

        Whether ENOUGH stood among them, behind which none is taken.
        """
        extend, usual, pick = flat.extend, self._usual, self._pick
        for record in islice(records, most):
            if type(record) is dict and len(record) == usual:
                try:
                    extend(pick(record))  # a dict of so many keys that has all of them has no other
                    continue
                except KeyError:
                    pass
            if record is ENOUGH:
                return True
            width = len(self.names)
            values = self._lay(record, first + (len(flat) // width if width else 0))
            if width < len(self.names):
                self.lacking |= dict.fromkeys(self.names[width:] if flat else ())
                flat[:] = widened(flat[:], width, len(self.names))
            extend(values)
            usual, pick = self._usual, self._pick
        return False

    def close(self) -> None:
        """The table was made of the columns so far: there will be no others."""
        if self.known is None:
            self.known = list(self.names)

    def _lay(self, record: Any, index: int) -> Sequence[Any]:
        if type(record) in {tuple, list}:
            return self._sequence(record, index)
        if isinstance(record, Mapping):
            return self._mapping(record, index)
        if isinstance(record, tuple) and hasattr(record, "_fields") and not self.fixed:
            return self._mapping(dict(zip(record._fields, record, strict=True)), index)
        if is_record(record):
            return self._mapping({field.name: getattr(record, field.name) for field in fields(record)}, index)
        if isinstance(record, Sequence) and not isinstance(record, (str, bytes, bytearray, memoryview)):
            return self._sequence(record, index)
        raise HelperError(
            "request.invalid",
            f"record {index} is a {type(record).__name__}, not a dict or a sequence",
            hint="pass dicts, or lists of values with columns=[...]",
        )

    def _sequence(self, record: Sequence[Any], index: int) -> Sequence[Any]:
        if not self.names and self.known is not None and len(self.known) == len(record):
            self.names.extend(self.known)
        if len(record) == len(self.names) and self.names:
            return record
        columns = self.names or self.known or ()
        expected = f" for {_counted(columns, 'column')} ({', '.join(columns)})" if columns else ""
        raise HelperError(
            "request.invalid",
            f"record {index} is a sequence of {_counted(record, 'value')}{expected}",
            hint="say which columns the values are for: columns=[...]",
            available=columns,
        )

    def _mapping(self, record: Mapping[Any, Any], index: int) -> Sequence[Any]:
        keys = tuple(record)
        shape = self._shapes.get(keys)
        if shape is None or len(shape) < len(self.names):
            shape = self._shape(keys, index)
        get = record.get
        return [get(key) for key in shape]

    def _shape(self, keys: tuple[Any, ...], index: int) -> tuple[Any, ...]:
        by_column: dict[str, Any] = {}
        for key in keys[: MOST_COLUMNS + 1]:  # each new one is compared with all names: a million would take hours
            column = self._column(key, index)
            if column in by_column:
                message = f"record {index} names the column {column!r} twice: {by_column[column]!r} and {key!r}"
                raise HelperError("request.invalid", message)
            by_column[column] = key
        new = [column for column in by_column if column not in self.names]
        if len(self.names) + len(new) > MOST_COLUMNS:
            raise HelperError(
                "sql.limit",
                f"record {index} brings the columns to more than the {MOST_COLUMNS} that a table may have",
                hint="are the keys data? then write one record for each of them; or split the table",
            )
        self.names += new
        if not self.names:
            raise HelperError("request.invalid", f"record {index} has no keys", hint="leave empty records out")
        if len(self._shapes) >= _SHAPES:
            self._shapes.clear()
        self._shapes[keys] = shape = tuple(by_column.get(name, _ABSENT) for name in self.names)
        self._expect(keys, shape)
        return shape

    def _expect(self, keys: tuple[Any, ...], shape: tuple[Any, ...]) -> None:
        if _ABSENT in shape:
            self.lacking |= {name: None for name, key in zip(self.names, shape, strict=True) if key is _ABSENT}
            self._usual = _NEVER  # what was usual before may be narrower than the columns are now
        else:
            self._usual = len(keys)
            self._pick = _picker(shape)

    def _column(self, key: Any, index: int) -> str:
        if not isinstance(key, str):
            raise HelperError("request.invalid", f"record {index} has a key that is not text: {key!r}")
        if self.known is None:
            return self._by_folded.setdefault(folded(key), str.__str__(key))
        column = self._by_folded.get(folded(key))
        if column is None:
            raise self._unknown(key, index)
        return column

    def _unknown(self, key: str, index: int) -> HelperError:
        known = list(self.known or ())
        meant = closest(key, known)
        return HelperError(
            "request.invalid" if self.fixed else "sql.no_such_column",
            f"record {index} has an unknown key {key!r}; the columns are {', '.join(known)}",
            hint=did_you_mean(meant) or "leave the key out, or add the column with ALTER TABLE",
            did_you_mean=meant,
            available=known,
        )


def _picker(keys: Sequence[Any]) -> Callable[[dict[Any, Any]], Iterable[Any]]:
    """What takes the values of `keys` out of a dict; it raises KeyError where one is missing."""
    return itemgetter(*keys) if len(keys) > 1 else lambda record: (record[keys[0]],)


def widened(flat: Sequence[Any], width: int, wider: int) -> Iterator[Any]:
    """The rows of `flat`, each `width` values, with NULLs behind each up to `wider`."""
    for start in range(0, len(flat), width or 1):
        yield from flat[start : start + width]
        yield from (None,) * (wider - width)


def _counted(things: Sequence[Any], noun: str) -> str:
    return f"{len(things)} {noun}" if len(things) == 1 else f"{len(things)} {noun}s"
