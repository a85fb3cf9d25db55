"""One worker process as the front holds it: started, asked whether it is alive, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import msgspec

from codemode.cluster.exchange import NAME
from codemode.cluster.forward import Answer, ConnectionGone, Connections
from codemode.errors import WorkerUnavailable, error_of
from codemode.settings import Settings

START_SECONDS = 60.0  # an interpreter and its sandbox start within a second or two; a loaded machine may take many
# The path is told, not taken from the working directory: whoever starts the service may stand in anybody's folder.
_BOOT = "import sys; sys.path[:] = sys.argv[1:]; from codemode.cluster.behind import main; main()"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker process is told when it starts."""

    names: tuple[str, ...]  # of all workers, for placement; which of them it is, it is told when it is needed
    path: str  # of its socket
    front: int  # the process that it must not outlive
    open_to_all: bool | None
    settings: Settings


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker process answers: the layers that confine its snippets, or why it cannot serve."""

    isolation: tuple[str, ...] = ()
    code: str | None = None
    message: str = ""
    hint: str | None = None


class WorkerProcess:
    """One process that listens on a socket of its own."""

    def __init__(self, process: asyncio.subprocess.Process, path: str, isolation: tuple[str, ...]) -> None:
        self.connections = Connections(path)
        self.isolation = isolation
        self._name = ""
        self._process, self._path = process, path
        self.exited = asyncio.ensure_future(process.wait())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def serve_as(self, name: str, seconds: float) -> bool:
        """Tell it which worker it is; whether it has heard that in this time."""
        self._name = name
        return await self.answers(seconds)

    async def answers(self, seconds: float) -> bool:
        """Whether its event loop answers a ping in that time."""
        ping = b"GET /health HTTP/1.1\r\nhost: localhost\r\n%s: %s\r\n\r\n" % (NAME, self._name.encode())
        try:
            async with asyncio.timeout(seconds):
                return (await self.ask(ping)).status == 200
        except (OSError, ConnectionGone, TimeoutError):
            return False

    async def ask(self, request: bytes) -> Answer:
        """Its answer to a whole request; raises OSError where it cannot be reached, and ConnectionGone."""
        connection = await self.connections.take()
        try:
            return await connection.ask(request)
        finally:
            self.connections.give_back(connection)

    def leave(self) -> None:
        """Tell it to end; told a second time, it waits for nothing any more."""
        self._signal(signal.SIGTERM)

    async def end(self, seconds: float) -> None:
        """Have it finish what it does within `seconds`, and end it in any case."""
        self.leave()
        await asyncio.wait([self.exited], timeout=seconds)
        await self.kill()

    async def kill(self) -> None:
        """End it now; what it had not committed is undone when its sessions are opened again."""
        self._signal(signal.SIGKILL)
        await asyncio.wait([self.exited])  # until then it may hold the locks of sessions
        self.forget()

    def forget(self) -> None:
        """Give back what is left of it when it has ended."""
        self.connections.close()
        Path(self._path).unlink(missing_ok=True)

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self.exited.result()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


async def launch(setup: Setup) -> WorkerProcess:
    """Start a worker process and wait until it serves; raises the CodemodeError that keeps it from that."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", _BOOT, *(str(Path(path).absolute()) for path in sys.path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C in the terminal is for the front, which tells the workers
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            process.stdin.write(msgspec.json.encode(setup) + b"\n")
            process.stdin.close()
            started = parsed(await process.stdout.readline())
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise WorkerUnavailable(f"a worker did not start within {START_SECONDS:g} s") from None
        raise
    return WorkerProcess(process, setup.path, started.isolation)


def parsed(line: bytes) -> Started:
    """What a worker process answers; raises the error that keeps it from serving, of the class that it had there."""
    try:
        started = msgspec.json.decode(line, type=Started)
    except msgspec.DecodeError:
        raise WorkerUnavailable(
            "a worker ended while it started", hint="what it wrote to standard error says why"
        ) from None
    if started.code is not None:
        raise (error_of(started.code) or WorkerUnavailable)(started.message, hint=started.hint)
    return started
