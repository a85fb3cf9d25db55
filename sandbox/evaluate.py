"""Runs a compiled snippet and finds its value."""

from __future__ import annotations

import sys
from typing import Any

from sandbox import loop, report
from sandbox.compile import ENTRY, VALUE, Compiled


def evaluate(compiled: Compiled, namespace: dict[str, Any]) -> Any:
    """Run a snippet in its namespace and answer its value.

    In this order: a top-level `return` (final, also when None), the last expression if it is not None, a variable
    `result`, None. A coroutine that was made but not awaited is run: the model forgot an `await`.
    Raises whatever the snippet raises.
    """
    report.remember_source(compiled.source)
    depth = sys.getrecursionlimit()
    namespace.pop(VALUE, None)
    try:
        exec(compiled.code, namespace)  # noqa: S102 - defines one function: the policy has seen every node of it
        entry = namespace.pop(ENTRY)
        returned = loop.run(entry()) if compiled.needs_loop else entry()
        value = _value(returned, namespace)
        return loop.run(value) if loop.is_coroutine(value) else value
    finally:
        sys.setrecursionlimit(depth)


def _value(returned: tuple[Any] | None, namespace: dict[str, Any]) -> Any:
    if returned is not None:
        return returned[0]
    last = namespace.pop(VALUE, None)
    return last if last is not None else namespace.get("result")
