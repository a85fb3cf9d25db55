"""Live variables: kept between the executions of one session, lost with their process, never anybody else's."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import soon

from codemode import Limits, Outcome, Session, Settings, Worker
from codemode.session.execution import variables_key

SMALL = Limits(memory_bytes=128 * 1024 * 1024, execution_seconds=20)


@pytest.fixture
def live(worker: Worker) -> Session:
    return worker.session(stateful=True)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Worker]:
    with Worker(data_dir=tmp_path, limits=SMALL, settings=Settings(kept_children=2)) as worker:
        yield worker


def ran(session: Session, code: str, **options: Any) -> Any:
    outcome = session.run(code, **options)
    assert outcome.ok, outcome.error
    return outcome.result


def fresh(outcome: Outcome, reason: str) -> bool:
    return outcome.variables == "fresh" and reason in str(outcome.variables_reason)


def child_of(session: Session, worker: Worker) -> Any:
    record = worker.registry.record((session.tenant, session.id))
    return worker.sandbox._holding._waiting[variables_key(record)].child


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(child: Any) -> None:
    assert soon(lambda: not child.alive())


def test_names_functions_classes_and_imports_stay(live: Session) -> None:
    first = live.run("""
import math
from collections import Counter
class Point:
    def __init__(self, x): self._x = x
    def double(self): return Point(self._x * 2)
def area(r): return round(math.pi * r * r, 2)
seen, squares = Counter(), (n * n for n in range(10))
next(squares)
""")
    assert (first.variables, first.variables_reason) == ("fresh", "nothing has run in it since the worker was started")
    second = live.run("seen[area(1)] += 1\nreturn [dict(seen), next(squares), Point(2).double()._x, math.floor(2.5)]")
    assert (second.variables, second.variables_reason) == ("kept", None)
    assert second.result == [{"3.14": 1}, 1, 4, 2]
    assert ran(live, "return [isinstance(Point(1), Point), next(squares)]") == [True, 4]


def test_the_default_is_a_fresh_child(session: Session) -> None:
    outcome = session.run("x = 1")
    assert (outcome.variables, outcome.variables_reason) == (None, None)
    assert session.run("return x").error is not None


def test_variables_are_no_part_of_a_rollback(live: Session) -> None:
    failed = live.run("helpers.db.create_table('t', 'a')\nx = [1]\nraise ValueError")
    assert failed.db.rolled_back
    assert ran(live, "return x") == [1]
    assert live.get_tables() == []


def test_the_value_is_the_snippets_own(live: Session) -> None:
    assert ran(live, "result = 5") == 5
    assert ran(live, "y = 1") is None, "the variable is of an earlier snippet"
    assert ran(live, "result") == 5
    assert ran(live, "result = 5") == 5
    assert ran(live, "def f():\n    global result\n    result = 6\nf()") == 6
    assert ran(live, "z = 1", inputs={"result": 6}) == 6


def test_inputs_and_functions_are_each_executions_own(live: Session) -> None:
    ran(live, "def call(): return helpers.host.f(n)\nlend = helpers.host.f", inputs={"n": 1}, functions={"f": str})
    assert ran(live, "return call()", inputs={"n": 2}, functions={"f": lambda n: n * 10}) == 20
    assert ran(live, "return lend(n)", functions={"f": lambda n: -n}) == -2
    without = live.run("return call()")
    assert without.error is not None
    assert "no 'f'" in without.error.message
    stale = live.run("return lend(1)")
    assert stale.error is not None
    assert "no function 'f'" in stale.error.message


def test_functions_are_variables_for_as_long_as_they_are_lent(live: Session) -> None:
    assert ran(live, "def call(): return f(1)\nreturn call()", functions={"f": lambda n: n}) == 1
    assert ran(live, "return call()", functions={"f": lambda n: -n}) == -1
    gone = live.run("return call()")
    assert gone.error is not None
    assert "'f' is not defined" in gone.error.message
    ran(live, "f = 5", functions={"f": lambda n: n})
    assert ran(live, "return f") == 5, "what a snippet called so stays"
    assert ran(live, "return f(2)", functions={"f": lambda n: n}) == 2


def test_helpers_that_were_given_a_name_go_on_working(live: Session) -> None:
    ran(live, "db = helpers.db\nfrom helpers.db import query\ndb.create_table('t', 'a')\nhelpers = None")
    assert ran(live, "db.exec('INSERT INTO t VALUES (1)')\nreturn query('SELECT a FROM t')") == [{"a": 1}]
    assert ran(live, "return helpers.db.value('SELECT count(*) FROM t')") == 1, "helpers are always there"
    assert live.logs(1)[0].rows_read == 1


def test_an_iterator_of_an_earlier_execution_reads_nothing_of_a_later_one(live: Session) -> None:
    live.script("CREATE TABLE t AS SELECT 1 AS a UNION ALL SELECT 4; CREATE TABLE u AS SELECT 2 AS a")
    ran(live, "old = helpers.db.pages('SELECT a FROM t', size=1)\nfirst = next(old)")
    outcome = live.run("""
new = helpers.db.pages("SELECT a FROM u UNION ALL SELECT 3", size=1)
try:
    next(old)
except helpers.Error as error:
    print(error.message)
del old, first
return [row["a"] for page in new for row in page]
""")
    assert outcome.result == [2, 3], "closing the old one does not close the new one"
    assert "this page iterator is closed" in outcome.stdout


def test_printing_goes_to_the_outcome_of_its_execution(live: Session) -> None:
    first = live.run("import sys, io, logging\nsys.stdout = io.StringIO()\nprint('lost')\ndef say(): print('said')")
    second = live.run("say()\nprint('here', file=sys.stderr)\nlogging.warning('logged')")
    assert first.stdout == ""
    assert second.stdout == "said\nhere\nWARNING:root:logged\n"


def test_limits_are_of_each_execution(live: Session, worker: Worker) -> None:
    session = worker.session(stateful=True, limits=Limits(helper_calls=5, stdout_bytes=10))
    for _ in range(3):
        outcome = session.run("for _ in range(5): helpers.db.value('SELECT 1')\nprint('123456789')")
        assert outcome.ok
        assert (outcome.usage.helper_calls, outcome.stdout_truncated) == (5, False)


def test_processor_time_is_counted_for_each_execution(live: Session) -> None:
    spin = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass"
    assert live.run(spin).usage.cpu_ms >= 400
    assert live.run("1").usage.cpu_ms < 200


def test_a_timeout_takes_the_variables_along(live: Session) -> None:
    ran(live, "x = 1")
    late = live.run("while True: pass", timeout=0.3)
    assert (late.status, late.variables) == ("timeout", "kept")
    assert late.warnings == ("the variables are gone: the last execution took too long",)
    after = live.run("return x")
    assert fresh(after, "took too long")
    assert after.error is not None
    assert live.run("1").variables == "kept"


def test_a_cancel_takes_the_variables_along(live: Session) -> None:
    ran(live, "x = 1")
    live.run("print('in')\nwhile True: pass", on_output=lambda _: live.cancel())
    assert fresh(live.run("1"), "was cancelled")


def test_a_host_that_breaks_off_takes_the_variables_along(live: Session) -> None:
    def broken(text: str) -> None:
        raise RuntimeError(text)

    ran(live, "x = 1")
    with pytest.raises(RuntimeError, match="in"):
        live.run("print('in')", on_output=broken)
    assert fresh(live.run("1"), "was broken off")


def test_too_much_memory_takes_the_variables_along(alone: Worker) -> None:
    session = alone.session(stateful=True)
    ran(session, "x = 1")
    assert session.run("y = 'x' * 10**9").error.code == "code.memory"  # type: ignore[union-attr]
    assert fresh(session.run("1"), "more memory")
    ran(session, "blob = bytearray(90 * 2**20)")
    assert session.run("other = bytearray(90 * 2**20)").error.code == "code.memory"  # type: ignore[union-attr]
    ran(session, "other = bytearray(90 * 2**20)")


def test_a_child_that_dies_between_two_executions_is_replaced(alone: Worker) -> None:
    session = alone.session(stateful=True)
    ran(session, "x = 1")
    child = child_of(session, alone)
    os.kill(child.process_id, signal.SIGKILL)
    ends(child)
    assert fresh(session.run("1"), "its process had ended")
    assert session.run("1").variables == "kept"


def test_a_lost_zygote_takes_all_variables_along(alone: Worker) -> None:
    sessions = [alone.session(stateful=True) for _ in range(2)]
    for session in sessions:
        ran(session, "x = 1")
    child = child_of(sessions[1], alone)
    signal.pidfd_send_signal(alone.sandbox._children._link._zygote, signal.SIGKILL)
    ends(child)
    assert [fresh(session.run("1"), "its process had ended") for session in sessions] == [True, True]


def test_variables_that_nobody_uses_end(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(kept_seconds=0.2)) as worker:
        session = worker.session(stateful=True)
        ran(session, "x = 1")
        assert soon(lambda: worker.sandbox.children["kept"] == 0)  # by the watcher, without a next execution
        assert fresh(session.run("1"), "not used for 0.2 s")


def test_the_least_recently_used_makes_room(alone: Worker) -> None:
    first, second, third = (alone.session(stateful=True) for _ in range(3))
    for session in (first, second, first, third):
        ran(session, "x = 1")
    assert first.run("x").variables == "kept"
    assert third.run("x").variables == "kept"
    assert fresh(second.run("1"), "made room")
    assert len(alone.sandbox._holding._waiting) == 2


def test_no_variables_are_kept_where_no_child_may_be(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(kept_children=0)) as worker:
        session = worker.session(stateful=True)
        assert "kept_children is 0" in session.run("x = 1").warnings[0]
        assert fresh(session.run("1"), "kept_children is 0")


def test_no_session_sees_the_variables_of_another(worker: Worker) -> None:
    first, second = worker.session(stateful=True), worker.session(stateful=True)
    ran(first, "secret = 1")
    outcome = second.run("return secret")
    assert (outcome.variables, outcome.ok) == ("fresh", False)
    for name in ("globals", "dir"):
        assert "secret" not in str(ran(second, f"return sorted(map(str, {name}()))"))
    assert worker.session(tenant="local").run("return secret").ok is False


def test_a_session_made_anew_has_none_of_the_old_variables(alone: Worker) -> None:
    ran(alone.session("s", stateful=True), "x = 1")
    child = child_of(alone.session("s"), alone)
    alone.remove("s")
    assert not child.alive(), "what it remembers of the data goes with the data"
    assert fresh(alone.session("s", stateful=True).run("1"), "nothing has run")


def test_a_session_made_anew_by_another_process_has_none_either(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as there:
        session = here.session("s", stateful=True)
        ran(session, "x = 1")
        there.remove("s")
        time.sleep(0.01)  # made in another millisecond
        there.session("s", stateful=True)
        assert fresh(session.run("return x"), "nothing has run")


def test_a_restore_leaves_the_variables_alone(live: Session) -> None:
    live.exec("CREATE TABLE t AS SELECT 1 AS a")
    live.checkpoint("before")
    ran(live, "helpers.db.exec('DELETE FROM t')\nx = 1")
    live.restore("before")
    outcome = live.run("return [x, helpers.db.value('SELECT count(*) FROM t')]")
    assert (outcome.result, outcome.variables) == ([1, 1], "kept")


def test_an_expired_session_leaves_no_child(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        ran(worker.session("s", stateful=True), "x = 1")
        child = child_of(worker.session("s"), worker)
        worker.session("s", limits=Limits(idle_seconds=0.01))
        time.sleep(0.03)
        assert worker.sweep() == ["s"]
        assert not child.alive()


def test_it_is_a_property_of_the_session(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s", stateful=True)
        assert worker.info("s").stateful
        assert worker.session("s").run("x = 1").variables == "fresh"
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        assert fresh(session.run("x = 1"), "nothing has run in it since the worker was started")
        assert session.run("x").variables == "kept"
        assert worker.session("s", stateful=False).run("x").variables is None
        assert [info.stateful for info in worker.sessions()] == [False]


def test_a_worker_that_closes_ends_them(tmp_path: Path) -> None:
    worker = Worker(data_dir=tmp_path)
    session = worker.session(stateful=True)
    ran(session, "x = 1")
    child = child_of(session, worker)
    pid = child.process_id
    worker.close()
    assert soon(lambda: not runs(pid))


def test_top_level_await_in_each_execution(live: Session) -> None:
    ran(live, "import asyncio\nasync def double(n):\n    await asyncio.sleep(0)\n    return 2 * n\nx = await double(2)")
    assert ran(live, "return await double(x) + sum(await asyncio.gather(double(1), double(2)))") == 14


def test_tasks_end_with_their_execution(live: Session) -> None:
    live.create_table("t", "a")
    code = """
import asyncio
async def later():
    while True:
        await asyncio.sleep(0)
        helpers.db.exec("INSERT INTO t VALUES (1)")
task = asyncio.create_task(later())
await asyncio.sleep(0)
"""
    ran(live, code)
    before = live.value("SELECT count(*) FROM t")
    assert ran(live, "await asyncio.sleep(0.05)\nreturn task.cancelled()") is True
    assert live.value("SELECT count(*) FROM t") == before


def test_what_a_forgotten_generator_does_counts_where_it_happens(live: Session) -> None:
    live.create_table("t", "a")
    ran(
        live,
        """
def tidy():
    try:
        yield
    finally:
        helpers.db.exec("INSERT INTO t VALUES (1)")
        print("tidied")
left = tidy()
next(left)
""",
    )
    outcome = live.run("left = None", dry_run=True)
    assert (outcome.stdout, outcome.db.rows_written, outcome.usage.helper_calls) == ("tidied\n", 1, 1)
    assert live.value("SELECT count(*) FROM t") == 0


def test_lines_are_those_of_the_running_snippet(live: Session) -> None:
    ran(live, "# one\n# two\ndef divide(a):\n    return 1 / a")
    outcome = live.run("x = 1\n\ndivide(0)")
    assert outcome.error is not None
    assert outcome.error.line == 3
    assert outcome.error.traceback == (
        "Traceback (most recent call last):\n  line 3, in <module>\n    divide(0)\n"
        "  line 4 of an earlier snippet, in divide\n    return 1 / a\nZeroDivisionError: division by zero"
    )


def test_a_refused_snippet_changes_no_variable(live: Session) -> None:
    ran(live, "x = 1")
    outcome = live.run("x = 2\nimport math as __class__")
    assert outcome.status == "rejected"
    assert outcome.variables == "kept"
    assert ran(live, "return x") == 1
    assert live.run("return x", inputs={"x": 3}).result == 3


def test_a_name_of_an_earlier_snippet_is_not_taken_for_a_builtin(live: Session) -> None:
    ran(live, "def compile(text): return text.upper()")
    assert ran(live, "return compile('a')") == "A"


def test_a_replay_touches_no_variable(live: Session) -> None:
    code = "n = n + 1 if 'n' in globals() else 1\nreturn n"
    for _ in range(2):
        assert ran(live, code, idempotency_key="k") == 1
    assert ran(live, "return n") == 1


def test_several_callers_share_the_variables_one_after_the_other(live: Session) -> None:
    ran(live, "n = 0")
    threads = [threading.Thread(target=live.run, args=("n += 1",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def more() -> None:
        await asyncio.gather(*(live.run_async("n += 1") for _ in range(4)))

    asyncio.run(more())
    assert ran(live, "return n") == 10


def test_sessions_side_by_side_keep_their_own(alone: Worker) -> None:
    def work(number: int) -> None:
        session = alone.session(f"s{number}", stateful=True)
        for step in range(8):
            outcome = session.run(
                f"n = n + 1 if 'n' in globals() and n // 100 == {number} else {number} * 100\nreturn n"
            )
            found.append(outcome.ok and outcome.result // 100 == number and outcome.result % 100 <= step)

    found: list[bool] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 32
