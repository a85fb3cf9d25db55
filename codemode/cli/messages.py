"""`codemode messages`: what is said in a session."""

from __future__ import annotations

import click

from codemode.cli import records
from codemode.cli.app import group
from codemode.cli.fields import metadata_option, text_or_input
from codemode.cli.records import Kind, named
from codemode.cli.times import moment_option

MESSAGES = Kind(
    "messages", "message", ("session_id", "message_id"),
    {"at": "created_at", "user": "user_id", "type": "message_type", "content": "content", "message": "id"},
)  # fmt: skip
_type = click.Choice(["chat", "mcp_request", "mcp_response", "system"])

messages = group("messages", "List, search, show, add and remove the messages of a session.")
for each in (
    records.ls(
        MESSAGES, "List or search the newest messages.\n\nThe newest is the last one, as in a conversation.",
        click.option("--type", "message_type", type=_type, help="Only these."),
        click.option("--user", "user_id", metavar="USER", help="Only those of this user."),
        click.option(
            "--text", metavar="WORDS",
            help='Only those with all of these words; `dis*` begins one, `"disk full"` follow each other.',
        ),
        click.option("--thread", metavar="MESSAGE", help="Only this message and its answers."),
        moment_option("--since", "Only from then on: 2026-11-29, 2026-11-29T08:30:00Z, or 2h ago as 2h."),
        moment_option("--until", "Only from before then."),
        limit=click.option(
            "--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="The newest so many."
        ),
        newest_last=True,
    ),
    records.show(MESSAGES, "Show one message whole."),
    records.add(
        MESSAGES, "Post a message.\n\nTEXT of `-` is read from standard input.",
        named("session_id"), click.argument("content", type=text_or_input, metavar="TEXT"),
        click.option("--user", "user_id", metavar="USER", help="Whose it is; one that is new becomes a user."),
        click.option("--type", "message_type", type=_type, help="What it is; `chat` unless it is said."),
        click.option("--thread", metavar="MESSAGE", help="A message that it answers."), metadata_option,
        by="post", act="post_message",
    ),
    records.rm(MESSAGES, "Remove a message, with its answers where it began a thread."),
):  # fmt: skip
    messages.add_command(each)
