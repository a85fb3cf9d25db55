"""README.md maps each class of attack to its cases: every title there exists, and every class has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from breach_battery import BATTERY
from test_confined_resources import DEEP, POISONS, attacks
from test_language_escapes import escapes

HERE = Path(__file__).parent
FRAMES = (HERE.parent / "sandbox" / "test_process_hostile.py").read_text()

TITLES = {
    *escapes(),
    *attacks(),
    *DEEP,
    *POISONS,
    *(attack.name for attack in BATTERY),
    *re.findall(r'^    "([^"]+)": ', FRAMES, re.MULTILINE),
    *re.findall(r"def (test_\w+)", FRAMES),
}


def rows() -> dict[str, list[str]]:
    """Class -> titles; a title that ends with … stands for all that begin so."""
    text = (HERE / "README.md").read_text().partition("## Which case is of which class")[2]
    found = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {name.strip(): re.findall(r"`([^`]+)`", cases) for name, cases in found[1:]}


@pytest.mark.parametrize("name", rows())
def test_every_title_of_the_table_exists(name: str) -> None:
    cases = rows()[name]
    assert cases
    for case in cases:
        beginning = case.removesuffix("…")
        assert any(title.startswith(beginning) if case != beginning else title == case for title in TITLES), case
