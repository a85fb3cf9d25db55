"""What a docstring says to models, clients and people, also where Python runs with -OO, which leaves docstrings out."""

from __future__ import annotations

import sys
from typing import Any


def doc_of(described: Any) -> str:
    """The docstring of a function or class of ours; from its source where it is not there, empty without one."""
    found: str | None = described.__doc__
    if found or sys.flags.optimize < 2:
        return found or ""
    import ast
    import inspect
    import textwrap

    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(described))).body[0]
    except (OSError, TypeError, SyntaxError):  # compiled files alone were shipped
        return ""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return ast.get_docstring(node) or ""
    return ""
