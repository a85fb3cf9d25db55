"""What a tenant may use and what it uses, as the faces and the command line answer it."""

from __future__ import annotations

from codemode.database.clock import since_boot_ms, sure_ms
from codemode.service.callers import Caller
from codemode.service.quotas import Gate
from codemode.values import Quotas, TenantInfo, TenantUse
from codemode.worker import Worker


def of_caller(worker: Worker, gate: Gate, caller: Caller) -> TenantInfo:
    """The caller's tenant."""
    return described(worker, gate, caller.tenant, caller.quotas)


def described(worker: Worker, gate: Gate, tenant: str, quotas: Quotas) -> TenantInfo:
    """A tenant with its quotas and its use now; what no quota bounds at once or a minute is not counted."""
    rate = quotas.executions_per_minute
    use = TenantUse(
        sessions=worker.registry.catalog.count(tenant, sure_ms()),
        bytes=gate.used_bytes(tenant),
        executions=gate.running(tenant, quotas.executions) if quotas.executions else None,
        executions_left=int(worker.rates.level(tenant, rate, since_boot_ms())) if rate else None,
    )
    return TenantInfo(id=tenant, quotas=quotas, use=use)
