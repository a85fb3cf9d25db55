"""Library functions made strict, where they would act on a snippet's word.

Applied once to the process that runs snippets; each change only refuses what no ordinary program does.
"""

from __future__ import annotations

import asyncio.coroutines
import asyncio.format_helpers
import builtins
import collections
import copy
import copyreg
import dataclasses
import enum
import functools
import inspect
import pprint
import statistics
import sys
import traceback
import typing
from collections.abc import Callable
from contextlib import suppress
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    FunctionType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodWrapperType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import Any

from sandbox import copying, fields
from sandbox.facades import hints
from sandbox.guards import is_closed, trim_match_args
from sandbox.names import is_dunder, is_field, is_plain
from sandbox.own import class_dict, is_class, mro
from sandbox.streams import Stream
from sandbox.type_proxy import type_of

_done: list[bool] = []


def harden() -> None:
    """Apply all of it; a second call does nothing."""
    if not _done:
        _harden_copy()
        _harden_slots()
        _harden_classes()
        _harden_aliases()
        # What a printer keeps where no stream is given: who inherits from it reads that, and would have a real file.
        pprint._sys = SimpleNamespace(stdout=Stream("stdout", _write_out))  # type: ignore[attr-defined]
        for name in ("isreadable", "isrecursive"):  # they ask for `format`, of whatever they are given
            setattr(pprint.PrettyPrinter, name, _of_no(str, class_dict(pprint.PrettyPrinter)[name]))
        # asdict and astuple copy what a snippet put into a field.
        dataclasses.copy = SimpleNamespace(copy=copying.shallow, deepcopy=copying.deep)  # type: ignore[attr-defined]
        _harden_fields()
        _harden_signatures()
        _harden_references()
        _harden_cached_property()
        _harden_enum()
        _harden_members()
        _harden_enum_property()
        _harden_named_tuples()
        _harden_tasks()
        _done.append(True)


def _write_out(text: str) -> None:
    sys.stdout.write(text)


def _harden_copy() -> None:
    """`UserDict` and `UserList` fill what `__new__` gives, and `UserDict.copy` copies as the library does."""

    def copied(self: Any) -> Any:
        made = self.__class__.__new__(self.__class__)
        if type(made) is not type(self):
            raise copy.Error(f"cannot copy {type(self).__name__!r}: its copy would be a {type(made).__name__!r}")
        vars(made).update(vars(self), data=copying.shallow(self.data))
        return made

    for kind in (collections.UserDict, collections.UserList):
        kind.__copy__ = copied  # type: ignore[method-assign]
    collections.UserDict.copy = copying.shallow  # type: ignore[method-assign, assignment]


def _harden_slots() -> None:
    """A copy reads the attributes that `__slots__` names, which may be a list that grew when the class was made."""
    real: Callable[[type], Any] = copyreg._slotnames  # type: ignore[attr-defined]

    def slot_names(cls: type) -> list[str]:
        found = [each for each in real(cls) or () if type(each) is str and _is_slot(cls, each)]
        with suppress(TypeError):  # it is not the snippet's, nor anybody's that was made in Python
            type.__setattr__(cls, "__slotnames__", found)  # where it is looked for the next time
        return found

    copyreg._slotnames = slot_names  # type: ignore[attr-defined]


def _is_slot(cls: type, name: str) -> bool:
    home = next((class_dict(each) for each in mro(cls) if name in class_dict(each)), {})
    return type(home.get(name)) is MemberDescriptorType


def _harden_classes() -> None:
    """What hands out or calls the class of an object is given no class: its own is the real `type`."""
    for kind in (collections.ChainMap, collections.Counter, collections.UserList):
        for name in ("copy", "new_child"):
            if name in class_dict(kind):
                setattr(kind, name, _of_no(type, class_dict(kind)[name]))
    parents: Any = collections.ChainMap.parents
    collections.ChainMap.parents = property(_of_no(type, parents.fget), doc=parents.__doc__)  # type: ignore[assignment]
    convert: Callable[[Any, type], Any] = statistics._convert  # type: ignore[attr-defined]

    def converted(value: Any, T: type) -> Any:  # noqa: N803 - the library's own name
        if issubclass(T, type):
            raise TypeError("classes are no data")
        return convert(value, T)

    statistics._convert = converted  # type: ignore[attr-defined]
    bind = functools.partialmethod.__get__

    def get(self: Any, obj: Any, cls: Any = None) -> Any:
        return bind(self, obj, type_of(obj) if cls is None and is_class(obj) else cls)

    functools.partialmethod.__get__ = get  # type: ignore[method-assign]
    if hasattr(inspect, "_descriptor_get"):  # since Python 3.13 the signature of a class binds what it finds there
        inspect._descriptor_get = _bound


def _of_no(kind: type, real: FunctionType) -> FunctionType:
    def method(self: Any, /, *args: Any, **keywords: Any) -> Any:
        if issubclass(type(self), kind):
            raise TypeError(f"{real.__qualname__}() takes no {kind.__name__}")
        return real(self, *args, **keywords)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(method, name, getattr(real, name))
    return method  # type: ignore[return-value]


def _bound(descriptor: Any, obj: Any) -> Any:
    get = None if is_class(descriptor) else getattr(type(descriptor), "__get__", None)
    return descriptor if get is None else get(descriptor, obj, type_of(obj))


def _harden_aliases() -> None:
    """They compare what they stand for, which for `Type[int]` is the real `type`, by what the other's says."""
    kind: Any = typing._GenericAlias  # type: ignore[attr-defined]
    same = kind.__eq__

    def equal(self: Any, other: Any) -> Any:
        if not isinstance(other, kind):
            return NotImplemented
        return self.__origin__ is other.__origin__ and same(self, other)

    kind.__eq__ = equal


def _harden_fields() -> None:
    """The names of fields go into text that is executed, and annotations may change while they are read.

    The class of a static method of a snippet's own shows the real annotations of what it wraps.
    """
    real: Callable[..., Any] = dataclasses._get_field  # type: ignore[attr-defined]

    def get_field(cls: Any, name: Any, *others: Any) -> Any:
        if not is_field(name):
            raise TypeError(f"{name!r} is not a field name")
        fields.check_field(cls, name)
        return real(cls, name, *others)

    dataclasses._get_field = get_field  # type: ignore[attr-defined]
    for reading in ("fields", "_is_dataclass_instance", "_replace"):  # the last since Python 3.13
        if hasattr(dataclasses, reading):
            setattr(dataclasses, reading, _of_its_class(getattr(dataclasses, reading)))


def _of_its_class(real: Callable[..., Any]) -> Callable[..., Any]:
    """What reads the fields of an object, for objects that keep no other ones than their class has."""

    def read(class_or_instance: Any, /, **changes: Any) -> Any:
        fields.check_instance(class_or_instance)
        return real(class_or_instance, **changes)

    return read


def _harden_signatures() -> None:
    """Dataclasses ask for one; where it is a text, in a docstring say, the names of defaults in it are evaluated."""
    real: Callable[..., Any] = inspect._signature_fromstr  # type: ignore[attr-defined]

    def from_text(cls: Any, subject: Any, *others: Any, **options: Any) -> Any:
        in_c = type(subject) in _IN_C or (is_class(subject) and not subject.__flags__ & _HEAP_TYPE)
        if not in_c:
            raise ValueError(f"no signature found for {subject!r}")
        return real(cls, subject, *others, **options)

    inspect._signature_fromstr = from_text  # type: ignore[attr-defined]


# What tells its signature as a text that no snippet wrote.
_IN_C = (BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, MethodWrapperType, ClassMethodDescriptorType)
_HEAP_TYPE = 1 << 9  # a class that was made at run time, by CPython's flag


def _harden_references() -> None:
    """Since Python 3.14 a forward reference evaluates its text itself, with any globals, and dataclasses have it do so.

    It is read as `get_type_hints` reads it, with the names of the snippet that it is from.
    """
    reference: Any = typing.ForwardRef
    if not hasattr(reference, "evaluate"):
        return
    real, of_hints = reference.evaluate, typing.evaluate_forward_ref.__code__  # type: ignore[attr-defined]

    def evaluate(self: Any, *, format: int = 1, **names: Any) -> Any:  # noqa: A002 - the library's own name
        if sys._getframe(1).f_code is of_hints:  # the real get_type_hints, which no snippet has
            return real(self, format=format, **names)
        if any(each is not None for each in names.values()):
            raise TypeError("a reference is evaluated with the names of its snippet alone")
        if format == _AS_TEXT:
            return self.__resolved_str__
        try:
            return _referred(self)
        except Exception:
            if format == _AS_REFERENCE:
                return self
            raise

    reference.evaluate = evaluate


# annotationlib.Format, which is there since Python 3.14
_AS_REFERENCE, _AS_TEXT = 3, 4
_EMPTY = CellType()


def _referred(reference: Any) -> Any:
    """The type that it names: a variable of a function around it, or whatever its text says."""
    cell, text, found = reference.__cell__, reference.__forward_arg__, reference.__globals__
    if type(cell) is CellType:
        return cell.cell_contents
    known = found.get("__builtins__") if type(found) is dict else None
    if type(known) is not dict or known is vars(builtins):  # it is of no snippet
        raise NameError(f"the reference {text!r} is not resolved here; use typing.get_type_hints")
    around = {name: each.cell_contents for name, each in (cell or {}).items() if each != _EMPTY}
    return hints.named(text, {**found, **around})


def _harden_cached_property() -> None:
    """Called by hand, it takes what any object keeps under any name, and puts anything there."""
    real = functools.cached_property.__get__

    def get(self: Any, instance: Any, owner: Any = None) -> Any:
        name = self.attrname
        line = () if instance is None or name is None else mro(type(instance))
        if line and all(class_dict(each).get(name) is not self for each in line):
            raise TypeError(f"the cached_property {name!r} stands in no class of this {line[0].__name__!r}")
        return real(self, instance, owner)

    functools.cached_property.__get__ = get  # type: ignore[method-assign]


def _harden_enum() -> None:
    """`Enum("Name", {...}, type=…)` makes a class of what it is given: refuse what a class statement could not have."""
    real: Callable[..., Any] = enum.EnumType._create_  # type: ignore[attr-defined]

    def create(cls: Any, class_name: str, names: Any, *args: Any, **options: Any) -> Any:
        if isinstance(names, str):
            names = str.__str__(names).replace(",", " ").split()
        # Taken apart once: a sequence of the snippet's could answer differently when the library asks again.
        given = names.items() if isinstance(names, dict) else names
        members = [each if isinstance(each, str) else tuple(each) for each in given]
        for each in members:
            name = each if isinstance(each, str) else each[0]
            if type(name) is not str or is_dunder(name):
                raise ValueError(f"{name!r} cannot be the name of a member")
        mixed: Any = options.get("type")
        if is_class(mixed) and is_closed(mixed):
            raise TypeError(f"{mixed.__name__!r} is not an acceptable base class in snippets")
        return real(cls, class_name, members, *args, **options)

    enum.EnumType._create_ = create  # type: ignore[attr-defined]


def _harden_members() -> None:
    """Members are made by acting on what `__new__` gives and on what `_value_` is: what they are is looked at first."""
    find: Callable[..., Any] = enum.EnumType._find_data_repr_  # type: ignore[attr-defined]

    def found(cls: Any, class_name: str, bases: Any) -> Any:
        """A dataclass's `__repr__`, which before Python 3.12 a member's `_value_` is given to, whatever that is."""
        function = find(class_name, bases)
        if type(function) is not FunctionType or function is getattr(enum, "_dataclass_repr", None):
            return function  # since then it reads the fields that the value's own class has
        return lambda value: (function if _has(value, function) else repr)(value)

    enum.EnumType._find_data_repr_ = classmethod(found)  # type: ignore[attr-defined]
    find_new: Callable[..., Any] = enum.EnumType._find_new_  # type: ignore[attr-defined]

    def found_new(cls: Any, *given: Any) -> tuple[Any, ...]:
        """A `__new__` that makes members: the library sets attributes of what it gives, and calls its `__init__`."""
        new, *rest = find_new(*given)
        return (_making_its_own(new), *rest)

    enum.EnumType._find_new_ = classmethod(found_new)  # type: ignore[attr-defined]
    member: Any = enum._proto_member  # type: ignore[attr-defined]
    become: Callable[..., None] = member.__set_name__

    def set_name(self: Any, enum_class: Any, member_name: Any) -> None:
        """What will be a member takes its own place alone; it begins by deleting what is there, of whatever it is."""
        made = issubclass(type(enum_class), enum.EnumType)  # or what makes its members may be anything
        if not made or class_dict(enum_class).get(member_name) is not self:
            raise TypeError(f"{member_name!r} is not the name of this member")
        become(self, enum_class, member_name)

    member.__set_name__ = set_name


def _making_its_own(new: Callable[..., Any]) -> Callable[..., Any]:
    def make(cls: Any, *values: Any) -> Any:
        made = new(cls, *values)
        if cls not in mro(type(made)):
            raise TypeError(f"__new__ of {cls.__name__!r} has to give one of its members")
        return made

    return make


def _has(value: Any, method: Any) -> bool:
    return any(each is method for cls in mro(type(value)) for each in class_dict(cls).values())


def _harden_enum_property() -> None:
    """Since Python 3.12 a member that hides a base's attribute reads the base's by its own name, whatever that is."""
    real = enum.property.__get__

    def get(self: Any, instance: Any, ownerclass: Any = None) -> Any:
        if instance is None:
            return real(self, instance, ownerclass)
        if self.fget is not None:
            return self.fget(instance)
        source, name = getattr(self, "_attr_type", None), self.name
        if source is None:
            return real(self, instance, ownerclass)
        if not is_plain(name):
            raise AttributeError(f"the attribute {name!r} is not available in snippets")
        return getattr(self._cls_type if source == "attr" else instance._value_, name)

    enum.property.__get__ = get  # type: ignore[method-assign]


def _harden_named_tuples() -> None:
    """Fields may have any names, and a class pattern that reads them may be met before `trim_match_args` is."""
    real: Callable[..., type] = collections.namedtuple

    def namedtuple(typename: Any, field_names: Any, *, module: Any = None, **options: Any) -> type:
        module = module or sys._getframe(1).f_globals.get("__name__")
        made = real(typename, field_names, module=module, **options)
        trim_match_args(made)
        return made

    collections.namedtuple = namedtuple


def _harden_tasks() -> None:
    """The text of a task says where its code is, and so where the server has its files.

    So does the stack where it was made, which is told to a loop of the snippet's own that says that it is debugged;
    what stands for a frame there reads any file. The code in C has that function already, so it gets another body.
    """
    asyncio.format_helpers._get_function_source = lambda function: None  # type: ignore[assignment]
    asyncio.coroutines._format_coroutine = lambda coroutine: coroutine.__qualname__  # type: ignore[attr-defined]
    traceback.extract_stack.__code__ = _no_stack.__code__
    if sys.version_info < (3, 14):  # before, a real loop, with sockets, is made for a future of code that no loop runs
        asyncio.get_event_loop_policy()  # which is made when it is first asked for
        policy: Any = asyncio.events.BaseDefaultEventLoopPolicy
        policy.get_event_loop = _loop_that_is_there


def _loop_that_is_there(policy: Any) -> Any:
    if policy._local._loop is None:
        raise RuntimeError("no event loop runs here: make it in an async function")
    return policy._local._loop


def _no_stack(f: Any = None, limit: Any = None) -> None:
    return None
