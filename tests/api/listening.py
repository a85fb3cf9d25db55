"""A listener to server-sent events, as tests have one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2


class Heard(NamedTuple):
    id: int | None
    name: str
    data: dict[str, Any]


def heard(answer: httpx2.Response) -> Iterator[Heard]:
    """The events of an answer as they come."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line and "data" in fields:
            yield Heard(int(fields["id"]) if "id" in fields else None, fields["event"], json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@contextmanager
def listening_to(http: httpx2.Client, path: str, last: int | None = None, **query: Any) -> Iterator[Iterator[Heard]]:
    """The events after the first one, which says that the stream is open."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with http.stream("GET", path, params=query, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        events = heard(answer)
        assert next(events).name == "listening"
        yield events


def in_two_connections(http: httpx2.Client, post: httpx2.Client, session: str, paths: list[str]) -> None:
    """Post by all `paths` while a listener loses its connection: it hears each message once, in order."""
    post.post("/v1/sessions", json={"id": session})
    number = iter(range(10**6))

    def posted(times: int) -> list[str]:
        said = [f"word {next(number)}" for _ in range(times)]
        for n, text in enumerate(said):
            assert post.post(paths[n % len(paths)], json={"content": text}).status_code == 201
        return said

    said, found, last = [], [], None
    for _ in range(3):
        with listening_to(http, f"/v1/sessions/{session}/events", last) as events:
            said += posted(6)
            for each in events:
                found.append(each.data["body"]["content"])
                last = each.id
                if len(found) >= len(said) - 2:  # two are on their way when the connection is lost
                    break
        said += posted(2)  # while nobody listens
    said += posted(1)
    with listening_to(http, f"/v1/sessions/{session}/events", last) as events:
        while found[-1] != said[-1]:
            found.append(next(events).data["body"]["content"])
    assert found == said
