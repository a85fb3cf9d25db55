"""Fuzz the guard and the frames for as long as wanted: `python -m tests.fuzz --seconds 300 [--seed 7]`.

The time is shared by the mutants of tests/guard and the two atheris targets beside this file. The seed is printed:
with it, a finding can be repeated. Exit 1 on a finding.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from .atheris_run import available

HERE = Path(__file__).parent
MUTANTS = HERE.parent / "guard" / "mutants.py"
TARGETS = (HERE / "fuzz_guard.py", HERE / "fuzz_frames.py")
KEPT = Path(tempfile.gettempdir()) / "codemode-fuzz-"  # where libFuzzer writes an input that is a finding


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--seconds", type=int, default=300, help="in all")
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6))
    chosen = options.parse_args()
    targets = TARGETS if available() else ()
    share = max(1, chosen.seconds // (1 + len(targets)))
    print(f"seed {chosen.seed}; repeat with --seed {chosen.seed}; {share} s for each part", flush=True)
    if not targets:
        print("atheris is not installed (the extra `fuzz`): mutants only", flush=True)
    guided = (f"-max_total_time={share}", f"-seed={chosen.seed}", f"-artifact_prefix={KEPT}")
    codes = [_run(MUTANTS, f"--seconds={share}", f"--seed={chosen.seed}"), *(_run(each, *guided) for each in targets)]
    print("findings, see above" if any(codes) else "no findings")
    return 1 if any(codes) else 0


def _run(program: Path, *options: str) -> int:
    print(f"-- {program.name} {' '.join(options)}", flush=True)
    return subprocess.run([sys.executable, str(program), *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
