"""`codemode tenants`: whoever owns sessions of the service, what each may use, and what it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli.amounts import bytes_of, count_of
from codemode.cli.app import App, command, group
from codemode.cli.fields import given
from codemode.cli.output import moment, note, printable, size
from codemode.cli.table import show
from codemode.counts import plural
from codemode.errors import RecordExists, RequestInvalid

if TYPE_CHECKING:
    from codemode.catalog.tenants import Tenant
    from codemode.values import TenantInfo
    from codemode.worker import Worker

tenants = group("tenants", "List, add, name and delete the tenants of the service, and bound what each may use.")
_tenant = click.argument("tenant", metavar="TENANT")
_name = click.option("--name", metavar="TEXT", help="What people call it.")
_plan = click.option("--plan", type=click.Choice(["free", "pro", "team"]), help="A word of yours: it bounds nothing.")


@command("ls")
@click.option("--deleted", is_flag=True, help="Those that were deleted, too.")
def ls(app: App, deleted: bool) -> None:
    """List the tenants with their quotas and what they use."""
    with app.worker() as worker:
        found = [_described(worker, each) for each in worker.tenants.all() if deleted or each.deleted_at is None]
    if app.as_json:
        app.answer(found)
        return
    rows = [
        [each.id, each.plan, _of(each.use.sessions, each.quotas.sessions),
         _of(each.use.bytes, each.quotas.bytes, size), _of(each.use.executions, each.quotas.executions),
         _of(None, each.quotas.executions_per_minute), *([moment(each.deleted_at or "")] if deleted else [])]
        for each in found
    ]  # fmt: skip
    columns = ["tenant", "plan", "sessions", "bytes", "executions at once", "a minute"]
    show([*columns, *(["deleted"] if deleted else [])], rows, whole=["tenant"])


@command("show")
@_tenant
def show_tenant(app: App, tenant: str) -> None:
    """Show one tenant: its plan, its quotas, and what it uses now."""
    with app.worker() as worker:
        _answer(app, _described(worker, worker.tenants.get(tenant)))


@command("add", short_help="Add a tenant.")
@_tenant
@_name
@_plan
def add(app: App, tenant: str, **described: str | None) -> None:
    """Add a tenant; a token for one that is new (codemode token create) adds it too."""
    from codemode.database.clock import now_ms

    with app.worker(makes=True) as worker:
        if not worker.tenants.make(tenant, now_ms()):
            raise RecordExists(f"there is a tenant {tenant!r} already", hint="`codemode tenants set` changes it")
        made = _described(worker, worker.tenants.describe(tenant, now=now_ms(), **given(described)))
        app.record(worker, "create_tenant", tenant, tenant, None, made)
        _answer(app, made)


@command("set", short_help="Name a tenant, or give it numbers of its own.")
@_tenant
@_name
@_plan
@click.option("--sessions", metavar="N", help="How many there may be.")
@click.option("--bytes", metavar="SIZE", help="Of all its sessions on disk: 500MB, 2GiB.")
@click.option("--executions", metavar="N", help="At once; those that wait for their session's turn count.")
@click.option("--per-minute", "executions_per_minute", metavar="N", help="Executions begun in a minute.")
def set_tenant(app: App, tenant: str, name: str | None, plan: str | None, **quotas: str | None) -> None:
    """Say what a tenant is called, its plan, and its numbers: N, `none` for no bound, `default` for the settings'.

    They hold from the next request on, in services that run already too.
    """
    from codemode.database.clock import now_ms

    changes = {quota: _number(quota, text) for quota, text in quotas.items() if text is not None}
    described = given({"name": name, "plan": plan})
    if not changes and not described:
        raise RequestInvalid("say what to set", hint="for example --executions 8, or --plan pro")
    with app.worker() as worker:
        old = worker.tenants.get(tenant)
        if changes:
            own = {**old.quotas, **changes}
            worker.tenants.set_quotas(tenant, {quota: number for quota, number in own.items() if number is not None})
            app.record(worker, "set_quotas", " ".join(f"{quota}={quotas[quota]}" for quota in changes), tenant)
        before = _described(worker, worker.tenants.get(tenant))
        after = _described(worker, worker.tenants.describe(tenant, now=now_ms(), **described)) if described else before
        if described:
            app.record(worker, "change_tenant", tenant, tenant, before, after)
        _answer(app, after)


@command("rm", short_help="Delete a tenant.")
@_tenant
@click.option("--yes", is_flag=True, help="Do it: its tokens are revoked for good.")
def rm(app: App, tenant: str, yes: bool) -> None:
    """Delete a tenant: its tokens are revoked for good, and its sessions expire by themselves, pinned ones too.

    It is forgotten 90 days later, once its sessions are. Until then `undelete` takes it back.
    """
    from codemode.catalog.tenants import check_removable
    from codemode.database.clock import now_ms

    check_removable(tenant)
    with app.worker() as worker:
        old = _described(worker, worker.tenants.get(tenant))
        tokens = sum(each.is_valid(now_ms()) for each in worker.tokens.all(tenant))
        if not yes:
            raise RequestInvalid(
                f"this would revoke {plural(tokens, 'token')} of {tenant} for good, and let its sessions expire",
                hint="add --yes to do it",
            )
        gone = _described(worker, worker.tenants.remove(tenant, now=now_ms()))
        app.record(worker, "remove_tenant", tenant, tenant, old, gone)
    app.say(gone, f"deleted {tenant}")


@command("undelete")
@_tenant
def undelete(app: App, tenant: str) -> None:
    """Take the deletion of a tenant back; its tokens stay revoked."""
    from codemode.database.clock import now_ms

    with app.worker() as worker:
        old = _described(worker, worker.tenants.get(tenant))
        if old.deleted_at is None:
            app.say(old, f"{tenant} is not deleted")
            return
        back = _described(worker, worker.tenants.take_back(tenant, now=now_ms()))
        app.record(worker, "undelete_tenant", tenant, tenant, old, back)
    app.say(back, f"{tenant} is a tenant again; make tokens for it")


def _described(worker: Worker, tenant: Tenant) -> TenantInfo:
    import msgspec

    from codemode.service.quotas import Gate, default_quotas
    from codemode.service.tenants import described

    quotas = msgspec.structs.replace(default_quotas(worker.settings), **tenant.quotas)
    return described(worker, Gate(worker), tenant, quotas)


def _answer(app: App, tenant: TenantInfo) -> None:
    if app.as_json:
        app.answer(tenant)
        return
    quotas, use = tenant.quotas, tenant.use
    left = "" if use.executions_left is None else f"; {use.executions_left:,} may begin now"
    lines = {
        "tenant": tenant.id + (f" ({printable(tenant.name)})" if tenant.name else ""),
        "plan": tenant.plan,
        "sessions": _of(use.sessions, quotas.sessions),
        "bytes": _of(use.bytes, quotas.bytes, size),
        "executions at once": _of(use.executions, quotas.executions),
        "executions a minute": _of(None, quotas.executions_per_minute) + left,
    }
    if tenant.deleted_at is not None:
        lines["deleted"] = moment(tenant.deleted_at)
    for label, text in lines.items():
        click.echo(f"{label:<20} {text}")
    if tenant.id == "local":
        note("a service without tokens serves this tenant, and bounds nothing")


def _of(used: int | None, quota: int, words: Any = "{:,}".format) -> str:
    bound = words(quota) if quota else "no bound"
    if used is None:
        return str(bound)
    return f"{words(used)} of {bound}" if quota else f"{words(used)}, {bound}"


def _number(name: str, text: str) -> int | None:
    """The quota that a text says; None is the one of the settings."""
    if text in ("none", "default"):
        return 0 if text == "none" else None
    found = bytes_of(text) if name == "bytes" else count_of(text)
    if found is None:
        example = "for example 500MB or 2GiB" if name == "bytes" else "a whole number"
        raise RequestInvalid(f"{text!r:.80} is no quota", hint=f"{example}, `none` or `default`")
    return found


for each in (ls, show_tenant, add, set_tenant, rm, undelete):
    tenants.add_command(each)
