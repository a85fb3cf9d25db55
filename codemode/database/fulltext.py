"""Takes the two functions of FTS5 away that nothing can stop: snippet() and highlight() on a long document.

The guard refuses them by name, but FTS5 also calls them by a name that is data: `rank MATCH 'highlight(0, …)'` in a
query, or 'rank' in the table's own configuration. No authorizer hears of that, so the functions themselves refuse.
"""

from __future__ import annotations

from typing import Any

import apsw

UNSTOPPABLE = ("snippet", "highlight")


def refuse_unstoppable(connection: apsw.Connection) -> None:
    """Put functions that only refuse in the place of those; FTS5 finds the newest of a name."""
    for name in UNSTOPPABLE:
        connection.register_fts5_function(name, _refusing(name))


def _refusing(name: str) -> Any:
    def refuse(_api: object, *_arguments: object) -> None:
        raise apsw.SQLError(f"{name}() is not available: on long documents it cannot be stopped")

    return refuse
