"""`typing.get_type_hints`, made anew: the library's evaluates the text of annotations, in full Python.

Text is read here only as far as annotations go: names, attributes of plain names, subscripts, `|` and constants.
"""

from __future__ import annotations

import ast
import builtins
import functools
import operator
import typing
from collections.abc import Callable, Mapping
from types import GenericAlias, UnionType
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox import names
from sandbox.own import class_dict, is_class, mro

if TYPE_CHECKING:
    from sandbox.run import Run

_LONGEST = 1_000
_Alias: type = typing._GenericAlias  # type: ignore[attr-defined]


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
                found[name] = _resolved(_Scope(run.globals, owner), type(None) if hint is None else hint)
        if include_extras:
            return found
        return {name: typing._strip_annotations(hint) for name, hint in found.items()}  # type: ignore[attr-defined]

    return get_type_hints


def resolve(run: Run, hint: Any) -> Any:
    """The type that an annotation outside of a class names."""
    return _resolved(_Scope(run.globals, None), hint)


def named(text: str, globals_of_it: Mapping[str, Any]) -> Any:
    """The type that the text of an annotation names, by the names of a snippet."""
    return _resolved(_Scope(globals_of_it, None), text)


class _Scope(NamedTuple):
    """Where the names of an annotation are looked for: the snippet, then the class that it stands in."""

    globals: Mapping[str, Any]
    owner: Any


def _resolved(scope: _Scope, hint: Any, within: frozenset[str] = frozenset()) -> Any:
    """A hint with the types that its texts name; `within` are the texts that it was named by."""
    kind = type(hint)
    text = hint.__forward_arg__ if kind is typing.ForwardRef else hint
    if type(text) is str:
        if len(text) > _LONGEST:
            raise NameError(f"the annotation {text[:40]!r}… is too long to be resolved")
        if text in within:  # it names itself
            return typing.ForwardRef(text)
        named = _value(scope, ast.parse(text.strip(), mode="eval").body)
        return _resolved(scope, type(None) if named is None else named, within | {text})
    if not issubclass(kind, (_Alias, GenericAlias, UnionType)):
        return hint
    # A text in `list["Row"]` is a name; in `Literal["a"]` it is itself, and in `List["Row"]` no text any more.
    plain = issubclass(kind, GenericAlias)
    parts = tuple(_resolved(scope, each, within) if plain or type(each) is not str else each for each in hint.__args__)
    if parts == hint.__args__:
        return hint
    if plain:
        return GenericAlias(hint.__origin__, parts)
    return functools.reduce(operator.or_, parts) if issubclass(kind, UnionType) else hint.copy_with(parts)


def _value(scope: _Scope, node: ast.expr) -> Any:
    """What one part of an annotation names."""
    match node:
        case ast.Name(id=name):
            return _named(scope, name)
        case ast.Attribute(value=inner, attr=name) if names.is_plain(name):
            return getattr(_value(scope, inner), name)
        case ast.Subscript(value=inner, slice=index):
            return _value(scope, inner)[_value(scope, index)]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _value(scope, left) | _value(scope, right)
        case ast.Tuple(elts=parts):
            return tuple(_value(scope, each) for each in parts)
        case ast.List(elts=parts):
            return [_value(scope, each) for each in parts]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Constant(value=value):
            return value
    raise NameError(f"the annotation {ast.unparse(node)!r} is not one that get_type_hints resolves here")


def _named(scope: _Scope, name: str) -> Any:
    found, owner = scope
    if name in found and not names.is_dunder(name):
        return found[name]
    if is_class(owner) and name in class_dict(owner) and names.is_plain(name):
        return getattr(owner, name)
    builtin = found["__builtins__"].get(name)
    if is_class(builtin) and name in vars(builtins):
        return builtin
    raise NameError(f"name {name!r} is not defined")
