"""The half of the policy that judges names: variables, attributes, and what a snippet binds.

A harmless constant attribute name compiles to plain attribute access. The others go through a guard, by a name that is
no identifier, so that no snippet can read, shadow, delete or declare it.
"""

# ruff: noqa: N802 - the methods are named after the syntax nodes, as ast.NodeVisitor wants them
from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from RestrictedPython.transformer import RestrictingNodeTransformer

from sandbox import formatting, names
from sandbox.hooks import CLASS, OWN, READ, SUBJECT, WRITE, WRITE_CHECKED, allowed
from sandbox.names import Verdict
from sandbox.refusal import Problem
from sandbox.scopes import Bound, Scopes, bound_anywhere

UNAVAILABLE = {
    "eval": "write the expression itself; for data in text use ast.literal_eval or json.loads",
    "exec": "write the statements themselves",
    "compile": "for regular expressions use re.compile",
    "locals": "name the values that you need: {'a': a, 'b': b}",
    "__import__": "use an import statement",
    "breakpoint": "use print",
}


class NamePolicy(RestrictingNodeTransformer):
    """Records refusals, judges names, and sends attributes that need it through a guard."""

    def __init__(self, tree: ast.Module, given: Iterable[str]) -> None:
        super().__init__()
        self._tree, self._given = tree, given
        self.left_out: set[str] = set()  # names of annotations without a value, and of features, which were taken out
        self.problems: list[Problem] = []
        self.scopes = Scopes()
        self.needs_loop = False  # the top level awaits
        self.future_annotations = False
        self.private: set[str] = set()  # the private attribute names that it uses
        self._in_pattern = False
        self._names_nothing = False  # where Python allows no assignment expression

    @cached_property
    def _bound(self) -> Bound:
        """Names that the snippet binds in any scope: looked for when one of the few is used that this decides about.

        By then a part of the tree is rewritten, and nothing gone from it that binds a name but what is in `left_out`,
        and `global` at the top level.
        """
        return bound_anywhere(self._tree)

    @cached_property
    def bound(self) -> set[str]:
        """The same with the names that are given."""
        return self._bound.parameters.union(self._bound.others, self._given, self.left_out)

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
        """A call of a hook, where `at` stands, and so do its arguments that stand nowhere yet."""
        func = ast.copy_location(ast.Name(hook, ast.Load()), at)
        placed = [each if hasattr(each, "lineno") else ast.copy_location(each, at) for each in arguments]
        call = ast.copy_location(ast.Call(func=func, args=placed, keywords=[]), at)
        return at_name(call, at) if isinstance(at, ast.Attribute) else call

    def _check_bound(self, node: ast.AST, name: str | None, *, walrus: bool = False) -> None:
        """Judge a name that the snippet binds, by whatever syntax, and note it."""
        if name is None:
            return
        if name in names.RESERVED_VARIABLES:
            self.refuse(node, f"the name {name!r} is reserved", "choose another name")
        elif names.is_dunder(name) and not self._may_bind_dunder(name):
            self.refuse(node, f"{name!r} cannot be defined in a snippet", _INSTEAD_OF_DEFINING.get(name, _OTHER_NAME))
        self.scopes.bind(name, walrus=walrus)

    def _may_bind_dunder(self, name: str) -> bool:
        if self.scopes.kind == "class":
            return name in names.DEFINABLE or (name in names.CLASS_DATA and name != "__match_args__")
        if name in names.DEFINABLE:  # a decorator's `def __repr__(self)`, to be set on a class
            return True
        return name in names.DUNDER_VARIABLES and name not in ("__name__", "__debug__")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Judge a variable."""
        if not isinstance(node.ctx, ast.Load):
            self._check_bound(node, node.id)
        elif node.id in UNAVAILABLE and node.id not in self.bound and not self._is_top_level_locals(node.id):
            self.refuse(node, f"{node.id} is not available in snippets", UNAVAILABLE[node.id])
        elif node.id in names.RESERVED_VARIABLES or (
            names.is_dunder(node.id)
            and node.id not in names.DUNDER_VARIABLES | names.DEFINABLE | names.CLASS_DATA | {"__class__"}
        ):
            self.refuse(node, f"the name {node.id!r} is not available in snippets", _instead_of(node.id))
        return node

    def _is_top_level_locals(self, name: str) -> bool:
        return name == "locals" and self.scopes.kind == "module"  # where it is the same as globals()

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
            self.refuse(node, f"the attribute {node.attr!r} is not available in snippets", _instead_of(node.attr))
        elif verdict is Verdict.CHECKED and node.attr not in names.READ_PLAINLY and not _formats_plainly(node):
            name = self.scopes.mangle(node.attr)
            return self._unless_own(
                node.value,
                self._allowed(name) if name[:1] == "_" else None,
                lambda it: ast.copy_location(ast.Attribute(it, node.attr, ast.Load()), node),
                lambda it: self._guard(READ, node, it, ast.Constant(name)),
            )
        return node

    def _allowed(self, name: str) -> str | None:
        """The set of classes on whose instances a private name is the snippet's own; None for a name without one."""
        if name[:2] == "__":
            return None
        self.private.add(name)
        return allowed(name)

    def _unless_own(
        self,
        subject: ast.expr,
        classes: str | None,
        plain: Callable[[ast.expr], ast.expr],
        guarded: Callable[[ast.expr], ast.expr],
    ) -> ast.expr:
        """`plain(it) if <class of>(<subject> := it) in <classes> else guarded(it)`, where `it` is a variable: no call.

        It has to be the same object each time, and a collection may come between two looks, with the `finally` of a
        generator that binds the variable anew. So it gets a name of its own, in the frame that looks. In a
        comprehension that would be the name of another frame: there only variables are asked that nothing binds anew.
        """
        if classes is None or not isinstance(subject, ast.Name):
            return guarded(subject)
        first: ast.expr = subject
        name = subject.id
        if self.scopes.kind in ("module", "function") and not self._names_nothing:
            name = SUBJECT
            target = ast.copy_location(ast.Name(name, ast.Store()), subject)
            first = ast.copy_location(ast.NamedExpr(target, subject), subject)
        elif not self._stays(name):
            return guarded(subject)
        again = ast.copy_location(ast.Name(name, ast.Load()), subject)
        own = ast.copy_location(ast.Name(classes, ast.Load()), subject)
        test = ast.copy_location(ast.Compare(self._guard(CLASS, subject, first), [ast.In()], [own]), subject)
        return ast.copy_location(ast.IfExp(test, plain(again), guarded(again)), subject)

    def _stays(self, name: str) -> bool:
        """Whether nobody can bind a variable anew while it is looked at: a comprehension's own, or a parameter.

        A parameter of the function that the comprehension is in, whose name nothing in the snippet binds but
        parameters: neither the function itself nor one within it, by whatever syntax. A name with two underscores may
        have a second spelling, by which a class's body binds it (`__x` is `_C__x`).
        """
        if "__" in name:
            return False
        if self.scopes.kind == "comprehension" and name in self.scopes.own[-1]:
            return True
        return self.scopes.is_of_function(name) and name not in self._bound.others

    @contextmanager
    def _naming_nothing(self) -> Iterator[None]:
        """Where Python refuses an assignment expression: annotations, iterables of comprehensions, type parameters."""
        outer, self._names_nothing = self._names_nothing, True
        try:
            yield
        finally:
            self._names_nothing = outer

    def _nameless(self, node: ast.expr | None) -> Any:
        """The node visited there."""
        if node is None:
            return None
        with self._naming_nothing():
            return self.visit(node)

    def _write(self, node: ast.Attribute, *, augmented: bool) -> ast.AST:
        """`a.b = c` becomes `<write>(a, 'b').b = c`: the guard judges and gives the same object back.

        Where `a` is a variable that holds an object of the snippet's own, the guard is not called.

        So `a.b += c` evaluates `a` once and still reads `.b` plainly; the guard is told, because that read hands
        the old value to c's `__radd__`.
        """
        node.value = self.visit(node.value)
        if not names.writable(node.attr) or (augmented and names.is_dunder(node.attr)):
            self.refuse(node, f"the attribute {node.attr!r} cannot be set in a snippet")
            return node
        name = self.scopes.mangle(node.attr)
        arguments: list[ast.expr] = [ast.Constant(name)]
        checked = names.attribute(node.attr) is Verdict.CHECKED
        if checked and augmented:
            arguments.append(ast.Constant(True))
        hook = WRITE_CHECKED if checked else WRITE
        classes = self._allowed(name) if node.attr[:1] == "_" else None if checked else OWN
        node.value = self._unless_own(
            node.value, classes, lambda it: it, lambda it: self._guard(hook, node, it, *arguments)
        )
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """Allow augmented assignment to names, items and attributes."""
        if isinstance(node.target, ast.Attribute):
            node.target = self._write(node.target, augmented=True)  # type: ignore[assignment]
        else:
            node.target = self.visit(node.target)
        node.value = self.visit(node.value)
        return node


def at_name(node: ast.Call, attribute: ast.Attribute) -> ast.Call:
    """Have a call begin on the line that the attribute's name is on: the line that Python tells of it."""
    if attribute.end_lineno is not None and attribute.end_lineno != attribute.lineno:
        node.lineno, node.col_offset = attribute.end_lineno, (attribute.end_col_offset or 0) - len(attribute.attr)
    return node


_OTHER_NAME = "choose a name without double underscores"
_INSTEAD_OF_DEFINING = {
    "__del__": "clean up with `with` (__enter__ and __exit__) or try … finally",
    "__getattribute__": "define __getattr__, or a property",
    "__subclasshook__": "register the classes: Base.register(Other)",
    **dict.fromkeys(("__getstate__", "__setstate__", "__reduce__"), "define __copy__ or __deepcopy__"),
}
_INSTEAD = {
    "what a function is made of is closed; keep what you need in a variable": (
        "__closure__ __code__ __defaults__ __globals__ __kwdefaults__ __self__ __func__"
    ),
    "use traceback.format_exc(), or str(error) and type(error).__name__": (
        "__traceback__ with_traceback tb_lineno tb_frame tb_next"
    ),
    "use copy.copy, copy.deepcopy or json": "__getstate__ __setstate__ __reduce__ __reduce_ex__ __getnewargs__",
    "a snippet has no file and no package": "__file__ __path__ __package__ __spec__ __loader__",
    "print and the other builtins are there by their names": "__builtins__ __builtin__",
}


def _instead_of(name: str) -> str | None:
    """The way out of a refused name, where there is one."""
    return next((hint for hint, refused in _INSTEAD.items() if name in refused.split()), None)


def _formats_plainly(node: ast.Attribute) -> bool:
    """Tell `"a constant template {}".format` that reads no attribute but plain ones: no guard needed."""
    template = node.value.value if isinstance(node.value, ast.Constant) else None
    return node.attr in ("format", "format_map") and type(template) is str and formatting.is_plain(template)


_REFUSED_SYNTAX = {
    "TryStar": ("'except*' is not available in snippets", "use except and look at the group's .exceptions"),
}
