"""Encodings in memory: a confined child cannot open their modules when a snippet names one.

Their code is read here and run by the child whose snippet asks for it. To run all of it would make four hundred classes
for every child to come, and take a tenth of the time in which a sandbox starts.
"""

from __future__ import annotations

import codecs
import encodings
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

_NOT_HERE = ("mbcs", "oem", "cp65001")  # ask Windows
_LOADED = ("ascii", "cp1252", "idna", "latin-1", "punycode", "utf-16", "utf-32", "utf-8", "utf-8-sig")  # used the most
# What the others import: some of it is in libraries, which nobody can load later either.
_BELOW = (
    "_codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _multibytecodec binascii bz2 codecs io "
    "quopri re stringprep unicodedata zlib"
)


class InMemory:
    """Finds and loads modules by the code that was read of them."""

    def __init__(self) -> None:
        self._codes: dict[str, CodeType] = {}

    def read(self, found: pkgutil.ModuleInfo) -> None:
        """Keep the code of a module, where it has any."""
        finder: Any = found.module_finder  # of the folder: what looks through all places takes half of the time
        name, spec = found.name, finder.find_spec(found.name)
        get_code = getattr(spec and spec.loader, "get_code", None)
        code = get_code(name) if get_code else None
        if code is not None:
            self._codes[name] = code

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """As `sys.meta_path` wants it."""
        return ModuleSpec(name, self) if name in self._codes else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary one."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code in it."""
        exec(self._codes[module.__name__], module.__dict__)  # noqa: S102 - the library's, read before any snippet came


def preload() -> None:
    """Load the encodings that most programs use and what all import, and read the code of the others."""
    for name in _LOADED:
        codecs.lookup(name)
    for module in _BELOW.split():
        with suppress(ImportError):  # not in this Python
            importlib.import_module(module)
    memory = InMemory()
    for found in pkgutil.iter_modules(encodings.__path__, "encodings."):
        if found.name not in sys.modules and found.name.rpartition(".")[2] not in _NOT_HERE:
            memory.read(found)
    sys.meta_path.insert(0, memory)
