"""Source text to a code object, or to the list of reasons why not.

The top level is compiled as the body of a function in which every name it binds is declared global. That keeps a
module's meaning exactly (functions, classes and comprehensions see the names, `global` changes them) and makes
`return`, `await`, `try … finally` around a return, and `async for` mean what they mean in any function.
"""

from __future__ import annotations
import __future__

import ast
import marshal
import warnings
from collections.abc import Iterable
from types import CodeType
from typing import Any, NamedTuple

from sandbox import fences
from sandbox.limits import CODE_BYTES
from sandbox.policy import Policy
from sandbox.refusal import Problem, SnippetRefused

__all__ = ["FILENAME", "Compiled", "SnippetRefused", "compile_snippet"]

FILENAME = "<snippet>"
ENTRY, VALUE = "<module>", "<value>"  # no identifiers: a snippet cannot name them
_MAX_PROBLEMS = 20
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)


class Compiled(NamedTuple):
    """A snippet that may run: its code, whether its top level awaits, and the text its lines are counted in."""

    code: CodeType
    needs_loop: bool
    source: str
    inputs: tuple[str, ...] = ()
    filename: str = FILENAME
    bound: frozenset[str] = frozenset()  # the names that its top level binds
    private: frozenset[str] = frozenset()  # the private attribute names that it uses
    only_defined: str | None = None  # its last function, where it calls nothing


def is_snippet(filename: str) -> bool:
    """Whether code of this file name is a snippet's, the running one's or that of an earlier one."""
    return filename.startswith("<snippet")


def compile_snippet(source: str, inputs: Iterable[str] = (), filename: str = FILENAME) -> Compiled:
    """Check and compile a submitted text; lines in errors are those of the text as submitted.

    `inputs` are the names that are bound already, by the host or by an earlier snippet, so that none of them is
    taken for a builtin. `filename` tells snippets of one process apart; it begins as FILENAME does.
    Raises SnippetRefused: `code.syntax` or `code.refused`.
    """
    given = tuple(inputs)
    text = fences.normalise(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a "\d" in a plain string is not worth a line on the worker's stderr
        try:
            return _compile(text, given, filename)
        except RecursionError:
            raise SnippetRefused("code.refused", [Problem(None, "the code is nested too deeply", _FLATTEN)]) from None


def packed(compiled: Compiled) -> bytes:
    """What `unpacked` makes the same of in another child of the same zygote; nothing where it would not, or is long."""
    try:
        data = marshal.dumps(tuple(compiled))
    except (MemoryError, ValueError):  # folded constants are longer than their text; and marshal nests less deep
        return b""
    if len(data) > CODE_BYTES:
        return b""
    sets = _sets(compiled.code)
    return data if not sets or _sets(unpacked(data).code) == sets else b""


def unpacked(data: bytes) -> Compiled:
    """What an earlier child compiled, and packed before its snippet ran."""
    return Compiled(*marshal.loads(data))  # noqa: S302 - of the same owner and text: see codes.py


def _sets(code: CodeType) -> list[list[Any]]:
    """Its constant sets, each in its order, which marshal changes: `for x in {8, 0}` would go the other way round."""
    found = []
    for each in code.co_consts:
        if type(each) is frozenset:
            found.append(list(each))
        elif type(each) is CodeType:
            found += _sets(each)
    return found


_FLATTEN = "split deep expressions into several statements"


def _compile(text: str, inputs: tuple[str, ...], filename: str) -> Compiled:
    tree, used = _parse(text)
    only_defined = _only_defined(tree)
    policy = Policy(tree, inputs)
    policy.visit(tree)
    if policy.problems:
        raise SnippetRefused("code.refused", policy.problems[:_MAX_PROBLEMS])
    _keep_last_value(tree, policy)
    _into_function(tree, policy)
    flags = __future__.annotations.compiler_flag if policy.future_annotations else 0
    try:
        code = compile(tree, filename, "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError) as error:
        raise _syntax(error, used) from None
    except (MemoryError, SystemError):
        raise RecursionError from None
    bound = frozenset(policy.scopes.top_level)
    private = frozenset(policy.private)
    return Compiled(_with_plain_names(code), policy.needs_loop, used, inputs, filename, bound, private, only_defined)


def _parse(text: str) -> tuple[ast.Module, str]:
    """Parse the first reading of the text that is Python; otherwise report the error of the likeliest one."""
    readings: list[str] = []
    errors: list[Exception] = []
    for reading in fences.candidates(text):
        readings.append(reading)
        try:
            return ast.parse(reading, FILENAME), reading
        except (SyntaxError, ValueError, UnicodeError) as error:
            errors.append(error)
        except MemoryError:  # the parser's word for "nested too deeply"
            raise RecursionError from None
    # With a fence, the text around it was never meant as Python: the fenced reading's error is the useful one.
    likeliest = 1 if fences.unwrap(text) is not None else 0
    raise _syntax(errors[likeliest], readings[likeliest])


def _only_defined(tree: ast.Module) -> str | None:
    """The last function of a text that has definitions and imports and nothing else."""
    if not all(isinstance(each, _DEFINITIONS) or _is_text(each) for each in tree.body):
        return None
    return next((each.name for each in reversed(tree.body) if isinstance(each, _FUNCTIONS)), None)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _keep_last_value(tree: ast.Module, policy: Policy) -> None:
    """Let the last statement, if it is an expression, leave its value where evaluate finds it."""
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        target = ast.copy_location(ast.Name(VALUE, ast.Store()), last)
        tree.body[-1] = ast.copy_location(ast.Assign(targets=[target], value=last.value), last)
        policy.scopes.top_level[VALUE] = None


# The fields of the function that the top level becomes the body of, whichever this Python has.
_ENTRY: dict[str, Any] = {**vars(ast.parse("def entry(): pass").body[0]), "name": ENTRY}


def _into_function(tree: ast.Module, policy: Policy) -> None:
    entry = ast.AsyncFunctionDef(**_ENTRY) if policy.needs_loop else ast.FunctionDef(**_ENTRY)
    entry.body = list(tree.body) or [ast.copy_location(ast.Pass(), entry)]
    if policy.scopes.top_level:
        entry.body.insert(0, ast.copy_location(ast.Global(list(policy.scopes.top_level)), entry))
    tree.body = [entry]


def _with_plain_names(code: CodeType) -> CodeType:
    """Name lambdas and generators of the top level as a module would: messages show qualified names."""
    prefix = f"{ENTRY}.<locals>."
    constants = tuple(_with_plain_names(each) if type(each) is CodeType else each for each in code.co_consts)
    return code.replace(co_consts=constants, co_qualname=code.co_qualname.removeprefix(prefix))


def _syntax(error: Exception, text: str) -> SnippetRefused:
    if not isinstance(error, SyntaxError) or error.lineno is None:
        message = "the text holds a NUL character" if "null" in str(error) else f"the text is not valid: {error}"
        return SnippetRefused("code.syntax", [Problem(_offending_line(text), message, "send plain Unicode text")])
    line, lines = error.lineno, text.split("\n")
    message = error.msg or "invalid syntax"
    if 0 < line <= len(lines):
        message += f": {lines[line - 1].strip()[:200]!r}"
    return SnippetRefused("code.syntax", [Problem(line, message, _hint(error, lines))])


_SQL = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "PRAGMA", "EXPLAIN"}


def _offending_line(text: str) -> int | None:
    for number, line in enumerate(text.split("\n"), 1):
        if "\0" in line or any("\ud800" <= character <= "\udfff" for character in line):
            return number
    return None


def _is_of_an_f_string(text: str, line: str) -> bool:
    """Whether it is what Python 3.12 takes inside the braces of an f-string, and earlier ones do not."""
    if "line continuation" in text:
        return 'f"' in line or "f'" in line
    return text.startswith("f-string") and any(word in text for word in ("unmatched", "expecting '}'", "backslash"))


def _hint(error: SyntaxError, lines: list[str]) -> str | None:
    text = (error.msg or "").lower()
    line = lines[error.lineno - 1].strip() if error.lineno and error.lineno <= len(lines) else ""
    if "invalid character" in text or "non-printable" in text:
        return "use plain ASCII quotes, hyphens and blanks in code"
    if "await" in text:
        return "write 'async def' for a function that awaits"
    if _is_of_an_f_string(text, line):
        return "inside the braces of an f-string use the other kind of quotes, and no backslash: f\"{row['name']}\""
    if line.startswith(("const ", "let ", "var ", "function ", "//")) or line.endswith("{") or "=>" in line:
        return "snippets are Python, not JavaScript"
    if line.split(" ")[0].upper() in _SQL:
        return "SQL is text for a helper: helpers.db.query('SELECT …'), helpers.db.exec('INSERT …')"
    if "never closed" in text or "eof" in text or "unterminated" in text:
        return "the text may have been cut off: send the whole snippet"
    return None
