"""Mint ids, and turn a session's id into a directory name: by hash, never from its text."""

from __future__ import annotations

import hashlib

from codemode.moments import ulid


def new_session_id() -> str:
    """An id for a session that nobody named."""
    return f"s_{ulid()}"


def new_execution_id() -> str:
    """An id for one execution."""
    return f"ex_{ulid()}"


def directory_name(tenant: str, session_id: str) -> str:
    """The session's directory: a hash, so that no id can name a path and no two ids share one.

    NUL stands between the two because neither a tenant nor a session id can hold it.
    """
    return hashlib.sha256(f"{tenant}\0{session_id}".encode()).hexdigest()
