"""What a host may ask of an execution: inputs, functions, output, and every wrong argument with a way out."""

from __future__ import annotations

import asyncio
import json
import sys
import tracemalloc
from pathlib import Path

import pytest
from msgspec import structs

from codemode import Limits, Session, Worker
from codemode.errors import HostFunctionFailed, RequestInvalid, SessionNotFound, WorkerError, WorkerUnavailable
from codemode.session.host import HostFunctions
from codemode.session.request import RunOptions, checked_request
from codemode.values import Notice, Progress

BAD_IDS = ["", "../x", "a/b", "a\0b", ".hidden", "-x", "x" * 129, "x" * 10_000, "ü", "a b", None.__class__, 7, b"x"]


@pytest.mark.parametrize("session_id", BAD_IDS)
def test_a_bad_session_id_is_invalid(worker: Worker, session_id: object) -> None:
    with pytest.raises(RequestInvalid, match="session id") as raised:
        worker.session(session_id)
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize("session_id", ["a", "_", "chat-42", "tenant:user@example.org", "0", "x" * 128])
def test_a_good_session_id_is_the_sessions_own(worker: Worker, session_id: str) -> None:
    assert worker.session(session_id).id == session_id


def test_a_tenant_that_there_is_not_gets_neither_a_session_nor_a_directory(worker: Worker) -> None:
    before = sorted(worker.data_dir.rglob("*"))
    for tenant in ("acme", "../x", ""):
        with pytest.raises(RequestInvalid, match="there is no tenant") as raised:
            worker.session("s", tenant=tenant)
        assert raised.value.available == ("local",)
    assert sorted(worker.data_dir.rglob("*")) == before


def test_a_session_is_not_made_by_looking(worker: Worker) -> None:
    with pytest.raises(SessionNotFound):
        worker.session("never-made", create=False)
    with pytest.raises(SessionNotFound):
        worker.info("never-made")
    with pytest.raises(SessionNotFound):
        worker.remove("never-made")


@pytest.mark.parametrize("kept", [True, False])
def test_a_closed_worker_says_so(tmp_path: Path, kept: bool) -> None:
    worker = Worker(tmp_path) if kept else Worker()  # without a place of its own its files are gone, too
    session = worker.session("s")
    worker.close()
    worker.close()
    calls = [
        worker.sessions, worker.sweep, worker.metrics, lambda: worker.session("s"), lambda: worker.remove("s"),
        lambda: session.run("return 1"), lambda: session.query("SELECT 1"), lambda: session.exec("CREATE TABLE t (a)"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(WorkerError, match="this worker is closed") as raised:
            call()
        assert raised.value.hint


def test_two_sessions_share_nothing(worker: Worker) -> None:
    one, other = worker.session(), worker.session()
    one.exec("CREATE TABLE t (x)")
    one.save_state("k", 1)
    assert (other.get_tables(), other.list_state()) == ([], [])
    assert one.id != other.id


def test_a_call_without_options_asks_for_what_they_are_when_none_is_chosen() -> None:
    limits = Limits()
    none = dict.fromkeys(RunOptions.__annotations__)
    asked = [checked_request(limits, "1", given) for given in ({}, none)]
    assert len({repr(structs.replace(each, host=None)) for each in asked}) == 1


def test_inputs_are_variables(session: Session) -> None:
    outcome = session.run(
        "[city, sum(numbers), nested['a']]", inputs={"city": "Bern", "numbers": [1, 2], "nested": {"a": None}}
    )
    assert outcome.result == ["Bern", 3, None]


@pytest.mark.parametrize(
    "inputs",
    [
        {"not a name": 1},
        {"class": 1},
        {"_private": 1},
        {"helpers": 1},
        {"x": object()},
        {"x": float("nan")},
        {"x": [{1: "a", "1": "b"}]},
        {1: 2},
        [1],
    ],
)
def test_bad_inputs_are_invalid(session: Session, inputs: object) -> None:
    with pytest.raises(RequestInvalid, match="inputs"):
        session.run("1", inputs=inputs)


@pytest.mark.parametrize("code", [b"1", None, 7, "x = '\ud800'"])
def test_code_that_is_no_text_is_invalid(session: Session, code: object) -> None:
    with pytest.raises(RequestInvalid, match="code"):
        session.run(code)


def test_empty_code_does_nothing(session: Session) -> None:
    outcome = session.run("")
    assert (outcome.ok, outcome.result, outcome.error) == (True, None, None)


def test_an_unknown_argument_says_what_was_meant(session: Session) -> None:
    with pytest.raises(RequestInvalid, match="time_out") as raised:
        session.run("1", time_out=3)
    assert raised.value.did_you_mean == ("timeout",)


def test_a_syntax_error_is_rejected_with_its_line(session: Session) -> None:
    outcome = session.run("x = 1\ny = 2\nfor in range(3): pass\n")
    assert (outcome.ok, outcome.status, outcome.error.code, outcome.error.line) == (False, "rejected", "code.syntax", 3)
    assert outcome.usage.helper_calls == 0


def test_host_functions(session: Session) -> None:
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x * 2

    functions = {"add": lambda a, b=1: {"sum": a + b}, "later": later}
    calls = "host.add(2), host.add(2, b=3), await host.add(1), await host.later(4), host.later(5)"
    code = f"host = helpers.host\n[{calls}]"
    outcome = session.run(code, functions=functions)
    assert outcome.ok, outcome.error
    assert outcome.result == [{"sum": 3}, {"sum": 5}, {"sum": 2}, 8, 10]
    assert outcome.usage.helper_calls == 5


def test_an_answer_of_a_host_function_loses_no_key(session: Session) -> None:
    functions = {"good": lambda: {1: 2**70, 2: 0.1}, "bad": lambda: [{1: "a", "1": "b"}]}
    assert session.run("return good()", functions=functions).result == {"1": 2**70, "2": 0.1}
    outcome = session.run("return bad()", functions=functions)
    assert "two keys of a dict have the same text '1'" in outcome.error.message


def test_a_cancelled_execution_does_not_wait_for_an_asynchronous_function(session: Session) -> None:
    async def main() -> bool:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def forever() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        running = asyncio.create_task(session.run_async("helpers.host.forever()", functions={"forever": forever}))
        await asyncio.wait_for(begun.wait(), 60)
        running.cancel()
        await asyncio.wait([running], timeout=60)
        await asyncio.wait_for(ended.wait(), 60)
        return running.cancelled()

    assert asyncio.run(main())
    assert session.run("return 1").ok


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("return [double(2), await double(3), double is helpers.host.double]", [4, 6, True]),
        ("def f():\n    return double(n)\nn = 4\nf()", 8),
        ("double = 5\nreturn double", 5),
        ("return [len('abc'), helpers.host.len('abc')]", [3, -1]),
        ("return [helpers.host.helpers(), helpers.db.value('SELECT 1')]", ["mine", 1]),
        ("x = 1", None),
        ("return given", 1),
    ],
)
def test_host_functions_are_variables_where_nothing_else_has_the_name(session: Session, code: str, answer: object):
    functions = {
        "double": lambda n: n * 2,
        "len": lambda _: -1,
        "helpers": lambda: "mine",
        "result": lambda: 7,
        "given": lambda: 2,
        "class": lambda: 3,
    }
    outcome = session.run(code, functions=functions, inputs={"given": 1})
    assert outcome.ok, outcome.error
    assert outcome.result == answer


def test_async_host_functions_run_on_the_callers_loop(session: Session) -> None:
    async def main() -> tuple[object, bool]:
        here = asyncio.get_running_loop()
        same = []

        async def where() -> str:
            same.append(asyncio.get_running_loop() is here)
            return "ok"

        outcome = await session.run_async("await helpers.host.where()", functions={"where": where})
        return outcome.result, same[0]

    assert asyncio.run(main()) == ("ok", True)


def test_a_host_function_that_raises_tells_its_message_only(session: Session) -> None:
    def fails() -> None:
        raise LookupError("no such ticket")

    outcome = session.run(
        "try:\n    helpers.host.fails()\nexcept helpers.Error as e:\n    print(e.code, e)", functions={"fails": fails}
    )
    assert outcome.stdout == "code.runtime fails: no such ticket\n"
    failed = session.run("helpers.host.fails()", functions={"fails": fails})
    assert "requests" not in (failed.error.traceback or "")
    assert __file__ not in (failed.error.traceback or "")


def test_an_unknown_host_function_says_what_there_is(session: Session) -> None:
    outcome = session.run("helpers.host.serch('x')", functions={"search": lambda q: q})
    assert not outcome.ok
    assert "search" in f"{outcome.error.message} {outcome.error.hint} {outcome.error.did_you_mean}"


@pytest.mark.parametrize("item", ["[]", "{}", "0"])
def test_arguments_that_would_become_a_large_structure_are_refused(item: str) -> None:
    """20 MB of empty lists were 600 MB in the worker, and every thread of it waited until they were read."""
    host = HostFunctions({"count": lambda *args: len(args)})
    with pytest.raises(RequestInvalid, match="too many"):
        host("count", '{"args":[' + ",".join([item] * 1_100_000) + '],"kwargs":{}}')


def test_brackets_and_commas_of_a_text_are_no_values() -> None:
    host = HostFunctions({"length": len})
    text = '[{,\\"' * 300_000
    assert host("length", json.dumps({"args": [text], "kwargs": {}})) == str(len(text))


@pytest.mark.parametrize(
    "answer",
    ["x" * 30_000_000, ["é" * 100_000] * 300, {"rows": [{"a": "x" * 1_000_000}] * 30}, "é" * 5_000_000],
    ids=["a text", "a list of texts", "nested", "what is longer as JSON"],
)
def test_a_host_result_of_more_than_a_frame_is_an_error_that_names_the_bound(session: Session, answer: object) -> None:
    outcome = session.run("helpers.host.get()", functions={"get": lambda: answer})
    assert outcome.error.code == "code.runtime"
    assert outcome.error.message.startswith("get: its result takes more than 20,971,456 bytes as JSON")
    assert "in pages" in outcome.error.hint
    assert session.run("len(helpers.host.get())", functions={"get": lambda: "x" * 20_000_000}).result == 20_000_000


def test_a_host_result_that_is_far_too_large_is_not_written_out() -> None:
    """A text of 200 MB took a gigabyte of the worker, in copies, before it was refused."""
    answer = ["x" * 1_000_000] * 200  # one text in the host, 200 MB as JSON
    host = HostFunctions({"get": lambda: answer})
    tracemalloc.start()
    try:
        with pytest.raises(HostFunctionFailed, match="more than"):
            host("get", '{"args":[],"kwargs":{}}')
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("functions", [{"not a name": print}, {"_x": print}, {"x": 7}])
def test_bad_functions_are_invalid(session: Session, functions: dict[str, object]) -> None:
    with pytest.raises(RequestInvalid, match="functions"):
        session.run("1", functions=functions)


def test_a_host_result_that_is_not_plain_is_an_error_of_the_call(session: Session) -> None:
    outcome = session.run("helpers.host.thing()", functions={"thing": object})
    assert outcome.error.code == "code.runtime"
    assert "plain data" in outcome.error.message


def test_a_host_function_whose_error_cannot_say_what_it_is_is_told_by_its_class(session: Session) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fails() -> None:
        raise Mute

    error = session.run("fails()", functions={"fails": fails}).error
    assert (error.code, error.message) == ("code.runtime", "fails: Mute")


def test_output_comes_as_it_is_printed(session: Session) -> None:
    pieces: list[str] = []
    outcome = session.run("for n in range(3): print(n)", on_output=pieces.append)
    assert "".join(pieces) == outcome.stdout == "0\n1\n2\n"


def test_a_lower_bound_for_the_result_holds(session: Session) -> None:
    outcome = session.run("'x' * 5000", max_result_bytes=1000)
    assert (outcome.result, outcome.result_info.truncated) == ("x" * 500, True)
    outcome = session.run("1", max_result_bytes=10**9)
    assert any("max_result_bytes" in warning for warning in outcome.warnings)


def test_integers_are_exact_at_any_size(session: Session) -> None:
    assert session.run("2**64 + 1").result == 2**64 + 1
    assert session.run("-(7**20_000)").result == -(7**20_000)


def test_a_sandbox_that_does_not_start_is_no_fault_of_the_host_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(tmp_path) as worker:
        session = worker.session("s")
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", "/bin/false")
            with pytest.raises(WorkerUnavailable, match="did not start") as raised:
                session.run("return 1")
        assert raised.value.retryable
        assert session.run("return 1").result == 1


def test_the_outcome_tells_the_isolation_in_force(worker: Worker, session: Session) -> None:
    outcome = session.run("1")
    assert outcome.isolation == worker.isolation
    assert {"rlimits", "seccomp"} <= set(outcome.isolation)


def test_usage_is_measured(session: Session) -> None:
    outcome = session.run("sum(range(2_000_000))")
    assert outcome.usage.duration_ms > 1
    assert outcome.usage.cpu_ms > 1
    assert outcome.usage.peak_memory_bytes > 1_000_000
    assert outcome.usage.result_bytes == len("1999999000000")
    assert outcome.execution_id.startswith("ex_")


def test_what_on_output_raises_reaches_the_host_and_nothing_stays(table: Session) -> None:
    def failing(text: str) -> None:
        raise FileNotFoundError("the host's own")

    with pytest.raises(FileNotFoundError, match="the host's own"):
        table.run(
            "helpers.db.exec('DELETE FROM t')\nprint('x', flush=True)\nimport time\ntime.sleep(5)", on_output=failing
        )
    assert table.value("SELECT count(*) FROM t") == 3


def test_progress_and_warnings_come_as_they_arise(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemode.session.tally._PROGRESS_SECONDS", 0.0)
    heard: list[object] = []
    code = """
helpers.db.batch_insert('t', ({'a': n} for n in range(30_000)), create=True)
helpers.host.heard()
rows = helpers.db.query('SELECT a FROM t')
helpers.host.heard()
"""
    counts: list[int] = []
    functions = {"heard": lambda: counts.append(len(heard))}
    outcome = session.run(code, on_event=heard.append, functions=functions, timeout=10**6)
    [clamped, *figures, cut] = heard
    assert clamped == Notice(text=outcome.warnings[0])
    assert "timeout" in outcome.warnings[0]
    assert figures
    assert all(isinstance(each, Progress) and each.table == "t" and 0 < each.rows <= 30_000 for each in figures)
    assert isinstance(cut, Notice)
    assert cut.text in outcome.warnings
    assert counts == [len(heard) - 1, len(heard)]


def test_what_on_event_raises_reaches_the_host_and_nothing_stays(table: Session) -> None:
    def failing(event: object) -> None:
        raise FileNotFoundError("the host's own")

    endless = "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT a FROM n"
    code = f"helpers.db.exec('DELETE FROM t')\nhelpers.db.query('{endless}')"
    with pytest.raises(FileNotFoundError, match="the host's own"):
        table.run(code, on_event=failing)
    assert table.value("SELECT count(*) FROM t") == 3


def test_a_repeated_execution_tells_its_warnings_again(session: Session) -> None:
    heard: list[object] = []
    first = session.run("1", timeout=10**6, idempotency_key="k")
    session.run("1", timeout=10**6, idempotency_key="k", on_event=heard.append)
    assert heard == [Notice(text=text) for text in first.warnings]


ENDINGS = [("sys.exit()", None), ("sys.exit(0)", None), ("exit()", None), ("result = 5\nsys.exit(0)", 5)]


@pytest.mark.parametrize(("ending", "result"), ENDINGS)
def test_leaving_with_status_0_is_ending_well(table: Session, ending: str, result: object) -> None:
    outcome = table.run(f"import sys\nhelpers.db.exec('DELETE FROM t')\n{ending}\nraise ValueError('not reached')")
    assert (outcome.ok, outcome.result, outcome.db.committed) == (True, result, True)
    assert table.value("SELECT count(*) FROM t") == 0


def test_leaving_with_another_status_is_an_error(table: Session) -> None:
    outcome = table.run("import sys\nhelpers.db.exec('DELETE FROM t')\nsys.exit('no input')")
    assert (outcome.ok, outcome.error.code, outcome.db.rolled_back) == (False, "code.runtime", True)


def test_a_word_that_is_none_of_a_few_is_told_with_those_there_are(worker: Worker) -> None:
    with pytest.raises(RequestInvalid, match="'x' is no status: there are active, closed, expired"):
        worker.sessions(status="x")
    with pytest.raises(RequestInvalid, match="one scope or more, of read, execute, admin"):
        worker.create_token(scopes=("x",))
