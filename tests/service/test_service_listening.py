"""Listeners without a face: signs of life, and how long a token is good for."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import pytest
from patience import HANG_SECONDS

from codemode import Worker
from codemode.database.clock import now_ms
from codemode.errors import AuthInvalid
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
