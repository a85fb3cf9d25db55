"""What a host's call asks for, as the proxies of the engine itself put it.

A call is made on the very `helpers` that snippets and embedded sessions use, on a channel that goes nowhere: their
checks, their spelling and their conversions are the same by being the same. What would have been sent is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from codemode.asked import is_text
from codemode.complaints import as_error
from codemode.errors import RequestInvalid
from sandbox.helpers import HelperError, Helpers


class Asked(NamedTuple):
    """The arguments that were on their way to the worker, and the warnings about them."""

    arguments: tuple[Any, ...]
    warnings: list[str]


class _OnItsWay(BaseException):
    """The call has reached the channel; no handler of errors in between may take it for one."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments


class _Nowhere:
    def call(self, method: str, *args: Any) -> NoReturn:
        for each in args:
            if type(each) is str and not is_text(each):  # in the engine's own words: no request can hold it
                raise RequestInvalid(f"{method}: the text holds a lone surrogate, which is no character")
        raise _OnItsWay(args)

    post = call


def asked(call: Callable[[Helpers], Any]) -> Asked:
    """What `call` asks the worker for first; raises CodemodeError for arguments that are wrong."""
    helpers = Helpers(_Nowhere())
    try:
        call(helpers)
    except _OnItsWay as sent:
        return Asked(sent.arguments, helpers.warnings)
    except HelperError as error:
        raise as_error(error) from None
    raise AssertionError("a call that asks nothing")
