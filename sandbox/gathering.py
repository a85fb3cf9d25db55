"""Gather the code that every snippet runs through, so that a child copies fewer pages when it runs it.

A call counts a reference to its code object, which copies the page that the object is on. Modules are loaded with the
code of all their functions in between; with what runs side by side a warm child copies 670 pages instead of 780.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType, FunctionType

_former: list[CodeType] = []  # as long as the process: into the gaps that it left, children would put their own


def gather_code(steps: Iterable[Callable[[], None]]) -> None:
    """Make the code of all functions that `steps` call anew, one beside the other; what it does stays the same."""
    called = _called(steps)
    _former.extend(called.values())
    made: dict[int, CodeType] = {}
    for each in gc.get_objects():
        if type(each) is FunctionType and id(each.__code__) in called:
            old = each.__code__
            each.__code__ = made[id(old)] if id(old) in made else made.setdefault(id(old), _anew(old, called))


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
    """With the code of functions that it makes itself, where they were called."""
    inner = (each.replace() if type(each) is CodeType and id(each) in called else each for each in code.co_consts)
    return code.replace(co_consts=tuple(inner))
