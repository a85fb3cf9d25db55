"""Plain attribute access from the facades must reach no module, frame, loop or evaluator, however long the way."""

from __future__ import annotations

import asyncio
import builtins
import os
import types
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import names
from sandbox.guards import Guards
from sandbox.modules import Imports, available, preload
from sandbox.own import Own
from sandbox.run import Run

FORBIDDEN_TYPES = (
    *(types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.CellType),
    *(AbstractEventLoop, Guards, Own, Run),
)
FORBIDDEN = (eval, exec, compile, open, __import__, globals, locals, vars, type, os.system, builtins.breakpoint)
DEEPEST = 5


def plain_attributes(value: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(value):
        if names.is_plain(name):
            try:
                yield name, getattr(value, name)
            except Exception:
                continue


@pytest.fixture(autouse=True)
def own_loop() -> Iterator[None]:
    """A future that is made without a running loop asks for the thread's: this one, which is closed afterwards."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def made_from(cls: type) -> Iterator[Any]:
    """An instance, where the class gives one without arguments or with simple ones."""
    for arguments in ((), ("1",), (1,), ({},), (lambda: 0,)):
        try:
            yield cls(*arguments)
        except Exception:
            continue
        return


def crawl(root: Any, path: str) -> list[str]:
    seen: set[int] = set()
    alive: list[Any] = []
    found: list[str] = []
    queue = [(root, path, 0)]
    while queue:
        value, where, depth = queue.pop()
        if id(value) in seen or type(value) in (str, int, float, bool, bytes, type(None)):
            continue
        seen.add(id(value))
        alive.append(value)
        if isinstance(value, FORBIDDEN_TYPES) or any(value is each for each in FORBIDDEN):
            found.append(f"{where} is {value!r:.80}")
            continue
        if depth >= DEEPEST:
            continue
        queue += [(each, f"{where}.{name}", depth + 1) for name, each in plain_attributes(value)]
        if isinstance(value, type):
            queue += [(each, f"{where}()", depth + 1) for each in made_from(value)]
    return found


@pytest.mark.parametrize("module", available())
def test_plain_attributes_lead_nowhere(module: str) -> None:
    preload()
    run = Run(lambda text: None)
    run.globals["__builtins__"] = {}
    assert crawl(Imports(run).module(module), module) == []


def test_the_crawler_finds_what_a_real_module_exposes() -> None:
    import random

    assert crawl(types.SimpleNamespace(hidden=types.SimpleNamespace(random=random)), "x")
