"""Listeners without a face: signs of life, and how long a token is good for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest
from msgspec import structs
from patience import HANG_SECONDS

from codemode import Worker
from codemode.catalog.events import Events, Told
from codemode.database.clock import now_ms
from codemode.errors import AuthInvalid, StorageFull
from codemode.service import listening
from codemode.service.callers import LOCAL, Caller
from codemode.service.ears import OfSession
from codemode.service.service import Service


def test_a_quiet_stream_has_its_signs_of_life_while_other_sessions_are_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> object:
        service = Service(worker, open_to_all=True)
        await service.start()
        with service.listeners.place(LOCAL.tenant):
            quiet = OfSession(service, LOCAL, "quiet")
            beginning = await service.listeners.begin(quiet, None)
            heard = service.listeners.follow(quiet, beginning.seq, HANG_SECONDS * 2)
            talking = asyncio.ensure_future(talk(service))
            try:
                return await asyncio.wait_for(anext(heard), HANG_SECONDS)
            finally:
                talking.cancel()
                await service.stop()

    async def talk(service: Service) -> None:
        for number in count():
            worker.of(LOCAL.tenant).messages.post("busy", f"word {number}", now=now_ms())
            service.listeners.look()
            await asyncio.sleep(0.05)

    monkeypatch.setattr(listening, "_BEAT_SECONDS", 0.4)
    with Worker(tmp_path) as worker:
        worker.session("quiet")
        worker.session("busy")
        assert asyncio.run(main()) is None


def test_events_wait_for_a_catalogue_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append_all, full = Events.append_all, True

    def may_fail(events: Events, told: Sequence[Told]) -> None:
        if full:
            raise StorageFull("no room")
        append_all(events, told)

    async def main() -> list[str | None]:
        nonlocal full
        service = Service(worker, open_to_all=True)
        telling = service._telling
        for number in range(6):
            telling.ended(LOCAL, structs.replace(outcome, execution_id=f"ex_{number}"))
            await telling._tell()
        full = False
        await telling.end()
        return [event.subject for event in worker.of(LOCAL.tenant).events.since("plan", 0)]

    monkeypatch.setattr(Events, "append_all", may_fail)
    monkeypatch.setattr("codemode.session.telling.MOST_KEPT", 4)
    with Worker(tmp_path) as worker:
        outcome = worker.session("plan").run("1")
        assert asyncio.run(main()) == ["ex_2", "ex_3", "ex_4", "ex_5"]
    said = [record.getMessage() for record in caplog.records]
    assert said == ["1 events cannot be told, and wait: no room"] + 2 * [
        "1 events are lost: more than 4 wait to be told: no room"
    ]


def test_a_token_without_end_is_good_at_the_turn_of_a_millisecond(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = count(now_ms())  # each look at the clock finds the next millisecond
    with Worker(tmp_path) as worker:
        _, token = worker.create_token("firm", scopes=("read",))
        worker.session("plan", tenant="firm")
        caller = Caller("firm", frozenset({"read"}), token.id)
        ears = OfSession(Service(worker, open_to_all=False), caller, "plan")
        monkeypatch.setattr(listening, "now_ms", lambda: next(moments))
        listening._check(worker, ears)
        worker.tokens.revoke(token.id, next(moments))
        with pytest.raises(AuthInvalid):
            listening._check(worker, ears)
