"""The sandbox's own errors.

SandboxError
├── ProtocolViolation    a child sent what no honest child sends; it has been ended
├── SandboxUnavailable   no child can be had: the host lacks a required layer, or forking fails
├── OutOfTime            raised by the caller's `serve` function when the run's time is over; ends the run
└── HelperFailed         raised by the caller's `serve` function; crosses to the snippet as `helpers.Error`
"""

from __future__ import annotations

from collections.abc import Sequence


class SandboxError(Exception):
    """The root of what the sandbox raises in the parent process."""


class ProtocolViolation(SandboxError):
    """A child sent a frame of wrong size, type or order; it has been ended."""


class SandboxUnavailable(SandboxError):
    """No child can be had; the message says which layer or resource is missing."""


class OutOfTime(SandboxError):
    """The run's time ended inside a helper call; the run ends as a timeout, whatever the snippet would do next."""


class HelperFailed(SandboxError):
    """A helper call failed; its fields cross to the snippet as `helpers.Error`."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        did_you_mean: Sequence[str] = (),
        available: Sequence[str] = (),
        sql: str | None = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.did_you_mean = tuple(did_you_mean)
        self.available = tuple(available)
        self.sql = sql
        self.suggestion = suggestion
