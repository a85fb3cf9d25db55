"""What a user wants of the service: what he is told of, and what he prefers. A token bound to a user speaks for him."""

from __future__ import annotations

from typing import Any

from codemode.database.clock import now_ms
from codemode.service.acting import somebody
from codemode.service.auditing import Change, before
from codemode.service.callers import Caller
from codemode.service.service import Service
from codemode.values.records import Page, Preference, Subscription


def subscriptions(service: Service, caller: Caller, /, user_id: str | None, **asked: Any) -> Page[Subscription]:
    """What a user is told of; `asked` is as `Subscriptions.of_user` has it."""
    return service.worker.of(caller.tenant).subscriptions.of_user(somebody(caller, user_id), **asked)


def subscribe(
    service: Service, caller: Caller, /, user_id: str | None, session_id: str, panel_id: str | None
) -> Subscription:
    """Have a user told of a session that he takes part in, or of one of its panels.

    Raises SessionNotFound, and RecordNotFound where he takes no part in it, or there is no such panel.
    """
    user = somebody(caller, user_id)
    service.check_reach(caller, session_id, "read")
    subscriptions = service.worker.of(caller.tenant).subscriptions
    return subscriptions.add(user, session_id, now=now_ms(), panel_id=panel_id)


def unsubscribe(service: Service, caller: Caller, /, user_id: str | None, session_id: str, panel_id: str | None) -> str:
    """Have him told no more; answers who he is. Raises RecordNotFound."""
    user = somebody(caller, user_id)
    service.worker.of(caller.tenant).subscriptions.remove(user, session_id, panel_id=panel_id)
    return user


def preferences(
    service: Service, caller: Caller, /, user_id: str | None, category: str, **asked: Any
) -> Page[Preference]:
    """What a user prefers in a category; `asked` is as `Preferences.page` has it."""
    return service.worker.of(caller.tenant).preferences.page(somebody(caller, user_id), category, **asked)


def categories(service: Service, caller: Caller, /, user_id: str | None) -> list[str]:
    """The categories in which a user has preferences."""
    return service.worker.of(caller.tenant).preferences.categories(somebody(caller, user_id))


def prefer(
    service: Service, caller: Caller, /, user_id: str | None, category: str, key: str, value: Any
) -> tuple[Preference, Change]:
    """Keep a preference; raises RequestInvalid, and RecordNotFound where there is no such user."""
    user, records = somebody(caller, user_id), service.worker.of(caller.tenant)
    with records.at_once():
        old = before(records.preferences.get, user, category, key)
        new = records.preferences.put(user, category, key, value, now=now_ms())
    return new, Change(old, new)


def forget(
    service: Service, caller: Caller, /, user_id: str | None, category: str, key: str
) -> tuple[Preference, Change]:
    """Forget a preference; answers what it was. Raises RecordNotFound."""
    user, records = somebody(caller, user_id), service.worker.of(caller.tenant)
    with records.at_once():
        old = records.preferences.get(user, category, key)
        records.preferences.remove(user, category, key)
    return old, Change(old, None)
