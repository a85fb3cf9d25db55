"""`codemode token`: who may use the service."""

from __future__ import annotations

from typing import Any

import click

from codemode.cli.app import App, command, group
from codemode.cli.output import note, relative
from codemode.cli.table import show
from codemode.cli.times import span
from codemode.errors import RequestInvalid

token = group("token", "Create, list and revoke tokens of the service.")


@command("create")
@click.option("--tenant", default="local", metavar="TENANT", help="Whose sessions it reaches; made if it is new.")
@click.option("--name", default="", metavar="TEXT", help="What people call it.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(["read", "execute", "admin"]),
    help="What it may do; read and execute by default. May be repeated.",
)  # fmt: skip
@click.option("--user", metavar="USER", help="Reach only the sessions of this user or agent.")
@click.option("--expires", metavar="TIME", help="When it ends, from now: 30m, 12h, 90d; never by default.")
def create(app: App, expires: str | None, **options: Any) -> None:
    """Make a token and print its secret, which cannot be shown again."""
    from codemode.database.clock import now_ms

    ends = None if expires is None else now_ms() + span(expires, "--expires")
    scopes = options.pop("scopes") or ("read", "execute")
    with app.worker(makes=True) as worker:
        secret, made = worker.create_token(options.pop("tenant"), scopes=scopes, expires_at=ends, **options)
        app.record(worker, "create_token", made.id, made.tenant)
    if app.as_json:
        app.answer({**_shown(made), "token": secret})
        return
    click.echo(secret)
    note(f"{made.id}, tenant {made.tenant}, scopes {', '.join(made.scopes)}: keep it, it cannot be shown again")


@command("ls")
@click.option("--tenant", metavar="TENANT", help="Only those of this tenant.")
def ls(app: App, tenant: str | None) -> None:
    """List the tokens, without their secrets; revoked ones too."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        if tenant is not None:
            app.check_tenant(worker, tenant)
        found = worker.tokens.all(tenant)
    if app.as_json:
        app.answer([_shown(each) for each in found])
        return
    rows = [
        [each.id, each.tenant, each.user or "", ", ".join(each.scopes), each.name, _state(each, now_ms())]
        for each in found
    ]
    none = "no tokens: the service runs for one local tenant, on loopback only" if tenant is None else "no tokens"
    show(["token", "tenant", "user", "scopes", "name", "state"], rows, none=none, whole=["token"])


@command("revoke")
@click.argument("token_id", metavar="TOKEN")
def revoke(app: App, token_id: str) -> None:
    """Refuse a token (tok_…) from here on."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        found = worker.tokens.get(token_id)
        if found is None or not worker.tokens.revoke(token_id, now_ms()):
            known = [each.id for each in worker.tokens.all() if each.revoked_at is None]
            raise RequestInvalid(f"there is no valid token {token_id[:80]}", available=known)
        app.record(worker, "revoke_token", token_id, found.tenant)
    if app.as_json:
        app.answer({"id": token_id, "revoked": True})
    else:
        note(f"{token_id} is revoked")


def _state(token: Any, now: int) -> str:
    from codemode.database.clock import iso

    if token.revoked_at is not None:
        return f"revoked {relative(iso(token.revoked_at))}"
    if token.expires_at is None:
        return "valid"
    return f"{'expires' if token.is_valid(now) else 'expired'} {relative(iso(token.expires_at))}"


def _shown(token: Any) -> dict[str, Any]:
    import msgspec

    from codemode.service.tokens import described

    return dict(msgspec.to_builtins(described(token)))


for each in (create, ls, revoke):
    token.add_command(each)
