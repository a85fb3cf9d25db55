"""What importing the helpers brings along: the child and the host both pay for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_helpers_need_the_standard_library_alone():
    source = "import sys; before = set(sys.modules); import sandbox.helpers; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded - {"sandbox"} <= set(sys.stdlib_module_names)
