"""`functools` and `operator`: the parts that read or set attributes by name go through the guards."""

from __future__ import annotations

import functools
import operator
import typing
from collections.abc import Callable
from types import MethodType, UnionType
from typing import TYPE_CHECKING, Any

from sandbox.facades.hints import resolve
from sandbox.names import is_plain, text_of
from sandbox.own import is_class
from sandbox.type_proxy import type_of

if TYPE_CHECKING:
    from sandbox.run import Run

_LruCache = type(functools.lru_cache(lambda: None))
_NAMING = ("__name__", "__qualname__", "__doc__")
_ASSIGNED = ("__module__", *_NAMING)


def functools_contents(run: Run) -> dict[str, Any]:
    """`functools` without what evaluates annotations."""
    same = ["cache", "cached_property", "cmp_to_key", "lru_cache", "partial", "partialmethod", "reduce"]
    found: dict[str, Any] = {name: getattr(functools, name) for name in same}
    found.update(
        update_wrapper=_update_wrapper(run),
        wraps=_wraps(run),
        total_ordering=_total_ordering(run),
        singledispatch=lambda function: SingleDispatch(function, run),
        singledispatchmethod=lambda function: SingleDispatchMethod(function, run),
        WRAPPER_ASSIGNMENTS=functools.WRAPPER_ASSIGNMENTS,
        WRAPPER_UPDATES=functools.WRAPPER_UPDATES,
    )
    return found


def _update_wrapper(run: Run) -> Callable[..., Any]:
    def update_wrapper(wrapper: Any, wrapped: Any, assigned: Any = _ASSIGNED, updated: Any = ("__dict__",)) -> Any:
        """Make a wrapper look like what it wraps.

        The library's own copies attributes of any names that it is given, `__globals__` too, to any object.
        """
        if type(wrapper) is _LruCache and run.own.function(wrapper.__wrapped__):
            return functools.update_wrapper(wrapper, wrapped, _ASSIGNED[1:], ())  # a cache around the snippet's own
        for name in map(text_of, assigned):
            if (name in _NAMING or is_plain(name)) and hasattr(wrapped, name):
                run.guards.set_any(wrapper, name, getattr(wrapped, name))
        for name in map(text_of, updated):
            if is_plain(name):
                getattr(wrapper, name).update(getattr(wrapped, name, {}))
        if "__dict__" in updated and run.own.function(wrapped) and run.own.function(wrapper):
            vars(wrapper).update(vars(wrapped))
        if run.own.function(wrapper) and run.own.function(wrapped):
            wrapper.__annotations__ = dict(wrapped.__annotations__)
        run.guards.set_any(wrapper, "__wrapped__", wrapped)
        return wrapper

    return update_wrapper


def _wraps(run: Run) -> Callable[..., Any]:
    update = _update_wrapper(run)

    def wraps(wrapped: Any, assigned: Any = _ASSIGNED, updated: Any = ("__dict__",)) -> Callable[[Any], Any]:
        """Decorate a wrapper so that it looks like what it wraps."""
        return lambda wrapper: update(wrapper, wrapped, assigned, updated)

    return wraps


def _total_ordering(run: Run) -> Callable[[type], type]:
    def total_ordering(cls: type) -> type:
        """Fill in missing comparison methods of one of the snippet's classes."""
        if not is_class(cls) or not run.own.made(cls):
            raise TypeError("total_ordering decorates classes of this snippet")
        return functools.total_ordering(cls)

    return total_ordering


class SingleDispatch:
    """`functools.singledispatch`, made anew: the library's evaluates annotations that are strings."""

    def __init__(self, function: Any, run: Run) -> None:
        real = functools.singledispatch(lambda *_: None)
        self._function = function
        self._find = real.dispatch
        self._add = real.register
        self._default = real.dispatch(object)
        self._run = run
        self._registry = {object: function}
        self.__name__ = getattr(function, "__name__", "dispatch")
        self.__doc__ = getattr(function, "__doc__", None)

    def register(self, cls: Any, function: Any = None) -> Any:
        """Add an implementation: `@f.register(int)`, `@f.register` with an annotated parameter, or both at once."""
        if function is None and not (is_class(cls) or typing.get_origin(cls) in (typing.Union, UnionType)):
            cls, function = self._annotated(cls), cls
        if function is not None:
            self._add(cls, function)
            self._registry[cls] = function
            return function
        return lambda given: self.register(cls, given)

    def _annotated(self, function: Any) -> Any:
        inner = function.__func__ if type(function) in (MethodType, classmethod, staticmethod) else function
        annotations = dict(inner.__annotations__) if self._run.own.function(inner) else {}
        annotations.pop("return", None)
        if not annotations:
            raise TypeError("register() needs a class, or a function whose first parameter is annotated")
        return resolve(self._run, next(iter(annotations.values())))  # a text under `from __future__ import annotations`

    def dispatch(self, cls: type) -> Any:
        """The implementation for a class."""
        found = self._find(cls)
        return self._function if found is self._default else found

    @property
    def registry(self) -> dict[Any, Any]:
        """The implementations by class, as a copy."""
        return dict(self._registry)

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        """Call the implementation for the first argument's class."""
        if not args:
            raise TypeError(f"{self.__name__} requires at least 1 positional argument")
        return self.dispatch(type(args[0]))(*args, **keywords)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)


class SingleDispatchMethod:
    """`functools.singledispatchmethod` over the same."""

    def __init__(self, function: Any, run: Run) -> None:
        self._dispatcher = SingleDispatch(function, run)

    def register(self, cls: Any, method: Any = None) -> Any:
        """Add an implementation."""
        return self._dispatcher.register(cls, method)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        def method(*args: Any, **keywords: Any) -> Any:
            if not args:
                raise TypeError("the dispatching argument is missing")
            chosen = self._dispatcher.dispatch(type(args[0]))
            return chosen.__get__(instance, type_of(instance) if owner is None else owner)(*args, **keywords)

        method.__name__, method.__doc__ = self._dispatcher.__name__, self._dispatcher.__doc__
        method.register = self.register  # type: ignore[attr-defined]
        return method


def operator_contents(run: Run) -> dict[str, Any]:
    """`operator`, with the getters by attribute name guarded: the library's are C code that asks nobody."""
    same = (
        "abs add and_ call concat contains countOf delitem eq floordiv ge getitem gt iadd iand iconcat ifloordiv "
        "ilshift imatmul imod imul index indexOf inv invert ior ipow irshift is_ is_none is_not is_not_none isub "
        "itemgetter itruediv ixor le length_hint lshift lt matmul mod mul ne neg not_ or_ pos pow rshift setitem sub "
        "truediv truth xor"
    )
    found: dict[str, Any] = {name: getattr(operator, name) for name in same.split() if hasattr(operator, name)}
    read = run.guards.read_any

    def follow(value: Any, path: str) -> Any:
        for name in path.split("."):
            value = read(value, name)
        return value

    def attrgetter(*paths: str) -> Callable[[Any], Any]:
        """Return a function that reads these attributes, dotted paths too."""
        if not paths:
            raise TypeError("attrgetter expected 1 argument, got 0")
        exact = tuple(map(text_of, paths))
        if len(exact) == 1:
            return lambda value: follow(value, exact[0])
        return lambda value: tuple(follow(value, path) for path in exact)

    def methodcaller(name: str, /, *args: Any, **keywords: Any) -> Callable[[Any], Any]:
        """Return a function that calls this method."""
        exact = text_of(name)
        return lambda value: read(value, exact)(*args, **keywords)

    found.update(attrgetter=attrgetter, methodcaller=methodcaller)
    return found
