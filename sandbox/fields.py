"""Which fields a dataclass may have: its methods and the library read them by name, past every guard.

On an object that has the field for its own nothing comes of that. Where it is not set, the same name is looked for in
the bases: a field `format` of a str would be the real `str.format`, and `__setattr__` the one that asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox import names
from sandbox.hooks import MADE_KEY
from sandbox.own import class_dict, is_class, mro

FIELDS = "__dataclass_fields__"


def check_field(cls: type, name: str) -> None:
    """Raise TypeError where a base of a snippet's class, or of one below it, has something under a guarded name."""
    if not names.is_plain(name) and any(MADE_KEY in class_dict(each) for each in mro(cls)):
        below = [cls]
        for each in below:  # which grows
            _check([base for base in mro(each) if base is not each and base is not cls], name)
            below += type.__subclasses__(each)


def check_bases(bases: Iterable[Any]) -> None:
    """The same of the fields that a class is about to inherit: of one base a field, of another what it would read."""
    given = [base for base in bases if is_class(base)]
    if any(hasattr(base, FIELDS) for base in given):
        line = [each for base in given for each in mro(base)]
        for each in line:
            fields = class_dict(each).get(FIELDS)
            for name in fields if type(fields) is dict else ():
                _check(line, name)


def _check(line: Iterable[type], name: str) -> None:
    if names.is_plain(name):
        return
    home = next((each for each in line if name in class_dict(each) and not _is_of_snippet(each)), None)
    if home is not None:
        raise TypeError(f"a field cannot be called {name!r} in a class that inherits from {home.__name__!r}")


def _is_of_snippet(cls: type) -> bool:
    return MADE_KEY in class_dict(cls) or FIELDS in class_dict(cls)


def check_instance(value: Any) -> None:
    """Raise TypeError where an object keeps other fields than its class has, which were not checked for it."""
    of_class = getattr(type(value), FIELDS, None)
    if of_class is not None and getattr(value, FIELDS) is not of_class:
        raise TypeError(f"the fields of a {type(value).__name__!r} are those of its class")
