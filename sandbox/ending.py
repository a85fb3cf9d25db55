"""How a run that did not finish is told: one error for each way in which a child can be lost."""

from __future__ import annotations

import signal
from typing import Any

from sandbox.limits import MIB, SandboxLimits


def problem(code: str, message: str, *, hint: str | None = None, retryable: bool = False) -> dict[str, Any]:
    """An error of the worker's own making, with all fields of an outcome's error."""
    return {
        "code": code,
        "message": message,
        "hint": hint,
        "did_you_mean": [],
        "available": [],
        "line": None,
        "sql": None,
        "suggestion": None,
        "traceback": None,
        "retryable": retryable,
    }


def timed_out(seconds: float) -> dict[str, Any]:
    """The deadline passed."""
    hint = "do less in one execution, or give it a larger timeout where the limit allows"
    return problem("code.timeout", f"the snippet ran longer than {seconds:g} seconds and was ended", hint=hint)


def cancelled() -> dict[str, Any]:
    """Somebody cancelled the run."""
    return problem("code.cancelled", "the execution was cancelled", retryable=True)


def closed() -> dict[str, Any]:
    """The sandbox was closed under the run."""
    return problem("code.cancelled", "the worker closed while the snippet ran", retryable=True)


def violated(what: str) -> dict[str, Any]:
    """The child broke the protocol."""
    return problem("code.runtime", f"the snippet's process broke the rules of its connection and was ended: {what}")


def flooded(limit: int) -> dict[str, Any]:
    """The snippet printed beyond every measure."""
    hint = "print a sample or a summary; keep data in a table"
    return problem("code.output_limit", f"the snippet printed more than {limit:,} bytes and was ended", hint=hint)


def hammered(limit: int) -> dict[str, Any]:
    """The snippet went on calling helpers after each call was refused."""
    hint = "make fewer, larger calls: helpers.db.batch_insert, helpers.db.batch, one query for many rows"
    return problem("code.call_limit", f"the snippet went on after its {limit:,} helper calls and was ended", hint=hint)


def died(code: int | None, limits: SandboxLimits) -> dict[str, Any]:
    """The child was gone; `code` is its exit code, negative for a signal, None when unknown."""
    if code is None:
        message = "the process that ran the snippet was lost together with the sandbox's zygote; it is started again"
        return problem("code.runtime", message, hint="run the snippet again", retryable=True)
    if code >= 0:
        return problem("code.runtime", f"the snippet's process ended without an answer (exit code {code})")
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    if -code in (signal.SIGKILL, signal.SIGBUS):
        memory = f"{limits.memory_bytes // MIB} MiB"
        message = f"the system ended the snippet's process ({name}), most likely because memory ran out"
        hint = f"a snippet may use {memory}: read data in pages and aggregate it in SQL"
        return problem("code.memory", message, hint=hint)
    return problem("code.runtime", f"the snippet's process crashed ({name}{_REASONS.get(-code, '')})", hint=_CRASH_HINT)


_REASONS: dict[int, str] = {
    signal.SIGSEGV: ": most often data or calls nested far too deeply",
    signal.SIGABRT: ": the interpreter gave up",
    signal.SIGSYS: ": a system call that no snippet needs",
}
_CRASH_HINT = "nothing else was harmed; change what the snippet does at this point"
