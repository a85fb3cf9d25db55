"""A snippet that failed, mended: a whole text that compiles under the policy, for the error's `suggestion`.

Mends are same-shaped functions, a Fault → texts that may have been meant. They change the line at fault and leave every
other line as it is; nothing here runs, and what does not compile is not shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sandbox.compile import compile_snippet
from sandbox.modules import available, members_of
from sandbox.refusal import SnippetRefused

LONGEST = 8_000  # characters: a suggestion is read by a model
_ROUNDS = 8  # a text written in another language has a fault on many lines
_TRIED = 40


class Fault(NamedTuple):
    """A snippet's text and what its error says of it."""

    source: str
    code: str
    message: str
    line: int | None
    names: tuple[str, ...]  # did_you_mean

    @property
    def text(self) -> str:
        """The line at fault."""
        lines = self.source.split("\n")
        return lines[self.line - 1] if self.line is not None and 0 < self.line <= len(lines) else ""

    def with_line(self, text: str) -> Iterator[str]:
        """The snippet with `text` for the line at fault, where that is another one."""
        if self.line is not None and text != self.text:
            lines = self.source.split("\n")
            yield "\n".join([*lines[: self.line - 1], text, *lines[self.line :]])


Mend = Callable[[Fault], Iterator[str]]


def suggestion(source: str, error: dict[str, Any], inputs: Iterable[str] = ()) -> str | None:
    """The mended snippet for the fields of an error, or None where no mend compiles."""
    if len(source) > LONGEST or error.get("suggestion") or (error.get("sql") and "batch_insert" not in source):
        return None
    names = tuple(error.get("did_you_mean") or ())
    fault = Fault(source, error["code"], error["message"], error.get("line"), names)
    search = _Search(tuple(inputs))
    return search.mended(fault, _ROUNDS)


class _Search:
    def __init__(self, inputs: tuple[str, ...]) -> None:
        self._inputs, self._left = inputs, _TRIED

    def mended(self, fault: Fault, rounds: int) -> str | None:
        """The first text that compiles; of one that does not, the next fault is mended too."""
        for mend in MENDS.get(fault.code, ()):
            for text in mend(fault):
                if self._left <= 0 or len(text) > LONGEST:
                    return None
                self._left -= 1
                after = self._fault(text)
                if after is None:
                    return text
                if rounds > 1 and (after.line or 0, after.message) > (fault.line or 0, ""):
                    found = self.mended(after, rounds - 1)
                    if found is not None:
                        return found
        return None

    def _fault(self, source: str) -> Fault | None:
        try:
            compile_snippet(source, self._inputs)
        except SnippetRefused as refused:
            line, message, _ = refused.problems[0]
            return Fault(source, refused.code, message, line, ())
        return None


_JAVASCRIPT_WORDS = {"true": "True", "false": "False", "null": "None", "undefined": "None"}
_OPERATORS = (("===", "=="), ("!==", "!="), ("&&", " and "), ("||", " or "))


def as_python(fault: Fault) -> Iterator[str]:
    """One line of JavaScript: declarations, operators, arrows, comments, braces."""
    text = re.sub(r"^(\s*)(?:const|let|var)\s+", r"\1", fault.text)
    text = re.sub(r"^(\s*)//", r"\1#", text)
    for theirs, ours in _OPERATORS:
        text = text.replace(theirs, ours)
    text = re.sub(r"\(?\b(\w+)\b\)?\s*=>\s*(?!\{)", r"lambda \1: ", text)
    text = re.sub(r"^(\s*)\}?\s*else\s+if\b", r"\1elif", text)
    text = re.sub(r"(\w+)\+\+\s*;?\s*$", r"\1 += 1", text)
    text = re.sub(r"(?<![\w\"'])new\s+(?=[A-Z]\w*\()", "", text)
    for whole in fault.with_line(text):
        yield re.sub(r"\b(\w+(?:\.\w+)*)\.length\b", r"len(\1)", whole)


def with_straight_quotes(fault: Fault) -> Iterator[str]:
    """Typographic quotes."""
    quotes = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'}
    yield from fault.with_line(fault.text.translate(quotes))


def with_a_colon(fault: Fault) -> Iterator[str]:
    """`if x > 1` without its colon."""
    if "expected ':'" in fault.message:
        found = re.match(r"(.*?)(\s*(?:#.*)?)$", fault.text)
        if found:
            yield from fault.with_line(f"{found[1]}:{found[2]}")


def with_print_called(fault: Fault) -> Iterator[str]:
    """`print x`."""
    if "call to 'print'" in fault.message:
        yield from fault.with_line(re.sub(r"^(\s*)print\s+(.+?);?\s*$", r"\1print(\2)", fault.text))


def with_brackets_closed(fault: Fault) -> Iterator[str]:
    """A bracket that is never closed: closed at the end of its line."""
    found = re.search(r"'([(\[{])' was never closed", fault.message)
    if found:
        yield from fault.with_line(fault.text.rstrip() + {"(": ")", "[": "]", "{": "}"}[found[1]])


def with_a_comparison(fault: Fault) -> Iterator[str]:
    """`if x = 1`."""
    if "instead of '='" in fault.message:
        yield from fault.with_line(re.sub(r"(?<![=!<>:])=(?!=)", "==", fault.text, count=1))


def without_await(fault: Fault) -> Iterator[str]:
    """`await` inside of a plain function: helpers answer without it too."""
    if "outside async function" in fault.message:
        yield from fault.with_line(re.sub(r"\bawait\s+", "", fault.text))


def without_indent(fault: Fault) -> Iterator[str]:
    """A text that is indented as a whole, and has another fault; a line that is deeper than the one before it."""
    if "unexpected indent" in fault.message and fault.line is not None:
        lines = fault.source.split("\n")
        if depth := min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0):
            yield "\n".join(line[depth:] for line in lines)
        before = next((line for line in reversed(lines[: fault.line - 1]) if line.strip()), "")
        yield from fault.with_line(before[: len(before) - len(before.lstrip())] + fault.text.lstrip())


def with_literals_for_eval(fault: Fault) -> Iterator[str]:
    """`eval("{'a': 1}")`: the literal itself."""
    found = re.search(r"\beval\(\s*(\"[^\"]*\"|'[^']*')\s*\)", fault.text)
    if "eval is not available" in fault.message and found:
        literal = ast.literal_eval(found[1])
        yield from fault.with_line(fault.text.replace(found[0], f"({literal})"))


def with_the_module_imported(fault: Fault) -> Iterator[str]:
    """A module, or a name of one, that nobody imported; of two of one name (`datetime`) the one that is used."""
    found = re.match(r"NameError: name '(\w+)' is not defined", fault.message)
    if found is None:
        return
    name = found[1]
    if name in available():
        known = members_of(name)
        asked = re.findall(rf"\b{name}(?:\.(\w+)|\()", fault.source)  # an attribute, or "" of a call
        itself = name in known and any(each not in known for each in asked)
        yield f"from {name} import {name}\n{fault.source}" if itself else f"import {name}\n{fault.source}"
    for module in _HOMES:
        if name in members_of(module):
            yield f"from {module} import {name}\n{fault.source}"
            return


# Where names live that are used without a thought for it; the first that has the name.
_MODULES = (
    "collections datetime itertools functools decimal fractions statistics dataclasses enum typing math re pprint"
    " textwrap zoneinfo random uuid copy string heapq bisect operator contextlib abc"
)
_HOMES = tuple(_MODULES.split())


def with_python_s_literals(fault: Fault) -> Iterator[str]:
    """`true`, `null` and their like, all of them at once."""
    if not any(f"name '{name}' is not defined" in fault.message for name in _JAVASCRIPT_WORDS):
        return
    text = fault.source
    for node in sorted(_names(text), key=lambda node: (node.lineno, node.col_offset), reverse=True):
        text = _put(text, node, _JAVASCRIPT_WORDS[node.id])
    yield text


def _names(source: str) -> list[ast.Name]:
    return [node for node in _walk(source) if isinstance(node, ast.Name) and node.id in _JAVASCRIPT_WORDS]


def _walk(source: str) -> Iterator[Any]:
    try:
        yield from ast.walk(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError):
        return


def _put(source: str, node: Any, text: str) -> str:
    """`source` with `text` in the place of a node that begins and ends on one line."""
    return _spliced(source, node.lineno, node.col_offset, node.end_col_offset, text)


def _spliced(source: str, number: int, start: int, end: int, text: str) -> str:
    """`source` with `text` between two columns of a line, which count bytes."""
    lines = source.split("\n")
    line = lines[number - 1].encode()
    lines[number - 1] = (line[:start] + text.encode() + line[end:]).decode()
    return "\n".join(lines)


def with_len_for_length(fault: Fault) -> Iterator[str]:
    """`rows.length`, `rows.size`, `rows.count`: len(rows)."""
    if not re.search(r"no (?:attribute )?'(?:length|size|len)'", fault.message):
        return
    text = fault.source
    for node in reversed([node for node in _walk(text) if isinstance(node, ast.Attribute)]):
        if node.attr in ("length", "size", "len") and node.lineno == node.end_lineno == fault.line:
            inner = ast.get_source_segment(text, node.value)
            text = _put(text, node, f"len({inner})")
    if text != fault.source:
        yield text


def with_a_list_returned(fault: Fault) -> Iterator[str]:
    """What is iterated over, as the result: a list of it."""
    if not re.match(r"result is an? (?:generator|map|filter|zip|enumerate|reversed|\w*iterator|Pages),", fault.message):
        return
    module = next(_walk(fault.source), None)
    tops = [node for node in module.body if isinstance(node, ast.Return | ast.Expr)] if module else []
    if tops and tops[-1].value is not None:
        value: Any = tops[-1].value
        inner = ast.get_source_segment(fault.source, value)
        if value.lineno == value.end_lineno and inner:
            yield _put(fault.source, value, f"list({inner})" if inner[:1] != "(" else f"list{inner}")


def with_the_name_meant(fault: Fault) -> Iterator[str]:
    """A module or a name of one under another name: everywhere in the snippet."""
    found = re.search(r"No module named '(\w+)'|cannot import name '(\w+)'", fault.message)
    if found and fault.names:
        yield re.sub(rf"\b{found[1] or found[2]}\b", fault.names[0], fault.source)


def with_a_table_that_may_be_there(fault: Fault) -> Iterator[str]:
    """create_table of one that is there: if_not_exists=True."""
    yield from _with_option(fault, ("create_table", "createTable"), "if_not_exists=True", {"if_not_exists"})


def with_options_of_a_load(fault: Fault) -> Iterator[str]:
    """batch_insert into a table that is not there, or of a key that is: the option that says so."""
    if fault.code == "sql.no_such_table":
        if fault.names:
            return  # a table of nearly this name is there, and was meant
        option = "create=True"
    else:
        found = re.search(r"UNIQUE constraint failed: ([\w., ]+)", fault.message)
        if found is None:
            return
        keys = [name.rpartition(".")[2].strip() for name in found[1].split(",")]
        option = f'on_conflict="update", key={keys}'
    yield from _with_option(fault, ("batch_insert", "batchInsert"), option, {"create", "on_conflict"})


def _with_option(fault: Fault, calls: tuple[str, ...], option: str, but: set[str]) -> Iterator[str]:
    """The option behind the arguments of one of `calls` that has none of the options `but`."""
    for node in _walk(fault.source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.lineno <= (fault.line or 0):
            named = {keyword.arg for keyword in node.keywords}
            if node.func.attr in calls and not named & but:
                bracket = (node.end_col_offset or 1) - 1
                yield _spliced(fault.source, node.end_lineno or 0, bracket, bracket, f", {option}")


MENDS: dict[str, tuple[Mend, ...]] = {
    "code.syntax": (
        with_a_colon, with_print_called, with_brackets_closed, with_a_comparison, without_await, without_indent,
        with_straight_quotes, as_python,
    ),
    "code.refused": (with_literals_for_eval,),
    "code.runtime": (with_the_module_imported, with_the_name_meant, with_python_s_literals, with_len_for_length),
    "request.invalid": (with_len_for_length,),
    "code.unserializable": (with_a_list_returned,),
    "sql.no_such_table": (with_options_of_a_load,),
    "sql.constraint": (with_options_of_a_load,),
    "sql.already_exists": (with_a_table_that_may_be_there,),
}  # fmt: skip
