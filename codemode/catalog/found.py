"""The errors for what is not there, and for what is there already. Another tenant's are not there."""

from __future__ import annotations

from codemode.catalog.bound import BoundStore
from codemode.errors import RecordExists, RecordNotFound, SessionNotFound, shown


def no_session(session_id: str) -> SessionNotFound:
    """The error for a session that is not there, or has expired."""
    return SessionNotFound(
        f"there is no session {shown(session_id, 140)}", hint="list the sessions to see those there are"
    )


def no_record(what: str, name: str) -> RecordNotFound:
    """The error for a record that is not there."""
    return RecordNotFound(f"there is no {what} {shown(name, 140)}", hint="list them to see those there are")


def exists(what: str, name: str, hint: str) -> RecordExists:
    """The error for a record that is there already."""
    return RecordExists(f"there is a {what} {shown(name, 140)} already", hint=hint)


def check_not_deleted(store: BoundStore, user_id: str | None) -> None:
    """Raise RecordNotFound for a user who was deleted; one whom nobody knows yet is none."""
    sql = "SELECT 1 FROM users WHERE tenant = ?1 AND id = ?2 AND deleted_at IS NOT NULL"
    if user_id is not None and store.run(sql, user_id):
        raise deleted_user(user_id)


def deleted_user(user_id: str) -> RecordNotFound:
    """The error for what a deleted user would begin to do."""
    return RecordNotFound(
        f"the user {shown(user_id, 140)} was deleted",
        hint="take that back (`codemode users undelete`), or name another one: a deleted user keeps his id",
    )


def is_there(store: BoundStore, session_id: str) -> bool:
    """Whether there is such a session that has not expired."""
    return bool(store.run("SELECT 1 FROM sessions WHERE tenant = ?1 AND id = ?2 AND expired_at IS NULL", session_id))


def check_session(store: BoundStore, session_id: str) -> None:
    """Raise SessionNotFound unless there is such a session that has not expired."""
    if not is_there(store, session_id):
        raise no_session(session_id)
