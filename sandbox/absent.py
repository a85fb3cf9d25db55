"""What to say of a name that a module does not have for a snippet: what was meant, else why it is not there.

A name that Python's own module has is spelt well. A guess at another one (`uuid1` → `UUID`) would lead astray.
"""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sandbox.facades.listed import LISTED
from sandbox.helpers.spelling import closest

_NO_FILES = "a snippet has no files: use"
_INSTEAD = {
    "ast.parse": "use ast.literal_eval for data",
    "base64.decode": f"{_NO_FILES} base64.b64decode(data)",
    "base64.encode": f"{_NO_FILES} base64.b64encode(data)",
    "enum.EnumMeta": "a class of enum.Enum does without it",
    "enum.EnumType": "a class of enum.Enum does without it",
    "fractions.gcd": "use math.gcd",
    "gzip.GzipFile": f"{_NO_FILES} gzip.compress(data) and gzip.decompress(data)",
    "gzip.open": f"{_NO_FILES} gzip.compress(data) and gzip.decompress(data)",
    "math.mean": "use statistics.mean",
    "sys.argv": "there is no command line: values come in as inputs, by name",
    "sys.modules": "import what is available",
    "sys.path": "import what is available; a snippet has no files",
    "sys.stdin": "nobody types: give values as inputs",
    "tomllib.load": f"{_NO_FILES} tomllib.loads(text)",
    "uuid.getnode": "a snippet knows no machine: uuid.uuid4() is unique",
    "uuid.uuid1": "a snippet knows no machine: use uuid.uuid4()",
}
# What other languages and libraries call it.
_SAME_NAMES = {
    "average": "mean", "avg": "mean", "std": "stdev", "var": "variance",
    "parse": "loads", "stringify": "dumps", "replace": "sub", "integers": "randint",
}  # fmt: skip
_NAMESAKES = ((datetime.datetime, "datetime"), (time.time, "time"))
_BUILTINS = frozenset(
    ["abs", "divmod", "filter", "len", "map", "max", "min", "pow", "range", "round", "sorted", "sum", "zip"]
)


class Absent(NamedTuple):
    """What its error says: the names that may have been meant, and the way out."""

    meant: list[str]
    hint: str | None

    def closing(self, known: Sequence[str]) -> str:
        """A closing half-sentence: did you mean …, or what is available."""
        return f"did you mean {' or '.join(self.meant)}?" if self.meant else f"it has: {', '.join(known)}"


def absent(module: str, contents: dict[str, Any], name: str) -> Absent:
    """Look for what was meant by a name that is not among the contents of a module's facade."""
    known = sorted(each for each in contents if not each.startswith("_"))
    same = _SAME_NAMES.get(name)
    why = _INSTEAD.get(f"{module}.{name}") or _why(module, contents, name)
    if why:
        return Absent([], why)
    meant = [same] if same in known else closest(name, known)
    return Absent(meant, f"did you mean {meant[0]}?" if meant else None)


def _why(module: str, contents: dict[str, Any], name: str) -> str | None:
    real = sys.modules.get(module)
    if real is not None and name in vars(real):
        return f"snippets have no {module}.{name}"
    if name in LISTED.get(module, "").split():
        return f"{module}.{name} is of a newer Python than {sys.version_info.major}.{sys.version_info.minor}"
    below = next((each for each in LISTED if each.startswith(f"{module}.") and name in LISTED[each].split()), None)
    if below is not None:
        return f"write: from {below} import {name}"
    namesake = contents.get(module)
    if isinstance(namesake, type) and hasattr(namesake, name) and not name.startswith("_"):
        return f"it is of the class: write {module}.{module}.{name}, or from {module} import {module}"
    return f"{name} is a builtin: write {name}(…)" if name in _BUILTINS else None


def of_the_module(subject: object, name: str) -> str | None:
    """The way to a name of a module, asked of what has the module's own name: `datetime.timedelta` of the class."""
    module = next((module for each, module in _NAMESAKES if subject is each), None)
    if module is None or name not in LISTED[module].split():
        return None
    return f"{module} is not the module here: from {module} import {name}, and write {name} alone"
