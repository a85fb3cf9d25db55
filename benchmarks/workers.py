"""What several workers give and what the front costs: `python -m benchmarks.workers [--seconds 5]`.

Throughput: trivial executions over 8 sessions, with one worker process (no front) and with two. Latency: the same
request to one worker straight to its socket, and through the front, in turns; the ratio of the medians is what counts,
since both were taken in the same seconds. The front's client: what one small request costs with it and with httpx2.
Replacement: how long a session waits whose worker is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx2

from benchmarks.load.serving import serving
from codemode.cluster.forward import Connection, ConnectionGone, Connections
from codemode.session.files import SessionFiles

SESSIONS = 8
PING = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Service(NamedTuple):
    """A service that listens at `host` and `port`, and the directories of its data and its workers' sockets."""

    host: str
    port: int
    data: Path
    sockets: Path


@contextlib.contextmanager
def served(workers: int) -> Iterator[Service]:
    """A service of so many workers."""
    with tempfile.TemporaryDirectory() as name:
        folder, sockets = Path(name), Path(name, "sockets")
        sockets.mkdir()
        options = {"TMPDIR": str(sockets), "CODEMODE_LOG_LEVEL": "warning"}
        with serving(folder, "--workers", str(workers), **options) as (address, _):
            host, _, port = address.removeprefix("http://").rpartition(":")
            yield Service(host, int(port), folder / "data", sockets)


def posted(path: str, body: object) -> bytes:
    """A request with a JSON body."""
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
    return head.encode() + b"\r\n\r\n" + text


def execute(session: int) -> bytes:
    """A trivial execution."""
    return posted(f"/v1/sessions/bench-{session}/execute", {"code": "return 1"})


@contextlib.asynccontextmanager
async def connected(service: Service) -> AsyncIterator[Connection]:
    """One kept connection."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, service.host, service.port)
    try:
        yield connection
    finally:
        connection.close()


async def ask(connection: Connection, request: bytes) -> None:
    """Send a request, and fail unless it went well."""
    answer = await connection.ask(request)
    assert answer.status < 300, answer.body
    connection.rest()


async def throughput(service: Service, seconds: float) -> float:
    """Executions a second of 8 clients, each in a session of its own."""
    until = 0.0

    async def client(session: int) -> int:
        done = 0
        async with connected(service) as connection:
            await ask(connection, posted("/v1/sessions", {"id": f"bench-{session}"}))
            await ask(connection, execute(session))
            await ready.wait()
            while time.monotonic() < until:
                await ask(connection, execute(session))
                done += 1
        return done

    ready = asyncio.Barrier(SESSIONS + 1)
    clients = [asyncio.ensure_future(client(session)) for session in range(SESSIONS)]
    until = time.monotonic() + seconds + 1_000
    await ready.wait()
    until = time.monotonic() + seconds
    return sum(await asyncio.gather(*clients)) / seconds


async def medians(seconds: float, *calls: Callable[[], Awaitable[object]]) -> list[float]:
    """The median of each call in milliseconds, the calls taken in turns."""
    took: list[list[float]] = [[] for _ in calls]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for call, times in zip(calls, took, strict=True):
            began = time.perf_counter()
            await call()
            times.append((time.perf_counter() - began) * 1000)
    return [statistics.median(times) for times in took]


async def latency(service: Service, seconds: float) -> None:
    """Print what the front adds to a small request and to a trivial execution, and what its client takes."""
    [directory] = service.sockets.glob("codemode-workers-*")
    first = str(min(directory.iterdir()))
    direct = await Connections(first).take()
    transport = httpx2.AsyncHTTPTransport(uds=first)
    async with connected(service) as through, httpx2.AsyncClient(transport=transport) as library:
        await ask(direct, posted("/v1/sessions", {"id": "bench-0"}))
        look = b"GET /v1/sessions/bench-0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for name, request in (("look at a session", look), ("trivial execution", execute(0))):
            alone, fronted = await medians(seconds, partial(ask, direct, request), partial(ask, through, request))
            print(f"{name}: p50 {alone:.2f} ms to the worker, {fronted:.2f} ms by the front: ×{fronted / alone:.2f}")
        own, other = await medians(seconds, lambda: ask(direct, PING), lambda: library.get("http://worker/health"))
        print(f"client of the front: p50 {own:.3f} ms, httpx2 {other:.3f} ms: ×{other / own:.1f}")
        direct.close()


async def spare_is_ready(service: Service) -> None:
    """Wait until there are two workers and a spare that serve."""
    while True:
        with contextlib.suppress(OSError, ConnectionGone):
            paths = [str(path) for path in service.sockets.glob("codemode-workers-*/*")]
            for connection in [await Connections(path).take() for path in paths]:
                await ask(connection, PING)
                connection.close()
            if len(paths) == 3:
                return
        await asyncio.sleep(0.1)


async def replacement(service: Service) -> float:
    """Seconds from the SIGKILL of a session's worker to the next answer of that session."""
    async with connected(service) as connection:
        await ask(connection, posted("/v1/sessions", {"id": "bench-0"}))
        await ask(connection, execute(0))
        os.kill(int(SessionFiles.of(service.data, "local", "bench-0").lock.read_text()), signal.SIGKILL)
        began = time.monotonic()
        while (answer := await connection.ask(execute(0))).status == 503:  # sent before the front knew of it
            connection.rest()
        assert answer.status == 200, answer.body
        return time.monotonic() - began


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(2):  # in turns: what else the machine does is not charged to one of them
        for workers, found in rates.items():
            with served(workers) as service:
                found.append(await throughput(service, seconds))
    one, two = (statistics.mean(found) for found in rates.values())
    print(
        f"trivial executions over {SESSIONS} sessions: {one:.0f}/s with 1 worker, {two:.0f}/s with 2: ×{two / one:.2f}"
    )
    with served(2) as service:
        await latency(service, seconds)
        await spare_is_ready(service)
        with_spare, without = await replacement(service), await replacement(service)
        print(f"a killed worker's session is answered after {with_spare:.2f} s, without a spare after {without:.2f} s")
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    asyncio.run(main())
