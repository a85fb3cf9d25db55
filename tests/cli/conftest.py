from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from codemode.cli import main


class Answer:
    """What one command printed and how it ended."""

    def __init__(self, result: Result) -> None:
        self.code, self.out, self.err = result.exit_code, result.stdout, result.stderr
        unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
        assert not unexpected, result.exception

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Answer]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def cli(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line over a data directory of its own."""
    for name in [name for name in os.environ if name.startswith("CODEMODE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CODEMODE_DATA_DIR", str(data_dir))
    monkeypatch.setenv("CODEMODE_CHILDREN", "1")

    def run(*arguments: object, input: str | bytes | None = None) -> Answer:  # noqa: A002 - click's own name for it
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        handlers = logging.root.handlers[:]
        levels = {logger: logger.level for logger in (logging.root, logging.getLogger("codemode"))}
        try:
            return Answer(CliRunner().invoke(main, [str(argument) for argument in arguments], input=input))
        finally:  # a service takes them for the rest of its process
            for number, handler in before.items():
                signal.signal(number, handler)
            logging.root.handlers[:] = handlers
            for logger, level in levels.items():
                logger.setLevel(level)

    return run


@pytest.fixture
def people(cli: Cli, tmp_path: Path) -> str:
    """A session with a table of three people."""
    path = tmp_path / "people.csv"
    path.write_text('name,age,city\nAda,36,London\nGrace,85,\n"O\'Brien, Zoë",,"New\nYork"\n')
    assert cli("import", path, "-s", "people-1").code == 0
    return "people-1"
