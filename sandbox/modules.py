"""The modules a snippet may import, and the `import` that finds them.

A facade is made at its first import in a run; those without anything of the run in them are shared by all runs.
"""

from __future__ import annotations

import ast
import datetime
import difflib
import importlib
import json
import string
import sys
import time
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sandbox import charsets, copying, hardening, loop, names, zones
from sandbox.absent import Absent
from sandbox.facade import Facade, facade, members, missing, title
from sandbox.facades import dataclasses_, diagnostics, functools_, logging_, queue_, system, warnings_
from sandbox.facades.listed import LISTED, contents
from sandbox.guards import allow_writes
from sandbox.helpers.spelling import closest
from sandbox.type_proxy import ABC_META

if TYPE_CHECKING:
    from sandbox.run import Run

# Contents that belong to one run, beside or instead of listed names.
_OF_RUN: dict[str, Callable[[Run], dict[str, Any]]] = {
    "abc": lambda run: {"ABCMeta": ABC_META},
    "asyncio": loop.asyncio_contents,
    "collections": dataclasses_.collections_contents,
    "contextlib": system.contextlib_contents,
    "copy": lambda run: {"copy": copying.shallow, "deepcopy": copying.deep},
    "dataclasses": dataclasses_.dataclasses_contents,
    "functools": functools_.functools_contents,
    "io": system.io_contents,
    "operator": functools_.operator_contents,
    "queue": queue_.queue_contents,
    "pprint": system.pprint_contents,
    "string": system.string_contents,
    "traceback": diagnostics.traceback_contents,
    "typing": dataclasses_.typing_contents,
    "warnings": warnings_.warnings_contents,
}
# Whole facades that belong to one run.
_WHOLE: dict[str, Callable[[Run], Facade]] = {"logging": logging_.logging_facade, "sys": system.sys_facade}
_PACKAGES = ("urllib",)  # only there to hold what is below them

_HINTS = {
    "sqlite3": "use helpers.db.query(sql, params) and helpers.db.exec(sql, params): the database is open already",
    "pandas": "load rows with helpers.db.batch_insert and aggregate in SQL with helpers.db.query and helpers.sql; "
    "for small data use collections, itertools and statistics",
    "numpy": "use math, statistics and array, or aggregate in SQL with helpers.db.query",
    "requests": "there is no network; data comes in as inputs or through helpers.host functions",
    "os": "there are no files and no environment; keep data in helpers.db, join names with '/'.join",
    "pathlib": "there are no files; keep data in helpers.db",
    "subprocess": "no other process can be started",
    "threading": "there are no threads; use asyncio, or call one after the other",
    "concurrent": "there are no threads; use asyncio.gather, or call one after the other",
    "pickle": "use json, or helpers.db.save_state",
    "inspect": "use dir(), callable(), isinstance(), or typing.get_type_hints",
    "dateutil": "use datetime.fromisoformat, datetime.strptime, timedelta and zoneinfo.ZoneInfo; for months, calendar",
    "pytz": "use zoneinfo.ZoneInfo('Europe/Rome') and datetime.timezone.utc",
    "timeit": "use time.perf_counter()",
    "argparse": "there is no command line; values come in as inputs, by name",
    "matplotlib": "return the numbers; whoever reads them draws them",
    "sklearn": "use statistics (linear_regression, correlation), or write the few lines out",
    "yaml": "use json or tomllib",
    "configparser": "use tomllib, or split the lines",
    "xml": "use html.parser.HTMLParser or re",
    "importlib": "use an import statement",
    "tabulate": "use f-strings with widths: f'{name:<10}{value:>8.2f}'",
    "locale": "use f'{value:,.2f}'",
    "weakref": "an ordinary dict or functools.lru_cache does: memory goes with the snippet",
    "contextvars": "use an ordinary variable or an argument",
    "signal": "the time limit is kept for you; asyncio.timeout bounds a part",
    "gc": "memory is taken care of",
    "rapidfuzz": "use difflib.get_close_matches, or difflib.SequenceMatcher(None, a, b).ratio()",
    "builtins": "leave it out: len, sum and the others are there",
    "unittest": "use assert",
    "tqdm": "go through the list itself",
    "nltk": "use re and collections.Counter",
    "codemode": "leave the import out: helpers is there already",
}
_SAME_HINT = {
    **dict.fromkeys(("polars", "pyarrow"), "pandas"),
    **dict.fromkeys(("scipy",), "numpy"),
    **dict.fromkeys(("arrow", "pendulum"), "dateutil"),
    **dict.fromkeys(("lxml", "bs4"), "xml"),
    **dict.fromkeys(("seaborn", "plotly"), "matplotlib"),
    **dict.fromkeys(("torch", "tensorflow"), "sklearn"),
    **dict.fromkeys(("click", "getopt"), "argparse"),
    **dict.fromkeys(("platform", "dotenv"), "os"),
    **dict.fromkeys(("httpx", "aiohttp", "urllib3", "urllib.request", "http", "socket"), "requests"),
    **dict.fromkeys(("shutil", "glob", "tempfile"), "pathlib"),
    **dict.fromkeys(("multiprocessing",), "threading"),
    **dict.fromkeys(("sqlalchemy", "duckdb", "apsw"), "sqlite3"),
    **dict.fromkeys(("fuzzywuzzy", "thefuzz", "Levenshtein", "jellyfish"), "rapidfuzz"),
    **dict.fromkeys(("pytest",), "unittest"),
    **dict.fromkeys(("spacy",), "nltk"),
    **dict.fromkeys(("statsmodels",), "sklearn"),
    **dict.fromkeys(("rich", "prettytable"), "tabulate"),
    **dict.fromkeys(("openpyxl", "xlrd"), "pandas"),
    **dict.fromkeys(("psycopg2", "psycopg", "pymysql"), "sqlite3"),
    **dict.fromkeys(("shelve", "marshal"), "pickle"),
}

_ALIASES = {"pd": "pandas", "np": "numpy", "plt": "matplotlib", "tf": "tensorflow"}

# What listed modules import only when some function of theirs is called; not all exist in every Python.
_LATE = (
    "_strptime _pydatetime _pylong inspect locale linecache tokenize copyreg platform _md5 _sha1 _sha256 _sha512 "
    "_sha2 _sha3 _blake2 unicodedata stringprep _markupbase tzdata _colorize"
)

# Sets, made once: a child that goes through all names counts a reference to each of them.
_AVAILABLE = frozenset({*LISTED, *_OF_RUN, *_WHOLE, *_PACKAGES} - {"__future__"})
_BELOW = {
    package: tuple(name for name in _AVAILABLE if name.rpartition(".")[0] == package)
    for package in {name.rpartition(".")[0] for name in _AVAILABLE if "." in name}
}

_shared: dict[str, dict[str, Any]] = {}


def available() -> list[str]:
    """The names of all modules that a snippet may import."""
    return sorted(_AVAILABLE)


def members_of(module: str) -> frozenset[str]:
    """The names that `from module import …` finds, those that belong to one run left out."""
    return frozenset(_listed(module))


def not_imported(name: str) -> str | None:
    """What to write where a module `name` is used and was not imported; None where it is no module's name."""
    if name in _AVAILABLE:
        return f"import it first: import {name}"
    module = _ALIASES.get(name, name)
    return _HINTS.get(_SAME_HINT.get(module, module))


def preload() -> None:
    """Import everything that snippets may use, with what it loads late: a confined child opens no file."""
    hardening.harden()
    for module in (*LISTED, *_OF_RUN):
        _listed(module)
    for late in _LATE.split():
        _import_quietly(late)
    _import_named()
    charsets.preload()
    zones.preload()
    _warm()


def _import_quietly(module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError:
        return  # not in this Python


def _import_named() -> None:
    """Since Python 3.15 the library imports much when it is first named; a child could not."""
    lazy = getattr(types, "LazyImportType", None)
    tops = {name.partition(".")[0] for name in (*_AVAILABLE, *_LATE.split())}
    for name, module in list(sys.modules.items()):
        if lazy is not None and name.partition(".")[0] in tops:
            for late in [each for each, value in vars(module).items() if type(value) is lazy]:
                getattr(module, late)


def _warm() -> None:
    """Call what loads something at its first call."""
    datetime.datetime.strptime("2000-01-01", "%Y-%m-%d")
    time.strptime("2000", "%Y")
    time.localtime()
    json.dumps({"a": [1.5, None]}, indent=1)
    ast.unparse(ast.Name("a"))
    string.Template("").substitute()  # its pattern is made when it is first asked for, since Python 3.14
    loop.run(loop.Ready(None))


def _listed(module: str) -> dict[str, Any]:
    if module not in _shared:
        found = contents(module) if module in LISTED else {}
        if module == "zoneinfo":
            found["available_timezones"] = zones.available
        if module == "csv":
            allow_writes(found["DictReader"], found["DictWriter"])
        if module == "textwrap":
            allow_writes(found["TextWrapper"])
        _shared[module] = found
    return _shared[module]


class Imports:
    """The `import` of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._made: dict[str, Facade] = {}

    def module(self, name: str) -> Facade:
        """The facade of an available module."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Facade:
        if name in _WHOLE:
            return _WHOLE[name](self._run)
        found = dict(_listed(name))
        if name in _OF_RUN:
            found.update(_OF_RUN[name](self._run))
        for below in _BELOW.get(name, ()):
            found[below.rpartition(".")[2]] = self.module(below)
        return facade(name, found)

    def import_(
        self,
        name: str,
        globals: Any = None,  # noqa: A002
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        """`__import__` for snippets."""
        if type(fromlist) is list:
            # Only the interpreter's own C code passes a list (a statement passes a tuple or None): strptime looking
            # for its Python half through our frame. It takes the module from sys.modules, whatever we answer.
            if name in sys.modules:
                return None
            raise ModuleNotFoundError(f"No module named {name!r}")
        if name.partition(".")[0] == "helpers":
            return self._helpers(name, fromlist)
        if level:
            raise ImportError("relative imports are not available: a snippet is no package")
        if name not in _AVAILABLE:
            raise _unavailable(name, available())
        made = self.module(name)
        if not fromlist:
            return self.module(name.partition(".")[0])
        for wanted in fromlist:
            # Checked here: at a missing name the interpreter would go on to look in sys.modules.
            if wanted not in members(made) and not (name == "sys" and wanted in ("stdout", "stderr")):
                raise _missing_name(made, wanted)
        return made

    def _helpers(self, name: str, fromlist: Any) -> Any:
        """`import helpers`, `from helpers import db`, `from helpers.db import query`: it is there already."""
        # Not the variable: of an object of the snippet, one that changes its mind about having an attribute, the
        # interpreter would take `__name__` and go on to sys.modules.
        found = self._run.helpers
        for part in name.split(".")[1:]:
            found = _helper(found, part)
        for wanted in fromlist or ():
            _helper(found, wanted)  # here, because of a missing name the interpreter would ask sys.modules
        return found if fromlist else self._run.helpers


def _helper(found: Any, wanted: str) -> Any:
    if not names.is_plain(wanted) or not hasattr(found, wanted):
        known = [each for each in dir(found) if names.is_plain(each)]
        said = Absent(closest(wanted, known), None).closing(known)
        raise ImportError(f"cannot import name {wanted!r}; {said}")
    return getattr(found, wanted)


def _missing_name(made: Facade, wanted: str) -> ImportError:
    known, found = members(made), missing(made, wanted)
    error = ImportError(f"cannot import name {wanted!r} from {title(made)!r}; {found.closing(known)}", name=title(made))
    error.available, error.did_you_mean, error.hint = known, found.meant, found.hint  # type: ignore[attr-defined]
    return error


def _unavailable(name: str, known: Sequence[str]) -> ModuleNotFoundError:
    top = name.partition(".")[0]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    alike = _SAME_HINT.get(name) or _SAME_HINT.get(top, top)
    hint = _HINTS.get(alike) or (f"did you mean {close[0]}?" if close else None)
    package, _, last = name.rpartition(".")
    if package in known and last in _listed(package):
        hint = f"write: from {package} import {last}"
    way = f" ({hint})" if hint else f"; available: {', '.join(known)}"
    error = ModuleNotFoundError(f"No module named {name!r} in snippets{way}", name=name)
    error.hint = hint  # type: ignore[attr-defined]
    error.did_you_mean = close  # type: ignore[attr-defined]
    error.available = list(known)  # type: ignore[attr-defined]
    return error
