"""What the full-text searches of a statement look for, read from its program, so that each is judged before it runs.

The attack is a query that FTS5 takes minutes for in one operation, which no deadline ends (database/fulltext.py).
SQLite hands it to FTS5 wherever it comes from: MATCH, `docs = …`, `docs(…)`, a view, a trigger. So it is read there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codemode.database.fulltext import check_query
from codemode.errors import StatementRefused
from codemode.guard.program import Operation, Program, Text


def searches(program: Program) -> tuple[Text, ...]:
    """The queries that hold parameters: `check_search` judges them when these are known.

    Raises StatementRefused for a query that SQL computes, and StatementLimit for a literal that nothing could stop.
    """
    texts = dict.fromkeys(
        text for frame, operation in program.of({"VFilter"}) for text in _queries(program, frame, operation)
    )
    held = []
    for text in texts:
        if any(isinstance(part, int) for part in text):
            held.append(text)
        else:
            check_search(text, (), ())
    return tuple(held)


def check_search(text: Text, names: Sequence[str | None], params: Sequence[Any] | Mapping[str, Any]) -> None:
    """Judge one query with the parameters of its statement, whose `names` are; raises StatementLimit."""
    check_query("".join(part if isinstance(part, str) else _value(part, names, params) for part in text))


def _value(number: int, names: Sequence[str | None], params: Sequence[Any] | Mapping[str, Any]) -> str:
    """The text that SQLite makes of a parameter; empty where none was given, which is an error of its own."""
    if isinstance(params, Mapping):
        value = params.get(names[number - 1] or "") if number <= len(names) else None
    else:
        value = params[number - 1] if number <= len(params) else None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _queries(program: Program, frame: int, operation: Operation) -> Iterator[Text]:
    """The queries that this hands to FTS5, whose plan has a letter for each argument, and M for a query."""
    plan = [letter for letter in operation.detail or "" if not letter.isdigit()]
    if "M" not in plan:
        return
    # The third number is the register of the plan's number; then come the number of arguments, and the arguments.
    number = program.longest_number(frame, operation.third + 1, operation.address)
    for place in range(number):
        if number == len(plan) and plan[place] != "M":
            continue
        texts = program.texts(frame, operation.third + 2 + place, operation.address)
        if texts is None:
            raise StatementRefused(
                "a full-text query that SQL computes is not available: on a long document nothing could stop it",
                hint="make the text in Python and give it as a parameter: MATCH ?",
            )
        yield from texts
