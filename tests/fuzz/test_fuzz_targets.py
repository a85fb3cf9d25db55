"""The fuzz targets on their own corpus and a little noise, without atheris: that they run, and that they can fail."""

from __future__ import annotations

import random
import tracemalloc

import fuzz_frames
import fuzz_guard
import pytest

from codemode.guard import Guard
from sandbox import claims


def _noisy(corpus: list[bytes], inputs: int, seed: int) -> list[bytes]:
    """Inputs of the corpus with a few bytes changed."""
    dice = random.Random(seed)
    found = []
    for _ in range(inputs):
        data = bytearray(dice.choice(corpus))
        for _ in range(dice.randrange(4)):
            at = dice.randrange(len(data) + 1)
            data[at : at + dice.randrange(2)] = dice.randbytes(dice.randrange(3))
        found.append(bytes(data))
    return found


def test_the_guard_answers_every_text() -> None:
    for data in _noisy(fuzz_guard.corpus(), 2_000, 1):
        fuzz_guard.one_input(data)


def test_every_frame_is_valid_or_a_violation() -> None:
    for data in [*fuzz_frames.corpus(), *_noisy(fuzz_frames.corpus(), 4_000, 2)]:
        fuzz_frames.one_input(data)


def test_no_input_of_the_corpus_takes_much_memory() -> None:
    tracemalloc.start()
    for data in fuzz_frames.corpus():
        fuzz_frames.one_input(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150 * 1024 * 1024


def test_an_error_outside_the_tree_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guard, "check", lambda self, sql: {}[sql])
    with pytest.raises(KeyError):
        fuzz_guard.one_input(b"\x00SELECT 1")


def test_an_error_of_the_decoder_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "parse_done", lambda frame, most: {}[most])
    done = next(data for data in fuzz_frames.corpus() if b"\xa4done" in data)
    with pytest.raises(KeyError):
        fuzz_frames.one_input(done)
