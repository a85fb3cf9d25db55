"""`codemode messages`: what is said in a session."""

from __future__ import annotations

import sys
from functools import partial

import click

from codemode.cli.app import App, command, group
from codemode.cli.fields import from_json, metadata_option, show_fields, tenant_option
from codemode.cli.lists import every
from codemode.cli.output import moment
from codemode.cli.table import show
from codemode.cli.times import moment_given

messages = group("messages", "List, search, show, post and remove the messages of a session.")
_session = click.argument("session_id", metavar="SESSION")
_message = click.argument("message_id", metavar="MESSAGE")
_type = click.Choice(["chat", "mcp_request", "mcp_response", "system"])


@command("ls", short_help="List or search the newest messages.")
@_session
@click.option("--type", "message_type", type=_type, help="Only these.")
@click.option("--user", "user_id", metavar="USER", help="Only those of this user.")
@click.option(
    "--text", metavar="WORDS", help="Only those with all of these words; `dis*` is every word that begins so."
)
@click.option("--thread", metavar="MESSAGE", help="Only this message and its answers.")
@click.option("--since", metavar="TIME", help="Only from then on: 2026-11-29, 2026-11-29T08:30:00Z, or 2h ago as 2h.")
@click.option("--until", metavar="TIME", help="Only from before then.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="The newest so many.")
@tenant_option
def ls(
    app: App,
    session_id: str,
    message_type: str | None,
    user_id: str | None,
    text: str | None,
    thread: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    tenant: str,
) -> None:
    """List the newest messages of a session, the newest last as in a conversation."""
    from codemode.database.clock import now_ms

    begin, end = (moment_given(text, option, now_ms()) for text, option in ((since, "--since"), (until, "--until")))
    with app.worker() as worker:
        worker.info(session_id, tenant)
        page = partial(
            app.records(worker, tenant).messages.page, session_id, message_type=message_type, user_id=user_id,
            text=text, thread=thread, since=begin, until=end,
        )  # fmt: skip
        found = every(page, limit)[::-1]
    if app.as_json:
        app.answer(found)
    elif found:
        rows = [
            [moment(each.created_at), each.user_id or "", each.message_type, each.content, each.id] for each in found
        ]
        show(["at", "user", "type", "content", "message"], rows, whole=["at"])
    else:
        click.echo("no messages", err=True)


@command("show")
@_session
@_message
@tenant_option
def show_message(app: App, session_id: str, message_id: str, tenant: str) -> None:
    """Show one message whole."""
    with app.worker() as worker:
        found = app.records(worker, tenant).messages.get(session_id, message_id)
    app.show(found, show_fields)


@command("add", short_help="Post a message.")
@_session
@click.argument("content", metavar="TEXT")
@click.option("--user", "user_id", metavar="USER", help="Whose it is; one that is new becomes a user.")
@click.option("--type", "message_type", type=_type, default="chat", help="What it is.")
@click.option("--thread", metavar="MESSAGE", help="A message that it answers.")
@metadata_option
@tenant_option
def add(
    app: App,
    session_id: str,
    content: str,
    user_id: str | None,
    message_type: str,
    thread: str | None,
    metadata: str | None,
    tenant: str,
) -> None:
    """Post a message to a session; TEXT of `-` is read from standard input."""
    from codemode.database.clock import now_ms

    fields = from_json(metadata, "--metadata")
    said = sys.stdin.read() if content == "-" else content
    with app.worker() as worker:
        posted = app.records(worker, tenant).messages.post(
            session_id, said, now=now_ms(), message_type=message_type, user_id=user_id, metadata=fields, thread=thread
        )
        app.record(worker, "post_message", f"{session_id} {posted.id}", tenant)
    app.show(posted, lambda message: click.echo(message.id))


@command("rm", short_help="Remove a message with its answers.")
@_session
@_message
@tenant_option
def rm(app: App, session_id: str, message_id: str, tenant: str) -> None:
    """Remove a message, with its answers where it began a thread."""
    with app.worker() as worker:
        known = app.records(worker, tenant).messages
        with app.records(worker, tenant).at_once():
            old = known.get(session_id, message_id)
            known.remove(session_id, message_id)
        app.record_change(worker, "remove_message", f"{session_id} {message_id}", tenant, old, None)
    app.show(old, lambda message: click.echo(f"removed {message.id}"))


for each in (ls, show_message, add, rm):
    messages.add_command(each)
