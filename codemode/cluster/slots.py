"""The places of workers: a name stays when the process that has it is replaced, and so do its sessions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

from codemode.cluster.forward import Connection, Connections
from codemode.cluster.processes import Setup, WorkerProcess, launch
from codemode.cluster.sockets import SocketDirectory
from codemode.cluster.spare import Spare
from codemode.errors import CodemodeError, WorkerUnavailable
from codemode.settings import Settings

_log = logging.getLogger("codemode")
_AGAIN_SECONDS = 0.05
_LOOK_SECONDS = 1.0  # between two pings
_SLACK_SECONDS = 15.0  # beyond shutdown_seconds: to undo and answer what was cut off, and to close files
_SETTLE_SECONDS = 0.5  # for requests that were on their way to a worker when another one took over
_YOUNG_SECONDS = 10.0  # a worker that ends before this age makes the next start wait longer
_BACKOFF_SECONDS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class Slot:
    """The place of one worker, and whoever has it now; `keep` looks after it."""

    def __init__(self, name: str, start: Callable[[str], Awaitable[WorkerProcess]], settings: Settings) -> None:
        self.name = name
        self.process: WorkerProcess | None = None
        self._start, self._settings = start, settings
        self._there = asyncio.Event()
        self._starting = asyncio.Lock()
        self._ended = False
        self._early_ends = 0
        self.restarts = -1  # the first process takes nobody's place

    async def fill(self) -> None:
        """Start a process where there is none; raises the CodemodeError that keeps it from serving."""
        async with self._starting:
            if self.process is None:
                self._use(await self._start(self.name))

    def _use(self, process: WorkerProcess) -> None:
        self.restarts += 1
        self.process, self._born = process, asyncio.get_running_loop().time()
        self._there.set()

    async def connected(self) -> tuple[Connections, Connection]:
        """A connection to the process, when there is one again; raises WorkerUnavailable after `queue_seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.limits.queue_seconds):
                while True:
                    await self._there.wait()
                    if self.process is None:
                        break
                    connections = self.process.connections
                    try:
                        return connections, await connections.take()
                    except (ConnectionError, FileNotFoundError, BlockingIOError):  # it has just ended, or it hangs
                        await asyncio.sleep(_AGAIN_SECONDS)
                    except OSError as error:
                        raise WorkerUnavailable(
                            f"no connection to worker {self.name} can be made: {error.strerror}",
                            hint="send it again in a moment; raise the limit of open files of the service",
                        ) from None
        raise WorkerUnavailable(
            "the service is ending and takes nothing new" if self._ended else
            f"worker {self.name} ended and is not replaced yet; nothing was done for this request",
            hint="send it again in a moment",
        )  # fmt: skip

    async def keep(self) -> None:
        """Replace the process whenever it ends or hangs; until cancelled."""
        while True:
            await self._lost()
            while self.process is None:
                await asyncio.sleep(_BACKOFF_SECONDS[min(self._early_ends, len(_BACKOFF_SECONDS) - 1)])
                try:
                    await self.fill()
                except (CodemodeError, OSError) as error:
                    _log.error("worker %s cannot be replaced: %s", self.name, error)
                    self._early_ends += 1

    async def _lost(self) -> None:
        """Wait until the process has ended or does not answer, and make sure that it is dead."""
        while (process := self.process) is not None:
            await asyncio.wait([process.exited], timeout=_LOOK_SECONDS)
            if process is not self.process or await self._is_well(process):
                continue
            if process is self.process:  # not replaced while it was asked
                self.process = None
                self._there.clear()
                hung = not process.exited.done()
                # Its locks on sessions go with it: nothing takes its place before it is dead.
                await process.kill()
                why = "did not answer and was killed" if hung else f"ended with {process.ending}"
                _log.warning("worker %s (process %d) %s; it is replaced", self.name, process.pid, why)
                young = asyncio.get_running_loop().time() - self._born < _YOUNG_SECONDS
                self._early_ends = self._early_ends + 1 if young else 0

    async def _is_well(self, process: WorkerProcess) -> bool:
        # Asked twice: after a machine that stood still for long the first ping's time may be over at once.
        half = self._settings.hang_seconds / 2
        return not process.exited.done() and (await process.answers(half) or await process.answers(half))

    async def restart(self) -> None:
        """Let a new process take over and end the old one; raises what keeps the new one from serving."""
        async with self._starting:
            new = await self._start(self.name)
            old = self.process
            self._use(new)
        if old is not None:
            await asyncio.sleep(_SETTLE_SECONDS)
            await self._retire(old)

    async def end(self) -> None:
        """Have the process finish what it does, and end it."""
        async with self._starting:
            process, self.process = self.process, None
            self._ended = True
            self._there.set()  # whoever waits for a worker is told that none will come
        if process is not None:
            await self._retire(process)

    async def _retire(self, process: WorkerProcess) -> None:
        await process.end(self._settings.shutdown_seconds + _SLACK_SECONDS)


class Slots:
    """All workers of a service."""

    def __init__(self, names: Sequence[str], settings: Settings, *, open_to_all: bool | None) -> None:
        self._names, self._settings, self._open_to_all = tuple(names), settings, open_to_all
        self._sockets: SocketDirectory | None = None
        self._numbers = count()
        self._alive: set[WorkerProcess] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._spare = Spare(self._launch, wanted=settings.spare_worker)
        self.by_name = {name: Slot(name, self._named, settings) for name in names}
        self._turns = count()
        self._restarting: asyncio.Task[None] | None = None

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers that confine the snippets of a worker; they are those of the host, so the same in each."""
        return next((process.isolation for process in self._alive), ())

    async def start(self) -> None:
        """Start every worker; raises the CodemodeError that keeps one from serving, and leaves none behind then."""
        self._sockets = SocketDirectory()
        found = await asyncio.gather(*(slot.fill() for slot in self.by_name.values()), return_exceptions=True)
        for error in found:
            if error is not None:
                await self.end()
                raise error
        self._keepers = [asyncio.ensure_future(slot.keep()) for slot in self.by_name.values()]
        self._spare.make()

    async def _named(self, name: str) -> WorkerProcess:
        process = await self._spare.take(name)
        if self._keepers:  # the service has begun: what its first workers need comes before a spare
            self._spare.make()
        return process

    async def _launch(self) -> WorkerProcess:
        assert self._sockets is not None
        path = f"{self._sockets.path}/{next(self._numbers)}"
        process = await launch(
            Setup(
                names=self._names, path=path, front=os.getpid(),
                open_to_all=self._open_to_all, settings=self._settings,
            )
        )  # fmt: skip
        self._alive.add(process)
        process.exited.add_done_callback(lambda _: self._alive.discard(process))
        return process

    def any(self) -> Slot:
        """A slot whose worker is there, in turns; one that waits for its worker where none is."""
        slots = list(self.by_name.values())
        first = next(self._turns) % len(slots)
        in_turn = slots[first:] + slots[:first]
        return next((slot for slot in in_turn if slot.process is not None), in_turn[0])

    @property
    def ready(self) -> bool:
        """Whether every worker takes requests."""
        return all(slot.process is not None for slot in self.by_name.values())

    def restart(self) -> None:
        """Begin to replace every worker by a new process, one after the other, unless that is under way."""
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.ensure_future(self._restart_each())

    async def _restart_each(self) -> None:
        await self._spare.discard()  # it is as old as they are
        for slot in self.by_name.values():
            try:
                await slot.restart()
            except (CodemodeError, OSError) as error:
                _log.error("worker %s cannot be restarted, the old one goes on: %s", slot.name, error)
                return
        _log.info("all %d workers were restarted", len(self.by_name))

    def hurry(self) -> None:
        """Have the workers that are ending wait for nothing any more; may be called in a signal handler."""
        for process in list(self._alive):
            process.leave()

    async def end(self) -> None:
        """Have all of them finish what they do within `shutdown_seconds`, and end them."""
        looking_after = [*self._keepers, *([self._restarting] if self._restarting else [])]
        for task in looking_after:
            task.cancel()
        await asyncio.gather(*looking_after, return_exceptions=True)
        await asyncio.gather(self._spare.discard(), *(slot.end() for slot in self.by_name.values()))
        await asyncio.gather(*(process.kill() for process in self._alive))  # what was just being started
        if self._sockets is not None:
            self._sockets.remove()
            self._sockets = None
