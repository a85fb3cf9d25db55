"""What may be sent again, and when.

    the service was not reached            nothing was done: always
    429, and 503 in the service's words    nothing was done: always, where time alone can make it go well
    the connection broke, time ran out,    it may have been done: only what is the same when it is done twice
      a proxy gave up (502, 503, 504)        (reads, and executions under an idempotency key)
    every other answer                     never: the same request has the same answer

A body that was made while it was sent, from a generator, cannot be had a second time, so its request is sent once.
"""

from __future__ import annotations

import random
import re

import httpx2

from codemode.client.ask import Ask
from codemode.client.problems import refused
from codemode.errors import CodemodeError, QuotaError, WorkerUnreachable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_LONGEST_ASKED = 60.0  # a Retry-After above this is for the caller to wait, who may have better things to do
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_GATEWAY = (502, 503, 504)


class Attempts:
    """The attempts at one request: says after each that failed how long to pause, or raises its error."""

    def __init__(self, ask: Ask, retries: int, address: str) -> None:
        self._ask, self._address = ask, address
        self._left = retries if ask.can_be_sent_again else 0
        self._pause = _FIRST_PAUSE

    def after_break(self, error: httpx2.TransportError | httpx2.DecodingError) -> float:
        """The pause after an attempt without an answer."""
        if not (isinstance(error, _NOT_SENT) or self._ask.safe):
            self._left = 0
        return self._pause_or(broken(error, self._address))

    def after_refusal(self, response: httpx2.Response) -> float:
        """The pause after an answer that is none of success; its body has been read."""
        status, asked = response.status_code, _seconds(response.headers.get("retry-after"))
        error = refused(status, response.content)
        if isinstance(error, QuotaError) and asked:
            error.retry_after = int(asked)
        undone = error.retryable and (status == 429 or (status == 503 and not isinstance(error, WorkerUnreachable)))
        unknown = status in _GATEWAY and isinstance(error, WorkerUnreachable)
        if not (undone or (unknown and self._ask.safe)) or asked > _LONGEST_ASKED:
            self._left = 0
        return max(asked, self._pause_or(error))

    def after_loss(self, error: CodemodeError) -> float:
        """The pause after an answer that broke off in the middle."""
        if not self._ask.safe:
            self._left = 0
        return self._pause_or(error)

    def _pause_or(self, error: CodemodeError) -> float:
        if self._left <= 0:
            raise error
        self._left -= 1
        self._pause, pause = min(self._pause * 2, _LONGEST_PAUSE), self._pause
        return pause * random.uniform(0.5, 1.5)  # noqa: S311 - so that clients that failed together do not return together


def broken(error: Exception, address: str) -> WorkerUnreachable:
    """The error for a connection that could not be made or broke; headers, and so the token, are never in its words."""
    why = str(error) or type(error).__name__
    if isinstance(error, _NOT_SENT):
        return WorkerUnreachable(f"cannot reach {address}: {why}", hint="check the address, and that the service runs")
    return WorkerUnreachable(
        f"no answer came from {address}: {why}",
        hint="whether the request was done is not known; look before you send it again",
    )


def _seconds(header: str | None) -> float:
    return float(header) if header and re.fullmatch(r"\d{1,9}", header.strip()) else 0.0
