"""The guards: what a snippet may read from, write to and inherit from which object.

Each is called with names judged by names.py, from code that the policy compiled or with names the snippet computed;
none trusts anything an object says about itself (`__class__`, `__module__`, `isinstance`).
"""

from __future__ import annotations

import builtins
import calendar
import decimal
import pprint
import typing
from abc import ABCMeta
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import Field
from enum import EnumType
from functools import partial
from itertools import chain
from types import CodeType, FunctionType, GenericAlias, MethodType, MethodWrapperType, SimpleNamespace
from typing import Any

from sandbox import fields, formatting, names
from sandbox.denied import hidden, unwritable
from sandbox.names import Verdict
from sandbox.own import Own, class_dict, is_class, module_of, mro, super_self
from sandbox.special import SPECIAL, method
from sandbox.type_proxy import ABC_META, shown

Read = Callable[[Any, str], Any]
_PLAIN = Verdict.PLAIN  # before Python 3.12 a member is looked up by a call

# Private names that belong to a type's public interface.
_NAMEDTUPLE_NAMES = frozenset({"_fields", "_replace", "_asdict", "_make", "_field_defaults"})
_ENUM_NAMES = frozenset({"_value_", "_name_", "_missing_", "_generate_next_value_", "_ignore_"})

# Objects from outside whose attributes a program sets in ordinary use; none of them leads anywhere.
_OPEN_TYPES: set[type] = {SimpleNamespace, decimal.Context, defaultdict, partial}


# `Queue[int]` and `List`: each stands for a class, as a base too, and answers with that class's attributes.
_ALIASES: tuple[type, ...] = (GenericAlias, typing._BaseGenericAlias)  # type: ignore[attr-defined]
_BOUND = (MethodType, MethodWrapperType)
_FORWARDING = (*_ALIASES, MethodType)  # a method answers with those of its function


# Where classes are from that no snippet may inherit from. A time zone's code in C believes what its subclasses keep.
_KEEPING = ("sandbox", "asyncio", "_asyncio", "zoneinfo")


# Classes of the library that ask themselves for `format`, which would be the real one of a str.
_FORMATTING = (pprint.PrettyPrinter, type(calendar.day_name), type(calendar.month_name))


def allow_writes(*kinds: type) -> None:
    """Let snippets set attributes of instances of these exact types (facades register theirs)."""
    _OPEN_TYPES.update(kinds)


def _private_names(cls: type) -> Iterator[str]:
    """The private attribute names that the functions of one class use."""
    for value in class_dict(cls).values():
        function = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        if type(function) is FunctionType:
            codes = [function.__code__]
            for code in codes:
                yield from (name for name in code.co_names if name[:1] == "_" and not names.is_dunder(name))
                codes.extend(const for const in code.co_consts if type(const) is CodeType)


def is_closed(base: type) -> bool:
    """Whether no class of a snippet may inherit from this one, which is not the snippet's.

    A subclass would see the insides that library or engine code stores on its instances (asyncio's loop, the run behind
    a logger), pass `isinstance` checks inside dataclasses, make classes, or have for its own what it forwards to.
    """
    module = module_of(base)
    inner = type(module) is str and module.partition(".")[0] in _KEEPING
    return issubclass(base, (type, super, Field, *_ALIASES)) or (inner and not issubclass(base, BaseException))


def check_together(bases: Iterable[Any]) -> None:
    """Raise TypeError for a str that would be asked for its `format` by a class of the library, which has its own."""
    line = {each for base in bases if is_class(base) for each in mro(base)}
    home = next((each for each in _FORMATTING if each in line), None)
    if home is not None and str in line:
        raise TypeError(f"a class cannot inherit from a str and from {home.__name__!r}")


def trim_match_args(cls: Any) -> None:
    """Cut `__match_args__` before the first name that a class pattern must not read.

    Fields of a NamedTuple or dataclass may be called `format`; matched by position against a str that was
    registered with an ABC, that would hand out the real str.format.
    """
    if not is_class(cls):
        return
    matched = getattr(cls, "__match_args__", ())
    plain = next((at for at, name in enumerate(matched) if not names.is_plain(name)), None)
    if plain is not None:
        type.__setattr__(cls, "__match_args__", tuple(matched)[:plain])


class Guards:
    """The guards of one run, bound to what this snippet owns."""

    def __init__(self, own: Own) -> None:
        self.own = own
        self._private: dict[tuple[type, ...], frozenset[str]] = {}
        # `self._x` is in hot loops. What was found once stays so: bases cannot be changed, and classes that are not
        # the snippet's cannot be written, so a name cannot start to come from one of them (see `_remember`). Compiled
        # code looks here before it calls a guard.
        self.allowed: defaultdict[str, set[type]] = defaultdict(set)
        self.read = self._make_read()
        self.write = self._make_write()
        self.write_plain = self._make_write_plain()

    def _make_read(self) -> Read:
        slow, allowed, classes = self._read_checked, self.allowed, self.own.classes

        def read(value: Any, name: str) -> Any:
            """Read an attribute whose name needs a look at the object."""
            kind = type(value)
            if kind is super and name == "__init__":
                found = getattr(value, name)
                if type(found) in _BOUND and type(found.__self__) in classes:
                    return found  # of an object of the snippet's own, as nearly always
            if kind is str and name == "format" and formatting.is_plain(value):
                return value.format  # of this very text, which never changes
            if name[:2] == "__":
                return slow(value, name)
            if name in allowed and kind in allowed[name]:
                return getattr(value, name)
            result = slow(value, name)
            if not is_class(value):
                self._remember(kind, name)
            return result

        return read

    def _remember(self, kind: type, name: str) -> None:
        """Instances of this class may be asked without a guard from now on, where no base could come to answer.

        A snippet can delete its class's attribute, and then what a library keeps under that name would be found.
        """
        if self.own.made(kind) and all(self.own.made(each) for each in mro(kind) if name in class_dict(each)):
            self.allowed[name].add(kind)

    def _read_checked(self, value: Any, name: str) -> Any:
        if name in names.CHECKED_ATTRIBUTES:
            return self._read_listed(value, name)
        if not names.is_dunder(name):
            self.check_private(value, name)
            return shown(getattr(value, name))
        special = SPECIAL.get(name)
        if special is not None:
            return special(self, value, name)
        found = getattr(value, name)
        return shown(found if type(found) is not FunctionType else method(self, value, name))

    def _read_listed(self, value: Any, name: str) -> Any:
        kind = type(value)
        if name == "obj":
            subject = value if is_class(value) else super_self(value) if kind is super else kind
            subject = subject if is_class(subject) else type(subject)
            if issubclass(subject, (AttributeError, *_FORWARDING)):  # what failing, maybe trusted, code was looking at
                raise hidden(value, name)
            return getattr(value, name)
        if name == "mro":
            if issubclass(kind, _FORWARDING):
                raise hidden(value, name)
            return SPECIAL["__mro__"](self, value, name) if is_class(value) else getattr(value, name)
        return formatting.guard_method(getattr(value, name), self.read_any)

    def check_private(self, value: Any, name: str) -> None:
        """Raise unless this `_x` is where the snippet put it: on its own objects, not in a base that it was given."""
        kind = type(value)
        if not name.isidentifier():
            raise hidden(value, name)
        if kind is super:
            line = self._super_line(value)
        elif is_class(value):
            line = mro(value)
        elif self.own.function(value) or kind is SimpleNamespace:
            return
        else:
            line = mro(kind)
        home = next((each for each in line if name in class_dict(each)), None)
        if home is None and is_class(value):  # EnumType._convert_ turns any module's names into members
            home = next((each for each in mro(kind) if name in class_dict(each)), None)
        if home is None and self.own.made(line[0]) and name not in self._used_by_bases(line):
            return
        if home is None and name in _ENUM_NAMES:
            return
        if home is None or not (self.own.made(home) or self._is_interface(line, home, name)):
            raise hidden(value, name)

    def _used_by_bases(self, line: tuple[type, ...]) -> frozenset[str]:
        """Private names in the code of a class's library bases: on an instance they are the library's, not its own."""
        bases = tuple(each for each in line if not self.own.made(each))
        if bases not in self._private:
            self._private[bases] = frozenset(chain.from_iterable(map(_private_names, bases)))
        return self._private[bases]

    def _is_interface(self, line: tuple[type, ...], home: type, name: str) -> bool:
        if name in _NAMEDTUPLE_NAMES:  # since Python 3.15 a base of ParseResult that is no tuple has its `_replace`
            foreign = next(each for each in line if not self.own.made(each))
            return issubclass(home, tuple) or (issubclass(foreign, tuple) and home in mro(foreign))
        return name in _ENUM_NAMES

    @staticmethod
    def _super_line(value: Any) -> tuple[type, ...]:
        start = super.__dict__["__thisclass__"].__get__(value)
        line = mro(super.__dict__["__self_class__"].__get__(value))
        return line[line.index(start) + 1 :]

    def read_any(self, value: Any, name: Any, *default: Any) -> Any:
        """The builtin `getattr`: any name, vetted now."""
        if type(name) is not str:
            name = names.text_of(name)
        verdict = names.attribute(name)
        if verdict is _PLAIN:
            return getattr(value, name, *default)
        try:
            if verdict is Verdict.REFUSED:
                raise hidden(value, name)
            return self.read(value, name)
        except AttributeError:
            if default:
                return default[0]
            raise

    def _make_write(self) -> Callable[..., Any]:
        classes, slow, allowed = self.own.classes, self._write_checked, self.allowed

        def write(value: Any, name: str, augmented: bool = False) -> Any:
            """Judge setting or deleting an attribute; give the object back, so that the statement goes on with it."""
            if name[:1] == "_":
                if name in allowed and type(value) in allowed[name]:
                    return value
            elif type(value) in classes and not augmented:
                return value
            slow(value, name, augmented)
            if name[:1] == "_" and name[:2] != "__" and type(value) in classes:
                self._remember(type(value), name)  # where it may be set, it may be read: as check_private says
            return value

        return write

    def _make_write_plain(self) -> Callable[..., Any]:
        classes, slow = self.own.classes, self._write_checked

        def write(value: Any, name: str) -> Any:
            """The same for a constant plain name: `self.x = …` is in hot loops."""
            if type(value) not in classes:
                slow(value, name, False)
            return value

        return write

    def _write_checked(self, value: Any, name: str, augmented: bool) -> None:
        if not names.writable(name) or not self._may_write(value, name):
            raise unwritable(value, name)
        if name in names.CHECKED_ATTRIBUTES:
            # `x.format += y` hands the old attribute to y.__radd__, so it must be one that may be read as it is.
            if augmented and self._read_listed(value, name) is not getattr(value, name):
                raise unwritable(value, name)
        elif name[:1] == "_" and not names.is_dunder(name):
            self.check_private(value, name)

    def _may_write(self, value: Any, name: str) -> bool:
        kind = type(value)
        if names.is_dunder(name):
            return self._may_write_dunder(value, name) if name in names.WRITABLE else self._may_define(value)
        if self.own.made(kind) or self.own.function(value) or kind in _OPEN_TYPES:
            return True
        if is_class(value):
            return self.own.made(value) and not (issubclass(kind, EnumType) and name[:1] == name[-1:] == "_")
        return kind.__module__ == "builtins" and issubclass(kind, BaseException) and name != "obj"

    def _may_define(self, value: Any) -> bool:
        # Only classes: on an instance, library code that looks a special method up there would find it.
        return is_class(value) and self.own.made(value)

    def _may_write_dunder(self, value: Any, name: str) -> bool:
        if name == "__cause__":
            return issubclass(type(value), BaseException)
        if name == "__dict__":
            return self.own.made(type(value)) and not is_class(value)
        owned = self.own.function(value) or self.own.made(value if is_class(value) else type(value))
        return owned or (name != "__name__" and type(value) is partial)

    def set_any(self, value: Any, name: Any, new: Any) -> None:
        """The builtin `setattr`."""
        name = names.text_of(name)
        setattr(self.write(value, name), name, new)

    def delete_any(self, value: Any, name: Any) -> None:
        """The builtin `delattr`."""
        name = names.text_of(name)
        delattr(self.write(value, name), name)

    def has_any(self, value: Any, name: Any) -> bool:
        """The builtin `hasattr`: what may not be read is not there."""
        if type(name) is str and names.attribute(name) is _PLAIN:
            return hasattr(value, name)
        try:
            self.read_any(value, name)
        except AttributeError:
            return False
        return True

    def build_class(self, body: Any, name: str, /, *bases: Any, **keywords: Any) -> Any:
        """The class statement: no metaclass by `**keywords`, no base that would make one."""
        if keywords.get("metaclass") is ABC_META:
            keywords["metaclass"] = ABCMeta
        elif "metaclass" in keywords:
            raise TypeError("metaclass= is not available in snippets; inherit from abc.ABC or enum.Enum instead")
        self.check_all_bases(bases)
        cls = builtins.__build_class__(body, name, *bases, **keywords)
        trim_match_args(cls)
        return cls

    def check_all_bases(self, bases: Iterable[Any]) -> None:
        """Raise unless a class of the snippet may inherit from each, and from all of them."""
        given = [self.check_base(base) for base in bases]
        if given:
            check_together(given)
            fields.check_bases(given)

    def check_base(self, base: Any) -> Any:
        """The class that this is or stands for. Raise unless a class of the snippet may inherit from it."""
        while issubclass(type(base), _ALIASES):
            base = base.__origin__
        if is_class(base):
            if not self.own.made(base) and is_closed(base):
                raise TypeError(f"{base.__name__!r} is not an acceptable base class in snippets")
        elif base is not typing.NamedTuple and base is not typing.TypedDict:
            # By `__mro_entries__` it could name others each time that it is asked.
            raise TypeError(f"an object of {type(base).__name__!r} is not an acceptable base class in snippets")
        return base
