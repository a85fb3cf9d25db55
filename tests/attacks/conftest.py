"""Attacks in real confined children, watched from inside and outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confined_program import Confined


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    program = Confined(tmp_path_factory.mktemp("outside"))
    yield program
    program.close()


@pytest.fixture(scope="module")
def unconfined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    """The same with `isolation = "none"`: only for controls that show that the view from outside notices."""
    program = Confined(tmp_path_factory.mktemp("outside"), "none")
    yield program
    program.close()
