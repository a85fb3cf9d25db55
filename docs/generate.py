"""Rewrite the generated regions of the documentation and its drawings, and wrap its paragraphs: `make docs`.

A region stands between `<!-- generated: NAME -->` and `<!-- /generated -->` in a page and is filled by the function
of that name in `regions.py`, which lists the files that are generated whole, too. `tests/docs` says when one is stale.
A paragraph that has a line over 120 columns is filled anew, in pages written by hand too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import regions
from wording import wrapped

ROOT = Path(__file__).resolve().parent.parent
_REGION = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page of the documentation, and those beside the code."""
    folders = ("docs", "codemode", "sandbox", "benchmarks", "tests")
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).rglob("*.md"))])


def regenerated(text: str) -> str:
    """The text of a page with every region as it should be now, and no paragraph wider than it should be."""

    def fill(found: re.Match[str]) -> str:
        return f"{found[1]}\n{regions.REGIONS[found[2]]().strip()}\n\n{found[3]}"

    return wrapped(_REGION.sub(fill, text))


def stale() -> Iterator[tuple[Path, str]]:
    """Every page and file that is not as it should be now, with what it should be."""
    wanted = {page: regenerated(page.read_text(encoding="utf-8")) for page in pages()}
    wanted |= {ROOT / name: made() for name, made in regions.FILES.items()}
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path, text


def main() -> int:
    """Rewrite what is stale and name it."""
    for path, text in stale():
        path.write_text(text, encoding="utf-8")
        print(f"rewrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
