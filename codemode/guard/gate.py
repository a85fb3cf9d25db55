"""The text gate: type, length, characters that SQLite and we would read differently, and an end that is one."""

from __future__ import annotations

from codemode.database.connection import MOST_COLUMNS
from codemode.errors import StatementLimit, StatementSyntaxError
from codemode.guard.repair import shortened
from codemode.guard.scan import most_joined, named_parameters, unfinished, windows

MOST_WINDOWS = 500
MOST_NAMED = 4_000


def admit(sql: object, sql_bytes: int) -> str:
    """The text of `sql` if it is within the bounds that hold before any parser sees it; raises otherwise."""
    if not isinstance(sql, str):
        raise StatementSyntaxError(f"a statement is text, not {type(sql).__name__}", hint="pass a str")
    text = str.removeprefix(sql[:], "\ufeff")  # a plain str, without the mark that editors put before a file
    if len(text) > sql_bytes or len(_encoded(text)) > sql_bytes:
        raise StatementLimit(
            f"the statement is longer than sql_bytes ({sql_bytes:,} bytes)",
            hint="bind long values as parameters; use helpers.db.batch_insert for many rows",
            sql=shortened(text),
        )
    if "\0" in text:
        # SQLite stops reading at NUL: whatever follows would be judged by us and never run, or the reverse.
        raise StatementSyntaxError("the statement holds a NUL character", hint="bind it as a parameter")
    if "\ufeff" in text:
        # White space to SQLite at a token's start, part of a name everywhere else.
        raise StatementSyntaxError(
            "the statement holds U+FEFF, an invisible character that SQLite takes for white space",
            hint="remove it, or bind the value as a parameter",
            sql=shortened(text),
        )
    if (end := unfinished(text)) is not None:
        hint = "use CAST(x AS type)" if "::" in text else "close it; better, bind a text: x = ?"  # x::numeric(10, 2)
        raise StatementSyntaxError(f"the statement ends inside {end}", hint=hint, sql=shortened(text))
    _count(text)
    return text


def _count(text: str) -> None:
    """Refuse more of what SQLite has no bound for than it can prepare in time."""
    if len(text) > 2 * MOST_COLUMNS and "using" in text.lower() and most_joined(text) > MOST_COLUMNS:
        # SQLite makes a comparison of each before it looks how many there are, and then goes down all of them on the
        # thread's stack: 200,000 end the process.
        raise StatementLimit(
            f"USING takes {MOST_COLUMNS} columns at most", hint="name each column once", sql=shortened(text)
        )
    if text.lower().count("over") > MOST_WINDOWS and windows(text) > MOST_WINDOWS:
        # SQLite takes the square of their number to prepare them, and nothing stops that: 2,000 took 7 s.
        raise StatementLimit(
            f"a statement has {MOST_WINDOWS:,} window functions at most",
            hint="compute them in several statements",
            sql=shortened(text),
        )
    if len(text) > 2 * MOST_NAMED and named_parameters(text) > MOST_NAMED:
        # Each name is looked for among all of them, in SQLite and in apsw, which holds the interpreter's lock: of
        # 32,000 for 5 s.
        raise StatementLimit(
            f"a statement has {MOST_NAMED:,} parameters with a name or a number at most",
            hint="use ? for each, or bind a list as one JSON text: IN (SELECT value FROM json_each(:list))",
            sql=shortened(text),
        )


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise StatementSyntaxError(
            "the statement holds half of a surrogate pair, which is not text", hint="decode the text anew"
        ) from None
