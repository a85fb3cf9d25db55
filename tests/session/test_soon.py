"""What is to be done in a moment is done once for all who ask, by a thread that goes when it is not needed."""

import threading
from collections.abc import Iterator
from functools import partial
from threading import Thread

import pytest
from patience import HANG_SECONDS, soon

from codemode.session.soon import Soon

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
_SECONDS = 0.02


@pytest.fixture
def asked() -> Iterator[Soon]:
    made = Soon(_SECONDS)
    yield made
    made.close()


def _ask(asked: Soon) -> Thread:
    """Have something done, wait until it is, and answer which thread did it."""
    found: list[Thread] = []
    done = threading.Event()

    def call() -> None:
        found.append(threading.current_thread())
        done.set()

    asked.ask(call)
    assert done.wait(HANG_SECONDS)
    return found[0]


def test_it_is_done_once_for_all_who_ask_meanwhile():
    asked, calls = Soon(HANG_SECONDS), list[int]()
    for number in range(3):
        asked.ask(partial(calls.append, number))
    assert not calls
    asked.close()  # what was asked for is done then
    assert soon(lambda: calls)
    assert calls == [0]


def test_one_thread_does_it_again_and_again_and_goes_when_it_is_closed(asked: Soon):
    first = _ask(asked)
    assert _ask(asked) is first
    asked.close()
    first.join(HANG_SECONDS)
    assert not first.is_alive()


def test_a_thread_that_nobody_asks_goes_and_the_next_who_asks_has_another(asked: Soon, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("codemode.session.soon._STAYS_SECONDS", 0.0)
    first = _ask(asked)
    first.join(HANG_SECONDS)
    assert not first.is_alive()
    assert _ask(asked) is not first


def test_what_fails_keeps_nobody_from_asking_again(asked: Soon):
    failed: list[Thread] = []

    def fail() -> None:
        failed.append(threading.current_thread())
        raise ZeroDivisionError

    asked.ask(fail)
    assert soon(lambda: failed)
    failed[0].join(HANG_SECONDS)
    assert _ask(asked) is not failed[0]


def test_who_asks_after_the_end_has_it_done(asked: Soon):
    asked.close()
    _ask(asked)
