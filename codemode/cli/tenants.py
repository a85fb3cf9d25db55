"""`codemode tenants`: whoever owns sessions of the service, what each may use, and what it uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command, group
from codemode.cli.output import note, size
from codemode.cli.table import show
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from codemode.catalog.tenants import Tenant
    from codemode.values import TenantInfo
    from codemode.worker import Worker

_UNITS = {"": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4, "kib": 2**10, "mib": 2**20, "gib": 2**30}

tenants = group("tenants", "List the tenants of the service, and bound what each may use.")


@command("ls")
def ls(app: App) -> None:
    """List the tenants with their quotas and what they use."""
    with app.worker() as worker:
        found = [_described(worker, each) for each in worker.tenants.all()]
    if app.as_json:
        app.answer(found)
        return
    rows = [
        [each.id, _of(each.use.sessions, each.quotas.sessions), _of(each.use.bytes, each.quotas.bytes, size),
         _of(each.use.executions, each.quotas.executions), _of(None, each.quotas.executions_per_minute)]
        for each in found
    ]  # fmt: skip
    show(["tenant", "sessions", "bytes", "executions at once", "a minute"], rows)


@command("show")
@click.argument("tenant", metavar="TENANT")
def show_tenant(app: App, tenant: str) -> None:
    """Show one tenant: its quotas, and what it uses now."""
    with app.worker() as worker:
        _answer(app, _described(worker, worker.tenants.get(tenant)))


@command("set", short_help="Give a tenant numbers of its own.")
@click.argument("tenant", metavar="TENANT")
@click.option("--sessions", metavar="N", help="How many there may be.")
@click.option("--bytes", metavar="SIZE", help="Of all its sessions on disk: 500MB, 2GiB.")
@click.option("--executions", metavar="N", help="At once; those that wait for their session's turn count.")
@click.option("--per-minute", "executions_per_minute", metavar="N", help="Executions begun in a minute.")
def set_quotas(app: App, tenant: str, **given: str | None) -> None:
    """Give a tenant numbers of its own: N, `none` for no bound, `default` for what the settings say.

    They hold from the next request on, in services that run already too.
    """
    changes = {name: _number(name, text) for name, text in given.items() if text is not None}
    if not changes:
        raise RequestInvalid("say what to set", hint="for example --executions 8")
    with app.worker() as worker:
        own = {**worker.tenants.get(tenant).quotas, **changes}
        worker.tenants.set_quotas(tenant, {name: number for name, number in own.items() if number is not None})
        app.record(worker, "set_quotas", " ".join(f"{name}={given[name]}" for name in changes), tenant)
        _answer(app, _described(worker, worker.tenants.get(tenant)))


def _described(worker: Worker, tenant: Tenant) -> TenantInfo:
    import msgspec

    from codemode.service.quotas import Gate, default_quotas
    from codemode.service.tenants import described

    quotas = msgspec.structs.replace(default_quotas(worker.settings), **tenant.quotas)
    return described(worker, Gate(worker), tenant.id, quotas)


def _answer(app: App, tenant: TenantInfo) -> None:
    if app.as_json:
        app.answer(tenant)
        return
    quotas, use = tenant.quotas, tenant.use
    left = "" if use.executions_left is None else f"; {use.executions_left:,} may begin now"
    lines = {
        "tenant": tenant.id,
        "sessions": _of(use.sessions, quotas.sessions),
        "bytes": _of(use.bytes, quotas.bytes, size),
        "executions at once": _of(use.executions, quotas.executions),
        "executions a minute": _of(None, quotas.executions_per_minute) + left,
    }
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
    found = re.fullmatch(r"([0-9]{1,15})\s*([a-z]{0,3})", text.lower())
    if found is None or found[2] not in (_UNITS if name == "bytes" else {""}):
        example = "for example 500MB or 2GiB" if name == "bytes" else "a whole number"
        raise RequestInvalid(f"{text!r:.80} is no quota", hint=f"{example}, `none` or `default`")
    return int(found[1]) * _UNITS[found[2]]


for each in (ls, show_tenant, set_quotas):
    tenants.add_command(each)
