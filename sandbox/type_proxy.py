"""The `type` that snippets see: every use of the real one, except making classes.

The real `type` would make classes without a class statement, and so without the policy. Nothing here ever hands
it out: `type(int)`, `int.__class__` and `typing.get_origin(type[int])` all give this one.
"""

from __future__ import annotations

from types import GenericAlias
from typing import Any


class _TypeOfType(type):
    """Answers for `snippet_type` where the interpreter asks its class."""

    def __call__(cls, /, *args: Any, **keywords: Any) -> Any:
        if len(args) != 1 or keywords:
            raise TypeError("type() takes 1 argument here; write a class statement to make a class")
        return type_of(args[0])

    def __instancecheck__(cls, instance: object) -> bool:
        return issubclass(type(instance), type)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, type)

    def __getitem__(cls, item: Any) -> GenericAlias:
        return GenericAlias(cls, item)

    def __repr__(cls) -> str:
        return "<class 'type'>"


class snippet_type(metaclass=_TypeOfType):  # noqa: N801 - stands in for a builtin
    """type(object) -> the object's class."""

    def __init_subclass__(cls) -> None:
        raise TypeError("type is not an acceptable base class in snippets; use __init_subclass__ or a class decorator")


for _each in (snippet_type, _TypeOfType):
    _each.__name__ = _each.__qualname__ = "type"
snippet_type.__module__ = "builtins"


class _AbstractMeta:
    """Stands for `abc.ABCMeta`, which would make classes as `type` does: good for `metaclass=ABCMeta` and no more."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<class 'abc.ABCMeta'>"


ABC_META = _AbstractMeta()


def type_of(value: object) -> Any:
    """The class of a value, as snippets may see it."""
    cls = type(value)
    return snippet_type if issubclass(cls, type) else cls


def shown(value: Any) -> Any:
    """Replace the real `type` wherever trusted code would hand it out."""
    if value is type:
        return snippet_type
    # By identity: `type in value` would show the real one to an element's own __eq__.
    if type(value) is tuple and any(each is type for each in value):
        return tuple(shown(each) for each in value)
    return value
