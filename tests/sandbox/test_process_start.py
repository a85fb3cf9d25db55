"""The start of a process: what is left of one that cannot be started."""

from __future__ import annotations

import subprocess
import sys

# In an interpreter of its own, where nobody else opens and closes descriptors meanwhile.
SCARCE = """
import os, resource
from sandbox.process import Process

def held():
    return len(os.listdir("/proc/self/fd"))

before, (_, hard) = held(), resource.getrlimit(resource.RLIMIT_NOFILE)
failed = 0
for most in range(before, before + 12):
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        started = Process(["/bin/true"], {}, 0, 3)
    except OSError:
        failed += 1
    else:
        started.wait()
        started.errors.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert held() == before, most
assert 0 < failed < 12
"""


def test_one_that_finds_no_descriptor_leaves_none_behind() -> None:
    ran = subprocess.run([sys.executable, "-c", SCARCE], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
