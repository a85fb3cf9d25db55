"""Runs every escape in one process without any other protection, and prints what each reached, as JSON.

Standard input: JSON, title -> code. With the argument "unguarded" the language layer is left out too.
"""

from __future__ import annotations

import json
import sys

from escape_oracle import SECRET, Library, Oracle

from sandbox.builtins import namespace
from sandbox.compile import compile_snippet
from sandbox.evaluate import evaluate
from sandbox.modules import preload


class Helpers:
    """What an escape shows its catch to, with a secret."""

    def __init__(self, oracle: Oracle) -> None:
        self.show = oracle.show
        self.reached = oracle.reached
        self._secret = SECRET


def run(code: str, helpers: Helpers, oracle: Oracle, *, guarded: bool) -> str:
    """Run one escape; how it ended, in words."""
    try:
        if guarded:
            compiled = compile_snippet(code)
            names = namespace(helpers, {}, lambda text: None)
        oracle.watching = True
        if guarded:
            evaluate(compiled, names)
        else:
            exec(compile(code, "<snippet>", "exec"), {"helpers": helpers})
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    finally:
        oracle.watching = False
    return "ran"


def main() -> None:
    """Run every escape of standard input."""
    escapes, guarded = json.load(sys.stdin), sys.argv[1:] != ["unguarded"]
    dumps = json.dumps  # an escape may set another
    told: list[list[str]] = []
    oracle = Oracle(lambda kind, text: told.append([kind, text]))
    preload()
    evaluate(compile_snippet("1"), namespace(Helpers(oracle), {}, lambda text: None))
    library, found = Library(), {}
    for title, code in escapes.items():
        told.clear()
        outcome = run(code, Helpers(oracle), oracle, guarded=guarded)
        found[title] = {"outcome": outcome, "told": list(told)}
    print("\n" + dumps({"found": found, "changed": library.changes()}))


if __name__ == "__main__":
    main()
