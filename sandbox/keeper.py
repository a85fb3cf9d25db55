"""The thread that keeps a zygote running: it starts one, listens to it, and starts another when it is gone.

It lasts as long as the sandbox because the kernel kills the zygote when the thread that started it ends.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from sandbox.errors import SandboxUnavailable
from sandbox.link import Link, ZygoteSettings

_log = logging.getLogger("codemode")  # where whoever hosts a sandbox looks; nothing of his is imported for it
_RESTARTS = (0.0, 0.05, 0.2, 1.0)  # pauses before a new zygote when the last ones died young
_YOUNG_SECONDS = 5.0


class Kept(Protocol):
    """Whom it is done for."""

    closed: bool

    def connected(self, link: Link) -> bool:
        """There is a zygote; False where nobody wants one any more."""

    def listen(self, link: Link) -> None:
        """Take what it sends, until it is gone."""

    def disconnected(self) -> None:
        """It is gone, and its children with it."""

    def failed(self, why: str) -> None:
        """There is none, or listening to it failed."""

    def rest(self, seconds: float, *, until_wanted: bool) -> None:
        """Return after this pause, and then when a child is wanted; at once when all is over."""


class Keeper(threading.Thread):
    """Made with what a zygote is started with, and with `accept`, which raises SandboxUnavailable for one it is not."""

    def __init__(self, settings: ZygoteSettings, accept: Callable[[Link], None], kept: Kept) -> None:
        super().__init__(name="sandbox-keeper", daemon=True)
        self._ran = False  # there was a zygote before: whoever waits for the first one is told why there is none
        self._settings, self._accept, self._kept = settings, accept, kept

    def run(self) -> None:
        """Keep one running until all is over."""
        young = 0
        while not self._kept.closed:
            started = time.monotonic()
            link = self._connect()
            if link is not None:
                self._listen(link)
            young = young + 1 if time.monotonic() - started < _YOUNG_SECONDS else 0
            if young:
                # Where starting failed outright, try again when somebody wants a child, not all the time.
                self._kept.rest(_RESTARTS[min(young, len(_RESTARTS)) - 1], until_wanted=link is None)

    def _connect(self) -> Link | None:
        link, why = None, ""
        try:
            link = Link(self._settings)
            self._accept(link)
        except SandboxUnavailable as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - this thread is all that a waiting run has; it must be told
            why = f"{type(error).__name__}: {error}"
        if link is not None and not why and self._kept.connected(link):
            if self._ran:
                _log.warning("the sandbox's zygote runs again")
            self._ran = True
            return link
        if link is not None:
            _end(link)
        if why:
            if self._ran and not self._kept.closed:
                _log.error("no snippet can run: the sandbox's zygote cannot be started again: %s", why)
            self._kept.failed(why)
        return None

    def _listen(self, link: Link) -> None:
        try:
            self._kept.listen(link)
        except Exception as error:  # noqa: BLE001 - without this thread every run would wait in vain
            self._kept.failed(f"{type(error).__name__}: {error}")
        # Runs under way notice by themselves: their children died with the zygote.
        if not self._kept.closed:
            _log.warning("the sandbox's zygote ended, and what its children ran; it is started again")
        self._kept.disconnected()
        with contextlib.suppress(OSError):
            _end(link)


def _end(link: Link) -> None:
    link.close()
    link.release()
