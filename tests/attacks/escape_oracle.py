"""Judges a snippet by what it reached: what the interpreter reports to an audit hook, what it shows, what it changed.

Closed by default: every audit event is a breach, but for those that `HARMLESS` lists with the file they may come from.
"""

from __future__ import annotations

import builtins
import encodings
import importlib.util
import os
import sys
import types
import zoneinfo
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import modules
from sandbox.type_proxy import snippet_type

# Code by its file name, and who may run it: the snippet, and the text that dataclasses and namedtuple write (the canary
# watches what that text names).
HARMLESS_CODE = {
    "<snippet>": ("sandbox/evaluate.py", "/audited_entry.py", "/escape_recorder.py"),
    "<string>": ("/dataclasses.py", "/collections/__init__.py"),
}


@dataclass(frozen=True)
class Harmless:
    """An event that trusted code may cause: `file` ends the name of the innermost Python frame's; "" is anybody's."""

    event: str
    file: str
    reason: str


# Whatever is not here is dangerous: open, import, socket.*, os.*, subprocess.*, ctypes.*, gc.*, pickle.*, marshal.*
# and what a newer Python reports.
HARMLESS = (
    Harmless("builtins.id", "", "a number, from which no way leads back to the object"),
    Harmless("array.__new__", "", "an array's type code and first value"),
    Harmless("compile", "", "makes code or a tree of text; only exec runs it, and that is an event too"),
    Harmless("code.__new__", "sandbox/compile.py", "puts plain names into the snippet's own code"),
    Harmless("object.__getattr__", "/inspect.py", "the signature in a dataclass's docstring"),
    Harmless("object.__getattr__", "sandbox/report.py", "the lines of the snippet in a traceback"),
    Harmless("object.__getattr__", "/traceback.py", "the same"),
    Harmless(
        "sys._getframe", "sandbox/facades/logging_.py", "the line of the snippet that logs; the frame stays there"
    ),
    Harmless("object.__getattr__", "sandbox/facades/logging_.py", "the same"),
    Harmless(
        "sys._getframe", "sandbox/facades/warnings_.py", "the line of the snippet that warns; the frame stays there"
    ),
    Harmless("object.__getattr__", "sandbox/facades/warnings_.py", "the same"),
    Harmless(
        "os.listdir",
        "<frozen importlib._bootstrap_external>",
        "a codec or a time zone by name, which is looked for below encodings and tzdata",
    ),
    Harmless("marshal.loads", "<frozen importlib._bootstrap_external>", "a package of tzdata; its import is an event"),
    Harmless("resource.setrlimit", "sandbox/confine.py", "room below the hard limit, to tell that memory ran out"),
    Harmless("object.__getattr__", "/annotationlib.py", "a class's annotations are computed by a copy of their code"),
    Harmless("function.__new__", "/annotationlib.py", "the same, with names that stand for themselves"),
    Harmless("object.__setattr__", "/annotationlib.py", "those names become references"),
    Harmless("object.__getattr__", "/dataclasses.py", "whether a method names its class (told from Python 3.14 on)"),
    Harmless("object.__setattr__", "/dataclasses.py", "a dataclass's docstring"),
    Harmless("object.__setattr__", "/collections/__init__.py", "a named tuple's defaults"),
    Harmless("object.__setattr__", "/typing.py", "a NamedTuple's bases"),
    Harmless("object.__setattr__", "sandbox/formatting.py", "the name of a facade's class"),
    Harmless("object.__setattr__", "sandbox/facades/logging_.py", "the name of a facade's class"),
    Harmless("object.__setattr__", "sandbox/facades/system.py", "the name of a facade's class"),
    Harmless("sys._getframe", "sandbox/hardening.py", "whether `typing` itself evaluates a reference"),
    Harmless("object.__getattr__", "sandbox/hardening.py", "the same: the code of the frame, which stays there"),
    Harmless("sys._getframe", "/enum.py", "finds the module that an enumeration says it is of; the frame stays there"),
    Harmless("sys._getframe", "/typing.py", "the same for TypedDict and NamedTuple"),
    Harmless("sys._getframemodulename", "/enum.py", "the same since Python 3.12; a name alone"),
    Harmless("sys._getframemodulename", "/typing.py", "the same"),
    Harmless("time.sleep", "", "a snippet may sleep; its deadline ends it (told from Python 3.12 on)"),
    Harmless("sys.set_asyncgen_hook_firstiter", "/asyncio/base_events.py", "the loop watches its async generators"),
    Harmless("sys.set_asyncgen_hook_finalizer", "/asyncio/base_events.py", "the loop watches its async generators"),
)
_FORBIDDEN = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.CellType)
_POWERS = (eval, exec, compile, open, __import__, globals, locals, vars, type, os.system, breakpoint, input)
SECRET = "canary-secret"
_TZDATA = getattr(importlib.util.find_spec("tzdata"), "submodule_search_locations", None) or ()
_ENCODINGS = f"{Path(encodings.__file__).parent}{os.sep}"
_ZONES = [os.path.normpath(folder) for folder in (*zoneinfo.TZPATH, *_TZDATA)]
# What the listed modules lean on, and this package.
_BESIDE = {"builtins", "sys", "os", "sandbox", "importlib", "codecs", "encodings", "copyreg", "weakref", "_abc"}


class Oracle:
    """Notes events and breaches while it watches; `tell` hears of each at once, so that a crash loses none."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self.tell = tell
        self.watching = False
        self._busy = False
        sys.addaudithook(self._hook)
        builtins.helpers_canary = self._canary  # type: ignore[attr-defined]

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watching or self._busy:
            return
        self._busy = True  # looking at the frame is an event too
        try:
            if not self._harmless(event, arguments):
                given = [each if type(each) is str else type(each).__name__ for each in arguments]
                self.tell("event", f"{event} {given} in {sys._getframe(1).f_code.co_filename}")
        finally:
            self._busy = False

    @staticmethod
    def _harmless(event: str, arguments: tuple[Any, ...]) -> bool:
        caller = sys._getframe(2).f_code.co_filename
        if event == "exec":
            name = arguments[0].co_filename
            in_memory = caller.endswith("sandbox/charsets.py") and name.startswith(_ENCODINGS)
            return in_memory or caller.endswith(HARMLESS_CODE.get(name, ())) or _of_time_zones(name)
        if event == "open":
            # The parser looks for the line of a syntax error; a time zone is looked for where time zones are.
            return arguments[0] == "<snippet>" or _of_time_zones(arguments[0])
        if event == "import":
            return arguments[0] == "tzdata" or arguments[0].startswith(("tzdata.", "encodings."))
        if event == "object.__setattr__" and arguments[1] in ("__name__", "__qualname__"):
            return True  # names are for messages; whose a class is, they do not say
        return any(each.event == event and caller.endswith(each.file) for each in HARMLESS)

    def _canary(self, *_: object) -> None:
        self.tell("breach", "text of the snippet was run as code")

    def show(self, value: object) -> None:
        """What `helpers.show` does: judge what a snippet holds."""
        if forbidden(value):
            self.tell("breach", f"{value!r:.200}")

    def reached(self) -> None:
        """What `helpers.reached` does: the line before it should not have worked."""
        self.tell("breach", "a line that should fail did not")


def _of_time_zones(path: object) -> bool:
    """Whether a file is one of the folders of time zones, wherever its name climbs to."""
    plain = os.path.normpath(str(path))  # by its text alone: a confined child may not look
    return any(plain.startswith(folder + "/") for folder in _ZONES)


def forbidden(value: Any, depth: int = 0) -> bool:
    """Whether an object gives power, or knowledge that no snippet should have."""
    if isinstance(value, _FORBIDDEN) or any(value is power for power in _POWERS):
        return True
    if isinstance(value, type) and issubclass(value, type):
        return type(value) is not type(snippet_type)  # the snippet's `type`, which takes one argument
    if isinstance(value, type(object.__reduce_ex__)) and value.__name__.startswith("__reduce"):
        return True
    if isinstance(value, dict) and ({"__builtins__", "__name__", "__spec__"} & value.keys()):
        return True
    if isinstance(value, str):
        return "__builtins__" in value or SECRET in value or "root:" in value
    if isinstance(value, (list, tuple)) and depth < 2:
        return len(value) > 60 or any(forbidden(each, depth + 1) for each in value[:60])
    if isinstance(value, types.MappingProxyType) and "__dict__" in value:
        return True
    return isinstance(value, AbstractEventLoop) or SECRET in repr(value)


class Library:
    """What the modules that snippets may use hold, and their classes: whether anything was poisoned shows in it."""

    def __init__(self) -> None:
        self._sizes = list(_namespaces())
        self._members = [
            (where, held, name, value) for where, held, _ in self._sizes for name, value in list(held.items())
        ]

    def changes(self) -> list[str]:
        """What was set, deleted or added since then."""
        changed = [
            f"{where}.{name}" for where, held, name, value in self._members if not _is_same(held.get(name), value)
        ]
        return changed + [where for where, held, size in self._sizes if _size(held) != size]


def _is_same(found: Any, value: Any) -> bool:
    # Since Python 3.14 `sys.flags` is made anew whenever the longest integer of a text is set, as the serializer does.
    return found is value or (type(found) is type(value) is type(sys.flags))


def _namespaces() -> Iterator[tuple[str, Mapping[str, Any], int]]:
    tops = {name.partition(".")[0] for name in modules.available()} | _BESIDE
    for module, found in sorted(sys.modules.items()):
        if module.partition(".")[0] in tops:
            held = vars(found)
            yield module, held, _size(held)
            for name, value in list(held.items()):
                if isinstance(value, type) and value.__module__ == module:
                    yield f"{module}.{name}", vars(value), _size(vars(value))


def _size(held: Mapping[str, Any]) -> int:
    # The interpreter's own, made when an instance is first copied, or a class first asked for its annotations.
    notes = sum(name in held and not held[name] for name in ("__annotate_func__", "__annotations_cache__"))
    notes += "__slotnames__" in held
    loaded = sum(isinstance(each, types.ModuleType) and "encodings." in each.__name__ for each in held.values())
    return len(held) - notes - loaded  # an encoding is loaded when it is first named
