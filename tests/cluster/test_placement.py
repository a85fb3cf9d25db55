"""Placement: even, the same everywhere, and hardly moved by a worker that comes or goes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemode.cluster.placement import Rendezvous

SESSIONS = [("acme" if n % 3 else "globex", f"chat-{n}") for n in range(20_000)]


@pytest.mark.parametrize("count", [2, 3, 8, 16])
def test_sessions_are_spread_evenly(count: int) -> None:
    names = [f"worker-{n}" for n in range(count)]
    found = Counter(Rendezvous(names).place(*session) for session in SESSIONS)
    fair = len(SESSIONS) / count
    # Six standard deviations of a fair draw: these ids are fixed, so this never fails by chance.
    assert all(abs(found[name] - fair) < 6 * fair**0.5 for name in names)


def test_a_worker_that_joins_takes_its_share_and_moves_nothing_else() -> None:
    before, after = Rendezvous(["a", "b", "c"]), Rendezvous(["a", "b", "c", "d"])
    moved = [session for session in SESSIONS if before.place(*session) != after.place(*session)]
    assert {after.place(*session) for session in moved} == {"d"}
    assert 0.22 < len(moved) / len(SESSIONS) < 0.28


def test_a_worker_that_leaves_moves_only_its_own_sessions() -> None:
    before, after = Rendezvous(["a", "b", "c"]), Rendezvous(["a", "c"])
    for session in SESSIONS:
        if before.place(*session) != "b":
            assert after.place(*session) == before.place(*session)


@given(st.permutations(["a", "b", "c", "d"]), st.text(), st.text())
def test_the_order_of_the_names_does_not_matter(names: list[str], tenant: str, session_id: str) -> None:
    tenant, session_id = (text.encode(errors="replace").decode() for text in (tenant, session_id))
    assert Rendezvous(names).place(tenant, session_id) == Rendezvous("abcd").place(tenant, session_id)


def test_another_process_finds_the_same_place() -> None:
    code = (
        "from codemode.cluster.placement import Rendezvous\n"
        "print(*(Rendezvous(['a', 'b', 'c']).place('local', f'chat-{n}') for n in range(100)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [Rendezvous("abc").place("local", f"chat-{n}") for n in range(100)]


def test_tenants_of_the_same_id_are_placed_by_themselves() -> None:
    place = Rendezvous(["a", "b"]).place
    assert {place(f"tenant-{n}", "main") for n in range(50)} == {"a", "b"}


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_names_that_are_none_or_twice_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="names of their own"):
        Rendezvous(names)
