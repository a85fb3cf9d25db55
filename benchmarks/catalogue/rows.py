"""The rows of such a catalogue, table by table, one after the other: nothing is held but the row at hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from benchmarks.catalogue.shape import (
    BEGAN,
    SERVERS,
    STEP_MS,
    Shape,
    session_id,
    status_of,
    tenant_of,
    users_of,
)

Row = tuple[Any, ...]
Made = tuple[str, tuple[str, ...], Iterator[Row]]  # table, columns, rows
NEVER_MS = 10 * 366 * 86_400_000  # no session's time is over while it is measured
KEPT_MS = 10 * 366 * 86_400_000
TYPES = ("chat", "chat", "chat", "mcp_request", "mcp_response", "chat", "chat", "chat", "chat", "system")
_WORDS = (
    "disk", "full", "error", "retry", "index", "table", "flight", "delay", "weather", "pilot", "engine", "query",
    "session", "agent", "token", "budget", "plan", "report", "model", "column", "row", "chart", "price", "order",
    "customer", "region", "month", "total", "average", "warning", "start", "stop",
)  # fmt: skip
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def made(shape: Shape) -> Iterator[Made]:
    """Every table with its rows, in the order of their references."""
    yield "tenants", ("id", "created_at"), ((tenant, BEGAN) for tenant in shape.tenants())
    yield "users", ("tenant", "id", "kind", "created_at", "updated_at"), _users(shape)
    yield (
        "sessions",
        (
            "tenant",
            "id",
            "created_at",
            "last_activity",
            "idle_ms",
            "type",
            "expired_at",
            "closed_at",
            "executions",
            "bytes",
        ),
        map(_session, shape.numbers()),
    )
    yield (
        "participants",
        ("tenant", "session_id", "user_id", "role", "joined_at", "left_at"),
        chain.from_iterable(map(_participants, shape.numbers())),
    )
    yield (
        "panels",
        ("tenant", "session_id", "id", "title", "kind", "query", "created_at", "updated_at"),
        map(_panel, _every(shape, 10)),
    )
    yield (
        "mcp_sessions",
        ("tenant", "session_id", "mcp_server_id", "mcp_version", "created_at", "updated_at"),
        map(_mcp_session, _every(shape, 2)),
    )
    yield (
        "signals",
        (
            "tenant",
            "session_id",
            "id",
            "signal_type",
            "from_participant",
            "signal_data",
            "created_at",
            "expires_at",
            "taken_at",
        ),
        chain.from_iterable(map(_signals, _every(shape, 50))),
    )
    yield ("audit", ("at", "tenant", "actor", "action", "resource"), map(_act, shape.numbers()))
    yield (
        "messages",
        ("tenant", "session_id", "id", "user_id", "message_type", "content", "created_at"),
        _messages(shape),
    )


def sentence(number: int) -> str:
    """Nine words: some that most messages share, some that few do, and one that is theirs alone."""
    common = " ".join(_WORDS[number * prime % len(_WORDS)] for prime in (7, 11, 13, 17, 19))
    return f"{common} case{number % 1_000} topic{number % 20_000} n{number}"


def of_time(prefix: str, moment: int, number: int) -> str:
    """An id that begins with its time, as the catalogue makes them; of one number it is the same in every catalogue."""
    value, text = moment << 80 | number, []
    for _ in range(26):
        text.append(_CROCKFORD[value & 31])
        value >>= 5
    return prefix + "".join(reversed(text))


def _every(shape: Shape, step: int) -> Iterator[int]:
    return islice(iter(shape.numbers()), 0, None, step)


def _time(number: int) -> int:
    return BEGAN + number * STEP_MS


def _users(shape: Shape) -> Iterator[Row]:
    last: set[Row] = set()  # users come in groups of 100,000 sessions
    group = -1
    for number in shape.numbers():
        if number // 100_000 != group:
            group, last = number // 100_000, set()
        tenant, at = tenant_of(number), _time(number)
        for user, kind in zip(users_of(number), ("agent", "human"), strict=True):
            if (tenant, user) not in last:
                last.add((tenant, user))
                yield tenant, user, kind, at, at


def _session(number: int) -> Row:
    at, status = _time(number), status_of(number)
    expired, closed = (at if status == word else None for word in ("expired", "closed"))
    return tenant_of(number), session_id(number), at, at, NEVER_MS, "work", expired, closed, number % 7, number % 50_000


def _participants(number: int) -> tuple[Row, Row]:
    tenant, session, at = tenant_of(number), session_id(number), _time(number)
    agent, person = users_of(number)
    left = at + 1 if number % 4 == 0 else None
    return (tenant, session, agent, "owner", at, None), (tenant, session, person, "member", at, left)


def _panel(number: int) -> Row:
    at = _time(number)
    return tenant_of(number), session_id(number), of_time("p_", at, number), "Delays", "table", "SELECT 1", at, at


def _mcp_session(number: int) -> Row:
    at = _time(number)
    return tenant_of(number), session_id(number), f"server-{number // 2 % SERVERS}", "2025-06-18", at, at


def _signals(number: int) -> Iterator[Row]:
    agent, _ = users_of(number)
    at = _time(number)
    for step, kind in enumerate(("offer", "answer", "ice", "ice", "offer")):
        taken = at + 1 if step == 0 else None
        signal = of_time("sig_", at, number * 8 + step)
        yield tenant_of(number), session_id(number), signal, kind, agent, "{}", at, at + KEPT_MS, taken


def _act(number: int) -> Row:
    return _time(number), tenant_of(number), "tok_1", "execute", session_id(number)


def _messages(shape: Shape) -> Iterator[Row]:
    """All first messages of the sessions, then all second ones: those of a session, and of a tenant, lie far apart."""
    for turn in range(shape.messages):
        kind = TYPES[turn % len(TYPES)]
        for number in shape.numbers():
            place = turn * shape.sessions + number
            at = _time(place)
            user = None if kind == "system" else users_of(number)[turn % 2]
            yield (
                tenant_of(number), session_id(number), of_time("m_", at, place), user, kind, sentence(place), at,
            )  # fmt: skip
