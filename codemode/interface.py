"""What is injected into a snippet, as data: read from the helpers' own signatures, annotations and docstrings.

The guide for models (`prompt.py`) and the stubs for type checkers (`stubs.py`) are both made from it, so that neither
falls behind the code.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from codemode.docstrings import doc_of
from sandbox.helpers import Answer, Builders, Database, HelperError, Helpers, HostFunctions, Query, Rows, Schema
from sandbox.helpers.pages import Pages

GROUPS: tuple[tuple[str, type], ...] = (
    ("helpers.db", Database),
    ("helpers.schema", Schema),
    ("helpers.sql", Builders),
)
# Each class that a snippet can hold an object of, under the name by which it is told of.
CLASSES: dict[str, type] = {
    "Error": HelperError,
    "Query": Query,
    "Answer": Answer,
    "Rows": Rows,
    "Pages": Pages,
    "Database": Database,
    "Schema": Schema,
    "Builders": Builders,
    "HostFunctions": HostFunctions,
}
_ITERATION = frozenset(
    {"__iter__", "__next__", "__enter__", "__exit__", "__aiter__", "__anext__", "__aenter__", "__aexit__"}
)
_ANY_NAME = (Answer, HostFunctions)  # their __getattr__ answers; elsewhere it only explains a wrong name


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a call; `default` is its value as source text, None where it has to be given."""

    name: str
    type: str
    default: str | None


class Call(msgspec.Struct, frozen=True):
    """One call: its name, how it is written, what it does in one line, and everything that there is to say about it."""

    name: str
    signature: str
    summary: str
    doc: str
    parameters: tuple[Parameter, ...]
    returns: str


class Type(msgspec.Struct, frozen=True):
    """One class that calls answer with: what it is a kind of, its attributes (name → type) and its methods."""

    name: str
    bases: tuple[str, ...]
    doc: str
    attributes: dict[str, str]
    methods: tuple[Call, ...]


def calls() -> tuple[Call, ...]:
    """Every call of `helpers.db`, `.schema` and `.sql` under its full name; an alias is left out."""
    return tuple(
        msgspec.structs.replace(call, name=f"{label}.{call.name}")
        for label, owner in GROUPS
        for call in _methods(owner)
        if "The same as" not in call.doc
    )


def types() -> tuple[Type, ...]:
    """Every class of CLASSES."""
    return tuple(_type(name, owner) for name, owner in CLASSES.items())


def members() -> dict[str, str]:
    """The attributes of `helpers` itself, name → class; the class `Error` is one more."""
    properties = {name: member for name, member in vars(Helpers).items() if isinstance(member, property)}
    found = {name: annotation(member.fget, "return") for name, member in properties.items()}
    return {name: kind for name, kind in found.items() if kind in CLASSES}


def annotation(function: Any, name: str) -> str:
    """An annotation as the source has it, with the names by which a snippet's reader knows the classes."""
    text = str(inspect.unwrap(function).__annotations__.get(name, "Any"))
    return text.replace("HelperError", "Error")


def _type(name: str, owner: type) -> Type:
    bases = getattr(owner, "__orig_bases__", owner.__bases__)
    own = [base for base in bases if getattr(base, "__module__", "builtins") in ("builtins", "typing")]
    shown = (base.__name__ if isinstance(base, type) and not typing.get_args(base) else str(base) for base in own)
    attributes = {key: str(kind) for key, kind in vars(owner).get("__annotations__", {}).items() if key[0] != "_"}
    for key, member in vars(owner).items():
        if isinstance(member, property):
            attributes[key] = annotation(member.fget, "return")
    return Type(
        name=name,
        bases=tuple(base.replace("typing.", "") for base in shown if base != "object"),
        doc=inspect.cleandoc(doc_of(owner)),
        attributes=attributes,
        methods=tuple(_methods(owner)),
    )


def _methods(owner: type) -> Iterator[Call]:
    """The calls of one class, in the order in which its file has them."""
    shown = _ITERATION | ({"__getattr__"} if owner in _ANY_NAME else set())
    for name, member in vars(owner).items():
        if inspect.isroutine(member) and (not name.startswith("_") or name in shown):
            yield _call(name, getattr(owner, name))


def _call(name: str, function: Any) -> Call:
    plain = inspect.unwrap(function)
    found = tuple(_parameters(plain))
    doc = inspect.cleandoc(doc_of(plain))
    return Call(name, f"{name}({_written(found)})", _paragraph(doc), doc, found, annotation(plain, "return"))


def _parameters(function: Any) -> Iterator[Parameter]:
    for each in inspect.signature(function).parameters.values():
        if each.name != "self":
            star = "*" if each.kind is each.VAR_POSITIONAL else "**" if each.kind is each.VAR_KEYWORD else ""
            default = None if each.default is each.empty else repr(each.default)
            yield Parameter(star + each.name, annotation(function, each.name), default)


def _written(parameters: Iterable[Parameter]) -> str:
    return ", ".join(p.name if p.default is None else f"{p.name}={p.default}" for p in parameters)


def _paragraph(doc: str) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(doc.partition("\n\n")[0].split())
