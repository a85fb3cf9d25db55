"""`dataclasses`, `collections.namedtuple` and `typing`: what makes classes out of names and annotations.

`dataclasses` writes field names into source text and executes it, in full Python. So nothing reaches it but exact
strings that are identifiers, in classes and bases that were looked at here.
"""

from __future__ import annotations

import collections
import dataclasses
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox import names
from sandbox.facades.hints import get_type_hints_of
from sandbox.hooks import MADE_KEY
from sandbox.own import class_dict, is_class, mro
from sandbox.type_proxy import shown

if TYPE_CHECKING:
    from sandbox.run import Run

_Field = dataclasses.Field


def dataclasses_contents(run: Run) -> dict[str, Any]:
    """`dataclasses` with its class makers checked."""
    same = [
        "FrozenInstanceError",
        "InitVar",
        "KW_ONLY",
        "MISSING",
        "asdict",
        "astuple",
        "field",
        "fields",
        "is_dataclass",
        "replace",
    ]
    found: dict[str, Any] = {name: getattr(dataclasses, name) for name in same}
    decorate = _dataclass(run)
    found.update(dataclass=decorate, make_dataclass=_make_dataclass(run, decorate))
    return found


def _dataclass(run: Run) -> Callable[..., Any]:
    def dataclass(cls: Any = None, /, *, match_args: bool = True, **options: Any) -> Any:
        """Make a class with fields, as `dataclasses.dataclass` does."""

        def decorate(given: Any) -> Any:
            if not is_class(given) or not run.own.made(given):
                raise TypeError("dataclass decorates classes of this snippet")
            _check_fields(given)
            had_match_args = "__match_args__" in class_dict(given)
            made = dataclasses.dataclass(given, match_args=False, **options)
            run.own.adopt(made)
            if match_args and not had_match_args:
                type.__setattr__(made, "__match_args__", _match_args(made))
            return made

        return decorate if cls is None else decorate(cls)

    return dataclass


def _match_args(cls: type) -> tuple[str, ...]:
    """The fields that a class pattern reads by position, up to the first that it must not read of any object."""
    given: list[str] = []
    for each in dataclasses.fields(cls):
        if each.init and not each.kw_only:
            if not names.is_plain(each.name):
                break
            given.append(each.name)
    return tuple(given)


def _check_fields(cls: type) -> None:
    for name, value in class_dict(cls).items():
        # A subclass of Field could answer `.name` with any text.
        if isinstance(value, _Field) and type(value) is not _Field:
            raise TypeError(f"field {name!r} is not made by dataclasses.field()")
    for each in mro(cls):
        annotations = class_dict(each).get("__annotations__")
        fields = class_dict(each).get("__dataclass_fields__")
        for found in (annotations, fields):
            if found is None or (each.__module__ == "builtins"):
                continue
            if type(found) is not dict or not all(map(names.is_field, found)):
                raise TypeError(f"class {each.__name__!r} has annotations that are no field names")
        if fields is not None and any(type(f) is not _Field or f.name != name for name, f in fields.items()):
            raise TypeError(f"class {each.__name__!r} has fields that were tampered with")


def _make_dataclass(run: Run, decorate: Callable[..., Any]) -> Callable[..., Any]:
    def make_dataclass(
        cls_name: str, fields: Any, *, bases: tuple[Any, ...] = (), namespace: Any = None, **options: Any
    ) -> Any:
        """Make a dataclass from a name and a list of fields."""
        items = [item if isinstance(item, str) else tuple(item) for item in fields]
        for item in items:
            name = item if isinstance(item, str) else item[0]
            if not names.is_field(name) or names.is_dunder(name):
                raise TypeError(f"{name!r} is not a field name")
        methods = dict(namespace or {})
        for name in methods:
            if (
                type(name) is not str
                or not name.isidentifier()
                or (names.is_dunder(name) and name not in names.DEFINABLE)
            ):
                raise TypeError(f"{name!r} cannot be defined in a class")
        bases = tuple(bases)
        run.guards.check_all_bases(bases)
        for base in filter(is_class, bases):
            _check_fields(base)
        if type(cls_name) is not str or not cls_name.isidentifier():
            raise TypeError("the class name must be an identifier")
        options.setdefault("module", "__main__") if "module" in _MAKE_OPTIONS else options.pop("module", None)
        options.pop("decorator", None)
        match_args = options.pop("match_args", True)
        methods = {
            MADE_KEY: run.own.mark,
            **methods,
        }  # its own from the first moment, as by a class statement
        made = dataclasses.make_dataclass(cls_name, items, bases=bases, namespace=methods, match_args=False, **options)
        run.own.adopt(made)
        if match_args:
            type.__setattr__(made, "__match_args__", _match_args(made))
        return made

    return make_dataclass


_MAKE_OPTIONS = dataclasses.make_dataclass.__kwdefaults__ or {}


def collections_contents(run: Run) -> dict[str, Any]:
    """`namedtuple`, whose classes count as the snippet's own."""

    def namedtuple(
        typename: str, field_names: Any, *, rename: bool = False, defaults: Any = None, module: Any = None
    ) -> type:
        """Make a tuple class with named fields."""
        make: Callable[..., type] = collections.namedtuple
        made = make(typename, field_names, rename=rename, defaults=defaults, module="__main__")
        return run.own.adopt(made)

    return {"namedtuple": namedtuple}


def typing_contents(run: Run) -> dict[str, Any]:
    """The questions of `typing` that could answer with the real `type`, or evaluate text."""
    return {
        "get_args": lambda given: shown(typing.get_args(given)),
        "get_origin": lambda given: shown(typing.get_origin(given)),
        "get_type_hints": get_type_hints_of(run),
    }
