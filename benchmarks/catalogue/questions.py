"""The questions that people and agents ask of a catalogue all day, each through the class of its records."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any

from benchmarks.catalogue.rows import TYPES, sentence
from benchmarks.catalogue.shape import BEGAN, SERVERS, Shape, kind_of, session_id, status_of, tenant_of, users_of
from codemode import Worker

_SHOWN = 50  # rows of a page


@dataclass(frozen=True, slots=True)
class Asker:
    """One tenant of a catalogue, with those of its sessions that have what the questions are about."""

    worker: Worker
    shape: Shape
    tenant: str
    sessions: list[int]

    def session(self, turn: int) -> int:
        """One of its sessions, another one each time."""
        return self.sessions[turn * 7919 % len(self.sessions)]


Ask = Callable[[Asker, int], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: `ask` answers for the n-th time, `finds` says whether an answer must hold something."""

    title: str
    ask: Ask
    finds: bool = True


def askers(worker: Worker, shape: Shape) -> dict[str, Asker]:
    """One tenant of each size that the catalogue has."""
    found: dict[str, list[int]] = {}
    wanted: dict[str, str] = {}
    for number in shape.numbers():
        kind = kind_of(number)
        if number % 50 == 0 and status_of(number) == "active":
            wanted.setdefault(kind, tenant_of(number))
        if wanted.get(kind) == tenant_of(number):
            found.setdefault(kind, []).append(number)
    return {kind: Asker(worker, shape, wanted[kind], numbers) for kind, numbers in found.items()}


def _page(found: object) -> Sized:
    rows = getattr(found, "rows", found)
    assert isinstance(rows, Sized)
    return rows


def rows_in(found: object) -> int:
    """How many rows an answer holds; one that is no list holds one."""
    return len(_page(found)) if hasattr(found, "rows") or isinstance(found, list) else 1


def _signals(asker: Asker, turn: int) -> object:
    number = asker.session(turn) // 50 * 50  # every fiftieth has some
    own = number if tenant_of(number) == asker.tenant else asker.session(turn)
    return asker.worker.of(asker.tenant).signals.untaken(session_id(own), now=asker.shape.end, signal_type="ice")


def _of_messages(asked: Callable[[Asker, int], dict[str, Any]]) -> Ask:
    return lambda a, turn: a.worker.of(a.tenant).messages.page(**asked(a, turn), limit=_SHOWN)


def _words(asker: Asker, turn: int, count: int = 1) -> str:
    """So many words that follow each other in the first message of a session."""
    return " ".join(sentence(asker.session(turn)).split()[:count])


def _tenth(shape: Shape, tenth: int) -> dict[str, Any]:
    """A tenth of the time in which all messages came."""
    step = (shape.end - BEGAN) // 10
    return {"since": BEGAN + tenth * step, "until": BEGAN + (tenth + 1) * step}


def _second_page(asker: Asker, turn: int) -> object:
    messages, text = asker.worker.of(asker.tenant).messages, _words(asker, turn)
    return messages.page(text=text, after=str(asker.shape.sessions * asker.shape.messages // 2), limit=_SHOWN)


def _server(number: int) -> str:
    return f"server-{number // 2 % SERVERS}"


QUESTIONS: tuple[Asked, ...] = (
    Asked(
        "active sessions of a tenant",
        lambda a, turn: a.worker.of(a.tenant).sessions.page(status="active", limit=_SHOWN),
    ),
    Asked(
        "newest 50 messages of a type",
        lambda a, turn: a.worker.of(a.tenant).messages.page(message_type=TYPES[turn % len(TYPES)], limit=_SHOWN),
    ),
    Asked(
        "newest messages of a session",
        lambda a, turn: a.worker.of(a.tenant).messages.page(session_id(a.session(turn)), limit=_SHOWN),
    ),
    Asked(
        "active participants of a session",
        lambda a, turn: a.worker.of(a.tenant).participants.page(session_id(a.session(turn)), limit=_SHOWN),
    ),
    Asked(
        "a word that the tenant's messages have",
        lambda a, turn: a.worker.of(a.tenant).messages.page(text=sentence(a.session(turn)).split()[0], limit=_SHOWN),
    ),
    Asked(
        "a word of every eighth message, and none of the small tenant's",
        lambda a, turn: a.worker.of(a.tenant).messages.page(text=("error", "delay", "plan")[turn % 3], limit=_SHOWN),
        finds=False,
    ),
    Asked(
        "a word that few messages have",
        lambda a, turn: a.worker.of(a.tenant).messages.page(text=f"topic{a.session(turn) % 20_000}", limit=_SHOWN),
        finds=False,
    ),
    Asked("a word of every eighth message, the second page", _second_page),
    Asked("two words that follow each other", _of_messages(lambda a, turn: {"text": f'"{_words(a, turn, 2)}"'})),
    Asked("two words of one message", _of_messages(lambda a, turn: {"text": _words(a, turn, 2)})),
    Asked(
        "two words that few messages have, and none both",
        _of_messages(lambda a, turn: {"text": f"topic{a.session(turn) % 20_000} case{turn}"}),
        finds=False,
    ),
    Asked("the beginning of a word", _of_messages(lambda a, turn: {"text": _words(a, turn)[:3] + "*"})),
    Asked(
        "a word in what somebody said",
        _of_messages(lambda a, turn: {"text": _words(a, turn), "user_id": users_of(a.session(turn))[0]}),
        finds=False,
    ),
    Asked(
        "a word in messages of a rare type",
        _of_messages(lambda a, turn: {"text": _words(a, turn), "message_type": "system"}),
        finds=False,
    ),
    Asked(
        "a word in messages of one time",
        _of_messages(lambda a, turn: {"text": _words(a, turn), **_tenth(a.shape, turn % 9)}),
        finds=False,
    ),
    Asked(
        "a word in a session",
        _of_messages(lambda a, turn: {"text": _words(a, turn), "session_id": session_id(a.session(turn))}),
    ),
    Asked("statistics of a tenant", lambda a, turn: a.worker.of(a.tenant).statistics.get()),
    Asked(
        "sessions of a user",
        lambda a, turn: a.worker.of(a.tenant).sessions.of_user(users_of(a.session(turn))[0], limit=_SHOWN),
    ),
    Asked(
        "MCP sessions of a server",
        lambda a, turn: a.worker.of(a.tenant).mcp_sessions.of_server(_server(a.session(turn)), limit=_SHOWN),
        finds=False,
    ),
    Asked("untaken signals of a type", _signals, finds=False),
    Asked("newest entries of the audit log", lambda a, turn: a.worker.audit.read(a.tenant, limit=_SHOWN)),
)
