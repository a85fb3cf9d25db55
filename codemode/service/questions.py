"""Questions to the catalogue, as the faces pass them on: only a token of the whole tenant may ask."""

from __future__ import annotations

from typing import Any

from codemode.catalog.views import View
from codemode.service.acting import check_whole_tenant
from codemode.service.callers import Caller
from codemode.worker import Worker
from sandbox.helpers.rows import Rows

_ASK = "ask the catalogue"  # whose tables show what all users have; each of them reads his own by other paths


def ask(worker: Worker, caller: Caller, sql: str, params: Any, max_rows: int | None) -> Rows:
    """Rows of one statement over all that the catalogue holds of the caller's tenant; see `Worker.ask`."""
    check_whole_tenant(caller, _ASK)
    return worker.ask(sql, params, tenant=caller.tenant, max_rows=max_rows)


def tables(worker: Worker, caller: Caller) -> list[View]:
    """What there is to ask about."""
    check_whole_tenant(caller, _ASK)
    return worker.catalogue_tables()
