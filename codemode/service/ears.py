"""What a caller can listen to: the events of a session, or those of all that a user has subscribed to."""

from __future__ import annotations

from dataclasses import dataclass

from codemode.service.acting import somebody
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import SessionEvent


@dataclass(frozen=True, slots=True)
class OfSession:
    """The events of a session, for whoever may read it."""

    service: Service
    caller: Caller
    session_id: str

    def check(self) -> None:
        """Raise SessionNotFound unless he still may."""
        self.service.check_reach(self.caller, self.session_id, "read")

    def since(self, seq: int, limit: int) -> list[SessionEvent]:
        """What came after number `seq`."""
        return self.service.worker.of(self.caller.tenant).events.since(self.session_id, seq, limit)


@dataclass(frozen=True, slots=True)
class OfUser:
    """The events of the sessions and panels that a user has subscribed to, as long as he takes part in them."""

    service: Service
    caller: Caller
    user_id: str

    def check(self) -> None:
        """Whether he takes part is asked for each event."""

    def since(self, seq: int, limit: int) -> list[SessionEvent]:
        """What came after number `seq`."""
        return self.service.worker.of(self.caller.tenant).events.of_user(self.user_id, seq, limit)


def of_user(service: Service, caller: Caller, user_id: str | None) -> OfUser:
    """The ears of a user, who is the caller's own where he is bound to one; raises AuthForbidden, RequestInvalid."""
    return OfUser(service, caller, somebody(caller, user_id))
