"""The seam between the helpers and whoever serves them: two methods, no socket needed to test them."""

from __future__ import annotations

from typing import Any, Protocol


class Channel(Protocol):
    """Carries helper calls to the worker; arguments and answers are plain values (see `values.py`)."""

    def call(self, method: str, *args: Any) -> Any:
        """Send a call and wait for its answer; a refusal or failure is raised as HelperError.

        So is a value that cannot be written down, with the code `sql.value`.
        """

    def post(self, method: str, *args: Any) -> None:
        """Send a call now and check its answer at the next call or post, which raises if it failed."""
