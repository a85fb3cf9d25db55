"""Code that is gathered does what it did."""

from __future__ import annotations

import gc
import traceback
from contextlib import suppress

import pytest

from sandbox.gathering import gather_code


def squares(most: int, *, skip: int = 0) -> list[int]:
    """What calls code of its own, which stands in its constants."""
    return [number * number for number in range(most) if number != skip]


def failing() -> None:
    """What tells where it failed."""
    raise ValueError


def uncalled() -> None:
    """What nobody calls."""


def test_called_functions_have_their_code_anew_and_do_the_same() -> None:
    gc.unfreeze()  # what was loaded while tests were collected: the collector is asked for all functions
    before = {function: function.__code__ for function in (squares, failing, uncalled)}

    def step() -> None:
        assert squares(4, skip=2) == [0, 1, 9]
        with suppress(ValueError):
            failing()

    gather_code([step])
    step()
    assert [function.__code__ is code for function, code in before.items()] == [False, False, True]
    assert all(function.__code__ == code for function, code in before.items())
    with pytest.raises(ValueError) as failed:  # noqa: PT011 - it has no words
        failing()
    assert traceback.extract_tb(failed.tb)[-1].line == "raise ValueError"
