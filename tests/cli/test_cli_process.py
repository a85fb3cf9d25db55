"""The program as a shell starts it: exit codes, streams, signals, start-up."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from patience import HANG_SECONDS, soon

import codemode.__main__
from codemode.cli.ended import Ended, ended_in_order

PROGRAM = [sys.executable, "-m", "codemode"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CODEMODE_")}
    return kept | {"CODEMODE_DATA_DIR": str(tmp_path / "data"), "CODEMODE_CHILDREN": "1"}


def program(environment: dict[str, str], *arguments: str, **options) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, timeout=60, **options)


def started(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """The program in a process group of its own, which a terminal interrupts as a whole, children included."""
    return subprocess.Popen(
        [*PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def test_results_and_remarks_go_to_different_streams(environment):
    done = program(environment, "run", "-c", "print('out')\nreturn {'é': 1}")
    assert done.returncode == 0
    assert done.stdout.decode() == 'out\n{\n  "é": 1\n}\n'
    assert done.stderr.startswith(b"session: s_")


def test_exit_codes_tell_who_has_to_act(environment, tmp_path):
    (tmp_path / "file").touch()
    codes = [
        program(environment, *arguments).returncode
        for arguments in (
            ["--version"],
            ["run", "-c", "1 / 0"],
            ["query", "SELEC 1"],
            ["nonsense"],
            ["query", "SELECT 1", "-s", "nobody"],
            ["--data-dir", str(tmp_path / "file"), "run", "-c", "1"],
        )
    ]
    assert codes == [0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("line", "code"),
    [("run -c 'return 1' >&-", 0), ("run -c 'return x' >&- 2>&-", 1), ("--json sessions ls >&-", 0), ("run <&-", 2)],
)
def test_work_is_done_where_nobody_reads_what_is_said_of_it(environment, line, code):
    words = ["sh", "-c", f'exec "$0" -m codemode {line}', sys.executable]
    done = subprocess.run(words, env=environment, capture_output=True, timeout=60)
    assert (done.returncode, b"fault" in done.stderr) == (code, False)


def test_json_on_standard_output_is_one_document_in_any_locale(environment):
    done = program(environment | {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}, "--json", "run", "-c", "return '東京'")
    assert json.loads(done.stdout)["result"] == "東京"
    done = program(environment, "--json", "query", "SELEC 1")
    assert json.loads(done.stdout)["error"]["code"] == "sql.syntax"


def test_a_reader_that_leaves_is_no_error(environment):
    code = "for n in range(100000):\n    print(n, 'x' * 100)"
    shell = f'{sys.executable} -m codemode run -c "$SNIPPET" | head -n 1'
    done = subprocess.run(["sh", "-c", shell], env=environment | {"SNIPPET": code}, capture_output=True, timeout=60)
    assert done.stdout.startswith(b"0 x")
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


@pytest.mark.parametrize("line", ["--help", "query 'SELECT 1' --json", "query 'SELEC 1' --json"])
def test_a_reader_that_left_has_an_exit_code_of_its_own(environment, line):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as left:
        done = subprocess.run(
            [*PROGRAM, *shlex.split(line)], env=environment, stdout=left, stderr=subprocess.PIPE, timeout=60
        )
    assert (done.returncode, b"Traceback" in done.stderr) == (141, False)


@pytest.mark.parametrize("line", ["query 'SELECT 1'", "query 'SELECT 1' --json"])
def test_output_that_takes_no_more_is_told_where_people_look(environment, line):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *shlex.split(line)], env=environment, stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 3
    assert b"error: cannot read or write: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_shell_completes_commands_and_options(environment):
    def completed(*words: str) -> list[str]:
        asked = {
            "_CODEMODE_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        return program(environment | asked).stdout.decode().split()

    assert completed("codemode", "ses") == ["plain,sessions"]
    assert completed("codemode", "run", "--dry") == ["plain,--dry-run"]


def test_sigterm_leaves_nothing_half_done_behind(environment, tmp_path):
    assert program(environment, "run", "-s", "work", "-c", "return 1").returncode == 0
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    target = tmp_path / "to" / "numbers.csv"
    target.parent.mkdir()
    running = started(environment, "export", "-s", "work", numbers, "--to", str(target))
    with running:
        soon(lambda: list(target.parent.iterdir()))
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=60)
    assert (running.returncode, err.strip()) == (143, b"interrupted")
    assert list(target.parent.iterdir()) == []


def test_a_second_control_c_does_not_cut_what_the_first_one_undoes(monkeypatch):
    monkeypatch.setattr("codemode.cli.ended._ONE_WISH_SECONDS", HANG_SECONDS)
    done = []
    with ended_in_order():
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            with suppress(Ended):
                signal.raise_signal(number)
                done.append(number)
    assert done == [signal.SIGINT, signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_comes_later_ends_a_command_that_hangs(monkeypatch):
    monkeypatch.setattr("codemode.cli.ended._ONE_WISH_SECONDS", 0.0)
    with ended_in_order():
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            with pytest.raises(Ended) as ended:
                signal.raise_signal(number)
            assert ended.value.number == number


def test_a_command_that_is_over_keeps_its_exit_code(monkeypatch, capsys):
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in ending]
    monkeypatch.setattr(sys, "argv", ["codemode", "--version"])
    try:
        with pytest.raises(SystemExit) as left:
            codemode.__main__.main()
        assert {signal.getsignal(number) for number in ending} == {signal.SIG_IGN}
    finally:
        for number, handler in zip(ending, before, strict=True):
            signal.signal(number, handler)
    assert (left.value.code, capsys.readouterr().out) == (0, f"codemode {codemode.__version__}\n")


def test_control_c_while_the_program_loads_shows_no_traceback(monkeypatch):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(codemode.__main__, "_begin", interrupted)
    monkeypatch.setattr(sys, "argv", ["codemode", "run"])
    with pytest.raises(SystemExit) as ended:
        codemode.__main__.main()
    assert ended.value.code == 130


def test_control_c_ends_the_execution_and_undoes_it(environment):
    table = "helpers.db.create_table('t', {'n': 'INTEGER'})"
    assert program(environment, "run", "-s", "work", "-c", table).returncode == 0
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('working', flush=True)\nwhile True:\n    pass"
    running = started(environment, "run", "-s", "work", "-c", code)
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"working\n"
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"interrupted" in err
    assert b"Traceback" not in err
    done = program(environment, "query", "SELECT count(*) AS n FROM t", "-s", "work", "--format", "json")
    assert json.loads(done.stdout) == [{"n": 0}]


def test_a_session_that_another_process_holds_is_busy(environment):
    running = started(environment, "run", "-s", "work", "-c", "print('working', flush=True)\nwhile True:\n    pass")
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"working\n"
        done = program(environment | {"CODEMODE_LIMITS_QUEUE_SECONDS": "0.3"}, "run", "-s", "work", "-c", "return 1")
        os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=60)
    assert done.returncode == 3
    assert b"[session.busy]" in done.stderr


def test_a_wait_for_another_process_is_said_on_a_terminal_and_ends_with_control_c(environment):
    running = started(environment, "run", "-s", "work", "-c", "print('working', flush=True)\nwhile True:\n    pass")
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"working\n"
        screen, terminal = os.openpty()
        code = [*PROGRAM, "run", "-s", "work", "-c", "return 1"]
        waiting = subprocess.Popen(
            code, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal,
            start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        with waiting, os.fdopen(screen, "rb", buffering=0) as said:
            first = said.read(1_000)
            begun = time.monotonic()
            os.killpg(waiting.pid, signal.SIGINT)
            assert waiting.wait(60) == 130
            assert running.poll() is None, "it did not wait for the other one to end"
            assert time.monotonic() - begun < 20
        os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=60)
    assert re.search(rf"process {running.pid} holds this session: waiting for up to 2\d s", first.decode())


def test_control_c_during_an_import_leaves_nothing(environment, tmp_path):
    path = tmp_path / "many.csv"
    with path.open("w") as file:
        file.write("n,text\n")
        file.writelines(f"{n},{'x' * 50}{n}\n" for n in range(1_500_000))
    running = started(environment, "import", str(path), "-s", "work")
    with running:
        kept = Path(environment["CODEMODE_DATA_DIR"])
        assert soon(lambda: any(log.stat().st_size > 1_000_000 for log in kept.glob("sessions/*/session.db-wal")))
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in err
    done = program(environment, "query", "SELECT * FROM many", "-s", "work")
    assert done.returncode in (1, 2)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_nothing_heavy_is_loaded_before_a_command_is_known(environment, argument):
    done = program(environment | {"PYTHONPROFILEIMPORTTIME": "1"}, argument)
    loaded = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert b"click" in loaded
    assert not loaded & {b"rich", b"msgspec", b"apsw", b"sqlglot", b"msgpack", b"codemode.worker", b"sandbox"}
