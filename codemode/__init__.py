"""Codemode: the engine that AI agents run their code and data on."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # `typing` is not needed to start the sandbox's interpreter, which a command does first
if TYPE_CHECKING:
    from typing import Any

    from codemode.client.async_client import AsyncClient
    from codemode.client.client import Client
    from codemode.errors import CodemodeError
    from codemode.limits import Limits
    from codemode.session.session import Session
    from codemode.settings import Settings
    from codemode.values import Outcome
    from codemode.worker import Worker

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "Client",
    "CodemodeError",
    "Limits",
    "Outcome",
    "Session",
    "Settings",
    "Worker",
    "__version__",
]

# Loaded when first asked for: `codemode --version` and `codemode.errors` need no SQLite and no parser.
_EXTRAS = {"AsyncClient": "client", "Client": "client"}
_HOMES = {
    "AsyncClient": "codemode.client.async_client",
    "Client": "codemode.client.client",
    "CodemodeError": "codemode.errors",
    "Limits": "codemode.limits",
    "Outcome": "codemode.values",
    "Session": "codemode.session.session",
    "Settings": "codemode.settings",
    "Worker": "codemode.worker",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'codemode' has no attribute {name!r}")
    try:
        return getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if name not in _EXTRAS or (error.name or "").startswith("codemode"):
            raise
        from codemode.errors import ExtraMissing

        hint = f"pip install 'codemode[{_EXTRAS[name]}]'"
        raise ExtraMissing(f"{name} cannot be used: {error}", hint=hint) from error


def __dir__() -> list[str]:
    return __all__
