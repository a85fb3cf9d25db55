"""What is injected into a snippet as a `.pyi` file: for type checkers, editors, and models that read types best.

It is a stub of the module `helpers`, which a snippet may import though it need not. camelCase spellings work and are
left out: a checker then names the documented one.
"""

from __future__ import annotations

import builtins
import collections.abc
import re
import textwrap
import typing
from collections.abc import Iterable, Iterator

from codemode.interface import CLASSES, Call, Type, members, types

_HEADER = '''\
"""What a snippet sees as `helpers`, for type checkers: save it as helpers.pyi beside snippets with `import helpers`."""

# camelCase spellings work too and are left out. `helpers` itself has db, sql, schema, host and Error; the other classes
# are what calls answer with.
'''
_WIDTH = 120
_NAME = re.compile(r"(?<![\w.'\"])[A-Za-z_]\w*")


def stubs() -> str:
    """The stub file."""
    found = types()
    body = [*map(_class, found), "\n".join(f"{name}: {kind}" for name, kind in members().items())]
    return "\n\n".join([_HEADER + "\n" + _imports(found), *body]) + "\n"


def _class(kind: Type) -> str:
    bases = f"({', '.join(kind.bases)})" if kind.bases else ""
    lines = [f"class {kind.name}{bases}:", *_doc(kind.doc.partition("\n\n")[0])]
    lines += [f"    {name}: {annotation}" for name, annotation in kind.attributes.items()]
    for method in kind.methods:
        lines += ["", *_method(method, static=kind.name == "Builders")]
    return "\n".join(lines)


def _method(call: Call, *, static: bool) -> Iterator[str]:
    parameters = [f"{p.name}: {p.type}" + ("" if p.default is None else f" = {p.default}") for p in call.parameters]
    if static:
        yield "    @staticmethod"
    else:
        parameters.insert(0, "self")
    start = "    async def" if call.name in ("__anext__", "__aenter__", "__aexit__") else "    def"
    head = f"{start} {call.name}({', '.join(parameters)}) -> {call.returns}:"
    if len(head) > _WIDTH:
        listed = "".join(f"        {parameter},\n" for parameter in parameters)
        head = f"{start} {call.name}(\n{listed}    ) -> {call.returns}:"
    if call.summary:
        yield from head.splitlines()
        yield from _doc(call.summary, indent=8)
    else:
        yield f"{head} ..."


def _doc(text: str, indent: int = 4) -> list[str]:
    """A docstring of one line: the first sentence where the paragraph is too long for it."""
    line = " ".join(text.split())
    if len(line) > _WIDTH - indent - 6:
        line = re.split(r"(?<=[.;:])\s", line)[0].rstrip(";:")
    line = textwrap.shorten(line, _WIDTH - indent - 6, placeholder=" …")
    return [" " * indent + f'"""{line}"""'] if line else []


def _imports(found: Iterable[Type]) -> str:
    """One line for each module that annotations take names from; a name that is nobody's is a fault of ours."""
    used = {name for kind in found for text in _annotations(kind) for name in _NAME.findall(text)}
    wanted = sorted(used - set(CLASSES) - set(dir(builtins)))
    lines = []
    for module in (collections.abc, typing):
        if names := [name for name in wanted if name in module.__all__]:
            lines.append(f"from {module.__name__} import {', '.join(names)}")
            wanted = [name for name in wanted if name not in names]
    if wanted:
        raise LookupError(f"the stubs do not know {wanted[0]}: add it to interface.CLASSES")
    return "\n".join(lines)


def _annotations(kind: Type) -> Iterator[str]:
    yield from kind.bases
    yield from kind.attributes.values()
    for method in kind.methods:
        yield method.returns
        yield from (parameter.type for parameter in method.parameters)
