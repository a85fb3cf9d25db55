"""What a child is asked: one snippet, with its inputs and limits, as one frame."""

from __future__ import annotations

from typing import Any

from sandbox import ending
from sandbox.codes import Known
from sandbox.limits import SandboxLimits
from sandbox.outcome import Snippet
from sandbox.protocol import encoded


def request_frame(
    snippet: Snippet,
    limits: SandboxLimits,
    *,
    keep: bool = False,
    number: int = 0,
    waits: bool = False,
    known: Known,
) -> bytes:
    """The frame that has a child run this; `number` is what a kept child proves with that it has read it.

    Code that is `known` goes along where there is room: no snippet is refused for it.
    """
    fields: dict[str, Any] = {
        "code": snippet.code.encode("utf-8", "surrogatepass"),  # what is no text is the compiler's to refuse
        "inputs": snippet.inputs.encode("utf-8", "surrogatepass"),
        "functions": list(snippet.functions),
        "limits": limits._asdict(),
        "keep": keep,
        "number": number,
        "waits": waits,
        "compiled": known.code,
        "tells": known.wanted,
        "form": {"kind": snippet.form.kind, "max_cell": snippet.form.max_cell},
    }
    frame = encoded(["run", fields])
    if known.code is not None and len(frame) > limits.frame_bytes:
        frame = encoded(["run", fields | {"compiled": None}])
    return frame


def too_large(snippet: Snippet, request: bytes, limits: SandboxLimits) -> dict[str, Any] | None:
    """The error of a snippet that is longer than it may be, or whose frame is; None for all others."""
    size = len(snippet.code)
    if 4 * size > limits.code_bytes:  # only then can it be too many bytes
        size = len(snippet.code.encode("utf-8", "surrogatepass"))
    if size > limits.code_bytes:
        hint = "data belongs in inputs or in a table"
        message = f"the code takes {size:,} bytes; at most {limits.code_bytes:,} are allowed"
        return ending.problem("code.refused", message, hint=hint)
    if len(request) > limits.frame_bytes:
        hint = "put large data into a table first"
        message = f"code and inputs take {len(request):,} bytes; at most {limits.frame_bytes:,} are allowed"
        return ending.problem("code.refused", message, hint=hint)
    return None
