"""`make load`: what counts as growth, and that it sees the processes of a service as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.load.processes import Course, Sample, Watch
from codemode import Worker

ROOT = Path(__file__).parents[2]
MIB = 2**20


def courses(figure: str, values: list[int]) -> Course:
    samples = [Sample(1, 0, 0, 0)] * len(values)
    watch = Watch(os.getpid())
    for part in watch.samples:
        watch.samples[part] = [
            Sample(**{name: value if name == figure else getattr(sample, name) for name in Sample.__slots__})
            for sample, value in zip(samples, values, strict=True)
        ]
    return next(course for course in watch.courses() if course.figure == figure)


@pytest.mark.parametrize(
    ("figure", "values", "grew"),
    [
        ("memory_bytes", [100 * MIB] * 9, False),
        ("memory_bytes", [100 * MIB, 101 * MIB, 99 * MIB] * 3, False),
        ("memory_bytes", [(100 + 3 * n) * MIB for n in range(9)], True),
        ("memory_bytes", [(200 - 3 * n) * MIB for n in range(9)], False),
        ("descriptors", [700, 705, 702] * 3, False),
        ("descriptors", [20 + 4 * n for n in range(9)], True),
    ],
)
def test_growth_is_told_from_noise(figure: str, values: list[int], grew: bool) -> None:
    assert courses(figure, values).grew == grew


def test_too_few_samples_prove_nothing() -> None:
    with pytest.raises(ValueError, match="too short"):
        Watch(os.getpid()).courses()


def test_the_parts_of_a_service_are_found() -> None:
    with Worker() as worker:
        worker.session("s").run("return 1")
        with Watch(os.getpid()) as watch:
            kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
            while len(watch.samples["children"]) < 3:
                watch._over.wait(0.05)
            for each in kept:
                os.close(each)
    assert max(sample.descriptors for sample in watch.samples["service"]) >= 40
    assert watch.samples["zygote"][-1].processes >= 1
    assert max(sample.processes for sample in watch.samples["children"]) >= 1
    assert watch.samples["zygote"][-1].memory_bytes > MIB


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_short_load_goes_well() -> None:
    command = [sys.executable, "-m", "benchmarks.load", "--seconds", "3", "--connections", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert "0 bad, 0 errors" in done.stdout, done.stdout + done.stderr


def test_without_wrk_it_says_how_to_get_it() -> None:
    environment = {**os.environ, "PATH": "/nowhere"}
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment)
    assert (done.returncode, "apt-get install wrk" in done.stderr) == (2, True)
