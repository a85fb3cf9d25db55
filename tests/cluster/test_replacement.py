"""Workers that end, hang or are replaced on purpose: who notices, what is undone, and what nobody leaves behind."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode import Client, Worker
from codemode.cluster.sockets import SocketDirectory
from codemode.errors import WorkerUnreachable
from tests.cluster.serving import Service, alive, children, serving, used_seconds

BEGIN = "helpers.db.exec('create table begun (a)')\nhelpers.db.commit()\n"
WRITES_AND_RUNS_ON = f"{BEGIN}helpers.db.exec('create table t (a)')\nprint('begun')\nwhile True: pass"
INSERTS = "helpers.db.exec('insert into t values (1)')\n"
FOR_LONG = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000000) select count(*) from n"
TABLES = "return helpers.schema.get_tables()"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("data"), CODEMODE_HANG_SECONDS="5") as service:
        yield service


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def pair(service: Service, name: str) -> tuple[str, str]:
    """Two new sessions on different workers."""
    first = f"{name}-0"
    service.create(first)
    for n in range(1, 64):
        service.create(f"{name}-{n}")
        if service.holder(f"{name}-{n}") != service.holder(first):
            return first, f"{name}-{n}"
    raise AssertionError("64 sessions on one worker")


def begun(service: Service, session_id: str) -> None:
    tables = f"/v1/sessions/{session_id}/schema"
    assert soon(lambda: "begun" in [each["name"] for each in service.http.get(tables).json()["tables"]])


def running(service: Service, threads: ThreadPoolExecutor, session_id: str) -> Future[httpx2.Response]:
    """A request whose execution has written something that it did not commit, and runs on."""
    path, body = f"/v1/sessions/{session_id}/execute", {"code": WRITES_AND_RUNS_ON}
    answer = threads.submit(httpx2.post, f"{service.address}{path}", json=body, timeout=HANG_SECONDS)
    begun(service, session_id)
    return answer


def counted_by_the_front(service: Service) -> int:
    name = 'codemode_http_requests_total{worker="front",operation="none",status="5xx"} '
    [line] = [line for line in service.http.get("/metrics").text.splitlines() if line.startswith(name)]
    return int(line.removeprefix(name))


def test_a_worker_that_is_killed_is_replaced_and_others_do_not_notice(service: Service, threads: Any) -> None:
    mine, other = pair(service, "killed")
    refusals = counted_by_the_front(service)
    goes_on = threads.submit(service.execute, other, f"{BEGIN}import time\ntime.sleep(1)\nreturn 'went on'")
    answer = running(service, threads, mine)
    begun(service, other)
    victim, bystander = service.holder(mine), service.holder(other)
    os.kill(victim, signal.SIGKILL)
    refused = answer.result(HANG_SECONDS)
    assert (refused.status_code, refused.json()["code"], refused.json()["retryable"]) == (
        503,
        "worker.unreachable",
        True,
    )
    assert "undone" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    # No worker knows of it: the front counts it.
    assert counted_by_the_front(service) == refusals + 1
    # The next request waits for the new worker, finds what was committed, and nothing else.
    assert service.execute(mine, TABLES)["result"] == ["begun"]
    assert service.holder(mine) not in (victim, bystander)
    assert goes_on.result(HANG_SECONDS)["result"] == "went on"
    assert (service.execute(other, "return 1")["result"], service.holder(other)) == (1, bystander)


def test_a_stream_that_its_worker_left_ends_with_the_problem(service: Service) -> None:
    service.create("stream")
    body = {"code": WRITES_AND_RUNS_ON, "mode": "stream"}
    seen = ""
    with service.http.stream("POST", "/v1/sessions/stream/execute", json=body) as answer:
        for chunk in answer.iter_text():
            seen += chunk
            if "event: stdout" in seen and "event: problem" not in seen:
                os.kill(service.holder("stream"), signal.SIGKILL)
    assert '"code":"worker.unreachable"' in seen.partition("event: problem")[2]


def test_a_client_does_not_send_again_what_may_have_been_committed(service: Service, threads: Any) -> None:
    service.create("twice")
    service.execute("twice", "helpers.db.exec('create table t (a)')")
    with Client(service.address) as client:
        session = client.session("twice")
        holder = service.holder("twice")
        before = used_seconds(holder)
        called = threads.submit(session.exec, f"insert into t select 2 from ({FOR_LONG})")
        assert soon(lambda: used_seconds(holder) > before + 0.5)  # of a statement that runs nothing else can be seen
        os.kill(holder, signal.SIGKILL)
        with pytest.raises(WorkerUnreachable):
            called.result(HANG_SECONDS)
        # Its connections do not all end at once: one may take a request to its end.
        assert soon(lambda: answers(session))
        assert session.value("select count(*) from t") == 0


def answers(session: Any) -> bool:
    with suppress(WorkerUnreachable):
        return bool(session.value("select 1"))
    return False


def test_under_its_key_an_execution_is_sent_again_and_not_run_again(service: Service, threads: Any) -> None:
    service.create("keyed")
    service.execute("keyed", "helpers.db.exec('create table t (a)')")
    count = "select count(*) as n from t"
    with Client(service.address) as client, Client(service.address) as looking:
        called = threads.submit(client.session("keyed").run, f"{INSERTS}while True: pass", atomic=False)
        session = looking.session("keyed")
        assert soon(lambda: session.query(count, read_only=True)[0]["n"] == 1)
        os.kill(service.holder("keyed"), signal.SIGKILL)
        assert called.result(HANG_SECONDS).error.code == "code.interrupted"
        assert session.value(count) == 1


def test_a_background_execution_whose_worker_was_killed_says_so(service: Service) -> None:
    service.create("back")
    accepted = service.execute("back", WRITES_AND_RUNS_ON, mode="background")
    begun(service, "back")
    os.kill(service.holder("back"), signal.SIGKILL)
    done: dict[str, Any] = {}

    def over() -> bool:
        answer = service.http.get(f"/v1/executions/{accepted['execution_id']}", params={"wait": 1})
        done.update(answer.json() if answer.status_code == 200 else {})
        return done.get("state") == "done"

    assert soon(over)
    assert done["outcome"]["error"]["code"] == "worker.unavailable"
    assert service.execute("back", TABLES)["result"] == ["begun"]


def test_a_worker_that_hangs_is_replaced(service: Service) -> None:
    service.create("hangs")
    hung = service.holder("hangs")
    os.kill(hung, signal.SIGSTOP)
    assert soon(lambda: not alive(hung))
    assert service.execute("hangs", "return 1")["result"] == 1


def test_a_spare_takes_the_place_of_the_one_that_ends(tmp_path: Path) -> None:
    with serving(tmp_path, CODEMODE_SPARE_WORKER="true") as service:
        assert soon(lambda: len(service.workers()) == 3)
        [spare] = service.workers() - {service.holder(each) for each in pair(service, "spare")}
        os.kill(service.holder("spare-0"), signal.SIGKILL)
        assert soon(lambda: service.http.post("/v1/sessions/spare-0/execute", json={"code": "1"}).status_code == 200)
        assert service.holder("spare-0") == spare
        # It knows which one it is: what it mints is routed back to it.
        minted = [service.http.post("/v1/sessions").json()["id"] for _ in range(8)]
        made_by = [service.holder(each) for each in minted]
        assert spare in made_by
        for each, maker in zip(minted, made_by, strict=True):
            service.execute(each, "1")
            assert service.holder(each) == maker
        assert soon(lambda: len(service.workers()) == 3)  # and there is another one for the next time
        serve = {service.holder(each) for each in minted}
        [spare] = service.workers() - serve
        os.kill(spare, signal.SIGKILL)  # nobody asks it for anything, so nobody else would notice
        assert soon(lambda: len(service.workers()) == 3 and spare not in service.workers())


def test_readiness_is_that_of_all_workers(service: Service) -> None:
    service.create("ready")
    assert soon(lambda: service.http.get("/ready").status_code == 200)
    with none_starts(service):
        os.kill(service.holder("ready"), signal.SIGKILL)
        assert soon(lambda: service.http.get("/ready").status_code == 503)
    assert soon(lambda: service.http.get("/ready").status_code == 200)


def test_figures_are_those_of_the_workers_that_are_left(service: Service, threads: ThreadPoolExecutor) -> None:
    assert soon(lambda: service.http.get("/ready").status_code == 200)  # all are there
    service.create("figures")
    service.execute("figures", "1")
    ends = service.holder("figures")
    os.kill(ends, signal.SIGSTOP)
    asked = threads.submit(service.http.get, "/metrics")
    with pytest.raises(TimeoutError):  # it waits for the one that does not answer, which then never will
        asked.result(0.5)
    os.kill(ends, signal.SIGKILL)
    answer = asked.result(HANG_SECONDS)
    assert answer.status_code == 200, answer.text
    assert len(set(re.findall(r'codemode_sessions_open{worker="(\w+)"', answer.text))) == 1


@contextmanager
def none_starts(service: Service) -> Iterator[None]:
    """While no worker can start, for want of a catalogue; those that run have it open."""
    catalog, aside = service.data / "catalog.db", service.data / "aside"
    catalog.rename(aside)
    catalog.mkdir()
    try:
        yield
    finally:
        catalog.rmdir()
        aside.rename(catalog)


def test_a_worker_that_cannot_start_is_tried_until_it_can(service: Service, threads: ThreadPoolExecutor) -> None:
    service.create("tried")
    service.execute("tried", "helpers.db.exec('create table kept (a)')")
    killed = service.holder("tried")
    others = service.workers() - {killed}
    with none_starts(service):
        os.kill(killed, signal.SIGKILL)
        assert soon(lambda: not alive(killed))
        assert soon(lambda: len(service.workers()) == 2)
        assert soon(lambda: service.workers() == others)  # it has tried, and could not
        answer = threads.submit(service.execute, "tried", TABLES)  # waits for it
    assert answer.result(HANG_SECONDS)["result"] == ["kept"]


def test_a_hangup_restarts_the_workers_while_requests_go_on(service: Service, threads: Any) -> None:
    mine, other = pair(service, "restart")
    old = service.workers()
    slow = threads.submit(service.execute, mine, "import time\ntime.sleep(1)\nreturn 'finished'")
    service.process.send_signal(signal.SIGHUP)
    answered = 0
    while service.workers() & old:
        assert service.execute(other, "return 1")["result"] == 1
        answered += 1
    assert slow.result(HANG_SECONDS)["result"] == "finished"
    assert answered > 0
    assert soon(lambda: len(service.workers()) == 2)


def test_a_signal_ends_the_service_and_its_workers_and_answers_what_runs(tmp_path: Path, threads: Any) -> None:
    with serving(tmp_path, CODEMODE_SHUTDOWN_SECONDS="0.5") as service:
        service.create("s")
        answer = running(service, threads, "s")
        workers = service.workers()
        [sockets] = service.temporary.glob("codemode-workers-*")
        assert sockets.stat().st_mode & 0o777 == 0o700  # whoever reaches a worker's socket needs no front
        service.process.send_signal(signal.SIGTERM)
        assert answer.result(HANG_SECONDS).json()["status"] == "cancelled"
        assert service.process.wait(HANG_SECONDS) == 0
        assert not any(map(alive, workers))
        assert not sockets.exists()
    with Worker(tmp_path) as worker:
        assert worker.session("s").get_tables() == ["begun"]


def test_a_service_that_ends_in_order_leaves_no_sign_of_its_life(tmp_path: Path) -> None:
    with serving(tmp_path, CODEMODE_SPARE_WORKER="true") as service:
        assert soon(lambda: len(list((tmp_path / "services").glob("*.lock"))) == 3)  # the spare has its own
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(HANG_SECONDS) == 0
    assert list((tmp_path / "services").iterdir()) == []


def test_workers_do_not_outlive_a_front_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path) as service:
        workers = service.workers()
        assert len(workers) == 2
        assert soon(lambda: all(children(pid) for pid in workers))  # the sandbox of each
        everybody = {service.process.pid} | workers | {child for pid in workers for child in children(pid)}
        service.process.kill()
        assert soon(lambda: not any(map(alive, everybody)))
        [sockets] = service.temporary.glob("codemode-workers-*")
        monkeypatch.setattr(tempfile, "tempdir", str(service.temporary))
        SocketDirectory().remove()  # as the next front begins
        assert not sockets.exists()
