"""Pages of the documentation as data: their code blocks, links and headings.

    ```python               runs; the page's blocks share one namespace
    ```python snippet       runs as a snippet in the page's `session` (one of its own where the page makes none)
    ```python file=NAME     is written to a file
    ```console              `$ ` begins a command, `> ` continues it; the rest is its output
    ```sql                  runs as a script in the page's session; `sql refused` must be refused
    ```text  ```json        straight after one of these: what it printed; what it answered (or its error, in part)

In expected output `…` (with the blanks around it) stands for any text within a line, and a line of nothing else for
any lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w+)?([^\n`]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_RUNS = ("python", "console", "sql")


@dataclass
class Block:
    page: Path
    line: int
    language: str
    options: tuple[str, ...]
    text: str
    expected: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}, line {self.line}"


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """The blocks that run, each with the expected output that stands straight after it."""
    text, found = page.read_text(encoding="utf-8"), []
    end_of_last = -1
    for fence in _FENCE.finditer(text):
        language, options = fence[1] or "", tuple(fence[2].split())
        follows = end_of_last >= 0 and not text[end_of_last : fence.start()].strip()
        end_of_last = fence.end() if language in _RUNS or follows else -1
        if language in _RUNS:
            found.append(Block(page, text.count("\n", 0, fence.start()) + 2, language, options, fence[3]))
        elif follows and language in ("text", "json") and found and language not in found[-1].expected:
            found[-1].expected[language] = fence[3]
    return found


def links(page: Path) -> list[str]:
    return _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))


def headings(page: Path) -> list[str]:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [line.lstrip("#").strip() for line in text.splitlines() if re.match(r"#{1,6} ", line)]


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub makes of the headings."""
    plain = (heading.replace("`", "").lower() for heading in headings(page))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def matches(expected: str, found: str) -> bool:
    """Whether output is as the page shows it, blanks at line ends aside."""
    pattern = ""
    for line in expected.strip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, re.split(r" *… *", line.rstrip()))) + r"\n"
    lines = "".join(f"{line.rstrip()}\n" for line in found.strip("\n").splitlines())
    return re.fullmatch(pattern, lines) is not None
