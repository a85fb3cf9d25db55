"""What stands for a module in a snippet: listed names, frozen, and nothing behind it."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import Any, NoReturn

from sandbox.absent import Absent, absent


class Facade:
    """The listed names of one module, as attributes.

    There is no `__init__` that could be called again, no `__name__` that the import machinery would follow into
    `sys.modules` when a name is missing, and no reference to the module itself.
    """

    _title: str

    def __getattr__(self, name: str) -> NoReturn:
        raise missing_name(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"module {title(self)!r} cannot be changed")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __dir__(self) -> list[str]:
        return members(self)

    def __repr__(self) -> str:
        return f"<module {title(self)!r}>"


def facade(module: str, contents: Mapping[str, Any]) -> Facade:
    """Make the facade of a module."""
    rename(module, contents)
    made = Facade()
    vars(made).update(contents, _title=module)
    return made


def rename(module: str, contents: Mapping[str, Any]) -> None:
    """Have Python's messages about a wrong call say the name that the engine's own functions are handed out under."""
    for name, value in contents.items():
        function = value.__func__ if type(value) is MethodType else value
        if type(function) is FunctionType and function.__module__.partition(".")[0] == "sandbox":
            function.__module__, function.__name__, function.__qualname__ = module, name, name


def title(made: Facade) -> str:
    """The module's name."""
    return str(vars(made)["_title"])


def members(made: Facade) -> list[str]:
    """The listed names, sorted."""
    return sorted(name for name in vars(made) if not name.startswith("_"))


def missing(made: Facade, name: str) -> Absent:
    """What to say of a name that is not listed."""
    return absent(title(made), vars(made), name)


def missing_name(made: Facade, name: str) -> AttributeError:
    """The error for it: what was meant, else what there is."""
    return AttributeError(f"module {title(made)!r} has no {name!r} here; {missing(made, name).closing(members(made))}")
