"""What SQL a session may run: the policy as data, the layers that apply it, and errors that say the way out."""

from __future__ import annotations

from codemode.guard.check import Guard
from codemode.guard.statement import Statement

__all__ = ["Guard", "Statement"]
