"""What the tests of the records have in common."""

from __future__ import annotations

NOW = 1_700_000_000_000  # when everything of these tests happens, unless they say otherwise
SESSION = "s1"
