"""Library functions made strict, where they would act on a snippet's word.

Applied once to the process that runs snippets; each change only refuses what no ordinary program does.
"""

from __future__ import annotations

import copy
import dataclasses
import enum
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sandbox import copying
from sandbox.names import is_dunder

_done: list[bool] = []


def harden() -> None:
    """Apply all of it; a second call does nothing."""
    if not _done:
        _harden_copy()
        # asdict and astuple copy what a snippet put into a field.
        dataclasses.copy = SimpleNamespace(copy=copying.shallow, deepcopy=copying.deep)  # type: ignore[attr-defined]
        _harden_enum()
        _done.append(True)


def _harden_copy() -> None:
    """Let copying fill only an object of the copied type.

    For library code that copies by itself (UserDict.copy); snippets get copying.py. An instance can carry a
    `__reduce_ex__` in its `__dict__`, or return anything from `__new__`; the library would then set attributes, by
    any name, of whatever object that gives: a way around the write guard.
    """
    real: Callable[..., Any] = copy._reconstruct  # type: ignore[attr-defined]

    def reconstruct(x: Any, memo: Any, func: Any, args: Any, state: Any = None, *rest: Any, **options: Any) -> Any:
        def make(*arguments: Any) -> Any:
            made = func(*arguments)
            if state is not None and type(made) is not type(x):
                raise copy.Error(f"cannot copy {type(x).__name__!r}: its copy would be a {type(made).__name__!r}")
            return made

        return real(x, memo, make, args, state, *rest, **options)

    copy._reconstruct = reconstruct  # type: ignore[attr-defined]


def _harden_enum() -> None:
    """`Enum("Name", {...})` puts its keys into a class namespace: refuse what a class body could not hold."""
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
        return real(cls, class_name, members, *args, **options)

    enum.EnumType._create_ = create  # type: ignore[attr-defined]
