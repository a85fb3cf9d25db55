"""Questions to the catalogue, as the faces pass them on: only a token of the whole tenant may ask."""

from __future__ import annotations

from typing import Any

from codemode.catalog.views import View
from codemode.errors import AuthForbidden
from codemode.service.callers import Caller
from codemode.worker import Worker
from sandbox.helpers.rows import Rows


def ask(worker: Worker, caller: Caller, sql: str, params: Any, max_rows: int | None) -> Rows:
    """Rows of one statement over all that the catalogue holds of the caller's tenant; see `Worker.ask`."""
    _check_whole_tenant(caller)
    return worker.ask(sql, params, tenant=caller.tenant, max_rows=max_rows)


def tables(worker: Worker, caller: Caller) -> list[View]:
    """What there is to ask about."""
    _check_whole_tenant(caller)
    return worker.catalogue_tables()


def _check_whole_tenant(caller: Caller) -> None:
    # The tables show the sessions and messages of all users: whoever is one of them reads his own by other paths.
    if caller.user is not None:
        raise AuthForbidden(
            "a token that is bound to a user cannot ask the catalogue", hint="use one of the whole tenant"
        )
