"""Which syntax a snippet may use.

Closed by default: RestrictedPython's transformer refuses every node that has no method here, in name_policy.py or
there. Little stays of its hooks: items, iteration, unpacking and augmented assignment have none, because they only call
methods of objects that the snippet already holds.
"""

# ruff: noqa: N802, N815 - the methods are named after the syntax nodes, as ast.NodeVisitor wants them
from __future__ import annotations

import ast
from contextlib import nullcontext
from typing import Any

from sandbox import names
from sandbox.hooks import AWAIT, GETATTR, HASATTR, MADE, MADE_KEY, TYPE
from sandbox.name_policy import NamePolicy, at_name


class Policy(NamePolicy):
    """Checks one parsed snippet and rewrites what needs a guard."""

    visit_Subscript = visit_Slice = visit_Starred = NamePolicy._contents
    visit_For = visit_While = visit_With = visit_Try = visit_JoinedStr = visit_FormattedValue = NamePolicy._contents
    visit_Delete = visit_withitem = visit_keyword = visit_arguments = NamePolicy._contents
    visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = NamePolicy._contents

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Name the one call that cannot work, early and plainly; judge what three builtins are asked for."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "type" and len(node.args) > 1 and name not in self.bound:
            self.refuse(node, "type() takes one argument here", "write a class statement")
        func = node.func
        node = self._contents(node)
        if node.func is not func and isinstance(func, ast.Attribute):
            at_name(node, func)
        if name in _QUICK and not node.keywords and _are_plain(name, node.args) and name not in self.bound:
            node.func = ast.copy_location(ast.Name(_QUICK[name], ast.Load()), node.func)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Allow assignment; `__match_args__` must be a constant tuple of plain names."""
        if self._is_match_args(node):
            return node
        return self._contents(node)  # type: ignore[no-any-return]

    def _is_match_args(self, node: ast.Assign) -> bool:
        # A class pattern reads the attributes that __match_args__ names from whatever the class claims to be an
        # instance, and ABC.register lets it claim any object: ("__globals__",) would read a function's globals.
        target = node.targets[0]
        if self.scopes.kind != "class" or not isinstance(target, ast.Name) or target.id != "__match_args__":
            return False
        elements = node.value.elts if isinstance(node.value, ast.Tuple) else None
        if (
            len(node.targets) != 1
            or elements is None
            or not all(isinstance(each, ast.Constant) and names.is_plain(each.value) for each in elements)
        ):
            self.refuse(node, "__match_args__ must be a tuple of plain attribute names, written out")
        return True

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Keep annotations where they mean something (classes); the top level keeps only the value."""
        # An annotation's name becomes a parameter in the text that dataclasses execute: only names get here.
        node.annotation = self._nameless(node.annotation)
        if node.value is None and isinstance(node.target, ast.Attribute):
            node.target.value = self.visit(node.target.value)  # nothing is written
            return node
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value is not None else None
        if self.scopes.kind != "module" or not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
            self.left_out.add(node.target.id)
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Allow `except … as name`."""
        self._check_bound(node, node.name)
        return self._contents(node)  # type: ignore[no-any-return]

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """A top-level return carries its value in a 1-tuple, so that `return None` differs from no return."""
        node = self._contents(node)
        if self.scopes.kind == "module":
            value = node.value or ast.copy_location(ast.Constant(None), node)
            node.value = ast.copy_location(ast.Tuple([value], ast.Load()), node)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        """Allow yield inside functions (the top level is compiled as one, so it must be refused here)."""
        if self.scopes.kind != "function":
            self.refuse(node, "'yield' outside function")
        return self._contents(node)  # type: ignore[no-any-return]

    visit_YieldFrom = visit_Yield  # type: ignore[assignment]

    def _comprehension(self, node: Any) -> ast.AST:
        node.generators[0].iter = self._nameless(node.generators[0].iter)  # evaluated in the scope around
        if self.scopes.binding_kind == "module" and any(each.is_async for each in node.generators):
            self.needs_loop = True
        with self.scopes.inside("comprehension"):
            for position, each in enumerate(node.generators):
                each.target = self.visit(each.target)
                each.iter = each.iter if position == 0 else self.visit(each.iter)
                each.ifs = self._visit_all(each.ifs)
            for part in ("elt", "key", "value"):
                if getattr(node, part, None) is not None:
                    setattr(node, part, self.visit(getattr(node, part)))
        return node  # type: ignore[no-any-return]

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    def _function(self, node: Any) -> ast.AST:
        arguments = node.args
        if not isinstance(node, ast.Lambda):
            self._check_bound(node, node.name)
            node.decorator_list = self._visit_all(node.decorator_list)
            node.returns = self._nameless(node.returns)
            self._type_parameters(node)
        arguments.defaults = self._visit_all(arguments.defaults)
        arguments.kw_defaults = [None if each is None else self.visit(each) for each in arguments.kw_defaults]
        every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
        for each in every:
            if each is not None and each.annotation is not None:
                each.annotation = self._nameless(each.annotation)
        with self.scopes.inside("function"):
            for each in every:
                if each is not None:
                    self.visit(each)
            node.body = self.visit(node.body) if isinstance(node, ast.Lambda) else self._visit_all(node.body)
        return node  # type: ignore[no-any-return]

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def _type_parameters(self, node: Any) -> None:
        node.type_params = self._visit_all(getattr(node, "type_params", []))

    def visit_TypeVar(self, node: Any) -> ast.AST:
        """Allow `def f[T]` and `class C[T]` (Python 3.12); bounds and defaults are ordinary expressions."""
        with self.scopes.inside("function"), self._naming_nothing():
            self._check_bound(node, node.name)
            return self._contents(node)  # type: ignore[no-any-return]

    visit_ParamSpec = visit_TypeVarTuple = visit_TypeVar

    def visit_TypeAlias(self, node: Any) -> ast.AST:
        """Allow `type X = …` (Python 3.12)."""
        self._type_parameters(node)
        node.name = self.visit(node.name)
        with self.scopes.inside("function"), self._naming_nothing():
            node.value = self.visit(node.value)
        return node  # type: ignore[no-any-return]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Allow classes without metaclass; each class is marked as the snippet's own from its first moment.

        The mark is the first entry of the class's namespace, so that `__init_subclass__`, `__set_name__` and an
        enumeration's `__init__` already see a class of the snippet.
        """
        self._check_bound(node, node.name)
        node.decorator_list = self._visit_all(node.decorator_list)
        self._type_parameters(node)
        in_its_own_scope = self._naming_nothing() if getattr(node, "type_params", None) else nullcontext()
        with in_its_own_scope:
            node.bases = self._visit_all(node.bases)
        for keyword in node.keywords:
            if keyword.arg == "metaclass" and not _names_abc_meta(keyword.value):
                self.refuse(
                    node, "metaclass= is not available in snippets", "inherit from abc.ABC or enum.Enum instead"
                )
            keyword.value = self._nameless(keyword.value)
        with self.scopes.inside("class", node.name):
            node.body = self._visit_all(node.body)
        key = ast.copy_location(ast.Name(MADE_KEY, ast.Store()), node)
        made = ast.copy_location(ast.Name(MADE, ast.Load()), node)
        mark: ast.stmt = ast.copy_location(ast.Assign(targets=[key], value=made), node)
        node.body.insert(1 if ast.get_docstring(node, clean=False) is not None else 0, mark)
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """`await x` becomes `await <await>(x)`, which accepts what is not awaitable."""
        self._waits()
        value = self.visit(node.value)
        node.value = self._guard(AWAIT, value, value)
        return node

    def _waits(self) -> None:
        if self.scopes.binding_kind == "module":
            self.needs_loop = True

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Allow `async for`, at the top level too."""
        self._waits()
        return self._contents(node)  # type: ignore[no-any-return]

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """Allow `async with`, at the top level too."""
        self._waits()
        return self._contents(node)  # type: ignore[no-any-return]

    def _pattern(self, node: Any) -> ast.AST:
        outer, self._in_pattern = self._in_pattern, True
        try:
            return self._contents(node)  # type: ignore[no-any-return]
        finally:
            self._in_pattern = outer

    visit_Match = NamePolicy._contents
    visit_MatchValue = _pattern

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """A class pattern reads attributes by name, past every guard: only plain names."""
        for name in node.kwd_attrs:
            if not names.is_plain(name):
                self.refuse(node, f"the attribute {name!r} cannot be used in a class pattern")
        return self._pattern(node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        """Allow mapping patterns."""
        self._check_bound(node, node.rest)
        return self._pattern(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        """Allow `*rest` in patterns."""
        self._check_bound(node, node.name)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        """Allow captures."""
        self._check_bound(node, node.name)
        return self._contents(node)  # type: ignore[no-any-return]

    def visit_Import(self, node: ast.Import) -> ast.AST:
        """Judge the names bound; which modules exist is decided at run time, so that it can be caught."""
        self._refuse_lazy(node)
        for alias in node.names:
            self._check_bound(node, alias.asname or alias.name.partition(".")[0])
        return node

    def _refuse_lazy(self, node: ast.AST) -> None:
        if getattr(node, "is_lazy", 0):  # Python 3.15: resolved later, past the guarded __import__
            self.refuse(node, "lazy imports are not available in snippets", "use a plain import")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """As above; `from __future__` becomes a compiler flag, and `*` is refused."""
        if node.module == "__future__":
            self.left_out |= {alias.asname or alias.name for alias in node.names}
            self.future_annotations |= any(alias.name == "annotations" for alias in node.names)
            return ast.copy_location(ast.Pass(), node)
        self._refuse_lazy(node)
        for alias in node.names:
            if alias.name == "*":
                self.refuse(node, "'import *' is not available in snippets", "name what you need")
            else:
                self._check_bound(node, alias.asname or alias.name)
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """Visit the statements."""
        node.body = self._visit_all(node.body)
        return node


_QUICK = {"type": TYPE, "getattr": GETATTR, "hasattr": HASATTR}


def _are_plain(called: str, arguments: list[ast.expr]) -> bool:
    """Whether a call needs no guard: `type(x)`, and `getattr` and `hasattr` with a plain name, written out."""
    if any(isinstance(each, ast.Starred) for each in arguments):
        return False
    if called == "type":
        return len(arguments) == 1
    name = arguments[1] if len(arguments) > 1 else None
    return len(arguments) <= 3 and isinstance(name, ast.Constant) and names.is_plain(name.value)


def _names_abc_meta(value: ast.expr) -> bool:
    """Tell `metaclass=ABCMeta` and `metaclass=abc.ABCMeta`; whether it is the one of abc is asked when it runs."""
    return (isinstance(value, ast.Name) and value.id == "ABCMeta") or (
        isinstance(value, ast.Attribute) and value.attr == "ABCMeta"
    )
