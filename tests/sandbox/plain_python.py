"""Runs snippets in plain CPython, each in a fork of its own: the yardstick of test_model_snippets.

Reads a JSON list of snippets and writes a JSON list of ``[printed, result or None, failure or None]``. A snippet's
value is its last expression if that is not None, else its variable ``result``, as in the sandbox.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import json
import os
import sys
import traceback
import warnings
from types import CodeType, ModuleType
from typing import Any

from sandbox.serialize import to_json


def compiled(code: str) -> tuple[CodeType, CodeType | None]:
    """The snippet, and its last expression apart."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    body = compile(tree, "<plain>", "exec", flags, dont_inherit=True)
    if last is None:
        return body, None
    # Under `from __future__ import annotations` the expression has no annotations of its own: no flag to carry over.
    return body, compile(ast.Expression(last.value), "<plain>", "eval", flags, dont_inherit=True)


def step(code: CodeType, names: dict[str, Any]) -> Any:
    value = eval(code, names)
    return asyncio.run(value) if asyncio.iscoroutine(value) else value


def outcome(code: str) -> tuple[str, str | None, str | None]:
    """What the snippet printed (both streams, in order), its value as JSON, and how it failed."""
    printed = io.StringIO()
    sys.modules["__main__"] = module = ModuleType("__main__")  # where the library looks for a class's own module
    names = vars(module)
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
            # What a newer Python finds old or odd, as 3.13 does a date without its year, no snippet is told.
            for text in ("Parsing dates", "'asyncio.iscoroutinefunction'", "'return' in a 'finally'"):
                warnings.filterwarnings("ignore", text)
            body, last = compiled(code)
            step(body, names)
            value = step(last, names) if last else None
        return printed.getvalue(), to_json(names.get("result") if value is None else value, 1 << 20)[0], None
    except BaseException:
        return printed.getvalue(), None, traceback.format_exc(limit=-1)


def forked(code: str) -> list[str | None]:
    """The outcome of the snippet in a process of its own, so that none sees what another changed."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        with os.fdopen(writer, "w") as pipe:
            json.dump(outcome(code), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return list(json.loads(text))


if __name__ == "__main__":
    json.dump([forked(code) for code in json.load(sys.stdin)], sys.stdout)
