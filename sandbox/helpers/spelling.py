"""Every way in which models write a helper call: camelCase names, one dict of keywords, a name slightly wrong.

`Spelled` gives an object its camelCase names and its "did you mean"; `spelled` gives them to a function's
arguments. Neither changes what a call means: both only find out which call was meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

from sandbox.helpers.error import HelperError, UnknownHelper

P = ParamSpec("P")
R = TypeVar("R")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """`batchInsert` → `batch_insert`; snake_case comes back as it is."""
    return _HUMP.sub("_", name).lower()


def closest(name: str, names: Iterable[str]) -> list[str]:
    """The names that a reader may have meant by `name`, best first; at most three."""
    by_folded = {candidate.lower().replace("_", ""): candidate for candidate in names}
    wanted = snake(name).replace("_", "")
    return [by_folded[match] for match in difflib.get_close_matches(wanted, by_folded, n=3, cutoff=0.6)]


def did_you_mean(names: Sequence[str]) -> str | None:
    """The hint for `names`, or None when nothing comes close."""
    return f"did you mean {' or '.join(names)}?" if names else None


class Spelled:
    """A frozen object whose public names answer in snake_case and camelCase, and which explains a wrong one."""

    __slots__ = ()
    _label: ClassVar[str] = "helpers"
    _meant: ClassVar[Mapping[str, str]] = {}  # names of other libraries → the one that does it here
    _instead: ClassVar[Mapping[str, str]] = {}  # names that are often invented → what there is instead

    def __getattr__(self, name: str) -> Any:
        members = self.__dir__()
        alias = snake(name)
        if alias != name and alias in members:
            return getattr(self, alias)
        meant = self._alike(alias) or ([] if alias in self._instead else closest(name, members))
        raise UnknownHelper(
            "request.invalid",
            f"{self._label} has no {name!r}; it has {', '.join(members) or 'no names at all'}",
            hint=self._instead.get(alias) or did_you_mean(meant),
            did_you_mean=meant,
            available=members,
        )

    def _alike(self, alias: str) -> list[str]:
        return [self._meant[alias]] if alias in self._meant else []

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnknownHelper("request.invalid", f"{self._label} cannot be changed: {name!r} is not set")

    def __delattr__(self, name: str) -> None:
        raise UnknownHelper("request.invalid", f"{self._label} cannot be changed: {name!r} is not deleted")

    def __dir__(self) -> list[str]:
        return sorted(name for name in dir(type(self)) if not name.startswith("_"))

    def __repr__(self) -> str:
        return f"<{self._label}: {', '.join(self.__dir__())}>"


class Arguments:
    """The parameters of one helper, and how the arguments of a call are laid onto them.

    `data` names the parameters for which a dict is a value (named parameters, conditions, a schema) rather
    than keywords. Such a dict means keywords only when it holds that parameter's own name beside other free
    parameters, or a value under it of one of the types listed here: `{"where": {"a": 1}}` at the place of
    `where`. An empty tuple of types: never, the dict is always the value.
    """

    __slots__ = ("_data", "_defaults", "_label", "_names", "_offset")

    def __init__(self, function: Callable[..., Any], data: Mapping[str, tuple[type, ...]]) -> None:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        self._offset = 1 if names[:1] == ("self",) else 0
        self._names = names[self._offset :]
        defaults = function.__defaults__ or ()
        self._defaults = dict(zip(self._names[len(self._names) - len(defaults) :], defaults, strict=True))
        self._data = data
        self._label = function.__name__

    @property
    def plain_counts(self) -> range:
        """How many positional arguments, `self` included, need no arranging at all."""
        total = len(self._names)
        return range(self._offset + total - len(self._defaults), self._offset + total + 1)

    @property
    def signature(self) -> str:
        """The call as a reader would write it: `count_by(table, field, limit=None)`."""
        shown = [f"{name}={self._defaults[name]!r}" if name in self._defaults else name for name in self._names]
        return f"{self._label}({', '.join(shown)})"

    def arrange(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments that fit the function, or HelperError with its signature."""
        given = args[self._offset :]
        if given and not kwargs and isinstance(given[-1], dict) and self._means_keywords(given):
            given, kwargs = given[:-1], given[-1]
        if len(given) > len(self._names):
            message = f"takes {len(self._names)} arguments, {len(given)} were given"
            raise self._wrong(message, way="values to bind are one list: [a, b]" if "params" in self._names else None)
        named = {self._parameter(name): value for name, value in kwargs.items()}
        for name in self._names[: len(given)]:
            if name in named:
                raise self._wrong(f"got {name} twice")
        missing = [name for name in self._names[len(given) :] if name not in named and name not in self._defaults]
        if missing:
            raise self._wrong(f"needs {' and '.join(missing)}")
        return (*args[: self._offset], *given), named

    def _means_keywords(self, given: tuple[Any, ...]) -> bool:
        options, place = given[-1], len(given) - 1
        name = self._names[place] if place < len(self._names) else ""
        if name not in self._data:
            return True
        types, free = self._data[name], self._names[place:]
        keys = {snake(key) if isinstance(key, str) else "" for key in options}
        if not types or name not in keys or not keys.issubset(free):
            return False
        return len(keys) > 1 or isinstance(next(iter(options.values())), types)

    def _parameter(self, name: Any) -> str:
        known = snake(name) if isinstance(name, str) else ""
        if known in self._names:
            return known
        meant = closest(str(name), self._names)
        way = "values to bind by name are one dict: {'name': value}" if "params" in self._names and not meant else None
        raise self._wrong(f"has no argument {name!r}", meant, self._names, way)

    def _wrong(
        self, what: str, meant: Sequence[str] = (), available: Iterable[str] = (), way: str | None = None
    ) -> HelperError:
        call = f"{way}; the call is {self.signature}" if way else f"the call is {self.signature}"
        hint = " ".join(filter(None, (did_you_mean(meant), call)))
        message = f"{self._label}() {what}"
        return HelperError("request.invalid", message, hint=hint, did_you_mean=meant, available=available)


def spelled(**data: tuple[type, ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a helper be called with camelCase keywords or one dict of keywords; `data`: see Arguments."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        arguments = Arguments(function, data)
        plain = arguments.plain_counts

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if kwargs or len(args) not in plain or isinstance(args[-1] if args else None, dict):
                fitted, named = arguments.arrange(args, dict(kwargs))
                return function(*fitted, **named)
            return function(*args, **kwargs)

        return call

    return decorate
