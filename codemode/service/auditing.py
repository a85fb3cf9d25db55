"""What the audit log is told, and who reads it.

What was done is always recorded. Refused requests are too, but a token that asks again and again for what it may not
have must not fill the disk: so many of each token in a minute, and one line that counts the others.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from codemode.database.clock import sure_ms
from codemode.errors import CodemodeError, RecordNotFound
from codemode.service.acting import check_whole_tenant
from codemode.service.callers import Caller
from codemode.values import AuditEntry
from codemode.values.records import Message, Signal
from codemode.worker import Worker

REFUSALS_A_MINUTE = 60
_MINUTE = 60.0
_VALUE_BYTES = 1_024  # of one value that was changed: the log tells of a long text that it is another one
# What is said stands in its session and goes with it, which the log does not; what a signal carries lets whoever reads
# it into the call. Of those that are added the log has the size, and of a message that is removed the words.
_ELSEWHERE: dict[type, str] = {Message: "content", Signal: "signal_data"}
_MOST_COUNTED = 10_000  # tokens whose refusals are counted at a time
_REFUSED = {"auth", "request", "session", "quota", "execution", "token"}  # codes of what nothing came of
_log = logging.getLogger("codemode")
Kept = TypeVar("Kept")
Record = msgspec.Struct | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A record before and after an act; None where there was none, or is none any more."""

    old: Record | None
    new: Record | None

    def values(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The fields that differ, before and after; long values by their size."""
        old, new = (None if each is None else msgspec.to_builtins(each) for each in (self.old, self.new))
        if old is None and new is not None and (name := _ELSEWHERE.get(type(self.new), "")):
            new[name] = {"bytes": _size(new[name])}
        if old is None or new is None:
            return _shown(old), _shown(new)
        differ = [name for name in new if _text(new[name]) != _text(old.get(name))]  # as JSON, where 1 is not true
        return _shown({name: old.get(name) for name in differ}), _shown({name: new[name] for name in differ})


def before(get: Callable[..., Kept], *keys: str) -> Kept | None:
    """What `get` finds under these keys before it is put there anew; None where there is nothing yet."""
    try:
        return get(*keys)
    except RecordNotFound:
        return None


def _shown(fields: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if fields is None else {name: _short(value) for name, value in fields.items()}


def _short(value: Any) -> Any:
    size = _size(value)
    return value if size <= _VALUE_BYTES else {"bytes": size}


def _size(value: Any) -> int:
    return len(_text(value).encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


@dataclass(slots=True)
class _Minute:
    since: float
    refusals: int = 0


class Auditing:
    """The audit log of one service."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._minutes: dict[str, _Minute] = {}
        self._lock = threading.Lock()

    def record(
        self,
        caller: Caller,
        action: str,
        resource: str,
        outcome: str,
        *,
        address: str | None = None,
        agent: str | None = None,
        change: Change | None = None,
    ) -> None:
        """Add what a caller did, with "ok" or an error's code, and what it changed."""
        if outcome.partition(".")[0] in _REFUSED:
            unsaid, number = self._count(caller.token or "local")
            if unsaid:
                self._add(caller, "refused", f"{unsaid} more requests in a minute", "auth.forbidden", None, None)
            if number > REFUSALS_A_MINUTE:
                return
        self._add(caller, action, resource, outcome, address, agent, change)

    def _add(
        self,
        caller: Caller,
        action: str,
        resource: str,
        outcome: str,
        address: str | None,
        agent: str | None,
        change: Change | None = None,
    ) -> None:
        old, new = (None, None) if change is None else change.values()
        try:
            self._worker.audit.add(
                at=sure_ms(), tenant=caller.tenant, actor=caller.token or "local", action=action, resource=resource,
                outcome=outcome, address=address, agent=agent, user_id=caller.user, old_values=old, new_values=new,
            )  # fmt: skip
        except CodemodeError as error:  # what was done is done, and its answer must reach the caller
            _log.error("the audit log cannot be written: %s", error)

    def _count(self, who: str) -> tuple[int, int]:
        """How many refusals of a minute before this one went unsaid, and which one of its own minute this is."""
        with self._lock:
            now, unsaid = time.monotonic(), 0
            minute = self._minutes.get(who)
            if minute is None or now - minute.since >= _MINUTE:
                unsaid = 0 if minute is None else max(0, minute.refusals - REFUSALS_A_MINUTE)
                if len(self._minutes) >= _MOST_COUNTED:
                    self._minutes.clear()
                minute = self._minutes[who] = _Minute(now)
            minute.refusals += 1
            return unsaid, minute.refusals

    def page(self, caller: Caller, *, before: int | None, limit: int) -> tuple[list[AuditEntry], int | None]:
        """At most `limit` acts of the caller's tenant, newest first, and the `before` of the next page.

        Raises AuthForbidden for a caller who is bound to a user: the log names the sessions of all.
        """
        check_whole_tenant(caller, "read the tenant's audit log")
        found = self._worker.audit.read(caller.tenant, before=before, limit=limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else None
