"""The value of an execution: JSON text from a child that nobody trusts, back into Python values."""

from __future__ import annotations

import json
from typing import Any

_DIGITS = 4300  # up to here int() is fast and always allowed (sys.int_info.default_max_str_digits)


def decode(text: str) -> Any:
    """The value of JSON `text`, integers exact at any size.

    Raises ValueError for text that is no JSON or nested beyond what Python can read.
    """
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _integer(digits: str) -> int:
    """The integer that `digits` spell.

    Python refuses texts of over 4,300 digits because its own conversion takes quadratic time; halving them
    makes it a few multiplications, which are not.
    """
    if len(digits) <= _DIGITS:
        return int(digits)
    if digits[0] == "-":
        return -_integer(digits[1:])
    low = len(digits) // 2
    scale: int = 10**low
    return _integer(digits[:-low]) * scale + _integer(digits[-low:])
