"""Gather the code that every snippet runs through, so that a child copies fewer pages when it runs it.

A call counts a reference to its code object, and making a function one to its name and its documentation: each copies
the page that the object is on. Modules are loaded with the code of all their functions in between; with what runs side
by side a warm child copies 100 pages less.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType, FunctionType
from typing import Any

_former: list[CodeType] = []  # as long as the process: into the gaps that it left, children would put their own


def gather_code(steps: Iterable[Callable[[], None]]) -> None:
    """Make the code of all that `steps` call, and of `_MODULES`, anew, side by side; what it does stays the same."""
    called = _called(steps) | _of_modules()
    _former.extend(called.values())
    made: dict[int, CodeType] = {}
    for each in gc.get_objects():
        if type(each) is FunctionType and id(each.__code__) in called:
            old = each.__code__
            each.__code__ = made[id(old)] if id(old) in made else made.setdefault(id(old), _anew(old, called))


# What a child and its zygote run that no step calls: confining itself, and forking.
_MODULES = frozenset(f"sandbox.{name}" for name in ("child", "confine", "connection", "kernel", "protocol", "zygote"))


def _of_modules() -> dict[int, CodeType]:
    functions = (each for each in gc.get_objects() if type(each) is FunctionType and each.__module__ in _MODULES)
    return {id(each.__code__): each.__code__ for each in functions}


def _called(steps: Iterable[Callable[[], None]]) -> dict[int, CodeType]:
    """By identity: code objects of the same text are equal, wherever they stand."""
    called: dict[int, CodeType] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        called[id(frame.f_code)] = frame.f_code

    sys.setprofile(note)
    try:
        for step in steps:
            step()
    finally:
        sys.setprofile(None)
    return called


def _anew(code: CodeType, called: dict[int, CodeType]) -> CodeType:
    """With the code of functions that it makes itself, where they were called, and with what it calls them."""
    inner = (_anew(each, called) if id(each) in called else _apart(each) for each in code.co_consts)
    return code.replace(co_consts=tuple(inner), co_name=_apart(code.co_name), co_qualname=_apart(code.co_qualname))


def _apart(constant: Any) -> Any:
    """A text that is no name anew; a name is one object wherever it stands."""
    if type(constant) is not str or constant.isidentifier():
        return constant
    return constant.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
