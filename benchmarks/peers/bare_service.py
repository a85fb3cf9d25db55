"""What a service costs at the least: uvicorn and Starlette around one route that runs the snippet in a thread.

It knows no token, no tenant, no quota and no audit log, bounds nothing that a client sends, and writes no line of what
it did. `python -m benchmarks.peers.bare_service DATA_DIR` serves on a free port and says which.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers.service import Connection, connected
from codemode import Worker

NAME = "bare Starlette"


@contextmanager
def connections(count: int, code: str) -> Iterator[list[Connection]]:
    """The same connections as those of `benchmarks.peers.service`, to a new bare service."""
    with (
        tempfile.TemporaryDirectory(prefix="codemode-bench-") as folder,
        _serving(Path(folder) / "data") as address,
        connected(address, "nobody asks", count, code) as made,
    ):
        yield made


@contextmanager
def _serving(data: Path) -> Iterator[str]:
    command = [sys.executable, "-m", __name__, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            port = service.stdout.readline().strip()
            if not port:
                raise AssertionError("the bare service did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            service.terminate()
            service.wait(60)


def _application(worker: Worker) -> Starlette:
    async def execute(request: Request) -> Response:
        code = msgspec.json.decode(await request.body())["code"]
        session = worker.session(request.path_params["id"])
        return Response(msgspec.json.encode(await asyncio.to_thread(session.run, code)), media_type="application/json")

    return Starlette(routes=[Route("/v1/sessions/{id}/execute", execute, methods=["POST"])])


def main(data: str) -> None:
    """Serve until SIGTERM."""
    with Worker(data) as worker, socket.create_server(("127.0.0.1", 0)) as listener:
        assert worker.isolation  # the sandbox is warm before anybody asks
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(_application(worker), log_config=None, access_log=False, http="httptools")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
