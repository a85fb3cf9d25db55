"""An exception as the contract's error: code, message, line, a traceback of the snippet's own frames, a way out.

The exception is hostile: its text may raise, be endless or enormous, its chain may be a circle, its class may lie.
Nothing here lets anything out but plain, bounded text.
"""

from __future__ import annotations

import difflib
import linecache
from collections.abc import Iterable, Iterator
from types import CoroutineType, TracebackType
from typing import Any

from sandbox import own
from sandbox.absent import of_the_module
from sandbox.compile import ENTRY, FILENAME, is_snippet
from sandbox.facade import Facade, members, missing
from sandbox.helpers import MEMBERS
from sandbox.helpers.db import OPEN
from sandbox.helpers.error import HelperError
from sandbox.helpers.spelling import snake
from sandbox.refusal import SnippetRefused
from sandbox.serialize import TooLarge, Unserializable

MAX_MESSAGE = 2_000
MAX_TRACEBACK = 8_000
MAX_SUGGESTION = 8_000
MAX_LINE = 200
MAX_CHAIN = 5
SHOWN_FRAMES = 10  # from either end of a deep traceback

_SOURCES = 50  # texts of snippets that a kept child remembers

_running = [FILENAME]  # the file name of the snippet that runs

# What other languages call it.
_OF_OTHERS = {"true": "True", "false": "False", "null": "None", "undefined": "None", "console": "print",
    "least": "min", "greatest": "max"}  # fmt: skip

# What another collection calls it that this one has under another name.
_GROWING = {"append": ("add",), "add": ("append",), "push": ("append", "add"), "extend": ("update",),
    "update": ("extend",), "addAll": ("extend", "update"), "put": (), "set": ()}  # fmt: skip
_SET_BY_KEY = "write: dict[key] = value"
_UNCHANGING = (str, bytes, tuple, frozenset)

# What JavaScript calls the methods of texts, lists and dicts.
_ELSEWHERE = {"toUpperCase": "upper", "toLowerCase": "lower", "trim": "strip", "indexOf": "index",
    "replaceAll": "replace", "startsWith": "startswith", "endsWith": "endswith", "padStart": "rjust", "padEnd": "ljust",
    "entries": "items"}  # fmt: skip

_OPERATORS = {
    "includes": "write: value in list",
    "contains": "write: value in text",
    "has_key": "write: key in dict",
    "length": "write: len(value)",
    "concat": "write: one + other",
    "map": "write: [f(x) for x in list]",
    "filter": "write: [x for x in list if f(x)]",
    "forEach": "write: for x in list:",
    "toString": "write: str(value)",
}


# What Python says of a value that is not what the snippet takes it for, and what such a value mostly is.
_NOT_AS_MEANT = {
    "NoneType": "something here is None: a NULL, or query_one, value or get_state that found nothing",
    "list indices must be": "a list takes a number: rows[0]['name'], or for row in rows: row['name']",
    "string indices must be": "this is a text: JSON is read by json.loads(x); going through a dict gives its keys",
    "the JSON object must be": "one text is read: json.loads(row['name']); a list or a dict is read already",
    "'Database' object does not support": "leave with out: a snippet is one transaction, and the database is open",
    "'int' object is not subscriptable": "a number has no parts: value answers it itself, query_one answers a row",
    "'float' object is not subscriptable": "a number has no parts: value answers it itself, query_one answers a row",
    ": 'dict' and": "a row is a dict: row['name']; helpers.db.value(sql) answers one value itself",
    "'coroutine'": "what an async function answers is awaited: x = await f()",
    "is not JSON serializable": "answer with the value itself, dates among it; or json.dumps(value, default=str)",
    "for -: 'str' and 'str'": "dates come as text: datetime.fromisoformat(x), or julianday(a) - julianday(b) in SQL",
    "time data ": "ISO text is read by datetime.fromisoformat(text)",
    "unconverted data remains": "ISO text is read by datetime.fromisoformat(text)",
    "to unpack (expected": "a row is a dict: row['name'], or a, b = row.values() of it",
}

# What libraries make of a date, and of a text of JSON: both are plain texts here.
_PARTS_OF_DATES = "date time year month day hour minute second strftime isoformat weekday timestamp days total_seconds"
_OF_DATES = dict.fromkeys(
    _PARTS_OF_DATES.split(), "a date comes as text: datetime.fromisoformat(x), or strftime('%Y', x) in SQL"
)
_OF_JSON = dict.fromkeys(("get", "keys", "values", "items"), "JSON comes as text: json.loads(x)")
_OF_TEXTS = {**_OF_DATES, **_OF_JSON}

_DATABASES = ("conn", "con", "cnx", "connection", "cur", "cursor", "engine", "session", "database")

_NOT_KEPT = "a snippet has what it makes or imports, and its inputs; keep data in a table or with helpers.db.save_state"

_UNBOUND = "give it a value first; a function that changes a variable from outside of it begins with: global name"

_NO_VALUES = ("globals", "locals", "vars", "dir")  # never what a misspelt variable was meant to be


def describe(error: BaseException) -> dict[str, Any]:
    """The fields of a Problem: code, message, hint, did_you_mean, available, line, traceback, sql, suggestion."""
    try:
        return _describe(error)
    except Exception as failure:  # noqa: BLE001 - a hostile exception must still be reported
        return _problem("code.runtime", f"{class_name(error)} (its report failed: {class_name(failure)})")


def _problem(code: str, message: str, **others: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "hint": None,
        "did_you_mean": [],
        "available": [],
        "line": None,
        "traceback": None,
        "sql": None,
        "suggestion": None,
    }
    return {"code": code, "message": _cut(message), **fields, **others}


def _describe(error: BaseException) -> dict[str, Any]:
    if type(error) is SnippetRefused:
        return _refused(error)
    if type(error) in (Unserializable, TooLarge):
        return _problem(error.code, str(error), hint=error.hint)  # type: ignore[attr-defined]
    where = {"line": line_of(error), "traceback": traceback_text(error)}
    if issubclass(type(error), HelperError):
        return _helper_error(error, where)
    if issubclass(type(error), MemoryError):
        hint = "work in smaller pieces: helpers.db.pages for reading, a generator for batch_insert"
        return _problem("code.memory", "the snippet needed more memory than memory_bytes allows", hint=hint, **where)
    way = _way_out(error)
    message = summary(error).removesuffix(f" ({way.get('hint')})")  # as the text of a helper's error has it
    return _problem("code.runtime", message, **way, **where)


def _refused(error: SnippetRefused) -> dict[str, Any]:
    first_line, first_message, first_hint = error.problems[0]
    message = first_message
    if len(error.problems) > 1:
        message = "; ".join(f"line {line}: {text}" for line, text, _ in error.problems)
    hints = list(dict.fromkeys(hint for _, _, hint in error.problems if hint))
    return _problem(error.code, message, line=first_line, hint="; ".join(hints) or first_hint)


def _helper_error(error: BaseException, where: dict[str, Any]) -> dict[str, Any]:
    """Keep the helper's own code and advice; each field is read from the instance, never from a class's override."""
    own_fields = _instance_dict(error)
    text = {
        name: safe_text(own_fields.get(name)) for name in ("code", "message", "hint", "sql") if own_fields.get(name)
    }
    return _problem(
        text.get("code", "code.runtime"),
        text.get("message") or summary(error),
        hint=text.get("hint"),
        did_you_mean=_texts(own_fields.get("did_you_mean")),
        available=_texts(own_fields.get("available")),
        sql=text.get("sql"),
        suggestion=_whole(own_fields.get("suggestion")),
        **where,
    )


def _whole(value: Any) -> str | None:
    """A suggestion as it is, or none: half a statement is worse than no statement."""
    text = safe_text(value, MAX_SUGGESTION + 1) if value else ""
    return text if 0 < len(text) <= MAX_SUGGESTION else None


def _instance_dict(error: BaseException) -> dict[str, Any]:
    found = BaseException.__dict__["__dict__"].__get__(error) if "__dict__" in BaseException.__dict__ else None
    if found is None:
        found = object.__getattribute__(error, "__dict__")
    return found if type(found) is dict else {}


def _texts(values: Any) -> list[str]:
    return [safe_text(each, 200) for each in values[:200]] if type(values) in (tuple, list) else []


def class_name(value: Any) -> str:
    """The name of a value's real class."""
    return str(type.__dict__["__name__"].__get__(type(value)))[:200]


def safe_text(value: Any, limit: int = MAX_MESSAGE) -> str:
    """`str(value)`, bounded, whatever that raises."""
    try:
        text = str.__str__(str(value))
    except BaseException as failure:  # noqa: BLE001 - snippets define __str__
        return f"<no text: __str__ raised {class_name(failure)}>"
    return _cut(text, limit)


def _cut(text: str, limit: int = MAX_MESSAGE) -> str:
    return text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 4 :]} ({len(text):,} characters)"


def summary(error: BaseException) -> str:
    """`Class: text`, as the last line of a traceback has it."""
    text = safe_text(error)
    line = f"{class_name(error)}: {text}" if text else class_name(error)
    if issubclass(type(error), BaseExceptionGroup):
        inner = BaseExceptionGroup.__dict__["exceptions"].__get__(error)[:5]
        line += "".join(f"; {summary(each)}" for each in inner)
    return _cut(line)


def _frames(error: BaseException) -> Iterator[tuple[Any, int]]:
    """The snippets' own frames, outermost first: everything else is the engine's."""
    trace: TracebackType | None = BaseException.__dict__["__traceback__"].__get__(error)
    while trace is not None:
        if is_snippet(trace.tb_frame.f_code.co_filename):
            yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def line_of(error: BaseException) -> int | None:
    """The line of the running snippet where it was raised, or where it called what raised it."""
    line = None
    for frame, at in _frames(error):
        if frame.f_code.co_filename == _running[0]:
            line = at  # the last one counts
    if line is None and issubclass(type(error), BaseExceptionGroup):
        return line_of(BaseExceptionGroup.__dict__["exceptions"].__get__(error)[0])
    return line


def traceback_text(error: BaseException) -> str:
    """The traceback as Python writes it, with the snippet's frames and source lines only, bounded."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    joint = ""
    while current is not None and id(current) not in seen and len(parts) < MAX_CHAIN:
        seen.add(id(current))
        parts.insert(0, _one_traceback(current) + joint)
        current, joint = _earlier(current)
    text = "\n\n".join(parts)
    return text if len(text) <= MAX_TRACEBACK else f"{text[: MAX_TRACEBACK // 2]}\n…\n{text[-MAX_TRACEBACK // 2 :]}"


def _earlier(error: BaseException) -> tuple[BaseException | None, str]:
    cause = BaseException.__dict__["__cause__"].__get__(error)
    if cause is not None:
        return cause, "\n\nThe above exception was the direct cause of the following exception:"
    if BaseException.__dict__["__suppress_context__"].__get__(error):
        return None, ""
    context = BaseException.__dict__["__context__"].__get__(error)
    return context, "\n\nDuring handling of the above exception, another exception occurred:"


def _one_traceback(error: BaseException) -> str:
    entries = [(line, frame.f_code) for frame, line in _frames(error)]
    text = ["Traceback (most recent call last):"] if entries else []
    skipped = len(entries) - 2 * SHOWN_FRAMES
    for position, (line, code) in enumerate(entries):
        if skipped > 0 and position == SHOWN_FRAMES:
            text.append(f"  [{skipped} more calls]")
        if skipped <= 0 or position < SHOWN_FRAMES or position >= len(entries) - SHOWN_FRAMES:
            earlier = "" if code.co_filename == _running[0] else " of an earlier snippet"
            text.append(f"  line {line}{earlier}, in {code.co_name}")
            source = linecache.getline(code.co_filename, line).strip()
            if source:
                text.append(f"    {source[:MAX_LINE]}")
    return "\n".join([*text, _cut(summary(error), 400)])


def remember_source(source: str, filename: str) -> None:
    """Keep the running snippet's text where tracebacks look for source lines, and those of a few before it."""
    _running[0] = filename
    linecache.cache.pop(filename, None)  # put in again at the end: the order is that of the runs
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    forget_sources(_SOURCES)


def forget_sources(but: int = 0) -> None:
    """Forget the texts of all snippets but the last ones."""
    kept = [name for name in linecache.cache if is_snippet(name)]
    for name in kept[: max(0, len(kept) - but)]:
        del linecache.cache[name]


def _way_out(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    if issubclass(kind, NameError):
        return _unknown_name(error)
    if issubclass(kind, AttributeError):
        return _unknown_attribute(error)
    if issubclass(kind, ImportError):
        fields = _instance_dict(error)
        meant, hint = _texts(fields.get("did_you_mean")), fields.get("hint")  # anybody may set them
        return {
            "hint": safe_text(hint) if type(hint) is str else _meant(meant),
            "did_you_mean": meant,
            "available": _texts(fields.get("available")),
        }
    if issubclass(kind, KeyError):
        return _unknown_key(error)
    if issubclass(kind, SystemExit):
        return {"hint": "end a snippet with a top-level return"}
    if issubclass(kind, RecursionError):
        return {"hint": "use a loop, or check that the recursion ends"}
    if issubclass(kind, (TypeError, ValueError)):
        return _not_as_meant(error)
    return {}


def _not_as_meant(error: BaseException) -> dict[str, Any]:
    text = safe_text(error)
    return next(({"hint": hint} for words, hint in _NOT_AS_MEANT.items() if words in text), {})


def _close(name: Any, known: Iterable[Any]) -> list[str]:
    if type(name) is not str:
        return []
    texts = list(dict.fromkeys(each for each in known if type(each) is str and each.isprintable() and len(each) < 100))
    lowered = {each.lower(): each for each in reversed(texts)}
    found = difflib.get_close_matches(name.lower()[:100], list(lowered)[:2000], n=3, cutoff=0.6)
    return [lowered[each] for each in found if lowered[each] != name]


def _meant(names: list[str]) -> str | None:
    return f"did you mean {names[0]}?" if names else None


def _suggest(close: list[str], **others: Any) -> dict[str, Any]:
    return {"did_you_mean": close, **({"hint": f"did you mean {close[0]}?"} if close else {}), **others}


def _innermost(error: BaseException) -> Any:
    frame = None
    for frame, _ in _frames(error):  # noqa: B007 - the last one counts
        pass
    return frame


def _unknown_name(error: BaseException) -> dict[str, Any]:
    from sandbox.modules import not_imported  # whose facades import this file

    name = NameError.__dict__["name"].__get__(error)
    if name in _OF_OTHERS:
        return {"did_you_mean": [_OF_OTHERS[name]], "hint": f"this is Python: write {_OF_OTHERS[name]}"}
    if name in ("db", "sql", "schema", "host"):
        return {"did_you_mean": [f"helpers.{name}"], "hint": f"write helpers.{name}"}
    if name in _DATABASES:
        return {"hint": OPEN}
    if type(name) is str and (member := MEMBERS.get(snake(name))) and _is_written(f"{name}(", error):
        return {"did_you_mean": [f"helpers.{member}"], "hint": f"write helpers.{member}"}
    if type(name) is str and (way := not_imported(name)) and _is_written(f"{name}.", error):
        return {"hint": way}
    if issubclass(type(error), UnboundLocalError):
        return {"hint": _UNBOUND}
    frame = _innermost(error)
    if frame is None:
        return {}
    known = (each for each in [*frame.f_locals, *frame.f_globals, *frame.f_builtins] if each not in _NO_VALUES)
    close = _close(name, (each for each in known if each.isidentifier() and not each.startswith("_")))
    return _suggest(close) if close else {"hint": _NOT_KEPT}


def _is_written(text: str, error: BaseException) -> bool:
    """Whether the line that raised it has this text: `query(` calls a helper, `value` alone is a variable."""
    frames = list(_frames(error))
    line = linecache.getline(frames[-1][0].f_code.co_filename, frames[-1][1]) if frames else ""
    return text in line


def _unknown_attribute(error: BaseException) -> dict[str, Any]:
    name = AttributeError.__dict__["name"].__get__(error)
    subject = AttributeError.__dict__["obj"].__get__(error)
    if subject is None or type(name) is not str:
        return _not_as_meant(error)
    if type(subject) is dict and (keys := [key for key in (name, *_close(name, dict.keys(subject))) if key in subject]):
        return {"hint": f"it is a dict: write [{keys[0]!r}]", "did_you_mean": [f"[{keys[0]!r}]"]}
    if name in _OPERATORS:
        return {"hint": _OPERATORS[name]}
    if type(subject) is str and name in _OF_TEXTS:
        return {"hint": _OF_TEXTS[name]}
    if name in _ELSEWHERE:
        return {"did_you_mean": [_ELSEWHERE[name]], "hint": f"this is Python: write .{_ELSEWHERE[name]}(...)"}
    if type(subject) is CoroutineType:
        return _not_as_meant(error)
    if issubclass(type(subject), Facade):
        found = missing(subject, name)
        return {"did_you_mean": found.meant, "hint": found.hint, "available": members(subject)}
    if hint := of_the_module(subject, name):
        return {"hint": hint}
    classes = own.mro(subject) if own.is_class(subject) else own.mro(type(subject))
    known = [each for cls in classes for each in own.class_dict(cls)]
    if name in _GROWING and (way := _growing(name, subject, known)):
        return way
    return _suggest(_close(name, (each for each in known if each.isidentifier() and not each.startswith("_"))))


def _growing(name: str, subject: Any, known: list[str]) -> dict[str, Any] | None:
    """How something is put into this collection, which has no method of this name."""
    if issubclass(type(subject), dict):
        return {"hint": _SET_BY_KEY}
    if issubclass(type(subject), _UNCHANGING):
        return {"hint": f"a {class_name(subject)} does not change: write one + other, or make a list or set of it"}
    method = next((each for each in _GROWING[name] if each in known), None)
    return None if method is None else {"did_you_mean": [method], "hint": f"write .{method}(...)"}


def _unknown_key(error: BaseException) -> dict[str, Any]:
    """Look for the key meant in the dicts at hand where it was raised."""
    args = BaseException.__dict__["args"].__get__(error)
    frame = _innermost(error)
    if frame is None or len(args) != 1 or type(args[0]) not in (str, int):
        return {}
    variables = [*frame.f_locals.items(), *(frame.f_globals.items() if frame.f_code.co_name == ENTRY else ())]
    values = [found for name, value in variables[:400] if name != "__builtins__" for found in _dicts(value)]
    if type(args[0]) is int:
        return _numbered(args[0], values)
    keys = [key for value in values[:20] for key, _ in zip(dict.__iter__(value), range(200), strict=False)]
    close = _close(args[0], keys)
    if close:
        return _suggest(close)
    same = next((value for value in values if value and len(values) == 1), None)
    names = [] if same is None else [key for key in list(dict.__iter__(same))[:50] if type(key) is str]
    return _suggest(names, available=names) if len(names) == 1 else {"available": names} if names else {}


def _dicts(value: Any) -> list[Any]:
    """A dict, or the first of a list of them: what a key was looked for in."""
    if issubclass(type(value), list) and list.__len__(value):
        value = list.__getitem__(value, 0)
    return [value] if issubclass(type(value), dict) else []


def _numbered(place: int, values: list[Any]) -> dict[str, Any]:
    """A row asked for a column by its number: the column of that number."""
    hint = "rows are dicts by column name: row['name'], list(row.values())[0], or helpers.db.value(sql)"
    rows = [value for value in values if 0 <= place < dict.__len__(value) <= 200]
    name = list(dict.__iter__(rows[0]))[place] if len(rows) == 1 else None
    return {"hint": hint, "did_you_mean": [repr(name)[:200]]} if type(name) is str else {"hint": hint}
