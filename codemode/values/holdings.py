"""What a worker and its tenants hold at one moment, and the layers that confine a child."""

from __future__ import annotations

import msgspec

from codemode.values.costs import Totals


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What the sessions of a tenant, or of one of its users, hold and have cost.

    `pinned` ones are among the `sessions` that are active. `size_bytes` is what the databases take on disk. `usage` is
    what the last 400 days cost; of a whole tenant that includes sessions that are gone.
    """

    sessions: int
    pinned: int
    expired: int
    size_bytes: int
    usage: Totals


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker holds at one moment, of all tenants together.

    `sessions`: how many are `active`, `pinned` among them, and `expired`; `open` have their files open. `children`: how
    many are `ready`, `busy` and `kept`, none before the first execution. `layers`: which layers of confinement are
    active; empty until then. `last_backup`: when the newest scheduled one was made, in seconds since 1970; 0 for never.
    """

    sessions: dict[str, int]
    open: int
    children: dict[str, int]
    layers: dict[str, bool]
    free_bytes: int
    last_backup: float
    backup_failing: bool


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of confinement as `codemode doctor` reports it."""

    name: str
    active: bool
    required: bool
    why: str
