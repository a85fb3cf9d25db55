"""What a process of the service has beside its HTTP interface: the same in a single one and in each of several."""

from __future__ import annotations

import contextlib
import importlib.util
import logging

from codemode.api.mounts import MakeMount

_log = logging.getLogger("codemode")


def mounts() -> tuple[MakeMount, ...]:
    """The tools for models at /mcp, where the package that they need is installed; the first request loads it."""
    if importlib.util.find_spec("mcp") is None:
        _log.warning("there are no tools at /mcp: pip install 'codemode[mcp]'")
        return ()
    from codemode.mcp.http import McpMount

    return (McpMount,)


def trace(statements: bool) -> None:
    """Make spans where OpenTelemetry is installed and has a provider: who runs this configures it, see docs/how-to."""
    with contextlib.suppress(ImportError):
        from codemode.service import spans

        if spans.bind(statements=statements):
            _log.info("spans go to OpenTelemetry's provider")
