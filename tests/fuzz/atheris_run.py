"""Runs a fuzz target under atheris (libFuzzer for Python), where that is installed: `pip install 'codemode[fuzz]'`."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

ONE_INPUT_SECONDS = 10
MEMORY_MB = 1_024  # of the whole process; libFuzzer reports an input that takes it beyond


def available() -> bool:
    """Whether atheris is there."""
    return find_spec("atheris") is not None


@contextlib.contextmanager
def instrumented(package: str) -> Iterator[None]:
    """While the block imports, `package` is compiled so that its coverage guides the fuzzer; else nothing changes."""
    if Path(sys.argv[0]).parent != Path(__file__).parent or not available():
        yield  # imported by a test, which only wants the function
        return
    import atheris

    with atheris.instrument_imports(include=[package]):
        yield


def fuzz(target: Callable[[bytes], None], corpus: list[bytes]) -> None:
    """Run `target` until libFuzzer's own options (`-max_total_time=60 -seed=7`) end it. A finding ends the process."""
    if not available():
        sys.exit("atheris is not installed: pip install 'codemode[fuzz]'")
    import atheris

    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as folder:
        for number, data in enumerate(corpus):
            (Path(folder) / f"{number:05}").write_bytes(data)
        given = [
            f"-timeout={ONE_INPUT_SECONDS}",
            f"-rss_limit_mb={MEMORY_MB}",
            "-verbosity=0",
            "-print_final_stats=1",
            *sys.argv[1:],
            folder,
        ]
        atheris.Setup([sys.argv[0], *given], target)
        atheris.Fuzz()
