"""Where in a snippet the policy is: the stack of scopes, and what the top level binds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Scopes:
    """The scopes around the node being visited, innermost last, and the names bound at the top level."""

    kinds: list[str] = field(default_factory=lambda: ["module"])
    classes: list[str] = field(default_factory=list)
    top_level: dict[str, None] = field(default_factory=dict)  # a dict, so that the order is the snippet's
    own: list[set[str]] = field(default_factory=lambda: [set()])  # what each of them has bound so far

    @contextmanager
    def inside(self, kind: str, class_name: str | None = None) -> Iterator[None]:
        """Enter a function, class or comprehension."""
        self.kinds.append(kind)
        self.own.append(set())
        if class_name is not None:
            self.classes.append(class_name)
        try:
            yield
        finally:
            self.kinds.pop()
            self.own.pop()
            if class_name is not None:
                self.classes.pop()

    @property
    def kind(self) -> str:
        """What the current scope is: module, function, class or comprehension."""
        return self.kinds[-1]

    @property
    def binding_kind(self) -> str:
        """The scope in which `:=` binds: the nearest that is not a comprehension."""
        return next(kind for kind in reversed(self.kinds) if kind != "comprehension")

    def bind(self, name: str, *, walrus: bool = False) -> None:
        """Note a name that the current scope binds."""
        if not walrus:
            self.own[-1].add(name)
        if (self.binding_kind if walrus else self.kind) == "module":
            self.top_level[name] = None

    def mangle(self, name: str) -> str:
        """Spell a private name as the compiler does: `__x` in class C is `_C__x`."""
        if not name.startswith("__") or name.endswith("__") or not self.classes:
            return name
        owner = self.classes[-1].lstrip("_")
        return f"_{owner}{name}" if owner else name


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def bound_anywhere(tree: ast.AST) -> set[str]:
    """Every name that the snippet binds in any scope: one that it makes itself is not the builtin of that name."""
    names: set[str] = set()
    found: list[ast.AST] = [tree]
    for node in found:  # which grows: with `ast.walk`, and looks into leaves, it would take three times as long
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif not isinstance(node, ast.Constant):
            found += _children(node)
            if isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.alias):
                names.add(node.asname or node.name.partition(".")[0])
            elif isinstance(node, _DEFINITIONS):
                names.add(node.name)
    return names


def _children(node: ast.AST) -> list[ast.AST]:
    children: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            children += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            children.append(value)
    return children
