"""Contract, section 1, as a table: the spellings of fences, awaits, returns, names and arguments that models write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from codemode import Session

LINE_ENDS = {"(crlf)": "\r\n", "(cr)": "\r"}


class Spelling(NamedTuple):
    """One text, and what comes of it: field of the outcome or of its error → value."""

    text: str
    expected: dict[str, Any]


def spellings() -> dict[str, Spelling]:
    """Title → spelling."""
    found: dict[str, Spelling] = {}
    parts = Path(__file__).with_name("sloppy_input.txt").read_text().split("### ")[1:]
    for part in parts:
        title, _, rest = part.partition("\n")
        text, *ends = (
            rest.rstrip("\n").split("\n==> ") if not rest.startswith("==> ") else ("", *rest[4:].split("\n==> "))
        )
        assert title not in found, title
        expected = dict(end.rstrip("\n").split(" ", 1) for end in ends)
        found[title] = Spelling(_as_edited(title, text), expected)
    return found


def _as_edited(title: str, text: str) -> str:
    for mark, end in LINE_ENDS.items():
        if mark in title:
            text = text.replace("\n", end)
    return "\ufeff" + text if "(bom)" in title else text


SPELLINGS = spellings()


def test_there_are_enough() -> None:
    assert len(SPELLINGS) >= 80


@pytest.mark.parametrize("title", SPELLINGS)
def test_it_means_what_it_says(table: Session, title: str) -> None:
    text, expected = SPELLINGS[title]
    outcome = table.run(text)
    if "error" not in expected:
        assert outcome.error is None
        assert outcome.result == json.loads(expected["result"])
        assert outcome.stdout == json.loads(expected.get("stdout", '""'))
        assert outcome.warnings == ()
        return
    error = outcome.error
    assert error is not None
    assert error.code == expected["error"]
    assert error.line == int(expected.get("line", error.line or 0)) or "line" not in expected
    for field in ("hint", "message"):
        assert json.loads(expected.get(field, '""')) in (getattr(error, field) or "")
    if "did_you_mean" in expected:
        assert list(error.did_you_mean) == json.loads(expected["did_you_mean"])
