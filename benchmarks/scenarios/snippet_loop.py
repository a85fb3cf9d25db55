"""A million additions inside a snippet, beside the same text in plain CPython."""

from __future__ import annotations

from benchmarks.measure import Figure, compare
from codemode import Worker

CODE = """
total = 0
for n in range(1_000_000):
    total += n
result = total
"""


def figure(quick: bool) -> Figure:
    """The loop through `Session.run` against `exec` of its compiled text."""
    compiled = compile(CODE, "loop", "exec")
    with Worker() as worker:
        session = worker.session()

        def subject() -> None:
            if session.run(CODE).result != 499_999_500_000:
                raise AssertionError("the snippet did not add up")

        return compare("a million additions", subject, "CPython exec", lambda: exec(compiled, {}), 5 if quick else 15)
