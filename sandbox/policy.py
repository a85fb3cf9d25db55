"""Which syntax a snippet may use, and what the guarded parts of it become.

Closed by default: RestrictedPython's transformer refuses every node that has no method here or there. What stays
of its hooks is little: attribute names are vetted here, at compile time, and a harmless constant name compiles to
plain attribute access; the others go through a guard. The guards' names (`<read>`, `<write>`, …) are no
identifiers, so no snippet can read, shadow, delete or declare them.

Items, iteration, unpacking and augmented assignment have no hook: they only call methods of objects that the
snippet already holds.
"""

# ruff: noqa: N802, N815 - the methods are named after the syntax nodes, as ast.NodeVisitor wants them
from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from RestrictedPython.transformer import RestrictingNodeTransformer

from sandbox import formatting, names
from sandbox.names import Verdict
from sandbox.refusal import Problem
from sandbox.scopes import Scopes

READ, WRITE, WRITE_CHECKED, AWAIT, MADE = "<read>", "<write>", "<write checked>", "<await>", "<made>"
# In a class's namespace. The prefix keeps typing.Protocol from taking it for a member.
MADE_KEY = "_abc_<made>"

UNAVAILABLE = {
    "eval": "write the expression itself, or use ast-free parsing such as json.loads",
    "exec": "write the statements themselves",
    "compile": "for regular expressions use re.compile",
    "globals": "keep values in a dict of your own",
    "locals": "keep values in a dict of your own",
    "__import__": "use an import statement",
    "breakpoint": "use print",
}


class Policy(RestrictingNodeTransformer):
    """Checks one parsed snippet and rewrites what needs a guard."""

    def __init__(self, bound: set[str]) -> None:
        super().__init__()
        self.problems: list[Problem] = []
        self.bound = bound  # names that the snippet makes itself, in any scope
        self.scopes = Scopes()
        self.needs_loop = False  # the top level awaits
        self.future_annotations = False
        self._in_pattern = False

    def refuse(self, node: ast.AST, message: str, hint: str | None = None) -> None:
        """Record a refusal with its line; all of them are reported together."""
        self.problems.append(Problem(getattr(node, "lineno", None), message, hint))

    def error(self, node: ast.AST, info: str) -> None:
        """Record what a rule of RestrictedPython refuses."""
        self.refuse(node, info)

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a node without a rule of its own."""
        kind = type(node).__name__
        message, hint = _REFUSED_SYNTAX.get(kind, (f"{kind} is not available in snippets", None))
        self.refuse(node, message, hint)

    def _contents(self, node: ast.AST) -> Any:
        return self.node_contents_visit(node)

    def _visit_all(self, nodes: Sequence[ast.AST]) -> list[Any]:
        visited: list[Any] = []
        for node in nodes:
            new = self.visit(node)
            visited.extend(new if isinstance(new, list) else [new])
        return visited

    def _guard(self, hook: str, at: ast.expr, *arguments: ast.expr) -> ast.Call:
        call = ast.Call(func=ast.Name(hook, ast.Load()), args=list(arguments), keywords=[])
        ast.copy_location(call, at)
        return ast.fix_missing_locations(call)

    def _check_bound(self, node: ast.AST, name: str | None, *, walrus: bool = False) -> None:
        """Judge a name that the snippet binds, by whatever syntax, and note it."""
        if name is None:
            return
        if name in names.RESERVED_VARIABLES:
            self.refuse(node, f"the name {name!r} is reserved", "choose another name")
        elif names.is_dunder(name) and not self._may_bind_dunder(name):
            self.refuse(node, f"{name!r} cannot be defined in a snippet", "choose a name without double underscores")
        self.scopes.bind(name, walrus=walrus)

    def _may_bind_dunder(self, name: str) -> bool:
        if self.scopes.kind == "class":
            return name in names.DEFINABLE or (name in names.CLASS_DATA and name != "__match_args__")
        return name in names.DUNDER_VARIABLES and name not in ("__name__", "__debug__")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Judge a variable."""
        if not isinstance(node.ctx, ast.Load):
            self._check_bound(node, node.id)
        elif node.id in UNAVAILABLE and node.id not in self.bound:
            self.refuse(node, f"{node.id} is not available in snippets", UNAVAILABLE[node.id])
        elif node.id in names.RESERVED_VARIABLES or (
            names.is_dunder(node.id)
            and node.id not in names.DUNDER_VARIABLES | names.DEFINABLE | names.CLASS_DATA | {"__class__"}
        ):
            self.refuse(node, f"the name {node.id!r} is not available in snippets")
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Judge a parameter of any kind; positional-only and starred ones come here too."""
        self._check_bound(node, node.arg)
        return node  # its annotation was visited in the scope around the function

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        """`:=` binds in the nearest scope that is no comprehension."""
        node.value = self.visit(node.value)
        self._check_bound(node.target, node.target.id, walrus=True)
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """At the top level every name is global already: the statement goes."""
        for name in node.names:
            self._check_bound(node, name)
        return ast.copy_location(ast.Pass(), node) if self.scopes.kind == "module" else node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """Allow nonlocal; the names were judged where they are bound."""
        for name in node.names:
            self._check_bound(node, name)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Plain names compile to plain access; others ask a guard, or are refused."""
        if isinstance(node.ctx, ast.Load):
            return self._read(node)
        return self._write(node, augmented=False)

    def _read(self, node: ast.Attribute) -> ast.AST:
        node.value = self.visit(node.value)
        verdict = names.attribute(node.attr)
        if verdict is Verdict.REFUSED or (verdict is Verdict.CHECKED and self._in_pattern):
            self.refuse(node, f"the attribute {node.attr!r} is not available in snippets")
        elif verdict is Verdict.CHECKED and not _formats_plainly(node):
            return self._guard(READ, node, node.value, ast.Constant(self.scopes.mangle(node.attr)))
        return node

    def _write(self, node: ast.Attribute, *, augmented: bool) -> ast.AST:
        """`a.b = c` becomes `<write>(a, 'b').b = c`: the guard judges and gives the same object back.

        So `a.b += c` evaluates `a` once and still reads `.b` plainly; the guard is told, because that read hands
        the old value to c's `__radd__`.
        """
        node.value = self.visit(node.value)
        if not names.writable(node.attr) or (augmented and names.is_dunder(node.attr)):
            self.refuse(node, f"the attribute {node.attr!r} cannot be set in a snippet")
            return node
        arguments = [node.value, ast.Constant(self.scopes.mangle(node.attr))]
        checked = names.attribute(node.attr) is Verdict.CHECKED
        if checked and augmented:
            arguments.append(ast.Constant(True))
        node.value = self._guard(WRITE_CHECKED if checked else WRITE, node, *arguments)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Allow augmented assignment to names, items and attributes."""
        if isinstance(node.target, ast.Attribute):
            node.target = self._write(node.target, augmented=True)  # type: ignore[assignment]
        else:
            node.target = self.visit(node.target)
        node.value = self.visit(node.value)
        return node

    visit_Subscript = visit_Slice = visit_Starred = _contents
    visit_For = visit_While = visit_With = visit_Try = visit_JoinedStr = visit_FormattedValue = _contents
    visit_Delete = visit_withitem = visit_keyword = visit_arguments = _contents
    visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = _contents

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Name the one call that cannot work, early and plainly."""
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "type"
            and "type" not in self.bound
            and len(node.args) > 1
        ):
            self.refuse(node, "type() takes one argument here", "write a class statement")
        return self._contents(node)  # type: ignore[no-any-return]

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
        node.annotation = self.visit(node.annotation)
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value is not None else None
        if self.scopes.kind != "module" or not isinstance(node.target, ast.Name):
            return node
        if node.value is None:
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
        node.generators[0].iter = self.visit(node.generators[0].iter)  # evaluated in the scope around
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
            node.returns = self.visit(node.returns) if node.returns is not None else None
            self._type_parameters(node)
        arguments.defaults = self._visit_all(arguments.defaults)
        arguments.kw_defaults = [None if each is None else self.visit(each) for each in arguments.kw_defaults]
        every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
        for each in every:
            if each is not None and each.annotation is not None:
                each.annotation = self.visit(each.annotation)
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
        with self.scopes.inside("function"):
            self._check_bound(node, node.name)
            return self._contents(node)  # type: ignore[no-any-return]

    visit_ParamSpec = visit_TypeVarTuple = visit_TypeVar

    def visit_TypeAlias(self, node: Any) -> ast.AST:
        """Allow `type X = …` (Python 3.12)."""
        self._type_parameters(node)
        node.name = self.visit(node.name)
        with self.scopes.inside("function"):
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
        node.bases = self._visit_all(node.bases)
        for keyword in node.keywords:
            if keyword.arg == "metaclass":
                self.refuse(
                    node, "metaclass= is not available in snippets", "inherit from abc.ABC or enum.Enum instead"
                )
            keyword.value = self.visit(keyword.value)
        with self.scopes.inside("class", node.name):
            node.body = self._visit_all(node.body)
        mark: ast.stmt = ast.Assign(targets=[ast.Name(MADE_KEY, ast.Store())], value=ast.Name(MADE, ast.Load()))
        node.body.insert(1 if ast.get_docstring(node, clean=False) is not None else 0, mark)
        ast.copy_location(mark, node)
        return ast.fix_missing_locations(node)

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

    visit_Match = _contents
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
        for alias in node.names:
            self._check_bound(node, alias.asname or alias.name.partition(".")[0])
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """As above; `from __future__` becomes a compiler flag, and `*` is refused."""
        if node.module == "__future__":
            self.future_annotations |= any(alias.name == "annotations" for alias in node.names)
            return ast.copy_location(ast.Pass(), node)
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


def _formats_plainly(node: ast.Attribute) -> bool:
    """Tell `"a constant template {}".format` that reads no attribute but plain ones: no guard needed."""
    template = node.value.value if isinstance(node.value, ast.Constant) else None
    return node.attr in ("format", "format_map") and type(template) is str and formatting.is_plain(template)


_REFUSED_SYNTAX = {
    "TryStar": ("'except*' is not available in snippets", "use except and look at the group's .exceptions"),
}
