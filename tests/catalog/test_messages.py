"""Messages: what is posted is listed, filtered, paged and found again."""

from __future__ import annotations

from typing import Any

import pytest
from places import NOW, SESSION

from codemode.catalog.fields import CONTENT_BYTES
from codemode.catalog.sessions import Sessions
from codemode.catalog.tenant import TenantRecords
from codemode.errors import RecordNotFound, RequestInvalid, SessionNotFound


def contents(acme: TenantRecords, **asked: Any) -> list[str]:
    return [message.content for message in acme.messages.page(SESSION, **asked).rows]


@pytest.fixture
def chat(acme: TenantRecords) -> TenantRecords:
    post = acme.messages.post
    post(SESSION, "The disk of Oslo is full", now=NOW, user_id="ann")
    post(SESSION, "tools/call", now=NOW + 1, message_type="mcp_request", metadata={"tool": {"name": "df"}})
    post(SESSION, "disks: 1", now=NOW + 2, message_type="mcp_response")
    post(SESSION, "cleared the disk", now=NOW + 3, user_id="bob")
    return acme


def test_a_posted_message_is_answered_as_it_is_stored(acme: TenantRecords):
    posted = acme.messages.post(SESSION, "hi", now=NOW, user_id="ann", metadata={"a": [1, None]})
    assert posted == acme.messages.get(SESSION, posted.id) == acme.messages.page().rows[0]
    assert (posted.message_type, posted.created_at) == ("chat", "2023-11-14T22:13:20.000Z")
    assert posted.metadata == {"a": [1, None]}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["cleared the disk", "disks: 1", "tools/call", "The disk of Oslo is full"]),
        ({"message_type": "mcp_request"}, ["tools/call"]),
        ({"user_id": "ann"}, ["The disk of Oslo is full"]),
        ({"since": NOW + 2}, ["cleared the disk", "disks: 1"]),
        ({"since": NOW + 1, "until": NOW + 2}, ["tools/call"]),
        ({"text": "disk"}, ["cleared the disk", "The disk of Oslo is full"]),
        ({"text": "DISK oslo"}, ["The disk of Oslo is full"]),
        ({"text": "disk*"}, ["cleared the disk", "disks: 1", "The disk of Oslo is full"]),
        ({"text": 'disk" OR "tools'}, []),
        ({"text": '"disk of oslo"'}, ["The disk of Oslo is full"]),
        ({"text": '"oslo disk"'}, []),
        ({"text": '"disk of os"* full'}, ["The disk of Oslo is full"]),
        ({"text": "oslo ful*"}, ["The disk of Oslo is full"]),
        ({"text": "ghost*"}, []),
        ({"text": "DISK*", "message_type": "mcp_response"}, ["disks: 1"]),
        ({"text": "disk", "user_id": "bob"}, ["cleared the disk"]),
        ({"text": "disk", "until": NOW + 3}, ["The disk of Oslo is full"]),
        ({"text": "disk*", "since": NOW + 1, "until": NOW + 3}, ["disks: 1"]),
        ({"text": "disk", "since": NOW, "message_type": "chat"}, ["cleared the disk", "The disk of Oslo is full"]),
    ],
)
def test_a_list_has_what_is_asked_for_newest_first(chat: TenantRecords, asked: dict[str, Any], expected: list[str]):
    assert contents(chat, **asked) == expected


@pytest.mark.parametrize("asked", [{}, {"text": "word"}, {"message_type": "chat"}])
def test_pages_have_every_message_once(acme: TenantRecords, asked: dict[str, Any]):
    posted = [acme.messages.post(SESSION, f"word {n}", now=NOW).id for n in range(7)]
    found: list[str] = []
    after = None
    while True:
        page = acme.messages.page(SESSION, after=after, limit=3, **asked)
        found += [message.id for message in page.rows]
        acme.messages.post(SESSION, "a word that comes meanwhile", now=NOW + 1)
        if (after := page.next) is None:
            break
    assert found == posted[::-1]


def test_an_answer_to_an_answer_belongs_to_the_thread_that_was_begun(acme: TenantRecords):
    first = acme.messages.post(SESSION, "one", now=NOW)
    second = acme.messages.post(SESSION, "two", now=NOW, thread=first.id)
    third = acme.messages.post(SESSION, "three", now=NOW, thread=second.id)
    acme.messages.post(SESSION, "elsewhere", now=NOW)
    with pytest.raises(RecordNotFound, match="no message 'm_none'"):
        acme.messages.post(SESSION, "to nobody", now=NOW, thread="m_none")
    assert third.thread == second.thread == first.id
    assert contents(acme, thread=first.id) == ["three", "two", "one"]
    acme.messages.remove(SESSION, first.id)
    assert contents(acme) == ["elsewhere"]


def test_what_is_removed_is_not_found_by_its_words(chat: TenantRecords):
    for message in chat.messages.page(text="disk").rows:
        chat.messages.remove(SESSION, message.id)
    assert contents(chat, text="disk") == []
    if chat.store.dialect == "sqlite":
        chat.store.run("INSERT INTO messages_text (messages_text, rank) SELECT 'integrity-check', 1 WHERE ?1 = ?1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": 7},
        {"content": "x" * (CONTENT_BYTES + 1)},
        {"content": "a\0b"},
        {"content": "\ud800"},
        {"message_type": "shout"},
        {"user_id": " "},
        {"metadata": ["a"]},
        {"metadata": {"a": "\0"}},
        {"metadata": {"a": float("nan")}},
        {"metadata": {"a": "x" * 20_000}},
    ],
)
def test_what_cannot_be_stored_is_refused(acme: TenantRecords, wrong: dict[str, Any]):
    with pytest.raises(RequestInvalid):
        acme.messages.post(SESSION, **{"content": "hi", "now": NOW, **wrong})
    assert contents(acme) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": 1001},
        {"message_type": "shout"},
        {"text": "-- *"},
        {"text": "a_b " * 26},
        {"after": "x", "text": "a"},
        {"after": "\0"},
        {"after": "7"},
    ],
)
def test_what_cannot_be_asked_is_refused(acme: TenantRecords, wrong: dict[str, Any]):
    with pytest.raises(RequestInvalid):
        acme.messages.page(SESSION, **wrong)


def test_a_search_takes_fifty_words(acme: TenantRecords):
    acme.messages.post(SESSION, "a b", now=NOW)
    assert contents(acme, text="a b " * 25) == ["a b"]


def test_nothing_is_said_in_a_session_that_is_not_there_or_is_over(acme: TenantRecords, store: Any):
    with pytest.raises(SessionNotFound):
        acme.messages.post("nowhere", "hi", now=NOW)
    Sessions(store).expire("acme", SESSION, NOW)
    with pytest.raises(SessionNotFound):
        acme.messages.post(SESSION, "hi", now=NOW)
    with pytest.raises(RecordNotFound):
        acme.messages.get(SESSION, "m_x")


def test_a_search_reads_as_words_what_could_be_read_as_more(acme: TenantRecords):
    acme.messages.post(SESSION, "it's a back\\slash of t acme", now=NOW)
    for text in ("it's", "back\\slash", "acme"):
        assert len(acme.messages.page(SESSION, text=text).rows) == 1, text
    session = SESSION.encode().hex()
    for text in ("other", f"t{b'acme'.hex()}", f"s{session}", "@1", "@2", "2", f"@2s{session}", f"2s{session}", "@2*"):
        assert acme.messages.page(SESSION, text=text).rows == [], text
    assert acme.messages.page("it's \\ nowhere", text="acme").rows == []


def test_words_are_looked_for_in_the_very_time_that_is_asked_for_whenever_the_messages_came(acme: TenantRecords):
    """A worker's clock went wrong, a writer waited long: the order of coming is not that of the times."""
    for place, second in enumerate((5, 1, 9, 3, 3, 7, 0, 8, 2)):
        acme.messages.post(SESSION, f"word {second}", now=NOW + second, message_type=("chat", "system")[place % 2])
    times = [None, *range(NOW, NOW + 11, 2), NOW + 10**9]
    for since in times:
        for until in times:
            for kind in (None, "chat"):
                asked = {"since": since, "until": until, "message_type": kind}
                assert sorted(contents(acme, text="word", **asked)) == sorted(contents(acme, **asked)), asked


def test_what_somebody_said_is_found_after_he_is_gone(chat: TenantRecords):
    chat.users.remove("ann", now=NOW)
    chat.store.run("DELETE FROM users WHERE tenant = ?1 AND id = ?2", "ann")
    assert contents(chat, text="oslo") == ["The disk of Oslo is full"]
    assert contents(chat, text="oslo", user_id="ann") == []
    if chat.store.dialect == "sqlite":
        chat.store.run("INSERT INTO messages_text (messages_text, rank) SELECT 'integrity-check', 1 WHERE ?1 = ?1")


def test_a_beginning_that_very_many_words_have_is_found_like_another(acme: TenantRecords, monkeypatch: Any):
    for text in ("disks", "disk", "café diskette", "other"):
        acme.messages.post(SESSION, text, now=NOW)
    expected = ["café diskette", "disk", "disks"]
    assert contents(acme, text="dis*") == expected
    assert contents(acme, text="cafe*" if acme.store.dialect == "sqlite" else "café*") == expected[:1]
    monkeypatch.setattr("codemode.catalog.search._BEGINNINGS", 1)
    assert contents(acme, text="dis*") == expected


@pytest.mark.parametrize("asked", [{}, {"session_id": SESSION}, {"user_id": "ann"}, {"message_type": "chat"}])
@pytest.mark.parametrize("text", ["disk", "disk full", '"disk full"', "dis*", '"disk full" fu*'])
def test_what_others_said_with_the_same_words_in_the_same_places_is_not_found(
    acme: TenantRecords, other: TenantRecords, asked: dict[str, Any], text: str
):
    for turn in range(3):
        for tenant in (other, acme, other):
            tenant.messages.post(SESSION, f"{tenant.store.tenant}: disk full", now=NOW + turn, user_id="ann")
    for tenant, count in ((acme, 3), (other, 6)):
        found = [message.content for message in tenant.messages.page(text=text, **asked).rows]
        assert found == [f"{tenant.store.tenant}: disk full"] * count
