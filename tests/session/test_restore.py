"""Restores: what comes back is what was there, nothing there is lost unasked, and nothing hostile is believed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw
import pytest
from patience import HANG_SECONDS

from codemode import Session, Settings, Worker
from codemode.database import copies
from codemode.database.clock import now_ms
from codemode.errors import (
    BackupDamaged,
    CodemodeError,
    RequestInvalid,
    SessionDamaged,
    SessionExists,
    SessionNewer,
    SessionNotFound,
    StorageFull,
)
from codemode.limits import Limits
from codemode.session.archive import ArchiveReader
from codemode.session.offers import check_databases


def everything(session: Session) -> dict[str, Any]:
    """Every table of both files with all rows, the engine's among them, the schema, and the checkpoints."""
    files = session._registry.files((session.tenant, session.id))
    found: dict[str, Any] = {"checkpoints": session.checkpoints()}
    for path in (files.database, files.log):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        found[path.name] = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"
        ).fetchall()
        tables = [row[1] for row in found[path.name] if row[0] == "table" and row[1] != "_codemode_version"]
        for name in tables:
            found[f"{path.name} {name}"] = connection.execute(f'SELECT * FROM "{name}"').fetchall()
        connection.close()
    return found


def furnish(session: Session) -> None:
    session.script(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT CHECK (length(name) < 50), photo BLOB, weight REAL);"
        "CREATE INDEX by_name ON people (lower(name));"
        "CREATE TABLE pets (owner REFERENCES people (id), name);"
        "CREATE VIEW owners AS SELECT people.name, pets.name AS pet FROM people JOIN pets ON owner = people.id;"
        "CREATE TRIGGER shout AFTER INSERT ON pets BEGIN"
        " UPDATE pets SET name = upper(name) WHERE rowid = new.rowid; END;"
        "CREATE VIRTUAL TABLE notes USING fts5 (text)"
    )
    session.batch_insert(
        "people", [{"id": n, "name": f"n{n}", "photo": os.urandom(300), "weight": n / 7} for n in range(99)]
    )
    session.script("INSERT INTO pets VALUES (3, 'rex'), (4, NULL); INSERT INTO notes VALUES ('one two'), ('three')")
    session.save_state("k", {"deep": [1, None, "ü"]})
    session.checkpoint("first")
    session.run("helpers.db.exec('DELETE FROM people WHERE id > 90')", idempotency_key="once")
    session.run("1 / 0")
    session.run("return [{'n': n, 'text': 'y' * 300} for n in range(9_000)]")
    session.run("return {'deep': ['y' * 100] * 20_000}")
    session.checkpoint("second")


def test_a_removed_session_comes_back_as_it_was(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        session = worker.session("s", limits=Limits(rows=7, idle_seconds=5000), stateful=True, owner="ada")
        furnish(session)
        worker.pin("s")
        worker.of().participants.put("s", "bob", role="viewer", now=5)
        before, info = everything(session), worker.info("s")
        assert worker.backup(tmp_path / "b.zip").notes == ()
        worker.remove("s")
        done = worker.restore(tmp_path / "b.zip", "s")
        assert [(each.id, each.done) for each in done.sessions] == [("s", "made")]
        again = worker.session("s", create=False)
        assert everything(again) == before
        assert {"_result_1", "_result_2"} <= {name.rpartition(" ")[2] for name in before}
        found = worker.info("s")
        assert (found.created_at, found.pinned, found.stateful) == (info.created_at, True, True)
        assert found.last_activity > info.last_activity, "its expiry begins anew"
        assert (again.limits.rows, again.limits.idle_seconds) == (7, 5000)
        assert worker.registry.record(("local", "s")).owner == "ada"
        assert [(each.user, each.role) for each in worker.participants.all("local", "s")] == [
            ("bob", "viewer"), ("ada", "owner"),
        ]  # fmt: skip
        replayed = again.run("helpers.db.exec('DELETE FROM people WHERE id > 90')", idempotency_key="once")
        assert replayed.replayed, "what ran once does not run again"
        again.restore("first")
        assert again.value("SELECT count(*) FROM people") == 99
        assert again.query("SELECT text FROM notes WHERE notes MATCH 'two'") == [{"text": "one two"}]
        assert stat.S_IMODE(worker.registry.files(("local", "s")).database.stat().st_mode) == 0o600


@pytest.mark.parametrize("stores", [("", ""), ("memory", "postgres"), ("postgres", "postgres")], ids="-".join)
def test_everything_comes_back_in_an_empty_place_with_tokens(
    tmp_path: Path, stores: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    def settings(kind: str) -> Settings:
        return Settings(catalog=request.getfixturevalue("postgres").emptied() if kind == "postgres" else kind)

    with Worker(data_dir=tmp_path / "data", settings=settings(stores[0])) as worker:
        secret, token = worker.create_token("other", name="kept")
        worker.session("a").exec("CREATE TABLE a (x)")
        worker.session("a", tenant="other").exec("CREATE TABLE b (x)")
        worker.audit.add(at=5, tenant="other", actor="x", action="y")
        other = worker.of("other")
        other.users.create("ann", now=5, kind="agent")
        other.groups.create("crew", now=5)
        first = other.messages.post("a", "the disk is full", user_id="ann", now=5)
        other.messages.post("a", "which one?", thread=first.id, now=6)
        worker.backup(tmp_path / "b.zip")
    with Worker(data_dir=tmp_path / "new", settings=settings(stores[1])) as worker:
        done = worker.restore(tmp_path / "b.zip")
        assert done.catalog
        assert worker.of("other").statistics.get().active_agents == 0
        assert {(each.tenant, each.id) for each in done.sessions} == {("local", "a"), ("other", "a")}
        assert worker.session("a", create=False, tenant="other").get_tables() == ["b"]
        assert worker.session("a", create=False).get_tables() == ["a"]
        assert worker.tokens.find(secret, 10)[0].id == token.id
        assert [act.action for act in worker.audit.read("other")] == ["y"]
        assert worker.of("other").users.get("ann").kind == "agent"
        assert worker.of("other").groups.page().rows
        assert worker.of("other").messages.page(text="disk").rows == [first]
        assert worker.of("other").messages.page(thread=first.id).rows[1] == first


@pytest.mark.parametrize(
    ("backed_up", "kind"),
    [((None, None), ""), (("a", None), "postgres"), ((None, "local"), "memory")],
    ids=["all", "one", "tenant"],
)
def test_one_session_comes_back_with_its_records(
    tmp_path: Path, backed_up: tuple[str | None, str | None], kind: str, request: pytest.FixtureRequest
) -> None:
    catalog = request.getfixturevalue("postgres").emptied() if kind == "postgres" else kind
    with Worker(data_dir=tmp_path / "data", settings=Settings(catalog=catalog)) as worker:
        here = worker.of("local")
        room = here.workspaces.create("room", now=5)
        worker.session("a").exec("CREATE TABLE a (x)")
        worker.session("b")
        here.sessions.update("a", workspace_id=room.id, type="chat", now=5)
        first = here.messages.post("a", "the disk is full", user_id="ann", now=5)
        answer = here.messages.post("a", "which one?", thread=first.id, now=6)
        here.messages.post("b", "of another", now=6)
        panel = here.panels.create("a", "Disks", query="SELECT * FROM a", now=7)
        here.participants.put("a", "ann", now=5)
        here.subscriptions.add("ann", "a", panel_id=panel.id, now=8)
        session_id, tenant = backed_up
        worker.backup(tmp_path / "b.zip", session_id, tenant=tenant)
        worker.restore(tmp_path / "b.zip", "a", new_id="again")
        assert [each.id for each in here.messages.page("again", thread=first.id).rows] == [answer.id, first.id]
        assert [each.content for each in here.messages.page(text="disk").rows] == ["the disk is full"] * 2
        assert [each.title for each in here.panels.page("again").rows] == ["Disks"]
        assert (here.sessions.get("again").workspace_id, here.sessions.get("again").type) == (room.id, "chat")
        assert {each.session_id for each in here.subscriptions.of_user("ann").rows} == {"a", "again"}
        assert here.statistics.get().messages == 5
        worker.remove("a")
        here.users.remove("ann", now=9)
        assert not worker.restore(tmp_path / "b.zip", "a").catalog
        assert [each.id for each in here.messages.page("a").rows] == [answer.id, first.id]
        assert [each.left_at for each in worker.participants.all("local", "a")] == [9], "she was deleted since"
    with Worker(data_dir=tmp_path / "elsewhere") as other:
        other.restore(tmp_path / "b.zip", "a")
        assert [each.user_id for each in other.of("local").messages.page("a").rows] == [None, "ann"]
        assert other.of("local").sessions.get("a").workspace_id is None, "there is no such workspace"


def test_tokens_of_a_place_in_use_stay_what_they_are(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        secret, token = worker.create_token("other")
        worker.session("a", tenant="other")
        worker.backup(tmp_path / "b.zip")
        worker.tokens.revoke(token.id, 10)
        worker.remove("a", tenant="other")
        assert not worker.restore(tmp_path / "b.zip").catalog
        assert worker.tokens.find(secret, 20) is None, "a revoked token stays so"
    with Worker(data_dir=tmp_path / "third") as worker:
        assert not worker.restore(tmp_path / "b.zip", tenant="other").catalog
        assert worker.tokens.all() == []


def test_a_session_that_is_there_is_never_changed_unasked(table: Session, worker: Worker, tmp_path: Path) -> None:
    worker.backup(tmp_path / "b.zip", table.id)
    table.exec("DELETE FROM t")
    with pytest.raises(SessionExists, match="already"):
        worker.restore(tmp_path / "b.zip")
    skipped = worker.restore(tmp_path / "b.zip", existing="skip")
    assert [each.done for each in skipped.sessions] == ["skipped"]
    assert table.value("SELECT count(*) FROM t") == 0
    worker.restore(tmp_path / "b.zip", existing="replace")
    assert table.value("SELECT count(*) FROM t") == 3
    assert table.logs(1, kind="restore")[0].statement == "backup b.zip"
    assert table.undo().what == "restore b.zip"
    assert table.value("SELECT count(*) FROM t") == 0
    worker.restore(tmp_path / "b.zip", table.id, new_id=f"{table.id}-2")
    assert worker.session(f"{table.id}-2", create=False).value("SELECT count(*) FROM t") == 3


def test_a_lost_catalogue_comes_back_and_newer_data_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Worker(data_dir=data) as worker:
        secret, _ = worker.create_token("acme")
        pinned, other = worker.session("pinned"), worker.session("other", tenant="acme", limits=Limits(rows=7))
        for session in (pinned, other):
            session.exec("CREATE TABLE t (x)")
        worker.pin("pinned")
        local = worker.of("local")
        local.messages.post("pinned", "said before", now=now_ms())
        worker.backup(tmp_path / "b.zip")
        pinned.exec("INSERT INTO t VALUES ('since')")
        worker.remove("other", tenant="acme")
    for file in data.glob("catalog.db*"):
        file.unlink()
    with Worker(data_dir=data) as worker:
        with pytest.raises(SessionExists, match="record back"):
            worker.restore(tmp_path / "b.zip")
        done = worker.restore(tmp_path / "b.zip", existing="skip")
        assert (done.catalog, {each.id: each.done for each in done.sessions}) == (
            True,
            {"other": "made", "pinned": "recorded"},
        )
        assert worker.tokens.find(secret, now_ms()) is not None
        assert worker.session("pinned", create=False).value("SELECT x FROM t") == "since"
        assert worker.info("pinned").pinned
        assert worker.info("pinned").size_bytes > 0
        assert [each.content for each in worker.of("local").messages.page("pinned").rows] == ["said before"]
        assert worker.session("other", create=False, tenant="acme").limits.rows == 7
        again = worker.restore(tmp_path / "b.zip", existing="skip")
        assert (again.catalog, {each.done for each in again.sessions}) == (False, {"skipped"})


def test_a_restore_waits_for_the_running_execution_and_others_see_one_commit(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker, Worker(data_dir=tmp_path / "data") as service:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        worker.backup(tmp_path / "b.zip")
        reader = service.session("s", create=False)
        printed = threading.Event()
        code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('in', flush=True)\nimport time\ntime.sleep(0.5)"
        running = threading.Thread(target=reader.run, args=(code,), kwargs={"on_output": lambda text: printed.set()})
        running.start()
        assert printed.wait(HANG_SECONDS)
        worker.restore(tmp_path / "b.zip", existing="replace")
        running.join()
        assert reader.value("SELECT count(*) FROM t") == 0
        reader.exec("INSERT INTO t VALUES (2)")
        assert session.query("SELECT x FROM t") == [{"x": 2}]


def test_who_had_the_removed_session_open_uses_the_restored_one(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker, Worker(data_dir=tmp_path / "data") as service:
        worker.session("s").exec("CREATE TABLE t (x)")
        worker.backup(tmp_path / "b.zip")
        session = service.session("s")
        session.exec("INSERT INTO t VALUES (1)")
        assert session.query("SELECT x FROM t", read_only=True) == [{"x": 1}]
        worker.remove("s")
        worker.restore(tmp_path / "b.zip")
        assert session.query("SELECT x FROM t", read_only=True) == []
        session.exec("INSERT INTO t VALUES (2)")
        assert worker.session("s").query("SELECT x FROM t") == [{"x": 2}]


@pytest.mark.parametrize("harm", ["garbage", "missing", "empty"])
def test_a_damaged_session_is_set_aside_for_the_restored_one(tmp_path: Path, harm: str) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        worker.backup(tmp_path / "b.zip")
        files = worker.registry.files(("local", "s"))
    if harm == "missing":
        files.database.unlink()
    else:
        files.database.write_bytes(b"" if harm == "empty" else b"\0garbage" * 999)
    with Worker(data_dir=tmp_path / "data") as worker:
        with pytest.raises(SessionDamaged):
            worker.session("s").get_tables()
        worker.restore(tmp_path / "b.zip", existing="replace")
        assert worker.session("s", create=False).get_tables() == ["t"]
        assert worker.session("s").run("helpers.db.exec('INSERT INTO t VALUES (1)')").ok
    assert len(list(files.directory.glob("session.db.damaged-*"))) == (harm != "missing")


def test_an_expired_session_and_a_rest_of_one_make_room(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        worker.backup(tmp_path / "b.zip")
        record = worker.registry.record(("local", "s"))
        worker.registry.catalog.expire("local", "s", record.created_at)
        assert worker.registry.ending.expire(worker.registry.catalog.get("local", "s"))
        rest = worker.registry.files(("local", "s"))
        rest.prepare()
        rest.lock.touch()
        worker.restore(tmp_path / "b.zip")
        assert worker.session("s", create=False).get_tables() == ["t"]


def test_a_database_without_its_record_is_not_overwritten(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        worker.backup(tmp_path / "b.zip")
        worker.session("s").exec("CREATE TABLE newer (x)")
        record = worker.registry.known(("local", "s"))
        worker.registry.catalog.forget("local", "s", record.created_at)
        with pytest.raises(SessionExists):
            worker.restore(tmp_path / "b.zip")
        worker.restore(tmp_path / "b.zip", existing="replace")
        assert worker.session("s", create=False).get_tables() == ["t"]
        worker.session("s").undo()
        assert worker.session("s").get_tables() == ["newer", "t"]


def test_what_is_asked_for_has_to_be_in_it(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s")
        worker.session("s", tenant="local")
        worker.tenants.make("other", 1)
        worker.session("s", tenant="other")
        worker.backup(tmp_path / "b.zip")
        with pytest.raises(SessionNotFound) as raised:
            worker.restore(tmp_path / "b.zip", "t")
        assert raised.value.available == ("s",)
        with pytest.raises(RequestInvalid, match="tenants have") as several:
            worker.restore(tmp_path / "b.zip", "s")
        assert several.value.available == ("local", "other")
        with pytest.raises(RequestInvalid, match="new id"):
            worker.restore(tmp_path / "b.zip", new_id="x")
        with pytest.raises(RequestInvalid, match="not a session id"):
            worker.restore(tmp_path / "b.zip", "s", tenant="other", new_id="../x")
        with pytest.raises(RequestInvalid, match=r"none\.zip"):
            worker.restore(tmp_path / "none.zip")


# Archives that nobody wrote by `backup`.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a data directory `source`, and a backup of its one session, which has a log and a checkpoint."""
    place = tmp_path_factory.mktemp("made")
    with Worker(data_dir=place / "source") as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.checkpoint("c")
        worker.backup(place / "good.zip")
    return place


@pytest.fixture
def good(made: Path, tmp_path: Path) -> Path:
    """That backup, and what it is of beside it, for the test alone."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "good.zip"


def remade(
    good: Path,
    *,
    manifest: Callable[[Any], None] = lambda told: None,
    files: Callable[[dict[str, bytes]], None] = lambda found: None,
    info: Callable[[zipfile.ZipInfo], None] = lambda entry: None,
) -> Path:
    """The archive anew, with changes, and with sizes and hashes that fit them."""
    with zipfile.ZipFile(good) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(found.pop("manifest.json"))
    files(found)
    copy = told["sessions"][0]
    for member in (told["catalog"], copy["database"], copy["log"], copy["checkpoints"][0]["file"]):
        data = found.get(member["name"], b"")
        member |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest(told)
    target = good.with_name("bad.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*found.items(), ("manifest.json", json.dumps(told).encode())]:
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            info(entry)
            archive.writestr(entry, data)
    return target


def refused(archive: Path, kind: type[CodemodeError], match: str) -> None:
    """It is refused by a restore, and a new data directory is left as it was."""
    place = archive.parent / "target"
    with Worker(data_dir=place) as worker:
        for existing in ("error", "replace"):
            with pytest.raises(kind, match=match):
                worker.restore(archive, existing=existing)
        assert worker.sessions() == []
        assert worker.tokens.all() == []
    assert list((place / "sessions").iterdir()) == []
    assert not (archive.parent / "evil").exists()


def found_by_verify(archive: Path, kind: type[CodemodeError]) -> None:
    with ArchiveReader(archive) as reader, pytest.raises(kind):
        check_databases(reader, archive.parent)
    assert not (archive.parent / "checked.db").exists()


def test_the_remade_one_is_taken_so_that_the_refusals_mean_something(good: Path) -> None:
    with Worker(data_dir=good.parent / "target") as worker:
        assert [each.done for each in worker.restore(remade(good)).sessions] == ["made"]


def test_every_truncation_is_refused(good: Path) -> None:
    data = good.read_bytes()
    bad = good.with_name("bad.zip")
    for length in [*range(0, len(data), max(1, len(data) // 20)), len(data) - 1]:
        bad.write_bytes(data[:length])
        with pytest.raises(BackupDamaged), ArchiveReader(bad):
            pass
    bad.write_bytes(data + b"\0")
    with pytest.raises(BackupDamaged), ArchiveReader(bad):
        pass
    bad.write_bytes(data[: len(data) // 2])
    refused(bad, BackupDamaged, "cut off")


def test_a_flipped_byte_is_found_or_changes_nothing_that_is_read(good: Path) -> None:
    # Some change nothing: what a ZIP says twice, and copies of zeros from other zeros.
    data = good.read_bytes()
    bad, found = good.with_name("bad.zip"), 0
    with ArchiveReader(good) as reader:
        told = reader.manifest
    for at in [*range(0, len(data), 41), *range(len(data) - 22, len(data))]:
        flipped = bytearray(data)
        flipped[at] ^= 0x10
        bad.write_bytes(flipped)
        try:
            with ArchiveReader(bad) as reader:
                reader.verify()
                assert reader.manifest == told
        except BackupDamaged:
            found += 1
    assert found > len(data) / 41 / 2


@pytest.mark.parametrize("end", ["session.db", "/log.db", "catalog.db", "63.db"])
def test_a_byte_that_differs_from_what_was_written_is_found(good: Path, end: str) -> None:
    def flip(found: dict[str, bytes]) -> None:
        name = next(each for each in found if each.endswith(end))
        data = bytearray(found[name])
        data[5000] ^= 1
        found[name] = bytes(data)

    with ArchiveReader(good) as reader:
        hashes = {member.name: member.sha256 for member in reader.manifest.members()}

    def as_it_was(told: Any) -> None:
        copy = told["sessions"][0]
        for member in (told["catalog"], copy["database"], copy["log"], copy["checkpoints"][0]["file"]):
            member["sha256"] = hashes[member["name"]]

    bad = remade(good, files=flip, manifest=as_it_was)
    refused(bad, BackupDamaged, "not what was written")
    found_by_verify(bad, BackupDamaged)


@pytest.mark.parametrize("text", [b"", b"PK\x05\x06" + b"\0" * 18, b"SQLite format 3\0" * 99, b"PK\x05\x06" * 40])
def test_what_is_no_backup_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "bad.zip").write_bytes(text)
    refused(tmp_path / "bad.zip", BackupDamaged, "no whole backup")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (Path("/dev/zero"), tmp_path / "pipe", tmp_path):
        with pytest.raises(RequestInvalid, match="is no file"):
            ArchiveReader(place)


def rename(found: dict[str, bytes], name: str) -> str:
    old = next(each for each in found if each.endswith("session.db"))
    found[name] = found.pop(old)
    return old


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/evil", "sessions/../../evil", "sessions/" + "0" * 64 + "/../session.db", "C:\\evil",
     "sessions/" + "0" * 64 + "/checkpoints/../../x.db", "sessions/" + "0" * 64 + "/undo.ways", ""],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(good: Path, name: str) -> None:
    def change(told: Any) -> None:
        told["sessions"][0]["database"]["name"] = name

    with zipfile.ZipFile(good) as archive:
        data = archive.read(next(each for each in archive.namelist() if each.endswith("session.db")))

    def fitting(told: Any) -> None:
        change(told)
        told["sessions"][0]["database"] |= {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    refused(
        remade(good, files=lambda found: rename(found, name) and None, manifest=fitting),
        BackupDamaged,
        "is no name of a file in a backup",
    )


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755, stat.S_IFIFO | 0o600])
def test_what_is_no_plain_file_is_refused(good: Path, mode: int) -> None:
    def make(entry: zipfile.ZipInfo) -> None:
        if entry.filename.endswith("session.db"):
            entry.external_attr = mode << 16

    refused(remade(good, info=make), BackupDamaged, "no plain file")


def set_in(key: str, value: Any) -> Callable[[Any], None]:
    def change(told: Any) -> None:
        *way, last = key.split(".")
        place = told
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("key", "value", "kind", "why"),
    [
        ("format", 2, SessionNewer, "format 2"),
        ("format", "1", BackupDamaged, r"at `\$\.format`"),
        ("sessions", None, BackupDamaged, r"at `\$\.sessions`"),
        ("sessions", [], BackupDamaged, "in the manifest or in the archive, and not in both"),
        ("sessions.0.id", "../evil", BackupDamaged, "is not a session id"),
        ("sessions.0.id", "", BackupDamaged, "is not a session id"),
        ("sessions.0.tenant", "a\0b", BackupDamaged, "cannot name a tenant"),
        ("sessions.0.limits", {"rows": -1}, BackupDamaged, "must be above zero"),
        ("sessions.0.limits", {"no_such": 1}, BackupDamaged, "unknown field `no_such`"),
        ("sessions.0.limits", {"rows": "many"}, BackupDamaged, r"at `\$\.rows`"),
        ("sessions.0.idle_ms", -5, BackupDamaged, "a figure of it is out of bounds"),
        ("sessions.0.idle_ms", 2**70, BackupDamaged, "a figure of it is out of bounds"),
        ("sessions.0.created_at", 10**15, BackupDamaged, "a figure of it is out of bounds"),
        ("sessions.0.owner", "x" * 100_000, BackupDamaged, "out of bounds"),
        ("created_at", -(10**17), BackupDamaged, "Expected `int` >= 0"),
        ("sessions.0.taken_at", -(10**17), BackupDamaged, "Expected `int` >= 0"),
        ("sessions.0.taken_at", 10**30, BackupDamaged, r"at `\$\.sessions"),
        ("sessions.0.checkpoints.0.created_at", 10**30, BackupDamaged, r"at `\$\.sessions"),
        ("sessions.0.checkpoints.0.created_at", -1, BackupDamaged, "Expected `int` >= 0"),
        ("sessions.0.participants", [{"user": "a", "role": "owner", "joined_at": 2**70, "left_at": None}],
         BackupDamaged, "a figure of it is out of bounds"),
        ("sessions.0.participants", [{"user": "a", "role": "god", "joined_at": 1, "left_at": None}], BackupDamaged,
         "Invalid enum value 'god'"),
        ("sessions.0.participants", [{"user": "", "role": "owner", "joined_at": 1, "left_at": None}], BackupDamaged,
         "cannot name a user"),
        ("sessions.0.checkpoints.0.name", "../evil", BackupDamaged, "cannot be the name of a checkpoint"),
        ("sessions.0.database.sha256", "0" * 64, BackupDamaged, "is not what was written"),
        ("sessions.0.database.size_bytes", 5, BackupDamaged, "is not as long as its manifest says"),
        ("sessions.0.database.size_bytes", -1, BackupDamaged, "is not as long as its manifest says"),
        ("sessions.0.log.name", "catalog.db", BackupDamaged, "names a file twice"),
        ("catalog", None, BackupDamaged, "in the manifest or in the archive, and not in both"),
    ],
)  # fmt: skip
def test_a_manifest_that_lies_is_refused(good: Path, key: str, value: Any, kind: type[CodemodeError], why: str) -> None:
    refused(remade(good, manifest=set_in(key, value)), kind, why)


def test_a_member_twice_and_one_too_many_are_refused(good: Path) -> None:
    refused(remade(good, files=lambda found: found.update(extra=b"x")), BackupDamaged, "not in both")
    bad = remade(good)
    with zipfile.ZipFile(bad, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("manifest.json", "{}")
    refused(bad, BackupDamaged, "twice")


def test_a_session_twice_is_refused(good: Path) -> None:
    def twice(told: Any) -> None:
        copy = told["sessions"][0]
        told["sessions"].append({**copy, "database": copy["checkpoints"][0]["file"], "log": None, "checkpoints": []})
        copy["checkpoints"] = []

    refused(remade(good, manifest=twice), BackupDamaged, "session twice")


def test_a_bomb_is_stopped_at_the_size_that_it_declares(good: Path) -> None:
    def grow(found: dict[str, bytes]) -> None:
        found[next(each for each in found if each.endswith("session.db"))] = b"\0" * 200_000_000

    def small(told: Any) -> None:
        told["sessions"][0]["database"]["size_bytes"] = 4096

    bad = remade(good, files=grow, manifest=small)
    assert bad.stat().st_size < 1_000_000
    refused(bad, BackupDamaged, "not as long")
    # The same, where the archive's own list tells the small size too.
    data = bytearray(bad.read_bytes())
    for at in [i for i in range(len(data) - 4) if data[i : i + 4] == (200_000_000).to_bytes(4, "little")]:
        data[at : at + 4] = (4096).to_bytes(4, "little")
    bad.write_bytes(data)
    refused(bad, BackupDamaged, "no whole backup|not what was written")


@pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("end", ["session.db", "manifest.json"])
def test_a_bomb_that_only_bursts_whole_is_not_touched(good: Path, way: int, end: str) -> None:
    def make(entry: zipfile.ZipInfo) -> None:
        if entry.filename.endswith(end):
            entry.compress_type = way

    refused(remade(good, info=make), BackupDamaged, "compressed in another way")


def test_more_than_the_disk_has_is_refused_before_it_is_written(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(good.parent)
    monkeypatch.setattr("codemode.session.restoring.shutil.disk_usage", lambda path: usage._replace(free=10_000))
    refused(good, StorageFull, "are free")


def test_an_index_of_the_archive_that_is_too_large_is_refused(good: Path) -> None:
    data = bytearray(good.read_bytes())
    data[-10:-6] = (2**31).to_bytes(4, "little")
    bad = good.with_name("bad.zip")
    bad.write_bytes(data)
    refused(bad, BackupDamaged, "index is too large")


def rewritten(found: dict[str, bytes], end: str, place: Path, *statements: str) -> None:
    """Run statements on a database of the archive that no connection of codemode would run."""
    name = next(each for each in found if each.endswith(end))
    path = place / "rewritten.db"
    path.write_bytes(found[name])
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = delete")
    for statement in statements:
        connection.execute(statement)
    connection.close()
    found[name] = path.read_bytes()
    path.unlink()


TRIGGER = "CREATE TRIGGER evil AFTER UPDATE ON _codemode_version BEGIN DELETE FROM t; END"
WRITABLE = "PRAGMA writable_schema = 1"
BY_HAND = "is not what codemode makes: the file was changed by hand"
HOSTILE = [
    ("session.db", (TRIGGER,), BackupDamaged, f"the trigger 'evil' {BY_HAND}"),
    ("session.db", ("CREATE TRIGGER evil BEFORE INSERT ON session_state BEGIN SELECT 1; END",), BackupDamaged,
     f"the trigger 'evil' {BY_HAND}"),
    ("session.db", ("DROP TABLE _codemode_version", "CREATE VIEW _codemode_version AS SELECT 1 AS id"), BackupDamaged,
     f"'_codemode_version' {BY_HAND}"),
    ("session.db", ("ALTER TABLE session_state ADD COLUMN evil",), BackupDamaged, f"'session_state' {BY_HAND}"),
    ("session.db", ("DROP TABLE _codemode_results",), BackupDamaged, f"the table '_codemode_results' {BY_HAND}"),
    ("session.db", ("CREATE TABLE _codemode_more (x)",), BackupDamaged, f"the table '_codemode_more' {BY_HAND}"),
    ("session.db", ("CREATE VIEW execution_logs AS SELECT 1",), BackupDamaged, f"the view 'execution_logs' {BY_HAND}"),
    ("session.db", ("CREATE TABLE pragma_table_info (x)",), BackupDamaged, f"the table 'pragma_table_info' {BY_HAND}"),
    ("session.db", ("CREATE VIEW _result_1 AS SELECT 1",), BackupDamaged, f"the view '_result_1' {BY_HAND}"),
    ("session.db", ("CREATE INDEX evil ON session_state (value)",), BackupDamaged, f"the index 'evil' {BY_HAND}"),
    ("session.db", ("PRAGMA user_version = 0",), BackupDamaged, "no database of codemode"),
    ("session.db", ("PRAGMA user_version = 99",), SessionNewer, "format 99"),
    ("session.db", (WRITABLE, "UPDATE sqlite_schema SET rootpage = 999 WHERE name = 't'"), BackupDamaged,
     "malformed database schema (t)"),
    ("session.db", (WRITABLE, "UPDATE sqlite_schema SET sql = 'x' WHERE name = 't'"), BackupDamaged,
     "malformed database schema (t)"),
    ("/log.db", ("CREATE TRIGGER evil AFTER INSERT ON execution_logs BEGIN SELECT 1; END",), BackupDamaged,
     f"the trigger 'evil' {BY_HAND}"),
    ("/log.db", ("CREATE TABLE more (x)",), BackupDamaged, f"the table 'more' {BY_HAND}"),
    ("/log.db", ("PRAGMA user_version = 99",), SessionNewer, "format 99"),
    ("63.db", (TRIGGER,), BackupDamaged, f"the trigger 'evil' {BY_HAND}"),
    ("catalog.db", ("CREATE TRIGGER evil AFTER INSERT ON sessions BEGIN DELETE FROM tokens; END",), BackupDamaged,
     f"the trigger 'evil' {BY_HAND}"),
    ("catalog.db", ("PRAGMA user_version = 99",), SessionNewer, "format 99"),
]  # fmt: skip


@pytest.mark.parametrize(("end", "statements", "kind", "why"), HOSTILE, ids=[each[1][-1][:60] for each in HOSTILE])
def test_a_database_that_was_changed_by_hand_is_refused(
    good: Path, end: str, statements: tuple[str, ...], kind: type[CodemodeError], why: str
) -> None:
    bad = remade(good, files=lambda found: rewritten(found, end, good.parent, *statements))
    refused(bad, kind, re.escape(why))
    found_by_verify(bad, kind)


def test_a_database_that_is_none_is_refused(good: Path) -> None:
    def spoil(found: dict[str, bytes]) -> None:
        found[next(each for each in found if each.endswith("session.db"))] = b"\0garbage" * 999

    refused(remade(good, files=spoil), BackupDamaged, "file is not a database")


def test_a_hostile_archive_changes_nothing_of_what_is_there(good: Path) -> None:
    bad = remade(good, files=lambda found: rewritten(found, "session.db", good.parent, TRIGGER))
    with Worker(data_dir=good.parent / "source") as worker:
        before = worker.session("s").get_tables()
        with pytest.raises(BackupDamaged):
            worker.restore(bad, existing="replace")
        assert worker.session("s").get_tables() == before
        assert len(worker.session("s").logs(kind="restore")) == 0


def test_sessions_of_an_older_form_are_migrated(good: Path) -> None:
    def older(found: dict[str, bytes]) -> None:
        rewritten(found, "session.db", good.parent, "DROP TABLE _codemode_version", "PRAGMA user_version = 4")
        rewritten(found, "63.db", good.parent, "DROP TABLE _codemode_version", "PRAGMA user_version = 4")

    with Worker(data_dir=good.parent / "target") as worker:
        worker.restore(remade(good, files=older))
        session = worker.session("s", create=False)
        assert session.get_tables() == ["t"]
        session.exec("INSERT INTO t VALUES (1)")
        session.restore("c")
        assert session.value("SELECT count(*) FROM t") == 0


@pytest.mark.parametrize(("module", "part"), [(os, "utime"), (os, "rename"), (copies, "sync")])
def test_a_disk_that_fails_during_a_restore_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, part: str
) -> None:
    def failing(*args: Any, **options: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s").checkpoint("c")
        worker.backup(tmp_path / "b.zip")
        with monkeypatch.context() as patched:
            patched.setattr(module, part, failing)
            with pytest.raises(StorageFull, match="Input/output error"):
                worker.restore(tmp_path / "b.zip", "s", new_id="t")
        assert not list((tmp_path / "data" / "sessions").glob("restoring-*"))
        assert [each.id for each in worker.restore(tmp_path / "b.zip", "s", new_id="u").sessions] == ["u"]
