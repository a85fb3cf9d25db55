"""What goes to the terminal: JSON for programs, safe text, sizes and times for people."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import click

from codemode.counts import plural

if TYPE_CHECKING:
    from codemode.values import TableChange

# What a snippet prints or a cell holds is not to be trusted with the terminal: escape sequences can rewrite what
# stands above them, and bidirectional marks can show text in another order than it has.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F]
_VISIBLE = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _CONTROLS}
_VISIBLE |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_STREAM = {code: f"\\u{code:04x}" for code in _CONTROLS if chr(code) not in "\n\t"}  # JSON stays the same JSON


def printable(text: str) -> str:
    """The text in one line, with control characters shown as escapes."""
    return text.translate(_VISIBLE)


def stream(text: str) -> str:
    """What may hold anything, in lines: as it is into a file or pipe, without control characters on a terminal."""
    return text.translate(_STREAM) if sys.stdout.isatty() else text


def unread() -> TextIO:
    """In place of a standard stream that is closed: what is said goes nowhere, and the work is done."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - `is_unread` knows it by its name


def standard_input() -> TextIO:
    """Standard input; raises UsageError where whoever started the program closed it."""
    if sys.stdin is None:
        raise click.UsageError("standard input is closed")
    return sys.stdin


def is_unread(stream: TextIO) -> bool:
    """Whether it stands in place of a closed one."""
    return getattr(stream, "name", None) == os.devnull


def note(text: str, *, err: bool = True) -> None:
    """A remark, dim; on standard error unless it belongs to what was asked for."""
    click.echo(click.style(printable(text), dim=True), err=err)


def warn(text: str, *, err: bool = True) -> None:
    """A warning, on standard error unless it belongs to what was asked for."""
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {printable(text)}", err=err)


def emit(document: Any) -> None:
    """One JSON document on standard output, as UTF-8 whatever the terminal's encoding is."""
    import msgspec

    from codemode.plain import json_text, plain

    ready = plain(msgspec.to_builtins(document, builtin_types=(bytes,)))
    text = json_text(ready, indent=2 if sys.stdout.isatty() else None)
    click.echo(stream(text).encode("utf-8", "backslashreplace"))


def size(count: int) -> str:
    """Bytes for people: 812 bytes, 35.2 MB."""
    if count < 1000:
        return f"{count} bytes"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:,.1f} TB"


def duration(milliseconds: float) -> str:
    """A time for people: 0.42 ms, 12 ms, 1.24 s."""
    if milliseconds < 10:
        return f"{milliseconds:.2f} ms"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"


def moment(time: str) -> str:
    """A time of the engine, to the second: 2026-11-21 02:16:47 (UTC)."""
    return time[:19].replace("T", " ")


def relative(time: str, now: datetime | None = None) -> str:
    """A time of the engine as people say it: 3 minutes ago, in 23 hours."""
    seconds = (datetime.fromisoformat(time) - (now or datetime.now(UTC))).total_seconds()
    amount = abs(seconds)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if amount >= 2 * length or unit == "second":
            text = plural(int(amount / length), unit)
            break
    return f"in {text}" if seconds > 0 else f"{text} ago"


def what_changed(change: TableChange) -> str:
    """What one execution did to a table: created, 12 rows inserted."""
    done = [word for word in ("dropped", "created", "altered") if getattr(change, f"{word}_at")]
    counted = {"inserted": "inserted", "updated": "updated", "deleted": "deleted", "upserted": "inserted or updated"}
    done += [f"{plural(number, 'row')} {said}" for name, said in counted.items() if (number := getattr(change, name))]
    if change.uncounted:
        done.append("perhaps more by triggers")
    return ", ".join(done)
