"""`copy.copy` and `copy.deepcopy` for snippets.

The library's copies act on what an object says (`__reduce_ex__` in its instance dict, anything from `__new__`) by
setting attributes of any name on whatever that gives, and pass their memo, which holds the inner state of everything
copied so far, to every `__deepcopy__`. Here special methods are looked up on the class only, state is set only on an
object of the copied type, the memo is opaque, and the sandbox's own objects are never copied.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, MethodWrapperType, UnionType
from typing import Any

from sandbox.names import is_dunder
from sandbox.own import class_dict, is_class, mro

_ATOMS = frozenset(
    {type(None), int, float, bool, complex, str, bytes, type(...), type(NotImplemented), range, property, CodeType}
    | {FunctionType, BuiltinFunctionType, MethodWrapperType, UnionType}
)
_NOTHING = object()


class Memo:
    """What a `__deepcopy__` is given: to hand on, and to note its own copy in; nothing else can be read from it."""

    __slots__ = ("_asked", "_copies", "_kept", "_noted")

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}
        self._kept: list[Any] = []  # originals: while they live, their ids stay theirs
        self._noted: dict[Any, Any] = {}
        self._asked: set[int] = set()  # ids of those whose `__deepcopy__` runs: whose copies others decide about

    def __setitem__(self, key: Any, value: Any) -> None:
        self._noted[key] = value
        if type(key) is int and key in self._asked:
            self._copies[key] = value

    def __getitem__(self, key: Any) -> Any:
        return self._noted[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._noted

    def get(self, key: Any, default: Any = None) -> Any:
        """What was noted under this key."""
        return self._noted.get(key, default)


def is_engine(value: Any) -> bool:
    """Tell an object of the sandbox's own classes."""
    module = class_dict(type(value)).get("__module__")
    return type(module) is str and (module == "sandbox" or module.startswith("sandbox."))


def _on_class(value: Any, name: str) -> Any:
    return next((found for cls in mro(type(value)) if (found := class_dict(cls).get(name)) is not None), None)


def shallow(value: Any) -> Any:
    """`copy.copy`."""
    kind = type(value)
    if kind in _ATOMS or is_class(value) or kind is MethodType or is_engine(value):
        return value
    if kind in (list, dict, set, bytearray, deque):
        return value.copy()
    if kind in (tuple, frozenset):
        return value
    own_copy = _on_class(value, "__copy__")
    if own_copy is not None:
        return own_copy.__get__(value, kind)()
    return _reconstruct(value, lambda part: part, lambda made: None)


def deep(value: Any, memo: Any = None, _nil: Any = None) -> Any:
    """`copy.deepcopy`."""
    return _deep(value, memo if type(memo) is Memo else Memo())


def _deep(value: Any, memo: Memo) -> Any:
    kind = type(value)
    if kind in _ATOMS or is_class(value) or is_engine(value):
        return value
    known = memo._copies.get(id(value), _NOTHING)
    if known is not _NOTHING:
        return known
    made = _deep_new(value, kind, memo)
    if made is not value:
        memo._copies[id(value)] = made
        memo._kept.append(value)
    return made


def _deep_new(value: Any, kind: type, memo: Memo) -> Any:
    def remember(made: Any) -> None:
        memo._copies[id(value)] = made
        memo._kept.append(value)

    if kind is list:
        made: Any = []
        remember(made)
        made.extend(_deep(each, memo) for each in value)
        return made
    if kind is dict:
        made = {}
        remember(made)
        for key, each in value.items():
            made[_deep(key, memo)] = _deep(each, memo)
        return made
    if kind is tuple:
        parts = tuple(_deep(each, memo) for each in value)
        again = memo._copies.get(id(value), _NOTHING)  # the tuple may hold itself, through a list
        same = all(old is new for old, new in zip(value, parts, strict=True))
        return again if again is not _NOTHING else value if same else parts
    if kind is MethodType:
        return MethodType(value.__func__, _of_its_type(_deep(value.__self__, memo), value.__self__))
    own_copy = _on_class(value, "__deepcopy__")
    if own_copy is not None:
        memo._asked.add(id(value))
        try:
            return own_copy.__get__(value, kind)(memo if type(own_copy) is FunctionType else {})
        finally:
            memo._asked.discard(id(value))
    return _reconstruct(value, lambda part: _deep(part, memo), remember)


def _reconstruct(value: Any, part: Callable[[Any], Any], remember: Callable[[Any], None]) -> Any:
    """Make a new object of the same type from what its class says of it."""
    reduced = _on_class(value, "__reduce_ex__").__get__(value, type(value))(4)
    if type(reduced) is str:
        return value
    maker, arguments, state, items, pairs = (tuple(reduced) + (None,) * 5)[:5]
    made = _of_its_type(maker(*(part(each) for each in arguments)), value)
    remember(made)
    if state is not None:
        _set_state(made, part(state))
    if items is not None:
        for each in items:
            made.append(part(each))
    if pairs is not None:
        for key, each in pairs:
            made[part(key)] = part(each)
    return made


def _of_its_type(made: Any, value: Any) -> Any:
    """The copy of a value, where it is one: what is done with it may be done with that type alone."""
    if type(made) is not type(value):
        raise copy.Error(f"cannot copy {type(value).__name__!r}: its copy would be a {type(made).__name__!r}")
    return made


def _set_state(made: Any, state: Any) -> None:
    own_set = _on_class(made, "__setstate__")
    if own_set is not None:
        if issubclass(type(state), dict):  # an exception's sets each of them
            state = dict(dict.items(state))  # what is in it, whatever a subclass says
            for name in state:
                _check_name(name)
        own_set.__get__(made, type(made))(state)
        return
    slots = None
    if type(state) is tuple and len(state) == 2:
        state, slots = state
    if state is not None:
        made.__dict__.update(state)
    for name, each in (slots or {}).items():
        _check_name(name)
        setattr(made, name, each)


def _check_name(name: Any) -> None:
    # What an instance holds or says of its state may be anything: `__class__` would make a library's object of it.
    if type(name) is not str or (is_dunder(name) and name != "__notes__"):
        raise copy.Error(f"{name!r} is no attribute that can be copied")
