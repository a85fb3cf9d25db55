"""All remarks, by the class of the node that each is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import apsw

from codemode.guard.calls import numbered, protected
from codemode.guard.parse import grammar
from codemode.guard.remarking import conditions, dates, groups, numbers
from codemode.guard.remarking.tree import Named
from codemode.guard.remarks import NONE, Remarks
from codemode.patterns import pattern

_MOST = 5  # of one statement: they are for reading
_TRIGGER = pattern(r"\s*CREATE\s+TRIGGER\b", re.IGNORECASE)
_WHEN, _BEGIN = pattern(r"\bWHEN\b", re.IGNORECASE), pattern(r"\bBEGIN\b", re.IGNORECASE)
Remark = Callable[[Any, Named], str | None]
_REMARKS: dict[type, tuple[Remark, ...]] = {}
for _module in (dates, conditions, groups, numbers):
    for _remark, _classes in _module.REMARKS:
        for _class in _classes:
            _REMARKS[_class] = (*_REMARKS.get(_class, ()), _remark)


def found(text: str, tables: Sequence[str], connection: apsw.Connection) -> Remarks:
    """The remarks on `text`, each once; none where sqlglot cannot read it."""
    try:
        said: list[str] = []
        parameters: list[tuple[int | str, str]] = []
        for tree in grammar("sqlite").parse(numbered(protected(_statements(text)))):
            named = Named(text, tree, tables, connection)
            for node in tree.walk() if tree is not None else ():
                said += [words for remark in _REMARKS.get(type(node), ()) if (words := remark(node, named)) is not None]
                parameters += conditions.text_parameters(node)
    except Exception:  # noqa: BLE001 - sqlglot raises many; a remark that fails must not hide the answer
        return NONE
    return Remarks(tuple(dict.fromkeys(said))[:_MOST], tuple(dict.fromkeys(parameters)))


def _statements(text: str) -> str:
    """What sqlglot can read of a statement: of a trigger, which it cannot, its condition and its statements."""
    if not _TRIGGER.match(text):
        return text
    head, *body = _BEGIN.split(text, 1)
    said = _WHEN.split(head, 1)[1:]
    return ";".join([*(f"SELECT 1 WHERE {each}" for each in said), *body])
