"""A session that is asked for by its id, or changed: whose it is, and all of a change or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codemode import Worker
from codemode.errors import SessionExists, WorkerUnavailable
from codemode.service import places
from codemode.service.callers import LOCAL, Caller
from codemode.service.service import Service

ANN, BOB = (Caller("local", LOCAL.scopes, user=name) for name in ("ann", "bob"))


@pytest.mark.parametrize("asked", [{"limits": {"rows": 7}}, {"stateful": True}])
@pytest.mark.parametrize("moment", ["ensure", "_create"])
def test_who_loses_the_race_for_an_id_changes_nothing_of_the_winners_session(
    asked: dict[str, Any], moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(tmp_path) as worker:
        for user in ("ann", "bob"):
            worker.of("local").users.create(user, now=1)
        service = Service(worker, open_to_all=True)
        real: Callable[..., Any] = getattr(worker.registry, moment)

        def after_the_winner(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.undo()
            service.create(ANN, "s")
            return real(*args, **kwargs)

        monkeypatch.setattr(worker.registry, moment, after_the_winner)
        with pytest.raises(SessionExists):
            service.create(BOB, "s", **asked)
        record = worker.registry.known(("local", "s"))
        assert (record.owner, record.limits, record.stateful) == ("ann", {}, False)


def test_who_asks_twice_at_the_same_moment_has_the_limits_of_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(tmp_path) as worker:
        worker.of("local").users.create("ann", now=1)
        service, real = Service(worker, open_to_all=True), worker.registry.ensure

        def after_the_first(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.undo()
            service.create(ANN, "s")
            return real(*args, **kwargs)

        monkeypatch.setattr(worker.registry, "ensure", after_the_first)
        assert service.create(ANN, "s", limits={"rows": 7})[1] is False
        assert worker.registry.known(("local", "s")).limits["rows"] == 7


@pytest.mark.parametrize("step", ["set_limits", "pin"])
def test_a_change_of_which_a_part_fails_is_not_done(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise WorkerUnavailable("the catalogue cannot be written just now")

    with Worker(tmp_path) as worker:
        worker.session("s")
        old = places.seen(worker, "s", "local")
        monkeypatch.setattr(worker.registry.catalog, step, fails)
        with pytest.raises(WorkerUnavailable):
            places.changed(worker, "local", "s", type="t", closed=True, bounds={"rows": 7}, pinned=True)
        assert places.seen(worker, "s", "local") == old


def test_what_a_change_tells_is_what_is_there(tmp_path: Path) -> None:
    with Worker(tmp_path) as worker:
        worker.session("s")
        old = places.seen(worker, "s", "local")
        told = places.changed(worker, "local", "s", type="t", closed=True, bounds={"rows": 7}, pinned=True).new
        there = places.seen(worker, "s", "local")
        for name in ("type", "status", "limits", "pinned"):
            assert told[name] == there[name] != old[name]
