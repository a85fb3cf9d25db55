"""What was there before a change is what the change before it left, however many change one record at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from codemode import Worker
from codemode.service import configuring, directory, links, panels, participants, places
from codemode.service.auditing import Change
from codemode.service.callers import LOCAL
from codemode.service.service import Service
from codemode.settings import Settings

_TIMES, _THREADS = 8, 4
# Each sets a field to a number of its own; which field the audit log tells of.
CHANGES: dict[str, Callable[[Service, int], Change]] = {
    "display_name": lambda service, n: directory.update_user(service, LOCAL, "ann", display_name=f"{n}")[1],
    "name": lambda service, n: directory.update(service, LOCAL, "workspaces", "w", name=f"{n}")[1],
    "title": lambda service, n: panels.update(service, LOCAL, "s", "p", title=f"{n}")[1],
    "type": lambda service, n: places.change(service, LOCAL, "s", closed=True, type=f"{n}"),
    "value": lambda service, n: configuring.put(service, LOCAL, "k", f"{n}")[1],
    "state": lambda service, n: links.put_mcp_session(service, LOCAL, "s", "m", "1", state=f"{n}")[1],
    "metadata": lambda service, n: participants.share(service, LOCAL, "s", "ann", "member", {"n": f"{n}"})[1],
}


@pytest.mark.parametrize("kind", ["", "memory", "postgres"], ids=["sqlite", "memory", "postgres"])
def test_no_two_changes_have_the_same_old_value(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    catalog = request.getfixturevalue("postgres").emptied() if kind == "postgres" else kind
    with Worker(data_dir=tmp_path, settings=Settings(catalog=catalog)) as worker:
        service, known = Service(worker, open_to_all=True), worker.of("local")
        worker.session("s")
        known.users.create("ann", now=1)
        known.workspaces.create("w", now=1, record_id="w")
        known.panels.create("s", "p", query="SELECT 1", now=1, panel_id="p")
        known.configuration.put("k", "begin", now=1)
        known.participants.put("s", "ann", now=1)
        known.mcp_sessions.put("s", "m", "1", state="begin", now=1)
        old: dict[str, list[object]] = {name: [] for name in CHANGES}

        def change(start: int) -> None:
            for number in range(start, start + _TIMES):
                for name, make in CHANGES.items():
                    old[name].append(str(make(service, number).values()[0][name]))

        threads = [threading.Thread(target=change, args=(place * _TIMES,)) for place in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name, values in old.items():
        assert len(values) == len(set(values)) == _TIMES * _THREADS, name
