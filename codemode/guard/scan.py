"""The text gate and the small scanner: is the text whole, and which kind of statement does it begin?

This reads SQLite's own white space, comments and quotes (src/tokenize.c), nothing more. It is the first word about a
statement, never the last: the authorizer has to confirm the kind that is read here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from codemode.database.script import match_end
from codemode.patterns import pattern

# Sets that reach to U+10FFFF are said by what is not in them: else each takes 5 ms to compile, at every start.
_WORD = r"[^\x00-@\[-^`{-\x7f][^\x00-#%-/:-@\[-^`{-\x7f]*+"  # a letter or _, then digits and $ too
_NAMED = r"[^\x00-#%-/;-@\[-^`{-\x7f]*+"  # the same and colons
_BLOCK = r"/\*(?:[^*]++|\*(?!/))*+\*/"
_QUOTED = r"'(?:[^']++|'')*+'|\"(?:[^\"]++|\"\")*+\"|`(?:[^`]++|``)*+`|\[[^\]]*+\]"
_BLANK = rf"[ \t\n\f\r]++|--[^\n]*+|{_BLOCK}"

_SKIP = pattern(rf"(?:{_BLANK})*+")
_SKIP_EMPTY = pattern(rf"(?:;|{_BLANK})*+")
_FIRST = pattern(rf"(?:;|{_BLANK})*+({_WORD})")
_TOKEN = pattern(rf"{_WORD}|{_QUOTED}|[\s\S]")
# A whole text, quantifiers possessive so that no input makes it go back. `$name(...)` is one token to SQLite and may
# hold a quote, which would turn our reading inside out: `SELECT $x(') /* '` hides an open comment. Nobody needs it.
# The name is gone past before what follows is looked at: from each of a million colons it would be read to its end.
_WHOLE = pattern(rf"(?:[^'\"`\[/\-$@#:]++|{_QUOTED}|--[^\n]*+|{_BLOCK}|/(?!\*)|-|[$@#:]{_NAMED}(?!\())*+")
_OVER = pattern(rf"{_QUOTED}|--[^\n]*+|{_BLOCK}|\b(over)\b", re.IGNORECASE)
_USING = pattern(
    rf"{_QUOTED}|--[^\n]*+|{_BLOCK}|\busing(?:{_BLANK})*+\(((?:{_BLANK}|{_QUOTED}|{_WORD}|,)*+)", re.IGNORECASE
)
_COMMA = pattern(rf"{_QUOTED}|--[^\n]*+|{_BLOCK}|(,)")
_PARAMETER = pattern(rf"{_QUOTED}|--[^\n]*+|{_BLOCK}|([$@:]{_NAMED}|\?[0-9]++)")
_BRACKETS = pattern(rf"[^()'\"`\[/\-]++|{_QUOTED}|--[^\n]*+|{_BLOCK}|([()])|[\s\S]")

_OBJECTS = {"TABLE": "table", "INDEX": "index", "VIEW": "view", "TRIGGER": "trigger"}
_VERBS = {
    "SELECT": "select",
    "VALUES": "select",
    "INSERT": "insert",
    "REPLACE": "replace",
    "UPDATE": "update",
    "DELETE": "delete",
}


class Heading(NamedTuple):
    """How a statement begins: `kind` is None where no allowed kind begins so; `verb` is its first word in capitals."""

    verb: str
    kind: str | None
    explain: bool = False
    temp: bool = False
    conditional: bool = False  # IF EXISTS or IF NOT EXISTS: the one reason for a statement to do nothing
    of: str = ""  # the word behind CREATE, DROP or ALTER, in capitals


_PLAIN = {verb: Heading(verb, kind) for verb, kind in _VERBS.items()}  # those that one word tells


class _Words:
    """The tokens of a text from left to right, blanks and comments left out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = match_end(_SKIP_EMPTY, text, 0)

    def next(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            return ""
        self.at = match_end(_SKIP, self.text, found.end())
        return found[0]

    def keyword(self) -> str:
        return _capitals(self.next())

    def peek(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        return _capitals(found[0]) if found else ""

    def skip_brackets(self) -> None:
        """Go past one balanced pair of parentheses, where one begins here."""
        if self.peek() != "(":
            return
        depth = 0
        while token := self.next():
            depth += {"(": 1, ")": -1}.get(token, 0)
            if depth == 0:
                return


def _capitals(word: str) -> str:
    # Keywords are ASCII to SQLite; Python would make INSERT of a dotless i, and S of a long s.
    return word.upper() if word.isascii() else word


def heading(text: str) -> Heading:
    """Read the first words of `text`; EXPLAIN [QUERY PLAN] is looked through."""
    first = _FIRST.match(text)
    if first is not None and (plain := _PLAIN.get(_capitals(first[1]))) is not None:
        return plain
    words = _Words(text)
    verb = words.keyword()
    explain = verb == "EXPLAIN"
    if explain:
        verb = words.keyword()
        if verb == "QUERY" and words.peek() == "PLAN":
            words.next()
            verb = words.keyword()
    if verb == "WITH":
        verb = _after_with(words)
    if verb == "CREATE":
        return _create(words, explain)
    if verb == "DROP":
        kind = _OBJECTS.get(word := words.keyword())
        return Heading("DROP", kind and f"drop_{kind}", explain, conditional=words.peek() == "IF", of=word)
    if verb == "ALTER":
        word = words.peek()
        return Heading("ALTER", "alter_table" if word == "TABLE" else None, explain, of=word)
    return Heading(verb, _VERBS.get(verb), explain)


def _create(words: _Words, explain: bool) -> Heading:
    word = words.keyword()
    temp = word in ("TEMP", "TEMPORARY")
    if temp:
        word = words.keyword()
    if word == "VIRTUAL":
        kind = "virtual_table" if words.keyword() == "TABLE" else None
    elif word == "UNIQUE":
        kind = "index" if words.keyword() == "INDEX" else None
    else:
        kind = _OBJECTS.get(word)
    return Heading("CREATE", kind and f"create_{kind}", explain, temp, conditional=words.peek() == "IF", of=word)


def _after_with(words: _Words) -> str:
    """The verb behind WITH [RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (…) [, …], by SQLite's grammar."""
    if words.peek() == "RECURSIVE":
        words.next()
    while True:
        words.next()  # the name
        words.skip_brackets()
        if words.keyword() != "AS":
            return "WITH"
        while words.peek() in ("NOT", "MATERIALIZED"):
            words.next()
        words.skip_brackets()
        if words.peek() != ",":
            return words.keyword()
        words.next()


def unfinished(text: str) -> str | None:
    """What is left open at the end of `text` (a string, a comment, a quoted name), or None where all is closed.

    SQLite takes an open comment for white space, and stores a view so cut off that its schema cannot be read again:
    `CREATE VIEW v AS SELECT 1/*;` answers SQLITE_CORRUPT on a sound file.
    """
    end = match_end(_WHOLE, text, 0)
    if end == len(text):
        return None
    if text[end] == "/":
        return "a comment /* without */"
    if text[end] in "$@#:":
        return "a parameter name with parentheses"
    return f"a quotation mark {text[end]} without its partner"


def only_blanks(text: str) -> bool:
    """Whether `text` holds nothing but white space, comments and semicolons."""
    return match_end(_SKIP_EMPTY, text, 0) == len(text)


def windows(text: str) -> int:
    """How often OVER stands in `text`, outside of strings and comments."""
    return sum(found[1] is not None for found in _OVER.finditer(text))


def most_joined(text: str) -> int:
    """How many columns the longest list of a USING (…) in `text` has."""
    lists = (found[1] for found in _USING.finditer(text) if found[1])
    return max((sum(found[1] is not None for found in _COMMA.finditer(each)) + 1 for each in lists), default=0)


def named_parameters(text: str) -> int:
    """How many different parameters of `text` have a name or a number."""
    return len({found[1] for found in _PARAMETER.finditer(text) if found[1]})


def depth(text: str) -> int:
    """How deep the parentheses of `text` nest, those in strings and comments left out."""
    if text.count("(") < 2:
        return text.count("(")
    deepest = level = 0
    for found in _BRACKETS.finditer(text):
        if found[1] == "(":
            level += 1
            deepest = max(deepest, level)
        elif found[1]:
            level -= 1
    return deepest
