"""What a large catalogue is like: one tenant has half of it, ten have most of the rest, a thousand small ones a tenth.

Everything follows from the number of a session, so that the same catalogue without the large tenants holds the very
same rows of the small ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BEGAN = 1_767_225_600_000  # 1 January 2026 in milliseconds since 1970
STEP_MS = 20  # between two sessions, and between two messages of the whole catalogue
MIDDLE, SMALL = 10, 1_000  # tenants
SERVERS = 20  # MCP servers that sessions are connected to
LARGE = "large"
Kind = Literal["large", "middle", "small"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many sessions there are in all, and whether only those of the small tenants are made."""

    sessions: int
    only_small: bool = False
    messages: int = 10  # of each session

    @property
    def end(self) -> int:
        """The time of the last message."""
        return BEGAN + STEP_MS * self.sessions * self.messages

    def tenants(self) -> list[str]:
        """The tenants that have sessions."""
        few = dict.fromkeys(tenant_of(number) for number in self.numbers())
        return list(few)

    def numbers(self) -> range | list[int]:
        """The sessions that are made, by their numbers."""
        if not self.only_small:
            return range(self.sessions)
        return [number for number in range(self.sessions) if kind_of(number) == "small"]


def kind_of(number: int) -> Kind:
    """Which kind of tenant a session belongs to."""
    place = number % 1_000
    return "large" if place < 500 else "middle" if place < 900 else "small"


def tenant_of(number: int) -> str:
    """The tenant that a session belongs to."""
    place = number % 1_000
    if place < 500:
        return LARGE
    if place < 900:
        return f"middle-{(place - 500) // (400 // MIDDLE)}"
    return f"small-{place - 900 + 100 * (number // 1_000 % (SMALL // 100)):03d}"


def session_id(number: int) -> str:
    """The id of a session."""
    return f"s{number:09d}"


def users_of(number: int) -> tuple[str, str]:
    """The agent who owns a session, and the person who takes part: each of a hundred sessions, in small tenants ten."""
    group = number // 100_000
    place = number % 1_000
    return f"agent-{group}-{place}", f"person-{group}-{place}"


def status_of(number: int) -> Literal["active", "closed", "expired"]:
    """A fifth of all sessions is active, half of them have expired."""
    place = number * 7 // 10 % 10
    return "active" if place < 2 else "closed" if place < 5 else "expired"
