"""How a run that did not finish is told: one error for each way in which a child can be lost."""

from __future__ import annotations

import signal
from typing import Any

from sandbox.limits import MIB, SandboxLimits

_MUCH_BYTES = 64 * MIB  # of a process that the kernel may have chosen because memory ran out, before a limit was met
_TOO_SMALL = (
    "read data in pages and aggregate it in SQL: the machine, or its container, has less memory than `memory_bytes`"
)
FEWER_CALLS = "make fewer, larger calls: helpers.db.batch_insert, helpers.db.batch, one query for many rows"


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
    hint = "do less in one execution, or give it a larger timeout: execution_seconds is the most"
    return problem("code.timeout", f"the snippet ran longer than {seconds:g} s and was ended", hint=hint)


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


def hammered(met: str) -> dict[str, Any]:
    """The snippet went on calling helpers after each call was refused; `met` is the limit in words."""
    return problem("code.call_limit", f"the snippet went on after its {met} and was ended", hint=FEWER_CALLS)


def lost() -> dict[str, Any]:
    """The child is gone, and the zygote that would know how it ended."""
    return _taken_away("the process that ran the snippet was lost together with the sandbox's zygote")


def died(code: int, peak_bytes: int, limits: SandboxLimits) -> dict[str, Any]:
    """The child was gone; `code` is its exit code, negative for a signal, `peak_bytes` the most memory it had."""
    if code >= 0:
        return problem("code.runtime", f"the snippet's process ended without an answer (exit code {code})")
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    if -code not in _OWN_SIGNALS and not (-code == signal.SIGKILL and peak_bytes >= limits.memory_bytes // 2):
        said = f"the process that ran the snippet was killed from outside ({name})"
        if -code == signal.SIGKILL and peak_bytes >= _MUCH_BYTES:
            return _taken_away(f"{said}, mostly because memory ran out: it had {peak_bytes // MIB} MiB", _TOO_SMALL)
        return _taken_away(said)
    if -code in (signal.SIGKILL, signal.SIGBUS):
        memory = f"{limits.memory_bytes // MIB} MiB"
        message = f"the system ended the snippet's process ({name}), most likely because memory ran out"
        hint = f"a snippet may use {memory}: read data in pages and aggregate it in SQL"
        return problem("code.memory", message, hint=hint)
    return problem("code.runtime", f"the snippet's process crashed ({name}{_REASONS.get(-code, '')})", hint=_CRASH_HINT)


def _taken_away(message: str, hint: str = "run the snippet again") -> dict[str, Any]:
    """Not the snippet's fault but the service's: operators are alerted by this code."""
    return problem("worker.unavailable", message, hint=hint, retryable=True)


# What a confined process can bring on itself: faults, timers and limits, but no kill. SIGKILL is the kernel's where
# memory runs out, and that is the snippet's doing where it had much of it. One that has escaped from Python can lower
# its own CPU limit and so end by SIGKILL; it is not told apart, and costs itself its run.
_OWN_SIGNALS = frozenset(
    getattr(signal, name)
    for name in (
        *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS", "SIGABRT"),
        *("SIGALRM", "SIGPIPE", "SIGXCPU", "SIGXFSZ"),
    )
)
_REASONS: dict[int, str] = {
    signal.SIGSEGV: ": most often data or calls nested far too deeply",
    signal.SIGABRT: ": the interpreter gave up",
    signal.SIGSYS: ": a system call that no snippet needs",
}
_CRASH_HINT = "nothing else was harmed; change what the snippet does at this point"
