"""What the processes of a service hold, sampled from /proc: memory, descriptors and threads, by their part in it."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PARTS = ("service", "zygote", "children")
EVERY_SECONDS = 0.5
# More than this between the first third and the last is growth: allocators and page caches breathe by less.
SHARE, SLACK_BYTES, SLACK_COUNT = 1.05, 4 * 2**20, 8


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one part; memory is what its processes hold for themselves alone."""

    processes: int
    memory_bytes: int
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Course:
    """One figure of one part over time: its median in the first and in the last third, and the highest."""

    part: str
    figure: str
    first: float
    last: float
    highest: float

    @property
    def grew(self) -> bool:
        """Whether the last third is above the first by more than noise."""
        slack = SLACK_BYTES if self.figure == "memory_bytes" else SLACK_COUNT
        return self.last > self.first * SHARE + slack


@dataclass
class Watch:
    """Samples a service's processes from a thread while the block runs."""

    pid: int
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {part: [] for part in PARTS})

    def __enter__(self) -> Watch:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            for part, pids in self._parts().items():
                self.samples[part].append(_sample(pids))

    def _parts(self) -> dict[str, list[int]]:
        zygotes = list(_children_of(self.pid))
        below = [child for zygote in zygotes for child in _children_of(zygote)]
        return {"service": [self.pid], "zygote": zygotes, "children": below}

    def courses(self) -> list[Course]:
        """Every figure of every part; raises ValueError where there were too few samples."""
        found = []
        for part, samples in self.samples.items():
            third = len(samples) // 3
            if not third:
                raise ValueError("too short: there are not three samples")
            for figure in ("processes", "memory_bytes", "descriptors", "threads"):
                values = [getattr(sample, figure) for sample in samples]
                first, last = statistics.median(values[:third]), statistics.median(values[-third:])
                found.append(Course(part, figure, first, last, max(values)))
        return found


def _children_of(pid: int) -> Iterator[int]:
    for task in _listed(Path(f"/proc/{pid}/task")):
        yield from map(int, _text(task / "children").split())


def _sample(pids: list[int]) -> Sample:
    """The sum over processes; one that ended meanwhile counts with what could still be read."""
    return Sample(
        processes=len(pids),
        memory_bytes=sum(map(_own_memory, pids)),
        descriptors=sum(len(_listed(Path(f"/proc/{pid}/fd"))) for pid in pids),
        threads=sum(len(_listed(Path(f"/proc/{pid}/task"))) for pid in pids),
    )


def _own_memory(pid: int) -> int:
    # Anonymous memory: children share the zygote's pages, and file pages are the kernel's to give back.
    lines = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Private_Dirty:", "Swap:")))


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
