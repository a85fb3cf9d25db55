"""The service with its catalogue in PostgreSQL: tests of the HTTP face once more, over the other store.

Every route is asked with another tenant's ids, and nothing may ask the server on the event loop.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS
from postgres_cluster import Cluster

from codemode import Settings, Worker
from tests.api import test_catalogue_asked as questions
from tests.api import test_executions as executions
from tests.api import test_listening as events
from tests.api import test_quotas_tokens_audit as tenants
from tests.api import test_reach as reach
from tests.api import test_shared_places as records
from tests.api.conftest import listening


@pytest.fixture(scope="module")
def settings(postgres: Cluster) -> Iterator[Settings]:
    address = postgres.database("migrated")
    yield msgspec.structs.replace(Settings(), catalog=address, shutdown_seconds=2.0)
    postgres.drop(address)


@pytest.fixture(scope="module")
def worker(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        yield worker


@pytest.fixture(scope="module", autouse=True)
def on_the_loop(postgres: Cluster) -> Iterator[list[str]]:
    """Where an event loop asked the server by itself, which keeps everybody waiting as long as that does not answer."""
    from codemode.catalog.stores.postgres_connections import Connections

    found: list[str] = []

    def noting(plain: Callable[..., Any]) -> Callable[..., Any]:
        def connection(self: Connections) -> Any:
            stack = traceback.StackSummary.extract(traceback.walk_stack(None))
            stack.reverse()
            # `Asking` calls everything in one thread, so that it can be seen.
            if asyncio._get_running_loop() and not any(frame.name == "ask" for frame in stack):
                found.append("".join(traceback.format_list(stack[-9:])))
            return plain(self)

        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connections, "one", noting(Connections.one))
        yield found
    assert not found, found[0]


asking, victim = reach.asking, reach.victim
test_what_is_somebody_else_s_is_what_there_is_not = reach.test_what_is_somebody_else_s_is_what_there_is_not
test_somebody_else_s_things_are_as_they_were = reach.test_somebody_else_s_things_are_as_they_were
test_no_list_and_no_figure_names_what_is_somebody_else_s = (
    reach.test_no_list_and_no_figure_names_what_is_somebody_else_s
)
test_a_viewer_may_do_what_reads_and_nothing_else = reach.test_a_viewer_may_do_what_reads_and_nothing_else

place = records.place
test_each_route_answers_as_it_should = records.test_each_route_answers_as_it_should
test_messages_are_paged_from_the_newest_on = records.test_messages_are_paged_from_the_newest_on_and_filtered
test_a_signal_is_taken_once_by_whom_it_is_for = records.test_a_signal_is_taken_once_by_whom_it_is_for
test_figures_are_kept_by_name = records.test_figures_are_kept_by_name_and_exactly_six_by_the_old_path
test_the_audit_log_has_what_was_changed = records.test_the_audit_log_has_what_was_changed
test_the_audit_log_has_what_is_said = (
    records.test_the_audit_log_has_what_is_said_and_set_without_what_is_none_of_its_business
)

test_executions_a_minute_are_bounded = tenants.test_executions_a_minute_are_bounded_and_retry_after_says_until_when
test_sessions_are_bounded_forks_too = tenants.test_sessions_are_bounded_forks_too
test_an_administrator_makes_lists_and_revokes_tokens = tenants.test_an_administrator_makes_lists_and_revokes_tokens
test_the_audit_log_is_read_in_pages = tenants.test_the_audit_log_is_read_in_pages_by_the_tenant_s_administrators
test_two_who_choose_one_id_at_once_do_not_share_it = tenants.test_two_who_choose_one_id_at_once_do_not_share_it

test_the_options_of_a_run_are_fields_of_the_body = executions.test_the_options_of_a_run_are_fields_of_the_body
test_an_execution_in_the_background_is_waited_for = executions.test_an_execution_in_the_background_is_waited_for

firm = events.firm
test_all_that_happens_in_a_session_is_heard_in_order = events.test_all_that_happens_in_a_session_is_heard_in_order
test_a_user_hears_what_he_subscribed_to = events.test_a_user_hears_what_he_subscribed_to_and_nothing_else

admin = questions.admin
test_one_statement_answers_across_sessions = questions.test_one_statement_answers_across_sessions_and_users


def test_who_wants_an_execution_ended_gets_in_while_all_threads_are_taken(settings: Settings, tmp_path: Path) -> None:
    """Each of them is held by an execution, of which another service on the same catalogue learns, and ends one."""
    narrow = msgspec.structs.replace(settings, threads=2)
    with (
        Worker(tmp_path, settings=narrow) as one,
        Worker(tmp_path, settings=settings) as two,
        listening(one, open_to_all=True) as (address, _),
        listening(two, open_to_all=True) as (other, _),
        httpx2.Client(timeout=HANG_SECONDS) as http,
    ):
        for name in "ab":
            http.post(f"{address}/v1/sessions", json={"id": name})
        begun = [
            http.post(f"{address}/v1/sessions/{name}/execute", json={"code": "while True: pass", "mode": "background"})
            for name in "ab"
        ]
        for way, answer in zip((address, other), begun, strict=True):
            ended = http.delete(way + answer.headers["location"]).json()
            assert (ended["state"], ended["outcome"]["status"]) == ("done", "cancelled")
