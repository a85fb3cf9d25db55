"""The names that a snippet starts with."""

from __future__ import annotations

import builtins
import decimal
import keyword
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from sandbox import hardening, names
from sandbox.facade import rename
from sandbox.facades.system import leave, no_files
from sandbox.hooks import (
    ALLOWED,
    AWAIT,
    CLASS,
    GETATTR,
    HASATTR,
    MADE,
    OWN,
    READ,
    TYPE,
    WRITE,
    WRITE_CHECKED,
)
from sandbox.loop import ready
from sandbox.modules import Imports
from sandbox.run import Run
from sandbox.type_proxy import snippet_type, type_of

# Handed out as they are. Everything else that a snippet finds is made below.
_SAME = (
    "None False True Ellipsis NotImplemented abs aiter all anext any ascii bin bool bytearray bytes callable chr "
    "classmethod complex dict divmod enumerate filter float format frozenset hash hex id int isinstance issubclass "
    "iter len list map max memoryview min next object oct ord pow property range repr reversed round set slice "
    "sorted staticmethod str sum super tuple zip"
)


def _exceptions() -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }


_ALWAYS = {**{name: getattr(builtins, name) for name in _SAME.split()}, **_exceptions()}


def namespace(helpers: Any, inputs: Mapping[str, Any], write_out: Callable[[str], None]) -> dict[str, Any]:
    """Fresh globals for one snippet: builtins behind guards, `helpers`, and the host's inputs as variables.

    Raises ValueError for an input whose name a snippet could not use.
    """
    run = new_run(helpers, write_out)
    give_inputs(run, inputs)
    return run.globals


def new_run(helpers: Any, write_out: Callable[[str], None]) -> Run:
    """A run whose globals hold builtins behind guards, and `helpers`."""
    hardening.harden()
    decimal.setcontext(decimal.Context())  # what an earlier snippet of this process may have changed
    run = Run(write_out, helpers)
    run.globals.update({"__builtins__": _builtins(run), "__name__": "__main__", "__doc__": None, "helpers": helpers})
    return run


def give_inputs(run: Run, inputs: Mapping[str, Any]) -> None:
    """Make the host's inputs variables. Raises ValueError for a name that a snippet could not use; none is set then."""
    for name in inputs:
        check_input_name(name)
    run.globals.update(inputs)


def check_input_name(name: str) -> None:
    """Raise ValueError unless the name can be a variable that the host gives to a snippet."""
    if not _is_variable(name):
        raise ValueError(f"the input {name!r} is not a variable name")
    if not may_be_given(name):
        raise ValueError(f"the input name {name!r} is reserved")


def may_be_given(name: str) -> bool:
    """Whether the name can be a variable that the host gives to a snippet."""
    reserved = names.is_dunder(name) or name in names.RESERVED_VARIABLES or name == "helpers"
    return _is_variable(name) and not reserved


def _is_variable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _builtins(run: Run) -> dict[str, Any]:
    guards = run.guards
    made = {
        "__build_class__": guards.build_class,
        "__import__": Imports(run).import_,
        "type": snippet_type,
        "getattr": guards.read_any,
        "setattr": guards.set_any,
        "delattr": guards.delete_any,
        "hasattr": guards.has_any,
        "vars": _vars(run),
        "globals": _globals(run),
        "locals": _globals(run),  # only the top level may name it: see NamePolicy.visit_Name
        "dir": _dir(run),
        "print": run.streams.print,
        "open": no_files,
        "input": _no_input,
        "help": _no_help,
        "exit": leave,
        "quit": leave,
    }
    rename("builtins", made)
    return {**_ALWAYS, **_hooks(run), **made}


def _hooks(run: Run) -> dict[str, Any]:
    """What compiled code asks, under names that no snippet can write."""
    guards = run.guards
    return {
        READ: guards.read,
        CLASS: type,
        TYPE: type_of,
        GETATTR: getattr,
        HASATTR: hasattr,
        OWN: run.own.classes,
        ALLOWED: guards.allowed,
        WRITE: guards.write_plain,
        WRITE_CHECKED: guards.write,
        AWAIT: ready,
        MADE: run.own.mark,
    }


def _vars(run: Run) -> Callable[[Any], Any]:
    def vars(*objects: Any) -> Any:  # noqa: A001 - the name shows in messages
        """The attributes of an object as a dict."""
        if len(objects) != 1:
            raise TypeError("vars() takes one object here; name the variables that you need: {'a': a, 'b': b}")
        (value,) = objects
        try:
            return run.guards.read(value, "__dict__")
        except AttributeError:
            raise TypeError("vars() argument must have __dict__ attribute") from None

    return vars


def _dir(run: Run) -> Callable[..., list[str]]:
    def dir(*value: Any) -> list[str]:  # noqa: A001
        """The names of an object's attributes, or of the snippet's variables: those that `getattr` may ask for."""
        found = builtins.dir(*value) if value else sorted(run.globals)
        return [name for name in found if type(name) is str and name.isidentifier() and _may_list(name)]

    return dir


def _may_list(name: str) -> bool:
    return names.attribute(name) is not names.Verdict.REFUSED


def _globals(run: Run) -> Callable[[], Variables]:
    def globals() -> Variables:  # noqa: A001
        """The snippet's own variables, as they are now."""
        return Variables(
            (name, value)
            for name, value in list(run.globals.items())
            if name.isidentifier() and not names.is_dunder(name)
        )

    return globals


class Variables(dict[str, Any]):
    """What `globals()` answers: a copy, because the real one holds the guards too."""

    def __setitem__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("globals() is a copy here: a change has no effect; keep values in a dict of your own")

    __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = __setitem__


def _no_input(prompt: Any = None) -> NoReturn:
    raise EOFError("input() is not available: nobody is there to type. Values come in as inputs, by name")


def _no_help(*_: Any) -> NoReturn:
    raise RuntimeError("help() is not available; use dir(), or print(name.__doc__)")
