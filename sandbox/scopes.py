"""Where in a snippet the policy is: the stack of scopes, and what the top level binds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple


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

    def is_of_function(self, name: str) -> bool:
        """Whether it is a variable of a function, with nothing between but comprehensions that bind no such name."""
        for kind, own in zip(reversed(self.kinds), reversed(self.own), strict=True):
            if kind != "comprehension":
                return kind == "function" and name in own
            if name in own:
                return False
        return False

    def mangle(self, name: str) -> str:
        """Spell a private name as the compiler does: `__x` in class C is `_C__x`."""
        if not name.startswith("__") or name.endswith("__") or not self.classes:
            return name
        owner = self.classes[-1].lstrip("_")
        return f"_{owner}{name}" if owner else name


# What binds names that are no variables of the tree, and which. Exact types: the tree is the parser's.
_BINDERS: dict[type, Callable[[Any], Iterable[str | None]]] = {
    ast.alias: lambda node: (node.asname or node.name.partition(".")[0],),
    ast.MatchMapping: lambda node: (node.rest,),
    **dict.fromkeys((ast.Global, ast.Nonlocal), lambda node: node.names),
    **dict.fromkeys(
        (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
        lambda node: (node.name,),
    ),
}


class Bound(NamedTuple):
    """The names that a snippet binds in any scope: one that it makes itself is not the builtin of that name."""

    parameters: set[str]
    others: set[str]  # bound by anything else, type parameters left out: nothing binds them anew


def bound_anywhere(tree: ast.AST) -> Bound:
    """Look for them in the whole tree."""
    bound = Bound(set(), set())
    found: list[ast.AST] = [tree]
    for node in found:  # which grows: with `ast.walk`, and looks into leaves, it would take three times as long
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound.others.add(node.id)
        elif not isinstance(node, ast.Constant):
            found += _children(node)
            if isinstance(node, ast.arg):
                bound.parameters.add(node.arg)
            elif type(node) in _BINDERS:
                bound.others.update(name for name in _BINDERS[type(node)](node) if name is not None)
    return bound


def _children(node: ast.AST) -> list[ast.AST]:
    children: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            children += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            children.append(value)
    return children
