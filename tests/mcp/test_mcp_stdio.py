"""`codemode mcp` as a host starts it: what is on the wire, how it ends, what it is configured with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_clients import ENVIRONMENT, PROGRAM, over_stdio, run
from patience import HANG_SECONDS

from codemode.mcp import stdio
from codemode.mcp.hosts import HOSTS
from codemode.mcp.stdio import split

ROOT = Path(__file__).resolve().parents[2]
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LOOP = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('begun', flush=True)\nwhile True:\n    pass"


class Host:
    """The host's end of the wire."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._to, self._from = process, process.stdin, process.stdout

    def send(self, *messages: Any) -> None:
        for message in messages:
            line = message if isinstance(message, bytes) else json.dumps(message).encode()
            self._to.write(line + b"\n")
        self._to.flush()

    def read(self) -> Any:
        return json.loads(self._from.readline())

    def call(self, number: int, name: str, token: str | None = None, **arguments: Any) -> None:
        meta = {"_meta": {"progressToken": token}} if token else {}
        params = {"name": name, "arguments": arguments, **meta}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})

    def begin_loop(self) -> None:
        """Have a snippet run that has written and does not end."""
        self.send(HELLO, INITIALIZED)
        self.read()
        self.call(2, "execute_code", code="helpers.db.create_table('t', {'n': 'INTEGER'})")
        assert self.read()["result"]["structuredContent"]["ok"]
        self.call(3, "execute_code", token="p", code=LOOP)
        while (told := self.read()["params"]["message"]) != "begun":
            assert told.startswith("running for ")


@contextlib.contextmanager
def started(data_dir: Path, *options: str, environment: dict[str, str] | None = None) -> Iterator[Host]:
    words = [*PROGRAM, "--data-dir", str(data_dir), "mcp", *options]
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT | (environment or {}),
    ) as process:
        try:
            yield Host(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def greeted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A server that has been greeted, for tests that leave it as it is."""
    with started(tmp_path_factory.mktemp("data")) as host:
        host.send(HELLO, INITIALIZED)
        host.read()
        yield host


def rows_of_t(data_dir: Path) -> int:
    words = [
        *PROGRAM,
        "--data-dir",
        str(data_dir),
        "query",
        "SELECT count(*) AS n FROM t",
        "-s",
        "work",
        "--format",
        "json",
    ]
    return json.loads(subprocess.run(words, capture_output=True, env=ENVIRONMENT, timeout=HANG_SECONDS).stdout)[0]["n"]


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGINT", "nobody reads"])
def test_it_ends_cleanly_and_undoes_what_runs(how: str, tmp_path: Path):
    with started(tmp_path, "--session", "work", environment={"CODEMODE_SHUTDOWN_SECONDS": "0.5"}) as host:
        host.begin_loop()
        began = time.monotonic()
        if how == "end of input":
            host.process.stdin.close()
        elif how == "nobody reads":
            host.process.stdout.close()
            host.send({"jsonrpc": "2.0", "id": 4, "method": "ping"})
        else:
            host.process.send_signal(getattr(signal, how))
        assert host.process.wait(HANG_SECONDS) == 0
        assert time.monotonic() - began < HANG_SECONDS / 2  # and not the minute that the snippet may take
        assert b"Traceback" not in host.process.stderr.read()
    assert rows_of_t(tmp_path) == 0


def test_what_was_asked_before_the_end_of_input_is_answered(tmp_path: Path):
    with started(tmp_path, environment={"CODEMODE_SHUTDOWN_SECONDS": str(HANG_SECONDS)}) as host:
        host.send(HELLO, INITIALIZED)
        for number in (2, 3):
            host.call(number, "execute_code", code=f"import time\ntime.sleep(0.5)\nreturn {number}")
        host.process.stdin.close()
        answers = {each["id"]: each["result"] for each in map(json.loads, host.process.stdout) if "id" in each}
        assert sorted(answers) == [1, 2, 3]
        assert [answers[number]["structuredContent"]["result"] for number in (2, 3)] == [2, 3]
        assert host.process.wait(HANG_SECONDS) == 0


def test_a_request_that_was_given_up_is_not_waited_for_at_the_end_of_input(tmp_path: Path):
    with started(tmp_path, "--session", "work", environment={"CODEMODE_SHUTDOWN_SECONDS": "600"}) as host:
        host.begin_loop()
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}
        host.send(cancelled)
        host.process.stdin.close()
        assert host.process.wait(HANG_SECONDS) == 0
    assert rows_of_t(tmp_path) == 0


def test_signals_that_come_while_it_ends_cut_nothing(tmp_path: Path):
    with started(tmp_path, "--session", "work") as host:
        host.begin_loop()
        last = time.monotonic() + HANG_SECONDS
        while host.process.poll() is None and time.monotonic() < last:
            host.process.send_signal(signal.SIGINT)
            time.sleep(0.001)
        assert host.process.wait(HANG_SECONDS) == 0
        assert b"interrupted" not in host.process.stderr.read()


def test_a_host_that_dies_leaves_nothing_running(tmp_path: Path):
    with started(tmp_path, "--session", "work") as host:
        host.begin_loop()
        host.process.kill()
        host.process.wait(HANG_SECONDS)
    assert rows_of_t(tmp_path) == 0


def test_nothing_but_messages_is_on_standard_output(tmp_path: Path):
    # What a library prints, or a process that is started inherits, must not stand between two messages.
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import codemode.service.service as s, os\n"
        "start = s.Service.start\n"
        "async def noisy(self):\n"
        "    print('a stray line', flush=True)\n"
        "    os.system('echo from a process')\n"
        "    await start(self)\n"
        "s.Service.start = noisy\n"
    )
    path = os.pathsep.join([str(site), str(ROOT)])
    with started(tmp_path / "data", environment={"PYTHONPATH": path}) as host:
        host.send(HELLO)
        assert host.read()["result"]["serverInfo"]["name"] == "codemode"
        host.process.stdin.close()
        host.process.wait(HANG_SECONDS)
        assert b"from a process" in host.process.stderr.read()


@pytest.mark.parametrize(
    "line",
    [
        b"{", b"\xff\xfe", b"[" * 100_000, b"null", b'{"jsonrpc": "2.0"}', b"[]", b'{"id": 1' + b"0" * 5_000 + b"}",
        b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "ping"}', b'"method"', b'["method"]', b'{"method": "\\ud800"}',
    ],
    ids=["cut", "no UTF-8", "deep", "null", "empty", "batch", "huge number", "half an id", "text", "list", "no id"],
)  # fmt: skip
def test_a_line_that_is_no_message_is_answered_and_the_next_one_served(line: bytes, greeted: Host):
    greeted.send(line, {"jsonrpc": "2.0", "id": 7, "method": "ping"})
    answers = [greeted.read(), greeted.read()]
    assert {"code": -32700, "message": "the line is no JSON-RPC message"} in [each.get("error") for each in answers]
    assert [each["result"] for each in answers if each.get("id") == 7] == [{}]


@pytest.mark.parametrize("params", ['{"a": "\\ud800"}', '{"a": ' + "[" * 300 + "]" * 300 + "}", "[1]"])
def test_a_request_that_cannot_be_taken_is_answered_under_its_id(params: str, greeted: Host):
    for number in (7, '"seven"'):
        greeted.send(f'{{"jsonrpc": "2.0", "id": {number}, "method": "tools/call", "params": {params}}}'.encode())
        answer = greeted.read()
        assert (answer["id"], answer["error"]["code"]) == (json.loads(str(number)), -32600)


def test_a_line_above_the_bound_is_dropped_without_being_held(tmp_path: Path):
    with started(tmp_path, environment={"CODEMODE_BODY_BYTES": "100000"}) as host:
        host.send(HELLO, INITIALIZED)
        host.read()
        host.send(b'{"x": "' + b"x" * 3_000_000 + b'"}', {"jsonrpc": "2.0", "id": 7, "method": "ping"})
        answers = [host.read(), host.read()]
        assert "above 100,000 bytes" in answers[0]["error"]["message"]
        assert answers[1]["id"] == 7


@pytest.mark.parametrize(
    ("line", "request_id"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":"@"}}', 7),
        (b'{"id": "s-7", "jsonrpc": "2.0", "method": "x", "params": {"a": "@"}}', "s-7"),
        (b'{"method":"x","params":{"a":"@"},"jsonrpc":"2.0","id":7}\r', 7),
        (b'{"jsonrpc":"2.0","method":"x","params":{"a":"@"},"id":"s"}', "s"),
        (b'{"method":"x","params":{"a":"@"},"id":7,"jsonrpc":"2.0"}', 7),
        (b'{"jsonrpc":"2.0","method":"x","params":{"a":"@","id":7}}', None),
        (b'{"jsonrpc":"2.0","method":"x","params":{"a":"@\\",\\"id\\":7}"}}', None),
        (b'{"jsonrpc":"2.0","id":7,"result":{"a":"@"}}', None),
        (b'{"result":{"a":"@"},"jsonrpc":"2.0","id":7}', None),
        (b'{"x":"@"}', None),
    ],
)
def test_a_request_above_the_bound_is_answered_under_its_id(line: bytes, request_id: object):
    long = line.replace(b"@", b"x" * 200_000)
    pieces = [long[at : at + 65_536] for at in range(0, len(long), 65_536)]
    [ends, ping] = split([*pieces, b"\nping\n"], 100_000)
    assert (sum(map(len, ends)) <= 1_024, ping) == (True, b"ping")
    assert stdio._id_of_ends(*ends) == request_id


def test_a_tool_call_above_the_bound_is_an_error_of_that_call(tmp_path: Path):
    with started(tmp_path, environment={"CODEMODE_BODY_BYTES": "100000"}) as host:
        host.send(HELLO, INITIALIZED)
        host.read()
        host.send({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "x" * 200_000}})
        answer = host.read()
        assert (answer["id"], answer["error"]["code"]) == (7, -32600)
        assert "above 100,000 bytes" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\nb", b"c\n", b"d"], [b"a", b"bc", b"d"]),
        ([b"\n", b"\n\n"], [b"", b"", b""]),
        ([b"12345\n", b"1234567\n", b"1\n"], [b"12345", (b"1234567", b"1234567"), b"1"]),
        ([b"123", b"4567", b"890\n", b"1\n"], [(b"1234567", b"1234567890"), b"1"]),
        ([b"1234567"], [(b"1234567", b"1234567")]),
        ([], []),
    ],
)
def test_lines_are_split_wherever_pieces_end(pieces: list[bytes], lines: list[Any]):
    assert list(split(pieces, 6)) == lines


def test_many_calls_at_once_are_all_answered(greeted: Host):
    numbers = range(10, 40)
    for number in numbers:
        greeted.call(number, "execute_code", code=f"return {number}")
    answers = [greeted.read() for _ in numbers]
    results = {each["id"]: each["result"]["structuredContent"]["result"] for each in answers}
    assert results == {number: number for number in numbers}


def test_it_works_beside_the_command_line_on_the_same_sessions(tmp_path: Path):
    async def work():
        async with over_stdio(tmp_path, "legacy", "--session", "work") as client:
            await client.call_tool("execute_code", {"code": "helpers.db.create_table('t', {'n': 'INTEGER'})"})

    run(work)
    assert rows_of_t(tmp_path) == 0


def test_a_wrong_session_id_is_wrong_usage(tmp_path: Path):
    words = [*PROGRAM, "--data-dir", str(tmp_path), "mcp", "--session", "../x"]
    done = subprocess.run(words, capture_output=True, env=ENVIRONMENT, timeout=HANG_SECONDS)
    assert done.returncode == 2
    assert b"is not a session id" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_without_a_wire_it_says_so(closed: str, tmp_path: Path):
    line = f'exec "$0" -m codemode --data-dir "$1" mcp {closed}'
    words = ["sh", "-c", line, sys.executable, str(tmp_path)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=HANG_SECONDS)
    assert done.returncode == 2
    assert b"standard input or output is closed" in done.stderr


def command_in(found: str, language: str) -> list[str]:
    """The command that a host's settings name: the one place in them where a server is."""
    settings = json.loads(found) if language == "json" else tomllib.loads(found)
    (servers,) = settings.values()
    return [servers["codemode"]["command"], *servers["codemode"]["args"]]


def answers_as_a_server(words: list[str]) -> None:
    async def work():
        started = StdioServerParameters(command=words[0], args=words[1:], env=ENVIRONMENT)
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            async with Client(stdio_client(started, errlog=nowhere), mode="legacy") as client:
                assert (await client.list_tools()).tools

    run(work)


@pytest.mark.parametrize("host", HOSTS)
def test_the_settings_that_are_printed_for_a_host_start_a_server(host: str, tmp_path: Path):
    words = [*PROGRAM, "--data-dir", str(tmp_path), "mcp", "--read-only", "--print-config", host]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, check=True, timeout=HANG_SECONDS)
    named = command_in(done.stdout, HOSTS[host].language)
    assert named == [sys.executable, "-m", "codemode", "--data-dir", str(tmp_path), "mcp", "--read-only"]
    if host in ("claude-desktop", "codex"):  # one of each language: the command is the same for all
        answers_as_a_server(named)
