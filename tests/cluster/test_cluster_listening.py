"""Events across workers: what one of them stores is heard by who listens at another."""

from __future__ import annotations

from tests.api.listening import in_two_connections
from tests.cluster.serving import Service


def test_each_event_is_heard_once_though_connections_are_lost(service: Service) -> None:
    # The front sends what is below /v1/sessions to the session's worker, and the old paths to any.
    with service.client() as listener:
        for n in range(3):
            session = f"lossy-{n}"
            paths = [f"/v1/sessions/{session}/messages", f"/api/session/{session}/messages"]
            in_two_connections(listener, service.http, session, paths)
