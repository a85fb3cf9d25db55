"""A trivial snippet on a warm worker, beside other ways to run one line of Python that nobody trusts."""

from __future__ import annotations

from contextlib import contextmanager

from benchmarks.peers import bare_python, monty
from benchmarks.scenario import SUBJECT, AtMost, Contender, Scenario, Sides
from codemode import Worker


@contextmanager
def contenders(size: int) -> Sides:
    """`size` snippets in a row in one session."""
    with Worker() as worker, monty.trivial(size) as peer:
        session = worker.session()

        def subject() -> None:
            for _ in range(size):
                if session.run("return 1").result != 1:
                    raise AssertionError("the snippet did not answer 1")

        yield [Contender(SUBJECT, subject), peer, bare_python.trivial(size)]


SCENARIOS = (
    Scenario(
        "trivial snippets in a row in one session",
        of="snippets",
        sizes=(1, 10, 100),
        contenders=contenders,
        bounds=(AtMost("pydantic-monty", 8), AtMost("python -I -S -c", 0.1)),
    ),
)
