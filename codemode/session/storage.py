"""Where the sessions of a worker live, and what bounds them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from codemode.catalog.promotion import Promotion
from codemode.catalog.sessions import REMEMBER_MS
from codemode.limits import Limits
from codemode.session.files import SessionFiles
from codemode.session.opened import LogBounds
from codemode.session.slots import Key


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker was told of it, once."""

    data_dir: Path
    limits: Limits
    log: LogBounds
    record_ms: int = REMEMBER_MS  # how long what is known of an expired session stays
    promotion: Promotion | None = None  # which sessions are pinned without being asked

    def files(self, key: Key) -> SessionFiles:
        """Where the session's files are."""
        return SessionFiles.of(self.data_dir, *key)
