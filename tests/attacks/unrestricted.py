"""A child's entry that runs unrestricted Python: only for tests, which hand its path to the sandbox's constructor."""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import os
import platform
import signal
import socket
import struct
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from breach_numbers import NUMBERS

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_COLUMN = 0 if platform.machine() == "x86_64" else 1


def call(name: str | int, *arguments: Any) -> int:
    """A raw system call by name or number."""
    number = NUMBERS[name][_COLUMN] if isinstance(name, str) else name
    if number is None:
        raise OSError(errno.ENOSYS, "not on this machine")
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    ctypes.set_errno(0)
    answer = int(_libc.syscall(ctypes.c_long(number), *passed))
    if answer == -1:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return answer


_gates: list[int] = []


def _find_gates() -> None:
    """Addresses of the 32-bit entry instruction in code that is mapped already: where new code cannot be made."""
    if platform.machine() != "x86_64":
        return
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights = line.split()[:2]
        if rights == "r-xp" and "[" not in line:
            start, end = (int(part, 16) for part in span.split("-"))
            at = ctypes.string_at(start, end - start).find(b"\xcd\x80")
            if at >= 0:
                _gates.append(start + at)


def names(facts: dict[str, Any], connection: Any) -> dict[str, Any]:
    """What an attack may use."""
    return {
        "call": call,
        "connection": connection,
        "ctypes": ctypes,
        "errno": errno,
        "gates": _gates,
        "facts": {
            **facts,
            "machine": platform.machine(),
            "numbers": {name: pair[_COLUMN] for name, pair in NUMBERS.items()},
        },
        "os": os,
        "signal": signal,
        "socket": socket,
        "struct": struct,
        "sys": sys,
        "result": None,
    }


def serve(connection: Any, request: dict[str, Any]) -> None:
    """Run the code with every builtin; its value is whatever it leaves in `result`."""
    given = names(json.loads(request["inputs"]), connection)
    done: dict[str, Any] = {"status": "completed", "value": "null", "info": {}, "warnings": []}
    try:
        exec(request["code"], given)
        done["value"] = json.dumps(given["result"])
    except BaseException as error:
        number = getattr(error, "errno", None)
        hint = errno.errorcode.get(number) if number else type(error).__name__
        done = {
            "status": "error",
            "error": {"code": "code.runtime", "message": traceback.format_exc(), "hint": hint},
            "warnings": [],
        }
    connection.send(["done", done])


def preload() -> None:
    """What the attacks import must be there already: a confined child opens no file."""
    for module in ("mmap", "multiprocessing.shared_memory", "resource", "subprocess", "threading", "time", "random"):
        importlib.import_module(module)
    _find_gates()


def entry() -> Any:
    """What the zygote takes from this file."""
    from sandbox.child import Entry

    return Entry(serve, preload=preload)


if "sandbox.child" in sys.modules:
    ENTRY = entry()
