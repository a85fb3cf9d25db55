"""Sessions that have become large or much used: pinned by themselves, where the settings say from when on.

What counts is the note of use by which a session comes to a threshold. So one that is unpinned on purpose stays so, and
one that was beyond it before the setting was made is not touched.
"""

from __future__ import annotations

import msgspec

from codemode.catalog.audit import Audit
from codemode.catalog.store import Store
from codemode.database.clock import sure_ms

_FOUND = "SELECT executions, bytes FROM sessions WHERE tenant = ?1 AND id = ?2 AND pinned = 0 AND expired_at IS NULL"


class Promotion(msgspec.Struct, frozen=True):
    """The thresholds: the size of a session's database, and the number of its executions. 0 is none."""

    size_bytes: int = 0
    executions: int = 0

    @property
    def is_on(self) -> bool:
        """Whether any session may be promoted."""
        return bool(self.size_bytes or self.executions)

    def promote(self, catalog: Store, key: tuple[str, str], executions: int, size_bytes: int) -> None:
        """Pin the session if it comes to a threshold by so many executions more and this size.

        In the transaction of the note, before it is written. A line of the audit log says so.
        """
        for before, size in catalog.run(_FOUND, *key):
            if not (
                _comes_to(self.size_bytes, size, size_bytes) or _comes_to(self.executions, before, before + executions)
            ):
                return
            catalog.run("UPDATE sessions SET pinned = 1 WHERE tenant = ?1 AND id = ?2", *key)
            Audit(catalog).add(
                at=sure_ms(), tenant=key[0], actor="worker", action="promote_session", resource=key[1],
                old_values={"pinned": False},
                new_values={"pinned": True, "size_bytes": size_bytes, "executions": before + executions},
            )  # fmt: skip


def _comes_to(threshold: int, before: int, now: int) -> bool:
    return threshold > 0 and before < threshold <= now
