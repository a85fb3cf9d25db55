"""A real service on loopback in a process of its own, over a directory, as `codemode serve` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[tuple[str, int]]:
    """Its address and process id; its data are in `folder / "data"`, and what it says in `folder / "log"`."""
    command = [sys.executable, "-m", "codemode", "--data-dir", str(folder / "data"), "--json", "serve", "--port", "0"]
    known = {**os.environ, **environment}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=known) as service,
    ):
        try:
            assert service.stdout is not None
            said = service.stdout.readline()
            if not said:
                raise SystemExit(f"the service did not start:\n{(folder / 'log').read_text()}")
            yield json.loads(said)["result"]["address"], service.pid
        finally:
            service.terminate()
            service.wait(60)
