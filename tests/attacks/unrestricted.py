"""A child's entry that runs unrestricted Python: only for tests, which hand its path to the sandbox's constructor."""

from __future__ import annotations

import json
import traceback
from typing import Any

from sandbox.child import Entry


def serve(connection: Any, request: dict[str, Any]) -> None:
    """Run the code with every builtin; its value is whatever it leaves in `result`."""
    import ctypes
    import errno
    import os
    import signal
    import socket
    import struct
    import sys

    names: dict[str, Any] = {
        "connection": connection,
        "request": request,
        "ctypes": ctypes,
        "errno": errno,
        "os": os,
        "signal": signal,
        "socket": socket,
        "struct": struct,
        "sys": sys,
        "result": None,
    }
    done: dict[str, Any] = {"status": "completed", "value": "null", "info": {}, "warnings": []}
    try:
        exec(request["code"], names)
        done["value"] = json.dumps(names["result"])
    except BaseException:
        done = {"status": "error", "error": {"code": "code.runtime", "message": traceback.format_exc()}}
    connection.send(["done", done])


def preload() -> None:
    """What the attacks use must be there already: a confined child imports nothing."""
    import ctypes.util
    import mmap
    import multiprocessing.shared_memory
    import pathlib
    import subprocess
    import urllib.request

    assert all((ctypes, mmap, multiprocessing, pathlib, subprocess, urllib))


ENTRY = Entry(serve, preload=preload)
