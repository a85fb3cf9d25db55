"""`codemode mcp-sessions` and `codemode signals`: the MCP servers of a session, the calls between its participants."""

from __future__ import annotations

import click

from codemode.cli import records
from codemode.cli.app import App, group
from codemode.cli.fields import given, json_option, value_or_input
from codemode.cli.lists import Found, tell
from codemode.cli.records import Kind, named

MCP_SESSIONS = Kind(
    "mcp_sessions", "server", ("session_id", "mcp_server_id"),
    {"server": "mcp_server_id", "version": "mcp_version", "state": "state", "context": "context_data",
     "changed": "updated_at"},
    "no MCP sessions",
)  # fmt: skip
SIGNALS = Kind(
    "signals", "signal", ("session_id", "signal_id"),
    {"at": "created_at", "type": "signal_type", "from": "from_participant", "to": "to_participant",
     "data": "signal_data"},
    "nothing waits",
)  # fmt: skip
_type = click.Choice(["offer", "answer", "ice"])

mcp_sessions = group("mcp-sessions", "List, show, set and remove the MCP servers that a session is connected to.")
for each in (
    records.ls(
        MCP_SESSIONS, "List which MCP servers a session is connected to.",
        click.option("--state", metavar="STATE", help="Only those in this state."),
    ),
    records.show(MCP_SESSIONS, "Show one of them, with what the server told of itself."),
    records.put(
        MCP_SESSIONS, "Record a connection, or what changed of it.\n\nWhat is not given stays as it is.",
        click.argument("mcp_version", metavar="VERSION"),
        json_option(
            "--context-data", help="What the server told of itself: tools and resources."
        ),
        click.option("--state", metavar="STATE", help="How the connection stands; `active` unless it is said."),
        act="put_mcp_session",
    ),
    records.rm(MCP_SESSIONS, "Forget a connection.", "remove_mcp_session"),
):  # fmt: skip
    mcp_sessions.add_command(each)


def _take(app: App, session_id: str, participant: str, limit: int, tenant: str, **fields: str | None) -> None:
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        known = app.records(worker, tenant).signals
        records.check(worker, tenant, "session_id", session_id)
        taken = known.take(session_id, participant, now=now_ms(), limit=limit, **given(fields))
        if taken:
            app.record(worker, "take_signals", session_id, tenant)
    tell(app, Found(taken, more=False), SIGNALS.columns, SIGNALS.none, whole=["at"])


signals = group("signals", "Post and take the signals of calls between the participants of a session.")
for each in (
    records.add(
        SIGNALS, "Leave a signal for a participant.\n\nDATA is JSON, else text; `-` is read from standard input.",
        named("session_id"), click.argument("signal_type", type=_type, metavar="TYPE"),
        click.argument("signal_data", type=value_or_input, metavar="DATA"),
        click.option("--from", "from_participant", metavar="USER", required=True, help="Whose it is."),
        click.option("--to", "to_participant", metavar="USER", help="Who may take it; else whoever is first."),
        click.option(
            "--kept-ms", type=click.IntRange(1), metavar="MS", help="For how long it may be taken; 60,000 by default."
        ),
        verb="post", by="post", act="post_signal",
    ),
    records.made_of(
        "take", "Take the signals that wait for a participant.\n\nEach is taken once: nobody gets it again.",
        [named("session_id"), click.argument("participant", metavar="USER"),
         click.option("--type", "signal_type", type=_type, help="Only these."),
         click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, metavar="N",
                      help="At most so many, the oldest.")],
        _take,
    ),
):  # fmt: skip
    signals.add_command(each)
