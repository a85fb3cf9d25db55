"""Kill workers at random moments and look at what they left: `python -m tests.stress --kills 200`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from crash_harness import main

sys.exit(main(sys.argv[1:]))
