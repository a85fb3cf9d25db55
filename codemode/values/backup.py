"""What a backup holds, and what was restored from one."""

from __future__ import annotations

from typing import Literal

import msgspec

Done = Literal["made", "replaced", "skipped", "recorded"]


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is not in a backup, or was not restored from one, and why: an error code and its message.

    `session.not_found` and `session.expired` are sessions that went while the backup was made.
    """

    tenant: str
    id: str
    code: str
    message: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was written and read back; `data_bytes` are the sizes of the files in it, `size_bytes` its own.

    `left_out`: sessions that are not in it. `notes`: what is missing of those that are.
    """

    file: str
    created_at: str
    size_bytes: int
    data_bytes: int
    sessions: int
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every session is in it that could be: one that went meanwhile could not."""
        return all(each.code in ("session.not_found", "session.expired") for each in self.left_out)


class RestoredSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a backup and what was done with it, under the id that it has now; `as_of` is its data's time.

    `recorded`: its data was there and is as it was, and had lost its record, which came back.
    """

    tenant: str
    id: str
    done: Done
    as_of: str


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did; `catalog`: tokens, tenants and the audit log came back too."""

    file: str
    sessions: tuple[RestoredSession, ...]
    catalog: bool = False
