"""Runs snippets in real confined children, watched from inside by an audit hook and from outside by the worker.

A program of its own, so that all processes below it are the sandbox's. Argument: a folder, and optionally "none" for a
sandbox without confinement. Each line of standard input is a case as JSON: {"code", "limits"}; each line of standard
output says how it ended, what was told from inside, what differed outside, and whether the next snippet worked.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
from pathlib import Path
from typing import Any

from outside_view import Outside, View

from sandbox import Sandbox, SandboxLimits, Snippet

ENTRY = Path(__file__).with_name("audited_entry.py")
CHILDREN = 2
_SUBREAPER = 36
_TOLD = re.compile("\x1e(.*?)\x1f")  # what audited_entry.py puts into the output


class Watch:
    """A sandbox, and the view from outside as of the last look."""

    def __init__(self, folder: Path, *, confined: bool) -> None:
        # Without confinement something may stay that never settles; with it, it is only a matter of time.
        self._outside = Outside(folder, CHILDREN, 30.0 if confined else 2.0)
        self._sandbox = Sandbox(
            children=CHILDREN,
            burst_children=CHILDREN,  # or a run that came too soon would have more of them wait for a minute
            isolation="required" if confined else "none",
            _entry=ENTRY,
        )
        self._seen: View = self._outside.look()

    def run(self, case: dict[str, Any]) -> dict[str, Any]:
        """One case and what was seen of it."""
        limits = SandboxLimits(**{"execution_seconds": 10.0, **case.get("limits", {})})
        facts = json.dumps({"facts": {"folder": str(self._outside.folder), "port": self._outside.port}})
        heard, following = [], []
        outcome = self._sandbox.run(
            Snippet(code=case["code"], limits=limits, inputs=facts),
            lambda method, arguments: None,
            on_output=heard.append,
        )
        after = self._sandbox.run(Snippet(code="1 + 1"), lambda method, arguments: None, on_output=following.append)
        before, self._seen = self._seen, self._outside.look()
        return {
            "status": outcome.status,
            "error": outcome.error,
            "value": outcome.value_json,
            "seconds": outcome.duration_seconds,
            "told": [json.loads(text) for text in _TOLD.findall("".join(heard))],
            "changed": before.differences(self._seen),
            "next": [after.value_json, *following],
        }

    def close(self) -> None:
        """End every process."""
        self._sandbox.close()


def main() -> None:
    """Answer line for line."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)  # a process that lost its parent becomes ours, and is seen
    watch = Watch(Path(sys.argv[1]), confined=sys.argv[2:] != ["none"])
    for line in sys.stdin:
        print(json.dumps(watch.run(json.loads(line))), flush=True)
    watch.close()


if __name__ == "__main__":
    main()
