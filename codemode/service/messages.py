"""What is said in a session: whoever reads it reads it all, members post, its author or an owner removes a message."""

from __future__ import annotations

from typing import Any

from codemode.database.clock import now_ms
from codemode.errors import AuthForbidden
from codemode.service.acting import author
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import Message, Page


def page(service: Service, caller: Caller, /, session_id: str, **asked: Any) -> Page[Message]:
    """The newest messages of the session, newest first; `asked` are the filters of `Messages.page`."""
    service.check_reach(caller, session_id, "read")
    return service.worker.of(caller.tenant).messages.page(session_id, **asked)


def get(service: Service, caller: Caller, /, session_id: str, message_id: str) -> Message:
    """One message; raises RecordNotFound."""
    service.check_reach(caller, session_id, "read")
    return service.worker.of(caller.tenant).messages.get(session_id, message_id)


def post(
    service: Service, caller: Caller, /, session_id: str, content: str, *, user_id: str | None = None, **more: Any
) -> Message:
    """Add a message, as the caller's user where he is bound to one; `more` is as `Messages.post` has it.

    Raises SessionExpired where the session is over, and what `Messages.post` raises.
    """
    service.session(caller, session_id, "execute")
    user = author(caller, user_id)
    return service.worker.of(caller.tenant).messages.post(session_id, content, now=now_ms(), user_id=user, **more)


def remove(service: Service, caller: Caller, /, session_id: str, message_id: str) -> Message:
    """Remove a message, with its answers where it began a thread; raises RecordNotFound and AuthForbidden."""
    service.check_reach(caller, session_id, "execute")
    messages = service.worker.of(caller.tenant).messages
    found = messages.get(session_id, message_id)
    if caller.user is None or found.user_id != caller.user:
        try:
            service.check_reach(caller, session_id, "manage")
        except AuthForbidden:
            raise AuthForbidden("only who wrote a message, or an owner of the session, removes it") from None
    messages.remove(session_id, message_id)
    return found
