"""`typing.get_type_hints`, made anew: the library's evaluates the text of annotations, in full Python.

Text is read here only as far as annotations go: names, attributes of plain names, subscripts, `|` and constants.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox import names
from sandbox.own import is_class, mro

if TYPE_CHECKING:
    from sandbox.run import Run

_LONGEST = 1_000


def get_type_hints_of(run: Run) -> Callable[..., dict[str, Any]]:
    """`get_type_hints` for the classes and functions of one run."""

    def get_type_hints(
        obj: Any, globalns: Any = None, localns: Any = None, include_extras: bool = False
    ) -> dict[str, Any]:
        """The annotations of a class with its bases, or of a function, as the types they name."""
        owners = [each for each in reversed(mro(obj)) if run.own.made(each)] if is_class(obj) else [obj]
        found: dict[str, Any] = {}
        for owner in owners:
            for name, hint in run.guards.read(owner, "__annotations__").items():
                found[name] = type(None) if hint is None else _resolved(run, hint)
        return found

    return get_type_hints


def _resolved(run: Run, hint: Any) -> Any:
    if type(hint) is not str:
        return hint
    if len(hint) > _LONGEST:
        raise NameError(f"the annotation {hint[:40]!r}… is too long to be resolved")
    return _value(run, ast.parse(hint.strip(), mode="eval").body)


def _value(run: Run, node: ast.expr) -> Any:
    """What one part of an annotation names."""
    match node:
        case ast.Name(id=name):
            return _named(run, name)
        case ast.Attribute(value=inner, attr=name) if names.is_plain(name):
            return getattr(_value(run, inner), name)
        case ast.Subscript(value=inner, slice=index):
            return _value(run, inner)[_value(run, index)]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _value(run, left) | _value(run, right)
        case ast.Tuple(elts=parts):
            return tuple(_value(run, each) for each in parts)
        case ast.List(elts=parts):
            return [_value(run, each) for each in parts]
        case ast.Constant(value=str() as text):
            return _resolved(run, text)
        case ast.Constant(value=value):
            return value
    raise NameError(f"the annotation {ast.unparse(node)!r} is not one that get_type_hints resolves here")


def _named(run: Run, name: str) -> Any:
    if name in run.globals and not names.is_dunder(name):
        return run.globals[name]
    builtin = run.globals["__builtins__"].get(name)
    if is_class(builtin) and name in vars(builtins):
        return builtin
    raise NameError(f"name {name!r} is not defined")
