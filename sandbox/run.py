"""Everything that belongs to one run of one snippet, or of several in a kept child, and is thrown away with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.guards import Guards
from sandbox.own import Own
from sandbox.streams import Streams


class Run:
    """The globals, the guards over them, the helpers, and the streams."""

    def __init__(self, write_out: Callable[[str], None], helpers: Any = None) -> None:
        self.helpers = helpers
        self.globals: dict[str, Any] = {}
        self.own = Own(self.globals)
        self.guards = Guards(self.own)
        self.streams = Streams(write_out)
