"""`python -m codemode` is the command `codemode`."""

from __future__ import annotations

from codemode.cli import main

if __name__ == "__main__":
    main()
