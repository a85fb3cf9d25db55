"""What a caller asks of an execution, as far as it can be judged without a session: for the engine and its clients."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from keyword import iskeyword
from pathlib import Path
from typing import Any

from codemode.errors import RequestInvalid, shown
from codemode.patterns import pattern

MOST_ENTRIES = 10_000  # of what is on record, in one answer; a query of `execution_logs` reads more
LOG_KINDS = ("execution", "replay", "exec", "query", "pages", "batch_insert", "import", "save_state", "delete_state",
    "commit", "explain", "get_metrics", "spill", "checkpoint", "delete_checkpoint", "restore", "undo", "redo", "fork",
    "diff")  # fmt: skip
IF_EXISTS = ("error", "append", "replace")  # what an import does with a table that is there
_MOST = 2**63 - 1
_KEY_CHARACTERS = 200
SESSION_ID = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}")
CHECKPOINT = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,63}")
_MOST_SAMPLED = 100
_MAY_BE_NO_TEXT = pattern(r'"(?:-?[0-9][0-9.e+-]*|true|false|null)":')  # how keys that are no text are written


def known_options(given: Iterable[str], known: Collection[str]) -> None:
    """Raise RequestInvalid for the name of an argument that run() does not have."""
    for name in given:
        if name not in known:
            raise RequestInvalid(
                f"run() has no argument {name!r}",
                did_you_mean=difflib.get_close_matches(name, known),
                available=list(known),
            )


def code_text(code: object) -> str:
    """The snippet, as text that UTF-8 can hold; raises RequestInvalid."""
    if not isinstance(code, str):
        raise RequestInvalid(f"code must be text, not {type(code).__name__}")
    try:
        code.encode()
    except UnicodeEncodeError as error:
        raise RequestInvalid(f"code holds a lone surrogate at position {error.start}, which is no character") from None
    return code


def inputs_text(inputs: object) -> str:
    """The inputs as JSON text; raises RequestInvalid for a name that no variable can have, and for other values."""
    if not isinstance(inputs, Mapping):
        raise RequestInvalid(f"inputs must be a dict of name → value, not {type(inputs).__name__}")
    for name in inputs:
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise RequestInvalid(f"inputs: {name!r} cannot be a variable's name")
        if name == "helpers":
            raise RequestInvalid("inputs: the name helpers is taken by the injected API")
    try:
        return text_of_plain(inputs)
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestInvalid(
            f"inputs: {error}", hint="pass None, text, numbers, lists and dicts; dates as ISO text, bytes as base64"
        ) from None


def text_of_plain(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """A caller's value as JSON; ValueError too where two keys of a dict (1 and "1") have the same text there.

    Whoever read it would get one of the two, and nobody would know of the other.
    """
    text = json.dumps(value, allow_nan=False, default=default)
    if _MAY_BE_NO_TEXT.search(text):
        json.loads(text, object_pairs_hook=_apart, parse_int=str, parse_float=str)
    return text


def _apart(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"two keys of a dict have the same text {name[:80]!r}")


def above_zero(name: str, asked: Any) -> float:
    """A number above zero; raises RequestInvalid."""
    if isinstance(asked, bool) or not isinstance(asked, (int, float)) or not asked > 0:
        raise RequestInvalid(f"{name} must be a number above zero, not {shown(asked)}")
    # Beyond 64 bits an integer is no float, no msgpack and, with enough digits, no text any more. What a library made
    # its own kind of number, as numpy did, is none that can be sent.
    return min(int(asked), _MOST) if isinstance(asked, int) else min(float(asked), float(_MOST))


def whole_above_zero(name: str, asked: Any) -> int:
    """A whole number above zero; raises RequestInvalid."""
    if type(asked) is not int or asked < 1:
        raise RequestInvalid(f"{name} must be a whole number above zero, not {shown(asked)}")
    return min(asked, _MOST)


def whole_between(name: str, asked: Any, most: int) -> int:
    """A whole number from 1 to `most`; raises RequestInvalid."""
    if type(asked) is int and 1 <= asked <= most:
        return asked
    raise RequestInvalid(f"{name} must be a whole number from 1 to {most:,}, not {shown(asked)}")


PAGE_ROWS = 1000  # the default of every `pages`


def page_size(asked: Any, most: int) -> int:
    """How many rows a page has: what is asked, and the default is lowered to `most`; raises RequestInvalid."""
    if type(asked) is int and 1 <= asked <= max(most, PAGE_ROWS):
        return min(asked, most)
    raise RequestInvalid(f"the size of a page is 1 to {most:,} rows, not {shown(asked)}")


def truth(name: str, asked: Any) -> bool:
    """True or False; raises RequestInvalid for what only passes for one: "false" does for True."""
    if isinstance(asked, bool):
        return asked
    raise RequestInvalid(f"{name} is True or False, not {shown(asked)}")


def switches(options: Mapping[str, Any]) -> dict[str, bool]:
    """How an execution is to run, by the names of run()'s arguments; None is as if not given. Raises RequestInvalid."""
    usual = {"atomic": True, "dry_run": False, "read_only": False}
    given = {name: options[name] for name in usual if options.get(name) is not None}
    return usual | {name: truth(name, asked) for name, asked in given.items()}


def one_of(name: str, asked: Any, among: Sequence[str]) -> str:
    """One of a few words; raises RequestInvalid."""
    if isinstance(asked, str) and asked in among:
        return str(asked)
    raise RequestInvalid(
        f"{name} must be one of {', '.join(among)}, not {shown(asked)}",
        did_you_mean=difflib.get_close_matches(shown(asked).strip("'"), among, n=1), available=among,
    )  # fmt: skip


def log_kind(kind: Any) -> str | None:
    """A kind of entries of the log, or None; raises RequestInvalid."""
    return None if kind is None else one_of("kind", kind, LOG_KINDS)


def text_of(name: str, asked: Any) -> str:
    """A text that UTF-8 can hold; raises RequestInvalid."""
    if not isinstance(asked, str):
        raise RequestInvalid(f"{name} must be text, not {type(asked).__name__}")
    if not is_text(asked):
        raise RequestInvalid(f"{name} holds a lone surrogate, which is no character")
    return str.__str__(asked)


def text_or_none(name: str, asked: Any) -> str | None:
    """The same, or None."""
    return None if asked is None else text_of(name, asked)


def is_text(value: str) -> bool:
    """Whether UTF-8 can hold it."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def path_of(path: Any) -> Path:
    """Where a file is; raises RequestInvalid for what names none."""
    try:
        name = os.fspath(path)
        if isinstance(name, str) and b"\0" not in os.fsencode(name):
            return Path(name)
    except (TypeError, UnicodeEncodeError):
        pass
    raise RequestInvalid(f"a path is text or a Path, not {shown(path)}", hint="name the file")


def key_text(text: object) -> str:
    """An idempotency key; raises RequestInvalid."""
    if not (isinstance(text, str) and 0 < len(text) <= _KEY_CHARACTERS and text.isprintable()):
        raise RequestInvalid(
            f"an idempotency key is text of 1 to {_KEY_CHARACTERS} printable characters",
            hint="make one for each request, with uuid.uuid4() for example, and send it again with each retry",
        )
    return str(text)


def parse_session_id(text: object) -> str:
    """`text` when it is a session id; raises RequestInvalid otherwise."""
    return _named(text, SESSION_ID, 128, "is not a session id")


def checkpoint_name(name: object) -> str:
    """`name` when it can be that of a checkpoint; raises RequestInvalid."""
    return _named(name, CHECKPOINT, 64, "cannot be the name of a checkpoint")


def _named(text: object, allowed: re.Pattern[str], most: int, wrong: str) -> str:
    if type(text) is str and allowed.fullmatch(text):
        return text
    raise RequestInvalid(
        f"{shown(text)} {wrong}",
        hint=f"use 1 to {most} letters, digits and _ . : @ -, the first a letter, a digit or _",
    )


def rows_sampled(sample: object) -> int:
    """How many rows of each kind a comparison shows; raises RequestInvalid."""
    if type(sample) is int and 0 <= sample <= _MOST_SAMPLED:
        return sample
    raise RequestInvalid(f"sample is 0 to {_MOST_SAMPLED} rows, not {shown(sample)}")
