"""The program that runs snippets in confined children and watches them (confined_escapes.py), as the tests hold it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("confined_escapes.py")
ROOT = PROGRAM.parents[2]


class Confined:
    """One running program; `run` gives it a case and answers what was seen."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._program = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "ESCAPE_SECRET": "canary-secret"},
        )

    def run(self, code: str, **limits: float) -> dict[str, Any]:
        stdin, stdout = self._program.stdin, self._program.stdout
        assert stdin is not None
        assert stdout is not None
        print(json.dumps({"code": code, "limits": limits}), file=stdin, flush=True)
        found: dict[str, Any] = json.loads(stdout.readline())
        return found

    def close(self) -> None:
        self._program.communicate(timeout=60)
