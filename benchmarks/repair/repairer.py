"""The repairer: one change to a snippet, made from the fields of its error and nothing else.

It knows no SQL, no SQLite, no helper and none of the cases. In this order:

1. `suggestion`, where the error has one: it takes the place of `sql` inside the snippet, or of the whole snippet.
2. `did_you_mean[0]`, where it is a helper (`helpers.…`) and `sql` is known: the statement goes to that helper.
3. `did_you_mean[0]` takes the place of the name that the message is about, in the statement, or in the line named:
   behind a dot where it stands there; with all that is before the dot, where it begins with `helpers.`.

Where a statement does not stand in the snippet as it was sent, its place is the first argument of the helper's call in
the line named.
"""

from __future__ import annotations

import ast
import re
from typing import Any

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|:\s+([^\s'\"]+)$")


def repaired(code: str, error: Any) -> str | None:
    """The snippet after one repair, or None where the error's fields do not say how."""
    helper = next((name for name in error.did_you_mean[:1] if name.startswith("helpers.")), None)
    if error.suggestion is not None:
        if not error.sql:
            return str(error.suggestion)
        changed = _with_statement(code, error.sql, error.suggestion, helper)
        return changed or _with_first_argument(code, error.line, error.suggestion)
    if not error.did_you_mean:
        return None
    if error.sql and helper:
        changed = _with_statement(code, error.sql, error.sql, helper)
        if changed is not None:
            return changed
    if error.sql:
        statement = _renamed(error.sql, error.message, error.did_you_mean[0])
        changed = _with_statement(code, error.sql, statement, None) if statement else None
        if changed is not None:
            return changed
    return _renamed_in_line(code, error.line, error.message, error.did_you_mean[0])


def _with_statement(code: str, sql: str, statement: str, helper: str | None) -> str | None:
    """`code` with the text `sql` replaced by `statement`, in a call of `helper` where one is named."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    replacing = _Replace(sql.strip(), statement, helper)
    tree = replacing.visit(tree)
    return ast.unparse(ast.fix_missing_locations(tree)) if replacing.done else None


class _Replace(ast.NodeTransformer):
    def __init__(self, sql: str, statement: str, helper: str | None) -> None:
        self.sql, self.statement, self.helper, self.done = sql, statement, helper, False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        first = node.args[0] if node.args else None
        if self.helper and isinstance(first, ast.Constant) and self._is_it(first):
            node.func = ast.parse(self.helper, mode="eval").body
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not self._is_it(node):
            return node
        self.done = True
        return ast.copy_location(ast.Constant(self.statement), node)

    def _is_it(self, node: ast.Constant) -> bool:
        return isinstance(node.value, str) and node.value.strip() == self.sql


def _renamed_in_line(code: str, line: int | None, message: str, name: str) -> str | None:
    lines = code.split("\n")
    if line is None or not 0 < line <= len(lines):
        return None
    changed = _renamed(lines[line - 1], message, name)
    return None if changed is None else "\n".join([*lines[: line - 1], changed, *lines[line:]])


def _renamed(text: str, message: str, name: str) -> str | None:
    """`text` with the name that `message` is about replaced by `name`."""
    for found in _QUOTED.finditer(message):
        word = next(filter(None, found.groups()))
        for before in _before(name):
            pattern = re.compile(rf"{before}(?<![\w]){re.escape(word)}(?!\w)")
            if word != name and pattern.search(text):
                return pattern.sub(lambda _: name, text)
    return None


def _before(name: str) -> tuple[str, ...]:
    """What stands before the name and goes with it: an item in brackets takes the dot, a helper its whole path."""
    if name.startswith("["):
        return (r"\.?",)
    return (r"(?:\w+\.)+", "") if name.startswith("helpers.") else (r"(?<=\.)", "")


def _with_first_argument(code: str, line: int | None, statement: str) -> str | None:
    """`code` with `statement` as the first argument of the helper's call in `line`."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and node.lineno == line and "helpers." in ast.unparse(node.func):
            node.args[0] = ast.Constant(statement)
            return ast.unparse(ast.fix_missing_locations(tree))
    return None
