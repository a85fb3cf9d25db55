"""What users see of the clients: the same calls with the same arguments, and a token that is never shown."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codemode import AsyncClient, Client, Limits, Session, Worker
from codemode.client.async_session import AsyncRemoteSession
from codemode.client.executions import OPTIONS
from codemode.client.session import RemoteSession
from codemode.errors import (
    AuthForbidden,
    AuthInvalid,
    AuthMissing,
    CodemodeError,
    ExtraMissing,
    RequestInvalid,
    WorkerUnreachable,
)
from codemode.session.request import RunOptions
from tests.api.conftest import listening
from tests.client.conftest import Served

SECRET = "cm_this-is-a-secret"
NOT_REMOTE = {"begin", "load", "import_source", "portable"}
REMOTE_ONLY = {"follow", "background"}
OF_A_WORKER = {
    "session", "sessions", "info", "remove", "pin", "metrics", "usage_by_day", "sweep", "layers", "isolation",
}  # fmt: skip
LEFT_OUT = {"tenant", "owner", "user"}  # the token says all three


def public(owner: type) -> dict[str, Any]:
    return {name: getattr(owner, name) for name in dir(owner) if not name.startswith("_")}


def arguments(call: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(call).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters if each.name not in LEFT_OUT]


@pytest.mark.parametrize("kind", [RemoteSession, AsyncRemoteSession])
def test_a_remote_session_has_every_call_with_the_same_arguments(kind: type) -> None:
    embedded, remote = public(Session), public(kind)
    assert set(remote) - set(embedded) == REMOTE_ONLY
    assert set(embedded) - set(remote) == NOT_REMOTE
    for name in set(embedded) & set(remote):
        assert arguments(remote[name]) == arguments(embedded[name]), name


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_has_a_worker_s_calls_with_the_same_arguments(kind: type) -> None:
    assert set(public(kind)) >= OF_A_WORKER
    for name in OF_A_WORKER - {"layers", "isolation"}:
        assert arguments(getattr(kind, name)) == arguments(getattr(Worker, name)), name


def test_limits_hold_through_a_client_as_without_one(tmp_path: Path) -> None:
    with (
        Worker(tmp_path, limits=Limits(rows=100_000)) as worker,
        listening(worker, open_to_all=True) as (address, _),
        Client(address) as client,
    ):
        for asked in (Limits(), Limits(query_seconds=5.0), {"rows": 10_000}, {"query_seconds": 5.0, "rows": None}):
            assert client.session(limits=asked).limits == worker.session(limits=asked).limits, asked


def test_every_call_of_the_asynchronous_client_waits_for_nothing() -> None:
    iterated = {"pages", "follow"}
    for name, call in {**public(AsyncRemoteSession), **public(AsyncClient)}.items():
        if callable(call):
            assert inspect.iscoroutinefunction(call) or name in iterated, name


def test_the_options_of_an_execution_are_the_engine_s() -> None:
    assert set(OPTIONS) == set(RunOptions.__annotations__)


def test_functions_cannot_be_lent(client: Client) -> None:
    with pytest.raises(RequestInvalid, match="cannot be lent over HTTP") as found:
        client.session().run("return 1", functions={"a": print})
    assert "embedded Worker" in str(found.value.hint)


def test_the_token_is_never_shown(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    for url in (served.url, "http://127.0.0.1:9"):
        with Client(url, SECRET, retries=0) as client:
            shown += [repr(client), repr(client._connection.terms.address), repr(vars(client))]
            with pytest.raises((AuthInvalid, WorkerUnreachable)) as found:
                client.session("x")
            shown += [*traceback.format_exception(found.value), repr(found.value.__dict__)]
    assert SECRET not in "".join(shown) + caplog.text


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "é", "a\x00", 5])
def test_what_is_no_token_is_refused_unshown(token: Any) -> None:
    with pytest.raises(RequestInvalid) as found:
        Client("http://127.0.0.1:9", token)
    assert not str(token) or str(token) not in str(found.value)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8400", "ftp://x", "http://", "http://x/?a=1", "http://x/#a", "http://a:b@x", "http://x:y", 5]
)
def test_what_is_no_address_is_refused(url: Any) -> None:
    with pytest.raises(RequestInvalid):
        Client(url)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": -1}, {"timeout": "5"}, {"retries": -1}, {"retries": 1.5}]
)
def test_what_is_no_patience_is_refused(options: Any) -> None:
    with pytest.raises(RequestInvalid):
        Client("http://127.0.0.1:9", **options)


@pytest.mark.parametrize("wrong", [5, 1.5, float("nan"), True, [], ["one"], b"one", "", "a/b"], ids=repr)
def test_what_is_no_checkpoint_and_no_limits_is_refused_alike(client: Client, tmp_path: Path, wrong: Any) -> None:
    with Worker(tmp_path) as worker:
        for hosts, session in ((worker, worker.session("s")), (client, client.session("named-alike"))):
            session.checkpoint("one", replace=True)
            calls: list[Callable[[], object]] = [
                lambda s=session: s.checkpoint(wrong),
                lambda s=session: s.delete_checkpoint(wrong),
                lambda s=session: s.restore(wrong),
                lambda s=session: s.diff(wrong),
                lambda s=session: s.diff("one", wrong),
                lambda s=session: s.fork(wrong),
                lambda s=session: s.fork(checkpoint=wrong),
                lambda s=session: s.diff("one", sample="5"),
                lambda s=session: s.diff("one", sample=None),
                lambda h=hosts: h.session("s", limits=wrong),
                lambda h=hosts: h.session("s", limits={"rows": float("nan")}),
                lambda h=hosts: h.session("s", stateful="yes"),
            ]
            for call in calls:
                with pytest.raises(RequestInvalid):
                    call()
            assert [each.name for each in session.checkpoints()] == ["one"]


def test_the_environment_says_where_and_by_which_token(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestInvalid, match="no address"):
        Client()
    monkeypatch.setenv("CODEMODE_URL", served.url + "/")
    monkeypatch.setenv("CODEMODE_TOKEN", served.token)
    with Client() as client:
        assert client.session("by-environment").value("SELECT 1") == 1
    with Client(served.url) as client:
        assert client.info("by-environment").id == "by-environment"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("name", "value", "error", "said"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", ExtraMissing, "httpx2[socks]"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9", RequestInvalid, "HTTPS_PROXY"),
        ("SSL_CERT_FILE", "/not/there.pem", RequestInvalid, "SSL_CERT_FILE"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(
    kind: Any, name: str, value: str, error: type, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(each, raising=False)
        monkeypatch.delenv(each.lower(), raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)  # as if it were not installed
    monkeypatch.setenv(name, value)
    with pytest.raises(error) as refused:
        kind("http://127.0.0.1:9")
    assert said in str(refused.value)


def test_the_environment_s_token_goes_to_no_other_address(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEMODE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CODEMODE_TOKEN", served.token)
    with Client(served.url) as client, pytest.raises(AuthMissing):
        client.sessions()


def test_a_token_that_may_only_read(served: Served) -> None:
    served.worker.session("to-read").exec("CREATE TABLE t (a)")
    secret, _ = served.worker.create_token(scopes=("read",))
    with Client(served.url, secret) as client:
        with pytest.raises(AuthForbidden):
            client.session("to-read")
        session = client.session("to-read", create=False)
        assert session.query("SELECT * FROM t", read_only=True) == []
        assert list(session.pages("SELECT * FROM t")) == []
        with pytest.raises(AuthForbidden):
            session.query("SELECT * FROM t")


def test_the_clients_load_neither_sqlite_nor_a_parser() -> None:
    heavy = "{'apsw', 'sqlglot', 'RestrictedPython', 'starlette', 'codemode.worker', 'codemode.session'}"
    code = f"import sys; from codemode import Client, AsyncClient; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_library_names_the_extra() -> None:
    code = "import sys; sys.modules['httpx2'] = None\nfrom codemode import Client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'codemode[client]'" in done.stderr


def test_a_closed_client_says_so(served: Served) -> None:
    client = Client(served.url, served.token)
    client.close()
    with pytest.raises(CodemodeError, match="closed"):
        client.sessions()
