"""Snippets as models write them: each must print and give in the sandbox what it does in plain Python."""

from __future__ import annotations

import asyncio
import contextlib
import decimal
import io
from pathlib import Path

import pytest

from sandbox import report
from sandbox.builtins import namespace
from sandbox.compile import compile_snippet
from sandbox.evaluate import evaluate
from sandbox.modules import preload
from sandbox.serialize import to_json

CORPUS = Path(__file__).parent / "snippets"


def corpus() -> list[tuple[str, str]]:
    found = []
    for file in sorted(CORPUS.glob("*.txt")):
        for part in file.read_text().split("### ")[1:]:
            title, _, code = part.partition("\n")
            found.append((f"{file.stem}: {title}", code))
    return found


def in_plain_python(code: str) -> tuple[str, str]:
    names = {"__name__": "__main__"}
    printed = io.StringIO()
    loop = asyncio.new_event_loop()  # what older programs find before they run one; closed whatever they do
    asyncio.set_event_loop(loop)
    try:
        with contextlib.redirect_stdout(printed), decimal.localcontext(decimal.Context()):
            exec(compile(code, "<plain>", "exec", dont_inherit=True), names)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return printed.getvalue(), to_json(names.get("result"), 1 << 20)[0]


def in_the_sandbox(code: str) -> tuple[str, str]:
    printed: list[str] = []
    try:
        value = evaluate(compile_snippet(code), namespace(None, {}, printed.append))
    except Exception as error:
        raise AssertionError(report.describe(error)) from error
    return "".join(printed), to_json(value, 1 << 20)[0]


@pytest.mark.parametrize("code", [pytest.param(code, id=title) for title, code in corpus()])
def test_runs_as_in_plain_python(code: str) -> None:
    preload()
    assert in_the_sandbox(code) == in_plain_python(code)


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(corpus()) >= 120
