"""What a service says of itself on standard error: one line for each record, as text or JSON, with its request's id.

`codemode serve` configures this for its process; the library configures nothing. Texts of strangers (an exception's
message, a session's id) reach the log, so no record may begin a line that looks like another record's, or move a
terminal's cursor; and what looks like a secret is masked, wherever it came from.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from typing import Any, Literal, TextIO

from codemode.moments import iso

Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]

# Of the request that this task or thread works for; executions inherit it, in the background too.
request_id: ContextVar[str | None] = ContextVar("codemode_request_id", default=None)

_LONGEST = 16_384  # characters of one text: a line that nobody can read helps nobody
_SIMPLE = re.compile(r"[A-Za-z0-9_.+-]{1,200}")  # what is neither quoted nor escaped, and of all secrets may be a token
_TO_QUOTE = re.compile(r'[\s"=]')
_SECRETS = (
    (re.compile(r"\bcm_[A-Za-z0-9_-]{8,}"), "cm_…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), r"\1…@"),
)


def configure(form: Format, level: Level) -> None:
    """Send what this process logs to standard error.

    `level` is that of Codemode's own loggers; libraries are heard from "warning" on.
    """
    root = logging.getLogger()
    root.handlers[:] = [handler(form, sys.stderr)]
    root.setLevel(logging.WARNING)
    logging.getLogger("codemode").setLevel(level.upper())
    logging.captureWarnings(True)


def handler(form: Format, stream: TextIO) -> logging.Handler:
    """What writes records to `stream`."""
    made = logging.StreamHandler(stream)
    made.setFormatter(_Json() if form == "json" else _Text())
    return made


def masked(text: str) -> str:
    """The text without what looks like a token or a password, and of bounded length."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text) - _LONGEST:,} characters more)"
    if _may_hold_one(text.casefold()):
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
    return text


def _may_hold_one(folded: str) -> bool:
    """Whether any of the patterns can match: for nearly every text none can."""
    return "cm_" in folded or "://" in folded or "bearer" in folded or "basic" in folded


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={_word(value)}" for name, value in _fields(record).items())
        line = f"{_at(record)} {record.levelname.lower():7} {_on_one_line(masked(record.getMessage()))} {fields}"
        # A record begins at the margin, and only there: what is indented belongs to the record above it.
        return "\n".join([line.rstrip(), *(f"    | {_on_one_line(each)}" for each in _trace(record).splitlines())])


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
            "pid": record.process,
            **{name: masked(value) if isinstance(value, str) else value for name, value in _fields(record).items()},
        }
        if trace := _trace(record):
            line["exception"] = trace
        return json.dumps(line, default=str)  # ASCII: no character of a text can end the line


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What goes with the message: the request's id, and what was given as `extra={"fields": {…}}`."""
    given = {"request_id": request_id.get(), **getattr(record, "fields", {})}
    return {name: value for name, value in given.items() if value is not None}


def _at(record: logging.LogRecord) -> str:
    return iso(int(record.created * 1000))


def _trace(record: logging.LogRecord) -> str:
    return masked(logging.Formatter().formatException(record.exc_info)) if record.exc_info else ""


def _word(value: Any) -> str:
    if isinstance(value, int | float):
        return str(value)
    if _SIMPLE.fullmatch(text := str(value)) and "cm_" not in text:  # nearly every one: a request logs ten of them
        return text
    text = _on_one_line(masked(text))
    return json.dumps(text, ensure_ascii=False) if not text or _TO_QUOTE.search(text) else text


def _on_one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
