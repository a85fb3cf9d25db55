"""Functions of the host that a snippet may call: plain values in, plain values out, and only the host's message."""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from codemode.asked import text_of_plain
from codemode.errors import HostFunctionFailed, RequestInvalid
from codemode.patterns import pattern
from sandbox.limits import SandboxLimits
from sandbox.protocol import FRAME_CONTAINERS, FRAME_ITEMS

if TYPE_CHECKING:
    import asyncio

HostFunction = Callable[..., Any]
_AROUND = 64  # bytes of a frame beside the answer that it carries
_TEXT = pattern(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class HostFunctions:
    """Calls the host's functions by name; `loop` is where asynchronous ones run, else a loop of their own.

    One answers at most what a frame of `frame_bytes` carries.
    """

    def __init__(
        self,
        functions: Mapping[str, HostFunction] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        frame_bytes: int = SandboxLimits().frame_bytes,
    ) -> None:
        if functions and not isinstance(functions, Mapping):
            raise RequestInvalid(f"functions must be a dict of name → function, not {type(functions).__name__}")
        self._functions = dict(functions or {})
        self._loop = loop
        self._most = frame_bytes - _AROUND
        self._lock = threading.Lock()
        self._waiting: Future[Any] | None = None
        self._given_up = False
        for name, function in self._functions.items():
            if not (type(name) is str and name.isidentifier() and not name.startswith("_")):
                raise RequestInvalid(f"functions: {name!r} is not a name that a snippet can call")
            if not callable(function):
                raise RequestInvalid(f"functions: {name} is not callable")

    @property
    def names(self) -> tuple[str, ...]:
        """What snippets may call as helpers.host.NAME."""
        return tuple(self._functions)

    def __call__(self, name: str, text: str) -> str:
        """Call `name` with the JSON `text` of {"args", "kwargs"} and return its result as JSON."""
        function = self._functions.get(name)
        if function is None:
            raise RequestInvalid(f"the host has no function {name[:80]!r}", available=self.names)
        args, kwargs = _arguments(name, text)
        try:
            result = function(*args, **kwargs)
            if inspect.isawaitable(result):
                result = self._wait(result)
        except Exception as error:
            raise HostFunctionFailed(f"{name}: {_words(error)}") from error
        try:
            answer = None if _has_more_than(self._most, result) else text_of_plain(result, _plain)
        except (TypeError, ValueError, RecursionError) as error:
            raise HostFunctionFailed(
                f"{name}: its result is not plain data: {error}",
                hint="the host must answer None, text, numbers, lists or dicts",
            ) from None
        if answer is None or len(answer) > self._most:
            raise HostFunctionFailed(
                f"{name}: its result takes more than {self._most:,} bytes as JSON, the most that one call answers",
                hint="let it answer in pages, and insert them one after another",
            )
        return answer

    def _wait(self, awaitable: Any) -> Any:
        async def waiting() -> Any:
            return await awaitable

        import asyncio

        if self._loop is None:
            return asyncio.run(waiting())
        future = asyncio.run_coroutine_threadsafe(waiting(), self._loop)
        with self._lock:  # `give_up` comes from the loop's thread: before this it leaves word, then finds it
            self._waiting = future
            if self._given_up:
                future.cancel()
        return future.result()

    def give_up(self) -> None:
        """Cancel the asynchronous function that is awaited, and any later one: nobody waits for their results."""
        with self._lock:
            self._given_up = True
            if self._waiting is not None:
                self._waiting.cancel()


def _holds_too_much(text: str) -> bool:
    """Whether JSON text holds more values than a frame may: 20 MB of empty lists would be 600 MB of objects."""
    if len(text) <= FRAME_CONTAINERS:
        return False
    for counted in (text, _TEXT.sub("", text)):  # the brackets and commas inside of texts are no values
        containers, items = counted.count("[") + counted.count("{"), counted.count(",")
        if containers <= FRAME_CONTAINERS and items <= FRAME_ITEMS:
            return False
    return True


def _arguments(name: str, text: str) -> tuple[list[Any], dict[str, Any]]:
    if _holds_too_much(text):
        raise RequestInvalid(
            f"host.{name}: more than {FRAME_CONTAINERS:,} lists and dicts or {FRAME_ITEMS:,} values are too many",
            hint="pass them in several calls, or put them into a table and pass its name",
        )
    try:
        data = json.loads(text)
        args, kwargs = data["args"], data["kwargs"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise RequestInvalid(f"host.{name}: arguments cannot be read") from None
    if type(args) is not list or type(kwargs) is not dict:
        raise RequestInvalid(f"host.{name}: arguments cannot be read")
    return args, kwargs


def _has_more_than(most: int, value: object) -> bool:
    """Whether `value` has more characters and items: to write it as JSON first would be several copies of it."""
    waiting = [value]
    while waiting and most >= 0:
        item = waiting.pop()
        if isinstance(item, str):
            most -= len(item)
        elif isinstance(item, (list, tuple, set, frozenset)):
            most -= len(item)
            waiting.extend(item)
        elif isinstance(item, dict):
            most -= len(item)
            waiting.extend(item)
            waiting.extend(item.values())
    return most < 0


def _plain(value: object) -> Any:
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if hasattr(value, "isoformat") and value == value:  # NaT, a datetime of pandas, is none
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__}")


def _words(error: Exception) -> str:
    """What `error` says of itself, or its class where it says nothing, or cannot."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - a __str__ of the host's own
        return type(error).__name__
