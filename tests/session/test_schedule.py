"""Backups by themselves: when one is due, who makes it, what is deleted, and what is told of a failure."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from patience import soon

from codemode import Worker
from codemode.errors import StorageFull
from codemode.session.archive import ArchiveReader
from codemode.session.schedule import Schedule, standing
from codemode.settings import BackupSettings


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Worker]:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        yield worker


def schedule(worker: Worker, to: Path, every: str = "6h", keep: int = 3) -> Schedule:
    return Schedule(worker.registry, BackupSettings(every=every, keep=keep, to=str(to)))


def names(to: Path) -> list[str]:
    return sorted(path.name for path in to.iterdir())


def age(path: Path, hours: float) -> Path:
    """The file as if it had been made so long ago."""
    moment = datetime.now(UTC) - timedelta(hours=hours)
    return path.rename(path.with_name(f"{path.name[:22]}{moment:%Y%m%dT%H%M%SZ}.zip"))


def test_one_is_due_at_first_and_then_when_the_time_has_passed(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    first = schedule(place, to).run_due()
    assert first is not None
    assert schedule(place, to).run_due() is None, "a restart repeats nothing"
    age(Path(first.file), 5.9)
    assert schedule(place, to).run_due() is None
    age(next(to.iterdir()), 6.1)
    assert schedule(place, to).run_due() is not None
    assert len(names(to)) == 2
    assert standing(place.data_dir, BackupSettings(to=str(to)))["backup_error"] is None


def test_without_a_schedule_nothing_is_made(place: Worker, tmp_path: Path) -> None:
    idle = Schedule(place.registry, BackupSettings(to=str(tmp_path / "to")))
    idle.start()
    assert idle.run_due() is None
    idle.stop()
    assert not (tmp_path / "to").exists()
    assert "last_backup" not in place.metrics()


def test_old_ones_are_deleted_and_nothing_else(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    first = schedule(place, to).run_due()
    data_id = Path(first.file).name[9:21]
    age(Path(first.file), 100)
    others = [
        f"codemode-{data_id}-20200101T000000Z.zip.old", f"x-codemode-{data_id}-20200101T000000Z.zip", "mine.zip",
        "codemode-everything-20200101T000000Z.zip", "codemode-0123456789ab-20200101T000000Z.zip",
        f"codemode-{data_id}-20090231T000000Z.zip",
    ]  # fmt: skip
    for name in others:
        (to / name).write_text("not mine")
    (to / f"codemode-{data_id}-20200102T000000Z.zip").symlink_to(tmp_path / "elsewhere")
    (to / f"codemode-{data_id}-20200103T000000Z.zip").mkdir()
    for year in (2001, 2002, 2003):
        (to / f"codemode-{data_id}-{year}0101T000000Z.zip").write_text("old")
    made = schedule(place, to).run_due()
    left = names(to)
    assert Path(made.file).name in left
    assert set(others) <= set(left)
    kept = [name for name in set(left).difference(others) if name.startswith(f"codemode-{data_id}")]
    assert len([name for name in kept if (to / name).is_file() and name.endswith("Z.zip")]) == 3
    assert not (to / f"codemode-{data_id}-20010101T000000Z.zip").exists()
    assert (to / f"codemode-{data_id}-20200103T000000Z.zip").is_dir()
    assert (to / f"codemode-{data_id}-20200102T000000Z.zip").is_symlink()


def test_while_a_session_cannot_be_read_no_old_one_is_deleted(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    good = age(Path(schedule(place, to, keep=1).run_due().file), 20)
    files = place.registry.files(("local", "s"))
    place.session("other")
    place.registry.slots.close(1.0)
    whole = files.database.read_bytes()
    files.database.write_bytes(b"\0garbage" * 999)
    made = schedule(place, to, keep=1).run_due()
    assert not made.complete
    assert good.exists()
    assert "s" in place.metrics()["backup_error"]
    files.database.write_bytes(whole)
    age(Path(made.file), 10)
    assert schedule(place, to, keep=1).run_due().complete
    assert len(names(to)) == 1
    assert place.metrics()["backup_error"] is None


def test_one_process_of_several_makes_it(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    script = f"""
from codemode import Worker
from codemode.session.schedule import Schedule
from codemode.settings import BackupSettings
with Worker(data_dir={str(place.data_dir)!r}) as worker:
    found = Schedule(worker.registry, BackupSettings(every="6h", to={str(to)!r})).run_due()
    print("made" if found else "none")
"""
    several = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = sorted(each.communicate(timeout=120)[0].strip() for each in several)
    assert told == ["made", "none", "none"]
    assert len(names(to)) == 1


def test_one_from_the_future_does_not_put_the_next_off(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    age(Path(schedule(place, to).run_due().file), -24 * 365)
    assert schedule(place, to).run_due() is not None
    assert schedule(place, to).run_due() is None


def test_those_of_a_clock_that_was_ahead_make_room_for_those_made_since(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    for days in (10, 20):
        made = schedule(place, to).run_due()
        assert made is not None
        age(Path(made.file), -24 * days)
    *_, ahead = names(to)
    made = schedule(place, to, keep=2).run_due()
    assert made is not None
    assert names(to) == [Path(made.file).name, ahead]
    older = age(Path(made.file), 7)
    made = schedule(place, to, keep=2).run_due()
    assert made is not None
    assert names(to) == [older.name, Path(made.file).name]


def test_a_failure_is_told_and_the_next_attempt_clears_it(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    to.write_text("a file stands here")
    failing = schedule(place, to)
    with pytest.raises(StorageFull):
        failing.run_due()
    failing.start()
    assert soon(lambda: place.metrics().get("backup_error"))
    failing.stop()
    assert "stands" in place.metrics()["backup_error"]
    assert place.metrics()["last_backup"] is None
    to.unlink()
    assert schedule(place, to).run_due() is not None
    assert standing(place.data_dir, BackupSettings(to=str(to)))["backup_error"] is None


def test_the_thread_makes_them_and_ends_at_once(
    place: Worker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "codemode")
    running = schedule(place, tmp_path / "to", every="1s", keep=2)
    running.start()
    assert soon(lambda: "is deleted" in caplog.text)
    running.stop()
    found = names(tmp_path / "to")
    assert len(found) == 2
    for name in found:
        with ArchiveReader(tmp_path / "to" / name) as reader:
            reader.verify()


def test_what_a_killed_process_has_left_is_swept(place: Worker, tmp_path: Path) -> None:
    to = tmp_path / "to"
    made = Path(schedule(place, to).run_due().file)
    rubbish = to / f".{made.name}.0123456789ab.part"
    rubbish.mkdir()
    (rubbish / "archive").write_text("half")
    (to / ".other.part").mkdir()
    age(made, 7)
    schedule(place, to).run_due()
    assert not rubbish.exists()
    assert (to / ".other.part").exists()


def test_it_stops_in_the_middle_of_one(place: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = schedule(place, tmp_path / "to")
    monkeypatch.setattr(running, "_go_on", lambda done, total: (running._stop.set(), Schedule._go_on(running, 0, 0)))
    running.start()
    running._thread.join(60)
    assert not running._thread.is_alive()
    assert names(tmp_path / "to") == []
