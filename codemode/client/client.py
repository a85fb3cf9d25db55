"""`Client`: a service as `Worker` is seen, from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from codemode.client import executions, service
from codemode.client.address import resolve
from codemode.client.connection import Connection, Terms
from codemode.client.handles import BackgroundExecution
from codemode.client.session import RemoteSession
from codemode.client.sharing.doors import RemoteRecords
from codemode.limits import Limits
from codemode.values import Day, Layer, SessionInfo


class Client:
    """The service at `url`, called with `token`; without them by CODEMODE_URL and CODEMODE_TOKEN.

    A call that was refused because the service is busy, or did not reach it, is sent again up to `retries` times; one
    that may have been done only where doing it twice is the same as once. `timeout`: seconds that the service may be
    silent beyond what a session's limits allow it, None for ever. Use it as a context manager, or call `close`.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout: float | None = 60.0, retries: int = 2
    ) -> None:
        self._connection = Connection(Terms(resolve(url, token), timeout, retries))

    def __repr__(self) -> str:
        return f"<Client {self.url}>"

    @property
    def url(self) -> str:
        """The address of the service."""
        return self._connection.terms.address.url

    @property
    def records(self) -> RemoteRecords:
        """Users, messages, panels and what else the tenant's people share: as `Worker.of`, of the token's tenant."""
        return RemoteRecords(self._connection)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Each layer of confinement: active or not, and why."""
        return self._connection.send(service.layers())

    @property
    def isolation(self) -> tuple[str, ...]:
        """The names of the layers that are active."""
        return tuple(layer.name for layer in self.layers if layer.active)

    def session(
        self,
        session_id: str | None = None,
        *,
        limits: Limits | Mapping[str, Any] | None = None,
        renew: bool = False,
        create: bool = True,
        stateful: bool | None = None,
    ) -> RemoteSession:
        """The session of this id, made on first use; without an id a new one with a minted id.

        As `Worker.session`; its tenant and its owner are those of the token.
        """
        made = self._connection.send(service.session(session_id, limits, renew, create, stateful))
        return RemoteSession(self._connection, made.tenant, made.place)

    def execution(self, execution_id: str) -> BackgroundExecution:
        """The handle of an execution in the background, begun by whomever; raises ExecutionNotFound."""
        return BackgroundExecution(self._connection, self._connection.send(executions.look(execution_id, 0)))

    def sessions(
        self,
        *,
        workspace_id: str | None = None,
        type: str | None = None,  # noqa: A002
        status: str | None = None,
    ) -> list[SessionInfo]:
        """Every session, latest use first: all, or those of a workspace, type and status; as `Worker.sessions`."""
        only = {"workspace_id": workspace_id, "type": type, "status": status}
        found, after = self._connection.send(service.page(None, **only))
        while after is not None:
            more, after = self._connection.send(service.page(after, **only))
            found += more
        return found

    def info(self, session_id: str) -> SessionInfo:
        """One session; raises SessionNotFound."""
        return self._connection.send(service.info(session_id))

    def remove(self, session_id: str) -> None:
        """Delete a session with everything in it; raises SessionNotFound, SessionBusy."""
        self._connection.send(service.remove(session_id))

    def pin(self, session_id: str, pinned: bool = True) -> None:
        """Keep a session from expiring, or let it expire again; raises SessionNotFound, SessionExpired."""
        self._connection.send(service.pin(session_id, pinned))

    def metrics(self) -> dict[str, Any]:
        """What the tenant's sessions hold and have cost."""
        return self._connection.send(service.metrics())

    def usage_by_day(self) -> list[Day]:
        """What the tenant's sessions cost together, by day (UTC), oldest first; those that are gone among them."""
        return self._connection.send(service.usage_by_day())

    def sweep(self) -> list[str]:
        """Expire what is over now; the ids of the tenant's sessions among them. Needs the scope `admin`."""
        return self._connection.send(service.sweep())

    def close(self) -> None:
        """Close every connection; what runs in the background goes on."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
