"""Work of the processor's inside a snippet, beside the same text in plain CPython: what the language layer costs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from benchmarks.peers import cpython, monty, smol
from benchmarks.scenario import SUBJECT, AtMost, Contender, Contenders, Scenario, Sides
from codemode import Worker

# Each leaves its value in `answer`, where `exec` finds it, and ends in it, as the interpreters want it.
_ADDITIONS = """
answer = 0
for number in range(SIZE):
    answer += number
answer
"""
_WORDS = """
import re
words = "the of and to in that it was for on".split()
text = " ".join([words[at * 7 % 11 % 10] for at in range(SIZE)])
answer = {}
for word in re.findall("[a-z]+", text.lower()):
    answer[word] = answer.get(word, 0) + 1
answer
"""
_SORTING = """
rows = [{"id": at, "score": at * 7919 % 10007, "name": "n" + str(at * 31 % 997)} for at in range(SIZE)]
by_score = sorted(rows, key=lambda row: row["score"])
by_name = sorted(rows, key=lambda row: (row["name"], -row["id"]))
answer = [by_score[0]["id"], by_name[0]["id"]]
answer
"""
_JSON = """
import json
rows = [{"id": at, "name": f"name {at}", "score": at / 7, "tags": ["a", "b"], "ok": at % 2 == 0} for at in range(SIZE)]
text = json.dumps(rows)
answer = [len(text), json.loads(text) == rows]
answer
"""


def _contenders(template: str) -> Callable[[int], Contenders]:
    def text(size: int) -> str:
        return template.replace("SIZE", str(size))

    def answer(size: int) -> Any:
        names: dict[str, Any] = {}
        exec(text(size), names)  # one of the texts above
        return names["answer"]

    @contextmanager
    def contenders(size: int) -> Sides:
        code, wanted = text(size), answer(size)
        with Worker() as worker, cpython.working(code, wanted) as plain, monty.working(code, wanted) as peer:
            session = worker.session()

            def subject() -> None:
                if session.run(code).result != wanted:
                    raise AssertionError("the snippet's answer is another one")

            yield [Contender(SUBJECT, subject), plain, peer, smol.working(text, answer, size)]

    return contenders


def _scenario(title: str, of: str, sizes: tuple[int, int, int], template: str) -> Scenario:
    return Scenario(title, of, sizes, _contenders(template), (AtMost(cpython.NAME, 1.15),))


SCENARIOS = (
    _scenario("additions in a snippet", "additions", (100_000, 1_000_000, 10_000_000), _ADDITIONS),
    _scenario("a word count in a snippet", "words", (10_000, 100_000, 1_000_000), _WORDS),
    _scenario("sorting dicts in a snippet", "dicts", (1_000, 10_000, 100_000), _SORTING),
    _scenario("JSON there and back in a snippet", "records", (1_000, 10_000, 100_000), _JSON),
)
