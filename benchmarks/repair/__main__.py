"""Run the repair benchmark: `python -m benchmarks.repair [--failed] [--json] [KIND …]`; exit code 1 below 90 %."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.leaving import leave_with
from benchmarks.repair.cases import every_case
from benchmarks.repair.run import Result, results

LEAST_SHARE = 0.9


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repair", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only cases of these kinds")
    parser.add_argument("--failed", action="store_true", help="show what was not repaired, and what was tried")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    asked = parser.parse_args()
    done = list(results(case for case in every_case() if not asked.kinds or case.kind in asked.kinds))
    if asked.failed:
        for each in done:
            if not each.right:
                _tell(each)
    rows = table(done)
    if asked.json:
        print(json.dumps(rows))
    else:
        print(f"{'kind':<20}{'cases':>8}{'run':>8}{'share':>9}{'right':>8}{'share':>9}")
        for row in rows:
            print(
                f"{row['kind']:<20}{row['cases']:>8}{row['run']:>8}{row['run'] / row['cases']:>9.1%}"
                f"{row['right']:>8}{row['right'] / row['cases']:>9.1%}"
            )
    return 0 if all(row["run"] >= LEAST_SHARE * row["cases"] for row in rows if row["kind"] == "all") else 1


def table(done: Sequence[Result]) -> list[dict[str, Any]]:
    """One row a kind: cases, those that run after one repair, those that do so and give the right answer."""
    tuned = [each for each in done if not each.case.held_out]
    kinds = Counter(each.case.kind for each in done)
    return [_row(kind, [each for each in done if each.case.kind == kind]) for kind in kinds] + (
        [_row("all", tuned)] if tuned else []
    )


def _row(kind: str, done: Sequence[Result]) -> dict[str, Any]:
    return {
        "kind": kind,
        "cases": len(done),
        "run": sum(each.runs for each in done),
        "right": sum(each.right for each in done),
    }


def _tell(each: Result) -> None:
    state = "RUNS, WRONG" if each.runs else "FAILS"
    print(f"== {each.case.kind}: {each.case.name}: {state}{'' if each.broken else ' (was not broken)'}")
    print(f"   {each.case.text.strip()}")
    if each.error is not None:
        print(f"   error: {each.error.message}; hint: {each.error.hint}; did you mean: {each.error.did_you_mean}")
    if each.code is not None:
        print(f"   tried: {each.code}")
    if each.last is not None and each.last.error is not None and each.code is not None:
        print(f"   then:  {each.last.error.message}")
    elif each.runs and each.last is not None:
        print(f"   gave:  {str(each.last.result)[:200]}")


if __name__ == "__main__":
    leave_with(main)
