"""What sqlglot says about a text: advice for early, clear refusals, never the reason that a statement is safe.

Of most texts its tokens say already what the tree would: that this is one statement, and of which kind. The tree is
asked where they do not. The parser is compiled and cannot be stopped from outside, so it sees only texts that it reads
quickly; all others, and all that make it raise, are "undecided", and SQLite decides alone.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, NamedTuple

from codemode.database.names import folded
from codemode.guard.scan import depth

# sqlglot tries every way to nest `a JOIN b JOIN c …` without ON: 2^n. Nested OBJECT( grows as fast. A statement above
# these bounds loses the advice and nothing else: tests/guard/test_parse.py holds the time.
MAX_BYTES = 20_000
MAX_JOINS = 8
MAX_DEPTH = 10


class Reading(NamedTuple):
    """The class names of a text's statements as sqlglot reads them; empty where it cannot say."""

    roots: tuple[str, ...] = ()
    lost_json: bool = False  # json_patch's answer is handed to a JSON function: see rules.json_is_kept


UNDECIDED = Reading()


def may_be_read(text: str) -> bool:
    """Whether sqlglot reads `text` quickly."""
    return len(text) <= MAX_BYTES and text.lower().count("join") <= MAX_JOINS and depth(text) <= MAX_DEPTH


@lru_cache(maxsize=512)
def read(text: str) -> Reading:
    """Read `text` as SQLite's dialect; any failure of sqlglot, RecursionError included, is UNDECIDED."""
    if len(text) > MAX_BYTES:
        return UNDECIDED
    try:
        sqlglot = _sqlglot()
        tokens = sqlglot.tokenizer.tokenize(text)
        patches = "json_patch" in text.lower()
        if not patches and (root := sqlglot.root_of(tokens)):
            return Reading((root,))
        if not may_be_read(text):
            return UNDECIDED
        trees = [tree for tree in sqlglot.parser.parse(tokens, text) if tree is not None]
        names = tuple(name for name in (type(tree).__name__ for tree in trees) if name != "Semicolon")
        return Reading(names, patches and _loses_json(trees))
    except Exception:  # noqa: BLE001 - TypeError, AttributeError and RecursionError all occur in the parser
        return UNDECIDED


class _Sqlglot:
    """A tokenizer and a parser, one of each a thread: to make them takes as long as to read a short text."""

    def __init__(self) -> None:
        from sqlglot import TokenType

        sqlite = grammar("sqlite")
        self.tokenizer = sqlite.tokenizer()
        self.parser = sqlite.parser()
        self._roots = {getattr(TokenType, word.upper()): word for word in _ROOTS}
        self._end, self._with, self._replace = TokenType.SEMICOLON, TokenType.WITH, TokenType.REPLACE
        self._deeper = {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}

    def root_of(self, tokens: list[Any]) -> str | None:
        """The class that the root of the one tree of `tokens` would have; None where only the tree can say."""
        types = [token.token_type for token in tokens]
        while types and types[-1] is self._end:
            types.pop()
        if not types or self._end in types:
            return None
        return self._roots.get(types[0] if types[0] is not self._with else self._behind_with(types))

    def _behind_with(self, types: list[Any]) -> Any:
        """The first verb that stands in no parentheses."""
        depth = 0
        for kind in types:
            depth += self._deeper.get(kind, 0)
            if depth == 0 and (kind in self._roots or kind is self._replace):
                return kind
        return None


# Words that begin a tree whose root is of that name; of SELECT it may be a Union, which is the same to the rules.
_ROOTS = ("Select", "Values", "Insert", "Update", "Delete", "Create", "Drop")
_of_thread = threading.local()


def _sqlglot() -> _Sqlglot:
    try:
        found: _Sqlglot = _of_thread.sqlglot
    except AttributeError:
        found = _of_thread.sqlglot = _Sqlglot()
    return found


def table_names(text: str) -> dict[str, str]:
    """Alias → table, folded, as sqlglot reads them: for words about a plan, and for nothing that decides."""
    if not may_be_read(text):  # its tokens may have told what it is: nothing is known of its tree
        return {}
    from sqlglot import exp

    try:
        tables = [
            node for tree in grammar("sqlite").parse(text) if tree is not None for node in tree.find_all(exp.Table)
        ]
    except Exception:  # noqa: BLE001 - as in `read`
        return {}
    return {folded(node.alias_or_name): folded(node.name) for node in tables}


@lru_cache
def grammar(name: str) -> Any:
    """sqlglot's grammar of this name, loaded when it is needed."""
    import logging

    from sqlglot import Dialect

    # It warns of every statement it does not know, with the text: users' data has no place in the worker's log.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    return Dialect.get_or_raise(name)


# JSON functions that read their argument as JSON text, marked or not; the others would store it as a string.
_READS_JSON = frozenset({"json", "jsonb", "jsonpretty", "jsonvalid", "jsontype", "jsonpatch", "jsonbpatch", "jsoneach",
    "jsontree", "jsonarraylength", "jsonextract", "jsonextractscalar", "jsonbextract", "jsonbextractscalar",
    "jsonerrorposition", "jsonremove"})  # fmt: skip


def _loses_json(trees: list[Any]) -> bool:
    """Whether json_patch(…) stands directly as an argument of a JSON function that would take it for text."""
    return any(_is_patch(node) and _builds_json(node.parent) for tree in trees for node in tree.walk())


def _name(node: Any) -> str:
    """A function's name without underscores, whether sqlglot knows it as a class of its own or not."""
    kind = type(node).__name__
    return str(node.name if kind == "Anonymous" else kind).lower().replace("_", "")


def _is_patch(node: Any) -> bool:
    return _name(node) == "jsonpatch"


def _builds_json(node: Any) -> bool:
    while node is not None and type(node).__name__ in ("Paren", "JSONKeyValue"):
        node = node.parent
    name = _name(node)
    return name.startswith("json") and name not in _READS_JSON
