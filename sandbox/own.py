"""What belongs to the running snippet: its classes and functions, and nothing else.

The guards give a snippet more rights over what it made than over what it was given. Whether it made a class is
read from the class's own namespace, where the compiled class statement leaves a mark that no snippet can name,
read or forge; never from `__module__`, which anyone can set.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from sandbox.hooks import MADE_KEY

# The descriptors of `type` itself: a class cannot lie about these, whatever it defines.
_class_dict = type.__dict__["__dict__"].__get__
_class_mro = type.__dict__["__mro__"].__get__
_class_module = type.__dict__["__module__"].__get__


def class_dict(cls: type) -> Mapping[str, Any]:
    """The namespace of a class itself, without its bases."""
    return _class_dict(cls)  # type: ignore[no-any-return]


def mro(cls: type) -> tuple[type, ...]:
    """The classes in which attributes are looked up."""
    return _class_mro(cls)  # type: ignore[no-any-return]


def module_of(cls: type) -> object:
    """Where a class says that it is from; some that are written in C say so by their name alone."""
    return _class_module(cls)


def is_class(value: object) -> bool:
    """Tell a real class; `isinstance` would believe an object that lies about its class."""
    return issubclass(type(value), type)


def super_self(value: Any) -> Any:
    """The object behind a `super()`."""
    return super.__dict__["__self__"].__get__(value)


class Mark:
    """The mark of one run. It has `__get__` so that enumerations take it for a descriptor, not for a member."""

    __slots__ = ()

    def __get__(self, instance: object, owner: object = None) -> None:
        return None


class Own:
    """The things that one snippet made."""

    def __init__(self, snippet_globals: dict[str, Any]) -> None:
        self.mark = Mark()
        self.globals = snippet_globals
        # Strong references: a run is short and its process ends with it; a weak set costs ten times as much to ask.
        self.classes: set[type] = set()

    def made(self, cls: type) -> bool:
        """Tell whether the snippet made this class or one of its bases."""
        if cls in self.classes:
            return True
        if any(class_dict(each).get(MADE_KEY) is self.mark or each in self.classes for each in mro(cls)):
            self.classes.add(cls)
            return True
        return False

    def adopt(self, cls: type) -> type:
        """Count a class that trusted code made for the snippet (namedtuple, make_dataclass) as the snippet's own."""
        self.classes.add(cls)
        return cls

    def function(self, value: object) -> bool:
        """Tell whether the snippet defined this function."""
        return type(value) is FunctionType and value.__globals__ is self.globals
