"""Dunder attributes whose value depends on whom they are read from.

One small function per attribute, `(guards, object, name) -> value`; the table says which. All others that
names.py lists as readable are read by `method`: their value is a method of the operation they implement.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import FunctionType, MappingProxyType, MethodType, MethodWrapperType, SimpleNamespace, WrapperDescriptorType
from typing import TYPE_CHECKING, Any

from sandbox import names
from sandbox.denied import hidden
from sandbox.own import class_dict, is_class, mro, super_self
from sandbox.type_proxy import snippet_type, type_of

if TYPE_CHECKING:
    from sandbox.guards import Guards

# Base classes that a snippet could name anyway. Others among the bases (a library's own) are not shown.
_BUILTIN_CLASSES = frozenset(value for value in vars(builtins).values() if type(value) is type and value is not type)


def _class(guards: Guards, value: Any, name: str) -> Any:
    return type_of(value)


def _dict(guards: Guards, value: Any, name: str) -> Any:
    """An instance's own namespace; of a class, a copy without what the snippet did not write."""
    own = guards.own
    if is_class(value):
        if not own.made(value):
            raise hidden(value, name)
        kept = class_dict(value).items()
        return MappingProxyType({key: _member(guards, value, key, each) for key, each in kept if _may_show(key)})
    if own.made(type(value)) or own.function(value) or type(value) is SimpleNamespace:
        return getattr(value, name)
    if issubclass(type(value), BaseException):
        return dict(BaseException.__dict__["__dict__"].__get__(value))
    raise hidden(value, name)


def _member(guards: Guards, owner: type, key: str, value: Any) -> Any:
    """What a class holds under a name: of a name with a rule, what the rule gives of it."""
    special = SPECIAL.get(key)
    return _of_instances(guards, value, owner) if special is None else special(guards, owner, key)


def _may_show(key: str) -> bool:
    return key.isidentifier() and (not names.is_dunder(key) or key in names.READABLE) and key != "__dict__"


def _annotations(guards: Guards, value: Any, name: str) -> Any:
    """A copy: dataclasses write these names into text that they execute."""
    owner: Any = value.__func__ if type(value) is MethodType else value
    if not (guards.own.function(owner) or (is_class(owner) and guards.own.made(owner))):
        raise hidden(value, name)
    return dict(getattr(owner, name))


def _shown_bases(guards: Guards, value: Any, classes: tuple[type, ...]) -> tuple[type, ...]:
    return tuple(each for each in classes if each is value or each in _BUILTIN_CLASSES or guards.own.made(each))


def _mro(guards: Guards, value: Any, name: str) -> Any:
    if not is_class(value) or not (guards.own.made(value) or value in _BUILTIN_CLASSES):
        raise hidden(value, name)
    found = _shown_bases(guards, value, mro(value))
    return found if name == "__mro__" else lambda: list(found)


def _bases(guards: Guards, value: Any, name: str) -> Any:
    if not is_class(value) or not (guards.own.made(value) or value in _BUILTIN_CLASSES):
        raise hidden(value, name)
    found = _shown_bases(guards, value, value.__bases__)
    return found if name == "__bases__" else (found or (object,))[0]


def _subclasses(guards: Guards, value: Any, name: str) -> Any:
    """Only the snippet's own subclasses of its own class: `object.__subclasses__()` is the oldest escape."""
    if not is_class(value) or not guards.own.made(value):
        raise hidden(value, name)
    return lambda: [each for each in type.__subclasses__(value) if guards.own.made(each)]


def _copied(guards: Guards, value: Any, name: str) -> Any:
    return MappingProxyType(dict(getattr(value, name)))


def _only_own(guards: Guards, value: Any, name: str) -> Any:
    """Attributes that only a class of the snippet defines with a meaning of its own."""
    kind = type(super_self(value)) if type(value) is super else type(value)
    if not (guards.own.made(kind) or (is_class(value) and guards.own.made(value))):
        raise hidden(value, name)
    return getattr(value, name)


def _getattribute(guards: Guards, value: Any, name: str) -> Any:
    if is_class(value):
        return lambda instance, attribute: _object_read(guards, instance, attribute)
    target = super_self(value) if type(value) is super else value
    return lambda attribute: _object_read(guards, target, attribute)


def _object_read(guards: Guards, value: Any, name: Any) -> Any:
    """`object.__getattribute__` with a name: judged as `getattr` would, but without the object's own `__getattr__`."""
    name = names.text_of(name)
    if is_class(value):
        raise TypeError(f"object.__getattribute__ reads no class in snippets; write getattr(the_class, {name!r})")
    if names.attribute(name) is names.Verdict.PLAIN:
        return object.__getattribute__(value, name)
    if name == "__dict__" or (name[:1] == "_" and not names.is_dunder(name) and name.isidentifier()):
        if not guards.own.made(type(value)):
            raise hidden(value, name)
        guards.check_private(value, name) if name != "__dict__" else None
        return object.__getattribute__(value, name)
    return guards.read_any(value, name)


def _setter(guards: Guards, value: Any, name: str) -> Any:
    """`object.__setattr__(self, name, value)`, `super().__setattr__(name, value)` and the same for delete."""
    real = method(guards, value, name)
    if is_class(value):
        return lambda instance, attribute, *new: real(instance, _judged(guards, instance, attribute), *new)
    target = super_self(value) if type(value) is super else value
    return lambda attribute, *new: real(_judged(guards, target, attribute), *new)


def _judged(guards: Guards, value: Any, name: Any) -> str:
    """The exact text of a name that may be written."""
    exact = names.text_of(name)
    guards.write(value, exact)
    return exact


def _descriptor_write(guards: Guards, value: Any, name: str) -> Any:
    """`X.slot.__set__(x, v)` would write to any X, past the write guard."""
    if type(value) is property and type(value.fset) is FunctionType and guards.own.function(value.fset):
        return getattr(value, name)
    return _only_own(guards, value, name)


def _new(guards: Guards, value: Any, name: str) -> Any:
    return getattr(object if value is snippet_type else value, name)


def method(guards: Guards, value: Any, name: str) -> Any:
    """A method of a class acts on instances of that class alone, where somebody else wrote it.

    What dataclasses write, and much of the library, sets and compares attributes of any names on whatever it is given.
    So it is with every dunder name that has no rule of its own.
    """
    found = getattr(value, name)
    if type(found) is not FunctionType or guards.own.function(found):
        return found
    owner = super_self(value) if type(value) is super else value
    if is_class(owner):
        return _of_instances(guards, found, owner)
    raise hidden(value, name)


def _init(guards: Guards, value: Any, name: str) -> Any:
    """What others have made is not made anew: guards and the library count on what they have seen of it."""
    found = method(guards, value, name)
    owner = super_self(value) if type(value) is super else value
    if guards.own.function(found) or (not is_class(owner) and guards.own.made(type(owner))):
        return found
    if not is_class(owner):
        raise hidden(value, name)

    def init(self: Any, /, *args: Any, **keywords: Any) -> None:
        if not guards.own.made(type(self)):
            raise TypeError(f"this is for classes of the snippet, not for {type(self).__name__!r}")
        found(self, *args, **keywords)

    return init


def _of_instances(guards: Guards, found: Any, owner: type) -> Any:
    if type(found) is not FunctionType or guards.own.function(found):
        return found  # a bound one, one in C, which looks at its object itself, or one that the policy has compiled

    def checked(self: Any, /, *args: Any, **keywords: Any) -> Any:
        if owner not in mro(type(self)):
            raise TypeError(f"this method of {owner.__name__!r} needs an instance of it")
        return found(self, *args, **keywords)

    return checked


def _get(guards: Guards, value: Any, name: str) -> Any:
    """A class method that is told no owner takes the class of what it is given: of a class the real `type`."""
    found = method(guards, value, name)
    if type(found) not in (MethodWrapperType, WrapperDescriptorType):
        return found
    at = 0 if type(found) is MethodWrapperType else 1

    def get(*given: Any) -> Any:
        if is_class(next(iter(given[at:]), None)) and given[at + 1 :] in ((), (None,)):
            given = (*given[: at + 1], snippet_type)
        return found(*given)

    return get


def _wrapped(guards: Guards, value: Any, name: str) -> Any:
    """A method answers with what its function wraps, which is bound to nothing."""
    found = getattr(value, name)
    if type(value) is MethodType and not guards.own.function(found):
        raise hidden(value, name)
    return found


SPECIAL: dict[str, Callable[[Any, Any, str], Any]] = {
    "__init__": _init,
    "__wrapped__": _wrapped,
    "__class__": _class,
    "__dict__": _dict,
    "__annotations__": _annotations,
    "__mro__": _mro,
    "__bases__": _bases,
    "__base__": _bases,
    "__subclasses__": _subclasses,
    "__members__": _copied,
    "__dataclass_fields__": _copied,
    "__getattr__": _only_own,
    "__getattribute__": _getattribute,
    "__setattr__": _setter,
    "__delattr__": _setter,
    "__get__": _get,
    "__set__": _descriptor_write,
    "__delete__": _descriptor_write,
    "__new__": _new,
}
