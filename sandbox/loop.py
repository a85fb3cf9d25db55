"""Coroutines without a single blocked system call: an event loop that waits by sleeping, and the `asyncio` of snippets.

The library's tasks, locks and queues do the work, so cancellation and timeouts mean what they mean everywhere; its
loop is replaced by one without selector, sockets, threads or signals, because a confined child has none.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from asyncio import base_events, events, tasks
from collections.abc import Callable, Coroutine, Generator
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.run import Run


class _Sleeper:
    """Stands where a loop has its selector: nothing can happen but the passing of time."""

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("every coroutine is waiting for another: nothing can go on")
        if timeout > 0:
            time.sleep(timeout)
        return []


class SnippetLoop(base_events.BaseEventLoop):
    """An event loop that runs tasks and timers."""

    def __init__(self) -> None:
        super().__init__()
        self._hash = int.from_bytes(os.urandom(7))
        self._selector = _Sleeper()
        self.set_exception_handler(lambda loop, context: None)  # a task nobody awaited; stderr is not ours

    def __hash__(self) -> int:
        """None that an object of a snippet could have: asyncio looks tasks up by any object, which is then compared."""
        return self._hash

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass  # wakes a loop that waits in another thread: an async generator that was left open asks for it


def run(awaitable: Any) -> Any:
    """Run a coroutine to its end, also while another loop is running: `asyncio.run` inside a top level that awaits."""
    outer = events._get_running_loop()
    task = asyncio.current_task(outer) if outer is not None else None
    loop = SnippetLoop()
    if task is not None:  # since Python 3.14 a thread runs one task at a time, whatever the loop
        tasks._leave_task(outer, task)  # type: ignore[arg-type]
    events._set_running_loop(None)
    try:
        try:
            return loop.run_until_complete(_as_coroutine(awaitable))
        finally:
            _cancel_rest(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
        events._set_running_loop(outer)
        if task is not None:
            tasks._enter_task(outer, task)  # type: ignore[arg-type]


def _cancel_rest(loop: SnippetLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


async def _as_coroutine(awaitable: Any) -> Any:
    return await ready(awaitable)


class Ready:
    """What `await` gets for a value that is not awaitable: the value itself."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()  # makes this a generator, which is what __await__ must give
        return self._value


def ready(value: Any) -> Any:
    """The operand of every `await`: awaitable values as they are, others wrapped."""
    kind = type(value)
    if kind is CoroutineType or hasattr(kind, "__await__") or (kind is GeneratorType and inspect.isawaitable(value)):
        return value
    return Ready(value)


def is_coroutine(value: Any) -> bool:
    """Tell a coroutine that was made and not awaited."""
    return type(value) is CoroutineType


class LoopFacade:
    """What `asyncio.get_event_loop()` gives: the few methods that programs call, and no loop behind them."""

    def run_until_complete(self, awaitable: Any) -> Any:
        """Run to the end."""
        return run(awaitable)

    def create_task(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Start a task on the running loop; before there is one, hand the coroutine back to be run later."""
        return asyncio.ensure_future(coroutine) if self.is_running() else coroutine

    def create_future(self) -> Any:
        """A future of the running loop."""
        return events.get_running_loop().create_future()

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call soon, from the running loop."""
        events.get_running_loop().call_soon(callback, *args)

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        """Call later, from the running loop."""
        events.get_running_loop().call_later(delay, callback, *args)

    def time(self) -> float:
        """The loop's clock."""
        return time.monotonic()

    def is_running(self) -> bool:
        """Whether a loop is running."""
        return _running()

    def is_closed(self) -> bool:
        """Never, from here."""
        return False

    def close(self) -> None:
        """Nothing to close."""

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> Any:
        """Call the function from the running loop: there are no threads, and so no executors."""
        call = _to_thread(function, *args)
        return asyncio.ensure_future(call) if self.is_running() else call


def _running() -> bool:
    return events._get_running_loop() is not None


def _accepting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of one awaitable take a plain value too, as `await` does; without a loop it waits for one.

    Old programs call `loop.run_until_complete(asyncio.gather(…))`: the library would make a loop of its own there.
    """

    async def later(awaitable: Any, *args: Any, **keywords: Any) -> Any:
        return await function(ready(awaitable), *args, **keywords)

    def accept(awaitable: Any, *args: Any, **keywords: Any) -> Any:
        return function(ready(awaitable), *args, **keywords) if _running() else later(awaitable, *args, **keywords)

    accept.__name__ = accept.__qualname__ = function.__name__
    return accept


def _gather(*awaitables: Any, return_exceptions: bool = False) -> Any:
    async def later() -> Any:
        return await _gather(*awaitables, return_exceptions=return_exceptions)

    return asyncio.gather(*map(ready, awaitables), return_exceptions=return_exceptions) if _running() else later()


async def _wait(awaitables: Any, **options: Any) -> Any:
    return await asyncio.wait([asyncio.ensure_future(ready(each)) for each in awaitables], **options)


def _create_task(awaitable: Any, **options: Any) -> Any:
    made = ready(awaitable)
    return asyncio.create_task(made if is_coroutine(made) else _as_coroutine(made), **options)


async def _to_thread(function: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    """`asyncio.to_thread` without threads: the same answer, in the same order as without it."""
    await asyncio.sleep(0)
    return function(*args, **keywords)


_SAME = (
    "ALL_COMPLETED Barrier BoundedSemaphore CancelledError Condition Event FIRST_COMPLETED FIRST_EXCEPTION Future "
    "InvalidStateError LifoQueue Lock PriorityQueue Queue QueueEmpty QueueFull QueueShutDown Semaphore Task TaskGroup "
    "TimeoutError all_tasks as_completed current_task iscoroutine "
    "iscoroutinefunction isfuture sleep timeout timeout_at"
)


def asyncio_contents(run_: Run) -> dict[str, Any]:
    """`asyncio` for snippets."""
    found: dict[str, Any] = {name: getattr(asyncio, name) for name in _SAME.split() if hasattr(asyncio, name)}
    loop = LoopFacade()

    def get_running_loop() -> LoopFacade:
        if not loop.is_running():
            raise RuntimeError("no running event loop")
        return loop

    for function in (asyncio.ensure_future, asyncio.shield, asyncio.wait_for):
        found[function.__name__] = _accepting(function)
    found.update(
        gather=_gather,
        wait=_wait,
        create_task=_create_task,
        run=lambda main, *, debug=None: run(main),
        get_event_loop=lambda: loop,
        get_running_loop=get_running_loop,
        new_event_loop=lambda: loop,
        set_event_loop=lambda given: None,
        to_thread=_to_thread,
    )
    return found
