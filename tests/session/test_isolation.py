"""What an outcome and the log say of confinement, with it and without."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemode import Session, Settings, Worker

LOUD = 'isolation is "none": this code ran without confinement by the operating system'


@pytest.fixture(scope="module")
def unconfined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("data"), settings=Settings(isolation="none")) as worker:
        yield worker


ENDINGS = {
    "completed": ("1 + 1", {}),
    "rejected": ("def", {}),
    "error": ("1 / 0", {}),
    "timeout": ("while True: pass", {"timeout": 0.3}),
}


@pytest.mark.parametrize("status", ENDINGS)
@pytest.mark.parametrize("how", [{}, {"dry_run": True}, {"read_only": True}, {"atomic": False}], ids=str)
def test_every_outcome_warns_without_isolation(unconfined: Worker, status: str, how: dict[str, bool]) -> None:
    code, options = ENDINGS[status]
    outcome = unconfined.session().run(code, **options, **how)
    assert outcome.status == status
    assert LOUD in outcome.warnings
    assert "seccomp" not in outcome.isolation


def test_a_cancelled_outcome_warns_too(unconfined: Worker) -> None:
    session = unconfined.session()
    outcome = session.run("print('in')\nwhile True: pass", on_output=lambda _: session.cancel())
    assert (outcome.status, LOUD in outcome.warnings) == ("cancelled", True)


def test_a_confined_outcome_does_not_warn(session: Session) -> None:
    assert session.run("1").warnings == ()


def test_the_log_is_told_when_snippets_begin_to_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def loud() -> list[int]:
        return [record.levelno for record in caplog.records if "without confinement" in record.getMessage()]

    with Worker(tmp_path, settings=Settings(isolation="none")) as worker:
        worker.session("a").value("SELECT 1")
        assert loud() == []
        for _ in range(2):
            worker.session("a").run("1")
    assert loud() == [logging.WARNING]


def test_the_log_names_the_layers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "codemode")
    with Worker(tmp_path) as worker:
        worker.session("a").run("1")
        (message,) = [record.getMessage() for record in caplog.records if "confined by" in record.getMessage()]
        for layer in worker.layers:
            confined, _, absent = message.partition("; absent: ")
            assert layer.name in (confined if layer.active else absent)
