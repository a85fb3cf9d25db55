"""Whole snippets in the manner of several models, through the product: printed text and value as in plain CPython."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from codemode import Worker

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def snippets() -> dict[str, str]:
    found = {}
    for file in sorted((HERE / "snippets" / "models").glob("*.txt")):
        for part in file.read_text().split("### ")[1:]:
            title, _, code = part.partition("\n")
            found[f"{file.stem}: {title}"] = code
    return found


@cache
def plain() -> dict[str, list[Any]]:
    """What plain Python makes of all of them, in one process that forks for each."""
    known = snippets()
    done = subprocess.run(
        [sys.executable, "-S", HERE / "plain_python.py"],  # without what is installed here: snippets have none of it
        input=json.dumps(list(known.values())),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return dict(zip(known, json.loads(done.stdout), strict=True))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


@pytest.mark.parametrize("title", snippets())
def test_prints_and_gives_what_plain_python_does(worker: Worker, title: str) -> None:
    printed, value, failure = plain()[title]
    assert failure is None
    outcome = worker.session().run(snippets()[title])
    assert outcome.ok, outcome.error
    assert outcome.stdout == printed
    assert json.loads(json.dumps(outcome.result)) == json.loads(value)


def test_the_collection_is_large_enough_to_mean_something() -> None:
    assert len(snippets()) >= 280
