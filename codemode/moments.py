"""Times as text, and ids that begin with the time at which they were made."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime

from codemode.errors import RequestInvalid, shown

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)  # by ten bits at a time
_OF_BYTES = 8 * _CROCKFORD.encode()  # each character for as many values of a byte
_RANDOM = 80  # bits of a ULID below its 48 bits of milliseconds
_second = (-1, "")  # the second written last, and its text: writing one takes longer than a statement
_moment = (-1, "")  # the same for the millisecond: dozens of helper calls begin in one
_FIRST = -62_135_596_800_000  # the first millisecond of the year 1
_LAST = 253_402_300_799_999  # the last millisecond of the year 9999; a record of before may expire later
_newest = (-1, 0)  # the milliseconds and the rest of the last id of a given time
_minting = threading.Lock()


def iso(milliseconds: int) -> str:
    """`milliseconds` since 1970 as ISO 8601 UTC text, of the year 9999 at most."""
    global _moment, _second
    known, text = _moment  # read and set as one: threads come by
    if known != milliseconds:
        second, rest = divmod(min(milliseconds, _LAST), 1000)
        known, start = _second
        if known != second:
            start = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            _second = second, start
        text = f"{start}{rest:03d}Z"
        _moment = milliseconds, text
    return text


def milliseconds_of(text: str) -> int:
    """The moment that a text names, ISO 8601 (UTC where it names no zone) or milliseconds since 1970.

    Eight digits are a date, as ISO 8601 has them too: as milliseconds they would be the first day of 1970. Raises
    ValueError.
    """
    if text.isascii() and text.isdecimal() and len(text) < 16 and len(text) != 8:
        return int(text)
    found = datetime.fromisoformat(text)
    try:
        return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def moment(milliseconds: object) -> int:
    """`milliseconds` since 1970 where they are a time that `iso` can write; raises RequestInvalid."""
    if type(milliseconds) is not int or not _FIRST <= milliseconds < 2**48:
        raise RequestInvalid(f"a time is whole milliseconds since 1970, not {shown(milliseconds)}")
    return milliseconds


def ulid() -> str:
    """A new ULID: 48 bits of milliseconds, 80 random bits, 26 characters that sort by time."""
    return _spelt(time.time_ns() // 1_000_000, 50) + os.urandom(_RANDOM // 5).translate(_OF_BYTES).decode()


def ulid_at(milliseconds: int) -> str:
    """A new ULID of a given time; those of one millisecond sort in the order in which this process made them.

    Raises RequestInvalid for what is no time.
    """
    global _newest
    moment(milliseconds)
    with _minting:
        known, rest = _newest
        # One more than the last: a random number of 79 bits has room above it for as many.
        rest = rest + 1 if known == milliseconds else int.from_bytes(os.urandom(10), "big") >> 1
        _newest = milliseconds, rest
    return _spelt(milliseconds << _RANDOM | rest)


def earliest_ulid(milliseconds: int) -> str:
    """What no ULID of that millisecond or a later one sorts before; raises RequestInvalid for what is no time."""
    return _spelt(max(0, moment(milliseconds)) << _RANDOM)


def _spelt(number: int, bits: int = 130) -> str:
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(bits - 10, -1, -10)])
