"""Library functions made strict, where they would act on a snippet's word.

Applied once to the process that runs snippets; each change only refuses what no ordinary program does.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Callable
from typing import Any

from sandbox import names

_done: list[bool] = []


def harden() -> None:
    """Apply all of it; a second call does nothing."""
    if not _done:
        _harden_copy()
        _harden_enum()
        _done.append(True)


def _harden_copy() -> None:
    """Let copying fill only an object of the copied type.

    An instance can carry a `__reduce_ex__` of its own in its `__dict__`, or return anything from `__new__`; the
    library would then set attributes, by any name, of whatever object that gives: a way around the write guard.
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

    def create(cls: Any, class_name: str, names_given: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(names_given, str):
            names_given = list(names_given.items() if isinstance(names_given, dict) else names_given)
            for each in names_given:
                name = each if isinstance(each, str) else each[0]
                if type(name) is not str or names.is_dunder(name):
                    raise ValueError(f"{name!r} cannot be the name of a member")
        elif any(map(names.is_dunder, names_given.replace(",", " ").split())):
            raise ValueError("a member's name cannot have double underscores on both sides")
        return real(cls, class_name, names_given, *args, **options)

    enum.EnumType._create_ = create  # type: ignore[attr-defined]
