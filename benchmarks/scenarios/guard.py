"""What judging a statement takes: one that the guard has not seen, and one that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import count

from benchmarks.peers import prepare
from benchmarks.scenario import SUBJECT, Contender, Contenders, Scenario, Sides, Under
from codemode.database.connection import open_scratch
from codemode.guard.check import Guard
from codemode.limits import Limits

_TABLE = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"


def _texts(numbers: Iterator[int], size: int) -> list[str]:
    return [f"SELECT b FROM t WHERE a = {next(numbers)} ORDER BY b" for _ in range(size)]


@contextmanager
def _sides(texts: Callable[[], Sequence[str]]) -> Sides:
    limits = Limits()
    with closing(open_scratch(limits)) as guarded, closing(open_scratch(limits)) as plain:
        for connection in (guarded, plain):
            connection.execute(_TABLE)
        guard = Guard(guarded, limits)

        def subject() -> None:
            if {guard.check(text).kind for text in texts()} != {"select"}:
                raise AssertionError("a statement was taken for another one")

        yield [Contender(SUBJECT, subject), prepare.preparing(plain, texts)]


def fresh(size: int) -> Contenders:
    """Statements that differ, in every turn."""
    return _sides(partial(_texts, count(), size))


def repeated(size: int) -> Contenders:
    """The same one again and again."""
    same = _texts(count(), 1) * size
    return _sides(lambda: same)


SCENARIOS = (
    Scenario(
        "the guard on a fresh statement",
        of="statements",
        sizes=(50, 500, 5_000),
        contenders=fresh,
        bounds=(Under(60e-6),),
        each=True,
    ),
    Scenario(
        "the guard on a repeated statement",
        of="statements",
        sizes=(500, 5_000, 50_000),
        contenders=repeated,
        bounds=(Under(8e-6),),
        each=True,
    ),
)
