"""Runs the battery in confined children of one sandbox and prints what came of each item, as JSON.

A program of its own, so that it can run as another user. Arguments: the facts as JSON, the layers to leave out.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from breach_battery import BATTERY

from sandbox import RunOutcome, Sandbox, SandboxLimits, Snippet


def told(outcome: RunOutcome) -> dict[str, Any]:
    """One outcome, as plain data."""
    return {"status": outcome.status, "value": outcome.value_json, "error": outcome.error}


def main() -> None:
    """Run everything."""
    facts, without = json.loads(sys.argv[1]), [name for name in sys.argv[2].split(",") if name]
    facts["worker"] = os.getpid()
    os.environ["BREACH_SECRET"] = "hunter2"
    limits = SandboxLimits(execution_seconds=10)
    sandbox = Sandbox(limits, without=without, _entry=Path(__file__).with_name("unrestricted.py"))
    given = json.dumps(facts)
    told_of = {
        attack.name: told(sandbox.run(Snippet(code=attack.code, inputs=given), lambda method, arguments: None))
        for attack in BATTERY
    }
    print(json.dumps({"uid": os.geteuid(), "layers": list(sandbox.isolation), "outcomes": told_of}))
    sandbox.close()


if __name__ == "__main__":
    main()
