"""Another process writes to the catalogue for as long as it likes: who writes there too waits, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker
from tests.api.conftest import listening


class Held:
    """In the place of the lock of whoever writes: `asked` when somebody waits for it, who goes on when it is `free`."""

    def __init__(self) -> None:
        self.asked, self.free = Event(), Event()

    def __enter__(self) -> None:
        self.asked.set()
        assert self.free.wait(HANG_SECONDS)

    def __exit__(self, *_: object) -> None:
        """It is nobody's."""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(tmp_path) as worker:
        worker.session("s")
        yield worker


def bearer(worker: Worker) -> dict[str, str]:
    return {"Authorization": f"Bearer {worker.create_token(scopes=('read', 'execute'))[0]}"}


@pytest.mark.parametrize(("is_new", "method", "path", "body"), [
    (False, "POST", "/v1/sessions/s/execute", {"code": "return 1", "mode": "background"}),
    (False, "POST", "/v1/sessions/none/execute", {"code": "return 1"}),
    (False, "PUT", "/v1/sessions/s/state/value?key=a", {"value": 1}),
    (True, "GET", "/v1/sessions/s", None),
], ids=["background", "refused", "act", "first use of a token"])  # fmt: skip
def test_who_writes_to_it_keeps_nobody_else_waiting(
    worker: Worker, is_new: bool, method: str, path: str, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, new = bearer(worker), bearer(worker)
    with (
        listening(worker, open_to_all=False) as (address, _),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http,
        ThreadPoolExecutor(1) as threads,
    ):
        assert http.get("/v1/sessions/s", headers=used).status_code == 200
        assert soon(lambda: any(each.last_used_at for each in worker.tokens.page("local", None, None, 9)))
        monkeypatch.setattr(worker.catalogue, "_lock", held := Held())
        try:
            waiting = threads.submit(http.request, method, path, json=body, headers=new if is_new else used)
            assert held.asked.wait(HANG_SECONDS)
            for looked in ("/health", "/v1/sessions/s"):
                assert httpx2.get(address + looked, headers=used, timeout=HANG_SECONDS / 2).status_code == 200
        finally:
            held.free.set()
        assert waiting.result(HANG_SECONDS).status_code in (200, 202, 204, 404)


def test_a_service_without_tokens_waits_for_nobody_to_see_whether_there_is_one(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.catalogue, "_lock", held := Held())
    try:
        with listening(worker, open_to_all=None) as (address, _):
            assert httpx2.get(f"{address}/v1/sessions/s", timeout=HANG_SECONDS / 2).status_code == 200
    finally:
        held.free.set()
