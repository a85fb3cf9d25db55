"""A worker that a program makes, and neither closes nor keeps: what it had is closed all the same."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker


def opened_below(place: Path) -> list[Path]:
    """The files below `place` that this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(each.readlink())
    return [each for each in found if each.is_relative_to(place)]


@pytest.mark.parametrize("temporary", [False, True])
def test_it_leaves_neither_an_open_file_nor_a_thread(
    tmp_path: Path, temporary: bool, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(None if temporary else tmp_path)
    worker.session("s").run("return 1")
    place, thread = worker.data_dir, worker._sweeper._thread
    assert opened_below(place)
    del worker
    gc.collect()
    thread.join(HANG_SECONDS)
    assert not thread.is_alive()
    assert opened_below(place) == []
    assert soon(lambda: gc.collect() >= 0 and place.exists() is not temporary)
    assert not caplog.records


def test_its_sessions_keep_it(tmp_path: Path) -> None:
    session = Worker(tmp_path).session("s")
    gc.collect()
    session.exec("CREATE TABLE t (x)")
    assert session.run("return helpers.schema.get_tables()").result == ["t"]
