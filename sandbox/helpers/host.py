"""`helpers.host`: the functions that the host lends to a snippet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.helpers.channel import Channel
from sandbox.helpers.error import HelperError
from sandbox.helpers.jsontext import Unfit, json_text
from sandbox.helpers.spelling import Spelled, snake
from sandbox.helpers.values import Warn


class HostFunctions(Spelled):
    """The host's functions by name: `helpers.host.lookup("x", limit=3)`; arguments and answers are plain values."""

    __slots__ = ("_channel", "_functions", "_warn")
    _label = "helpers.host"

    def __init__(self, channel: Channel, names: Iterable[str], warn: Warn) -> None:
        fill = object.__setattr__
        fill(self, "_channel", channel)
        fill(self, "_warn", warn)
        fill(self, "_functions", {})
        lend(self, names)

    def __getattr__(self, name: str) -> Any:
        functions = object.__getattribute__(self, "_functions")
        if name in functions:
            return functions[name]
        alike = [known for known in functions if snake(known) == snake(name)]
        return functions[alike[0]] if alike else super().__getattr__(name)

    def __dir__(self) -> list[str]:
        return sorted(object.__getattribute__(self, "_functions"))

    def _function(self, name: str) -> Callable[..., Any]:
        channel, warn = self._channel, self._warn

        def function(*args: Any, **kwargs: Any) -> Any:
            lost = f"helpers.host.{name}: NaN or infinity among the arguments became null"
            try:
                text = json_text({"args": args, "kwargs": kwargs}, lambda _: warn(lost))
            except Unfit as unfit:
                message = f"helpers.host.{name}: {unfit.reason}"
                raise HelperError("code.unserializable", message, hint=unfit.hint) from None
            return json.loads(channel.call(f"host.{name}", text))

        function.__name__ = function.__qualname__ = name
        return function


def lend(host: HostFunctions, names: Iterable[str]) -> None:
    """Offer these functions and no others: each execution of a kept child has its own."""
    object.__setattr__(host, "_functions", {name: host._function(name) for name in names})
