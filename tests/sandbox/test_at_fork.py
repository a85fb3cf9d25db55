"""What a module registers for a fork is kept, unless it is for threads."""

from __future__ import annotations

import os
from typing import Any

import pytest

from sandbox.at_fork import without_threads


@pytest.mark.parametrize(("module", "kept"), [("threading", False), ("logging", False), ("random", True)])
def test_what_is_for_threads_is_left_out(module: str, *, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[dict[str, Any]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda **steps: registered.append(steps))
    without_threads()
    exec("import os; os.register_at_fork(after_in_child=print)", {"__name__": module})
    assert registered == ([{"after_in_child": print}] if kept else [])
