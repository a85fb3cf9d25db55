"""`python -m tests.corpora FOLDER…`: exit 1 when the guard refused what SQLite accepts and policy does not name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import reading, report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpora", description=__doc__)
    parser.add_argument("folder", nargs="+", type=Path, help="sqllogictest, TCL-style tests, Spider or BIRD JSON, .sql")
    parser.add_argument("--table", action="store_true", help="print false refusals and the table only")
    chosen = parser.parse_args(arguments)
    missing = [str(folder) for folder in chosen.folder if not folder.exists()]
    if missing:
        parser.error(f"no such folder: {', '.join(missing)}")
    scripts = (script for folder in chosen.folder for script in reading.scripts(folder))
    found = report.run(scripts, listing=None if chosen.table else sys.stdout)
    if chosen.table:
        print("\n".join(report.line(*refusal) for refusal in found.false))
    if not found.verdicts:
        parser.error("no statements found: .test, .slt, .sqltest and .sql files, or JSON with db_id and SQL or query")
    print(report.table(found))
    return 1 if found.false else 0


if __name__ == "__main__":
    raise SystemExit(main())
