"""Wire values to SQLite values: the worker's side of the parameter rules, for peers that nobody trusts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from codemode.errors import ParametersInvalid, ValueRefused

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def sqlite_value(value: Any, where: str) -> Any:
    """`value` as SQLite can hold it; lists and dicts become JSON text. Raises ValueRefused naming `where`."""
    kind = type(value)
    if kind is int and not _SMALLEST <= value <= _LARGEST:
        raise ValueRefused(
            f"{where}: {_short(value)} does not fit into SQLite's 64-bit integers",
            hint="store it as text, or as a float if its last digits do not matter",
        )
    if kind is str:
        _refuse_surrogates(value, where)
    if kind in _PLAIN:
        return value
    if kind in {list, tuple, dict}:
        return _json_text(value, where)
    raise ValueRefused(
        f"{where}: a value of type {kind.__name__} cannot be stored", hint="store text, a number or bytes"
    )


def _refuse_surrogates(text: str, where: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueRefused(
                f"{where}: the text holds a lone surrogate at position {error.start}, which is no character",
                hint="encode it with errors='replace' first",
            ) from None


def _json_text(value: Any, where: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueRefused(f"{where}: cannot be stored as JSON: {error}", hint="store plain lists and dicts") from None


def _short(value: int) -> str:
    return str(value) if abs(value) < 10**30 else f"an integer of {value.bit_length()} bits"


def parameters(params: Any) -> Sequence[Any] | Mapping[str, Any]:
    """Parameters of one statement as SQLite takes them: a sequence for `?`, a mapping for `:name`."""
    if params is None:
        return ()
    if type(params) is list and not params:
        return params
    if isinstance(params, Mapping):
        if not all(type(name) is str for name in params):
            raise ParametersInvalid("names of parameters must be text")
        return {name.lstrip(":@$"): sqlite_value(value, f"parameter {name}") for name, value in params.items()}
    if isinstance(params, (list, tuple)):
        return [sqlite_value(value, f"parameter {number}") for number, value in enumerate(params, 1)]
    raise ParametersInvalid(
        f"parameters must be a list or a dict, not {type(params).__name__}", hint="write [value] for a single one"
    )


def longest(params: Sequence[Any] | Mapping[str, Any]) -> int:
    """The length of the longest text or blob among `params`, in characters or bytes; 0 where there is none."""
    values = params.values() if isinstance(params, Mapping) else params
    return max((len(value) for value in values if isinstance(value, str | bytes)), default=0)
