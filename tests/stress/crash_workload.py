"""What a worker does until it is killed: random writes, each told before it begins and after it is acknowledged."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from codemode import Limits, Outcome, Session, Worker
from codemode.errors import SessionExpired

BATCH, PARTS, EACH, LOADED = 700, 3, 6, 1500
SHORT = Limits(idle_seconds=0.02)
SETUP = """
CREATE TABLE IF NOT EXISTS batched (n, half);
CREATE TABLE IF NOT EXISTS parts (n, part, i);
CREATE TABLE IF NOT EXISTS single (n, i);
CREATE TABLE IF NOT EXISTS stated (n PRIMARY KEY);
CREATE TABLE IF NOT EXISTS counter (x);
CREATE TABLE IF NOT EXISTS failed (n);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""
Tell = Callable[..., None]


def run(session: Session, tell: Tell, code: str, **options: Any) -> Outcome:
    outcome = session.run(code, **options)
    tell("logged", session=session.id, execution=outcome.execution_id)
    return outcome


def expect(outcome: Outcome) -> None:
    if not outcome.ok:
        raise AssertionError(f"{outcome.status}: {outcome.error}")


def batched(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    code = f"helpers.db.batch_insert('batched', ({{'n': {n}, 'half': h}} for h in range({BATCH})))"
    expect(run(session, tell, code))


def parts(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    code = f"""
for part in range({PARTS}):
    helpers.db.batch_insert("parts", [{{"n": {n}, "part": part, "i": i}} for i in range(40)])
    if part < {PARTS - 1}:
        helpers.db.commit()
        print(part, flush=True)
"""
    expect(run(session, tell, code, on_output=lambda text: [tell("part", part=int(p)) for p in text.split()]))


def single(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    code = f"""
for i in range({EACH}):
    helpers.db.exec("INSERT INTO single VALUES ({n}, ?)", [i])
    print(i, flush=True)
"""
    told = lambda text: [tell("part", part=int(i)) for i in text.split()]  # noqa: E731
    expect(run(session, tell, code, atomic=False, on_output=told))


def schema(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    code = f"""
helpers.db.exec("CREATE TABLE made_{n} (a INTEGER, b TEXT)")
helpers.db.batch_insert("made_{n}", [{{"a": i, "b": "x" * 300}} for i in range(100)])
helpers.db.exec("CREATE INDEX made_{n}_by_a ON made_{n} (a)")
helpers.db.exec("ALTER TABLE made_{n} ADD COLUMN c DEFAULT 7")
helpers.db.exec("CREATE VIEW seen_{n} AS SELECT c FROM made_{n}")
"""
    expect(run(session, tell, code))


def dropped(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    session.create_table(f"gone_{n}", "a")
    tell("part", part=0)
    session.exec(f"DROP TABLE gone_{n}")


def state(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    expect(
        run(session, tell, f"helpers.db.save_state('k{n}', {n})\nhelpers.db.exec('INSERT INTO stated VALUES ({n})')")
    )


def counted(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    expect(run(session, tell, "helpers.db.exec('UPDATE counter SET x = x + 1')"))


def failing(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    outcome = run(session, tell, f"helpers.db.exec('INSERT INTO failed VALUES ({n})')\nraise ValueError('on purpose')")
    if outcome.ok or not outcome.db.rolled_back:
        raise AssertionError(f"a failed execution says {outcome.db}")


def loaded(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    rows = ((i, "y" * 200) for i in range(LOADED))
    session.load(f"loaded_{n}", [("a", "INTEGER"), ("b", "TEXT")], rows)


def compacted(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    session.compact()


def created(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    worker.session(f"new-{n}").exec("CREATE TABLE t AS SELECT 1 AS a")


def removed(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    worker.session(f"old-{n}").exec("CREATE TABLE t AS SELECT 1 AS a")
    tell("part", part=0)
    worker.remove(f"old-{n}")


def swept(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    worker.session(f"over-{n}").exec("CREATE TABLE t AS SELECT 1 AS a")
    worker.session(f"over-{n}", limits=SHORT)
    time.sleep(0.03)
    worker.sweep()


def renewed(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    worker.session(f"again-{n}").exec("CREATE TABLE t AS SELECT 1 AS a")
    worker.session(f"again-{n}", limits=SHORT)
    time.sleep(0.03)
    try:
        worker.session(f"again-{n}")
    except SessionExpired:
        tell("part", part=0)
    worker.session(f"again-{n}", renew=True, limits=Limits(idle_seconds=3600)).exec("CREATE TABLE u AS SELECT 1 AS a")


def restored(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    session = worker.session(f"kept-{n}")
    session.load("t", [("a", "TEXT")], (("first" * 20,) for _ in range(LOADED)))
    session.checkpoint("first")
    tell("part", part=0)
    session.script("UPDATE t SET a = 'second'; CREATE TABLE u (x); CREATE INDEX t_by_a ON t (a)")
    tell("part", part=1)
    session.restore("first")


def undone(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    session = worker.session(f"undone-{n}")
    session.load("t", [("a", "TEXT")], (("first" * 20,) for _ in range(LOADED)))
    tell("part", part=0)
    session.script("UPDATE t SET a = 'second'; CREATE TABLE u (x); CREATE INDEX t_by_a ON t (a)")
    tell("part", part=1)
    session.undo()
    tell("part", part=2)
    session.redo()


def forked(worker: Worker, session: Session, n: int, tell: Tell) -> None:
    source = worker.session(f"source-{n}")
    source.load("t", [("a", "TEXT")], (("first" * 20,) for _ in range(LOADED)))
    source.fork(f"fork-{n}")


DATA = (batched, parts, single, schema, dropped, state, counted, failing, loaded, compacted)
LIFE = (created, removed, swept, renewed, loaded, counted, restored, undone, forked)


def main(data_dir: Path, seed: int, first: int, pipe: int) -> None:
    """Work until killed; numbers of operations begin at `first`."""
    numbers, chosen = count(first), random.Random(seed)

    def say(**told: Any) -> None:
        os.write(pipe, json.dumps(told).encode() + b"\n")  # below the pipe's size: never cut, never mixed

    with Worker(data_dir=data_dir) as worker:
        for name in ("data", "life"):
            worker.session(name).script(SETUP)
        worker.session("data").run("1")
        say(ready=True)

        def work(name: str, operations: tuple[Callable[..., None], ...], chosen: random.Random) -> None:
            session = worker.session(name)
            while True:
                operation, n = chosen.choice(operations), next(numbers)

                def tell(phase: str, n: int = n, **more: Any) -> None:
                    say(n=n, phase=phase, **more)

                tell("begin", operation=operation.__name__, session=name)
                try:
                    operation(worker, session, n, tell)
                except BaseException as error:
                    tell("fault", fault=f"{type(error).__name__}: {error}"[:1500])
                    continue
                tell("done")

        other = threading.Thread(target=work, args=("life", LIFE, random.Random(seed + 1)))
        other.start()
        work("data", DATA, chosen)
