"""`codemode sessions add` and `set`: where a session belongs, what it is, and what it may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command, renew_option
from codemode.cli.bounds import held, limits_option, tell_what_is_above
from codemode.cli.fields import changed, given, metadata_option, show_fields, tenant_option, text_or_none

if TYPE_CHECKING:
    from codemode.values import SessionInfo
    from codemode.values.records import Place
    from codemode.worker import Worker

_workspace = click.option(
    "--workspace", "workspace_id", type=text_or_none, metavar="WORKSPACE", help="Where it belongs."
)
_type = click.option("--type", metavar="TYPE", help="What it is; `work` until it is said.")


@command("add", short_help="Make a session, with limits of its own.")
@click.argument("session_id", metavar="[SESSION]", required=False)
@_workspace
@_type
@metadata_option
@limits_option
@renew_option
@tenant_option
def add(
    app: App, session_id: str | None, limits: dict[str, Any] | None, renew: bool, tenant: str, **_options: Any
) -> None:
    """Make a session, and say where it belongs, what it is and what it may use.

    Without an id one is minted. `codemode run` and `import` make one of no name, type or limits on their first use.
    """
    from codemode.service import places

    fields = {name: value for name, value in given(_options).items() if value is not None}
    with app.worker(makes=True) as worker:
        app.check_tenant(worker, tenant, gets=True)
        made, change = places.made(worker, tenant, session_id, bounds=limits, renew=renew, **fields)
        app.record(worker, "create_session", made, tenant, change.old, change.new)
        _answer(app, worker, made, tenant, limits)


@command("set", short_help="Say where a session belongs, what it is and what it may use.")
@click.argument("session_id", metavar="SESSION")
@_workspace
@_type
@metadata_option
@limits_option
@click.option(
    "--mcp-client", "mcp_client_id", type=text_or_none, metavar="CLIENT", help="The MCP client that is connected."
)
@click.option(
    "--status", type=click.Choice(["active", "closed"]),
    help="A closed one keeps its data until it expires, and nobody counts as active in it.",
)  # fmt: skip
@click.option("--pinned/--not-pinned", default=None, help="Keep it from expiring, or let it expire again.")
@tenant_option
def set_session(app: App, session_id: str, tenant: str, **options: Any) -> None:
    """Change what is given of a session; an empty --workspace or --mcp-client takes it away.

    Limits that are not given stay. A service that runs heeds them from the session's next use on.
    """
    from codemode.service import places

    fields = changed(options)
    if "status" in fields:
        fields["closed"] = fields.pop("status") == "closed"
    limits = fields.pop("limits", None)
    with app.worker() as worker:
        app.records(worker, tenant)
        worker.session(session_id, create=False, tenant=tenant)
        change = places.changed(worker, tenant, session_id, bounds=limits, **fields)
        app.record(worker, "change_session", session_id, tenant, change.old, change.new)
        _answer(app, worker, session_id, tenant, limits)


def _answer(app: App, worker: Worker, session_id: str, tenant: str, limits: dict[str, Any] | None) -> None:
    place: SessionInfo | Place = (
        worker.info(session_id, tenant) if worker.catalogue.behind else worker.of(tenant).sessions.get(session_id)
    )
    held_now, own = held(worker, session_id, tenant)
    if limits is not None:
        tell_what_is_above(limits, held_now)
    if app.as_json:
        import msgspec

        app.answer({**msgspec.to_builtins(place), "limits": held_now})
        return
    show_fields(place)
    if own:
        click.echo(f"{'limits':<16} {own}")


VERBS = (add, set_session)
