"""All remarks, by the class of the node that each is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from codemode.guard.calls import numbered, protected
from codemode.guard.parse import grammar
from codemode.guard.remarking import conditions, dates, groups, numbers
from codemode.guard.remarking.tree import Named
from codemode.guard.remarks import NONE, Remarks

_MOST = 5  # of one statement: they are for reading
Remark = Callable[[Any, Named], str | None]
_REMARKS: dict[type, tuple[Remark, ...]] = {}
for _module in (dates, conditions, groups, numbers):
    for _remark, _classes in _module.REMARKS:
        for _class in _classes:
            _REMARKS[_class] = (*_REMARKS.get(_class, ()), _remark)


def found(text: str, tables: Sequence[str], connection: apsw.Connection) -> Remarks:
    """The remarks on `text`, each once; none where sqlglot cannot read it."""
    try:
        tree = grammar("sqlite").parse(numbered(protected(text)))[0]
        named = Named(text, tree, tables, connection)
        said = [
            words
            for node in tree.walk()
            for remark in _REMARKS.get(type(node), ())
            if (words := remark(node, named)) is not None
        ]
        parameters = [each for node in tree.walk() for each in conditions.text_parameters(node)]
    except Exception:  # noqa: BLE001 - sqlglot raises many; a remark that fails must not hide the answer
        return NONE
    return Remarks(tuple(dict.fromkeys(said))[:_MOST], tuple(dict.fromkeys(parameters)))
