"""`codemode subscriptions`, `preferences` and `configuration`: what users want, and how their tenant is set up."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from codemode.cli import records
from codemode.cli.app import App, group
from codemode.cli.fields import limit_option, value_or_input
from codemode.cli.lists import Found, every, tell
from codemode.cli.records import Kind, named

SUBSCRIPTIONS = Kind(
    "subscriptions", "session", ("user_id", "session_id"),
    {"session": "session_id", "panel": "panel_id", "since": "created_at"},
)  # fmt: skip
PREFERENCES = Kind(
    "preferences", "preference", ("user_id", "category", "key"),
    {"category": "category", "key": "key", "value": "value", "changed": "updated_at"},
)  # fmt: skip
CONFIGURATION = Kind(
    "configuration", "key", ("key",),
    {"key": "key", "value": "value", "sensitive": lambda entry: "yes" if entry.sensitive else "",
     "description": "description", "changed": "updated_at"},
)  # fmt: skip
_panel = click.option("--panel", "panel_id", metavar="PANEL", help="This panel of it, not the session as a whole.")
_value = click.argument("value", type=value_or_input, metavar="VALUE")
_VALUE = "VALUE is JSON, else text: true is a truth value, '\"true\"' a text. `-` is read from standard input."


def _unsubscribe(app: App, user_id: str, session_id: str, panel_id: str | None, tenant: str) -> None:
    with app.worker() as worker:
        app.records(worker, tenant).subscriptions.remove(user_id, session_id, panel_id=panel_id)
        app.record(worker, "unsubscribe", f"{user_id} {session_id} {panel_id or ''}".rstrip(), tenant)
    app.say({"removed": True}, f"{user_id} is told no more of {panel_id or session_id}")


subscriptions = group("subscriptions", "List, add and remove what a user is told of: sessions, and panels of them.")
for each in (
    records.ls(SUBSCRIPTIONS, "List what a user is told of.", by="of_user"),
    records.add(
        SUBSCRIPTIONS, "Have a user told of a session that he takes part in, or of a panel of it.",
        *SUBSCRIPTIONS.parameters, _panel, by="add", act="subscribe",
        says=lambda one: f"{one.user_id} is told of {one.panel_id or one.session_id}",
    ),
    records.made_of(
        "rm", "Have a user told of it no more.", [*SUBSCRIPTIONS.parameters, _panel], _unsubscribe
    ),
):  # fmt: skip
    subscriptions.add_command(each)


def _preferences(app: App, user_id: str, category: str | None, limit: int, tenant: str) -> None:
    rows: list[Any] = []
    more = False
    with app.worker() as worker:
        known = app.records(worker, tenant).preferences
        records.check(worker, tenant, "user_id", user_id)
        for each in known.categories(user_id) if category is None else [category]:
            if more := len(rows) == limit:
                break
            found, more = every(partial(known.page, user_id, each), limit - len(rows))
            rows += found
    tell(app, Found(rows, more), PREFERENCES.columns, "no preferences", whole=["key"])


preferences = group("preferences", "List, show, set and remove what a user prefers.")
for each in (
    records.made_of(
        "ls", "List what a user prefers, all or of one category.",
        [named("user_id"), click.argument("category", metavar="[CATEGORY]", required=False), limit_option],
        _preferences,
    ),
    records.show(PREFERENCES, "Show one preference."),
    records.put(
        PREFERENCES, f"Keep a preference in the place of what it was.\n\n{_VALUE}", _value, act="set_preference"
    ),
    records.rm(PREFERENCES, "Forget a preference."),
):  # fmt: skip
    preferences.add_command(each)


configuration = group("configuration", "List, show, set and remove how a tenant is set up.")
for each in (
    records.ls(CONFIGURATION, "List how the tenant is set up; what is sensitive is masked."),
    records.show(CONFIGURATION, "Show one value; what is sensitive is masked."),
    records.put(
        CONFIGURATION,
        f"Keep a value in the place of what it was.\n\n{_VALUE} That way a secret is in no list of processes and no "
        "history of a shell. A sensitive value is stored sealed and never shown again; programs of this machine ask "
        "`Worker.of(tenant).configuration.value(key)`.",
        _value,
        click.option(
            "--sensitive/--not-sensitive", default=None,
            help="Seal it; needs `secret_keys_file`. Without either it stays what it was, and begins as not sensitive.",
        ),
        click.option("--description", metavar="TEXT", help="What it is for; stays where it is not given."),
        act="set_configuration", keep=("sensitive", "description"),
    ),
    records.rm(CONFIGURATION, "Forget a value.", "remove_configuration"),
):  # fmt: skip
    configuration.add_command(each)
