"""What a tenant may use and what it uses, as the faces and the command line answer it."""

from __future__ import annotations

from codemode.catalog.tenants import Tenant
from codemode.database.clock import iso, since_boot_ms, sure_ms
from codemode.service.callers import Caller
from codemode.service.quotas import Gate
from codemode.service.service import Service
from codemode.values import Quotas, TenantInfo, TenantUse
from codemode.worker import Worker


def of_caller(service: Service, caller: Caller) -> TenantInfo:
    """The caller's tenant."""
    return described(service.worker, service.gate, service.worker.tenants.get(caller.tenant), caller.quotas)


def described(worker: Worker, gate: Gate, tenant: Tenant, quotas: Quotas) -> TenantInfo:
    """A tenant with its quotas and its use now; what no quota bounds at once or a minute is not counted."""
    rate = quotas.executions_per_minute
    use = TenantUse(
        sessions=worker.registry.catalog.count(tenant.id, sure_ms()),
        bytes=gate.used_bytes(tenant.id),
        executions=gate.running(tenant.id, quotas.executions) if quotas.executions else None,
        executions_left=int(worker.rates.level(tenant.id, rate, since_boot_ms())) if rate else None,
    )
    return TenantInfo(
        id=tenant.id, name=tenant.name, plan=tenant.plan, quotas=quotas, use=use, created_at=iso(tenant.created_at),
        deleted_at=None if tenant.deleted_at is None else iso(tenant.deleted_at),
    )  # fmt: skip
