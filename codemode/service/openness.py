"""Whether a service lets everybody in: one on loopback does until the first token is made, and never again.

An operator starts the service and then makes a token. What he reads is that there is one now, so it has to be asked
for from then on, and not from the next start on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from codemode.catalog.tokens import Tokens

_log = logging.getLogger("codemode")
_LOOK_SECONDS = 1.0
Look = Callable[[Callable[[], bool]], Awaitable[bool]]  # how an event loop asks the catalogue, which may be far away


class Openness:
    """What `open_to_all` says, for good; where it is None, whether there never was a token."""

    def __init__(self, tokens: Tokens, look: Look, *, open_to_all: bool | None) -> None:
        self._tokens, self._look, self._says = tokens, look, open_to_all
        self._looked = float("-inf")

    async def lasts(self) -> bool:
        """Whether nobody is asked for a token; looks at most once a second. Raises what the catalogue raises."""
        if self._says is None and time.monotonic() - self._looked >= _LOOK_SECONDS:
            if await self._look(self._tokens.any_made):
                self._says = False
                _log.warning("there is a token now: from here on every request needs one")
            self._looked = time.monotonic()
        return self._says is not False
