"""What a model is answered: JSON text with only what it needs to go on, and never more of it than fits its context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from codemode.errors import CodemodeError
from codemode.plain import encode, portable
from codemode.values import Outcome, Problem

_BITS = 64  # stores of conversations have no longer integers, sign included
MOST = 20_000  # characters of one answer: some 5,000 tokens, which a context holds dozens of
_IN_PART = "what commit() or a call of its own made permanent stays; the writes after it were undone"
# What a text and a list may hold when the answer is too long, one step after the other.
_STEPS = ((4_000, 100), (1_000, 30), (250, 10))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The text for the result of one tool call; `outcome` is the whole of an execution's, for the host."""

    text: str
    is_error: bool = False
    outcome: Outcome | None = None


def of_outcome(outcome: Outcome, most: int) -> Answer:
    """What an execution answered, or why it failed and how to mend that."""
    document: dict[str, Any] = {}
    db = outcome.db
    if outcome.ok:
        document["result"] = outcome.result
        document |= _going_on(outcome)
    elif outcome.error is not None:
        document["error"] = _filled(outcome.error)
        # A model that takes a part for all of it would do that part again.
        document["undone"] = _IN_PART if db.rolled_back and db.committed else db.rolled_back
    document |= {
        "stdout": clipped(outcome.stdout, most // 4),
        "rows_written": 0 if db.rolled_back else db.rows_written,
        "warnings": outcome.warnings,
        "variables": outcome.variables_reason,
    }
    kept = {key: value for key, value in document.items() if value or key == "result"}
    return Answer(text=fitting(kept, most), is_error=not outcome.ok, outcome=outcome)


def kept_with(answer: Answer) -> dict[str, Any] | None:
    """The outcome as plain data, for a framework that keeps it with the messages of a conversation.

    Serializers refuse a struct, and with it the whole conversation. `msgspec.convert` makes an Outcome of it again.
    """
    if answer.outcome is None:
        return None
    document: dict[str, Any] = portable(answer.outcome, _BITS)
    return document


def of_error(error: CodemodeError, most: int) -> Answer:
    """Why a call failed, and how to mend it."""
    problem = Problem(
        code=error.code, message=error.message, hint=error.hint, did_you_mean=error.did_you_mean,
        available=error.available, sql=error.sql, suggestion=error.suggestion, retryable=error.retryable,
    )  # fmt: skip
    return Answer(text=fitting({"error": _filled(problem)}, most), is_error=True)


def of_rows(rows: Sequence[dict[str, Any]], most: int) -> Answer:
    """As many rows as fit, each name once, and a word about the others."""
    columns = list(getattr(rows, "columns", None) or (rows[0] if rows else ()))
    shown: list[list[Any]] = []
    warnings = list(getattr(rows, "warnings", ()))
    left = most - len(encode(columns)) - len(encode(warnings)) - 300  # the keys and the note
    for row in rows:
        values = [row[name] for name in columns]
        left -= len(encode(values)) + 1
        if left < 0 and shown:
            break
        shown.append(values)
    document: dict[str, Any] = {"columns": columns, "rows": shown, "row_count": len(rows)}
    document |= {"warnings": warnings} if warnings else {}
    cut = bool(getattr(rows, "truncated", False))
    if cut or len(shown) < len(rows):
        document["note"] = (
            f"the first {len(shown):,} of {len(rows):,}{' and more' if cut else ''} rows: aggregate in SQL, say LIMIT, "
            "or read them all in execute_code with helpers.db.pages(sql)"
        )
    return Answer(text=fitting(document, most))


def fitting(document: Any, most: int = MOST) -> str:
    """The document as JSON, its texts and lists shortened where it is too long, and cut where even that is."""
    text = encode(document).decode()
    for characters, items in _STEPS:
        if len(text) <= most:
            return text
        text = encode(_shortened(document, characters, items)).decode()
    return clipped(text, most)


def clipped(text: str, most: int) -> str:
    """Head and tail of a text that is longer, and between them how long it was."""
    if len(text) <= most:
        return text
    gap = f" … of {len(text):,} characters some are missing here … "
    kept = max(0, most - len(gap))
    tail = kept // 4
    return f"{text[: kept - tail]}{gap}{text[len(text) - tail :]}"


def value_of(outcome: Outcome) -> Any:
    """What a snippet answered, for a framework that takes a value; where it is cut, with the words about the rest."""
    more = _going_on(outcome)
    return {"result": outcome.result, **more} if more else outcome.result


def _going_on(outcome: Outcome) -> dict[str, Any]:
    info = outcome.result_info
    return {"how_to_read": info.how_to_read} if info is not None and info.truncated else {}


def _filled(problem: Problem) -> dict[str, Any]:
    return {key: value for key, value in msgspec.structs.asdict(problem).items() if value}


def _shortened(value: Any, characters: int, items: int) -> Any:
    if isinstance(value, str):
        return clipped(value, characters)
    if isinstance(value, dict):
        return {key: _shortened(item, characters, items) for key, item in value.items()}
    if isinstance(value, list | tuple):
        kept = [_shortened(item, characters, items) for item in value[:items]]
        return [*kept, f"… {len(value) - items:,} more"] if len(value) > items else kept
    return value
