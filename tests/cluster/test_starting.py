"""How a service of several workers starts, and what is told where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from patience import HANG_SECONDS

from codemode.cluster.processes import Started, parsed
from codemode.errors import CodemodeError, IsolationMissing, StorageFull, WorkerUnavailable
from tests.cluster.serving import ROOT, serving


def run(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "codemode", "--data-dir", str(data), "serve", "--port", "0", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=HANG_SECONDS, cwd=ROOT, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "\u0662", "100000", "9" * 5_000])
def test_a_number_of_workers_that_is_none_is_refused(tmp_path: Path, count: str) -> None:
    done = run(tmp_path, "--workers", count)
    assert (done.returncode, "auto" in done.stderr) == (2, True)


@pytest.mark.parametrize("source", ["option", "setting"])
def test_more_workers_than_a_machine_has_a_use_for_are_refused(tmp_path: Path, source: str) -> None:
    many = str(max(16, 4 * len(os.sched_getaffinity(0))) + 1)
    option = source == "option"
    done = run(tmp_path, *(("--workers", many) if option else ()), CODEMODE_WORKERS="1" if option else many)
    assert (done.returncode, f"{many} workers are too many" in done.stderr) == (2, True)


def test_the_setting_says_how_many_and_none_is_one_for_each_core(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "auto") as service:
        cores = len(os.sched_getaffinity(0))
        assert len(service.workers()) == (cores if cores > 1 else 0)


def test_what_keeps_sockets_from_being_made_is_told(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    done = run(tmp_path, "--workers", "2", TMPDIR=str(deep))
    assert (done.returncode, "TMPDIR" in done.stderr) == (2, True)
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [("worker.isolation", IsolationMissing), ("storage.full", StorageFull), ("of.later", WorkerUnavailable)],
)
def test_a_worker_s_error_is_told_by_the_front_as_its_own(code: str, kind: type[CodemodeError]) -> None:
    with pytest.raises(kind, match="what") as caught:
        parsed(msgspec.json.encode(Started(code=code, message="what", hint="how")))
    assert (type(caught.value), caught.value.hint) == (kind, "how")
