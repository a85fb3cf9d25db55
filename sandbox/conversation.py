"""One run, from the worker's side: serve what the child asks until it is done, lost, late or out of bounds.

The child is a hostile peer. Everything that it can make grow is counted here: frames by their number, calls by the
snippet's limit, output by its bytes, time by the deadline. The way out is always the same: the child is killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox import ending
from sandbox.captured import Captured, output_limit
from sandbox.claims import Claim, parse_done
from sandbox.errors import HelperFailed, OutOfTime, ProtocolViolation
from sandbox.kept import Child, DeadlinePassed, Usage
from sandbox.limits import SandboxLimits
from sandbox.outcome import RunOutcome, Serve, Status
from sandbox.printing import BURST, HELD_SECONDS, PER_SECOND, PIECE_CHARACTERS
from sandbox.protocol import encoded, parse_call

# A frame of a stream is not a call: a million rows are hundreds of frames of one batch_insert. Each still costs its
# sender a round trip, and there are this many for each call allowed.
STREAMED = frozenset({"db.batch_rows", "db.pages_next"})
CHUNKS_PER_CALL = 100
# Nor is handing over the result: a piece holds 2,000 rows or about `piece_bytes`, so that no honest value has this many
# beside those that its bytes make; where text may take four bytes a character, a piece is a quarter of one.
RESULT_CALLS = "result."
RESULT_PIECES = 10_000
PARTS_OF_PIECE = 8
HAMMERING = 2  # calls beyond the limit are refused; at this many times the limit the child is ended
ReadStatus = Callable[[Child], dict[str, Any] | None]


class Conversation:
    """The state of one run."""

    def __init__(
        self,
        child: Child,
        limits: SandboxLimits,
        serve: Serve,
        *,
        keep: bool,
        learn: Callable[[Any], None] | None,
    ) -> None:
        self._child = child
        self._keep = keep
        self._learn = learn  # takes the code of the snippet, until anything else has come
        self._limits = limits
        self._serve = serve
        self._calls = 0
        self._chunks = 0
        self._pieces = 0
        self._frames_left: int | None = None  # until the first one comes
        self._failure: dict[str, Any] | None = None
        self._told: set[str] = set()  # the codes that its calls failed with

    def _frame_allowance(self) -> int:
        """More output frames than any honest child sends, so that a flood of empty ones ends early."""
        timed = (PER_SECOND + 1 / HELD_SECONDS) * min(self._limits.execution_seconds, 86_400.0)
        pieces = output_limit(self._limits.stdout_bytes) / PIECE_CHARACTERS
        return int(BURST + timed + pieces + 2 * HAMMERING * self._limits.helper_calls) + 100

    def hold(self, output: Captured, status: ReadStatus) -> RunOutcome:
        """Serve the child, which has its snippet, to its end; then it only waits to be killed, or is dead."""
        child = self._child
        started = time.monotonic()
        claim: Claim | None = None
        usage: Usage | None = None
        child.set_deadline(started + self._limits.execution_seconds)
        try:
            claim = self._talk(output)
            # A claim that came too late is none: a helper call may have returned after the deadline.
            if time.monotonic() > started + self._limits.execution_seconds:
                raise DeadlinePassed
        except DeadlinePassed:
            claim = None
            usage = child.usage()
            child.end("timeout")
        except ProtocolViolation as violation:
            self._failure = self._failure or ending.violated(str(violation))
            usage = child.usage()
            child.end("violation")
        duration = time.monotonic() - started
        if claim is not None:
            usage = child.usage()
        if usage is None:
            usage = self._late_usage(claim, status)
        return self._outcome(claim, output, usage or Usage(), duration)

    def _late_usage(self, claim: Claim | None, status: ReadStatus) -> Usage | None:
        """The figures of a child that is gone, or that /proc does not show; and what it died of."""
        if claim is not None:
            if self._keep:
                return None  # keeping it is worth more than figures that only its end would bring
            self._child.end("done")  # it waits for this, and the zygote knows its figures only when it is gone
        died, usage = self._post_mortem(status)
        if claim is None and self._child.ended is None:
            self._failure = died
        return usage

    def _talk(self, output: Captured) -> Claim | None:
        """Serve the child until it is done; None when it is gone."""
        while (frame := self._child.read()) is not None:
            kind = frame[0]
            learn, self._learn = self._learn, None
            if learn is not None and kind == "code" and len(frame) == 2:
                learn(frame[1])
            elif kind == "call":
                if not self._child.send(self._answer(*parse_call(frame))):
                    return None
            elif kind == "out":
                self._print(frame, output)
            elif kind == "done":
                claim = parse_done(frame, self._limits.result_bytes, self._told)
                ran = self._calls or self._chunks or self._pieces or output.total_bytes
                # "rejected" says that nothing ran: whoever reads it sends the mended code again.
                return claim._replace(status="error") if ran and claim.status == "rejected" else claim
            else:
                raise ProtocolViolation("a frame of an unknown kind")
        return None

    def _print(self, frame: list[Any], output: Captured) -> None:
        left = self._frame_allowance() if self._frames_left is None else self._frames_left
        self._frames_left = left - 1
        if len(frame) != 2 or type(frame[1]) is not str or left < 1:
            raise ProtocolViolation("output frames without text, or without end")
        output.add(frame[1])
        most = output_limit(self._limits.stdout_bytes)
        if output.total_bytes > most:
            self._failure = ending.flooded(most)
            raise ProtocolViolation("too much output")

    def _answer(self, method: str, arguments: list[Any]) -> bytes:
        """The reply to one call. What `serve` raises beside HelperFailed is no business of the snippet's."""
        try:
            self._count(method)
            value = self._serve(method, arguments)
        except OutOfTime:
            raise DeadlinePassed from None
        except HelperFailed as failed:
            return self._refusal(failed)
        try:
            frame = encoded(["ok", value])
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return self._refusal(HelperFailed("code.runtime", f"{method}: the answer cannot be sent ({error})"))
        if len(frame) > self._limits.frame_bytes:
            message = f"{method}: the answer takes {len(frame):,} bytes, more than one frame carries"
            hint = "ask for fewer rows or columns, or read with helpers.db.pages"
            return self._refusal(HelperFailed("sql.limit", message, hint=hint))
        return frame

    def _refusal(self, failed: HelperFailed) -> bytes:
        self._told.add(failed.code)
        return encoded(["err", _fields(failed)])

    def _count(self, method: str) -> None:
        allowed = self._limits.helper_calls
        if method.startswith(RESULT_CALLS):
            self._pieces += 1
            most = PARTS_OF_PIECE * self._limits.spill_bytes // self._limits.piece_bytes
            if self._pieces > RESULT_PIECES + most:
                raise ProtocolViolation("a result of too many pieces")
            return
        if method in STREAMED:
            self._chunks += 1
            if self._chunks > CHUNKS_PER_CALL * allowed:
                self._refuse_call(allowed, f"{CHUNKS_PER_CALL * allowed:,} pages and chunks of batches")
        else:
            self._calls += 1
            if self._calls > allowed:
                self._refuse_call(allowed, f"{allowed:,} helper calls")

    def _refuse_call(self, allowed: int, met: str) -> None:
        if self._calls > HAMMERING * allowed or self._chunks > CHUNKS_PER_CALL * allowed + HAMMERING * allowed:
            self._failure = ending.hammered(met)
            raise ProtocolViolation("too many calls")
        raise HelperFailed("code.call_limit", f"more than {met} in one execution", hint=ending.FEWER_CALLS)

    def _post_mortem(self, status: ReadStatus) -> tuple[dict[str, Any], Usage | None]:
        known = status(self._child)
        if known is None:
            return ending.lost(), None
        cpu = max(0.0, known["cpu"] - self._child.started_cpu_ns / 1e9)
        if cpu > self._limits.execution_seconds:  # the kernel's own limit came before ours
            self._child.ended = "timeout"
        return ending.died(known["wait"], known["rss"], self._limits), Usage(cpu, known["rss"])

    def _outcome(self, claim: Claim | None, output: Captured, usage: Usage, duration: float) -> RunOutcome:
        status: Status
        error: dict[str, Any] | None
        match self._child.ended:
            case "timeout":
                status, error = "timeout", ending.timed_out(self._limits.execution_seconds)
            case "cancelled":
                status, error = "cancelled", ending.cancelled()
            case "closed":
                status, error = "cancelled", ending.closed()
            case _ if claim is not None:
                status, error = claim.status, claim.error
            case _:
                status, error = "error", self._failure
        told = claim if claim is not None and status == claim.status else None
        return RunOutcome(
            status=status,
            value_json=told.value_json if told else None,
            value_info=told.info if told else {},
            stdout=output.text(),
            stdout_truncated=output.truncated,
            error=error,
            warnings=told.warnings if told else (),
            cpu_seconds=usage.cpu_seconds,
            peak_memory_bytes=usage.peak_memory_bytes,
            helper_calls=self._calls + self._chunks,
            streamed_calls=self._chunks,
            duration_seconds=duration,
        )


def _fields(failed: HelperFailed) -> dict[str, Any]:
    return {
        "code": _clean(failed.code),
        "message": _clean(failed.message),
        "hint": _clean(failed.hint) if failed.hint is not None else None,
        "did_you_mean": [_clean(text) for text in failed.did_you_mean],
        "available": [_clean(text) for text in failed.available],
        "sql": _clean(failed.sql) if failed.sql is not None else None,
        "suggestion": _clean(failed.suggestion) if failed.suggestion is not None else None,
    }


def _clean(text: str) -> str:
    """Text that can travel: a lone surrogate, quoted back from a snippet's own words, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
