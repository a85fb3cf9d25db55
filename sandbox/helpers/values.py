"""Python values → what crosses to the worker: None, bool, 64-bit int, float, str, bytes.

The one place that decides how a value is stored; the worker checks again and trusts nothing of this.

| value | stored as |
|---|---|
| None, bool, int within 64 bits, str, bytes | itself (bool as 0 and 1) |
| float | itself; NaN as NULL, with a warning |
| bytearray, memoryview | bytes |
| date, datetime, time | ISO text; an aware time keeps its offset; NaT as NULL, with a warning |
| Decimal, UUID | text |
| Enum | its value |
| list, tuple, set, dict, dataclass | JSON text (see `jsontext.py`) |
| anything else | refused with `sql.value` |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice
from typing import Any
from uuid import UUID

from sandbox.helpers.error import HelperError
from sandbox.helpers.jsontext import LISTS, Unfit, is_record, json_text

Warn = Callable[[str], None]

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
MOST_PARAMETERS = 32_766  # SQLite's VARIABLE limit, as the worker sets it

_SCALARS = (str, bytes, bytearray, memoryview, int, float, Decimal, date, time, UUID, Enum)
_ADVICE: dict[type, str] = {
    timedelta: "store value.total_seconds()",
    Fraction: "store float(value) or str(value)",
    complex: "store its real and imaginary parts",
    object: "store a number, text, bytes, a date, or a list or dict of them",
}


def wire_value(value: Any, place: str, warn: Warn) -> Any:
    """`value` as the worker takes it; `place` names it in the error (`sql.value`) or the warning."""
    try:
        return fitted(value, lambda lost: warn(f"{place}: {lost}"))
    except Unfit as unfit:
        raise HelperError("sql.value", f"{place}: {unfit.reason}", hint=unfit.hint) from None


def wire_params(params: Any, warn: Warn, place: str = "parameter") -> list[Any] | dict[str, Any]:
    """Parameters as the worker takes them: a list, or a dict for named ones. One bare value counts as a list of it."""
    if params is None or (type(params) is tuple and not params):
        return []
    if isinstance(params, Mapping):
        return {_bare(name): wire_value(value, f"{place} :{_bare(name)}", warn) for name, value in params.items()}
    if isinstance(params, _SCALARS):
        params = (params,)
    listed = _listed(params, place)
    if len(listed) > 1 and all(isinstance(value, (list, tuple)) for value in listed):
        warn("every parameter is a list, stored as JSON text; for many rows use batch_insert, or batch")
    return [wire_value(value, f"{place} {number}", warn) for number, value in enumerate(listed, 1)]


def _listed(params: Any, place: str) -> Sequence[Any]:
    if isinstance(params, (list, tuple)):
        return params
    if isinstance(params, (set, frozenset)) or not isinstance(params, Iterable):
        kind = type(params).__name__
        hint = "pass a list or tuple for ? placeholders, or a dict for :name placeholders"
        raise HelperError("sql.parameters", f"{place}s cannot be a {kind}", hint=hint)
    return list(islice(params, MOST_PARAMETERS + 1))  # one too many is refused by the worker; endless ones end here


def _bare(name: Any) -> str:
    if not isinstance(name, str):
        raise HelperError("sql.parameters", f"a named parameter's name must be text, not {name!r}")
    return str.__str__(name).lstrip(":@$")


def fitted(value: Any, lost: Warn) -> Any:
    """The same for one that knows its place itself: raises Unfit; `lost` is told what is not stored as it was."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Enum):
        return fitted(value.value, lost)
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, int):
        return _whole(int.__int__(value))
    if isinstance(value, float):
        return _real(float.__float__(value), lost)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(memoryview(value))
    if isinstance(value, (date, time)):  # a datetime is a date
        return _moment(value, lost)
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (*LISTS, Mapping)) or is_record(value):
        return json_text(value, lambda path: lost(f"NaN or infinity is stored as null in JSON, at {path}"))
    raise _unfit(value)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        reason = f"text with a lone surrogate ({value[error.start]!a} at {error.start}) cannot be stored"
        raise Unfit(reason, "store bytes, or text.encode('utf-8', 'replace').decode()") from None
    return value


def _whole(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    bits = value.bit_length() + 1  # with its sign
    raise Unfit(f"an integer of {bits} bits does not fit SQLite's 64", "store str(value) or float(value)")


def _real(value: float, lost: Warn) -> float | None:
    if value == value:
        return value
    lost("NaN is stored as NULL")
    return None


def _moment(value: date | time, lost: Warn) -> str | None:
    if value == value:
        return value.isoformat()
    lost("NaT is stored as NULL")  # what pandas has for a date that is missing is a datetime
    return None


def _unfit(value: Any) -> Unfit:
    hint = next((text for kind, text in _ADVICE.items() if isinstance(value, kind)), None)
    if isinstance(value, Iterable) and not isinstance(value, type):
        hint = "store list(value)"
    return Unfit(f"a {type(value).__name__} cannot be stored", hint)
