"""Who holds a token, and as what he reaches one session: what nearly every request begins with, in one statement.

It is for a store that is near. One that shows a tenant's rows to nobody but him cannot answer it: whose token it is
has to be known before.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from codemode.catalog import sessions, tokens
from codemode.catalog.participants import Role
from codemode.catalog.sessions import SessionRecord
from codemode.catalog.store import Store

Reached = tuple[SessionRecord, Role]
# A join would be prepared anew each time: beside another table SQLite asks of every value that is bound whether one of
# the indexes of a part of the sessions may be used for it.
_REACHED = (
    f"(SELECT json_array({sessions.as_what('tokens.user_id')}, {', '.join(f's.{name}' for name in sessions.FIELDS)})"  # noqa: S608
    " FROM sessions AS s WHERE s.tenant = tokens.tenant AND s.id = ?2)"
)
_FIND = f"SELECT {tokens.FIELDS}, {tokens.OWN_QUOTAS}, {_REACHED} FROM tokens WHERE hash = ?1"  # noqa: S608


class Entry(NamedTuple):
    """A token with its tenant's own quotas, and what `Sessions.reached` answers whoever holds it."""

    token: tokens.Token
    quotas: dict[str, int]
    reached: Reached | None


def entry(store: Store, secret: str, session_id: str, now: int) -> Entry | None:
    """The entry of who holds this secret; None where `Tokens.find` finds no token."""
    if not tokens.SECRET.fullmatch(secret):
        return None
    for *fields, reached in store.look(_FIND, tokens.hashed(secret), session_id):
        found = tokens.found_of(fields, now)
        rows = [] if reached is None else [msgspec.json.decode(reached)]
        return None if found is None else Entry(*found, sessions.reached_of(rows))
    return None
