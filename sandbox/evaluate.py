"""Runs a compiled snippet and finds its value."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import NoneType
from typing import Any

from sandbox import loop, report
from sandbox.compile import ENTRY, VALUE, Compiled
from sandbox.hooks import ALLOWED, allowed

NOTHING = object()


def evaluate(compiled: Compiled, namespace: dict[str, Any], earlier: Any = NOTHING) -> Any:
    """Run a snippet in its namespace and answer its value.

    In this order: a top-level `return` (final, also when None), the last expression if it is not None, a variable
    `result`, None. A coroutine that was made but not awaited is run: the model forgot an `await`. `sys.exit()` with
    status None or 0 ends a snippet as its last line does. `earlier` is the variable `result` that was there before the
    snippet, and no value of it.
    Raises whatever the snippet raises.
    """
    report.remember_source(compiled.source, compiled.filename)
    builtins = namespace["__builtins__"]
    for name in compiled.private:
        builtins.setdefault(allowed(name), builtins[ALLOWED][name])
    depth = sys.getrecursionlimit()
    namespace.pop(VALUE, None)
    try:
        exec(compiled.code, namespace)  # noqa: S102 - defines one function: the policy has seen every node of it
        returned = _returned(namespace.pop(ENTRY), needs_loop=compiled.needs_loop)
        value = _value(returned, namespace, NOTHING if "result" in compiled.bound else earlier)
        return loop.run(value) if loop.is_coroutine(value) else value
    finally:
        sys.setrecursionlimit(depth)


def _returned(entry: Callable[[], Any], *, needs_loop: bool) -> tuple[Any] | None:
    """What the top level returned; leaving with status 0, as scripts end by habit, is ending well without a return."""
    try:
        returned: tuple[Any] | None = loop.run(entry()) if needs_loop else entry()
    except SystemExit as left:
        if type(left) is SystemExit and type(left.code) in (int, NoneType) and not left.code:
            return None
        raise
    return returned


def _value(returned: tuple[Any] | None, namespace: dict[str, Any], earlier: Any) -> Any:
    if returned is not None:
        return returned[0]
    last = namespace.pop(VALUE, None)
    if last is not None:
        return last
    found = namespace.get("result")
    return None if found is earlier else found
