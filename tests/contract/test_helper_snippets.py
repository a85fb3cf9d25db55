"""Helper calls as models write them, through the whole product; and refusals, each of which must name the way out.

Each runs on a session with the same eight orders. A case is a title, the snippet, and after `===` its value as JSON, or
`error CODE` and words of the message or hint.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemode import Worker

HERE = Path(__file__).parent
SEED = (HERE / "seed.txt").read_text()


def cases() -> list[tuple[str, str, str]]:
    found = []
    for file in ("database", "builders", "refusals"):
        for part in (HERE / f"{file}.txt").read_text().split("### ")[1:]:
            title, _, rest = part.partition("\n")
            code, _, expected = rest.rpartition("\n=== ")
            found.append((f"{file}: {title}", code, expected.strip()))
    return found


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


@pytest.mark.parametrize(("code", "expected"), [pytest.param(*rest, id=title) for title, *rest in cases()])
def test_gives_what_the_model_meant(worker: Worker, code: str, expected: str) -> None:
    session = worker.session()
    assert session.run(SEED).ok
    outcome = session.run(code)
    if expected.startswith("error "):
        error = outcome.error
        assert error is not None
        _, error_code, words = expected.split(" ", 2)
        assert error.code == error_code
        assert words in f"{error.message} {error.hint} {error.available}"
    else:
        assert outcome.ok, outcome.error
        assert json.loads(json.dumps(outcome.result)) == json.loads(expected)


def test_there_are_enough_cases_to_mean_something() -> None:
    assert len(cases()) >= 100
