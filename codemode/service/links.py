"""What links a session with others: the MCP servers that it is connected to, the signals of its participants."""

from __future__ import annotations

from typing import Any

from codemode.database.clock import now_ms
from codemode.service.acting import somebody
from codemode.service.auditing import Change, before
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import McpSession, Page, Signal


def mcp_sessions(service: Service, caller: Caller, /, session_id: str, **asked: Any) -> Page[McpSession]:
    """The MCP sessions of a session, by server; `asked` is as `McpSessions.page` has it."""
    service.check_reach(caller, session_id, "read")
    return service.worker.of(caller.tenant).mcp_sessions.page(session_id, **asked)


def put_mcp_session(
    service: Service, caller: Caller, /, session_id: str, mcp_server_id: str, mcp_version: str, **fields: Any
) -> tuple[McpSession, Change]:
    """Record a connection, or what changed of it; raises SessionExpired and what `McpSessions.put` raises."""
    service.session(caller, session_id, "execute")
    records = service.worker.of(caller.tenant)
    with records.at_once():
        old = before(records.mcp_sessions.get, session_id, mcp_server_id)
        new = records.mcp_sessions.put(session_id, mcp_server_id, mcp_version, now=now_ms(), **fields)
    return new, Change(old, new)


def post_signal(
    service: Service,
    caller: Caller,
    /,
    session_id: str,
    signal_type: str,
    signal_data: Any,
    *,
    from_participant: str | None = None,
    **fields: Any,
) -> Signal:
    """Leave a signal, from the caller's user where he is bound to one; raises as `Signals.post` does."""
    service.session(caller, session_id, "execute")
    sender = somebody(caller, from_participant, "from_participant")
    signals = service.worker.of(caller.tenant).signals
    return signals.post(session_id, signal_type, sender, signal_data, now=now_ms(), **fields)


def take_signals(
    service: Service, caller: Caller, /, session_id: str, participant: str | None, **asked: Any
) -> list[Signal]:
    """Take what waits for a participant, who is the caller's user where he is bound to one: nobody gets it again."""
    service.check_reach(caller, session_id, "execute")
    taker = somebody(caller, participant, "participant")
    return service.worker.of(caller.tenant).signals.take(session_id, taker, now=now_ms(), **asked)
