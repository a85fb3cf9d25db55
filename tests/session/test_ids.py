"""Ids sort by time, never name a path, and never share a directory."""

from __future__ import annotations

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from codemode.asked import parse_session_id
from codemode.errors import RequestInvalid
from codemode.moments import ulid
from codemode.session.ids import directory_name, new_execution_id, new_session_id


def test_ulids_sort_by_time_and_differ() -> None:
    first = ulid()
    time.sleep(0.002)
    assert first < ulid()
    assert len({ulid() for _ in range(1000)}) == 1000


def test_minted_ids() -> None:
    assert re.fullmatch(r"s_[0-9A-HJKMNP-TV-Z]{26}", new_session_id())
    assert re.fullmatch(r"ex_[0-9A-HJKMNP-TV-Z]{26}", new_execution_id())
    assert parse_session_id(new_session_id())


@given(st.text())
def test_any_text_is_an_id_or_refused_and_never_a_path(text: str) -> None:
    try:
        parse_session_id(text)
    except RequestInvalid:
        pass
    else:
        assert not set(text) & set("/\\\0\n ")
        assert not text.startswith(".")
    assert re.fullmatch(r"[0-9a-f]{64}", directory_name("local", text.encode("utf-8", "replace").decode()))


@given(st.text("ab:", max_size=4), st.text("ab:", max_size=4), st.text("ab:", max_size=4), st.text("ab:", max_size=4))
def test_no_two_sessions_share_a_directory(tenant: str, one: str, other_tenant: str, other: str) -> None:
    same = (tenant, one) == (other_tenant, other)
    assert (directory_name(tenant, one) == directory_name(other_tenant, other)) is same
