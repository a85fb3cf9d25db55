"""How a tenant is set up, as an administrator of it sees and changes it: what is sensitive is always masked."""

from __future__ import annotations

from typing import Any

from codemode.catalog.configuration import Configuration
from codemode.database.clock import now_ms
from codemode.service.acting import check_whole_tenant
from codemode.service.auditing import Change, before
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import ConfigurationEntry, Page


def page(service: Service, caller: Caller, /, **asked: Any) -> Page[ConfigurationEntry]:
    """All of it by key; `asked` is as `Configuration.page` has it."""
    return _configuration(service, caller).page(**asked)


def put(service: Service, caller: Caller, /, key: str, value: Any, **more: Any) -> tuple[ConfigurationEntry, Change]:
    """Keep a value; raises RequestInvalid, and SecretMissing for a sensitive one."""
    configuration = _configuration(service, caller)
    with service.worker.of(caller.tenant).at_once():
        old = before(configuration.get, key)
        new = configuration.put(key, value, now=now_ms(), **more)
    return new, Change(old, new)


def remove(service: Service, caller: Caller, /, key: str) -> Change:
    """Forget a value; raises RecordNotFound."""
    configuration = _configuration(service, caller)
    with service.worker.of(caller.tenant).at_once():
        old = configuration.get(key)
        configuration.remove(key)
    return Change(old, None)


def _configuration(service: Service, caller: Caller) -> Configuration:
    check_whole_tenant(caller, "read or change how the tenant is set up")
    return service.worker.of(caller.tenant).configuration
