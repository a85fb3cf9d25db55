from __future__ import annotations

import pytest

from benchmarks import measure


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contenders that measure themselves need neither a rest nor a tidy heap before their turn."""
    monkeypatch.setattr(measure, "REST_SECONDS", 0)
    monkeypatch.setattr(measure.gc, "collect", lambda: 0)
