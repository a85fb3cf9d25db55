"""Rewrite the generated regions of the documentation: `make docs`.

A region stands between `<!-- generated: NAME -->` and `<!-- /generated -->` in a page and is filled by the function
of that name in `regions.py`. `tests/docs` says when a region is stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import regions

ROOT = Path(__file__).resolve().parent.parent
_REGION = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page of the documentation."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def regenerated(text: str) -> str:
    """The text of a page with every region as it should be now."""

    def fill(found: re.Match[str]) -> str:
        return f"{found[1]}\n{regions.REGIONS[found[2]]().strip()}\n\n{found[3]}"

    return _REGION.sub(fill, text)


def main() -> int:
    """Rewrite what is stale and name it."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = regenerated(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"rewrote {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
